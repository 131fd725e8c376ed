"""The chain of one exposure: plan, engine, products, jobs.

Of other rooms of `pipeline` it imports `job`, `catalog` and `astrometry`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
