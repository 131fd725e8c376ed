"""The likelihood ramp fit on simulated noise: pulls, errors, false alarms, and jumps found."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rtools.exposure.rampfit.timing import resultant_timing
from tests.support.ramps import FRAME_TIME, fit, simulate

pytestmark = pytest.mark.slow

PATTERN = [[1], [2, 3], [4, 5, 6, 7, 8], [9, 10, 11, 12, 13, 14], [15, 16, 17, 18, 19], [20, 21], [22, 23, 24], [25]]
SHAPE = (64, 600)
GAIN, READNOISE = 1.8, 8.0


def error_at(rate):
    """Standard deviation of the fitted rate when the covariance is that of the true rate."""
    timing = resultant_timing(PATTERN, FRAME_TIME)
    f, s = rate / GAIN, READNOISE**2
    diagonal = f * timing.poisson_diagonal + s * timing.read_diagonal
    coupling = (f * timing.poisson_coupling + s * timing.read_coupling)[:-1]
    inverse = np.linalg.inv(np.diag(diagonal) + np.diag(coupling, 1) + np.diag(coupling, -1))
    return inverse.sum() ** -0.5


@pytest.mark.parametrize("rate", [0.5, 3.0, 30.0, 500.0])
def test_pulls_have_mean_0_and_sd_1(rate):
    """With the error at the true rate; err follows the measured rate and so has the right rms only."""
    ramps = simulate(np.random.default_rng(int(rate)), rate, SHAPE, pattern=PATTERN, gain=GAIN, readnoise=READNOISE)
    strip, _ = fit(ramps, gain=GAIN, readnoise=READNOISE, pattern=PATTERN)
    sigma = error_at(rate)
    pulls = (strip.image["data"] - rate) / sigma
    assert abs(pulls.mean()) < 0.02
    assert abs(pulls.std() - 1) < 0.03
    assert_allclose(np.sqrt(np.mean((strip.image["err"] / sigma) ** 2)), 1, atol=0.02)
    # chi-square has n - 1 degrees of freedom
    assert_allclose(strip.image["chisq"].mean(), len(PATTERN) - 2, rtol=0.03)


@pytest.mark.parametrize("rate", [1.0, 50.0])
def test_false_alarms_are_as_rare_as_the_threshold_says(rate):
    """At 3 sigma: seven differences and six pairs, correlated, at 0.27 per cent each."""
    ramps = simulate(np.random.default_rng(7), rate, SHAPE, pattern=PATTERN, gain=GAIN, readnoise=READNOISE)
    strip, _ = fit(ramps, gain=GAIN, readnoise=READNOISE, pattern=PATTERN, threshold=3.0)
    alarms = np.mean(strip.image["dq"] & 4 != 0)
    assert 0.5 * 7 * 0.0027 < alarms < 1.5 * 13 * 0.0027
    default, _ = fit(ramps, gain=GAIN, readnoise=READNOISE, pattern=PATTERN)
    assert np.mean(default.image["dq"] & 4 != 0) < 5e-4


@pytest.mark.parametrize("read", [1, 5, 11, 24])
def test_strong_jumps_are_found_where_they_are_and_do_no_harm(read):
    """A jump of 12 times the noise of a read pair, before the given read or among the reads of its resultant."""
    rate, height = 2.0, 12 * np.sqrt(2) * READNOISE
    shape = (32, 100)
    steps = np.zeros((25, *shape))
    steps[read:] = height
    rng = np.random.default_rng(read)
    ramps = simulate(rng, rate, shape, pattern=PATTERN, gain=GAIN, readnoise=READNOISE, steps=steps)
    strip, _ = fit(ramps, gain=GAIN, readnoise=READNOISE, pattern=PATTERN)
    first = next(i for i, reads in enumerate(PATTERN) if read + 1 <= reads[-1])
    found = strip.image["dq"] & 4 != 0
    assert found.mean() > 0.999
    assert np.mean(np.abs(strip.jumps[:, 0] - first) <= 1) > 0.98
    pulls = (strip.image["data"] - rate) / strip.image["err"]
    assert abs(np.median(pulls)) < 0.1
    assert 0.9 < pulls.std() < 1.15


def test_completeness_rises_with_the_height_of_the_jump():
    shape = (16, 400)
    found = []
    for height in (2, 5, 8, 12):
        steps = np.zeros((25, *shape))
        steps[11:] = height * READNOISE
        ramps = simulate(np.random.default_rng(3), 1.0, shape, pattern=PATTERN, readnoise=READNOISE, steps=steps)
        strip, _ = fit(ramps, readnoise=READNOISE, pattern=PATTERN)
        found.append(np.mean(strip.image["dq"] & 4 != 0))
    assert found == sorted(found)
    assert found[0] < 0.2
    assert found[-1] > 0.98
