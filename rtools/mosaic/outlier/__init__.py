"""What one exposure shows and the others do not: median, blot, flags.

It imports `wfi` and `work`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
