from .segments import Segments, empty_segments
from .smooth import gaussian_kernel

__all__ = [
    "Segments",
    "empty_segments",
    "gaussian_kernel",
]
