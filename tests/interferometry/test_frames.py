"""Cutting out the star, finding its centre, repairing bad pixels."""

import numpy as np
import pytest

from rtools.errors import InputError
from rtools.interferometry.frames import box_about_star, centre_of, filled
from rtools.interferometry.repair import dark_frequencies, repair
from tests.support.interferograms import PIXEL, SIZE, band, direct, mask


@pytest.mark.parametrize("centre", [(0.0, 0.0), (0.2, -0.35), (-0.4, 0.1)])
def test_the_centre_of_a_star_comes_back(centre):
    assert centre_of(direct(centre)) == pytest.approx(centre, abs=0.06)


def test_the_box_is_the_largest_about_the_star_above_the_reference_pixels():
    data = np.zeros((3, 40, 36))
    data[:, 20, 15] = 100
    data[1, 5, 5] = 1e4  # in one integration alone
    bad = np.zeros(data.shape, bool)
    data[:, 30, 30], bad[:, 30, 30] = 1e5, True
    data[:, 1, 15] = 1e6  # a row of reference pixels
    box = box_about_star(data, bad, 4)
    assert (box.row, box.column, box.half) == (20, 15, 15)
    assert data[(0, *box.slices)].shape == (31, 31)


def test_a_hot_pixel_that_nobody_flagged_is_not_the_star():
    data = np.zeros((2, 70, 60))
    data[:, 10:55, 5:50] = direct((0.4, -0.2)) * 1e3
    data += np.random.default_rng(1).normal(0, 10, data.shape)
    star = box_about_star(data, np.zeros(data.shape, bool))
    data[:, 5, 8] = data[:, 40, 40] = 10 * data.max()
    assert box_about_star(data, np.zeros(data.shape, bool)) == star
    assert (star.row, star.column) == (32, 27)


def test_a_star_at_the_edge_and_no_star_at_all_are_refused():
    data = np.zeros((2, 30, 30))
    data[:, 15, 3] = 1
    with pytest.raises(InputError, match="edge"):
        box_about_star(data, np.zeros(data.shape, bool))
    with pytest.raises(InputError, match="no pixel is good"):
        box_about_star(data, np.ones(data.shape, bool))


def test_missing_pixels_get_the_median_of_their_neighbours():
    image = np.arange(25.0).reshape(5, 5)
    missing = np.zeros((5, 5), bool)
    missing[2, 2] = missing[0, 0] = True
    found = filled(np.where(missing, np.nan, image), missing)
    assert found[2, 2] == 12
    assert found[0, 0] == 5
    assert (found[~missing] == image[~missing]).all()


@pytest.fixture(scope="module")
def noisy():
    """A star with noise, its errors, and the frequencies without light."""
    image = direct((0.1, 0.2)) * 100
    error = np.sqrt(image + 4)
    data = image + np.random.default_rng(2).normal(0, error)
    return image, data, error, dark_frequencies(SIZE, mask(), band(), PIXEL)


def test_a_star_has_no_power_at_dark_frequencies(noisy):
    image, *_rest, dark = noisy
    power = np.abs(np.fft.fft2(image))
    assert 0.3 < dark.mean() < 0.7
    assert power[dark].max() < 4e-3 * power.max()
    assert power[dark].mean() < 0.03 * power[~dark].mean()


def test_bad_pixels_get_the_values_that_they_would_have(noisy):
    image, data, error, dark = noisy
    bad = np.zeros(image.shape, bool)
    bad[22, 23] = bad[20, 30] = bad[20, 31] = bad[3, 40] = True
    found = repair(np.where(bad, np.nan, data), error, bad, dark)
    assert (found.bad == bad).all()
    assert (np.abs(found.image - image)[bad] < 6 * error[bad]).all()
    np.testing.assert_array_equal(found.image[~bad], data[~bad])


def test_bad_pixels_that_nobody_flagged_are_found(noisy):
    image, data, error, dark = noisy
    data = data.copy()
    data[30, 12] += 40 * error[30, 12]
    data[10, 20] -= 40 * error[10, 20]
    found = repair(data, error, np.zeros(data.shape, bool), dark)
    assert set(zip(*np.nonzero(found.bad), strict=True)) == {(30, 12), (10, 20)}
    assert (np.abs(found.image - image)[found.bad] < 6 * error[found.bad]).all()


def test_noise_alone_is_no_bad_pixel(noisy):
    _image, data, error, dark = noisy
    assert not repair(data, error, np.zeros(data.shape, bool), dark).bad.any()


def test_without_dark_frequencies_neighbours_tell(noisy):
    _image, data, error, dark = noisy
    bad = np.zeros(data.shape, bool)
    bad[15, 15] = True
    found = repair(data, error, bad, np.zeros_like(dark))
    near = data[14:17, 14:17].ravel()
    assert found.image[15, 15] == np.median(np.delete(near, 4))
