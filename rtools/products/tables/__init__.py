"""Catalogs and other tables in parquet, ECSV, CSV, FITS, VOTable and ASDF, with units and metadata.

It imports `schema`, `names`, `io` and `fits`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
