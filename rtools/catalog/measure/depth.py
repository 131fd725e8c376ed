"""How deep an image is: the magnitude of the faintest point source that it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtools.catalog.measure.measure import ab_magnitude
from rtools.work.statistics import MAD_TO_SIGMA

if TYPE_CHECKING:
    from rtools.catalog.measure.image import Image

__all__ = ["limiting_magnitude"]

SNR = 5.0

PLACES = 10_000
"""Places at which the noise is measured, about; it is then known to 1 %."""

LEAST = 100
"""With fewer places the noise is taken from the errors of the pixels."""


def limiting_magnitude(image: Image, labels: np.ndarray, stamp: np.ndarray) -> float | None:
    """AB magnitude of a point source of S/N 5, its flux that of the PSF fitted at a known place.

    The noise of such fluxes is measured: the PSF P is fitted, all pixels weighing alike, at some ten thousand places of
    a regular grid whose surroundings hold no source, and the scatter s of these fluxes taken (1.4826 times the median
    absolute deviation). So correlated noise and what is left of the background count. Where there are too few such
    places the errors of the pixels stand for it: s = median err / sqrt(sum P^2). The photons of the source add k flux P
    to the variance of each pixel, and so k flux sum P^3 / (sum P^2)^2 to s^2, where k is the ratio of var_poisson to
    the light in the image; the flux that is 5 times its error then solves flux^2 = 25 (s^2 + photons flux).

    Parameters
    ----------
    image : rtools.catalog.measure.image.Image
        Background subtracted.
    labels : ndarray int32 (rows, columns)
        Of sources; 0 elsewhere.
    stamp : ndarray (side, side)
        The PSF per pixel, its sum the light in it; the side is odd.

    Returns
    -------
    float or None
        None where no pixel can be used.
    """
    free = ~image.mask
    if not free.any():
        return None
    total = float(np.sum(np.square(stamp, dtype=float)))
    step = max(1, int(np.sqrt(image.data.size / PLACES)))
    fluxes = _fluxes(image, free & (labels == 0), stamp, step)
    if len(fluxes) >= LEAST:
        noise = MAD_TO_SIGMA * float(np.median(np.abs(fluxes - np.median(fluxes))))
    else:
        noise = float(np.median(image.err[::step, ::step][free[::step, ::step]], axis=None)) / total**0.5
    if not 0 < noise < np.inf:
        return None
    photons = SNR**2 * _variance_of_light(image, free, step) * float(np.sum(np.asarray(stamp, float) ** 3)) / total**2
    flux = photons / 2 + np.hypot(photons / 2, SNR * noise)
    return float(ab_magnitude(flux * image.brightness * image.side**2, 0.0)[0])


def _variance_of_light(image, free, step):
    """Variance that a unit of light in a pixel has; 0 where the image does not say it."""
    if image.var_poisson is None or image.background is None:
        return 0.0
    places = (slice(None, None, step), slice(None, None, step))
    seen = free[places]
    background = np.broadcast_to(image.background, image.data.shape)[places][seen]
    light = float(np.median(image.data[places][seen] + background)) if seen.any() else 0.0
    variance = float(np.nanmedian(image.var_poisson[places][seen])) if light > 0 else 0.0
    return variance / light if light > 0 and 0 < variance < np.inf else 0.0


def _fluxes(image, usable, stamp, step):
    """Fluxes of the PSF at places of a grid, all brought to the noise that they have where every pixel is usable."""
    side = len(stamp)
    if min(image.data.shape) < side:
        return np.zeros(0)
    windows = np.lib.stride_tricks.sliding_window_view
    good = windows(usable, (side, side))[::step, ::step]
    data = windows(image.data, (side, side))[::step, ::step]
    psf = np.asarray(stamp, float)
    fluxes = []
    for rows, pixels in zip(good, data, strict=True):
        weight = np.einsum("nij,ij->n", rows, psf**2)
        whole = weight > 0.9 * np.sum(psf**2)
        light = np.where(rows[whole], pixels[whole], 0.0)
        fluxes.append(np.einsum("nij,ij->n", light, psf) / np.sqrt(weight[whole] * np.sum(psf**2)))
    return np.concatenate(fluxes)
