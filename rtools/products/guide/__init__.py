"""Guide-window and FACE files of any age, as arrays: the pixels by pairs, the times as seconds.

It imports `schema`, `names` and `io`, of other rooms `wfi`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
