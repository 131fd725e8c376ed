"""How good data are: numbers of images, mosaics, catalogs and alignments, and their limits. Arrays in, numbers out.

It imports `wfi` and `work`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
