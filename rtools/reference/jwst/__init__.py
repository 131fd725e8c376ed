"""References of JWST: the types, the built-in nominal set, which file serves an exposure.

It imports `rtools.reference`, `products`, `jwst`, `wfi` and `work`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
