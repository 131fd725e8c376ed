"""Products as FITS and back: keywords, extensions, tables, what was edited in them.

It imports `schema` and `io`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
