"""Drizzling: weights, kernels, variances, coverage, and the flux of images.

Of other rooms it imports `grid`, `wfi` and `work`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
