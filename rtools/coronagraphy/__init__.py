"""Coronagraphy: images of reference stars, aligned with a target and subtracted.

It imports `wfi`, `jwst` and `work`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
