from .detection import Band, read_noise
from .multiband import multiband_catalog

__all__ = [
    "Band",
    "multiband_catalog",
    "read_noise",
]
