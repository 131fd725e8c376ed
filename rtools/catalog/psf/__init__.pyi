from .match import convolve, matching_kernel, noise_factor
from .mosaic import mosaic_psf
from .psffit import FLAGS, PsfFit, fit

__all__ = [
    "FLAGS",
    "PsfFit",
    "convolve",
    "fit",
    "matching_kernel",
    "mosaic_psf",
    "noise_factor",
]
