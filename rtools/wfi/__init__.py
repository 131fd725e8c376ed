"""The Wide Field Instrument, each fact once: frame, elements, flags, units, distortion, metadata keys, the sphere.

The ground floor: it imports nothing of rtools but `errors`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
