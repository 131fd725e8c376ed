"""What products and detectors of JWST are, each fact once: layouts, flags, kinds, suffixes; apertures, read-out, pupil.

A ground floor beside `wfi`: it imports nothing of rtools but `errors`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
