"""Expressions about the columns of a table, as they are typed: parsed with a list of what is allowed, and computed.

It imports facts of `wfi` and `jwst`, and errors. It knows no files.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
