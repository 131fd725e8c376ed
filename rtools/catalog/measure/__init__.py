"""Measuring sources: apertures, shapes, Kron fluxes, places on the sky, columns of a catalog.

Of other rooms it imports `detect` and `psf`, `wfi` and `work`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
