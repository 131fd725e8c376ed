"""Spectra: extraction from images and cubes, combination, rectified images, cubes of slices.

It imports `wfi`, `jwst` and `work`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
