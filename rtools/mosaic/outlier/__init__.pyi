from .median import mask_low_weight, median_of, weight_threshold
from .outlier import (
    BITS,
    InspectedImage,
    OutlierLimits,
    Reach,
    flag_rows,
    flag_stack,
    level_of,
)

__all__ = [
    "BITS",
    "InspectedImage",
    "OutlierLimits",
    "Reach",
    "flag_rows",
    "flag_stack",
    "level_of",
    "mask_low_weight",
    "median_of",
    "weight_threshold",
]
