"""Which rows of two lists of positions are the same sources, and how the lists lie against each other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtools.astrometry.refcat import Places
from rtools.errors import InputError
from rtools.wfi.sphere import positions_of, separation, to_plane, unit_vectors
from rtools.wfi.units import ARCSEC, DEGREE_ARCSEC, RADIAN_ARCSEC
from rtools.work.statistics import MAD_TO_SIGMA

__all__ = ["FINDS", "MatchedPairs", "Residuals", "match_positions", "residuals"]

FINDS = ("best", "nearest", "all")
"""Which pairs: those that are nearest to each other both ways; for each row of the first list that of the second;
all within the radius."""

MOST = 50_000_000
"""Pairs that are kept at most."""

PASSES, CLIP = 3, 3.0
"""Passes of the fit of a rotation, and how many scatters from it a pair may lie."""


class MatchedPairs(NamedTuple):
    """Rows of two lists that go together.

    Attributes
    ----------
    first, second : ndarray of int (n,)
        Rows of either list, in the order of the first.
    separation : ndarray float64 (n,)
        Arcsec; NaN where pairs are made by a key.
    east, north : ndarray float64 (n,)
        Offset of the second from the first, arcsec in the tangent plane at the first.
    sigma : ndarray float64 (n,)
        The offset in units of its error; NaN where an error is not known.
    """

    first: np.ndarray
    second: np.ndarray
    separation: np.ndarray
    east: np.ndarray
    north: np.ndarray
    sigma: np.ndarray


class Residuals(NamedTuple):
    """How a list of positions lies against another one.

    Attributes
    ----------
    pairs : int
        Of which that is said.
    east, north : float
        Median offset, mas.
    east_scatter, north_scatter : float
        Scatter about it, mas: 1.4826 times the median absolute deviation.
    rotation : float
        Of the second list against the first, arcsec from north to east, about the middle of the pairs; NaN of fewer
        than three.
    scale : float
        By which the second list is larger, less 1.
    rotation_error, scale_error : float
        Their errors, from the rms.
    rms : float
        Of what the shift, rotation and scale leave, in either axis, mas, without the pairs that were clipped.
    """

    pairs: int
    east: float
    north: float
    east_scatter: float
    north_scatter: float
    rotation: float
    scale: float
    rotation_error: float
    scale_error: float
    rms: float


def match_positions(
    one: Places, two: Places, radius: float, *, find: str = "best", sigmas: float | None = None
) -> MatchedPairs:
    """Pairs of rows that lie close together on the sky.

    Parameters
    ----------
    one, two : Places
        The lists.
    radius : float
        Largest separation, arcsec.
    find : str
        One of `FINDS`.
    sigmas : float, optional
        Largest separation in units of its error; pairs whose errors are not known pass.

    Returns
    -------
    MatchedPairs
        Of ``best`` each row is in one pair at most.

    Raises
    ------
    InputError
        There are more than `MOST` pairs.
    """
    from scipy.spatial import cKDTree

    rows_one, rows_two = (np.flatnonzero(np.isfinite(each.ra) & np.isfinite(each.dec)) for each in (one, two))
    if not (rows_one.size and rows_two.size):
        return _pairs(one, two, np.zeros(0, int), np.zeros(0, int))
    trees = [cKDTree(unit_vectors(each.ra[rows], each.dec[rows])) for each, rows in ((one, rows_one), (two, rows_two))]
    chord = 2 * np.sin(min(radius * ARCSEC, np.pi) / 2) * (1 + 1e-9)  # the last word has the separation
    if find == "all":
        first, second = _all_pairs(trees[0], trees[1], chord)
    else:
        first, second = _nearest(trees[0], trees[1], chord)
        if find == "best":
            back_second, back_first = _nearest(trees[1], trees[0], chord)
            nearest_of = np.full(rows_two.size, -1)
            nearest_of[back_second] = back_first
            mutual = nearest_of[second] == first
            first, second = first[mutual], second[mutual]
    found = _pairs(one, two, rows_one[first], rows_two[second])
    chosen = found.separation <= radius
    if sigmas is not None:
        chosen &= ~(found.sigma > sigmas)
    return MatchedPairs(*(each[chosen] for each in found))


def _nearest(tree, other, chord):
    """Rows of a tree, and the nearest of another one."""
    distance, nearest = other.query(tree.data, distance_upper_bound=chord)
    rows = np.flatnonzero(np.isfinite(distance))
    return rows, nearest[rows]


def _all_pairs(tree, other, chord):
    count = tree.count_neighbors(other, chord)
    if count > MOST:
        raise InputError(f"{count} pairs lie within the radius", mend=f"make it smaller: at most {MOST} are taken")
    found = tree.sparse_distance_matrix(other, chord, output_type="ndarray")
    order = np.lexsort((found["v"], found["i"]))
    return found["i"][order], found["j"][order]


def _pairs(one, two, first, second):
    """The pairs of rows, with their offsets."""
    apart = separation(one.ra[first], one.dec[first], two.ra[second], two.dec[second]) * DEGREE_ARCSEC
    start, end = (one.ra[first], one.dec[first]), (two.ra[second], two.dec[second])
    east, north = to_plane(*end, start, unit=ARCSEC)
    with np.errstate(all="ignore"):
        along = [
            np.hypot(getattr(one, name)[first], getattr(two, name)[second]) / 1000 for name in ("ra_error", "dec_error")
        ]
        sigma = np.hypot(east / along[0], north / along[1])
    return MatchedPairs(first, second, apart, east, north, np.where(np.isfinite(sigma), sigma, np.nan))


def residuals(one: Places, pairs: MatchedPairs) -> Residuals | None:
    """Offset, scatter, rotation and scale of the second list against the first.

    Parameters
    ----------
    one : Places
        The first list.
    pairs : MatchedPairs
        With positions.

    Returns
    -------
    Residuals or None
        None without pairs.
    """
    known = np.isfinite(pairs.east) & np.isfinite(pairs.north)
    turned: tuple[float, ...] = (np.nan,) * 5
    if not known.any():
        return None
    east, north = pairs.east[known], pairs.north[known]
    middle = float(np.median(east)), float(np.median(north))
    apart = np.abs(east - middle[0]), np.abs(north - middle[1])
    scatter = [MAD_TO_SIGMA * float(np.median(each)) for each in apart]
    if len(east) > 2:
        ra, dec = one.ra[pairs.first[known]], one.dec[pairs.first[known]]
        centre = positions_of(unit_vectors(ra, dec).mean(axis=0))
        x, y = to_plane(ra, dec, centre, unit=ARCSEC)
        turned = _turned(x, y, east, north)
    return Residuals(len(east), *(1000 * each for each in (*middle, *scatter)), *turned)


def _turned(x, y, east, north):
    """Rotation (arcsec), scale less 1, their errors, and the rms (mas), of the similarity that fits offsets best.

    Of small angles: east = a + s x + r y, north = b + s y - r x, with r from north to east.
    """
    used = np.ones(len(x), bool)
    nothing, one = np.zeros(len(x)), np.ones(len(x))
    design = np.stack([np.stack([one, nothing, x, y], axis=1), np.stack([nothing, one, y, -x], axis=1)])
    for _pass in range(PASSES):
        rows = np.concatenate([design[0][used], design[1][used]])
        found = np.linalg.lstsq(rows, np.concatenate([east[used], north[used]]), rcond=None)[0]
        left = np.stack([east - design[0] @ found, north - design[1] @ found])
        size = MAD_TO_SIGMA * np.median(np.abs(left[:, used]), axis=1).max()
        kept = np.all(np.abs(left) <= CLIP * max(size, 1e-9), axis=0)
        if kept.sum() < 3 or np.array_equal(kept, used):
            break
        used = kept
    rms = float(np.sqrt(np.mean(left[:, used] ** 2)))
    rows = np.concatenate([design[0][used], design[1][used]])
    errors = rms * np.sqrt(np.diag(np.linalg.pinv(rows.T @ rows)))
    return (
        float(found[3]) * RADIAN_ARCSEC,
        float(found[2]),
        float(errors[3]) * RADIAN_ARCSEC,
        float(errors[2]),
        1000 * rms,
    )
