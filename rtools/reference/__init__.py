"""Which reference file serves an exposure, and the built-in nominal instrument.

It imports `products`, `wfi` and `work`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
