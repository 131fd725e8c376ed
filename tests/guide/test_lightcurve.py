"""Light curves of guide stars: bins keep to exposures and gaps, weights do not bias, scatter is that of the errors."""

import numpy as np
import pytest

from rtools.errors import InputError
from rtools.guide import bin_light, find_lines, light_spectrum, make_light_curve, measure_scatter, take_out_line
from rtools.wfi.guide import Use
from tests.support.guide_motion import CYCLE_S, EXPTIME_S, centres

ELECTRONS, NOISE = 17000.0, 90.0
"""Of a star of AB 14 in a pair, and noise of the readings in the flux."""


def curve_of(electrons, *, exposure=None, use=None, t=None, noise=NOISE):
    """A light curve whose errors are those of the electrons that were found."""
    electrons = np.asarray(electrons, float)
    return make_light_curve(
        centres(len(electrons)) if t is None else t,
        electrons,
        np.sqrt(electrons + noise**2),
        exptime_s=EXPTIME_S,
        exposure=np.ones(len(electrons), int) if exposure is None else exposure,
        use=np.zeros(len(electrons), np.uint16) if use is None else use,
    )


def observed(electrons, pairs, seed=1, noise=NOISE):
    """Electrons of pairs with the noise of photons and readings."""
    rng = np.random.default_rng(seed)
    return rng.poisson(electrons, pairs) + rng.normal(0, noise, pairs)


def test_rates_are_per_second_and_flags_of_light_alone_drop_pairs():
    use = np.array([0, Use.RESET_IMPACTED, Use.RESET_READ, Use.OUTLIER, Use.MOVED, Use.NO_FIT, 0, 0], np.uint16)
    electrons = np.full(8, ELECTRONS)
    electrons[6] = np.nan
    curve = curve_of(electrons, use=use)
    assert curve.used.tolist() == [True, False, True, False, True, False, False, True]
    assert curve.flux[0] == pytest.approx(ELECTRONS / EXPTIME_S)
    assert curve.flux_err[0] == pytest.approx(np.sqrt(ELECTRONS + NOISE**2) / EXPTIME_S)


def test_bins_end_where_an_exposure_or_a_run_ends():
    t = centres(60)
    t[40:] += 5.0
    exposure = np.repeat([1, 2], 30)
    found = bin_light(curve_of(observed(ELECTRONS, 60), t=t, exposure=exposure), 8 * CYCLE_S, cycle_s=CYCLE_S)
    assert found.pairs.tolist() == [8, 8, 8, 6, 8, 2, 8, 8, 4]
    assert found.exposure.tolist() == [1] * 4 + [2] * 5
    assert np.all(found.stop - found.start < 8 * CYCLE_S)
    assert found.start[6] == t[40]


def test_dropped_pairs_leave_bins_where_they_are():
    use = np.zeros(40, np.uint16)
    use[[3, 4]] = Use.SCE
    use[16:24] = Use.SATURATED
    found = bin_light(curve_of(observed(ELECTRONS, 40), use=use), 8 * CYCLE_S, cycle_s=CYCLE_S)
    assert found.pairs.tolist() == [6, 8, 8, 8]
    assert found.start[2] == pytest.approx(centres(40)[24])


def test_without_a_used_pair_there_is_no_bin():
    nothing = curve_of(np.full(5, np.nan))
    assert all(len(column) == 0 for column in bin_light(nothing, 1.0, cycle_s=CYCLE_S))


def test_a_bin_is_the_weighted_mean_and_its_error_is_true():
    curve = curve_of(observed(ELECTRONS, 16000))
    found = bin_light(curve, 16 * CYCLE_S, cycle_s=CYCLE_S)
    pulls = (found.flux - ELECTRONS / EXPTIME_S) / found.flux_err
    assert len(pulls) == 1000
    assert pulls.mean() == pytest.approx(0, abs=0.1) and pulls.std() == pytest.approx(1, abs=0.07)
    assert found.t[0] == pytest.approx(curve.t[:16].mean(), abs=1e-3)


def test_faint_pairs_have_no_larger_weight_for_being_faint_by_chance():
    curve = curve_of(observed(300.0, 32000, noise=1.0), noise=1.0)
    one = bin_light(curve, 1e5, cycle_s=CYCLE_S)
    naive = np.average(curve.flux, weights=curve.flux_err**-2.0)
    assert naive * EXPTIME_S == pytest.approx(299.0, abs=0.3)
    assert one.flux[0] * EXPTIME_S == pytest.approx(300.0, abs=0.3)


def test_pairs_with_masked_pixels_have_less_weight():
    electrons = np.array([100.0, 100.0, 130.0, 100.0])
    error = np.array([1.0, 1.0, 100.0, 1.0])
    zeros = np.zeros(4, np.uint16)
    curve = make_light_curve(centres(4), electrons, error, exptime_s=1.0, exposure=np.ones(4, int), use=zeros)
    assert bin_light(curve, 10.0, cycle_s=CYCLE_S).flux[0] == pytest.approx(100.0, abs=0.1)


def test_scatter_is_what_is_expected_and_slow_variation_is_told_from_it():
    steady = curve_of(observed(ELECTRONS, 4000))
    found = measure_scatter(steady.flux, steady.flux_err)
    expected = 1e6 * np.sqrt(ELECTRONS + NOISE**2) / ELECTRONS
    assert (found.pairs, found.flux) == (4000, pytest.approx(ELECTRONS / EXPTIME_S, rel=1e-3))
    assert found.expected_ppm == pytest.approx(expected, rel=2e-3)
    assert (found.found_ppm, found.neighbours_ppm) == pytest.approx((expected, expected), rel=0.04)
    waves = curve_of(observed(ELECTRONS * (1 + 0.02 * np.sin(centres(4000) / 30)), 4000))
    found = measure_scatter(waves.flux, waves.flux_err)
    assert found.neighbours_ppm == pytest.approx(expected, rel=0.04)
    assert found.found_ppm == pytest.approx(np.hypot(expected, 0.02e6 / np.sqrt(2)), rel=0.04)
    assert np.isnan(measure_scatter(steady.flux[:1], steady.flux_err[:1]).found_ppm)


def test_a_pulsation_is_a_line_of_the_periodogram_over_the_expected_floor():
    t = centres(3000)
    t[1500:] += 12.0
    light = ELECTRONS * (1 + 0.004 * np.sqrt(2) * np.cos(2 * np.pi * 0.25 * t))
    curve = curve_of(observed(light, 3000), t=t, exposure=np.repeat([1, 2], 1500))
    found = light_spectrum(curve, cycle_s=CYCLE_S)
    assert found.frequency[np.argmax(found.power)] == pytest.approx(0.25, abs=1e-3)
    assert found.power.sum() == pytest.approx(found.variance)
    assert found.variance - found.noise == pytest.approx(4000.0**2, rel=0.15)
    relative = take_out_line(t, 1e6 * curve.flux / curve.flux.mean())
    (line, *_) = find_lines(t, relative, cycle_s=CYCLE_S, exptime_s=EXPTIME_S)
    assert (line.frequency, line.rms) == (pytest.approx(0.25, abs=1e-4), pytest.approx(4000, rel=0.1))
    with pytest.raises(InputError):
        light_spectrum(curve_of(np.full(5, np.nan)), cycle_s=CYCLE_S)
