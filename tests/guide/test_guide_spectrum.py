"""Spectra of motion: the sum is the variance, bands add up, lines are found where they are and where they may be."""

import numpy as np
import pytest

from rtools.errors import InputError
from rtools.guide import (
    add_spectra,
    find_lines,
    find_partners,
    lomb_scargle,
    measure_bands,
    take_out_line,
    welch,
)
from tests.support.guide_motion import CYCLE_S, EXPTIME_S, LINES_HZ, Sinusoids, centres, golden_motion

PAIR = {"cycle_s": CYCLE_S, "exptime_s": EXPTIME_S}


def motion(axis="x", pairs=704, noise=0.0):
    """Times and motion of the pairs of an exposure, level and slope taken out."""
    t = centres(pairs)
    values = golden_motion(axis).means(t) + np.random.default_rng(5).normal(0, noise, pairs)
    return t, take_out_line(t, values)


@pytest.mark.parametrize(
    "axis, amplitudes, sizes, means, scatter",
    [
        (
            "x",
            (0.3004896, 1.0074882, 0.1426130),
            (7.29726, 6.61289, 3.08539),
            (-0.180704, -0.324070, -0.041468, 3.932358),
            (6.645657, 6.719971),
        ),
        (
            "y",
            (0.2146354,),
            (5.40833, 4.72458, 2.63218),
            (-0.041113, -0.048319, 0.061470, -0.245046),
            (5.274934, 5.328842),
        ),
    ],
    ids=["x", "y"],
)
def test_the_golden_motion_is_that_computed_elsewhere(axis, amplitudes, sizes, means, scatter):
    wave = golden_motion(axis)
    assert wave.amplitude[[0, 100, 199]][: len(amplitudes)] == pytest.approx(amplitudes, abs=1e-7)
    squares, left = wave.amplitude**2 / 2, np.sinc(wave.frequency * EXPTIME_S) ** 2
    sums = np.sqrt([squares.sum(), (squares * left).sum(), (squares * (1 - left)).sum()])
    assert sums == pytest.approx(sizes, abs=1e-5)
    found = wave.means(centres(720))
    assert found[[0, 1, 2, 719]] == pytest.approx(means, abs=1e-6)
    assert (found.std(ddof=1), found[16:].std(ddof=1)) == pytest.approx(scatter, abs=1e-6)


@pytest.mark.parametrize("pairs", [703, 704])
def test_powers_add_up_to_the_variance_and_are_those_of_fourier(pairs):
    t, values = motion(pairs=pairs)
    found = lomb_scargle(t, values, cycle_s=CYCLE_S)
    power = 2 * np.abs(np.fft.rfft(values))[1:] ** 2 / pairs**2
    power[-1] /= 2 if pairs % 2 == 0 else 1
    assert found.power == pytest.approx(power, rel=1e-6, abs=1e-9)
    assert found.power.sum() == pytest.approx(values.var(), rel=1e-6) == found.variance
    assert found.frequency[[0, -1]] == pytest.approx([1 / (pairs * CYCLE_S), pairs // 2 / (pairs * CYCLE_S)])


def test_gaps_stay_gaps_and_powers_add_up():
    t, values = motion(pairs=2000)
    used = np.random.default_rng(1).random(2000) > 0.03
    used[700:760] = used[1400:1460] = False
    t, values = t[used], take_out_line(t[used], values[used])
    found = lomb_scargle(t, values, cycle_s=CYCLE_S)
    assert found.frequency[0] == pytest.approx(1 / (2000 * CYCLE_S))
    assert found.power.sum() == pytest.approx(values.var())
    whole = lomb_scargle(*motion(pairs=2000), cycle_s=CYCLE_S)
    for some, every in zip(measure_bands(found), measure_bands(whole), strict=True):
        assert some.rms == pytest.approx(every.rms, rel=0.1)


def test_the_mean_of_white_noise_is_the_floor():
    t, noise = centres(4000), np.random.default_rng(2).normal(0, 3.0, 4000)
    found = lomb_scargle(t, take_out_line(t, noise), cycle_s=CYCLE_S, noise=9.0)
    assert found.floor.sum() == pytest.approx(9.0) and found.power.sum() == pytest.approx(9.0, rel=0.05)
    assert [band.rms for band in measure_bands(found)] == pytest.approx([0.0] * 5, abs=0.6)


def test_squares_of_bands_and_the_noise_are_the_variance():
    found = lomb_scargle(*motion(pairs=6000, noise=0.6), cycle_s=CYCLE_S, noise=0.36)
    bands = measure_bands(found)
    assert sum(band.variance for band in bands) + 0.36 == pytest.approx(found.variance)
    assert [band.low for band in bands] == [0, 0.05, 0.2, 0.5, 1]
    assert bands[-1].high == pytest.approx(0.5 / CYCLE_S)
    wave = golden_motion("x")
    for band in bands[1:4]:
        inside = (wave.frequency > band.low) & (wave.frequency <= band.high)
        left = wave.amplitude[inside] * np.sinc(wave.frequency[inside] * EXPTIME_S)
        assert band.rms == pytest.approx(np.sqrt(left @ left / 2), rel=0.05)


def test_radial_power_is_the_sum_of_both_axes():
    x, y = (lomb_scargle(*motion(axis), cycle_s=CYCLE_S, noise=0.2) for axis in "xy")
    radial = add_spectra(x, y)
    assert radial.power == pytest.approx(x.power + y.power) and radial.noise == 0.4
    assert radial.variance == pytest.approx(radial.power.sum())
    with pytest.raises(InputError):
        add_spectra(x, lomb_scargle(*motion(pairs=600), cycle_s=CYCLE_S))


def test_welch_uses_the_runs_without_a_gap_and_keeps_the_variance():
    t, values = centres(6000), np.random.default_rng(3).normal(0, 2.0, 6000)
    used = np.ones(6000, bool)
    used[[1000, 1100, 4000]] = False
    found = welch(t[used], values[used], cycle_s=CYCLE_S, noise=4.0)
    assert len(found.frequency) == 89 and found.frequency[-1] == pytest.approx(0.5 / CYCLE_S)
    assert found.power.sum() == pytest.approx(4.0, rel=0.05) and found.floor.sum() == pytest.approx(4.0)
    assert found.power[1:-1] == pytest.approx(found.floor[1:-1], rel=0.6)
    with pytest.raises(InputError, match="the longest has 175"):
        welch(t[:175], values[:175], cycle_s=CYCLE_S)


def test_welch_of_a_sinusoid_has_its_power_where_it_is():
    t = centres(704)
    found = welch(t, 3 * np.cos(2 * np.pi * 0.8 * t), cycle_s=CYCLE_S)
    near = np.abs(found.frequency - 0.8) < 2.5 / (176 * CYCLE_S)
    assert found.power[near].sum() == pytest.approx(4.5, rel=0.01)


def test_an_injected_line_is_found_at_its_frequency_with_its_rms():
    t = centres(704)
    values = golden_motion("x").plus(1.3, 2.0).means(t) + np.random.default_rng(5).normal(0, 0.6, 704)
    line = find_lines(t, take_out_line(t, values), **PAIR)[0]
    assert line.frequency == pytest.approx(1.3, abs=1e-3)
    assert line.partners[0].frequency == line.frequency
    assert line.partners[0].rms == pytest.approx(2.0, rel=0.1)
    assert line.rms == pytest.approx(2.0 * np.sinc(1.3 * EXPTIME_S), rel=0.1)


def test_a_line_above_nyquist_is_found_folded_and_named_among_the_partners():
    t = centres(704)
    line = Sinusoids(np.array([11.3]), np.array([8.0 * np.sqrt(2)]), np.array([1.0]))
    values = line.means(t) + np.random.default_rng(6).normal(0, 0.5, 704)
    (line,) = find_lines(t, take_out_line(t, values), **PAIR)
    assert line.frequency == pytest.approx(1.1813, abs=1e-3)
    nearest = min(line.partners, key=lambda partner: abs(partner.frequency - 11.3))
    assert nearest.frequency == pytest.approx(11.3, abs=1e-3)
    assert nearest.rms == pytest.approx(8.0, rel=0.1)


@pytest.mark.parametrize("true, found, left", [(11.3, 1.1813, 0.0703), (17.9, 2.3373, 0.0901), (27.4, 2.1033, 0.0407)])
def test_lines_fold_as_computed_elsewhere(true, found, left):
    assert true in LINES_HZ
    partners = find_partners(found, 1.0, **PAIR)
    nearest = min(partners, key=lambda partner: abs(partner.frequency - true))
    assert nearest.frequency == pytest.approx(true, abs=1e-3)
    assert nearest.amplitude == pytest.approx(left, abs=1e-4) and nearest.rms == pytest.approx(1 / left, rel=3e-3)
    frequencies = [partner.frequency for partner in partners]
    assert frequencies == sorted(frequencies) and frequencies[0] == pytest.approx(found) and frequencies[-1] <= 50


def test_errors_of_lines_are_true():
    t, found = centres(704), []
    rng = np.random.default_rng(8)
    for phase in rng.uniform(0, 6, 60):
        values = np.sqrt(2) * np.cos(2 * np.pi * 0.9123 * t + phase) + rng.normal(0, 2.0, 704)
        (line, *_more) = find_lines(t, take_out_line(t, values), **PAIR)
        found.append(((line.frequency - 0.9123) / line.frequency_err, (line.rms - 1.0) / line.rms_err))
    pulls = np.array(found)
    assert pulls.mean(axis=0) == pytest.approx([0, 0], abs=0.5)
    assert pulls.std(axis=0) == pytest.approx([1, 1], abs=0.3)


def test_noise_alone_has_no_lines_and_a_strong_line_is_one():
    t, rng = centres(704), np.random.default_rng(11)
    false = sum(len(find_lines(t, take_out_line(t, rng.normal(0, 1, 704)), **PAIR)) for _ in range(20))
    assert false <= 5  # one bin in 4000 is expected to be
    strong = 100 * np.cos(2 * np.pi * 0.71 * t) + rng.normal(0, 1, 704)
    first, *more = find_lines(t, take_out_line(t, strong), **PAIR)
    assert first.frequency == pytest.approx(0.71, abs=1e-4) and len(more) <= 1


def test_groups_have_levels_of_their_own_and_one_slope():
    t, groups = centres(300), np.repeat([1, -1, 2], 100)
    values = np.select([groups == 1, groups == -1], [5.0, -20.0], 900.0) + 0.25 * t
    assert take_out_line(t, values, groups=groups) == pytest.approx(np.zeros(300), abs=1e-9)
    assert abs(take_out_line(t, values)).max() > 100


def test_too_few_pairs_are_refused():
    with pytest.raises(InputError, match="3 pairs"):
        lomb_scargle(np.arange(3.0), np.ones(3), cycle_s=1)
    assert len(take_out_line(np.zeros(0), np.zeros(0))) == 0
