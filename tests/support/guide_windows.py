"""Guide windows for tests: images of one star with photons, noise of reading and whole DN, and the PSF they are of."""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import map_coordinates, spline_filter
from scipy.special import erf

from rtools.guide import Difference, GuidePsf, psf_at
from rtools.reference import from_reference
from rtools.reference.builtin import Builtin

SIGMA = 0.6
"""Of the golden star, pixels."""

CDS_NOISE, GAIN = 13.81, 1.8
READS = CDS_NOISE**2 / 2
"""Variance of a difference of two readings averaged in pedestal and signal each, electrons²."""

SKY = 0.08
"""Electrons a pixel and pair."""

SCALE = 110.0
"""mas of a pixel."""


def cell(centre, offset):
    """Share of the golden star in a pixel, along one axis."""
    edge = (offset - centre) / (np.sqrt(2) * SIGMA)
    half = 0.5 / (np.sqrt(2) * SIGMA)
    return (erf(edge + half) - erf(edge - half)) / 2


def gaussian_images(x, y):
    """The light of golden stars in 16 × 16 pixels, one image for each place."""
    pixels = np.arange(16)
    x, y = np.asarray(x, float), np.asarray(y, float)
    return cell(y[..., None, None], pixels[:, None]) * cell(x[..., None, None], pixels[None, :])


def gaussian_psf():
    """The golden star as a spline, with 16 samples a pixel."""
    offsets = np.arange(-24 * 16, 24 * 16 + 1) / 16
    line = cell(0.0, offsets)
    return GuidePsf(spline_filter(np.outer(line, line), order=3, mode="mirror"), 16, (0.0, 0.0, 0.0))


def nominal_psf(element="F158"):
    """The built-in ePSF at the middle of a detector."""
    return psf_at(from_reference(Builtin("epsf", "WFI01", element)), 2043.5, 2043.5)


def images_of(psf, x, y, shape=(16, 16)):
    """The light of stars of flux 1, by the spline of scipy, one image for each place."""
    ny, nx = psf.coefficients.shape
    j, i = np.indices(shape)
    rows = (j - np.reshape(y, (-1, 1, 1))) * psf.oversample + (ny - 1) / 2
    columns = (i - np.reshape(x, (-1, 1, 1))) * psf.oversample + (nx - 1) / 2
    return map_coordinates(psf.coefficients, [rows, columns], order=3, mode="constant", prefilter=False)


def observed(light, rng):
    """Electrons of images with photons, noise of reading, and whole DN; the sky is not taken off."""
    electrons = rng.poisson(np.maximum(light, 0) + SKY) + rng.normal(0, CDS_NOISE / np.sqrt(2), light.shape)
    return GAIN * np.floor(electrons / GAIN + 0.5)


def difference_of(images, variance=READS):
    """Images of pairs without masked pixels."""
    images = np.asarray(images, np.float32).reshape(-1, *np.shape(images)[-2:])
    n, rows, columns = images.shape
    masked, plane = np.zeros(images.shape, bool), np.full((rows, columns), variance, np.float32)
    return Difference(images, masked, plane, np.zeros(n, bool), np.zeros(n, np.float32), None)


class Stars(NamedTuple):
    """Pairs of one star that moves, and where it is."""

    x: np.ndarray
    y: np.ndarray
    flux: float
    difference: Difference


def moving_stars(psf, flux, pairs, seed, rms=0.05):
    """Pairs of a star whose place scatters about the middle of the window."""
    rng = np.random.default_rng(seed)
    x, y = 7.63 + rms * rng.normal(size=pairs), 7.21 + rms * rng.normal(size=pairs)
    return Stars(x, y, flux, difference_of(observed(flux * images_of(psf, x, y), rng)))
