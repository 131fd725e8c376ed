"""Rotations and levels of stars in one exposure, and the stars that do not fit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.wfi.units import MAS

REJECT = 5.0
"""Errors beyond which a star is thrown out of a cycle."""

LEAVE_OUT = 0.1
"""Share of its cycles beyond which a star is left out of the exposure."""

MEDIAN_OF_TWO = 2 * np.log(2)
"""Median of χ² with two degrees of freedom."""

ROUNDS = 50
"""Most rounds in which rotations and levels are found in turn."""

CLOSE = 1e-3 * MAS
"""Change of a level, radians, at which they are found."""

SINGULAR = 1e-6
"""Share of the determinant of a star's variance below which a residual cannot tell anything: the fit follows it."""


class StarCycles(NamedTuple):
    """Stars in the cycles of an exposure.

    Attributes
    ----------
    angles : ndarray float64, (stars, m, 2)
        Where they are, radians along F1 and F2.
    variance : ndarray float64, (stars, m, 2, 2)
        Covariances, radians².
    present : ndarray bool, (stars, m)
        Where they were measured.
    """

    angles: NDArray[np.float64]
    variance: NDArray[np.float64]
    present: NDArray[np.bool_]


class CyclesFit(NamedTuple):
    """What was fitted, and what is left.

    Attributes
    ----------
    turns : ndarray float64, (m, 3)
        Rotations, radians, with mean 0; NaN where they were not fitted.
    covariance : ndarray float64, (m, 3, 3)
        Theirs; 0 where they were not fitted.
    chi2 : ndarray float64, (m,)
        By the degrees of freedom.
    residuals : ndarray float64, (stars, m, 2)
        Radians; NaN where a star was not measured or nothing was fitted.
    expected : ndarray float64, (stars, m, 2, 2)
        Covariance of the residuals by the errors of the centroids.
    distance : ndarray float64, (stars, m)
        Square of the residuals by their covariance; NaN where the fit follows the star whatever it does.
    accepted : ndarray bool, (stars, m)
        Stars that were used in a cycle that was solved.
    left_out : ndarray bool, (stars,)
        Stars that were left out of the exposure.
    """

    turns: NDArray[np.float64]
    covariance: NDArray[np.float64]
    chi2: NDArray[np.float64]
    residuals: NDArray[np.float64]
    expected: NDArray[np.float64]
    distance: NDArray[np.float64]
    accepted: NDArray[np.bool_]
    left_out: NDArray[np.bool_]


def fit_stars(stars: StarCycles, matrices: NDArray[np.float64], far: NDArray[np.bool_]) -> CyclesFit:
    """Rotations of the cycles of one exposure.

    Parameters
    ----------
    stars : StarCycles
        All of them.
    matrices : ndarray float64, (stars, 2, 3)
        From rotations to displacements.
    far : ndarray bool, (stars, stars)
        Whether two stars are so far apart that the third rotation can be fitted to them.

    Returns
    -------
    CyclesFit
        Without the stars that do not fit.
    """
    out = np.zeros(len(matrices), bool)
    while True:
        found = _reject(stars, matrices, far, stars.present & ~out[:, np.newaxis])
        measured = np.maximum(np.isfinite(found.residuals[~out, :, 0]).sum(axis=1), 1)
        share = np.zeros(len(out))
        share[~out] = 1 - found.accepted[~out].sum(axis=1) / measured
        worst = int(np.argmax(share))
        if share[worst] <= LEAVE_OUT or (~out).sum() <= 2:
            return found._replace(left_out=out)
        out[worst] = True


def _reject(stars, matrices, far, ok):
    """The fit without the residuals beyond five errors, the worst of a cycle first."""
    found = _fit(stars, matrices, far, ok)
    usual = _usual(found)
    while True:
        count = found.accepted.sum(axis=0)
        beyond = np.nan_to_num(np.where(found.accepted & (count > 2), found.distance, 0.0))
        worst = np.argmax(beyond, axis=0)
        cycles = np.flatnonzero(beyond.max(axis=0, initial=0.0) > REJECT**2 * usual)
        if not len(cycles):
            return found
        ok = ok.copy()
        ok[worst[cycles], cycles] = False
        found = _fit(stars, matrices, far, ok)


def _usual(found):
    """Median square of residuals over that of errors that are true; at least 1."""
    told = found.distance[found.accepted & np.isfinite(found.distance)]
    return max(1.0, float(np.median(told)) / MEDIAN_OF_TWO) if len(told) else 1.0


def _fit(stars, matrices, far, ok):
    """Rotations and levels of the stars that are ok, and what they leave of all that are present."""
    weight = np.linalg.inv(np.where(ok[..., np.newaxis, np.newaxis], stars.variance, np.eye(2)))
    weight *= ok[..., np.newaxis, np.newaxis]
    inverse, free = _inverse_normal(weight, matrices, far, ok)
    solved = free.any(axis=1)
    used = ok & solved
    pulled = np.einsum("sia,smij->smaj", matrices, weight)
    levels = _mean(stars.angles, used)
    for _ in range(ROUNDS):
        moved = stars.angles - levels[:, np.newaxis]
        turns = np.einsum("mab,mb->ma", inverse, np.einsum("smaj,smj->ma", pulled, moved))
        turns -= np.einsum("ma,ma->a", turns, free) / np.maximum(free.sum(axis=0), 1) * free
        left = moved - np.einsum("sia,ma->smi", matrices, turns)
        change = _mean(left, used)
        levels += change
        if np.abs(change).max(initial=0.0) < CLOSE:
            break
    nowhere = stars.present & solved & ~used.any(axis=1)[:, np.newaxis]
    levels += _mean(left, nowhere)  # stars that were left out have levels of their own
    left = stars.angles - levels[:, np.newaxis] - np.einsum("sia,ma->smi", matrices, turns)
    left = np.where((stars.present & solved)[..., np.newaxis], left, np.nan)
    expected, distance = _distances(stars.variance, matrices, inverse, left, used)
    freedom = 2 * used.sum(axis=0) - free.sum(axis=1)
    squares = np.einsum("smi,smij,smj->m", np.nan_to_num(left), weight, np.nan_to_num(left))
    chi2 = np.divide(squares, freedom, out=np.full(len(squares), np.nan), where=solved & (freedom > 0))
    turns = np.where(free, turns, np.nan)
    return CyclesFit(turns, inverse, chi2, left, expected, distance, used, np.zeros(len(matrices), bool))


def _mean(values, used):
    """Mean of each star over the cycles in which it is used; 0 where there are none."""
    return np.einsum("smi,sm->si", values, used) / np.maximum(used.sum(axis=1), 1)[:, np.newaxis]


def _inverse_normal(weight, matrices, far, ok):
    """Covariances of the rotations (m, 3, 3), and which of them are fitted (m, 3)."""
    count = ok.sum(axis=0)
    apart = np.einsum("im,ij,jm->m", ok, far, ok) > 0
    free = np.stack([count >= 2, count >= 2, (count >= 4) | ((count >= 2) & apart)], axis=1)
    both = free[:, :, np.newaxis] & free[:, np.newaxis, :]
    normal = np.einsum("smaj,sjb->mab", np.einsum("sia,smij->smaj", matrices, weight), matrices)
    inverse = np.linalg.inv(np.where(both, normal, np.eye(3)))
    return np.where(both, inverse, 0.0), free


def _distances(variance, matrices, inverse, left, used):
    """Covariances of the residuals, and the squares of the residuals by them; NaN where the fit follows a star."""
    taken = np.einsum("sia,mab,sjb->smij", matrices, inverse, matrices)
    expected = variance + np.where(used, -1.0, 1.0)[..., np.newaxis, np.newaxis] * taken
    determinant = np.linalg.det(expected)
    told = determinant > SINGULAR * np.linalg.det(variance)
    x, y = left[..., 0], left[..., 1]
    squares = expected[..., 1, 1] * x**2 - 2 * expected[..., 0, 1] * x * y + expected[..., 0, 0] * y**2
    return expected, np.divide(squares, determinant, out=np.full(x.shape, np.nan), where=told)
