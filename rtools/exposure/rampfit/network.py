"""A sorting network for medians: comparisons that do not depend on the numbers, so that many rows sort side by side."""

from collections.abc import Collection

import numpy as np

__all__ = ["median_network", "middle_of", "rank_network"]


def middle_of(n: int) -> tuple[int, int]:
    """Ranks whose mean is the median of n numbers."""
    return (n - 1) // 2, n // 2


def median_network(n: int) -> np.ndarray:
    """Comparators after which the middle of n numbers is in its sorted place, as `rank_network` gives them.

    Parameters
    ----------
    n : int
        How many numbers, at least 1.

    Returns
    -------
    ndarray int64 (k, 2)
        Pairs of places.
    """
    return rank_network(n, middle_of(n))


def rank_network(n: int, ranks: Collection[int]) -> np.ndarray:
    """Comparators after which numbers of some ranks are in their sorted places.

    Batcher's merge exchange (Knuth, The Art of Computer Programming 3, algorithm 5.2.2M) without the comparators that
    these do not depend on.

    Parameters
    ----------
    n : int
        How many numbers, at least 1.
    ranks : collection of int
        From 0, that of the smallest.

    Returns
    -------
    ndarray int64 (k, 2)
        Pairs of places, in order; after each comparison the smaller number is in the first place.
    """
    pairs = []
    top = p = 1 << max(n - 1, 1).bit_length() - 1
    while p > 0:
        q, r, d = top, 0, p
        while True:
            pairs += [(i, i + d) for i in range(n - d) if i & p == r]
            if q == p:
                break
            d, q, r = q - p, q // 2, p
        p //= 2
    needed = set(ranks)
    kept = []
    for pair in reversed(pairs):
        if needed.intersection(pair):
            needed.update(pair)
            kept.append(pair)
    return np.array(kept[::-1], dtype=np.int64).reshape(-1, 2)
