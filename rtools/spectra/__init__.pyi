from .apcorr import aperture_correction
from .aperture import Aperture, background_pixels, box_weights
from .box import BoxExtraction, Planes, SlitSums
from .columns import FluxScale, Measured, columns_of, corrected, units_of
from .cube import CubeSums, Rings, extract_circles, extract_whole

__all__ = [
    "Aperture",
    "BoxExtraction",
    "CubeSums",
    "FluxScale",
    "Measured",
    "Planes",
    "Rings",
    "SlitSums",
    "aperture_correction",
    "background_pixels",
    "box_weights",
    "columns_of",
    "corrected",
    "extract_circles",
    "extract_whole",
    "units_of",
]
