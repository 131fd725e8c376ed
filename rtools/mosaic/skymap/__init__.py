"""The tessellation of the sky: projection regions, skycells, which files are on which.

It imports `wfi`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
