"""File names: the grammar of root names, suffixes, skycells and releases, and what is wrong with a name that breaks it.

It imports `wfi` and nothing else of the house.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
