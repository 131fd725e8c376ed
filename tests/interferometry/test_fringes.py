"""The model of fringes, and its fit: it is the light of all holes; phases of holes and places of stars come back."""

import numpy as np
import pytest
from scipy.ndimage import convolve

from rtools.errors import InputError
from rtools.interferometry.fit import fit_fringes
from rtools.interferometry.fringes import FringeModel
from rtools.interferometry.observables import observables_of
from rtools.interferometry.passband import passband_of
from rtools.jwst.crosstalk import crosstalk_kernel
from rtools.wfi.units import ARCSEC
from tests.support.interferograms import FINE, PIXEL, SIZE, band, direct, mask, model

GOOD = np.zeros((SIZE, SIZE), bool)
EVEN = np.ones((SIZE, SIZE))


def seen(image, of=None, centre=(0.0, 0.0), out=GOOD):
    fit = fit_fringes(image, EVEN, out, of or model(), centre)
    return fit, observables_of(fit.coefficients, fit.covariance)


@pytest.mark.parametrize("centre", [(0.0, 0.0), (0.31, -0.2)])
def test_all_columns_together_are_the_light_of_a_star(centre):
    columns = model(oversample=FINE).columns(SIZE, centre)
    light = columns[0] + columns[1:-1:2].sum(axis=0)
    np.testing.assert_allclose(light, direct(centre), atol=1e-10 * light.max())


@pytest.mark.parametrize("centre", [(0.0, 0.0), (0.5, 0.5), (0.23, -0.31)])
@pytest.mark.parametrize(("middle", "width", "close"), [(4.28e-6, 0.23e-6, 4e-4), (3.83e-6, 0.21e-6, 8e-4),
                                                       (2.79e-6, 0.67e-6, 8e-3)])  # fmt: skip
def test_squared_visibilities_of_a_star_are_one_on_long_baselines_too(middle, width, close, centre):
    """They were up to 7 % low where pixels were looked at in evenly spaced points, and in F277W up to 30 % wrong where
    all wavelengths of a filter had one brightness in the middle."""
    of = FringeModel(mask(), band(7, middle, width), PIXEL)
    _fit, found = seen(direct(centre, of=of), of, centre)
    np.testing.assert_allclose(found.vis2, 1, atol=close)
    np.testing.assert_allclose(found.t3phi, 0, atol=0.1)


def test_crosstalk_of_pixels_makes_fringes_weak_and_the_model_has_it():
    kernel = crosstalk_kernel(np.array([[0, -0.006, 0], [-0.006, 1.024, -0.006], [0, -0.006, 0]]))
    image = convolve(direct(size=SIZE + 2), kernel)[1:-1, 1:-1]
    _fit, found = seen(image)
    longest = np.hypot(*mask().baselines.T) > 4.5
    assert found.vis2[longest].max() < 0.97
    _fit, found = seen(image, FringeModel(mask(), band(3), PIXEL, crosstalk=kernel))
    np.testing.assert_allclose(found.vis2, 1, atol=5e-4)


def test_phases_of_holes_come_back_as_pistons_and_leave_closure_phases_alone():
    phases = np.array([0.1, -0.25, 0.4, 0.0, -0.15, 0.3, -0.2])
    one_wave = model(1, FINE)
    _fit, found = seen(direct(phases=phases, of=one_wave), one_wave)
    np.testing.assert_allclose(found.piston, np.rad2deg(phases - phases.mean()), atol=1e-6)
    np.testing.assert_allclose(found.visamp, 1, atol=1e-8)
    assert np.abs(found.t3phi).max() < 1e-6


def test_a_star_beside_the_centre_turns_phases_by_the_sign_of_oifits():
    """φ = -2π b·Δ/λ, b the first hole less the second."""
    away = np.array([0.04, -0.03])
    one_wave = model(1)
    _fit, found = seen(direct(tuple(away), of=one_wave), one_wave)
    wanted = -360 * mask().baselines @ away * PIXEL * ARCSEC / 4.28e-6
    np.testing.assert_allclose(found.visphi, wanted, atol=0.3)
    assert np.abs(found.t3phi).max() < 0.2


def test_a_closed_hole_takes_its_baselines_away_and_nothing_else():
    used = (0, 1, 2, 4, 6)
    of = model(used=used)
    columns = of.columns(SIZE, (0, 0))
    assert len(columns) == 2 + 2 * 10
    _fit, found = seen(columns[0] + columns[1:-1:2].sum(axis=0), of)
    assert np.isfinite(found.visamp).sum() == 10
    assert np.isfinite(found.t3phi).sum() == 10
    assert np.isfinite(found.q4amp).sum() == 5
    assert np.isnan(found.piston[[3, 5]]).all()
    np.testing.assert_allclose(found.visamp[np.isfinite(found.visamp)], 1, atol=1e-10)


def test_pixels_that_are_left_out_change_nothing():
    image = direct()
    out = GOOD.copy()
    out[20:23, 30], out[22, 22] = True, True
    spoiled = np.where(out, 1e6, image)
    fit, found = seen(spoiled, model(oversample=FINE), out=out)
    np.testing.assert_allclose(found.visamp, 1, atol=1e-9)
    assert np.isnan(fit.residual[out]).all()
    np.testing.assert_allclose(fit.image, image, atol=1e-8 * image.max())


def test_an_image_without_light_or_without_pixels_is_nothing():
    for image, out in ((-direct(), GOOD), (direct(), ~GOOD)):
        fit, found = seen(image, out=out)
        assert np.isnan(fit.coefficients).all()
        assert np.isnan(found.t3phi).all()


def test_errors_of_an_integration_are_those_of_the_scatter():
    rng, image = np.random.default_rng(4), direct()
    error = np.sqrt(image / image.max() * 1e4 + 50) / 1e4 * image.max()
    of, pulls = model(1), []
    terms = []
    for _ in range(60):
        fit = fit_fringes(image + rng.normal(0, error), error, GOOD, of, (0, 0))
        found = observables_of(fit.coefficients, fit.covariance)
        terms.append([found.visamp, found.visphi, found.vis2])
        pulls.append([found.t3phi / found.t3phi_err, found.piston / found.piston_err])
    amp, phi, squared = np.moveaxis(np.array(terms), 1, 0)
    for values, errors in ((amp, found.visamp_err), (phi, found.visphi_err), (squared, found.vis2_err)):
        assert np.median(values.std(axis=0, ddof=1) / errors) == pytest.approx(1, abs=0.1)
    for part in zip(*pulls, strict=True):
        assert np.std(part) == pytest.approx(1, abs=0.1)


def test_pixels_without_errors_do_not_make_observables_exact():
    image, few, none = direct(), EVEN.copy(), np.full_like(EVEN, np.nan)
    few[::2] = np.nan
    errors = []
    for error in (EVEN, few, none):
        fit = fit_fringes(image, error, GOOD, model(), (0.0, 0.0))
        found = observables_of(fit.coefficients, fit.covariance)
        errors.append([found.visamp_err, found.t3phi_err, found.piston_err])
    for whole, half, nothing in zip(*errors, strict=True):
        np.testing.assert_allclose(half, whole)
        assert np.isnan(nothing).all()


def test_a_passband_is_cut_at_one_per_cent_and_weighed_by_its_integral():
    waves = np.linspace(4.0e-6, 4.6e-6, 601)
    through = np.clip((waves - 4.1e-6) / 0.4e-6, 0, 1) * (waves < 4.5e-6)
    found = passband_of(waves, through, bins=8)
    assert found.weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(np.diff(found.weights), np.diff(found.weights)[0], rtol=1e-6)
    assert found.effective == pytest.approx(np.average(waves, weights=through), rel=1e-3)
    flat = passband_of(waves, 0.8 * ((waves > 4.2e-6) & (waves < 4.4e-6)))
    assert flat.equivalent_width == pytest.approx(0.199e-6, rel=0.02)
    with pytest.raises(InputError, match="no band"):
        passband_of(waves, np.zeros(601))


def test_noise_is_no_star():
    """It had V² of 70."""
    noise = np.random.default_rng(8).normal(0, 1, EVEN.shape)
    for image in (noise, noise + 1e-3 * direct()):
        fit, _found = seen(image)
        assert np.isnan(fit.coefficients).all()
