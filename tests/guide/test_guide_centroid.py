"""Centroids of guide stars: golden numbers, errors as small as photons and reads allow, cosmic rays."""

import numpy as np
import pytest
from scipy.ndimage import spline_filter
from scipy.special import erf

from rtools.guide import Difference, GuidePsf, fit_psf, measure_moments

SIGMA = 0.6
READS = 13.81**2 / 2
SCALE = 110.0
"""mas of a pixel."""


def cell(centre, offset):
    """Share of a Gaussian in a pixel, along one axis."""
    edge = (offset - centre) / (np.sqrt(2) * SIGMA)
    half = 0.5 / (np.sqrt(2) * SIGMA)
    return (erf(edge + half) - erf(edge - half)) / 2


def gaussian_image(x, y):
    """The light of a Gaussian star in 16 × 16 pixels."""
    pixels = np.arange(16)
    return cell(y, pixels)[:, None] * cell(x, pixels)[None, :]


@pytest.fixture(scope="module")
def gaussian_psf():
    """The same Gaussian as a spline, with 16 samples a pixel."""
    offsets = np.arange(-24 * 16, 24 * 16 + 1) / 16
    line = cell(0.0, offsets)
    return GuidePsf(spline_filter(np.outer(line, line), order=3, mode="mirror"), 16, (0.0, 0.0, 0.0))


def bounds(flux, x, y):
    """Errors of x, y (mas) and flux by the inverse of the Fisher matrix of the exact derivatives."""
    pixels = np.arange(16)
    slope = [-np.diff(np.exp(-((np.arange(17) - 0.5 - at) ** 2) / 2 / SIGMA**2)) / np.sqrt(2 * np.pi) for at in (x, y)]
    light = gaussian_image(x, y)
    along_x = flux / SIGMA * np.outer(cell(y, pixels), slope[0])
    along_y = flux / SIGMA * np.outer(slope[1], cell(x, pixels))
    terms = np.stack([light, np.ones((16, 16)), along_x, along_y]).reshape(4, 256)
    covariance = np.linalg.inv(terms / (READS + flux * light.ravel()) @ terms.T)
    return SCALE * np.sqrt(covariance[2, 2]), SCALE * np.sqrt(covariance[3, 3]), np.sqrt(covariance[0, 0])


def difference_of(images, variance=READS):
    """Images of pairs without masked pixels."""
    images = np.asarray(images, np.float32).reshape(-1, *np.shape(images)[-2:])
    n, rows, columns = images.shape
    return Difference(
        images,
        np.zeros(images.shape, bool),
        np.full((rows, columns), variance, np.float32),
        np.zeros(n, bool),
        np.zeros(n, np.float32),
        None,
    )


def test_moment_of_the_golden_star():
    image = 20000 * gaussian_image(7.63, 7.21) + 3
    np.testing.assert_allclose(image[[7, 7, 6], [7, 8, 7]], [4363.95234, 5814.13996, 895.99598], rtol=1e-7)
    found = measure_moments(difference_of(image))
    np.testing.assert_allclose([found.x[0], found.y[0]], [7.6297046, 7.2106246], rtol=1e-7)
    np.testing.assert_allclose([found.flux[0], found.background[0]], [19980.4686, 3], rtol=1e-6)
    np.testing.assert_allclose([found.width_xx[0], found.width_yy[0]], [0.4416520, 0.4405524], rtol=1e-6)


def test_fit_of_the_golden_star(gaussian_psf):
    found = fit_psf(difference_of(20000 * gaussian_image(7.63, 7.21) + 3), gaussian_psf)
    assert found.fitted[0]
    np.testing.assert_allclose([found.x[0], found.y[0]], [7.63, 7.21], rtol=1e-6)
    np.testing.assert_allclose([found.flux[0], found.background[0]], [20000, 3], rtol=1e-6)
    np.testing.assert_allclose(SCALE * np.sqrt([found.xx[0], found.yy[0]]), [0.561571, 0.562153], rtol=1e-4)
    np.testing.assert_allclose(found.flux_err[0], 145.985, rtol=1e-4)


@pytest.mark.parametrize(
    ("flux", "expected"),
    [
        (500, (6.2421, 6.3560, 34.05)),
        (2000, (2.2772, 2.2551, 53.11)),
        (6000, (1.1272, 1.1197, 83.76)),
        (60000, (0.3101, 0.3108, 248.08)),
    ],
)
def test_bounds_of_the_golden_star(gaussian_psf, flux, expected):
    """The golden numbers have the derivatives of a coarser spline: they differ from the formula by up to 2.2e-4."""
    found = fit_psf(difference_of(flux * gaussian_image(7.63, 7.21)), gaussian_psf)
    errors = [SCALE * np.sqrt(found.xx[0]), SCALE * np.sqrt(found.yy[0]), found.flux_err[0]]
    np.testing.assert_allclose(errors, expected, rtol=2.5e-4)
    np.testing.assert_allclose(errors, bounds(flux, 7.63, 7.21), rtol=3e-5)
