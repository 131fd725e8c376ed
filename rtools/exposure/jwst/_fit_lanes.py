"""Work space of the straight-line fit, and the named tuples that it takes.

numba compiles these with their field names.

Quantity `X` of pixel j of a piece of a row is ``work[X + j]``, and group k of its ramp
``work[GROUPS + k * LANES + j]``; behind all groups are the differences.
"""

from typing import NamedTuple

import numpy as np

from rtools.exposure.jwst._lanes import LANES

__all__ = ["FitPlanes", "FitRamps", "OlsTerms"]

SCI, POISSON, READ, ERR = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(3)
"""Planes of what is made; of sums, what is added up for each of them."""

GAIN = np.uint64(0) * LANES
NOISE = np.uint64(1) * LANES
"""Of a group, from reading."""

DARK = np.uint64(2) * LANES
RATE = np.uint64(3) * LANES
"""Sum of the median rates of all integrations; then what photons add to the variance, per second."""

VARIANCE = np.uint64(4) * LANES
"""From reading, of the slope of an integration without flags."""

EXPONENT = np.uint64(5) * LANES
SLOPE = np.uint64(6) * LANES
STRANGE = np.uint64(7) * LANES
"""Not 0 where a difference is not a number."""

DEAD = np.uint64(8) * LANES
"""1 where a pixel is not to be used."""

OTHER = np.uint64(9) * LANES
"""The variance from reading that counts where it is not negative."""

CLEAN_SUMS = np.uint64(10) * LANES
"""Sums of an integration without flags whose slope is zero, four; then its planes."""

CLEAN_PLANES = np.uint64(14) * LANES
ALL_SUMS = np.uint64(18) * LANES
"""Sums of all integrations, four."""

GROUPS = np.uint64(22) * LANES
"""Where the ramp begins."""


class FitRamps(NamedTuple):
    """A block as the compiled fit takes it.

    Attributes
    ----------
    data : ndarray float32 (integrations, groups, rows, columns)
        Groups in DN.
    flags : ndarray uint8, of the same shape
        Their flags.
    pixel_flags : ndarray uint32 (rows, columns)
        PIXELDQ.
    zero : ndarray float32 (integrations, rows, columns)
        First frames, or an empty array.
    """

    data: np.ndarray
    flags: np.ndarray
    pixel_flags: np.ndarray
    zero: np.ndarray


class OlsTerms(NamedTuple):
    """How ramps are fitted.

    Attributes
    ----------
    times : ndarray float64 (3,)
        Of a group; of the first group where it is alone; of a frame. Seconds.
    suppress : bool
        Suppress ramps of one group.
    network : ndarray int64 (k, 2)
        Comparators that put the median of the differences into its place; none for ramps that are too long for that.
    """

    times: np.ndarray
    suppress: bool
    network: np.ndarray


class FitPlanes(NamedTuple):
    """What is made: slope (DN/s), its variances from photons and from reading, its error.

    Attributes
    ----------
    each : ndarray float32 (4, integrations, rows, columns)
        Of every integration.
    whole : ndarray float32 (4, rows, columns)
        Of all of them.
    each_dq : ndarray uint32 (integrations, rows, columns)
        Flags of every integration.
    whole_dq : ndarray uint32 (rows, columns)
        Flags of all of them.
    """

    each: np.ndarray
    whole: np.ndarray
    each_dq: np.ndarray
    whole_dq: np.ndarray
