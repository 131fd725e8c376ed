"""Times of resultants, and what ramp fitting derives from them alone.

A resultant is the mean of several reads of an accumulating pixel. The quantities here depend on the read pattern and
the frame time only; they follow Casertano et al. (2022, Roman-STScI-000394) and Brandt (2024, PASP 136, 045004).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rtools.errors import InputError

__all__ = ["Timing", "resultant_timing", "uniform_weights"]


class Timing(NamedTuple):
    """Times per resultant and covariance terms per difference of neighbouring resultants.

    With G resultants and n = G - 1 differences d_i = (R_{i+1} - R_i) / interval_i, the covariance of the d_i for a
    rate f [DN/s], gain g [e/DN] and read noise s [DN per read] is tridiagonal,
    ``diagonal_i = (f/g) poisson_diagonal_i + s^2 read_diagonal_i``, likewise between d_i and d_{i+1}.

    Attributes
    ----------
    reads : ndarray float64 (G,)
        Number of reads averaged, N_i.
    mean : ndarray float64 (G,)
        Mean time of the reads, in s.
    tau : ndarray float64 (G,)
        Time that carries the Poisson variance of a resultant, in s: Var(R_i) = (f/g) tau_i.
    interval : ndarray float64 (n,)
        Difference of mean times, in s.
    poisson_diagonal, read_diagonal : ndarray float64 (n,)
        In 1/s and 1/s^2.
    poisson_coupling, read_coupling : ndarray float64 (n,)
        Between difference i and i + 1; the last element is zero.
    """

    reads: np.ndarray
    mean: np.ndarray
    tau: np.ndarray
    interval: np.ndarray
    poisson_diagonal: np.ndarray
    poisson_coupling: np.ndarray
    read_diagonal: np.ndarray
    read_coupling: np.ndarray


def resultant_timing(read_pattern: Sequence[Sequence[int]], frame_time: float) -> Timing:
    """Compute the `Timing` of a read pattern.

    Parameters
    ----------
    read_pattern : sequence of sequence of int
        1-based read numbers of each resultant.
    frame_time : float
        Time per read, in s.

    Returns
    -------
    Timing
        Of the G resultants and their G - 1 differences.

    Raises
    ------
    InputError
        The pattern is empty, or its mean times do not increase.

    Notes
    -----
    With t_k the time of read k of N in resultant i, ``tau = sum_k (2N + 1 - 2k) t_k / N^2``: reads share the electrons
    that arrived before the earlier of two, so Var = (1/N^2) sum_{jk} min(t_j, t_k).
    """
    times = [float(frame_time) * np.asarray(reads, dtype=np.float64) for reads in read_pattern]
    if not times or any(t.size == 0 for t in times):
        raise InputError("the read pattern is empty or has an empty resultant")
    reads = np.array([t.size for t in times], dtype=np.float64)
    mean = np.array([t.mean() for t in times])
    tau = np.array([np.sum((2 * t.size + 1 - 2 * np.arange(1, t.size + 1)) * t) / t.size**2 for t in times])
    interval = np.diff(mean)
    if not np.all(interval > 0):
        raise InputError("the read pattern does not increase in time")
    poisson_coupling = np.zeros(interval.size)
    read_coupling = np.zeros(interval.size)
    product = interval[:-1] * interval[1:]
    poisson_coupling[:-1] = (mean[1:-1] - tau[1:-1]) / product
    read_coupling[:-1] = -1 / (reads[1:-1] * product)
    return Timing(
        reads=reads,
        mean=mean,
        tau=tau,
        interval=interval,
        poisson_diagonal=(tau[:-1] + tau[1:] - 2 * mean[:-1]) / interval**2,
        poisson_coupling=poisson_coupling,
        read_diagonal=(1 / reads[:-1] + 1 / reads[1:]) / interval**2,
        read_coupling=read_coupling,
    )


def uniform_weights(timing: Timing) -> np.ndarray:
    """Weights of the resultants in a slope that gives every read the same weight.

    ``w_i = N_i (N t_i - N_t) / (N N_tt - N_t^2)`` with N, N_t, N_tt the sums of N_i, N_i t_i and N_i t_i^2: an ordinary
    least-squares line through all reads, optimal where read noise dominates.

    Parameters
    ----------
    timing : Timing
        Its `reads` and `mean` are used.

    Returns
    -------
    ndarray float64 (G,)
        In 1/s; the slope is the sum of weights times resultants.
    """
    total = timing.reads.sum()
    first = np.sum(timing.reads * timing.mean)
    second = np.sum(timing.reads * timing.mean**2)
    return timing.reads * (total * timing.mean - first) / (total * second - first**2)
