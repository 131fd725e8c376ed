"""What JWST's third stage makes, and spectra of its second: series, spectra, cubes, coronagraphs, interferometry.

Of other rooms of `pipeline` it imports `job`, `catalog`, `exposure`, `jwst` and `mosaic`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
