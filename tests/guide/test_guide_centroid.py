"""Centroids of guide stars: golden numbers, errors as small as photons and reads allow, cosmic rays."""

import numpy as np
import pytest

from rtools.guide import fit_psf, measure_moments, measure_motion
from rtools.work import Work
from tests.support.guide_motion import CYCLE_S, centres, golden_motion
from tests.support.guide_windows import (
    CDS_NOISE,
    GAIN,
    READS,
    SCALE,
    SIGMA,
    SKY,
    cell,
    difference_of,
    gaussian_images,
    gaussian_psf,
    images_of,
    moving_stars,
    nominal_psf,
    observed,
)

pytestmark = pytest.mark.slow

ELECTRONS = {12: 107503.0, 13: 42798.0, 14: 17038.0, 15: 6783.0, 16: 2700.0, 17: 1075.0}
"""Of a star of such an AB magnitude in F158, in a pair."""


@pytest.fixture(scope="module")
def golden_psf():
    return gaussian_psf()


@pytest.fixture(scope="module")
def psf():
    return nominal_psf()


def bounds(flux, x, y):
    """Errors of x, y (mas) and flux by the inverse of the Fisher matrix of the exact derivatives."""
    pixels = np.arange(16)
    slope = [-np.diff(np.exp(-((np.arange(17) - 0.5 - at) ** 2) / 2 / SIGMA**2)) / np.sqrt(2 * np.pi) for at in (x, y)]
    light = gaussian_images(x, y)
    along_x = flux / SIGMA * np.outer(cell(y, pixels), slope[0])
    along_y = flux / SIGMA * np.outer(slope[1], cell(x, pixels))
    terms = np.stack([light, np.ones((16, 16)), along_x, along_y]).reshape(4, 256)
    covariance = np.linalg.inv(terms / (READS + flux * light.ravel()) @ terms.T)
    return SCALE * np.sqrt(covariance[2, 2]), SCALE * np.sqrt(covariance[3, 3]), np.sqrt(covariance[0, 0])


def test_moment_of_the_golden_star():
    image = 20000 * gaussian_images(7.63, 7.21) + 3
    np.testing.assert_allclose(image[[7, 7, 6], [7, 8, 7]], [4363.95234, 5814.13996, 895.99598], rtol=1e-7)
    found = measure_moments(difference_of(image))
    np.testing.assert_allclose([found.x[0], found.y[0]], [7.6297046, 7.2106246], rtol=1e-7)
    np.testing.assert_allclose([found.flux[0], found.background[0]], [19980.4686, 3], rtol=1e-6)
    np.testing.assert_allclose([found.width_xx[0], found.width_yy[0]], [0.4416520, 0.4405524], rtol=1e-6)


def test_fit_of_the_golden_star(golden_psf):
    found = fit_psf(difference_of(20000 * gaussian_images(7.63, 7.21) + 3), golden_psf)
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
def test_bounds_of_the_golden_star(golden_psf, flux, expected):
    """The golden numbers have the derivatives of a coarser spline: they differ from the formula by up to 2.2e-4."""
    found = fit_psf(difference_of(flux * gaussian_images(7.63, 7.21)), golden_psf)
    errors = [SCALE * np.sqrt(found.xx[0]), SCALE * np.sqrt(found.yy[0]), found.flux_err[0]]
    np.testing.assert_allclose(errors, expected, rtol=2.5e-4)
    np.testing.assert_allclose(errors, bounds(flux, 7.63, 7.21), rtol=3e-5)


def test_golden_exposure(golden_psf):
    t = centres(720)
    x, y = (at + golden_motion(axis).means(t) / SCALE for at, axis in ((7.63, "x"), (7.21, "y")))
    rng, light = np.random.default_rng(3), 17000 * gaussian_images(x, y)
    electrons = rng.poisson(light + SKY) + rng.normal(0, CDS_NOISE / np.sqrt(2), light.shape)
    dn = np.floor(electrons / GAIN + 0.5)
    assert (list(dn[0, 7, 7:9]), dn.sum()) == ([2051, 2717], 6809322)
    found = fit_psf(difference_of(GAIN * dn), golden_psf)
    covariance = SCALE**2 * np.stack([found.xx, found.yy, found.xy], axis=1)
    motion = measure_motion(t, SCALE * found.x, SCALE * found.y, covariance, np.arange(720) >= 16, cycle_s=CYCLE_S)
    np.testing.assert_allclose(motion.measured, [45.8906, 28.6059, -0.2795], rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(motion.noise, [0.3772, 0.3775, -0.0002], rtol=2e-3, atol=1e-4)
    np.testing.assert_allclose([motion.xx, motion.yy, motion.xy], [45.5135, 28.2284, -0.2793], rtol=2e-3, atol=2e-3)
    error = SCALE * np.array([(found.x - x)[16:].std(), (found.y - y)[16:].std()])
    np.testing.assert_allclose(error, [0.6193, 0.6112], rtol=5e-3)
    flux = found.flux[16:]
    np.testing.assert_allclose(
        [flux.mean(), flux.std(ddof=1), np.median(found.chi2[16:])], [16992.6, 135.2, 1.008], rtol=2e-3
    )


@pytest.mark.parametrize("magnitude", [12, 15, 17])
def test_places_and_fluxes_are_as_good_as_they_can_be(psf, magnitude):
    stars = moving_stars(psf, ELECTRONS[magnitude], 4000, seed=magnitude)
    assert_at_the_bound(stars, fit_psf(stars.difference, psf))


def assert_at_the_bound(stars, found):
    """Scatter and bias of places and fluxes against the errors that are given."""
    assert found.fitted.all()
    for place, true, variance in ((found.x, stars.x, found.xx), (found.y, stars.y, found.yy)):
        pull = (place - true) / np.sqrt(variance)
        assert abs(pull.mean()) < 0.05
        assert abs(pull.std() - 1) < 0.05
        assert np.sqrt(np.mean((place - true) ** 2)) < 1.05 * np.sqrt(variance.mean())
    assert abs(found.flux.mean() / stars.flux - 1) < 0.005
    assert found.flux.std() < 1.05 * found.flux_err.mean()
    assert abs(found.background.mean() - SKY) < 0.05
    assert abs(found.chi2.mean() - 1) < 0.02


def test_covariance_of_the_place_is_that_of_its_errors(psf):
    """Of a star between pixels of a PSF that is turned, x and y are correlated."""
    turned = psf._replace(coefficients=np.roll(psf.coefficients, 2, axis=1) + np.roll(psf.coefficients, (3, 5), (0, 1)))
    stars = moving_stars(turned, 2e4, 3000, seed=5, rms=0.01)
    found = fit_psf(stars.difference, turned)
    scatter = np.cov(found.x - stars.x, found.y - stars.y)
    np.testing.assert_allclose(scatter[[0, 1], [0, 1]], [found.xx.mean(), found.yy.mean()], rtol=0.1)
    assert scatter[0, 1] / np.sqrt(scatter[0, 0] * scatter[1, 1]) == pytest.approx(
        found.xy.mean() / np.sqrt(found.xx.mean() * found.yy.mean()), abs=0.06
    )
    assert abs(found.xy.mean()) > 0.02 * found.xx.mean()


def test_rows_and_columns_of_a_window_that_is_no_square(psf):
    light = 1e5 * images_of(psf, [4.3, 5.1], [21.7, 9.4], (32, 12))
    found = fit_psf(difference_of(light), psf)
    np.testing.assert_allclose(found.x, [4.3, 5.1], atol=1e-5)
    np.testing.assert_allclose(found.y, [21.7, 9.4], atol=1e-5)
    moments = measure_moments(difference_of(light))
    np.testing.assert_allclose([moments.x[0], moments.y[0]], [4.3, 21.7], atol=0.05)


@pytest.mark.parametrize("element", ["F062", "F146", "F213"])
def test_pixels_of_any_phase_leave_no_trace(element):
    psf = nominal_psf(element)
    phase = np.linspace(-0.5, 0.5, 21)
    found = fit_psf(difference_of(1e6 * images_of(psf, 8 + phase, 7 - phase)), psf)
    np.testing.assert_allclose([found.x - 8, 7 - found.y], [phase, phase], atol=2e-6)
    np.testing.assert_allclose(found.flux, 1e6, rtol=1e-5)
    np.testing.assert_allclose([found.width_xx, found.width_xy], 0, atol=1e-5)


@pytest.mark.parametrize("magnitude", [13, 15, 16])
def test_hits_of_cosmic_rays_are_masked_and_change_little(psf, magnitude):
    """A pixel of each tenth pair is hit, within 3.5 pixels of the star."""
    stars = moving_stars(psf, ELECTRONS[magnitude], 2000, seed=6)
    images, rng, hit = stars.difference.images.copy(), np.random.default_rng(7), np.arange(5, 2000, 10)
    images[hit, rng.integers(4, 11, 200), rng.integers(4, 11, 200)] += 10 ** rng.uniform(2.5, 4.3, 200)
    found = fit_psf(stars.difference._replace(images=images), psf)
    assert found.fitted.all()
    assert np.mean(found.masked[hit] > 0) > 0.95
    far = np.hypot(found.x - stars.x, found.y - stars.y) / np.sqrt(found.xx + found.yy)
    assert np.median(far[hit]) < 1.2 * np.median(far)
    assert np.mean(far[hit] > 4) <= 0.02  # a pixel of the middle that is hit without standing out
    assert far[hit].max() < 10


def test_fit_that_lost_the_star_is_begun_again_where_the_star_was(psf):
    """A hit that is brighter than the star takes the moment away from it."""
    stars = moving_stars(psf, ELECTRONS[16], 60, seed=8)
    images = stars.difference.images.copy()
    images[40, 2:5, 12:15] += 30000
    images[41, 3, 3] += 60000
    found = fit_psf(stars.difference._replace(images=images), psf)
    off = np.hypot(found.x - stars.x, found.y - stars.y)
    assert found.fitted.all()
    assert off[40:42].max() < 0.15


def test_a_star_that_jumps_is_followed(psf):
    """What the running median says is for fits that fail, and no law."""
    x = np.full(60, 7.5)
    x[30:33] = 9.7
    light = observed(ELECTRONS[15] * images_of(psf, x, np.full(60, 7.2)), np.random.default_rng(9))
    found = fit_psf(difference_of(light), psf)
    np.testing.assert_allclose(found.x, x, atol=0.08)


def test_masked_pixels_do_not_count(psf):
    stars = moving_stars(psf, ELECTRONS[14], 400, seed=10)
    images, masked = stars.difference.images.copy(), stars.difference.masked.copy()
    images[:, 7, 8], masked[:, 7, 8] = 1e6, True
    found = fit_psf(stars.difference._replace(images=images, masked=masked), psf)
    assert found.masked.min() == 1
    pull = (found.x - stars.x) / np.sqrt(found.xx)
    assert abs(pull.mean()) < 0.2
    assert abs(pull.std() - 1) < 0.15
    assert abs(found.aperture_flux.mean() / found.flux.mean() - 0.9) < 0.08


def test_pairs_without_a_star_or_without_a_pixel(psf):
    rng = np.random.default_rng(11)
    difference = difference_of(observed(np.zeros((50, 16, 16)), rng))
    difference.masked[49] = True
    found = fit_psf(difference, psf)
    assert not found.fitted[49]
    assert np.isnan([found.x[49], found.flux[49], found.width_xx[49]]).all()
    with np.errstate(invalid="ignore"):
        assert np.mean(found.flux > 5 * found.flux_err) < 0.05
    assert not measure_moments(difference).fitted[49]


def test_results_do_not_depend_on_threads_nor_on_company(psf):
    stars = moving_stars(psf, ELECTRONS[16], 700, seed=12)
    alone = fit_psf(stars.difference, psf)
    with Work(threads=3) as work:
        shared = fit_psf(stars.difference, psf, work=work)
    for one, other in zip(alone, shared, strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_pairs(psf):
    empty = difference_of(np.empty((0, 16, 16)))
    assert len(fit_psf(empty, psf).x) == len(measure_moments(empty).x) == 0


def test_moments_are_noisier_than_the_fit_by_what_their_errors_say(psf):
    stars = moving_stars(psf, ELECTRONS[15], 4000, seed=13)
    found = measure_moments(stars.difference)
    assert SCALE * np.std(found.x - stars.x) == pytest.approx(1.98, rel=0.05)
    for place, true, variance in ((found.x, stars.x, found.xx), (found.y, stars.y, found.yy)):
        assert np.std((place - true) / np.sqrt(variance)) == pytest.approx(1, abs=0.07)
    assert np.std(found.flux) / np.mean(found.flux_err) == pytest.approx(1, abs=0.1)


@pytest.mark.long
@pytest.mark.parametrize("element", ["F062", "F087", "F106", "F129", "F146", "F158", "F184", "F213"])
@pytest.mark.parametrize("magnitude", [13, 15, 17])
def test_every_filter_is_at_the_bound(element, magnitude):
    psf = nominal_psf(element)
    stars = moving_stars(psf, ELECTRONS[magnitude], 8000, seed=magnitude)
    assert_at_the_bound(stars, fit_psf(stars.difference, psf))
