"""Images to mosaics: plan, members, totals, outliers, files, jobs.

Of other rooms of `pipeline` it imports `job`, `catalog` and `exposure`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
