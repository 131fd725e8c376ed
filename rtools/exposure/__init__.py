"""From raw data to images: what a strip and an exposure are, clocks, spectra of the reference output.

It imports `astrometry`, `wfi` and `work`; the steps are in `steps/`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
