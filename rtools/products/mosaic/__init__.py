"""What a mosaic is made of and says of it: associations, metadata, tables of members, the table of skycells.

It imports `schema`, `names` and `io`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
