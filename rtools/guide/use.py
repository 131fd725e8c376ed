"""Which pairs count: why a pair is not used, as bits of `rtools.wfi.guide.Use`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.guide.measured import Centroids
from rtools.guide.refit import FAINTEST, RUN
from rtools.wfi.guide import DROPPED_BY_PHOTOMETRY, Use
from rtools.work.statistics import MAD_TO_SIGMA

__all__ = ["PairFlags", "count_causes", "flag_pairs", "runs_of"]

POOR = 5.0
"""χ² by degrees of freedom of a fit that is not believed."""

FAR = 6.0
"""Distance from the running median in units of the scatter about it, from which a pair is an outlier."""

FAR_BY_ERROR = 5.0
"""Likewise in units of the error of the place; both must be exceeded."""

MARGIN = 2.0
"""Pixels from the edge of the window within which a star is cut off."""


class PairFlags(NamedTuple):
    """What a file says of the n pairs of a stage.

    Attributes
    ----------
    reset_impacted, reset_read : ndarray bool (n,)
        Pairs that a reset spoiled; pairs read during a reset read.
    sce_status, resultant_err, min_bind, max_bind : ndarray bool (n, 2)
        Flags of pedestal and signal: fault of the electronics, error of the resultant, pixels bound to 0, to 65535.
    lower : ndarray (n, 2)
        First pixel of the window.
    exposure : ndarray (n,)
        Number of the exposure.
    downlinked : ndarray bool (n,)
        Whether there is a downlinked place.
    """

    reset_impacted: NDArray[np.bool_]
    reset_read: NDArray[np.bool_]
    sce_status: NDArray[np.bool_]
    resultant_err: NDArray[np.bool_]
    min_bind: NDArray[np.bool_]
    max_bind: NDArray[np.bool_]
    lower: NDArray[np.int32]
    exposure: NDArray[np.int32]
    downlinked: NDArray[np.bool_]


def flag_pairs(
    said: PairFlags,
    centroids: Centroids | None = None,
    saturated: NDArray[np.bool_] | None = None,
    shape: tuple[int, int] | None = None,
) -> NDArray[np.uint16]:
    """Why each pair is not used.

    Parameters
    ----------
    said : PairFlags
        What the file says of the pairs.
    centroids : Centroids, optional
        What was measured. Without it the flags that follow from a measurement are not set.
    saturated : ndarray bool (n,), optional
        Pairs with a saturated pixel (`Difference.saturated`).
    shape : tuple of int, optional
        Rows and columns of the window. Without it no star is near its edge.

    Returns
    -------
    ndarray uint16 (n,)
        Bits of `Use`; 0 for a pair that is used.

    Notes
    -----
    NO_FIT is a fit that failed, or a flux below 5 errors. MOVED is the first pair after the window moved. EDGE is a
    place within 2 pixels of the edge of the window. OUTLIER is a χ²/ν above 5, or a place that differs in x or y from
    the running median of 25 pairs by more than 6 sigma of the differences (1.4826 times the median of their absolute
    values, also of 25) and more than 5 errors. The median runs over the pairs that no other cause drops, within one
    exposure and one place of the window.
    """
    use = np.zeros(len(said.exposure), np.uint16)
    moved = np.zeros(len(use), bool)
    moved[1:] = np.any(np.diff(said.lower, axis=0) != 0, axis=1)
    for flag, pairs in (
        (Use.RESET_IMPACTED, said.reset_impacted),
        (Use.RESET_READ, said.reset_read),
        (Use.SCE, np.any(said.sce_status, axis=1)),
        (Use.GW_ERROR, np.any(said.resultant_err, axis=1)),
        (Use.MIN_BIND, np.any(said.min_bind, axis=1)),
        (Use.MAX_BIND, np.any(said.max_bind, axis=1)),
        (Use.NO_DOWNLINK, ~np.asarray(said.downlinked, bool)),
        (Use.MOVED, moved),
        (Use.SATURATED, saturated),
    ):
        if pairs is not None:
            use[np.asarray(pairs, bool)] |= np.uint16(flag)
    if centroids is not None:
        _flag_measured(use, said, centroids, shape)
    return use


def _flag_measured(use, said, centroids, shape):
    """Set the flags that follow from the fit."""
    with np.errstate(invalid="ignore"):
        lost = ~centroids.fitted | ~(centroids.flux >= FAINTEST * centroids.flux_err)
        poor = centroids.chi2 > POOR
    use[lost] |= np.uint16(Use.NO_FIT)
    use[~lost & poor] |= np.uint16(Use.OUTLIER)
    if shape is not None:
        places = np.stack([centroids.x, centroids.y], axis=1)
        low, high = MARGIN - 0.5, np.array([shape[1], shape[0]]) - 0.5 - MARGIN
        use[~lost & np.any((places < low) | (places > high), axis=1)] |= np.uint16(Use.EDGE)
    good = use & np.uint16(DROPPED_BY_PHOTOMETRY) == 0
    for run in runs_of(said.exposure, said.lower):
        chosen = run[good[run]]
        if len(chosen) > RUN // 2:
            far = _is_far(centroids.x[chosen], centroids.xx[chosen]) | _is_far(
                centroids.y[chosen], centroids.yy[chosen]
            )
            use[chosen[far]] |= np.uint16(Use.OUTLIER)


def runs_of(exposure: NDArray[np.int32], lower: NDArray[np.int32]) -> list[NDArray[np.int_]]:
    """Pairs in a row that are of one exposure and one place of the window.

    Parameters
    ----------
    exposure : ndarray (n,)
        Number of the exposure.
    lower : ndarray (n, 2)
        First pixel of the window.

    Returns
    -------
    list of ndarray
        Numbers of the pairs of each run, in order.
    """
    said = np.column_stack([exposure, lower])
    starts = np.flatnonzero(np.any(np.diff(said, axis=0) != 0, axis=1)) + 1
    return [run for run in np.split(np.arange(len(said)), starts) if len(run)]


def _is_far(place, variance):
    """Whether values are far from their running median, by their scatter about it and by their errors."""
    from scipy.ndimage import median_filter

    off = np.abs(place - median_filter(place, RUN, mode="reflect"))
    scatter = MAD_TO_SIGMA * median_filter(off, RUN, mode="reflect")
    return off > np.maximum(FAR * scatter, FAR_BY_ERROR * np.sqrt(variance))


def count_causes(use: NDArray[np.uint16]) -> dict[Use, int]:
    """How many pairs have each flag.

    Parameters
    ----------
    use : ndarray uint16 (n,)
        As `flag_pairs` gives it.

    Returns
    -------
    dict of Use to int
        All flags in the order of their bits. A pair with several flags is counted under each.
    """
    return {flag: int(np.count_nonzero(use & np.uint16(flag))) for flag in Use}
