"""Which rows of two lists of positions are the same sources."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtools.astrometry.refcat import Places
from rtools.errors import InputError
from rtools.wfi.sphere import separation, to_plane, unit_vectors
from rtools.wfi.sphere_pairs import mutual_pairs
from rtools.wfi.units import ARCSEC, DEGREE_ARCSEC

__all__ = ["MatchedPairs", "match_positions"]

MOST = 50_000_000
"""Pairs that are kept at most."""


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
        ``best``: those that are nearest to each other both ways; ``nearest``: for each row of the first list that of
        the second; ``all`` within the radius.
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
    limit = radius * (1 + 1e-9)  # the last word has the separation
    if find == "best":
        first, second, _apart = mutual_pairs(one.ra, one.dec, two.ra, two.dec, radius=limit)
    else:
        first, second = _near(one, two, limit, every=find == "all")
    found = _pairs(one, two, first, second)
    chosen = found.separation <= radius
    if sigmas is not None:
        chosen &= ~(found.sigma > sigmas)
    return MatchedPairs(*(each[chosen] for each in found))


def _near(one, two, radius, *, every):
    """Rows of the first list, and the nearest row of the second within the radius, or every one."""
    from scipy.spatial import cKDTree

    rows = [np.flatnonzero(np.isfinite(each.ra) & np.isfinite(each.dec)) for each in (one, two)]
    if not all(each.size for each in rows):
        return np.zeros(0, int), np.zeros(0, int)
    tree, other = (
        cKDTree(unit_vectors(each.ra[own], each.dec[own])) for each, own in zip((one, two), rows, strict=True)
    )
    chord = 2 * np.sin(min(radius * ARCSEC, np.pi) / 2)
    if every:
        first, second = _all_pairs(tree, other, chord)
    else:
        distance, nearest = other.query(tree.data, distance_upper_bound=chord)
        first = np.flatnonzero(np.isfinite(distance))
        second = nearest[first]
    return rows[0][first], rows[1][second]


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
