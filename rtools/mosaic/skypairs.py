"""The sky of an exposure where others overlap it, one value for each of them."""

import numpy as np

from rtools.mosaic.footprint import footprint
from rtools.mosaic.skycells import good_values, pixel_finder
from rtools.mosaic.skystat import SkyStatistic, sky_value

__all__ = ["overlap", "overlap_values", "points_of"]
