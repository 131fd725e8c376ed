from .network import median_network
from .snowballs import flag_snowballs
from .timing import Timing, resultant_timing, uniform_weights

__all__ = [
    "Timing",
    "flag_snowballs",
    "median_network",
    "resultant_timing",
    "uniform_weights",
]
