"""How long a mosaic was exposed, from the members that its context names in each pixel."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["Coverage", "coverage_of", "total_coverage"]


class Coverage(NamedTuple):
    """Exposure of some pixels.

    Attributes
    ----------
    most : float
        s, of the pixel exposed longest.
    total : float
        s, summed over pixels.
    pixels : int
        That were exposed at all.
    """

    most: float
    total: float
    pixels: int


def coverage_of(context: np.ndarray, times: Sequence[float]) -> Coverage:
    """Exposure of some rows of a mosaic.

    Parameters
    ----------
    context : ndarray uint32 (planes, rows, columns)
        Bit m % 32 of plane m // 32 is set where member m took part.
    times : sequence of float
        effective_exposure_time of each member, in order, s.

    Returns
    -------
    Coverage
    """
    from rtools.mosaic.drizzle._coverage_kernels import sum_times

    known = np.zeros(32 * len(context))
    known[: len(times)] = times
    return Coverage(*sum_times(np.ascontiguousarray(context, np.uint32), known))


def total_coverage(parts: Iterable[Coverage]) -> dict[str, float]:
    """What the metadata say of the whole, from its parts, which stand in order of their rows.

    Parameters
    ----------
    parts : iterable of Coverage
        One for each range of rows.

    Returns
    -------
    dict of str to float
        max_exposure_time, and exposure_time: the mean over exposed pixels, 0 without any.
    """
    parts = list(parts)
    pixels = sum(part.pixels for part in parts)
    mean = sum(part.total for part in parts) / pixels if pixels else 0.0
    return {"exposure_time": float(mean), "max_exposure_time": float(max((part.most for part in parts), default=0.0))}
