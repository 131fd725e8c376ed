"""Fitting ramps: likelihood and least squares, jumps, snowballs, times of resultants.

It imports `wfi`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
