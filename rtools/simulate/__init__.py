"""Scenes, detector effects and simulated raw exposures.

It imports `reference`, `products`, `astrometry`, `wfi` and `work`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
