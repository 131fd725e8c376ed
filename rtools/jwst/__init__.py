"""What products of JWST are, each fact once: their layouts, flags, how a file of one is told, suffixes, detectors.

A ground floor beside `wfi`: it imports nothing of rtools but `errors`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
