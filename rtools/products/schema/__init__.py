"""What metadata and arrays a product of each kind and profile has, the nodes of its tree, its history, keys as typed.

It imports `wfi` and no other room of `products`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
