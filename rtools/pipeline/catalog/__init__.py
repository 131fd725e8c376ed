"""Catalogs of one image and of several filters with their references and files; places of cut-outs.

Of other rooms of `pipeline` it imports `job`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
