"""Variances of slopes, and what becomes of sums over segments or integrations; without decisions, for many pixels."""

import math

import numpy as np

from rtools.compiled import njit

LARGEST = 1e6
"""A variance of this size or more is that of nothing."""


@njit(nogil=True, cache=True, error_model="numpy")
def inverse(total):
    """1 over a sum; 0 of an empty one."""
    return 1.0 / total if total > 0 else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def variances_of(n, gain, noise, photons, time):
    """Variances of the slope of a segment of n groups `time` apart, from reading and from photons (DN/s over gain)."""
    n = max(n, 2)
    return 12.0 * (noise / time) ** 2 / ((n**3 - n) * gain * gain), photons / (time * (n - 1))


@njit(nogil=True, cache=True, error_model="numpy")
def planes_of(sums, variance, dead, is_one):
    """Slope, variances from photons and from reading, and error, of sums over segments or integrations.

    Parameters
    ----------
    sums : (float, float, float, float)
        Slopes and 1 over variances from photons, from reading and from both.
    variance : float
        From reading; counts where it is not negative.
    dead : bool
        There is to be nothing.
    is_one : bool
        The sums are those of one integration, whose error is that of its segments.
    """
    slopes, by_photons, by_reading, by_both = sums
    void = dead | (not by_reading > 0)
    read, photons = 1.0 / by_reading, inverse(by_photons)
    slope = slopes * read
    error, told = math.sqrt(1.0 / by_both), variance >= 0.0
    read = variance if told else read
    read = read if read < LARGEST else 0.0
    photons = photons if photons < LARGEST else 0.0
    error = error if is_one & (not told) else math.sqrt(photons + read)
    return np.nan if void else slope, 0.0 if void else photons, 0.0 if void else read, 0.0 if void else error
