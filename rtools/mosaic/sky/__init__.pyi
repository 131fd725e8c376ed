from .cells import SkyCells, good_values, sky_cells, source_blocks
from .pairs import overlap_values, points_of
from .sky import background, check_background, match_cells, match_pairs, sky_levels
from .statistics import SkyStatistic, sky_value

__all__ = [
    "SkyCells",
    "SkyStatistic",
    "background",
    "check_background",
    "good_values",
    "match_cells",
    "match_pairs",
    "overlap_values",
    "points_of",
    "sky_cells",
    "sky_levels",
    "sky_value",
    "source_blocks",
]
