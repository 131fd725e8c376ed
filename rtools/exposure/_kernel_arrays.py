"""Named tuples of arrays that the kernels of several steps take; numba compiles them with their field names."""

from typing import NamedTuple

import numpy as np

__all__ = ["RampArrays"]


class RampArrays(NamedTuple):
    """Arrays of one ramp strip with G resultants, C-contiguous.

    Attributes
    ----------
    data : ndarray float32 (G, rows, columns)
        Signal, in DN.
    groupdq : ndarray uint8 (G, rows, columns)
        Flags of each resultant in each pixel.
    pixeldq : ndarray uint32 (rows, columns)
        Flags of each pixel.
    """

    data: np.ndarray
    groupdq: np.ndarray
    pixeldq: np.ndarray
