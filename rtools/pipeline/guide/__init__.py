"""Guide windows and FACE with their references: pairs measured, motion of exposures, spectra, light curves, stacks.

Of other rooms of `pipeline` it imports none.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
