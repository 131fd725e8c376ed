"""Whether a file is what it says: blocks, schema, values, names, steps, catalogs. Every check returns findings.

It imports all other rooms of `products`, and none imports it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
