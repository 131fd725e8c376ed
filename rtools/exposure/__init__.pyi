from .arrays import fit_arrays
from .frame import Exposure, Strip, View

__all__ = [
    "Exposure",
    "Strip",
    "View",
    "fit_arrays",
]
