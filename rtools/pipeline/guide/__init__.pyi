from .apply import ExposureKernel, KernelsOfFiles
from .jitter import ExposureJitter, jitter_of, jitter_table
from .links import find_guide_file, guide_files_in
from .measure import Measured, measure_pairs, measure_stage
from .request import GuideRequest

__all__ = [
    "ExposureJitter",
    "ExposureKernel",
    "GuideRequest",
    "KernelsOfFiles",
    "Measured",
    "find_guide_file",
    "guide_files_in",
    "jitter_of",
    "jitter_table",
    "measure_pairs",
    "measure_stage",
]
