"""Which source is which reference star: a vote over shifts and rotations, then a mutual match that tightens.

Every pair of a source and a reference star within reach votes for the shift that would bring one onto the other, once
for each trial rotation. The best cells are starts; from each, one-to-one nearest neighbours and a fit alternate while
the tolerance shrinks from arcseconds to a few errors. What is left is judged by the probability of finding as many by
chance: the binomial tail of the number of matches, times the number of cells of shift, rotation (and scale, skew) that
could have been tried.
"""

from typing import NamedTuple

import numpy as np

from rtools.astrometry import fit as fitting
from rtools.astrometry.chance import chance, odds
from rtools.astrometry.vote import starts
from rtools.errors import InputError
from rtools.work import ALONE

__all__ = ["Field", "Match", "PointingLimits", "Rules", "find", "make_field", "needed"]

VOTERS = (200, 5000)
"""Reference stars that vote: of each field at least, of a group in all. Not the brightest: they may be saturated."""

ISOLATED = 10
"""Blended pairs are left out of the fit where as many others remain as the general geometry wants."""

TIGHTEST, LOOSEST = 0.015, 0.060
"""Final tolerance of a match: 4 errors of a pair or 3 times the RMSE, but within these, arcsec."""

CERTAIN = -18.0
"""Where log10 of the probability of chance is below this, no other start is tried."""


class Field(NamedTuple):
    """One image and the reference stars around it, in the plane of the fit (arcsec).

    Attributes
    ----------
    xy, sigma : ndarray (n, 2)
        Sources and their errors.
    blended : ndarray of bool, (n,)
        Sources with another one close by.
    weight : ndarray (n,)
        The catalog's own weights; ones where it has none.
    ref_xy, ref_sigma, ref_blended
        The same of reference stars.
    voters : ndarray of int
        Reference stars that vote.
    corners : ndarray (4, 2)
        Of the image, in order around it.
    tree, ref_tree : scipy.spatial.cKDTree
        Of `xy` and `ref_xy`; None where there are none.
    """

    xy: np.ndarray
    sigma: np.ndarray
    blended: np.ndarray
    weight: np.ndarray
    ref_xy: np.ndarray
    ref_sigma: np.ndarray
    ref_blended: np.ndarray
    voters: np.ndarray
    corners: np.ndarray
    tree: object
    ref_tree: object


class PointingLimits(NamedTuple):
    """What may be wrong with a pointing.

    Attributes
    ----------
    center, pivot : ndarray (2,)
        Middle of the field, and the point about which the telescope may be turned, in the plane (arcsec).
    shift : float
        Largest shift, arcsec: displacement of the middle, with or without that by the rotation about the pivot.
    rotation : float
        Largest rotation, degrees.
    scale : float
        Largest |scale - 1|.
    """

    center: np.ndarray
    pivot: np.ndarray
    shift: float
    rotation: float
    scale: float


class Rules(NamedTuple):
    """How pairs are made and fitted: `tolerance` (arcsec, of the first match), `geometry` ("auto" or one of
    `fit.GEOMETRIES`), `nclip`, `clip` (see `fit.fit`), `weights` ("errors", "weight" or "none"), `minobj`.
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
    fitted : ndarray of bool
        Pairs that the fit was given (not blended) and did not clip.
    residuals : ndarray (n, 2)
        Reference minus transformed source, arcsec.
    sigma : ndarray (n, 2)
        Errors of the pairs, arcsec.
    tolerance : float
        arcsec.
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


def make_field(sources, references, corners, separation, *, flux=None, weight=None, group=1):
    """A `Field`.

    Parameters
    ----------
    sources, references : tuple of ndarray (n, 2)
        Positions and errors in the plane, arcsec.
    corners : ndarray (4, 2)
        Of the image, in order around it, arcsec.
    separation : float
        Closer than this (arcsec) to another of its list a source or star is blended; sources of less than a tenth of
        its flux do not count.
    flux, weight : ndarray, optional
        Of sources.
    group : int
        Number of fields that will be aligned together.
    """
    from scipy.spatial import cKDTree

    trees = [cKDTree(xy) if len(xy) else None for xy, _ in (sources, references)]
    voters = np.arange(len(references[0]))
    most = max(VOTERS[0], VOTERS[1] // group)
    if len(voters) > most:
        voters = np.linspace(0, len(voters) - 1, most).astype(np.int64)
    return Field(
        *sources,
        _blended(trees[0], len(sources[0]), separation, flux),
        np.ones(len(sources[0])) if weight is None else np.asarray(weight, float),
        *references,
        _blended(trees[1], len(references[0]), separation, None),
        voters,
        np.asarray(corners, float),
        *trees,
    )


def _blended(tree, count, separation, flux):
    blended = np.zeros(count, bool)
    if tree is None or separation <= 0:
        return blended
    first, second = tree.query_pairs(separation, output_type="ndarray").T
    if flux is None:
        blended[first] = blended[second] = True
    else:
        blended[first[~(flux[second] < 0.1 * flux[first])]] = True
        blended[second[~(flux[first] < 0.1 * flux[second])]] = True
    return blended


def needed(rules):
    """Fewest matches that will do."""
    return max(rules.minobj, fitting.MINIMUM["rshift" if rules.geometry == "auto" else rules.geometry])


def find(fields, limits, rules, *, work=ALONE):
    """Best match of the sources of some images with reference stars, under one common correction.

    Parameters
    ----------
    fields : list of Field
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
            fit = fitting.fit(*_positions(fields, pairs), sigma, geometry, nclip=1, clip=2.5)
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
    return Match(*pairs, fit, fitted, residuals, sigma, used, log_chance, count)


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
