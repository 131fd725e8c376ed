"""Simulated ramps: covariance of resultants, non-linearity undone, saturation, hits, threads, encoding."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rtools.exposure.rampfit.timing import resultant_timing
from rtools.reference import nominal
from rtools.simulate import assumed, ramps
from rtools.simulate.reads import schedule

ROWS = 256
PATTERN = [[1], [2, 3], [4, 5, 6, 7, 8], [11, 12, 15], [16]]


@pytest.fixture
def quiet(monkeypatch):
    """No correlated noise, no scatter of the pedestal."""
    for name in ("PINK_NOISE_E", "COMMON_NOISE_E", "ALTERNATING_NOISE_E"):
        monkeypatch.setattr(nominal, name, 0.0)
    monkeypatch.setattr(assumed, "PEDESTAL_SCATTER_E", 0.0)


def plane(value):
    return np.full((ROWS, 128), value, np.float32)


def detector(gain=1.8, noise=5.0, full=60000.0, curvature=0.0, inl=None, **more):
    coeffs = np.zeros((3, ROWS, 128), np.float32)
    coeffs[1], coeffs[2] = 1, curvature
    inl = ramps.inverse_inl(None, None) if inl is None else inl
    return ramps.Detector(plane(gain), plane(noise), plane(full), coeffs, inl, **more)


def read_out(electrons, what, pattern=PATTERN, *, channel=3, stream=("test", 0), **more):
    frames = [*pattern, [0]] if more.get("reference") else pattern
    common = ramps.common_series(stream, frames, ROWS)
    electrons = plane(electrons) if np.isscalar(electrons) else electrons
    return ramps.read_out(
        electrons, what, stream, channel=channel, channels=32, read_pattern=pattern, common=common, **more
    )


def light_sensitive(resultants):
    return resultants[:, 4:-4].reshape(len(resultants), -1).astype(float)


@pytest.mark.parametrize("rate", [0.1, 2.0, 40.0, 900.0])
def test_covariance_of_resultants_is_that_of_reads_that_accumulate(quiet, rate):
    """Poisson: Cov(R_i, R_j) = mean of min(t, t') over pairs of reads; white noise: sigma² / N on the diagonal."""
    gain, sigma = 1.8, 5.0
    out = light_sensitive(read_out(rate, detector(gain, sigma))[0])
    expected = np.array([[np.minimum.outer(a, b).mean() for b in PATTERN] for a in PATTERN]) * rate / gain**2
    quantised = [1 / 12 / len(reads) + (1 - len(reads) ** -2) / 12 for reads in PATTERN]
    expected += np.diag([sigma**2 / len(reads) for reads in PATTERN] + np.array(quantised))
    found = np.cov(out)
    error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / out.shape[1])
    assert np.all(np.abs(found - expected) < 4.5 * error)


def test_diagonal_is_the_tau_of_the_ramp_fit(quiet):
    rate = 900.0
    out = light_sensitive(read_out(rate, detector(noise=0.1))[0])
    expected = rate / 1.8**2 * resultant_timing(PATTERN, 1.0).tau
    np.testing.assert_allclose(out.var(axis=1), expected, rtol=0.03)


def test_mean_is_signal_less_the_floors(quiet):
    """½ for the floor of each read and ½ (N - 1) / N for that of their mean."""
    rate = 30.0
    out = light_sensitive(read_out(rate, detector())[0])
    counts = np.array([len(reads) for reads in PATTERN])
    floors = 0.5 + 0.5 * (counts - 1) / counts
    expected = assumed.PEDESTAL_E / 1.8 + rate / 1.8 * np.array([np.mean(reads) for reads in PATTERN]) - floors
    assert np.all(np.abs(out.mean(axis=1) - expected) < 5 * out.std(axis=1) / np.sqrt(out.shape[1]))


def test_reads_are_whole_numbers_and_reference_pixels_have_no_signal(quiet):
    out, reference = read_out(500.0, detector(noise=5.0), channel=0)
    assert reference is None
    assert np.all(out == np.floor(out))
    border = np.concatenate([out[:, :4].ravel(), out[:, -4:].ravel(), out[:, :, :4].ravel()])
    level = assumed.PEDESTAL_E / 1.8
    assert abs(border.mean() - level) < 1.5
    assert out[0, 4:-4, 4:].min() > level + 150
    single = out[0, :4].ravel()
    assert abs(single.std() / (5.0 * nominal.REFERENCE_PIXEL_NOISE) - 1) < 0.15


@pytest.mark.parametrize("rate", [3.0, 400.0, 5000.0])
def test_non_linearity_of_every_read_is_undone_by_the_polynomial(quiet, rate):
    curvature, sigma = 1.08e-6, 3.0
    value = np.arange(0, 65536, 16.0)
    correction = 3 * np.sin(2 * np.pi * 5 * value / 65536)
    pattern = [[read] for read in range(1, 16)]
    what = detector(noise=sigma, curvature=curvature, inl=ramps.inverse_inl(value, correction))
    measured = light_sensitive(read_out(rate, what, pattern)[0]) + 0.5
    measured += np.interp(measured, value, correction)
    linear = measured + curvature * measured**2
    expected = assumed.PEDESTAL_E / 1.8 + rate / 1.8 * np.arange(1, 16)
    # The curvature of the correction acts on the noise's variance, too: 1e-6 sigma², nothing.
    error = linear.std(axis=1) / np.sqrt(linear.shape[1])
    assert np.all(np.abs(linear.mean(axis=1) - expected) < 5 * error + 0.01)


def test_resultants_of_many_reads_are_means_of_their_non_linear_reads(quiet):
    """With the photon noise averaged away, a resultant is the mean of the reads at its times, not one at their mean."""
    curvature, rate = 1.08e-6, 4000.0
    what = detector(curvature=curvature)
    many = light_sensitive(read_out(rate, what, [[1], list(range(2, 14))])[0])[1].mean()
    single = light_sensitive(read_out(rate, what, [[read] for read in range(1, 14)])[0])[1:].mean()
    assert abs(many + 0.5 * 11 / 12 - single) < 0.5
    middle = light_sensitive(read_out(rate, what, [[1], [7], [8]])[0])[1:].mean()
    assert abs(many - middle) > 20


def test_read_noise_of_linearised_pedestal_reads_is_that_of_the_reference(quiet):
    curvature, sigma = 5e-6, 6.0
    out = light_sensitive(read_out(0.0, detector(noise=sigma, curvature=curvature), [[1], [2]])[0])
    linear = out + curvature * out**2
    assert abs(linear.std(axis=1) / np.hypot(sigma, 12**-0.5) - 1).max() < 0.02


def test_saturated_pixels_stop_at_the_full_well(quiet):
    full = 40000.0
    out = light_sensitive(read_out(60000.0, detector(full=full, noise=4.0, curvature=1e-6))[0])
    assert np.all(np.abs(out[-1] - full) < 8 * 4)
    huge = read_out(1e9, detector(full=65535.0, curvature=1e-6))[0]
    assert np.all(np.isfinite(huge))
    encoded = ramps.encode(huge, None, 0)
    assert encoded.dtype == np.uint16
    assert encoded[:, 4:-4].min() > 65000


def test_a_hit_stays_from_its_read_on(quiet):
    hits = (np.array([50, 60]), np.array([7, 8]), np.array([5, 16]), np.array([3600.0, 1800.0]))
    with_hits = read_out(2.0, detector(), hits=hits)[0]
    without = read_out(2.0, detector())[0]
    step = with_hits - without
    np.testing.assert_allclose(step[:, 50, 7], [0, 0, 2000 * 4 / 5, 2000, 2000], atol=1.5)
    np.testing.assert_allclose(step[:, 60, 8], [0, 0, 0, 0, 1000], atol=1.5)
    step[:, 50, 7] = step[:, 60, 8] = 0
    assert not step.any()


def test_result_depends_on_seed_and_channel_and_not_on_threads():
    def one(channel):
        return read_out(5.0, detector(), channel=channel)[0]

    serial = [one(channel) for channel in range(4)]
    with ThreadPoolExecutor(3) as pool:
        parallel = list(pool.map(one, range(4)))
    assert all(np.array_equal(a, b) for a, b in zip(serial, parallel, strict=True))
    assert not np.array_equal(serial[1], serial[2])
    assert not np.array_equal(serial[1], read_out(5.0, detector(), channel=1, stream=("test", 1))[0])


def test_decay_and_transient_are_added_to_light_sensitive_pixels_only(quiet):
    decay = np.linspace(1, 0.5, ROWS * 128, dtype=np.float32).reshape(ROWS, 128)
    factors = np.array([100.0, 50.0, 25.0, 12.0, 6.0])
    transient = plane(200.0)
    plain = read_out(1.0, detector())[0]
    faded = read_out(1.0, detector(decay=decay, decay_factors=factors, transient=transient))[0]
    step = faded - plain
    assert not step[:, :4].any()
    expected = factors[:, None, None] * decay[4:-4]
    expected[0] += 200
    assert np.abs(step[:, 4:-4] - expected).max() < 1.01


def test_reference_read_is_subtracted_and_comes_back(quiet):
    raw, reference = read_out(100.0, detector(), reference=True)
    plain, _none = read_out(100.0, detector())
    assert np.array_equal(raw, plain)
    stored = ramps.encode(raw, reference, 1000).astype(int)
    assert stored[:, 4:-4].mean() < 4000
    assert np.array_equal(stored + reference.astype(int) - 1000, raw.astype(int))
    assert abs(reference[4:-4].mean() + 0.5 - assumed.PEDESTAL_E / 1.8) < 0.2


def test_amp33_has_pedestal_and_the_common_noise_alone():
    stream = ("test", 5)
    common = ramps.common_series(stream, PATTERN, ROWS) * 30
    out, _none = ramps.read_out_amp33((1.8, 5.0), stream, rows=ROWS, read_pattern=PATTERN, common=common)
    assert out.shape == (len(PATTERN), ROWS, 128)
    from rtools.simulate.noise import image_of

    pixels = (out[2] - out[0]).ravel()
    seen = (image_of(common[2], ramps.AMP33) - image_of(common[0], ramps.AMP33)).ravel()
    slope = pixels @ (seen - seen.mean()) / np.sum((seen - seen.mean()) ** 2)
    assert abs(slope - 1) < 0.05
    assert abs(out.mean() + 0.75 - assumed.PEDESTAL_E / nominal.GAIN) < 1


@pytest.mark.parametrize("pattern", [[[1], [2]], [[3, 4, 5]], [[2, 4, 8], [9, 11]]])
def test_schedule_gives_mean_and_variance_of_arrival_weights(pattern):
    """Against the arrival of one electron in each of the gaps between reads."""
    found = schedule(pattern).resultants
    previous = 0
    for i, reads in enumerate(pattern):
        times = np.arange(previous, reads[-1]) + 0.5
        weights = np.array([np.mean(np.array(reads) > time) for time in times])
        assert found["span"][i] == len(times)
        assert np.isclose(found["weight"][i], weights.mean())
        assert np.isclose(found["variance"][i], weights.var())
        previous = reads[-1]


@pytest.mark.parametrize("reads", [range(1, 5), range(5, 21), range(3, 20, 2), [1, 2, 4, 5], [7], [2, 3, 4]])
def test_nodes_of_a_resultant_sum_polynomials_as_its_reads_do(reads):
    reads = np.array(reads)
    found = schedule([reads.tolist()])
    count = found.resultants["nodes"][0]
    nodes, weights = found.nodes[0, :count], found.node_weights[0, :count]
    assert count <= max(3, len(set(np.diff(reads))) > 1 and reads.size)
    for power in range(6):
        assert np.isclose(weights @ nodes**power, np.sum((reads - reads.mean()) ** power), atol=1e-9)


def test_inverse_inl_solves_for_what_the_converter_gives():
    value = np.arange(0, 65536, 32.0)
    correction = 20 * np.sin(value / 3000)
    addition = ramps.inverse_inl(value, correction)
    w = np.arange(100, 65000, 777)
    v = w + addition[w]
    np.testing.assert_allclose(v + np.interp(v, value, correction), w, atol=5e-3)
    assert not ramps.inverse_inl(value, None).any()
