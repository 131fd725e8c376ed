"""Deep detection: significance is what it says, faint stars are found, noise is not."""

import numpy as np
import pytest
from scipy.ndimage import convolve
from scipy.stats import norm

from rtools.catalog.detect.deep import detect_deep, significance
from rtools.catalog.detect.detect import detect
from rtools.catalog.detect.smooth import gaussian_kernel, smooth
from rtools.work import Work

pytestmark = pytest.mark.slow

SKY, READ = 40.0, 4.0
CAPACITANCE = np.array([[0.0, 0.02, 0.0], [0.02, 0.92, 0.02], [0.0, 0.02, 0.0]])


def stamp(dx=0.0, dy=0.0, reach=7, sigma=0.6):
    x = np.arange(-reach, reach + 1)
    image = np.exp(-0.5 * ((x[:, None] - dy) ** 2 + (x[None, :] - dx) ** 2) / sigma**2)
    return image / image.sum()


def exposure(shape=(600, 500), seed=1, stars=()):
    """Background-subtracted counts: Poisson and read noise through capacitance, err from the measured counts."""
    random = np.random.default_rng(seed)
    light = np.full(shape, SKY)
    for x, y, flux in stars:
        ix, iy = round(x), round(y)
        light[iy - 7 : iy + 8, ix - 7 : ix + 8] += flux * stamp(x - ix, y - iy)
    counts = random.poisson(light) + random.normal(0, READ, shape)
    counts = convolve(counts, CAPACITANCE, mode="nearest")
    err = np.sqrt(np.maximum(counts, 0) + READ**2)
    return (counts - SKY).astype(np.float32), err.astype(np.float32), random.random(shape) < 0.005


def grid_of_stars(flux, step=25, seed=9):
    random = np.random.default_rng(seed)
    return [
        (x + random.uniform(-3, 3), y + random.uniform(-3, 3), flux)
        for y in range(20, 580, step)
        for x in range(20, 480, step)
    ]


def near(labels, x, y):
    """Labels within one pixel of a position."""
    return set(labels[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2].ravel().tolist()) - {0}


@pytest.mark.parametrize("wrong", [1.0, 0.7, 1.5])
def test_noise_has_scatter_one(wrong):
    """Correlated noise, err that follows the data, err that is wrong by a factor."""
    data, err, mask = exposure()
    found = significance(data, (wrong * err).astype(np.float32), mask, stamp())
    good = found[~mask]
    assert good.std() == pytest.approx(1, abs=0.03)
    assert good.mean() == pytest.approx(0, abs=0.03)
    tails = np.count_nonzero(good < -3), np.count_nonzero(good > 3)
    assert tails == pytest.approx([norm.sf(3) * good.size] * 2, rel=0.25)
    assert not found[mask].any()


def test_noisier_columns_and_rows_are_no_reason():
    data, err, mask = exposure((1000, 1000))
    random = np.random.default_rng(2)
    data[:, 400:406] += random.normal(0, 5, (1000, 6)).astype(np.float32)
    data[700:704] += random.normal(0, 5, (4, 1000)).astype(np.float32)
    found = significance(data, err, mask, stamp())
    assert found[:, 402:404].std() == pytest.approx(1, abs=0.06)
    assert found[701:703].std() == pytest.approx(1, abs=0.06)


def test_significance_of_a_star():
    """Signal to noise of a fitted amplitude, a little less because the filter is broadened."""
    stars = [(x, y, 150.0) for y in range(20, 580, 40) for x in range(20, 480, 40)]
    data, err, mask = exposure(stars=stars)
    mask[:] = False
    found = significance(data, err, mask, stamp())
    seen = convolve(stamp(), CAPACITANCE)
    wanted = 150 * np.sqrt(np.sum(seen**2 / (SKY + READ**2 + 150 * seen)))
    at_stars = np.array([found[y, x] for x, y, _ in stars])
    assert 0.85 * wanted < np.median(at_stars) < 1.05 * wanted


def test_faint_stars_are_found_and_little_else():
    stars = grid_of_stars(160.0)
    data, err, mask = exposure(stars=stars)
    labels, n = detect_deep(data, err, mask, stamp())
    matched = [near(labels, x, y) for x, y, _ in stars]
    assert np.mean([len(labels) == 1 for labels in matched]) > 0.95
    assert n - sum(map(bool, matched)) <= 0.05 * n
    # The normal mode sees none of them.
    smoothed = smooth(data, mask, gaussian_kernel(2.0))
    assert detect(smoothed, 3 * data.std(), mask, 25)[1] == 0


def test_few_sources_in_noise():
    data, err, mask = exposure((1000, 1000), seed=3)
    _, n = detect_deep(data, err, mask, stamp())
    _, negative = detect_deep(-data, err, mask, stamp())
    # Peaks of a Gaussian field above 4.25: a few in a hundred thousand pixels.
    assert n < 50 and negative < 50
    assert detect_deep(data, err, mask, stamp(), threshold=5.5)[1] <= 2


def test_the_negative_image_has_the_negative_significance():
    data, err, mask = exposure(stars=grid_of_stars(300.0))
    found, turned = (significance(sign * data, err, mask, stamp()) for sign in (1, -1))
    assert turned == pytest.approx(-found, abs=2e-3)


def test_a_bright_star_is_one_source():
    stars = [(250.3, 300.6, 1e5), (100.0, 100.5, 1e4)]
    data, err, mask = exposure(stars=stars)
    mask[:] = False
    labels, _ = detect_deep(data, err, mask, stamp(), threshold=5.5)
    for x, y, _ in stars:
        here = labels[round(y) - 7 : round(y) + 8, round(x) - 7 : round(x) + 8]
        assert len(set(here.ravel().tolist()) - {0}) == 1


def test_close_stars_are_two():
    data, err, mask = exposure(stars=[(250, 300, 3000), (254, 301, 1500)])
    mask[:] = False
    labels, _ = detect_deep(data, err, mask, stamp(), threshold=5.5)
    assert labels[300, 250] and labels[301, 254]
    assert labels[300, 250] != labels[301, 254]


def test_a_star_at_the_border_and_beside_masked_pixels():
    data, err, mask = exposure(stars=[(300.0, 300.0, 2000)])
    data, err, mask = data[300:, :301], err[300:, :301], mask[300:, :301].copy()
    mask[:9, -9:] = False
    mask[1, -1] = True
    labels, _ = detect_deep(data, err, mask, stamp())
    assert labels[0, -1] > 0 and labels[1, -1] == 0


def test_the_same_bits_for_any_number_of_threads():
    data, err, mask = exposure(stars=grid_of_stars(300.0))
    one, three = (detect_deep(data, err, mask, stamp(), work=Work(n)) for n in (1, 3))
    assert one[1] == three[1] > 100
    assert np.array_equal(one[0], three[0])
    one, three = (significance(data, err, mask, stamp(), work=Work(n)) for n in (1, 3))
    assert np.array_equal(one, three)


def test_the_input_is_left_alone():
    data, err, mask = exposure((80, 80))
    data[3, 4], err[5, 6], err[7, 8] = np.nan, 0, np.inf
    before = data.copy(), err.copy(), mask.copy()
    found = significance(data, err, mask, stamp())
    assert np.isfinite(found).all() and found[3, 4] == found[5, 6] == found[7, 8] == 0
    for now, then in zip((data, err, mask), before, strict=True):
        assert np.array_equal(now, then, equal_nan=True)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shape", [(1, 1), (3, 4), (40, 40)])
@pytest.mark.parametrize("value", [0.0, 5.0, np.nan])
@pytest.mark.parametrize("masked", [False, True])
def test_nothing_to_find(shape, value, masked):
    data = np.full(shape, value, np.float32)
    labels, n = detect_deep(data, np.ones(shape, np.float32), np.full(shape, masked), stamp())
    assert n == 0 and not labels.any() and labels.shape == shape
