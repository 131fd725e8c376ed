"""The light that makes the fringes: wavelengths across a filter, and their weights."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rtools.errors import InputError

__all__ = ["Passband", "passband_of"]

BINS = 19
"""Wavelengths of a model."""

TRIM = 0.01
"""Throughput at and below which a filter is taken to end."""


class Passband(NamedTuple):
    """Wavelengths and weights.

    Attributes
    ----------
    waves : ndarray float64
        Middles of bins of one width, m.
    weights : ndarray float64
        Photons in each; together 1.
    width : float
        Of a bin, m.
    """

    waves: np.ndarray
    weights: np.ndarray
    width: float

    @property
    def effective(self) -> float:
        """Mean wavelength of all photons, m."""
        return float(self.waves @ self.weights)

    @property
    def equivalent_width(self) -> float:
        """Width of a band that passes at all wavelengths what this one passes at best, m."""
        return float(self.weights.sum() * self.width / self.weights.max())


def passband_of(waves: ArrayLike, throughput: ArrayLike, bins: int = BINS) -> Passband:
    """Cut a throughput into bins of one width, for a source that sends as many photons at all wavelengths.

    Bins reach from the first sample above 1 % to the last but one above it, as those of the mission's pipeline do; a
    weight is the integral of the throughput over the bin, straight between samples.

    Parameters
    ----------
    waves : array_like (N,)
        Rising wavelengths of the samples, m.
    throughput : array_like (N,)
        At these.
    bins : int
        How many.

    Returns
    -------
    Passband

    Raises
    ------
    InputError
        The filter is dark.
    """
    waves, throughput = np.asarray(waves, float), np.asarray(throughput, float)
    bright = np.flatnonzero(throughput > TRIM)
    if len(bright) < 3 or not (np.diff(waves) > 0).all():
        raise InputError("the throughput has no band: rising wavelengths with three samples above 1 % expected")
    edges = np.linspace(waves[bright[0]], waves[bright[-1] - 1], bins + 1)
    points = np.union1d(waves, edges)
    passed = np.interp(points, waves, throughput)
    total = np.concatenate([[0.0], np.cumsum(np.diff(points) * (passed[1:] + passed[:-1]) / 2)])
    weights = np.diff(np.interp(edges, points, total))
    return Passband((edges[1:] + edges[:-1]) / 2, weights / weights.sum(), float(edges[1] - edges[0]))
