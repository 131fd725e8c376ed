"""The width of the star: what moves faster than a pair lasts, unbiased and with honest errors; motion beside it."""

import numpy as np
import pytest

from rtools.guide import HighFrequency, cropped, fit_psf, match_psf, measure_motion, shift_widths, sum_widths, widened
from tests.support.guide_motion import CYCLE_S, EXPTIME_S, centres, golden_motion
from tests.support.guide_windows import SCALE, difference_of, images_of, nominal_psf, observed

ELECTRONS = {12: 107503.0, 13: 42798.0, 14: 17038.0, 15: 6783.0, 16: 2700.0, 17: 1075.0}
"""Of a star of such an AB magnitude in F158, in a pair."""

EVERY = np.ones(4000, bool)


@pytest.fixture(scope="module")
def psf():
    return nominal_psf()


def smeared(psf, x, y, offsets):
    """Light of stars whose places are the mean of several."""
    return np.mean([images_of(psf, x + dx, y + dy) for dx, dy in offsets], axis=0)


def test_width_of_a_star_without_noise_is_that_of_its_places(psf):
    x, y = np.full(5, 7.63), np.linspace(6.8, 7.8, 5)
    light = smeared(psf, x, y, [(0.03, 0.02), (-0.03, -0.02), (0.06, -0.01), (-0.06, 0.01)])
    found = fit_psf(difference_of(1e7 * light), psf)
    true = np.array([(0.03**2 + 0.06**2) / 2, (0.02**2 + 0.01**2) / 2, (0.03 * 0.02 - 0.06 * 0.01) / 2])
    width = sum_widths(found, np.ones(5, bool))
    np.testing.assert_allclose([width.xx, width.yy, width.xy], true, rtol=0.02, atol=2e-5)
    np.testing.assert_allclose(
        np.transpose([found.width_xx, found.width_yy, found.width_xy]), [true] * 5, rtol=0.03, atol=3e-5
    )


@pytest.mark.parametrize(("magnitude", "limit"), [(12, 1.0), (15, 4.0), (17, 25.0)])
def test_width_is_unbiased_and_its_error_is_true(psf, magnitude, limit):
    """40 exposures of 100 pairs with 8 mas along x; the limit of the mean is in mas²."""
    rng = np.random.default_rng(magnitude)
    x, y = 7.63 + 0.05 * rng.normal(size=4000), 7.21 + 0.05 * rng.normal(size=4000)
    shift = 8 / SCALE
    light = ELECTRONS[magnitude] * smeared(psf, x, y, [(shift, 0), (-shift, 0)])
    found = fit_psf(difference_of(observed(light, rng)), psf)
    widths = [sum_widths(found, np.arange(4000) // 100 == number) for number in range(40)]
    off = np.array([[width.xx - shift**2, width.yy, width.xy] for width in widths])
    errors = np.array([np.sqrt(np.diag(width.covariance)) for width in widths])
    whole = sum_widths(found, EVERY)
    scale = SCALE**2
    assert np.abs(scale * np.array([whole.xx - shift**2, whole.yy, whole.xy])).max() < limit
    assert np.abs(scale * off.mean(axis=0)).max() < limit
    assert 0.8 < np.sqrt(np.mean((off / errors) ** 2)) < 1.2


def test_pairs_that_are_not_used_and_those_without_a_fit_do_not_count(psf):
    difference = difference_of(1e6 * images_of(psf, np.full(4, 7.6), np.full(4, 7.2)))
    difference.masked[2] = True
    found = fit_psf(difference, psf)
    one = sum_widths(found, np.array([True, False, False, False]))
    two = sum_widths(found, np.array([True, True, True, False]))
    np.testing.assert_allclose(two.covariance, one.covariance / 2, rtol=1e-6)
    assert np.isnan(sum_widths(found, np.array([False, False, True, False])).xx)


def exposure(psf, seed, pairs=704, steps=24):
    """Light of a star of flux 1 with the golden motion in random phases, its mean places, and its widths in pairs."""
    rng, t = np.random.default_rng(seed), centres(pairs)
    moment = t[:, None] + EXPTIME_S * ((np.arange(steps) + 0.5) / steps - 0.5)
    places = []
    for axis, middle in (("x", 7.63), ("y", 7.21)):
        golden = golden_motion(axis)
        motion = golden._replace(phase=rng.uniform(0, 2 * np.pi, len(golden.phase)))
        places.append(middle + motion.at(moment.ravel()).reshape(pairs, steps) / SCALE)
    x, y = places
    light = np.zeros((pairs, 16, 16))
    for step in range(steps):
        light += images_of(psf, x[:, step], y[:, step]) / steps
    inside = [np.mean(a * b, axis=1) - a.mean(axis=1) * b.mean(axis=1) for a, b in ((x, x), (y, y), (x, y))]
    return t, x.mean(axis=1), y.mean(axis=1), light, np.mean(inside, axis=1)


@pytest.mark.long
def test_motion_and_width_of_twenty_exposures(psf):
    """Errors of the rms along x and y, and of the widths, from 12 to 17 mag; the limits are those of the design."""
    exposures = [exposure(psf, seed) for seed in range(20)]
    limits = {12: 0.4, 13: 0.6, 14: 0.8, 15: 1.2, 16: 2.7, 17: 6.4}
    for magnitude, limit in limits.items():
        rng = np.random.default_rng(magnitude)
        rms, width, pulls = [], [], []
        for t, x, y, light, inside in exposures:
            found = fit_psf(difference_of(observed(ELECTRONS[magnitude] * light, rng)), psf)
            covariance = SCALE**2 * np.stack([found.xx, found.yy, found.xy], axis=1)
            used = EVERY[: len(t)]
            motion = measure_motion(t, SCALE * found.x, SCALE * found.y, covariance, used, cycle_s=CYCLE_S)
            rms.append(np.divide([motion.rms_x, motion.rms_y], SCALE * np.array([x.std(ddof=1), y.std(ddof=1)])) - 1)
            high = sum_widths(found, used)
            width.append(SCALE**2 * (np.array([high.xx, high.yy, high.xy]) - inside))
            pulls.append(width[-1] / SCALE**2 / np.sqrt(np.diag(high.covariance)))
        mean, scatter = 100 * np.mean(rms, axis=0), 100 * np.std(rms, axis=0, ddof=1)
        print(magnitude, "rms %", mean, scatter, "H mas²", np.mean(width, axis=0), np.std(width, axis=0), np.std(pulls))
        if magnitude <= 16:
            assert np.abs(mean).max() < 1
        assert scatter.max() < limit * 1.3
        assert 0.8 < np.sqrt(np.mean(np.square(pulls))) < 1.2
        if magnitude == 12:
            assert np.abs(np.mean(width, axis=0)).max() < 1


def test_psf_with_more_jitter_is_the_mean_of_moved_ones_and_less_takes_it_back(psf):
    wide = widened(psf, 0.004, 0.001, 0.0005)
    assert wide.jitter == pytest.approx(np.add(psf.jitter, (0.004, 0.001, 0.0005)))
    turned = np.linalg.cholesky([[0.004, 0.0005], [0.0005, 0.001]]) * np.sqrt(3)
    nodes = [turned @ (a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)]  # Gauss-Hermite of three nodes
    weights = np.outer((1, 4, 1), (1, 4, 1)).ravel() / 36
    light = sum(w * images_of(psf, [7.63 + dx], [7.21 + dy]) for w, (dx, dy) in zip(weights, nodes, strict=True))
    np.testing.assert_allclose(images_of(wide, [7.63], [7.21]), light, atol=1e-5)
    back = widened(wide, -0.004, -0.001, -0.0005)
    np.testing.assert_allclose(images_of(back, [7.63], [7.21]), images_of(psf, [7.63], [7.21]), atol=1e-7)


def test_widths_of_a_fit_with_a_matched_psf_are_relative_to_the_first(psf):
    x, y = np.full(5, 7.63), np.linspace(6.8, 7.8, 5)
    offsets = [(0.06, 0.04), (-0.06, -0.04), (0.08, -0.02), (-0.08, 0.02)]
    true = np.array([0.005, 0.001, 0.0004])
    difference = difference_of(1e7 * smeared(psf, x, y, offsets))
    wrong = fit_psf(difference, psf)
    matched = match_psf(psf, sum_widths(wrong, EVERY[:5]))
    again = shift_widths(fit_psf(difference, matched), np.subtract(matched.jitter, psf.jitter))
    width = sum_widths(again, EVERY[:5])
    np.testing.assert_allclose(width[:3], true, atol=2e-5)
    np.testing.assert_allclose(again.width_xx, true[0], atol=2e-5)
    assert 4 * np.abs(again.x - x).max() < np.abs(wrong.x - x).max()


def test_width_that_nobody_knows_is_half_of_the_jitter_of_the_psf(psf):
    nothing = match_psf(psf, HighFrequency(np.nan, np.nan, np.nan, np.full((3, 3), np.nan)))
    assert nothing.jitter == pytest.approx(np.array(psf.jitter) / 2)
    vague = match_psf(psf, HighFrequency(0.05, 0.05, 0.0, np.eye(3)))
    assert vague.jitter == pytest.approx(np.array(psf.jitter) / 2, abs=2e-6)
    certain = match_psf(psf, HighFrequency(0.005, 0.004, 0.001, 1e-12 * np.eye(3)))
    assert certain.jitter == pytest.approx(np.add(psf.jitter, (0.005, 0.004, 0.001)), abs=1e-6)


def test_cropped_psf_gives_the_same_images_and_the_same_when_it_is_widened(psf):
    small = cropped(psf, (16, 16))
    assert small.coefficients.size < psf.coefficients.size / 2
    for x, y in ((-0.9, 3.0), (7.6, 7.2), (15.4, 15.9)):
        np.testing.assert_allclose(images_of(small, [x], [y]), images_of(psf, [x], [y]), atol=1e-12)
        both = [images_of(widened(one, -0.004, 0.006, 0.001), [x], [y]) for one in (small, psf)]
        np.testing.assert_allclose(both[0], both[1], atol=1e-7)
    assert cropped(small, (64, 64)).coefficients.shape == small.coefficients.shape
