"""The PSF of an image, measured on its own stars.

Which stars are taken, their sky, and the scale of the result are ours; the effective PSF itself is built by photutils
(`EPSFBuilder`), after Anderson & King (2000, PASP 112, 1360): the residuals of all stars on a finer grid, smoothed, and
the places of the stars again, in turns.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.catalog.detect.segments import empty_segments
from rtools.catalog.measure import apertures
from rtools.errors import InputError
from rtools.reference.epsf import Psf
from rtools.work.statistics import MAD_TO_SIGMA

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CORE", "LEAST_STARS", "MeasuredPsf", "StarChoice", "choose_stars", "measure_psf"]

LEAST_STARS = 5
"""With fewer stars there is no telling what is star and what is noise or a neighbour."""

SAMPLES = 4
"""Samples a pixel of the result, as the references have them."""

BLENDED = 0.02
"""A neighbour within the stamp that has more than this share of a star's light spoils the star."""

POINTED = 3.0
"""Robust standard deviations about the median concentration of bright sources within which a source is a star."""

CORE = 15
"""Pixels on a side of the middle of a stamp."""

TURNS = 10
"""Times that the PSF is built from the stars, and the stars placed by the PSF."""


class StarChoice(NamedTuple):
    """Which sources are stars to measure a PSF of.

    Attributes
    ----------
    most : int
        So many of the brightest.
    snr : float
        Least signal-to-noise ratio.
    size : int
        Side of the stamps, pixels, odd.
    """

    most: int = 150
    snr: float = 50.0
    size: int = 41


class MeasuredPsf(NamedTuple):
    """A PSF that was measured.

    Attributes
    ----------
    psf : rtools.reference.epsf.Psf
        One stamp; its sum is oversample² times the share of the light that it holds.
    stars : ndarray float64 (n, 2)
        x and y of the stars that it was made of, pixels, as it places them.
    """

    psf: Psf
    stars: NDArray[np.float64]


def choose_stars(
    values: Mapping[str, np.ndarray], mask: np.ndarray, spoiled: np.ndarray | None, choice: StarChoice
) -> np.ndarray:
    """Which sources of a catalog are isolated stars without a bad pixel near their centres.

    Parameters
    ----------
    values : mapping of str to ndarray (n,)
        Columns of the catalog: x_centroid, y_centroid, and fluxes aper02_flux, aper04_flux with the error of the
        latter.
    mask : ndarray bool (rows, columns)
        Pixels that cannot be used.
    spoiled : ndarray bool (rows, columns), optional
        Pixels whose light is not to be trusted where a star is brightest, as saturated ones.
    choice : StarChoice
        Limits.

    Returns
    -------
    ndarray int64 (k,)
        Rows of the catalog, the brightest first.
    """
    from scipy.spatial import cKDTree

    x, y, flux = (np.asarray(values[name], float) for name in ("x_centroid", "y_centroid", "aper04_flux"))
    with np.errstate(divide="ignore", invalid="ignore"):
        concentration = np.asarray(values["aper02_flux"], float) / flux
        significant = flux / np.asarray(values["aper04_flux_err"], float) > choice.snr
    half = choice.size // 2 + 1
    rows, columns = mask.shape
    inside = (x >= half) & (y >= half) & (x <= columns - 1 - half) & (y <= rows - 1 - half)
    good = np.isfinite(x) & np.isfinite(y) & (flux > 0) & significant & inside
    if not good.any():
        return np.zeros(0, np.int64)
    bad = mask if spoiled is None else mask | spoiled
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    tree = cKDTree(np.stack([x[known], y[known]], axis=1))
    for one in np.flatnonzero(good):
        near = known[tree.query_ball_point((x[one], y[one]), half * np.sqrt(2))]
        blended = np.any(np.nan_to_num(flux[near[near != one]]) > BLENDED * flux[one])
        column, row = round(x[one]), round(y[one])
        good[one] = not (blended or bad[row - 2 : row + 3, column - 2 : column + 3].any())
    chosen = np.flatnonzero(good)
    chosen = chosen[_pointed(concentration[chosen])]
    return chosen[np.argsort(-flux[chosen], kind="stable")][: choice.most]


def _pointed(concentration):
    """Which sources are as concentrated as stars, which are the most concentrated of an image, and many."""
    upper = np.quantile(concentration, 0.75) if concentration.size else np.nan
    centre = np.median(concentration[concentration > upper - 0.1]) if concentration.size else np.nan
    near = np.abs(concentration - centre) < 0.1
    spread = MAD_TO_SIGMA * np.median(np.abs(concentration[near] - centre)) if near.any() else 0.0
    return np.abs(concentration - centre) <= max(POINTED * spread, 0.005)


def measure_psf(
    data: np.ndarray,
    err: np.ndarray,
    mask: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    *,
    ring: tuple[float, float],
    size: int = 41,
    core: float | None = None,
) -> MeasuredPsf:
    """Measure the PSF on stars.

    Parameters
    ----------
    data, err : ndarray float32 (rows, columns)
        The image, with its sky, and its error.
    mask : ndarray bool (rows, columns)
        Pixels that cannot be used.
    x, y : ndarray float64 (n,)
        About where the stars are, pixels.
    ring : (float, float)
        Radii of the ring about each star that its sky is taken from, pixels.
    size : int
        Side of the stamps, pixels, odd.
    core : float, optional
        Share of a star's light in the `CORE` × `CORE` pixels about it, which sets the scale of the result: there the
        light of the star that is in the ring of sky matters least. By default a stamp holds all light.

    Returns
    -------
    MeasuredPsf
        One PSF for all of the image.

    Raises
    ------
    InputError
        There are fewer than `LEAST_STARS` stars, or they tell no PSF.
    """
    if len(x) < LEAST_STARS:
        raise InputError(f"{len(x)} isolated stars without bad pixels, and {LEAST_STARS} are needed")
    segments = empty_segments(data.shape, len(x))
    sky = apertures.annulus(np.ascontiguousarray(data, np.float32), segments, mask, (x, y), radii=np.array(ring)).median
    from photutils.psf import EPSFBuilder, EPSFStars

    stars = EPSFStars([_star(data, err, mask, place, size) for place in zip(x, y, sky, strict=True)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            built = EPSFBuilder(oversampling=SAMPLES, maxiters=TURNS, progress_bar=False)(stars)
        except (ValueError, TypeError) as error:
            raise InputError(f"the stars tell no PSF ({' '.join(str(error).split())[:120]})") from None
    samples = np.array(built.epsf.data, float)
    if not np.isfinite(samples).all() or samples.sum() <= 0:
        raise InputError("the stars tell no PSF: it has values that are not numbers")
    middle = np.abs(np.arange(len(samples)) - (len(samples) - 1) / 2) <= SAMPLES * CORE / 2
    light = samples.sum() if core is None else samples[np.ix_(middle, middle)].sum() / core
    samples *= SAMPLES**2 / light
    places = np.array([star.center for star in built.fitted_stars.all_good_stars], float).reshape(-1, 2)
    return MeasuredPsf(Psf(samples[None], SAMPLES, np.zeros(1), np.zeros(1)), places)


def _star(data, err, mask, place, size):
    """A star as photutils takes it: less its sky, weighed by its errors, without the pixels that cannot be used."""
    from photutils.psf import EPSFStar

    x, y, sky = place
    left, low = round(x) - size // 2, round(y) - size // 2
    part = slice(low, low + size), slice(left, left + size)
    weights = np.where(mask[part], 0.0, 1 / np.where(mask[part], 1.0, err[part].astype(float)))
    pixels = np.where(mask[part], 0.0, data[part] - sky)
    return EPSFStar(pixels, weights=weights, cutout_center=(x - left, y - low), origin=(left, low))
