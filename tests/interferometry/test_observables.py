"""Means and errors of observables over integrations, phases about ±180°, calibration by a star."""

import numpy as np
import pytest

from rtools.errors import RtoolsError
from rtools.interferometry.normalise import difference, ratio, rows_alike
from rtools.interferometry.observables import mean_of, observables_of, stacked
from rtools.interferometry.stations import PAIRS

NOTHING = np.full((42, 42), np.nan)


def of_visibilities(values):
    """Observables of complex visibilities, without errors."""
    coefficients = np.concatenate([[1.0], np.stack([values.real, values.imag], axis=1).ravel(), [0.0]])
    return observables_of(coefficients, NOTHING)


def drawn(count, seed=1, spread=0.02, amplitude=0.5, about=0.3):
    """Integrations whose visibilities scatter alike along and across."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, spread, (count, len(PAIRS), 2)) @ [1, 1j]
    return stacked([of_visibilities(amplitude * np.exp(1j * about) + one) for one in noise])


def test_phases_of_holes_change_no_closure_phase_and_no_closure_amplitude():
    rng = np.random.default_rng(3)
    values = rng.uniform(0.3, 1, 21) * np.exp(1j * rng.uniform(-3, 3, 21))
    gains = rng.uniform(0.5, 2, 7) * np.exp(1j * rng.uniform(-3, 3, 7))
    before, after = of_visibilities(values), of_visibilities(values * gains[PAIRS[:, 0]].conj() * gains[PAIRS[:, 1]])
    np.testing.assert_allclose(np.exp(1j * np.deg2rad(after.t3phi)), np.exp(1j * np.deg2rad(before.t3phi)))
    np.testing.assert_allclose(after.q4amp, before.q4amp)


def test_errors_of_means_are_those_of_the_scatter_of_means():
    """Of amplitude and phase, whatever the amplitude is: the phase of V = 0.5 scatters twice as much as that of 1."""
    means = [mean_of(drawn(12, seed)) for seed in range(40)]
    for name in ("visamp", "visphi", "vis2", "t3phi"):
        found, told = ([getattr(mean, f"{name}{ending}") for mean in means] for ending in ("", "_err"))
        assert np.median(np.std(found, axis=0, ddof=1)) == pytest.approx(np.median(told), rel=0.12)


def test_squared_visibilities_have_the_error_of_the_mean_not_of_a_mean_of_means():
    mean = mean_of(drawn(9))
    np.testing.assert_allclose(mean.vis2_err, 2 * mean.visamp * mean.visamp_err)


def test_phases_about_180_degrees_do_not_cancel():
    mean = mean_of(drawn(20, about=np.pi))
    assert np.abs(np.abs(mean.visphi) - 180).max() < 3
    assert mean.visphi_err.max() < 2
    assert (np.abs(mean.t3phi) <= 180).all()


def test_one_integration_has_no_errors():
    mean = mean_of(drawn(1))
    assert np.isfinite(mean.visphi).all()
    for errors in (mean.visamp_err, mean.vis2_err, mean.t3phi_err, mean.q4amp_err, mean.piston_err):
        assert np.isnan(errors).all()


def test_integrations_that_could_not_be_fitted_do_not_count():
    lost = of_visibilities(np.full(21, np.nan + 0j))
    good = [of_visibilities(np.full(21, value + 0j)) for value in (0.9, 0.94)]
    mean = mean_of(stacked([good[0], lost, good[1]]))
    np.testing.assert_allclose(mean.visamp, 0.92)
    np.testing.assert_allclose(mean.visamp_err, 0.02)


def test_quotients_and_differences_carry_errors_in_quadrature():
    value, error = ratio((np.array([0.8]), np.array([0.08])), (np.array([0.5]), np.array([0.01])))
    assert value[0] == pytest.approx(1.6)
    assert error[0] == pytest.approx(1.6 * np.hypot(0.1, 0.02))
    phase, error = difference((np.array([170.0]), np.array([3.0])), (np.array([-175.0]), np.array([4.0])))
    assert phase[0] == pytest.approx(-15)
    assert error[0] == 5


def test_rows_belong_together_by_their_stations_not_by_their_order():
    stations = PAIRS + 1
    order = np.random.default_rng(1).permutation(len(stations))
    found = rows_alike(stations, stations[order], "OI_VIS", ("A", "B"))
    np.testing.assert_array_equal(stations[order][found], stations)
    with pytest.raises(RtoolsError, match="1-2 is missing"):
        rows_alike(stations, stations[1:], "OI_VIS", ("A", "B"))
    with pytest.raises(RtoolsError, match="twice"):
        rows_alike(stations, stations[[0, 0, *range(2, 21)]], "OI_VIS", ("A", "B"))
