from .request import FAULTS, AcquisitionRequest, MotionTable, parse_dithers, parse_numbers
from .run import GuideOutput, guide_outputs, simulate_windows

__all__ = [
    "FAULTS",
    "AcquisitionRequest",
    "GuideOutput",
    "MotionTable",
    "guide_outputs",
    "parse_dithers",
    "parse_numbers",
    "simulate_windows",
]
