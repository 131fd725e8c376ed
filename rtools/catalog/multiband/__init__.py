"""Sources in several filters: detection image, matched PSFs, injected sources.

Of other rooms it imports `detect`, `measure` and `psf`, `wfi` and `work`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
