"""Simulated guide windows and FACE: time line, motion of the telescope, pixels, centroids, attitude, metadata.

It imports `simulate`'s light, references and ramps, and what `simulate` imports; nothing of `rtools.guide`, whose other
end it is: time line, moments and rotations are written down a second time here.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
