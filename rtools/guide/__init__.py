"""Guide windows: difference images, the star in them, its motion and light; the attitude. Arrays in, arrays out.

It imports `reference`, `astrometry`, `wfi` and `work`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
