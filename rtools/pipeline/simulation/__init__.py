"""The jobs of a simulated exposure and of simulated guide windows.

Of other rooms of `pipeline` it imports `job`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
