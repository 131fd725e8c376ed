"""File names of Roman and of JWST: their grammars, suffixes, and what is wrong with a name that breaks them.

It imports `wfi`, `jwst` and nothing else of the house.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
