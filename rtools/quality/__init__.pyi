from .alignment import CorrectionField, StarOffsets, correction_field, star_offsets, undo_correction
from .differences import (
    BEYOND,
    ColumnDifference,
    DifferenceStatistics,
    column_difference,
    differences_by_flag,
    differences_by_region,
    measure_difference,
    within_one_step,
)
from .image import BandOfRows, ImageQuality, measure_image
from .limits import METRICS, Verdict, judge, odd_ones
from .metric import Metric
from .mosaic import MosaicQuality, measure_mosaic
from .series import CurveQuality, measure_curve
from .sources import SourceQuality, magnitudes, measure_sources

__all__ = [
    "BEYOND",
    "METRICS",
    "BandOfRows",
    "ColumnDifference",
    "CorrectionField",
    "CurveQuality",
    "DifferenceStatistics",
    "ImageQuality",
    "Metric",
    "MosaicQuality",
    "SourceQuality",
    "StarOffsets",
    "Verdict",
    "column_difference",
    "correction_field",
    "differences_by_flag",
    "differences_by_region",
    "judge",
    "magnitudes",
    "measure_curve",
    "measure_difference",
    "measure_image",
    "measure_mosaic",
    "measure_sources",
    "odd_ones",
    "star_offsets",
    "undo_correction",
    "within_one_step",
]
