"""Several stars as one: their mean is what the instrument does, and its error that by which it misses this."""

import numpy as np
import pytest

from rtools.interferometry.calibrators import mean_of_phases, mean_of_stars


def stars(rng, count, rows, between, errors):
    """Of an instrument that shows 0.9 … 1 on its baselines: what stars show, and their errors."""
    truth = np.linspace(0.9, 1.0, rows)
    errors = np.broadcast_to(errors, (rows, count)).T.copy()
    return truth, truth + rng.normal(0, np.hypot(errors, between)), errors


@pytest.mark.parametrize("between", [0.0, 0.02])
def test_the_error_of_the_mean_is_that_by_which_it_misses_the_instrument(between):
    rng, pulls, found = np.random.default_rng(5), [], []
    for _ in range(60):
        truth, values, errors = stars(rng, 4, 35, between, [0.004, 0.01, 0.02, 0.01])
        mean = mean_of_stars(values, errors)
        pulls.append((mean.value - truth) / mean.error)
        found.append(mean.between)
    assert np.std(pulls) == pytest.approx(1, abs=0.08)
    assert np.mean(found) == pytest.approx(between, abs=0.0025)


def test_stars_that_scatter_by_their_errors_are_weighed_by_these():
    rng = np.random.default_rng(2)
    _truth, values, errors = stars(rng, 3, 200, 0.0, [0.01, 0.02, 0.05])
    mean = mean_of_stars(values, errors)
    assert mean.between < 0.003
    np.testing.assert_allclose(mean.value, np.average(values, axis=0, weights=errors**-2.0), atol=5e-4)
    np.testing.assert_allclose(mean.error, (errors**-2.0).sum(axis=0) ** -0.5, rtol=0.05)


def test_a_star_of_tiny_errors_does_not_rule_those_that_it_contradicts():
    values = np.array([[1.0] * 21, [0.9] * 21])
    errors = np.array([[1e-4] * 21, [1e-2] * 21])
    mean = mean_of_stars(values, errors)
    np.testing.assert_allclose(mean.value, 0.95, atol=0.003)
    assert (mean.error > 0.04).all()


def test_phases_about_half_a_turn_do_not_cancel():
    rng = np.random.default_rng(3)
    degrees = (180 + rng.normal(0, 1.0, (5, 35)) + 180) % 360 - 180
    mean = mean_of_phases(degrees, np.ones((5, 35)))
    off = (mean.value - 180 + 180) % 360 - 180
    assert np.std(off / mean.error) == pytest.approx(1, abs=0.25)
    assert np.abs(off).max() < 2


def test_missing_values_and_errors_take_part_by_row():
    values = np.array([[1.0, np.nan, 0.8, np.nan], [0.9, 0.7, 0.9, np.nan]])
    errors = np.array([[0.1, 0.1, np.nan, 0.1], [0.1, 0.1, np.nan, 0.1]])
    mean = mean_of_stars(values, errors)
    np.testing.assert_allclose(mean.value, [0.95, 0.7, 0.85, np.nan])
    np.testing.assert_allclose(mean.error, [0.1 / np.sqrt(2), 0.1, 0.05, np.nan], rtol=1e-6)
    errors[0, 0] = np.nan
    assert mean_of_stars(values, errors).value[0] == pytest.approx(0.9)


def test_one_star_without_errors_has_none():
    mean = mean_of_phases(np.array([[3.0, -4.0]]), np.array([[np.nan, 0.5]]))
    np.testing.assert_allclose(mean.value, [3.0, -4.0])
    np.testing.assert_allclose(mean.error, [np.nan, 0.5])
