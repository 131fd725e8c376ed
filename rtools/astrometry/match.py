"""Which source is which reference star: a vote over shifts and rotations, then a mutual match that tightens.

Every pair of a source and a reference star within reach votes for the shift that would bring one onto the other, once
for each trial rotation. The best cells are starts; from each, one-to-one nearest neighbours and a fit alternate while
the tolerance shrinks from arcseconds to a few errors. What is left is judged by the probability of finding as many by
chance: the binomial tail of the number of matches, times the number of cells of shift, rotation (and scale, skew) that
could have been tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rtools.astrometry import fit as fitting
from rtools.astrometry.chance import chance, odds
from rtools.astrometry.fields import Field, PointingLimits
from rtools.astrometry.vote import starts
from rtools.errors import InputError
from rtools.work import ALONE, Work

__all__ = ["Match", "Rules", "find", "needed"]

ISOLATED = 10
"""Blended pairs are left out of the fit where as many others remain as the general geometry wants."""

TIGHTEST, LOOSEST = 0.015, 0.060
"""Final tolerance of a match: 4 errors of a pair or 3 times the RMSE, but within these, arcsec."""

CERTAIN = -18.0
"""Where log10 of the probability of chance is below this, no other start is tried."""


class Rules(NamedTuple):
    """How pairs are made and fitted.

    Attributes
    ----------
    tolerance : float
        Of the first match, arcsec.
    geometry : str
        ``auto``, or one of `rtools.astrometry.fit.GEOMETRIES`.
    nclip, clip
        As for `rtools.astrometry.fit.fit`.
    weights : str
        ``errors``, ``weight`` or ``none``.
    minobj : int
        Fewest matches.
    """

    tolerance: float
    geometry: str
    nclip: int
    clip: float
    weights: str
    minobj: int


class Match(NamedTuple):
    """Pairs and the fit to them.

    Attributes
    ----------
    field, source, reference : ndarray of int
        Of each pair: which field, and the rows in it.
    fit : rtools.astrometry.fit.Fit
        From image positions to those of the reference stars.
    fitted : ndarray of bool
        Pairs that the fit was given (not blended) and did not clip.
    residuals : ndarray (n, 2)
        Reference minus transformed source, arcsec.
    sigma : ndarray (n, 2)
        Errors of the pairs, arcsec.
    tolerance : float
        Of the last match, arcsec.
    log_chance : float
        log10 of the probability of chance.
    candidates : int
        Reference stars within the images.
    """

    field: np.ndarray
    source: np.ndarray
    reference: np.ndarray
    fit: fitting.Fit
    fitted: np.ndarray
    residuals: np.ndarray
    sigma: np.ndarray
    tolerance: float
    log_chance: float
    candidates: int


def needed(rules: Rules) -> int:
    """Fewest matches that will do.

    Parameters
    ----------
    rules : Rules
        `minobj` and `geometry` are used; ``auto`` needs as many as rshift.

    Returns
    -------
    int
        The larger of what is asked for and what the geometry needs.
    """
    return max(rules.minobj, fitting.MINIMUM["rshift" if rules.geometry == "auto" else rules.geometry])


def find(fields: Sequence[Field], limits: PointingLimits, rules: Rules, *, work: Work = ALONE) -> Match | None:
    """Best match of the sources of some images with reference stars, under one common correction.

    Parameters
    ----------
    fields : sequence of Field
        Each with at least one source and one reference star.
    limits : PointingLimits
        `shift` is how far is searched.
    rules : Rules
        How pairs are made and fitted.
    work : rtools.work.Work
        Its threads share the trial rotations; the result does not depend on how many there are.

    Returns
    -------
    Match or None
        The least likely to be chance; None where no start has as many matches as the geometry needs.
    """
    if rules.geometry == "shift":
        limits = limits._replace(rotation=0.0)
    best = None
    for start in starts(fields, limits, work=work):
        found = _tighten(fields, start, limits, rules)
        if found is not None and (best is None or found.log_chance < best.log_chance):
            best = found
        if best is not None and best.log_chance < CERTAIN:
            break
    return best


def _tighten(fields, start, limits, rules):
    """From a start to a match: pairs and fits in turn, with a tolerance that shrinks."""
    matrix, shift = start
    tolerance = rules.tolerance
    try:
        while tolerance > 2 * LOOSEST:
            pairs = _pairs(fields, matrix, shift, tolerance)
            if len(pairs[0]) < needed(rules):
                return None
            geometry = _geometry(rules, len(pairs[0]), coarse=True)
            # within the tolerance anything may be: no star may lead yet
            sigma = np.hypot(_sigma(fields, pairs), tolerance / 3)
            image, reference = _positions(fields, pairs)
            fit = fitting.fit(image, reference, sigma, geometry, nclip=1, clip=2.5)
            matrix, shift = fit.matrix, fit.shift
            tolerance /= 2
        return _settle(fields, (matrix, shift), limits, rules)
    except InputError:  # pairs that determine no fit
        return None


def _settle(fields, start, limits, rules):
    matrix, shift = start
    previous, used, tolerance = None, LOOSEST, LOOSEST
    for _ in range(8):
        pairs = _pairs(fields, matrix, shift, tolerance)
        if len(pairs[0]) < needed(rules):
            return None
        sigma = _sigma(fields, pairs)
        fit, fitted = _fit(fields, pairs, sigma, rules)
        matrix, shift = fit.matrix, fit.shift
        stable = previous is not None and all(np.array_equal(*both) for both in zip(previous, pairs, strict=True))
        if stable:
            break
        previous, used = pairs, tolerance
        tolerance = float(np.clip(max(4 * np.median(sigma), 3 * fit.rmse), TIGHTEST, LOOSEST))
    image, reference = _positions(fields, pairs)
    count, density = odds(fields, fit, used)
    log_chance = chance(
        len(pairs[0]), count, density, used, limits, geometry=fit.geometry, reach=_reach(fields, limits)
    )
    residuals = reference - fit.apply(image)
    which, source, star = pairs
    return Match(which, source, star, fit, fitted, residuals, sigma, used, log_chance, count)


def _reach(fields, limits):
    corners = np.concatenate([field.corners for field in fields])
    return float(np.hypot(*(corners - limits.center).T).max())


def _pairs(fields, matrix, shift, tolerance):
    """One-to-one nearest neighbours: (field, source, reference)."""
    inverse = np.linalg.inv(matrix)
    found = []
    for number, field in enumerate(fields):
        back = (field.ref_xy - shift) @ inverse.T
        distance, source = field.tree.query(back, distance_upper_bound=tolerance)
        reference = np.flatnonzero(np.isfinite(distance))
        source = source[reference]
        _, nearest = field.ref_tree.query(field.xy[source] @ matrix.T + shift)
        mutual = nearest == reference
        found.append(np.stack([np.full(mutual.sum(), number), source[mutual], reference[mutual]]))
    return tuple(np.concatenate(found, axis=1).astype(np.int64))


def _positions(fields, pairs):
    return _gather(fields, pairs[0], pairs[1], "xy"), _gather(fields, pairs[0], pairs[2], "ref_xy")


def _sigma(fields, pairs):
    return np.hypot(_gather(fields, pairs[0], pairs[1], "sigma"), _gather(fields, pairs[0], pairs[2], "ref_sigma"))


def _gather(fields, which, rows, name):
    """Rows of an array that each field has, in the order of the pairs (which is that of the fields)."""
    return np.concatenate([getattr(field, name)[rows[which == number]] for number, field in enumerate(fields)])


def _geometry(rules, count, coarse=False):
    if rules.geometry != "auto":
        return rules.geometry
    if coarse:
        return "rscale" if count >= ISOLATED else "rshift"
    return fitting.geometry_for(count)


def _fit(fields, pairs, sigma, rules):
    """The fit, and which pairs it used."""
    image, reference = _positions(fields, pairs)
    blended = _gather(fields, pairs[0], pairs[1], "blended") | _gather(fields, pairs[0], pairs[2], "ref_blended")
    use = ~blended if (~blended).sum() >= ISOLATED else np.ones(len(blended), bool)
    if rules.weights == "none":
        sigma = np.full_like(sigma, np.sqrt(np.mean(sigma[use] ** 2)))
    elif rules.weights == "weight":
        weight = _gather(fields, pairs[0], pairs[1], "weight")
        sigma = np.sqrt(np.mean(sigma[use] ** 2) * np.mean(weight[use]) / weight)[:, None] * np.ones(2)
    geometry = _geometry(rules, int(use.sum()))
    fit = fitting.fit(image[use], reference[use], sigma[use], geometry, nclip=rules.nclip, clip=rules.clip)
    if rules.geometry == "auto" and fitting.geometry_for(int(fit.kept.sum())) != geometry:
        geometry = fitting.geometry_for(int(fit.kept.sum()))
        fit = fitting.fit(image[use], reference[use], sigma[use], geometry, nclip=rules.nclip, clip=rules.clip)
    fitted = use.copy()
    fitted[use] = fit.kept
    return fit, fitted
