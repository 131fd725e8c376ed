"""Sky levels that make exposures agree: cells, pairs, clipped statistics.

Of other rooms it imports `grid`, `wfi` and `work`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
