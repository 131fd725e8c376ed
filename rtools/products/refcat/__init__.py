"""Catalogs of reference stars: one file or a HATS tree, read in a cone; Gaia's archive.

It imports `schema`, `io`, `tables` and `forms`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
