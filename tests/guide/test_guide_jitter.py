"""The motion of an exposure: golden numbers, noise taken out, drift with an honest error, kernels."""

import numpy as np
import pytest

from rtools.errors import InputError, UsageError
from rtools.guide import HighFrequency, covariance_of, ellipse, exposure_kernel, measure_motion
from rtools.guide.jitter import find_drift, neighbour_noise
from tests.support.guide_motion import CYCLE_S, EXPTIME_S, centres, golden_motion

ALL = slice(16, 720)
"""Pairs of the exposure of the golden numbers, without those of the reset read."""


def places_of(pairs=720):
    """Mean places of the golden motion, mas, and the times."""
    t = centres(pairs)
    return t, *(golden_motion(axis).means(t) for axis in "xy")


@pytest.mark.parametrize(
    ("covariance", "expected"),
    [
        ((49, 25, -2.7), (7.0213959, 4.9699095, 96.34019)),
        ((25, 49, 10), (7.2539989, 4.6237972, 19.90279)),
        ((36, 36, 5), (6.4031242, 5.5677644, 45)),
    ],
)
def test_golden_ellipses(covariance, expected):
    np.testing.assert_allclose(ellipse(*covariance), expected, rtol=3e-7)
    np.testing.assert_allclose(covariance_of(*expected), covariance, rtol=1e-6, atol=1e-5)


def test_negative_eigenvalue_of_an_ellipse_is_zero_and_a_circle_has_no_angle():
    assert ellipse(9, -1, 0) == (3, 0, 90)
    assert ellipse(4, 4, 0) == (2, 2, 0)


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        ("x", (0.3004896, 1.0074882, 0.1426130, 7.29726, 6.61289, 3.08539, -0.180704, -0.324070, -0.041468, 3.932358)),
        ("y", (0.2146354, np.nan, np.nan, 5.40833, 4.72458, 2.63218, -0.041113, -0.048319, 0.061470, -0.245046)),
    ],
)
def test_golden_motion(axis, expected):
    motion = golden_motion(axis)
    slow = np.sinc(motion.frequency * EXPTIME_S) ** 2
    power = motion.amplitude**2 / 2
    found = [*motion.amplitude[[0, 100, 199]], *(np.sqrt(np.sum(power * share)) for share in (1, slow, 1 - slow))]
    found += list(motion.means(centres(720))[[0, 1, 2, 719]])
    known = np.isfinite(expected)
    np.testing.assert_allclose(np.array(found)[known], np.array(expected)[known], rtol=1e-4, atol=1e-6)


def test_motion_of_an_exposure_without_noise():
    t, x, y = places_of()
    used = np.arange(720) >= 16
    motion = measure_motion(t, x, y, np.zeros((720, 3)), used, cycle_s=CYCLE_S)
    np.testing.assert_allclose([motion.rms_x, motion.rms_y], [6.719971, 5.328842], rtol=1e-6)
    np.testing.assert_allclose([motion.xx, motion.yy, motion.xy], [45.1580, 28.3966, -0.4591], rtol=1e-4)
    np.testing.assert_allclose(ellipse(motion.xx, motion.yy, motion.xy), [6.7209, 5.3277, 91.57], rtol=1e-4)
    assert (motion.pairs, motion.used, motion.gaps, motion.bounded) == (720, 704, 0, False)
    assert (
        motion.excursion_95
        < motion.excursion_max
        == pytest.approx(np.hypot(x[ALL] - x[ALL].mean(), y[ALL] - y[ALL].mean()).max())
    )


def test_noise_is_taken_out():
    t, x, y = places_of(4000)
    errors = np.random.default_rng(1).normal(0, [[4.0], [2.0]], (2, 4000))
    noise = np.broadcast_to([16.0, 4.0, 0.0], (4000, 3))
    still = measure_motion(t, x, y, 0 * noise, np.ones(4000, bool), cycle_s=CYCLE_S)
    noisy = measure_motion(t, x + errors[0], y + errors[1], noise, np.ones(4000, bool), cycle_s=CYCLE_S)
    np.testing.assert_allclose([noisy.rms_x, noisy.rms_y], [still.rms_x, still.rms_y], rtol=0.02)
    np.testing.assert_allclose([noisy.rms_line_x, noisy.rms_line_y], [still.rms_line_x, still.rms_line_y], rtol=0.02)


def test_noise_above_the_scatter_leaves_no_negative_variance():
    t, x, y = places_of()
    motion = measure_motion(t, x, y, np.broadcast_to([100.0, 1.0, 0.0], (720, 3)), np.ones(720, bool), cycle_s=CYCLE_S)
    assert motion.bounded
    assert motion.rms_x == pytest.approx(0, abs=0.1)
    assert motion.rms_y > 4


def test_too_few_pairs_and_gaps():
    t, x, y = places_of(100)
    t[50:] += 3 * CYCLE_S
    motion = measure_motion(t, x, y, np.zeros((100, 3)), np.arange(100) < 29, cycle_s=CYCLE_S)
    assert (motion.pairs, motion.used, motion.gaps) == (100, 29, 1)
    assert np.isnan([motion.rms_x, motion.drift_y, motion.excursion_max]).all()


def test_noise_by_neighbours():
    rng = np.random.default_rng(2)
    t = CYCLE_S * np.arange(5000)
    slow = 20 * np.sin(t / 30)
    used = rng.random(5000) < 0.95
    x, y = slow + rng.normal(0, 3, 5000), -slow + rng.normal(0, 2, 5000)
    np.testing.assert_allclose(neighbour_noise(t, x, y, used, cycle_s=CYCLE_S), [9, 4, 0], atol=0.4)
    motion = measure_motion(t, x, y, None, used, cycle_s=CYCLE_S)
    np.testing.assert_allclose([motion.rms_x, motion.rms_y], slow.std(), rtol=0.02)
    jagged = np.where(np.arange(5000) % 2, 5.0, -5.0)
    assert measure_motion(t, jagged, jagged, None, used, cycle_s=CYCLE_S).rms_radial == pytest.approx(0, abs=1e-6)


def test_drift_is_found_with_an_error_that_knows_of_slow_motion():
    t = centres(704)
    rng = np.random.default_rng(3)
    golden = golden_motion("x")
    found = []
    for _ in range(200):
        motion = golden._replace(phase=rng.uniform(0, 2 * np.pi, len(golden.phase)))
        found.append(find_drift(t, motion.means(t) + 0.05 * t))
    rates, errors = np.array([drift.rate for drift in found]), np.array([drift.rate_err for drift in found])
    assert abs(rates.mean() - 0.05) < 3 * rates.std() / np.sqrt(200)
    # The golden motion has nothing below 0.01 Hz, where a line is most sensitive; the error assumes that it goes on.
    assert 1 < np.median(errors) / rates.std() < 2


def test_kernel_of_an_exposure():
    width = HighFrequency(4e-4, 1e-4, 5e-5, np.diag([1e-8, 1e-8, 1e-8]))
    slow, reference = (3e-3, 2e-3, -1e-4), (5e-3, 5e-3, 0.0)
    plain = exposure_kernel(slow)
    np.testing.assert_allclose([plain.xx, plain.yy, plain.xy], slow, rtol=1e-12)
    np.testing.assert_allclose(plain.ellipse, np.array(ellipse(*slow)) * [110, 110, 1], rtol=1e-12)
    window = exposure_kernel(slow, high_frequency="window", width=width, reference=reference)
    np.testing.assert_allclose([window.xx, window.yy, window.xy], [8.4e-3, 7.1e-3, -5e-5], rtol=1e-9)
    added = exposure_kernel(slow, high_frequency="5.5")
    np.testing.assert_allclose([added.xx - 3e-3, added.yy - 2e-3, added.xy], [0.0025, 0.0025, -1e-4], rtol=1e-9)
    assert (plain.kind, window.kind, added.kind) == ("none", "window", "5.5")


def test_kernel_is_refused_where_the_width_is_not_known():
    width = HighFrequency(0.0, 0.0, 0.0, np.diag([1e-6, 1e-8, 1e-8]))  # 12 mas²
    with pytest.raises(InputError, match=r"12.1 mas² only"):
        exposure_kernel((1e-3, 1e-3, 0), high_frequency="window", width=width)
    with pytest.raises(InputError, match="unknown"):
        exposure_kernel((1e-3, 1e-3, 0), high_frequency="window")
    for word in ("some", "-3", "nan"):
        with pytest.raises(UsageError, match="number of mas"):
            exposure_kernel((1e-3, 1e-3, 0), high_frequency=word)
