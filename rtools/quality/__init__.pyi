from .alignment import CorrectionField, StarOffsets, correction_field, star_offsets, undo_correction
from .image import BandOfRows, ImageQuality, measure_image
from .limits import METRICS, Metric, Verdict, judge, odd_ones
from .mosaic import MosaicQuality, measure_mosaic
from .sources import SourceQuality, magnitudes, measure_sources

__all__ = [
    "METRICS",
    "BandOfRows",
    "CorrectionField",
    "ImageQuality",
    "Metric",
    "MosaicQuality",
    "SourceQuality",
    "StarOffsets",
    "Verdict",
    "correction_field",
    "judge",
    "magnitudes",
    "measure_image",
    "measure_mosaic",
    "measure_sources",
    "odd_ones",
    "star_offsets",
    "undo_correction",
]
