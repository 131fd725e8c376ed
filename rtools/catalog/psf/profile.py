"""Profiles of light about a centre: of a PSF, and of a star of an image beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.reference.epsf import Psf, samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LightProfile", "half_maximum_width", "profile_of_psf", "profile_of_stamp", "radius_of_share"]

FINE = 8
"""Samples a pixel that the profile of a PSF is taken from: a ring's edge runs between samples."""


class LightProfile(NamedTuple):
    """Light about a centre, float64 (n,) each.

    Attributes
    ----------
    radius : ndarray
        Outer radii of the rings and circles, pixels.
    middle : ndarray
        Middle radii of the rings, pixels.
    brightness, brightness_err : ndarray
        Mean light of a ring's pixels in a pixel, as a share of the whole light.
    energy, energy_err : ndarray
        Share of the whole light within the circle.
    """

    radius: NDArray[np.float64]
    middle: NDArray[np.float64]
    brightness: NDArray[np.float64]
    brightness_err: NDArray[np.float64]
    energy: NDArray[np.float64]
    energy_err: NDArray[np.float64]


def profile_of_stamp(
    stamp: np.ndarray,
    centre: tuple[float, float],
    radii: np.ndarray,
    *,
    err: np.ndarray | None = None,
    mask: np.ndarray | None = None,
) -> LightProfile:
    """Profile of an image of a star, less its sky.

    Parameters
    ----------
    stamp : ndarray (rows, columns)
        Share of the light in each pixel.
    centre : (float, float)
        x and y of the star, pixels of the stamp.
    radii : ndarray (n,)
        Rising, positive; outer radii of rings and circles, pixels.
    err : ndarray (rows, columns), optional
        Errors of the pixels.
    mask : ndarray bool (rows, columns), optional
        Pixels that cannot be used. Rings leave them out; in a circle the mean of the ring that they are in stands for
        them.

    Returns
    -------
    LightProfile
        NaN for rings without a usable pixel, and for circles from there on.

    Raises
    ------
    InputError
        No pixel can be used.
    """
    from photutils.profiles import RadialProfile

    if mask is not None and mask.all():
        raise InputError("no pixel about the star can be used")
    edges = np.concatenate([[0.0], np.asarray(radii, float)])
    rings = RadialProfile(np.asarray(stamp, float), centre, edges, error=err, mask=mask)
    whole = np.pi * np.diff(edges**2)
    brightness, error = (np.asarray(values, float) for values in (rings.profile, rings.profile_error))
    error = error if error.size else np.zeros(len(radii))
    within, spread = np.cumsum(brightness * whole), np.sqrt(np.cumsum((error * whole) ** 2))
    return LightProfile(edges[1:], (edges[1:] + edges[:-1]) / 2, brightness, error, within, spread)


def profile_of_psf(psf: Psf, radii: np.ndarray, x: float | None = None, y: float | None = None) -> LightProfile:
    """Profile of a PSF, which has the width of the pixel in it.

    Parameters
    ----------
    psf : rtools.reference.epsf.Psf
        Per pixel.
    radii : ndarray (n,)
        Rising, positive, pixels.
    x, y : float, optional
        Where on the image, pixels; the middle of the PSF's grid if not given.

    Returns
    -------
    LightProfile
        Without errors: 0.
    """
    size = 2 * int(np.ceil(FINE * radii[-1])) + 3
    stamp = samples(psf, size, FINE, x, y)
    middle = (size - 1) / 2
    fine = profile_of_stamp(stamp, (middle, middle), np.asarray(radii) * FINE)
    return fine._replace(radius=fine.radius / FINE, middle=fine.middle / FINE, energy=fine.energy / FINE**2)


def half_maximum_width(psf: Psf, x: float | None = None, y: float | None = None) -> float:
    """Full width at half maximum of a PSF, the mean over all directions.

    Parameters
    ----------
    psf : rtools.reference.epsf.Psf
        Per pixel; the width of the pixel is in it.
    x, y : float, optional
        As for `profile_of_psf`.

    Returns
    -------
    float
        Pixels; twice the radius at which the mean of the samples on a circle falls to half of that at the centre. NaN
        where it does not.
    """
    from scipy.ndimage import map_coordinates

    radius = np.linspace(0, 8, 801)
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    size = 2 * 9 * FINE + 1
    stamp = samples(psf, size, FINE, x, y)
    places = 9 * FINE + FINE * radius[:, None] * np.stack([np.sin(angle), np.cos(angle)])[:, None, :]
    values = map_coordinates(stamp, places, order=3).mean(axis=1)
    below = np.flatnonzero(values < values[0] / 2)
    if not below.size:
        return float("nan")
    last = below[0]
    return 2 * float(np.interp(values[0] / 2, values[last - 1 : last + 1][::-1], radius[last - 1 : last + 1][::-1]))


def radius_of_share(profile: LightProfile, share: float) -> float:
    """Radius of the circle that holds a share of the light.

    Parameters
    ----------
    profile : LightProfile
        Of a PSF or a star.
    share : float
        Between 0 and 1.

    Returns
    -------
    float
        Pixels; NaN where the profile does not reach it.
    """
    radius = np.concatenate([[0.0], profile.radius])
    energy = np.concatenate([[0.0], profile.energy])
    above = np.flatnonzero(energy >= share)
    if not above.size or not above[0]:
        return float("nan")
    last = above[0]
    # Within a ring light grows with the area, so with the square of the radius.
    inner, outer = radius[last - 1] ** 2, radius[last] ** 2
    part = (share - energy[last - 1]) / (energy[last] - energy[last - 1])
    return float(np.sqrt(inner + part * (outer - inner)))
