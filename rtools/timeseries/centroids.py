"""Where the target of a series of images is in each of them, and how wide: centre of mass, and a fit of a Gaussian."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["GaussianFits", "box_about", "centre_of_mass", "fit_gaussians"]

ROUNDS = 60
"""Rounds of a fit at most."""

ENOUGH = 1e-9
"""A fit has ended when widths change by less, relative."""


class GaussianFits(NamedTuple):
    """Gaussians fitted to the target, one for each image; NaN where a fit did not end.

    Attributes
    ----------
    width_x, width_y : ndarray of float64
        Standard deviations, pixels.
    flux : ndarray of float64
        Their integrals, in the unit of the images.
    """

    width_x: np.ndarray
    width_y: np.ndarray
    flux: np.ndarray


def box_about(centre: float, width: int, length: int) -> slice:
    """Pixels of one axis in a box about a place, as far as the image goes.

    Parameters
    ----------
    centre : float
        In pixels from 0.
    width : int
        Pixels of the box; odd.
    length : int
        Of the axis.

    Returns
    -------
    slice
    """
    first = int(np.ceil(centre - width / 2))
    return slice(max(0, min(first, length)), max(0, min(first + width, length)))


def centre_of_mass(
    image: np.ndarray, usable: np.ndarray, start: tuple[float, float], *, width: int, radius: float
) -> tuple[float, float, float]:
    """Centre of the light in a box, above the median of what is further away.

    Parameters
    ----------
    image : ndarray (rows, columns)
        One image.
    usable : ndarray of bool (rows, columns)
        Pixels that count.
    start : (float, float)
        x and y of the middle of the box, pixels from 0.
    width : int
        Pixels of the box along each axis; odd.
    radius : float
        Pixels about the start that are no background.

    Returns
    -------
    (float, float, float)
        x and y of the centre, NaN where there is none in the image; and the background.
    """
    rows, columns = image.shape
    nowhere = np.nan, np.nan
    if not (0 <= start[0] <= columns - 1 and 0 <= start[1] <= rows - 1):
        return *nowhere, np.nan
    far = np.hypot(np.arange(columns) - start[0], (np.arange(rows) - start[1])[:, None]) >= radius
    sky = image[far & usable]
    background = float(np.median(sky)) if sky.size else 0.0
    y, x = box_about(start[1], width, rows), box_about(start[0], width, columns)
    light = np.where(usable[y, x], image[y, x] - np.float64(background), 0.0)
    total = light.sum()
    if abs(total) < 1e-30:
        return *nowhere, background
    found = (
        float(np.arange(x.start, x.stop) @ light.sum(axis=0) / total),
        float(np.arange(y.start, y.stop) @ light.sum(axis=1) / total),
    )
    inside = 0 <= found[0] < columns and 0 <= found[1] < rows
    return *(found if inside else nowhere), background


def fit_gaussians(light: np.ndarray, usable: np.ndarray, x: np.ndarray, y: np.ndarray, *, width: int) -> GaussianFits:
    """Fit a Gaussian, integrated over pixels, to each of several small images; its centre is fixed.

    With a standard deviation along each axis and the flux F, the light of a pixel is
    :math:`F\\,g(x; s_x)\\,g(y; s_y)`, where g is the difference of the error function at both edges of the pixel. All
    pixels weigh alike. F follows from the widths linearly, so that only these are searched for (variable projection,
    Golub & Pereyra 1973), by the method of Levenberg and Marquardt, in all images at a time.

    Parameters
    ----------
    light : ndarray of float64 (images, rows, columns)
        Without background.
    usable : ndarray of bool (images, rows, columns)
        Pixels that count.
    x, y : ndarray of float64 (images,)
        The centres, pixels of the small images from 0.
    width : int
        Where the search begins, and ends: at half of it and at all of it, as full width at half maximum.

    Returns
    -------
    GaussianFits
    """
    number, rows, columns = light.shape
    data, mask = np.where(usable, light, 0.0), usable.astype(np.float64)
    places = np.arange(rows)[None] - y[:, None], np.arange(columns)[None] - x[:, None]
    largest = width / np.sqrt(8 * np.log(2))
    widths, damping = np.full((number, 2), largest / 2), np.full(number, 1e-3)
    error, flux, step = _normal(data, mask, places, widths, damping)
    going = np.isfinite(error)
    ended = np.zeros(number, bool)
    for _ in range(ROUNDS):
        tried = np.clip(widths + np.where(going[:, None], step, 0.0), 1e-3, largest)
        new_error, new_flux, new_step = _normal(data, mask, places, tried, damping)
        better = going & (new_error <= error)
        ended |= better & (np.abs(tried / widths - 1).max(axis=1) < ENOUGH)
        widths[better], error[better], flux[better] = tried[better], new_error[better], new_flux[better]
        damping = np.where(better, damping / 10, damping * 10)
        ended |= going & (damping > 1e12)
        going &= ~ended
        if not going.any():
            break
        again = going & ~better
        step[better] = new_step[better]
        if again.any():
            step[again] = _normal(data[again], mask[again], [one[again] for one in places], widths[again],
                                  damping[again])[2]  # fmt: skip
    good = ended & (flux > 0) & (widths < largest * (1 - 1e-9)).all(axis=1)
    sizes = np.where(good[:, None], widths, np.nan)
    return GaussianFits(sizes[:, 1], sizes[:, 0], np.where(good, flux, np.nan))


def _normal(data, mask, places, widths, damping):
    """Sum of squares, flux, and the next step of the widths, of each image; widths are those of rows and columns."""
    (down, down_by), (across, across_by) = (_profile(place, widths[:, n]) for n, place in enumerate(places))
    shape = down[:, :, None] * across[:, None] * mask
    norm = np.einsum("nij,nij->n", shape, shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        flux = np.einsum("nij,nij->n", data, shape) / norm
    rest = data - flux[:, None, None] * shape
    by = [one * mask for one in (down_by[:, :, None] * across[:, None], down[:, :, None] * across_by[:, None])]
    with np.errstate(invalid="ignore", divide="ignore"):
        free = [one - (np.einsum("nij,nij->n", one, shape) / norm)[:, None, None] * shape for one in by]
    slope = np.stack([flux * np.einsum("nij,nij->n", one, rest) for one in by], axis=-1)
    curve = np.empty((*flux.shape, 2, 2))
    for i in range(2):
        for j in range(2):
            curve[:, i, j] = flux**2 * np.einsum("nij,nij->n", free[i], free[j])
    diagonal = np.einsum("nii->ni", curve)
    diagonal *= 1 + damping[:, None]
    determinant = curve[:, 0, 0] * curve[:, 1, 1] - curve[:, 0, 1] ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        step = np.stack(
            [
                curve[:, 1, 1] * slope[:, 0] - curve[:, 0, 1] * slope[:, 1],
                curve[:, 0, 0] * slope[:, 1] - curve[:, 0, 1] * slope[:, 0],
            ],
            axis=-1,
        ) / determinant[:, None]  # fmt: skip
    return np.einsum("nij,nij->n", rest, rest), flux, np.nan_to_num(step, nan=0.0, posinf=0.0, neginf=0.0)


def _profile(place, width):
    """Share of a Gaussian in each pixel of an axis, and its derivative by the standard deviation."""
    from scipy.special import erf

    edges = np.stack([place - 0.5, place + 0.5]) / (np.sqrt(2) * width[:, None])
    low, high = erf(edges)
    bell = edges * np.exp(-(edges**2))
    return 0.5 * (high - low), -(bell[1] - bell[0]) / (np.sqrt(np.pi) * width[:, None])
