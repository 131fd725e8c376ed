from .alignment import Moved, Shift, fit_shift, fit_shifts, moved_back
from .companions import companion_image, throughput_of
from .repair import repaired
from .shifting import shifted, transform_of
from .subtraction import Subtraction, annuli, subtract, usable_pixels

__all__ = [
    "Moved",
    "Shift",
    "Subtraction",
    "annuli",
    "companion_image",
    "fit_shift",
    "fit_shifts",
    "moved_back",
    "repaired",
    "shifted",
    "subtract",
    "throughput_of",
    "transform_of",
    "usable_pixels",
]
