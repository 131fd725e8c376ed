"""Images aligned to reference stars: one correction for all images of a group, accepted or refused with a reason."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.astrometry import fit as fitting
from rtools.astrometry import match as matching
from rtools.astrometry import refcat as stars
from rtools.astrometry import tangent
from rtools.astrometry.acceptance import hopeless, refusal
from rtools.astrometry.fields import PointingLimits, make_field
from rtools.astrometry.steps.tweakreg import STEP
from rtools.astrometry.wcs import Pointing
from rtools.errors import InputError, UsageError
from rtools.wfi.gwcs_frames import box_of
from rtools.wfi.instrument import WFI_CEN
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from rtools.astrometry.refcat import RefCat

__all__ = ["Alignment", "ImageSources", "Matches", "align", "search_radius"]

MARGIN = 0.3
"""Shifts are searched this much farther than asked for, arcsec."""

UNKNOWN_ERROR_PIXEL = 0.05
"""Error of a source whose catalog says none."""

FLOOR_PIXEL = 0.003
"""What no error of a bright source is below: PSF and pixels are not known better."""


class ImageSources(NamedTuple):
    """Sources of one image, and its WCS.

    Attributes
    ----------
    x, y : ndarray
        Pixels, 0-based. Rows that are not finite or outside the bounding box of the WCS are not used.
    x_err, y_err : ndarray or None
        Pixels; where a row has none, 0.05 is taken.
    wcs : gwcs.WCS
        With frames detector, v2v3 [, v2v3vacorr] [, v2v3corr], world.
    pointing : rtools.astrometry.wcs.Pointing
        Of `meta.wcsinfo`.
    epoch : float
        Middle of the exposure, Julian year (`rtools.astrometry.refcat.julian_year`).
    flux, weight : ndarray, optional
        For blends, and for ``weights="weight"``.
    """

    x: np.ndarray
    y: np.ndarray
    x_err: np.ndarray | None
    y_err: np.ndarray | None
    wcs: Any
    pointing: Pointing
    epoch: float
    flux: np.ndarray | None = None
    weight: np.ndarray | None = None


class Matches(NamedTuple):
    """The table of matches: arrays of one length.

    Attributes
    ----------
    image, source, reference : ndarray int64
        Which image, the row of its sources, the row of the reference catalog.
    x_residual, y_residual, x_sigma, y_sigma : ndarray float64
        Reference minus corrected source and its error in the tangent plane, mas; x is east, y north at the pointing's
        reference point.
    fitted : ndarray of bool
        Used in the fit: neither clipped nor blended.
    """

    image: np.ndarray
    source: np.ndarray
    reference: np.ndarray
    x_residual: np.ndarray
    y_residual: np.ndarray
    x_sigma: np.ndarray
    y_sigma: np.ndarray
    fitted: np.ndarray


class Alignment(NamedTuple):
    """What came of it.

    Attributes
    ----------
    status : str
        COMPLETE or FAILED, as `meta.cal_step.tweakreg` has it.
    reason : str
        Why it failed; empty if it did not.
    wcs : list of (gwcs.WCS or None)
        A corrected gwcs.WCS for each image; None where it failed.
    results : dict
        `meta.wcs_fit_results`.
    matches : Matches or None
        None where nothing matched.
    error_mas : float
        Predicted error of the correction at the worst corner of the images, mas (NaN where nothing matched).
    log_chance : float
        log10 of the probability that the match is chance.
    stars : int
        Reference stars within the images.
    """

    status: str
    reason: str
    wcs: list[Any]
    results: dict[str, Any]
    matches: Matches | None
    error_mas: float
    log_chance: float
    stars: int


def search_radius(options: Mapping[str, Any] | None = None) -> float:
    """How far from an image's corners reference stars can matter: for cutting a catalog.

    Parameters
    ----------
    options : mapping of str to object, optional
        As for `align`; searchrad, max_rotation and tolerance are used.

    Returns
    -------
    float
        Arcsec.
    """
    options = STEP.defaults() | dict(options or {})
    return options["searchrad"] + MARGIN + math.radians(options["max_rotation"]) * 3000 + 2 * options["tolerance"]


def align(
    images: Sequence[ImageSources],
    refcat: RefCat,
    options: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    earth: np.ndarray | None = None,
    work: Work = ALONE,
) -> Alignment:
    """Align images to a reference catalog, all by one correction.

    Parameters
    ----------
    images : sequence of ImageSources
        The correction is fitted in the tangent plane of the first and carried over to those of the others. Images
        without sources are corrected with the others.
    refcat : rtools.astrometry.refcat.RefCat
        The reference stars, at least those around the images.
    options : mapping of str to object, optional
        By key; the rest as `rtools.astrometry.steps.tweakreg` declares.
    name : str, optional
        Of the corrected WCSs.
    earth : ndarray float64 (3,), optional
        Barycentric place of the observer, au.
    work : rtools.work.Work
        Its threads look for the match. The result does not depend on it.

    Returns
    -------
    Alignment
        Also where the alignment is refused: it says why.

    Raises
    ------
    InputError
        An image's WCS is of a kind that cannot be corrected, or it lacks the weights that are asked for.
    UsageError
        Larger shifts shall be accepted than are searched.
    """
    options = STEP.defaults() | dict(options or {})
    _check(images, options)
    planes = [tangent.plane_of(image.wcs, image.pointing) for image in images]
    fields, rows = _fields(images, planes, refcat, options, earth)
    present = [number for number, field in enumerate(fields) if len(field.xy) and len(field.ref_xy)]
    limits = _limits(planes[0], [field.corners for field in fields], options)
    rules = matching.Rules(
        options["tolerance"],
        options["fitgeometry"],
        options["nclip"],
        options["sigma"],
        options["weights"],
        options["minobj"],
    )
    reason = hopeless(fields, matching.needed(rules))
    match = None if reason else matching.find([fields[n] for n in present], limits, rules, work=work)
    if match is None:
        reason = reason or "no shift and rotation within the limits brings sources onto reference stars"
        return _failed(reason, images, None, count=sum(len(field.ref_xy) for field in fields))
    error = 1000 * float(match.fit.error_at(np.concatenate([field.corners for field in fields])).max())
    matches = _table(match, present, rows)
    reason = refusal(match, limits, options, error)
    if reason:
        return _failed(reason, images, matches, error=error, log_chance=match.log_chance, count=match.candidates)
    wcs = [
        _carried(image, plane, planes[0], field.corners.mean(axis=0), match.fit, name=name)
        for image, plane, field in zip(images, planes, fields, strict=True)
    ]
    results = _results(match.fit, int(match.fitted.sum()), len(images))
    return Alignment("COMPLETE", "", wcs, results, matches, error, match.log_chance, match.candidates)


def _check(images, options):
    if options["weights"] == "weight" and any(image.weight is None and len(image.x) for image in images):
        raise InputError("the catalog has no column weight", mend="--weights errors or none")
    shift, radius = options["max_shift"], options["searchrad"]
    if shift > max(radius, STEP.defaults()["max_shift"]):
        mend = f"--searchrad {shift:g}"
        raise UsageError(f"--max-shift {shift:g}: shifts are searched up to {radius:g} arcsec (--searchrad)", mend=mend)


def _failed(reason, images, matches, *, error=math.nan, log_chance=0.0, count):
    results = {"status": f"FAILED: {reason}", "nmatches": 0, "n_detector": len(images)}
    return Alignment("FAILED", reason, [None] * len(images), results, matches, error, log_chance, count)


# -- from pixels and sky to the plane of the fit ----------------------------------------------------------------------


def _fields(images, planes, refcat, options, earth):
    """A `Field` of each image in the plane of the first, and (source rows, reference rows) of the catalogs."""
    fields, rows, places = [], [], {}
    for image, plane in zip(images, planes, strict=True):
        if image.epoch not in places:
            places[image.epoch] = _placed(refcat, image.epoch, planes[0], earth)
        corners = _to_fit(plane, planes[0], *_corners(image))
        xy, sigma = places[image.epoch]
        near = _near(xy, sigma, corners, search_radius(options))
        used = _usable(image)
        sources = _sources(image, plane, planes[0], used)
        fields.append(
            make_field(
                sources,
                (xy[near], sigma[near]),
                corners,
                options["separation"],
                flux=None if image.flux is None else np.asarray(image.flux, float)[used],
                weight=None if image.weight is None else np.asarray(image.weight, float)[used],
                group=len(images),
            )
        )
        rows.append((used, near))
    return fields, rows


def _placed(refcat, epoch, plane, earth):
    """Positions and errors of the stars in a plane at an epoch, arcsec."""
    at = stars.propagate(refcat, epoch, earth)
    # the plane's axes are east and north where it touches the sky
    return plane.from_sky(at.ra, at.dec), np.stack([at.ra_error, at.dec_error], axis=-1) / 1000


def _near(xy, sigma, corners, margin):
    """Rows of the stars in the rectangle around an image, with a margin."""
    low, high = corners.min(axis=0) - margin, corners.max(axis=0) + margin
    with np.errstate(invalid="ignore"):
        good = np.all((xy >= low) & (xy <= high), axis=1) & np.all(np.isfinite(sigma), axis=1)
    return np.flatnonzero(good)


def _corners(image):
    """x and y of the corners of the bounding box, in order around it."""
    if image.wcs.bounding_box is None:
        raise InputError("its WCS has no bounding box", mend="rt-assignwcs makes one that has")
    (x0, x1), (y0, y1) = box_of(image.wcs)
    return np.array([x0, x1, x1, x0]), np.array([y0, y0, y1, y1])


def _usable(image):
    """Rows of the sources strictly within the bounding box (NaN are not), with a weight where there are weights."""
    x, y = _corners(image)
    with np.errstate(invalid="ignore"):
        good = (image.x > x[0]) & (image.x < x[1]) & (image.y > y[0]) & (image.y < y[2])
        if image.weight is not None:
            good &= np.asarray(image.weight) > 0
    return np.flatnonzero(good)


def _to_fit(plane, first, x, y):
    """Pixels of an image in the plane of the first image."""
    xy = tangent.pixel_to_plane(plane, x, y)
    return xy if plane is first else first.from_sky(*tangent.plane_to_sky(plane, xy))


def _sources(image, plane, first, used):
    """Positions and errors of sources in the plane of the fit, arcsec."""
    x, y = (np.asarray(values, float)[used] for values in (image.x, image.y))
    errors = np.stack([_errors(values, used) for values in (image.x_err, image.y_err)], axis=-1)
    middle = [values.mean() for values in _corners(image)]
    around = np.array(middle)[:, None] + [[-1, 1, 0, 0], [0, 0, -1, 1]]
    left, right, down, up = _to_fit(plane, first, *around)
    jacobian = np.stack([right - left, up - down], axis=-1) / 2
    return _to_fit(plane, first, x, y), np.sqrt(errors**2 @ (jacobian**2).T)


def _errors(values, used):
    if values is None:
        return np.full(len(used), UNKNOWN_ERROR_PIXEL)
    values = np.asarray(values, float)[used]
    with np.errstate(invalid="ignore"):
        known = np.where((values > 0) & np.isfinite(values), values, UNKNOWN_ERROR_PIXEL)
    return np.hypot(known, FLOOR_PIXEL)


def _limits(plane, corners, options):
    center = np.concatenate(corners).mean(axis=0)
    pivot = plane.from_v23(*WFI_CEN)
    return PointingLimits(center, pivot, options["searchrad"] + MARGIN, options["max_rotation"], options["max_scale"])


# -- results ----------------------------------------------------------------------------------------------------------


def _carried(image, plane, first, at, fit, *, name):
    """The corrected WCS of an image: the correction of the first image's plane, seen in its own."""
    matrix, shift = fit.matrix, fit.shift
    if plane is not first:
        r, t = tangent.linear_map(first, plane, at)
        matrix = r @ fit.matrix @ np.linalg.inv(r)
        shift = r @ fit.shift - matrix @ t + t
    return tangent.corrected_wcs(image.wcs, image.pointing, matrix, shift, name)


def _results(fit, count, images):
    return {
        "status": "SUCCESS",
        "fitgeom": fit.geometry,
        "matrix": fit.matrix.tolist(),
        "shift": fit.shift.tolist(),
        "center": fit.center.tolist(),
        **fitting.derived(fit.matrix),
        "rmse": fit.rmse,
        "mae": fit.mae,
        "nmatches": count,
        "n_detector": images,
    }


def _table(match, present, rows):
    image = np.array(present)[match.field]
    source = np.empty(len(image), np.int64)
    reference = np.empty(len(image), np.int64)
    for number in present:
        mine = image == number
        source[mine], reference[mine] = rows[number][0][match.source[mine]], rows[number][1][match.reference[mine]]
    (x, y), (x_sigma, y_sigma) = 1000 * match.residuals.T, 1000 * match.sigma.T
    return Matches(image, source, reference, x, y, x_sigma, y_sigma, match.fitted)
