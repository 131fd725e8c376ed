from .centroids import GaussianFits, box_about, centre_of_mass, fit_gaussians
from .outliers import find_outliers
from .photometry import SeriesLight, TargetApertures, filled_sums, light_of_all, light_of_series
from .white_light import SeriesOfSpectra, WhiteLight, bins_of, white_light

__all__ = [
    "GaussianFits",
    "SeriesLight",
    "SeriesOfSpectra",
    "TargetApertures",
    "WhiteLight",
    "bins_of",
    "box_about",
    "centre_of_mass",
    "filled_sums",
    "find_outliers",
    "fit_gaussians",
    "light_of_all",
    "light_of_series",
    "white_light",
]
