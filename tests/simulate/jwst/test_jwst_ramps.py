"""Ramps of JWST's detectors: covariance of groups, linearity, capacitance, saturation, hits, orientation, threads."""

import numpy as np
import pytest

from rtools.jwst.readout import readout_pattern
from rtools.simulate.jwst import assumed
from rtools.simulate.jwst.ramps import JwstPixels, JwstReading, draw_hits, read_out
from rtools.work import Work

SHAPE = (130, 96)
"""More than two blocks of rows."""

FRAME_S = 2.0
NO_IPC = np.diag([0.0, 1.0, 0.0]) * np.eye(3)


def plane(value):
    return np.full(SHAPE, value, np.float32)


def pixels(**more):
    coeffs = np.zeros((3, *SHAPE), np.float32)
    coeffs[1], coeffs[2] = 1, more.pop("curvature", 0.0)
    usual = {
        "gain": plane(2.0), "noise": plane(8.0), "full": plane(59000.0), "bias": plane(10000.0), "offset": plane(0.0),
        "live": np.ones(SHAPE, bool), "coeffs": coeffs, "kernel": NO_IPC, "reset": 0.0, "axes": (1, 2), "outputs": 4,
        "has_border": False,
    }  # fmt: skip
    return JwstPixels(**usual | more)


def reading(pattern="SHALLOW4", groups=6, integrations=1, stream=("test", 1)):
    return JwstReading(readout_pattern("nrca1", pattern), groups, integrations, FRAME_S, stream)


def read(rate, detector, how, **more):
    electrons = plane(rate) if np.isscalar(rate) else rate
    return read_out(lambda number: electrons, detector, how, **more)


def frames_of(how):
    """Times of the frames of each group, seconds."""
    return [(np.array(list(how.pattern.frames(group))) + 1) * how.frame_time for group in range(how.groups)]


@pytest.mark.parametrize("rate", [0.2, 6.0, 300.0])
@pytest.mark.parametrize("pattern", ["RAPID", "MEDIUM2", "SHALLOW4"])
def test_covariance_of_groups_is_that_of_frames_that_accumulate(rate, pattern):
    """Poisson: Cov(G_i, G_j) = mean of min(t, t') over pairs of frames; white noise: σ²/NFRAMES on the diagonal."""
    how = reading(pattern)
    out = read(rate, pixels(), how)[0].reshape(how.groups, -1).astype(float)
    times, n = frames_of(how), how.pattern.nframes
    expected = np.array([[np.minimum.outer(a, b).mean() for b in times] for a in times]) * rate / 2.0**2
    expected += np.eye(how.groups) * (8.0**2 / n + 1 / 12 / n + (1 - n**-2) / 12)
    found = np.cov(out)
    error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / out.shape[1])
    assert np.all(np.abs(found - expected) < 4.5 * error)
    floors = 0.5 + 0.5 * (n - 1) / n
    means = np.array([each.mean() for each in times]) * rate / 2.0 + 10000 - floors
    assert np.all(np.abs(out.mean(axis=1) - means) < 4.5 * np.sqrt(np.diag(expected) / out.shape[1]))


def test_linearity_polynomial_gives_the_charge_back():
    how = reading("RAPID", groups=8)
    out = read(5000.0, pixels(curvature=2e-6, noise=plane(0.1)), how)[0].astype(float) - 10000 + 0.5
    charge = out + 2e-6 * out**2
    expected = np.array([each.mean() for each in frames_of(how)]) * 5000 / 2
    assert np.max(out) > 30000
    np.testing.assert_allclose(charge.mean(axis=(1, 2)), expected, rtol=1e-3)


def test_neighbours_share_charge_across_blocks_of_rows():
    kernel = np.array([[0, 0.01, 0], [0.01, 0.96, 0.01], [0, 0.01, 0]])
    rate = np.zeros(SHAPE, np.float32)
    for row in (20, 63, 64, 127, 128):
        rate[row, 10 + row % 7 * 9] = 20000
    out = read(rate, pixels(kernel=kernel, noise=plane(0.0)), reading("RAPID", groups=2))[0, 1] - 10000.0
    for row, column in np.argwhere(rate > 0):
        peak = out[row, column] / 0.96
        around = [out[row + i, column + j] for i, j in ((-1, 0), (1, 0), (0, -1), (0, 1))]
        np.testing.assert_allclose(around, 0.01 * peak, rtol=0.01)
        assert out[row - 1, column - 1] == 0


def test_pixels_stop_at_the_full_well_and_at_what_16_bits_hold():
    how = reading("RAPID")
    assert np.all(read(1e5, pixels(noise=plane(0.0)), how)[0, -1] == 59000)
    assert np.all(read(1e5, pixels(noise=plane(0.0), full=plane(1e6)), how)[0, -1] == 65535)


def test_pixels_that_collect_nothing_show_bias_and_noise_alone():
    live = np.ones(SHAPE, bool)
    live[5:30, 7:50] = False
    out = read(2000.0, pixels(live=live), reading())[0].astype(float)
    dark = out[:, 5:30, 7:50]
    assert np.all(np.abs(dark.mean(axis=(1, 2)) - 10000) < 2)
    assert out[:, 40:].min() > 10500


def test_a_cosmic_ray_is_seen_from_its_group_on():
    how, quiet = reading("RAPID", groups=5, integrations=2), pixels(noise=plane(0.0))
    hits = draw_hits(quiet, how, times=300)
    out = read(0.0, quiet, how, hits=hits).astype(float)
    before = read(0.0, quiet, how)
    expected = np.zeros(out.shape)
    for i, g, y, x, e in zip(*(hits[key] for key in ("integration", "group", "y", "x", "electrons")), strict=True):
        expected[i, g:, y, x] += e / 2.0
    assert len(hits["y"]) > 50
    assert np.abs(np.clip(expected, 0, 48000) - (out - before))[expected < 48000].max() <= 1


@pytest.mark.parametrize("axes", [(1, 2), (-1, 2), (1, -2), (-2, -1)])
def test_light_falls_where_it_should_however_the_detector_is_read(axes):
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    rate = (50 * y + 3 * x).astype(np.float32)
    hits = draw_hits(pixels(axes=axes), reading("RAPID"))
    out = read(rate, pixels(axes=axes), reading("RAPID"), hits=None)[0]
    expected = 10000 + rate * FRAME_S * 6 / 2
    assert np.corrcoef(out[-1].ravel(), expected.ravel())[0, 1] > 0.999
    struck = read(rate * 0, pixels(axes=axes, noise=plane(0.0)), reading("RAPID"), hits=hits)[0, -1] > 10000
    assert np.all(struck[hits["y"], hits["x"]] | (hits["electrons"] < 4))


def test_drift_is_seen_only_with_a_border_and_is_the_same_along_a_row():
    how, quiet = reading("RAPID", groups=4), pixels(noise=plane(0.0))
    assert np.ptp(read(0.0, quiet, how)) == 0
    out = read(0.0, quiet._replace(has_border=True), how)[0].astype(float)
    assert 0.3 < out.std() < 3 * assumed.DRIFT_DN
    for output in np.split(out, 4, axis=2):
        assert np.all(np.ptp(output, axis=2) == 0)


def test_the_result_does_not_depend_on_threads_and_integrations_differ():
    how = reading("BRIGHT1", groups=3, integrations=5)
    detector = pixels(curvature=2e-6, reset=3.0, has_border=True)
    hits = draw_hits(detector, how, times=20)
    alone = read(30.0, detector, how, hits=hits)
    with Work(3) as work:
        together = read(30.0, detector, how, hits=hits, work=work)
    np.testing.assert_array_equal(alone, together)
    assert all(np.any(alone[0] != other) for other in alone[1:])
    again = read(30.0, detector, reading("BRIGHT1", groups=3, integrations=2), hits=hits)
    np.testing.assert_array_equal(again, alone[:2])
