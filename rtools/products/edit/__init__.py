"""What is done to one product that exists: set keys, cut out, take flags, compare with another, find its WCS.

It imports `schema`, `names`, `io`, `tables`, `jwst`, `forms` and `opening`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
