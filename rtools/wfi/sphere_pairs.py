"""Positions on the sky that belong together: each the other's nearest neighbour."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.wfi.sphere import unit_vectors
from rtools.wfi.units import RADIAN_ARCSEC

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["SkyPairs", "mutual_pairs"]


class SkyPairs(NamedTuple):
    """Pairs of positions.

    Attributes
    ----------
    first, second : ndarray int (pairs,)
        Rows of both lists that belong together, in the order of the first.
    separation : ndarray float64 (pairs,)
        Arcsec between the two.
    """

    first: np.ndarray
    second: np.ndarray
    separation: np.ndarray


def mutual_pairs(
    ra: ArrayLike, dec: ArrayLike, other_ra: ArrayLike, other_dec: ArrayLike, *, radius: float
) -> SkyPairs:
    """Pair positions of two lists of which each is the nearest one of the other.

    Parameters
    ----------
    ra, dec : array_like (n,)
        Positions of the first list, degrees, ICRS. One that is not finite has no partner.
    other_ra, other_dec : array_like (m,)
        Those of the second.
    radius : float
        Arcsec between the two of a pair at most.

    Returns
    -------
    SkyPairs
        A row of either list is in one pair at most.
    """
    from scipy.spatial import cKDTree

    lists = [np.asarray(pair, float) for pair in ((ra, dec), (other_ra, other_dec))]
    known = [np.flatnonzero(np.isfinite(places).all(axis=0)) for places in lists]
    if not all(rows.size for rows in known):
        return SkyPairs(np.zeros(0, int), np.zeros(0, int), np.zeros(0))
    vectors = [unit_vectors(*places[:, rows]) for places, rows in zip(lists, known, strict=True)]
    chord, partner = cKDTree(vectors[1]).query(vectors[0])
    back = cKDTree(vectors[0]).query(vectors[1])[1]
    separation = 2 * np.arcsin(np.minimum(chord / 2, 1)) * RADIAN_ARCSEC
    kept = (back[partner] == np.arange(len(partner))) & (separation <= radius)
    return SkyPairs(known[0][kept], known[1][partner[kept]], separation[kept])
