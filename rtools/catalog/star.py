"""A PSF at a place of an image: its numbers, and a star of the image beside it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.astrometry.pixels import on_image
from rtools.catalog.detect.segments import empty_segments
from rtools.catalog.measure import apertures, sky
from rtools.catalog.measure.image import MJYSR_BRIGHTNESS, errors_and_mask
from rtools.catalog.measure.measure import ANNULUS
from rtools.catalog.psf.profile import (
    LightProfile,
    half_maximum_width,
    profile_of_psf,
    profile_of_stamp,
    radius_of_share,
)
from rtools.errors import InputError, OutsideError
from rtools.reference.epsf import Psf, samples

if TYPE_CHECKING:
    from rtools.catalog.source_catalog import ImagePlanes

__all__ = ["SHARES", "PlacedPsf", "StarProfile", "compare_star", "numbers_of", "psf_at", "radii_of"]

SHARES = (0.5, 0.8, 0.95)
"""Shares of the light whose radii are told."""

STAMP = 61
"""Pixels on a side of the stamp that a star's profile is taken from, at least."""


class PlacedPsf(NamedTuple):
    """A PSF at one place.

    Attributes
    ----------
    psf : rtools.reference.epsf.Psf
        Per pixel.
    x, y : float
        The place, pixels.
    side : float
        Side of the pixels there, arcsec.
    """

    psf: Psf
    x: float
    y: float
    side: float


class StarProfile(NamedTuple):
    """A star beside the PSF.

    Attributes
    ----------
    x, y : float
        Where it is, pixels.
    flux, flux_err : float
        Its whole light, nJy; NaN without a PSF, where its light within the largest circle stands for it.
    profile : LightProfile
        Of the star.
    model : LightProfile or None
        Of the PSF on the same pixels; None without a PSF.
    stamp, model_stamp : ndarray or None
        Shares of the light in the pixels about it.
    gof : float
        Reduced chi-square of the PSF fit.
    """

    x: float
    y: float
    flux: float
    flux_err: float
    profile: LightProfile
    model: LightProfile | None
    stamp: np.ndarray
    model_stamp: np.ndarray | None
    gof: float


def psf_at(psf: Psf, planes: ImagePlanes, x: float, y: float) -> PlacedPsf:
    """A PSF with the size of the pixels at its place.

    Parameters
    ----------
    psf : rtools.reference.epsf.Psf
        Per pixel of the image.
    planes : rtools.catalog.source_catalog.ImagePlanes
        The image.
    x, y : float
        The place, pixels.

    Returns
    -------
    PlacedPsf
    """
    slopes = sky.local_slopes(planes.wcs, planes.data.shape, np.array([x]), np.array([y]))
    return PlacedPsf(psf, x, y, float(sky.sides(slopes)[0]))


def numbers_of(placed: PlacedPsf, radii: np.ndarray) -> tuple[LightProfile, dict[str, Any]]:
    """Profile of a PSF at its place, and what it says in a few numbers.

    Parameters
    ----------
    placed : PlacedPsf
        The PSF.
    radii : ndarray (n,)
        Rising, arcsec.

    Returns
    -------
    profile : LightProfile
        In pixels.
    numbers : dict
        ``fwhm``, ``radius_50`` … (arcsec), ``peak`` (largest share of the light in one pixel).
    """
    profile = profile_of_psf(placed.psf, radii / placed.side, placed.x, placed.y)
    width = half_maximum_width(placed.psf, placed.x, placed.y) * placed.side
    peak = float(samples(placed.psf, 1, 1, placed.x, placed.y)[0, 0])
    return profile, {"fwhm": width, **radii_of(profile, placed.side), "peak": peak}


def radii_of(profile: LightProfile, side: float) -> dict[str, float]:
    """Radii that hold `SHARES` of the light.

    Parameters
    ----------
    profile : LightProfile
        In pixels.
    side : float
        Of the pixels, arcsec.

    Returns
    -------
    dict of str to float
        ``radius_50`` … in arcsec; NaN where the profile does not reach the share.
    """
    return {f"radius_{100 * share:.0f}": radius_of_share(profile, share) * side for share in SHARES}


def compare_star(planes: ImagePlanes, placed: PlacedPsf, radii: np.ndarray, *, has_psf: bool = True) -> StarProfile:
    """The star next to a place, and the PSF on the same pixels.

    Parameters
    ----------
    planes : rtools.catalog.source_catalog.ImagePlanes
        The image, with its sky.
    placed : PlacedPsf
        Where the star is, to a pixel or two, and the PSF there.
    radii : ndarray (n,)
        Rising, arcsec.
    has_psf : bool
        Whether the PSF is one; without it the star's own light within the largest circle is its whole light.

    Returns
    -------
    StarProfile

    Raises
    ------
    InputError
        The place is not on the image, or no pixel there can be used.
    """
    err, mask = errors_and_mask(planes.data, planes.err, planes.dq)
    data = np.ascontiguousarray(planes.data, np.float32)
    rows, columns = data.shape
    x, y = _brightest(data, mask, placed.x, placed.y)
    segments, centres = empty_segments(data.shape, 1), (np.array([x]), np.array([y]))
    ring = apertures.annulus(data, segments, mask, centres, radii=np.array(ANNULUS) / placed.side)
    level = float(ring.median[0])
    if not np.isfinite(level):
        raise InputError("no pixel of the ring of sky about the star can be used")
    flux, flux_err, gof = 1.0, np.nan, np.nan
    if has_psf:
        x, y, flux, flux_err, gof = _fitted(planes, data, err, mask, (x, y), placed.psf, level)
    else:
        x, y = _centroid(data - level, mask, x, y)
    half = max(STAMP // 2, int(np.ceil(radii[-1] / placed.side)) + 1)
    left, low = round(x) - half, round(y) - half
    part = slice(max(low, 0), min(low + 2 * half + 1, rows)), slice(max(left, 0), min(left + 2 * half + 1, columns))
    centre = x - part[1].start, y - part[0].start
    stamp, error = (data[part] - level) / flux, err[part] / abs(flux)
    within = {"err": np.where(mask[part], 0, error), "mask": mask[part]}
    profile = profile_of_stamp(np.where(mask[part], 0, stamp), centre, radii / placed.side, **within)
    if not has_psf:
        whole = profile.energy[-1]
        profile = LightProfile(profile.radius, profile.middle, *(one / whole for one in profile[2:]))
        return StarProfile(x, y, np.nan, np.nan, profile, None, np.where(mask[part], np.nan, stamp / whole), None, gof)
    model = samples(placed.psf, 2 * half + 1, 1, x, y, shift=(x - round(x), y - round(y)))
    model = model[part[0].start - low : part[0].stop - low, part[1].start - left : part[1].stop - left]
    expected = profile_of_stamp(model, centre, radii / placed.side, mask=mask[part])
    nanojansky = float(planes.to_mjysr * MJYSR_BRIGHTNESS) * placed.side**2
    return StarProfile(x, y, flux * nanojansky, flux_err * nanojansky, profile, expected,
                       np.where(mask[part], np.nan, stamp), model, gof)  # fmt: skip


def _brightest(data, mask, x, y):
    """The brightest good pixel within two pixels of a place."""
    if not on_image(data.shape, x, y):
        raise OutsideError(f"{x:g},{y:g} is not on the image")
    row, column = max(round(y) - 2, 0), max(round(x) - 2, 0)
    near = slice(row, round(y) + 3), slice(column, round(x) + 3)
    if mask[near].all():
        raise InputError(f"no pixel at {x:g},{y:g} can be used")
    place = np.unravel_index(np.argmax(np.where(mask[near], -np.inf, data[near])), data[near].shape)
    return float(column + place[1]), float(row + place[0])


def _fitted(planes, data, err, mask, place, psf, level):
    """Place, flux, its error and the goodness of the fit of the PSF to a star."""
    from rtools.catalog.psf import psffit

    x, y = (np.array([one]) for one in place)
    fit = psffit.fit(data, err, mask, x, y, psf=psf, var_poisson=planes.var_poisson, background=planes.sky,
                     level=np.array([level]))  # fmt: skip
    found = [float(one[0]) for one in (fit.x, fit.y, fit.flux, fit.flux_err, fit.gof)]
    if not np.isfinite(found[:4]).all() or found[2] <= 0:
        raise InputError(f"no star at {place[0]:g},{place[1]:g}: the PSF cannot be fitted")
    return found


def _centroid(data, mask, x, y):
    """Centre of a star by a parabola through its brightest pixels, which must have its peak among them."""
    from astropy.utils.exceptions import AstropyUserWarning
    from photutils.centroids import centroid_quadratic

    column, row = round(x), round(y)
    part = slice(max(row - 3, 0), row + 4), slice(max(column - 3, 0), column + 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error", AstropyUserWarning)  # so it says that there is no peak
        try:
            found = centroid_quadratic(np.where(mask[part], 0.0, data[part]).astype(float), mask=mask[part])
        except AstropyUserWarning:
            found = np.full(2, np.nan)
    if not np.isfinite(found).all():
        raise InputError(f"no star at {x:g},{y:g}: its light has no peak there")
    return float(found[0]) + part[1].start, float(found[1]) + part[0].start
