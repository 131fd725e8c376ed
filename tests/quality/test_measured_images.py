"""Numbers of images and mosaics: flags, sky, noise against errors, depth; whatever bands they are read in."""

import numpy as np
import pytest

from rtools.quality import BandOfRows, measure_image, measure_mosaic

TABLE = {"DO_NOT_USE": 1, "SATURATED": 2, "JUMP_DET": 4}
SKY, SIGMA = 3.0, 0.2


def noisy(seed=1, shape=(120, 150), sigma=SIGMA):
    """An image of noise, its errors, and flags of some pixels, of which those that are not to be used are wild."""
    rng = np.random.default_rng(seed)
    data = rng.normal(SKY, sigma, shape).astype(np.float32)
    dq = np.zeros(shape, np.uint32)
    dq[:5, :7] = 1
    dq[50:52, 20:30] = 6
    data[dq == 1] = 1e6
    return data, dq, np.full(shape, SIGMA, np.float32)


def in_bands(arrays, height):
    """Rows of an image, so many at a time."""
    return [BandOfRows(*(one[start : start + height] for one in arrays)) for start in range(0, len(arrays[0]), height)]


def test_flags_are_counted_and_what_must_not_be_used_is_left_out():
    found = measure_image(in_bands(noisy(), 30), TABLE, block=10, unusable=1)
    assert found.flags == {"DO_NOT_USE": 35, "SATURATED": 20, "JUMP_DET": 20}
    assert (found.pixels, found.good) == (120 * 150, 120 * 150 - 35)
    assert found.sky == pytest.approx(SKY, abs=4 * SIGMA / 120)
    assert np.nanmax(found.picture) < SKY + SIGMA


def test_honest_errors_have_the_ratio_1_and_errors_that_are_half_as_large_2():
    data, dq, err = noisy(shape=(400, 400))
    honest, small = (measure_image([BandOfRows(data, dq, one)], TABLE, unusable=1) for one in (err, err / 2))
    assert honest.noise == pytest.approx(SIGMA, rel=0.02)
    assert honest.expected == pytest.approx(SIGMA)
    assert honest.noise_ratio == pytest.approx(1, rel=0.02)
    assert small.noise_ratio == pytest.approx(2, rel=0.02)


def test_stars_and_a_slope_of_the_sky_are_no_noise():
    data, dq, err = noisy(shape=(400, 400))
    y, x = np.mgrid[:400, :400]
    data += (0.01 * x).astype(np.float32)
    for place in range(20, 400, 40):
        data += 50 * np.exp(-((x - place) ** 2 + (y - place) ** 2) / 4).astype(np.float32)
    assert measure_image([BandOfRows(data, dq, err)], TABLE, unusable=1).noise_ratio == pytest.approx(1, rel=0.05)


def test_noise_that_neighbours_share_is_told_by_pixels_that_are_apart():
    rng = np.random.default_rng(5)
    wide = rng.normal(0, 1, (300, 303))
    data = ((wide[:, 3:] + wide[:, 2:-1] + wide[:, 1:-2]) / 3**0.5).astype(np.float32)
    rows = [BandOfRows(data, None, np.ones_like(data))]
    assert measure_image(rows, {}, lag=1).noise_ratio == pytest.approx((1 / 3) ** 0.5, rel=0.03)
    assert measure_image(rows, {}, lag=4).noise_ratio == pytest.approx(1, rel=0.03)


@pytest.mark.parametrize("height", [10, 40, 130])
def test_the_height_of_the_bands_changes_neither_counts_nor_picture(height):
    arrays = noisy()
    whole = measure_image(in_bands(arrays, 120), TABLE, block=10, unusable=1)
    parts = measure_image(in_bands(arrays, height), TABLE, block=10, unusable=1)
    assert (parts.flags, parts.good, parts.sky) == (whole.flags, whole.good, whole.sky)
    np.testing.assert_array_equal(parts.picture, whole.picture)


def test_an_image_without_a_good_pixel_has_no_sky_and_no_noise():
    data = np.full((40, 40), np.nan, np.float32)
    found = measure_image([BandOfRows(data, None, np.ones_like(data))], {}, block=8)
    assert found.good == 0
    assert np.isnan([found.sky, found.noise, found.noise_ratio]).all()
    assert np.isnan(found.picture).all()


@pytest.mark.filterwarnings("error")
def test_pixels_as_large_as_can_be_stop_nothing():
    wild = np.random.default_rng(3).choice(np.float32([3e38, -3e38, np.nan, np.inf, 0]), (40, 40))
    found = measure_image([BandOfRows(wild, None, np.full_like(wild, 3e38))], {}, block=7)
    assert found.good == np.count_nonzero(np.isfinite(wild))
    assert found.picture.shape == (6, 6)


def test_depth_is_the_number_of_images_whose_bits_are_set():
    context = np.zeros((2, 40, 40), np.uint32)
    context[0, 10:, :] = 0b101
    context[1, 20:, :] = 0b1
    weight = np.where(context[0] > 0, 2.0, 0.0).astype(np.float32)
    bands = [(context[:, rows : rows + 10], weight[rows : rows + 10]) for rows in range(0, 40, 10)]
    found = measure_mosaic(bands, block=10)
    np.testing.assert_array_equal(found.depths, [400, 0, 400, 800])
    assert (found.depth, found.empty, found.weight) == (3, 0.25, 2)
    assert found.shallow == 0
    np.testing.assert_array_equal(found.depth_picture[:, 0], [0, 2, 3, 3])


def test_pixels_with_fewer_than_half_the_images_are_shallow():
    context = np.full((1, 10, 10), 0b1111, np.uint32)
    context[0, :2] = 0b1
    assert measure_mosaic([(context, None)]).shallow == pytest.approx(0.2)
