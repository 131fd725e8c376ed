"""rtools: the Roman WFI calibration pipeline as Unix tools, and as functions (`docs/python.md`).

Nothing is imported before a function is asked for.
"""

import lazy_loader

__version__ = "0.5.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
