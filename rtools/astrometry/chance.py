"""How probable a match is where nothing belongs together.

The number of stars that have a source within the tolerance by chance is binomial; the tail from the number found on is
multiplied by the number of independent trials (the look-elsewhere effect). docs/algorithms/tweakreg.md has the details.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtools.astrometry.fields import Field, PointingLimits
    from rtools.astrometry.fit import Fit

__all__ = ["chance", "inside", "odds"]

NEIGHBOURHOOD = 2.0
"""Radius around a reference star in which the density of sources is counted, arcsec."""


def inside(corners: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Which points are within a convex quadrilateral.

    Parameters
    ----------
    corners : ndarray (4, 2)
        In order around it, either way.
    points : ndarray (n, 2)
        In the same plane.

    Returns
    -------
    ndarray bool (n,)
        Points on an edge count as within.
    """
    edges = np.roll(corners, -1, axis=0) - corners
    away = points[:, None, :] - corners
    side = edges[:, 0] * away[..., 1] - edges[:, 1] * away[..., 0]
    return np.all(side >= 0, axis=1) | np.all(side <= 0, axis=1)


def odds(fields: Sequence[Field], fit: Fit, tolerance: float) -> tuple[int, float]:
    """How many reference stars could have been matched, and how dense sources are around them.

    Parameters
    ----------
    fields : sequence of rtools.astrometry.fields.Field
        The images and the reference stars around them.
    fit : rtools.astrometry.fit.Fit
        Takes image positions to those of the reference stars.
    tolerance : float
        Of the match, arcsec; sources closer to a star than this are not counted in its surroundings.

    Returns
    -------
    stars : int
        Reference stars within the images.
    density : float
        Sources per square arcsec: in rings of 2 arcsec about these stars or in the whole images, whichever is more.
    """
    inverse = np.linalg.inv(fit.matrix)
    stars = around = everywhere = 0.0
    for field in fields:
        back = (field.ref_xy - fit.shift) @ inverse.T
        back = back[inside(field.corners, back)]
        stars += len(back)
        edges = field.corners[2] - field.corners[0], field.corners[3] - field.corners[1]
        area = 0.5 * abs(edges[0][0] * edges[1][1] - edges[0][1] * edges[1][0])
        everywhere += len(back) * len(field.xy) / area
        counts = [
            field.tree.query_ball_point(back, radius, return_length=True) for radius in (NEIGHBOURHOOD, tolerance)
        ]
        around += float(np.sum(counts[0] - counts[1])) if len(back) else 0.0
    around /= np.pi * (NEIGHBOURHOOD**2 - tolerance**2)
    return int(stars), max(around, everywhere) / max(stars, 1)


def chance(
    matches: int,
    stars: int,
    density: float,
    tolerance: float,
    limits: PointingLimits,
    *,
    geometry: str,
    reach: float,
) -> float:
    """How probable so many matches are where nothing belongs together.

    Parameters
    ----------
    matches, stars : int
        Found, and reference stars that could have been.
    density : float
        Sources per square arcsec.
    tolerance : float
        Within which a source counts as a match, arcsec.
    limits : rtools.astrometry.fields.PointingLimits
        How far shifts, rotations and scales were searched.
    geometry : str
        Free scale and skew are further dimensions in which cells could be tried.
    reach : float
        Distance of the farthest corner from the middle, arcsec.

    Returns
    -------
    float
        log10 of (binomial tail · number of trial cells), at most 0.
    """
    from scipy.special import gammaln

    if stars == 0:  # nothing to count in: nothing is certain
        return 0.0
    stars = max(stars, matches)
    p = -np.expm1(-density * np.pi * tolerance**2)
    if not 0 < p < 1:
        return 0.0 if p >= 1 else -np.inf
    k = np.arange(matches, stars + 1)
    terms = gammaln(stars + 1) - gammaln(k + 1) - gammaln(stars - k + 1) + k * np.log(p) + (stars - k) * np.log1p(-p)
    tail = terms.max() + np.log(np.sum(np.exp(terms - terms.max())))
    # shifts with and without the rotation about the pivot: two circles; stars are 0.6 of the reach from the centre
    arm = np.deg2rad(limits.rotation) * np.hypot(*(limits.center - limits.pivot))
    cells = min(2 * limits.shift**2, (limits.shift + arm) ** 2) / tolerance**2
    lever = reach / np.sqrt(3) / tolerance
    cells *= max(1.0, 2 * np.deg2rad(limits.rotation) * lever)
    further = max(1.0, 2 * limits.scale * lever)
    cells *= further ** {"general": 3, "rscale": 1}.get(geometry, 0)
    return float(min(0.0, (tail + np.log(cells)) / np.log(10)))
