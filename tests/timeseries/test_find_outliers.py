"""Outliers in time: medians of windows, what is not to be used, ends of a series."""

import warnings

import numpy as np
import pytest

from rtools.timeseries.outliers import find_outliers

TIMES, SHAPE = 60, (5, 18)


@pytest.fixture
def quiet():
    """A star that drifts by many errors in the whole series, and by few in a window; without noise."""
    data = np.linspace(100, 160, TIMES, dtype=np.float32)[:, None, None] * np.ones(SHAPE, np.float32)
    return data, np.ones(data.shape, np.float32), np.zeros(data.shape, bool)


def slow(data, unusable, window):
    """The medians, one after another, as they are defined."""
    number = len(data)
    starts = np.clip(np.arange(number) - window // 2, 0, number - window)
    kept = np.where(unusable | ~np.isfinite(data), np.nan, data).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.stack([np.nanmedian(kept[start : start + window], axis=0) for start in starts])


@pytest.mark.parametrize("window", [3, 8, 25, 59, 60])
def test_medians_are_those_of_the_windows(window):
    """Each value is compared with the median of its window, at both ends with the nearest; NaN has no share."""
    rng = np.random.default_rng(window)
    data = rng.normal(0, 1, (TIMES, *SHAPE)).astype(np.float32)
    data[rng.random(data.shape) < 0.1] = np.nan
    data[rng.random(data.shape) < 0.02] = np.inf
    data[rng.random(data.shape) < 0.1] = 0.5  # ties
    unusable = rng.random(data.shape) < 0.2
    unusable[:, 2, 3] = True
    err = rng.uniform(0.5, 1, data.shape).astype(np.float32)
    with np.errstate(invalid="ignore"):
        wanted = np.abs(data - slow(data, unusable, window)) > np.float32(1.5) * err
    found = find_outliers(data, err, unusable, window=window, limit=1.5)
    np.testing.assert_array_equal(found, wanted)
    assert 0.01 < found.mean() < 0.5
    assert not found[:, 2, 3].any()


def test_what_all_integrations_share_is_no_outlier(quiet):
    data, err, unusable = quiet
    assert not find_outliers(data, err, unusable, window=9).any()
    assert find_outliers(data, err, unusable).any()  # beside the median of all, both ends stand out


def test_one_value_stands_out_where_its_neighbour_in_time_is_nan(quiet):
    """A median that dies of one NaN would test nothing in the window about it."""
    data, err, unusable = quiet
    data[20, 1, 1], data[23, 1, 1] = np.nan, 500
    found = find_outliers(data, err, unusable, window=9)
    assert np.argwhere(found).tolist() == [[23, 1, 1]]


@pytest.mark.parametrize("window", [0, 60, 1000])
def test_a_window_longer_than_the_series_is_all_of_it(quiet, window):
    data, err, unusable = quiet
    data[:] = 100
    data[0, 0, 0] = 200
    assert np.argwhere(find_outliers(data, err, unusable, window=window)).tolist() == [[0, 0, 0]]


def test_the_rate_of_false_ones_is_that_of_the_limit():
    """Of noise three errors are exceeded in 0.27 per cent, a little more where the median of 25 has noise itself."""
    data = np.random.default_rng(2).normal(0, 1, (400, 30, 30)).astype(np.float32)
    share = find_outliers(data, np.ones_like(data), np.zeros(data.shape, bool), window=25, limit=3.0).mean()
    assert 0.0027 < share < 0.0045


def test_no_integration_and_no_error_find_nothing():
    assert find_outliers(*np.zeros((2, 0, 3, 3), np.float32), np.zeros((0, 3, 3), bool)).shape == (0, 3, 3)
    data = np.zeros((5, 3, 3), np.float32)
    data[2] = 9
    assert not find_outliers(data, np.full_like(data, np.nan), np.zeros(data.shape, bool)).any()
