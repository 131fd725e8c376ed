"""The PSF: photometry of sources with it, matching of one to another, that of a mosaic, neighbours.

It imports `reference`, `wfi` and `work`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
