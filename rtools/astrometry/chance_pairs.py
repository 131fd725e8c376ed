"""How many pairs of two lists of positions are expected by chance."""

from __future__ import annotations

import numpy as np

from rtools.astrometry.refcat import Places
from rtools.wfi.sphere import positions_of, separation, to_plane, unit_vectors
from rtools.wfi.units import ARCSEC

__all__ = ["expected_by_chance"]

NEAR = 2.0
"""Radii within which true pairs and their neighbours lie: the density is that beyond."""

ENOUGH = 400
"""Pairs of which a density is told; the ring grows until it has so many."""

FLAT = 10.0
"""Degrees from the middle of both lists within which the edge of the second is drawn in a plane."""

SAMPLE = 500
"""Rows of the first list whose rings are looked at for the edge."""

FEW = 10
"""Rows below which a list has no edge of its own."""


def expected_by_chance(one: Places, two: Places, radius: float, *, every: bool = False) -> float:
    """Rows of the first list that have a row of the second within a radius although they have nothing to do with it.

    The density of the second list is that in a ring around the rows of the first, so that it is the density where the
    rows are, also in clusters. The part of a ring that is beyond the edge of the second list does not count, nor do
    rows of the first that lie there.

    Parameters
    ----------
    one, two : Places
        The lists.
    radius : float
        Arcsec.
    every : bool
        Count pairs, not rows that have one.

    Returns
    -------
    float
        Expected number; NaN where both lists lie within a few radii, so that there is no ring to tell a density.
    """
    from scipy.spatial import cKDTree

    first, second = _known(one), _known(two)
    if not (len(first[0]) and len(second[0])):
        return 0.0
    vectors = [unit_vectors(*each) for each in (first, second)]
    trees = [cKDTree(each) for each in vectors]
    middle = positions_of(np.concatenate(vectors).sum(axis=0))
    far = max(float(separation(ra, dec, *middle).max()) for ra, dec in (first, second))
    least, most = min(radius * ARCSEC, np.pi), min(2 * np.deg2rad(far), np.pi)
    if 2 * NEAR * least >= most:
        return float("nan")
    inner, outer = NEAR * least, 2 * NEAR * least
    while (pairs := _between(trees, inner, outer)) < ENOUGH and outer < most:
        outer = min(2 * outer, most)
    inside, covered = _covered(first, second, middle, (inner, outer)) if far < FLAT else (1.0, 1.0)
    if not (pairs and inside and covered):
        return 0.0
    circles = (np.sin(outer / 2) ** 2 - np.sin(inner / 2) ** 2) / np.sin(least / 2) ** 2  # the ring's area in them
    rows, each = len(first[0]) * inside, pairs / (len(first[0]) * covered * circles)
    return float(rows * (each if every else 1 - np.exp(-each)))


def _between(trees, inner, outer):
    """Pairs whose separation lies between two angles."""
    near, far = (int(trees[0].count_neighbors(trees[1], 2 * np.sin(angle / 2))) for angle in (inner, outer))
    return far - near


def _known(places):
    """Right ascensions and declinations of the rows that have both."""
    known = np.isfinite(places.ra) & np.isfinite(places.dec)
    return places.ra[known], places.dec[known]


def _covered(one, two, middle, ring):
    """Share of the first list that is within the edge of the second, and share of the rings around it that is."""
    own, other = (np.stack(to_plane(ra, dec, middle), axis=1) for ra, dec in (one, two))
    edge = _edge(other if len(other) >= FEW else np.concatenate([own, other]))
    if edge is None:
        return 1.0, 1.0
    own = own[:: max(1, len(own) // SAMPLE)]
    inner, outer = ring
    radii = np.sqrt(inner**2 + (outer**2 - inner**2) * (np.arange(6) + 0.5) / 6)  # rings of one area
    angles = np.arange(16) * (2 * np.pi / 16) + np.arange(6)[:, None]
    around = np.stack([radii[:, None] * np.cos(angles), radii[:, None] * np.sin(angles)], axis=-1).reshape(-1, 2)
    return float(_within(edge, own).mean()), float(_within(edge, (own[:, None] + around).reshape(-1, 2)).mean())


def _edge(points):
    """Convex hull as (normals, offsets), None where there is none.

    The hull of n points with v corners misses about v / n of the area that they are spread in (Efron 1965, Biometrika
    52, 331), so it is made larger by that.
    """
    from scipy.spatial import ConvexHull, QhullError

    try:
        hull = ConvexHull(points)
    except (QhullError, ValueError):
        return None
    corners = points[hull.vertices]
    middle = corners.mean(axis=0)
    larger = 1 / np.sqrt(1 - min(len(corners) / len(points), 0.5))
    normals, offsets = hull.equations[:, :2], hull.equations[:, 2]
    away = normals @ middle + offsets  # below 0: how far the middle is inside
    return normals, offsets - away * (1 - larger)


def _within(edge, points):
    normals, offsets = edge
    return np.all(points @ normals.T + offsets <= 0, axis=1)
