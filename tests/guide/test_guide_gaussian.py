"""A Gaussian of free widths: exact for Gaussians, usable for other stars, in focus and out of it."""

import numpy as np
import pytest

from rtools.guide import fit_gaussians
from tests.support.guide_windows import READS, SIGMA, difference_of, gaussian_images, images_of, nominal_psf, observed

pytestmark = pytest.mark.slow


def test_golden_star_has_its_width():
    x, y = np.linspace(6.5, 8.2, 9), np.linspace(7.9, 6.1, 9)
    found = fit_gaussians(difference_of(20000 * gaussian_images(x, y) + 3))
    np.testing.assert_allclose([found.x, found.y], [x, y], rtol=1e-6)
    np.testing.assert_allclose([found.flux / 20000, found.background / 3], 1, rtol=1e-5)
    np.testing.assert_allclose([found.width_xx, found.width_yy], SIGMA**2, rtol=1e-5)


def test_errors_of_a_gaussian_star_are_true():
    rng = np.random.default_rng(1)
    x, y = 7.6 + 0.1 * rng.normal(size=2000), 7.2 + 0.1 * rng.normal(size=2000)
    found = fit_gaussians(difference_of(observed(5000 * gaussian_images(x, y), rng)))
    assert found.fitted.all()
    for place, true, variance in (
        (found.x, x, found.xx),
        (found.y, y, found.yy),
        (found.flux, 5000, found.flux_err**2),
    ):
        pull = (place - true) / np.sqrt(variance)
        assert abs(pull.mean()) < 0.08
        assert abs(pull.std() - 1) < 0.06
    assert abs(found.chi2.mean() - 1) < 0.02


def test_star_in_focus_is_found_to_four_hundredths_of_a_pixel():
    psf, phase = nominal_psf(), np.linspace(-0.5, 0.5, 11)
    found = fit_gaussians(
        difference_of(observed(20000 * images_of(psf, 8 + phase, 7 - phase), np.random.default_rng(2)))
    )
    np.testing.assert_allclose([found.x - 8, 7 - found.y], [phase, phase], atol=0.04)


def test_ring_out_of_focus():
    rng, (j, i) = np.random.default_rng(3), np.indices((64, 64))
    radius = np.hypot(i - 33.7, j - 28.2)
    ring = np.exp(-((radius - 9) ** 2) / 8)
    light = observed(np.repeat((1e5 * ring / ring.sum())[None], 20, axis=0), rng)
    found = fit_gaussians(difference_of(light))
    assert found.fitted.all()
    np.testing.assert_allclose(found.x, 33.7, atol=0.3)
    np.testing.assert_allclose(found.y, 28.2, atol=0.3)
    assert (found.width_xx > 20).all()


def test_hits_and_empty_windows():
    rng = np.random.default_rng(4)
    light = observed(5000 * gaussian_images(np.full(100, 7.6), np.full(100, 7.2)), rng)
    light[50, 3, 12] += 40000
    light[51, 3, 11] += 9000
    difference = difference_of(light)
    difference.masked[99] = True
    found = fit_gaussians(difference)
    np.testing.assert_allclose(found.x[50:52], 7.6, atol=0.1)
    assert (found.masked[50:52] > 0).all()
    assert not found.fitted[99]
    assert found.fitted[:99].all()
    assert len(fit_gaussians(difference_of(np.empty((0, 16, 16)), READS)).x) == 0


@pytest.mark.parametrize("ratio", [0.5, 2.0])
def test_widths_along_the_axes_are_told_apart(ratio):
    narrow = gaussian_images(7.6, 7.2)
    wide = sum(gaussian_images(7.6, 7.2 + shift) for shift in np.linspace(-1, 1, 21) * ratio) / 21
    found = fit_gaussians(difference_of([1e5 * narrow, 1e5 * wide, 1e5 * wide.T]))
    assert found.width_yy[1] > found.width_xx[1] + 0.2 * ratio**2
    np.testing.assert_allclose([found.width_xx[2], found.x[2]], [found.width_yy[1], found.y[1]], rtol=1e-3)
