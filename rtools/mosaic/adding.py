"""A finished mosaic that new exposures join: its sums, its sky, what it says of their outliers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rtools.mosaic.drizzle.variance import Totals, clear, recover_sums
from rtools.mosaic.outlier.median import weight_threshold
from rtools.mosaic.sky.cells import SkyCells, sky_cells
from rtools.wfi.units import DEGREE_ARCSEC

__all__ = ["joined_cells", "put_back", "seen_well", "strips"]

STRIP = 2048
"""Rows of a mosaic whose sky is reduced at a time; the result depends on it a little, and on nothing else."""

CELL = 20 / DEGREE_ARCSEC
"""Degrees that no cell of the sky is wider than: strips overlap by it, so that each cell is whole in one of them."""


def put_back(
    totals: Totals, planes: Mapping[str, np.ndarray], ratio: float, times: Sequence[float] | None = None
) -> None:
    """Fill totals with what a finished mosaic holds.

    Its data and weights are the weighted mean and the sum of the weights themselves, to the bit. Of var = Σ V share² /
    (Σ share)² / ratio² there are two unknown sums. With ivm and ivm-sky weights the share is 1 / V of the read noise,
    so that for the read noise the first sum is the second, Σ share = 1 / (var_rnoise ratio²); with exptime weights
    Σ share is the exposure time of the members that the context names. Every other variance has the same shares, where
    all members had that variance; so Σ V share² = var (Σ share)² ratio². These sums have the precision of float32.

    Parameters
    ----------
    totals : rtools.mosaic.drizzle.variance.Totals
        Without a member, of the same pixels; its context may have more planes.
    planes : mapping of str to ndarray
        data, weight, context, the variances that the totals name, and dq if they have it.
    ratio : float
        Output pixel scale over input pixel scale.
    times : sequence of float, optional
        Exposure time of each member, where weights are exposure times.
    """
    found = recover_sums(planes, totals.names, ratio, times if totals.names else ())
    shared = min(len(found.context), len(totals.context))
    totals.context[:shared] = found.context[:shared]
    for name in ("data", "weight", "sums", "share", "missing", "dq"):
        part = getattr(found, name)
        if name != "missing" or part.any():
            getattr(totals, name)[...] = part
    poisoned = ~np.isfinite(totals.data)
    if poisoned.any():  # by a NaN that had a weight: what was seen there is lost
        clear(totals, poisoned)


def seen_well(parts: Iterable[tuple[np.ndarray, np.ndarray]], maskpt: float) -> float:
    """Weight from which on a pixel of a mosaic is good enough to judge others by.

    Parameters
    ----------
    parts : iterable of (weight, context)
        Of some rows each.
    maskpt : float
        Share of the weight that one member usually has.

    Returns
    -------
    float
        NaN for a mosaic without weights.
    """

    def of_one(weight, context):
        return weight / np.maximum(np.bitwise_count(context).sum(axis=0), 1)

    return weight_threshold((of_one(*part) for part in parts), maskpt)


def strips(height: int, scale: float) -> list[slice]:
    """Slices of rows of a mosaic, in which its sky is reduced.

    Parameters
    ----------
    height : int
        Rows of the mosaic.
    scale : float
        Degrees a pixel.

    Returns
    -------
    list of slice
        Rows of each strip, in order; neighbours overlap by `CELL`.
    """
    margin = int(np.ceil(CELL / scale))
    size = max(STRIP, 2 * margin)
    return [slice(first, min(first + size, height)) for first in range(0, max(height - margin, 1), size - margin)]


def joined_cells(
    parts: Iterable[tuple[int, np.ndarray, np.ndarray]], to_sky: Callable[..., Any], **settings: Any
) -> SkyCells:
    """The sky of a mosaic, reduced strip by strip.

    Parameters
    ----------
    parts : iterable of (int, ndarray, ndarray)
        First row, data and good pixels of each of the `strips`.
    to_sky : callable
        Of the whole mosaic: x, y in pixels to right ascension and declination in degrees.
    **settings
        Of `rtools.mosaic.sky.cells.sky_cells`.

    Returns
    -------
    rtools.mosaic.sky.cells.SkyCells
        A cell in several strips is that of the strip in which it has most pixels.
    """
    found = [sky_cells(data, good, lambda x, y, first=first: to_sky(x, y + first), **settings)
             for first, data, good in parts]  # fmt: skip
    columns = [np.concatenate(each) for each in zip(*(cells[:4] for cells in found), strict=True)]
    order = np.lexsort((-columns[3], columns[0]))
    _, first = np.unique(columns[0][order], return_index=True)
    return SkyCells._make([*(column[order[first]] for column in columns), np.nan])
