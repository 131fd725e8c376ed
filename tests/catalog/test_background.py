"""Background and noise maps against photutils, and images that are hard to say anything about."""

import numpy as np
import pytest
from astropy.stats import SigmaClip
from photutils.background import Background2D, MedianBackground

from rtools.catalog.detect.background import estimate
from rtools.work import Work


def field(shape=(430, 391), seed=1):
    """Noise on a slope, stars, and some masked pixels; boxes of 100 stick out on two sides."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    data = 5 + 0.003 * x - 0.002 * y + random.normal(0, 1 + 0.002 * x)
    for _ in range(60):
        cx, cy = random.uniform(0, shape[1]), random.uniform(0, shape[0])
        data += random.uniform(5, 500) * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 4)
    return data.astype(np.float32), random.random(shape) < 0.01


def judge(data, mask, boxsize, **options):
    return Background2D(
        data,
        boxsize,
        filter_size=(3, 3),
        coverage_mask=mask,
        sigma_clip=SigmaClip(3.0, stdfunc="mad_std"),
        bkg_estimator=MedianBackground(),
        **options,
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("boxsize", [100, 43, 391])
def test_maps_are_those_of_photutils(boxsize):
    data, mask = field()
    found, wanted = estimate(data, mask, boxsize), judge(data, mask, boxsize)
    typical = wanted.background_rms.mean()
    assert not found.fallback
    assert np.abs(found.level - wanted.background).max() < 1e-4 * typical
    assert np.abs(found.rms - wanted.background_rms).max() < 1e-4 * typical
    assert found.level.dtype == found.rms.dtype == np.float32
    assert not found.level[mask].any() and not found.rms[mask].any()


@pytest.mark.filterwarnings("ignore")
def test_boxes_that_are_mostly_masked_are_filled_from_neighbours():
    data, mask = field()
    mask[100:200, 200:300] = True
    mask[0:60, 0:100] = True
    found, wanted = estimate(data, mask, 100), judge(data, mask, 100)
    assert np.isfinite(found.mesh_level).all()
    assert np.abs(found.level - wanted.background).max() < 1e-2 * wanted.background_rms.mean()
    assert np.abs(found.rms - wanted.background_rms).max() < 1e-2 * wanted.background_rms.mean()


@pytest.mark.filterwarnings("ignore")
def test_one_box_where_none_has_enough_pixels():
    data, mask = field()
    mask |= np.random.default_rng(3).random(data.shape) < 0.3
    found = estimate(data, mask, 100)
    wanted = judge(data, mask, data.shape, exclude_percentile=100)
    assert found.fallback
    assert found.level[~mask] == pytest.approx(wanted.background[~mask], abs=1e-5)
    assert found.rms[~mask] == pytest.approx(wanted.background_rms[~mask], abs=1e-5)


def test_clipping_leaves_the_noise():
    random = np.random.default_rng(4)
    data = random.normal(7, 2, (600, 600)).astype(np.float32)
    data[random.random(data.shape) < 0.02] = 1e6
    found = estimate(data, np.zeros(data.shape, bool), 200)
    assert found.mesh_level == pytest.approx(7, abs=0.05)
    # A normal distribution cut at three sigma.
    assert found.mesh_rms == pytest.approx(2 * 0.9866, rel=0.02)


def test_the_same_bits_for_any_number_of_threads():
    data, mask = field()
    one, three = estimate(data, mask, 60), estimate(data, mask, 60, work=Work(3))
    assert np.array_equal(one.level, three.level) and np.array_equal(one.rms, three.rms)


def test_not_finite_values_are_not_looked_at():
    data, mask = field()
    clean = estimate(data, mask, 100)
    data[mask] = np.nan
    data[np.nonzero(mask)[0][:50], np.nonzero(mask)[1][:50]] = -np.inf
    found = estimate(data, mask, 100)
    assert np.array_equal(found.level, clean.level)
    # A value that is not finite but not masked either gets a background like its neighbours.
    data[~np.isfinite(data)] = np.nan
    assert (estimate(data, np.zeros_like(mask), 100).level > 0).all()


@pytest.mark.parametrize("value", [0.0, -3.5])
def test_a_constant_image(value):
    data = np.full((70, 50), value, np.float32)
    found = estimate(data, np.zeros(data.shape, bool), 20)
    assert (found.level == np.float32(value)).all() and not found.rms.any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (5, 3)])
def test_images_smaller_than_a_box(shape):
    data = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    found = estimate(data, np.zeros(shape, bool), 1000)
    assert found.level == pytest.approx(np.median(data))
    assert found.rms == pytest.approx(np.std(data))


@pytest.mark.parametrize("bad", [np.nan, 1.0])
def test_no_good_pixel(bad):
    data = np.full((30, 40), bad, np.float32)
    found = estimate(data, np.full(data.shape, True), 10)
    assert found.fallback and not found.level.any() and not found.rms.any()


def test_the_input_is_left_alone():
    data, mask = field()
    before = data.copy()
    estimate(data, mask, 100)
    assert np.array_equal(data, before)
