from .apcorr import aperture_correction, radial_correction
from .aperture import SlitAperture, background_pixels, box_weights
from .box import BoxExtraction, SlitImages, SlitSums
from .columns import FluxScale, SpectralSums, columns_of, corrected, units_of
from .combine import CombinedSpectrum, SourceSpectrum, combine, first_grid, logarithmic_grid, merged_grid
from .cube import CubeSums, Rings, extract_circles, extract_whole
from .profile import SpatialProfile, spatial_profile

__all__ = [
    "BoxExtraction",
    "CombinedSpectrum",
    "CubeSums",
    "FluxScale",
    "Rings",
    "SlitAperture",
    "SlitImages",
    "SlitSums",
    "SourceSpectrum",
    "SpatialProfile",
    "SpectralSums",
    "aperture_correction",
    "background_pixels",
    "box_weights",
    "columns_of",
    "combine",
    "corrected",
    "extract_circles",
    "extract_whole",
    "first_grid",
    "logarithmic_grid",
    "merged_grid",
    "radial_correction",
    "spatial_profile",
    "units_of",
]
