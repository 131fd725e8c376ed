"""Weights, and the variances that they come from."""

import numpy as np
import pytest

from rtools.errors import UsageError
from rtools.mosaic.drizzle.weights import bad_bits, read_noise_variance, sky_variance, typical_noise, weight_map

SHAPE = 300, 400


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("~DO_NOT_USE", 1),
        ("~(DO_NOT_USE+NON_SCIENCE)", 1 + 512),
        ("~1", 1),
        ("SATURATED|JUMP_DET", 0xFFFFFFFF - 6),
        ("4", 0xFFFFFFFF - 4),
        ("", 0xFFFFFFFF),
        (0, 0xFFFFFFFF),
    ],
)
def test_words_for_bits_are_the_bits(text, bits):
    assert bad_bits(text) == bits


def test_a_flag_that_is_not_known_is_refused():
    with pytest.raises(UsageError, match="BRIGHT"):
        bad_bits("~BRIGHT")


def test_weights_are_inverse_variances_where_there_are_any():
    data = np.ones((2, 4), np.float32)
    data[0, 1] = np.nan
    variance = np.array([[2, 2, 0, -1], [np.nan, np.inf, 1e-6, 1e-39]], np.float32)
    good = np.ones((2, 4), bool)
    good[1, 2] = False
    weight = weight_map("ivm", data, good, var_rnoise=variance)
    np.testing.assert_array_equal(weight, np.array([[0.5, 0, 0, 0], [0, 0, 0, 0]], np.float32))
    with_sky = weight_map("ivm-sky", data, good, var_rnoise=variance, sky=2.0)
    assert with_sky[0, 0] == 0.25
    assert with_sky.dtype == np.float32


def test_small_variances_do_not_overflow():
    """Below 1.5e-5 the inverse has no half-precision value; here it has."""
    one = np.ones((1, 1), np.float32)
    weight = weight_map("ivm", one, one.astype(bool), var_rnoise=one * np.float32(1e-6))
    assert weight[0, 0] == pytest.approx(1e6)


def test_weights_are_the_exposure_time_of_good_pixels():
    data = np.array([[1, np.nan, 3]], np.float32)
    good = np.array([[True, True, False]])
    assert weight_map("exptime", data, good, exposure_time=107.0).tolist() == [[107, 0, 0]]
    assert weight_map("exptime", data, good).tolist() == [[1, 0, 0]]


def test_weights_that_lack_their_plane_are_refused():
    one = np.ones((1, 1), np.float32)
    with pytest.raises(UsageError, match="none"):
        weight_map("none", one, one > 0)
    with pytest.raises(UsageError, match="var_rnoise"):
        weight_map("ivm", one, one > 0)


def noisy(stars):
    """Arrays of a member rounded to half precision: true read variance, err, var_poisson, data."""
    rng = np.random.default_rng(8)
    read = (2.5e-4 * rng.uniform(0.7, 1.3, SHAPE)).astype(np.float32)
    rate = np.full(SHAPE, 0.5)
    rate[tuple(rng.integers(0, SHAPE, (stars, 2)).T)] = rng.uniform(20, 400, stars)
    poisson = rate / 2 / 107
    err = np.sqrt(read + poisson)
    half = [each.astype(np.float16).astype(np.float32) for each in (err, poisson)]
    data = rng.normal(rate, err).astype(np.float32)
    return read, *half, data, rate


def test_read_noise_is_reconstructed():
    read, err, poisson, _, rate = noisy(3000)
    raw = err * err - poisson
    found = read_noise_variance(err, [poisson], typical_noise(err, [poisson], np.ones(SHAPE, bool)))
    faint, bright = rate < 1, rate > 20
    assert np.count_nonzero(raw[bright] <= 0) > 50
    assert found.min() > 0
    # faint pixels are what the difference says, bright ones are not below what is usual
    np.testing.assert_array_equal(found[faint], raw[faint])
    np.testing.assert_allclose(found[faint], read[faint], rtol=0.05)
    assert found[bright].min() >= 0.95 * np.median(read)
    weight = weight_map("ivm", err, np.ones(SHAPE, bool), var_rnoise=found)
    assert weight.min() > 0


def test_reconstruction_with_bad_pixels():
    _, err, poisson, _, _ = noisy(0)
    good = np.ones(SHAPE, bool)
    err[10, 10], good[10, 10] = 0, False
    err[20, 20] = np.nan
    found = read_noise_variance(err, [poisson], typical_noise(err, [poisson], good))
    assert found[10, 10] == pytest.approx(2.5e-4, rel=0.1)
    assert np.isnan(found[20, 20])
    nothing = read_noise_variance(err * 0, [poisson], typical_noise(err * 0, [poisson], good))
    assert not (nothing > 0).any()


def test_the_variance_of_the_sky_is_that_of_good_pixels():
    _, _, poisson, data, _ = noisy(3000)
    good = np.ones(SHAPE, bool)
    expected = 0.5 / 2 / 107
    assert sky_variance(data, poisson, good) == pytest.approx(expected, rel=2e-3)
    data[5, 5], good[:20], poisson[:20] = np.nan, False, 99
    assert sky_variance(data, poisson, good) == pytest.approx(expected, rel=2e-3)
    assert sky_variance(data, poisson, good & False) == 0


def test_sky_variance_of_a_large_image_is_sampled():
    data = np.random.default_rng(1).normal(0, 1, (1100, 1100)).astype(np.float32)
    poisson = (0.2 + 0.01 * data).astype(np.float32)
    assert sky_variance(data, poisson, np.ones(data.shape, bool)) == pytest.approx(0.2, rel=1e-3)
