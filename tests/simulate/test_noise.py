"""Random numbers, 1/f noise, cosmic rays, read times."""

import numpy as np
import pytest
from numba import njit
from scipy import stats

from rtools.reference import nominal
from rtools.simulate import _random_kernels, assumed, effects, noise, rays, streams


@njit
def _normals(state, out):
    for i in range(out.size):
        out[i] = _random_kernels.normal(state)


@njit
def _poissons(state, mean, out):
    for i in range(out.size):
        out[i] = _random_kernels.poisson(state, mean)


def test_normal_deviates_are_normal_into_the_tail():
    out = np.empty(1_000_000)
    _normals(streams.state("normal"), out)
    assert stats.kstest(out[:200_000], "norm").pvalue > 1e-3
    for limit in (2, 3.66, 4.3):
        expected = 2 * stats.norm.sf(limit) * out.size
        assert abs(np.count_nonzero(np.abs(out) > limit) - expected) < 4.5 * np.sqrt(expected)


@pytest.mark.parametrize("mean", [0.05, 1.3, 9.9])
def test_small_poisson_deviates_have_the_right_probabilities(mean):
    out = np.empty(300_000)
    _poissons(streams.state("poisson", mean), mean, out)
    k = np.arange(int(mean + 5 * np.sqrt(mean)) + 2)
    expected = stats.poisson.pmf(k, mean) * out.size
    found = np.bincount(out.astype(int), minlength=len(k))[: len(k)]
    enough = expected > 20
    assert np.sum((found - expected)[enough] ** 2 / expected[enough]) < stats.chi2.isf(1e-4, enough.sum())


@pytest.mark.parametrize("mean", [10.1, 60.0, 3e4])
def test_large_poisson_deviates_have_the_first_three_moments(mean):
    out = np.empty(1_000_000)
    _poissons(streams.state("poisson", mean), mean, out)
    assert np.all((out == np.floor(out)) & (out >= 0))
    n = np.sqrt(out.size)
    assert abs(out.mean() - mean) < 4.5 * np.sqrt(mean) / n
    assert abs(out.var() / mean - 1) < 4.5 * np.sqrt(2 + 1 / mean) / n
    assert abs(stats.skew(out) - mean**-0.5) < 4.5 * np.sqrt(6) / n + 0.01 / mean


def test_no_light_no_electrons():
    out = np.ones(10)
    _poissons(streams.state("x"), 0.0, out)
    assert not out.any()


def test_streams_depend_on_every_word():
    first = streams.generator("seed", 1, "purpose", 2).random(4)
    assert np.array_equal(first, streams.generator("seed", 1, "purpose", 2).random(4))
    assert not np.array_equal(first, streams.generator("seed", 1, "purpose", 3).random(4))
    assert streams.state("a", 1) != streams.state("a", 2)


def test_pink_noise_has_its_rms_and_a_power_spectrum_of_slope_minus_one():
    rows, rms = 1024, 3.0
    power, variance = 0, 0
    for i in range(20):
        series = noise.pink_series(streams.generator("pink", i), rows, rms)
        assert series.dtype == np.float32
        assert abs(series.mean()) < 1e-4
        power = power + np.abs(np.fft.rfft(series)) ** 2
        variance += series.var() / 20
    assert abs(np.sqrt(variance) / rms - 1) < 0.1
    frequency = np.arange(10, 50_000)
    slope = np.polyfit(np.log(frequency), np.log(power[frequency]), 1, w=frequency**-0.5)[0]
    assert abs(slope + 1) < 0.03


def test_alternating_noise_changes_sign_from_column_to_column():
    series = noise.pink_series(streams.generator("alternating"), 512, 0.0, 2.0)
    image = noise.image_of(series, 0)
    assert np.mean(image[:, :-1] * image[:, 1:]) < -0.5 * np.mean(image**2)
    assert np.mean(image[:, :-2] * image[:, 2:]) > 0.5 * np.mean(image**2)
    assert abs(series.std() / 2.0 - 1) < 0.2


def test_odd_channels_are_read_from_the_last_column():
    series = np.arange(140.0 * 3)
    assert noise.image_of(series, 0)[1, 5] == 145
    assert noise.image_of(series, 1)[1, 5] == 140 + 122


def test_mean_of_reads_is_quieter():
    assert noise.channel_rms(16)[0] == pytest.approx(noise.channel_rms(1)[0] / 4)


GOLDEN = {
    (18, 0, 0): 0.0,
    (18, 0, 127): 6.061729051067183e-4,
    (18, 0, 128): 6.061729051067183e-4,
    (18, 255, 0): 0.17283087318042734,
    (18, 256, 0): 0.19000447470156337,
    (18, 2048, 1000): 1.5201455769575256,
    (18, 4095, 127): 3.0235041666089835,
    (1, 4095, 0): 0.0,
    (1, 0, 0): 3.022897993703877,
    (1, 2048, 1000): 1.5029719754363897,
}


@pytest.mark.parametrize("place", GOLDEN)
def test_read_times_are_the_published_ones(place):
    sca, row, column = place
    times = effects.read_times(3.04, sca, column // 128)
    assert times[row, column % 128] == pytest.approx(GOLDEN[place], rel=1e-12, abs=1e-15)


def test_dark_decay_of_a_resultant():
    times = effects.read_times(3.04, 1, 0)
    plane = effects.decay_plane(times, 23.0)
    factors = effects.decay_factors([[1], [4, 5, 6, 7]], 3.04, 0.4, 23.0)
    assert plane[4095, 0] * factors[1] == pytest.approx(0.23833105782134748, rel=1e-6)
    assert plane[0, 0] * factors[0] == pytest.approx(0.3746982952229462, rel=1e-6)


def test_small_frames_are_the_corner():
    assert np.array_equal(effects.read_times(3.04, 18, 5, 256), effects.read_times(3.04, 18, 5)[:256])


def test_transient_scatters_with_the_exposure():
    times = effects.read_times(3.16247, 18, 0)
    planes = [effects.transient_plane(times, "exposure", i) for i in range(40)]
    start = np.array([plane[0, 0] for plane in planes])
    assert abs(start.mean() / 200 - 1) < 0.2
    assert 0.15 < start.std() / 200 < 0.5
    assert np.allclose(planes[0] / planes[0][0, 0], planes[1] / planes[1][0, 0], rtol=1e-4, atol=1e-6)


def test_cosmic_rays_arrive_at_the_stated_rate():
    numbers = assumed.RAYS
    frame_time, reads = 3.16247, 20
    hits = rays.cosmic_rays((1024, 1024), reads, frame_time, "rays", 1)
    rate = numbers["per_cm2_s"] * numbers["area_cm2"] * frame_time * reads / 16
    # Most tracks are an islet of their own; a pixel that starts one has no neighbour before it in the list.
    place = hits["row"] * 1024 + hits["column"]
    assert len(np.unique(place)) > 0.95 * len(place)
    image = np.zeros((1024, 1024), bool)
    image[hits["row"], hits["column"]] = True
    from scipy.ndimage import label

    islets = label(image, np.ones((3, 3)))[1]
    assert abs(islets - rate * (1016 / 1024) ** 2) < 5 * np.sqrt(rate)
    assert hits["read"].min() >= 1
    assert hits["read"].max() <= reads
    counts = np.bincount(hits["read"], minlength=reads + 1)[1:]
    assert counts.min() > 0.4 * counts.mean()
    assert min(hits["row"].min(), hits["column"].min()) >= 4
    assert max(hits["row"].max(), hits["column"].max()) < 1020


def test_energy_of_a_track_pixel():
    """A full crossing of a pixel at the most probable loss: 120 eV/µm · 10 µm / 0.5 eV · sqrt(0.25 + 1)."""
    hits = rays.cosmic_rays((2048, 2048), 40, 3.16247, "rays", 2)
    typical = 120 * 10 / 0.5
    assert 0.5 * typical < np.median(hits["electrons"]) < 1.5 * typical


def test_a_track_is_cut_at_pixel_edges():
    from rtools.simulate._ray_kernels import Tracks, walk

    one = lambda *values: Tracks(*(np.array([float(value)]) for value in values))  # noqa: E731
    track, row, column, path = walk(one(3.2, 5.0, 0.0, 2.0), (10, 10))
    assert track.tolist() == [0, 0, 0]
    assert row.tolist() == [5, 5, 5]
    assert column.tolist() == [3, 4, 5]
    np.testing.assert_allclose(path, [0.3, 1.0, 0.7])
    _track, row, column, path = walk(one(6.0, 6.0, np.pi / 3 + np.pi, 5.5), (10, 10))
    assert np.isclose(path.sum(), 5.5)
    assert np.all(np.abs(np.diff(row)) + np.abs(np.diff(column)) == 1)
    _track, row, _column, path = walk(one(1.0, 1.0, np.pi, 9.0), (10, 10))
    assert np.isclose(path.sum(), 1.5)
    assert row.size == 2


def test_pink_noise_can_be_chosen():
    assert noise.channel_rms(1, 3.6)[0] == pytest.approx(2.0)
    assert noise.channel_rms(1, 0.0)[0] == 0
    assert noise.channel_rms(1)[0] == pytest.approx(nominal.PINK_NOISE_E / 1.8)
