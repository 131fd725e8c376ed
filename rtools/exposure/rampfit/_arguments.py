"""Named tuples that the compiled fits take. numba compiles them with their field names."""

from typing import NamedTuple

import numpy as np

from rtools.exposure.rampfit.timing import Timing

__all__ = ["Block", "FitImage", "FitTerms", "JumpLimits", "Ramp"]

NO_FLAGS = np.empty((0, 0, 0), np.uint8)
NO_PLANE = np.empty((0, 0), np.float32)


class Ramp(NamedTuple):
    """Arrays of one strip with G resultants, C-contiguous; the references are cut to the strip.

    Attributes
    ----------
    data : ndarray float32 (G, rows, columns)
        Resultants, in DN.
    groupdq : ndarray uint8 (G, rows, columns)
        Flags of each resultant.
    pixeldq : ndarray uint32 (rows, columns)
        Flags of each pixel.
    gain : ndarray float32 (rows, columns)
        Electrons per DN.
    readnoise : ndarray float32 (rows, columns)
        Standard deviation of a single read, in DN.
    known : ndarray uint8 (G, rows, columns), or empty
        Flags of resultants of which JUMP_DET leaves out the difference in front, from the beginning.
    dark : ndarray float32 (rows, columns), or empty
        Dark current in DN/s that has been subtracted, and whose photons add to the covariance.
    """

    data: np.ndarray
    groupdq: np.ndarray
    pixeldq: np.ndarray
    gain: np.ndarray
    readnoise: np.ndarray
    known: np.ndarray = NO_FLAGS
    dark: np.ndarray = NO_PLANE


class FitImage(NamedTuple):
    """Where the results of a strip go; only pixels inside the border of reference pixels have one.

    Attributes
    ----------
    planes : ndarray float32 (6, rows - 8, science columns)
        Rate, its error, its variances by photons and by read noise, chi-square, and uniform-weight slope minus rate.
    dq : ndarray uint32 (rows - 8, science columns)
        Flags of each pixel.
    first, last : int
        First and last + 1 column of the strip that is inside the border.
    """

    planes: np.ndarray
    dq: np.ndarray
    first: int
    last: int


class JumpLimits(NamedTuple):
    """Limits of the search for jumps: T_1 and T_2 of docs/algorithms/jumps.md.

    Attributes
    ----------
    one, two : float
        Drop of chi-square from which on one difference, or two neighbours, are taken for a jump.
    usable : int
        Usable differences with which a search begins.
    """

    one: float
    two: float
    usable: int


class FitTerms(NamedTuple):
    """What the likelihood fit needs, and what is the same for all pixels of an exposure.

    Attributes
    ----------
    timing : rtools.exposure.rampfit.timing.Timing
        Times of the resultants, and covariance terms of their differences.
    weights : ndarray float64 (G,)
        Weights of the resultants in the uniform-weight slope, in 1/s.
    limits : JumpLimits
        When a difference is taken for a jump.
    network : ndarray int64 (k, 2)
        Comparators that bring the middle of the differences to its place (`rtools.exposure.rampfit.network`).
    """

    timing: Timing
    weights: np.ndarray
    limits: JumpLimits
    network: np.ndarray


class Block(NamedTuple):
    """Row and first column of the pixels that are fitted together, as unsigned integers."""

    row: np.uint64
    start: np.uint64
