"""Products of JWST, which are FITS and ECSV files: read piece by piece, written again with all that they hold.

It imports `fits`, `tables` and `io`, of other rooms `jwst`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
