"""Statistics of an image against astropy's, and images without a good pixel."""

import numpy as np
import pytest
from astropy.stats import mad_std

from rtools.work import Work
from rtools.work.statistics import image_statistics


@pytest.mark.parametrize("size", [(31, 33), (30, 33)])
@pytest.mark.parametrize("precision", [np.float16, np.float32])
def test_good_pixels_only(size, precision):
    random = np.random.default_rng(1)
    data = random.normal(3, 0.5, size).astype(np.float32)
    err = np.full(size, 0.1, precision)
    dq = random.choice(np.array([0, 4, 1, 5], np.uint32), size)
    data[0, :4] = np.nan, np.inf, 1e9, 1e9
    dq[0, :4] = 0
    err[0, 2:4] = 0, np.nan
    good = (dq & 1) == 0
    good[0, :4] = False
    before = data.copy()
    found = image_statistics(data, dq, err)
    assert found["image_median"] == np.median(data[good])
    assert found["image_rms"] == pytest.approx(mad_std(data[good]), rel=1e-6)
    assert found["good_pixel_fraction"] == good.mean()
    assert all(type(value) is float for value in found.values())
    assert np.array_equal(data, before, equal_nan=True)


def test_scatter_of_a_normal_distribution():
    data = np.random.default_rng(2).normal(10, 2, (500, 500)).astype(np.float32)
    found = image_statistics(data, np.zeros(data.shape, np.uint32), np.ones_like(data))
    assert found["image_rms"] == pytest.approx(2, abs=0.02)
    assert found["image_median"] == pytest.approx(10, abs=0.02)


def test_no_good_pixel():
    data = np.ones((4, 4), np.float32)
    found = image_statistics(data, np.ones((4, 4), np.uint32), data)
    assert np.isnan(found["image_median"])
    assert np.isnan(found["image_rms"])
    assert found["good_pixel_fraction"] == 0


@pytest.mark.parametrize("count", [1, 2, 3, 4, 999, 1000])
def test_medians_are_exact(count):
    random = np.random.default_rng(count)
    data = random.normal(0, 1, (1, count)).astype(np.float32)
    data[0, ::3] = data[0, 0]  # equal values
    found = image_statistics(data, np.zeros(data.shape, np.uint32), np.ones_like(data))
    assert found["image_median"] == np.median(data)
    assert found["image_rms"] == pytest.approx(mad_std(data), rel=1e-6)


def test_middle_between_two_values_far_apart():
    data = np.array([[-3.0, -2.0, 5000.0, 6000.0]], np.float32)
    found = image_statistics(data, np.zeros(data.shape, np.uint32), np.ones_like(data))
    assert found["image_median"] == 2499.0


def test_same_for_any_number_of_threads():
    random = np.random.default_rng(5)
    data = random.normal(-1, 3, (37, 50)).astype(np.float32)
    dq = random.choice(np.array([0, 1, 2], np.uint32), data.shape)
    results = [
        image_statistics(data, dq, np.ones(data.shape, np.float16), Work(threads)) for threads in (None, 1, 2, 64)
    ]
    assert all(result == results[0] for result in results)
