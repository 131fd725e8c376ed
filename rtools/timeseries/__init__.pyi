from .outliers import find_outliers
from .white_light import SeriesOfSpectra, WhiteLight, bins_of, white_light

__all__ = ["SeriesOfSpectra", "WhiteLight", "bins_of", "find_outliers", "white_light"]
