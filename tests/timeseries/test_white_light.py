"""White light of series of spectra: the sum, gaps, times."""

import numpy as np
import pytest

from rtools.timeseries.white_light import SeriesOfSpectra, white_light

TIMES, WAVES = 60, 40


@pytest.fixture
def transit():
    """A star with a slope in its spectrum, dimmed by 1 % in the middle third, without noise."""
    level = np.where((np.arange(TIMES) >= 20) & (np.arange(TIMES) < 40), 0.99, 1.0)
    flux = level[:, None] * np.linspace(1.0, 3.0, WAVES)
    time = np.arange(TIMES, dtype=float)
    waves = np.broadcast_to(np.linspace(2.0, 4.0, WAVES), flux.shape)
    return SeriesOfSpectra(waves, flux, np.full(flux.shape, 0.1), np.ones(flux.shape, bool), time, time + 0.5), level


def test_without_gaps_it_is_the_sum(transit):
    series, level = transit
    found = white_light(series, -np.inf, np.inf)
    np.testing.assert_allclose(found.flux, level * 2.0 * WAVES, rtol=1e-13)
    np.testing.assert_allclose(found.error, 0.1 * np.sqrt(WAVES), rtol=1e-13)
    assert (found.n_pix == WAVES).all()


def test_both_limits_count(transit):
    series, _level = transit
    found = white_light(series, series.wavelength[0, 3], series.wavelength[0, 10])
    assert (found.n_pix == 8).all()


def test_gaps_at_random_make_no_dip(transit):
    """A tenth of all fluxes are missing here and there: the light curve stays that of the star."""
    series, level = transit
    missing = np.random.default_rng(3).random(series.flux.shape) < 0.1
    series.good[missing] = False
    series.flux[missing] = 1e6  # what is flagged does not count
    found = white_light(series, -np.inf, np.inf)
    np.testing.assert_allclose(found.flux / level, 2.0 * WAVES, rtol=1e-3)  # the median is of both levels
    plain = np.where(missing, 0, level[:, None] * np.linspace(1.0, 3.0, WAVES)).sum(axis=1)
    assert np.std(plain / level) > 20 * np.std(found.flux / level)
    np.testing.assert_array_equal(found.n_pix, (~missing).sum(axis=1))


def test_an_integration_without_flux_is_not_zero(transit):
    series, _level = transit
    series.good[7] = False
    found = white_light(series, -np.inf, np.inf)
    assert np.isnan(found.flux[7])
    assert np.isnan(found.error[7])
    assert found.n_pix[7] == 0
    assert np.isfinite(np.delete(found.flux, 7)).all()


def test_errors_are_those_of_the_scatter():
    rng = np.random.default_rng(5)
    shape = (4000, 25)
    flux = 10 + rng.normal(0, 0.3, shape)
    good = rng.random(shape) > 0.2
    times = np.arange(shape[0], dtype=float)
    series = SeriesOfSpectra(np.ones(shape), flux, np.full(shape, 0.3), good, times, times)
    found = white_light(series, 0, 2)
    pulls = (found.flux - 250) / found.error
    assert abs(pulls.mean()) < 0.06
    assert pulls.std() == pytest.approx(1, abs=0.05)


def test_integrations_of_one_time_count_once_and_those_of_none_not(transit):
    series, _level = transit
    series.mjd[[4, 9]] = series.mjd[3], np.nan
    kept = series.at_distinct_times()
    assert len(kept.flux) == TIMES - 2
    assert 4 not in kept.bjd - 0.5
    assert 9 not in kept.bjd - 0.5
