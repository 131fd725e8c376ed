from .apcorr import aperture_correction
from .aperture import SlitAperture, background_pixels, box_weights
from .box import BoxExtraction, SlitImages, SlitSums
from .columns import FluxScale, SpectralSums, columns_of, corrected, units_of
from .cube import CubeSums, Rings, extract_circles, extract_whole

__all__ = [
    "BoxExtraction",
    "CubeSums",
    "FluxScale",
    "Rings",
    "SlitAperture",
    "SlitImages",
    "SlitSums",
    "SpectralSums",
    "aperture_correction",
    "background_pixels",
    "box_weights",
    "columns_of",
    "corrected",
    "extract_circles",
    "extract_whole",
    "units_of",
]
