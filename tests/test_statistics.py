"""Statistics of an image against astropy's, and images without a good pixel."""

import numpy as np
import pytest
from astropy.stats import mad_std

from rtools.exposure.statistics import image_statistics


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
