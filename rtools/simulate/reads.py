"""What the ramps need of a read pattern: how electrons that arrive at any time are seen by the mean of the reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["RESULTANT", "Schedule", "schedule"]

RESULTANT = np.dtype(
    [("reads", np.int64), ("nodes", np.int64)]
    + [(name, np.float64) for name in ("root", "span", "weight", "variance", "extent", "decay")]
)
"""What there is of a resultant: number of reads; nodes of the quadrature over reads; root of the number of reads; reads
from the last of the resultant before, or from the reset, to the last of this; mean and variance of the weights that
electrons of that span have in the mean of the reads; reads from its first to its last; factor of the dark decay."""


class Schedule(NamedTuple):
    """What the ramps need of a read pattern; G resultants of at most R reads.

    Attributes
    ----------
    resultants : ndarray of RESULTANT (G,)
        What there is of each.
    relative : ndarray float64 (G, R)
        Its reads minus their mean.
    numbers : ndarray int64 (G, R)
        Their numbers.
    nodes, node_weights : ndarray float64 (G, R)
        Nodes of the quadrature: places, in reads from the mean, and weights, whose sum is the number of reads.
    """

    resultants: np.ndarray
    relative: np.ndarray
    numbers: np.ndarray
    nodes: np.ndarray
    node_weights: np.ndarray


def schedule(read_pattern: Sequence[Sequence[float]], decay: ArrayLike | None = None) -> Schedule:
    """The `Schedule` of a read pattern, for electrons that arrive uniformly in time from read 0 on.

    Parameters
    ----------
    read_pattern : list of list of float
        Numbers of the reads of each resultant: times since the reset, in units of the first read's. Hits of cosmic rays
        compare with their whole part.
    decay : array_like of float (G,), optional
        Factor of the dark decay in each resultant; none by default.

    Returns
    -------
    Schedule
        What the compiled loops take.

    Notes
    -----
    Of the electrons that arrive between the last read of resultant i - 1 and the last of i, one that comes before the
    k-th of N reads (k = 1 … N) is in N + 1 - k of them: its weight in the mean is (N + 1 - k) / N, with probability
    equal to the k-th gap over the sum of gaps. `weight` and `variance` are mean and variance of that.
    """
    count, most = len(read_pattern), max(len(reads) for reads in read_pattern)
    resultants = np.zeros(count, RESULTANT)
    relative, nodes, node_weights = np.zeros((3, count, most))
    numbers = np.zeros((count, most), np.int64)
    previous = 0
    for i, (reads, found) in enumerate(zip(map(np.asarray, read_pattern), resultants, strict=True)):
        n = found["reads"] = reads.size
        found["root"] = np.sqrt(n)
        gaps = np.diff(reads, prepend=previous)
        previous = reads[-1]
        span = gaps.sum()
        weights = 1 - np.arange(n) / n
        share = gaps / span if span else np.zeros(n)
        mean = share @ weights
        found["span"], found["weight"] = span, mean
        found["variance"] = max(share @ weights**2 - mean**2, 0.0) if n > 1 else 0.0
        relative[i, :n], numbers[i, :n] = reads - reads.mean(), reads
        found["extent"] = relative[i, n - 1] - relative[i, 0]
        places, weights = _quadrature(reads)
        found["nodes"] = places.size
        nodes[i, : places.size], node_weights[i, : places.size] = places, weights
    if decay is not None:
        resultants["decay"] = decay
    return Schedule(resultants, relative, numbers, nodes, node_weights)


def _quadrature(reads):
    """Nodes (reads from the mean) and weights with which a sum over reads is taken.

    Evenly spaced reads, four or more: the three nodes 0, ±a with the second and fourth moments of the reads, exact for
    polynomials of degree 5; otherwise the reads themselves.
    """
    offset = reads - reads.mean()
    if reads.size < 4 or np.ptp(np.diff(reads)):
        return offset, np.ones(reads.size)
    second, fourth = np.mean(offset**2), np.mean(offset**4)
    outer = second**2 / (2 * fourth)
    weights = np.array([outer, 1 - 2 * outer, outer])
    return np.sqrt(fourth / second) * np.array([-1.0, 0.0, 1.0]), reads.size * weights
