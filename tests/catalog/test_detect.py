"""Smoothing against astropy, segments against photutils, and the edges of both."""

import numpy as np
import pytest
from astropy.convolution import convolve
from photutils.segmentation import detect_sources, make_2dgaussian_kernel

from rtools.catalog.detect.detect import detect
from rtools.catalog.detect.smooth import gaussian_kernel, smooth
from rtools.work import Work


def noise(shape=(160, 190), seed=1):
    random = np.random.default_rng(seed)
    return random.normal(0, 1, shape).astype(np.float32), random.random(shape) < 0.02


@pytest.mark.parametrize("fwhm", [1.0, 2.0, 2.7, 5.0])
def test_the_kernel_is_photutils(fwhm):
    kernel = gaussian_kernel(fwhm)
    assert len(kernel) % 2 == 1 and len(kernel) - 2 < 3 * fwhm <= len(kernel)
    assert kernel == pytest.approx(make_2dgaussian_kernel(fwhm, size=len(kernel)).array, abs=1e-12)


def test_kernel_of_two_pixels():
    kernel = gaussian_kernel(2.0)
    assert kernel[3] == pytest.approx([0.00071, 0.01643, 0.10630, 0.19730, 0.10630, 0.01643, 0.00071], abs=5e-6)
    assert np.sum(kernel**2) == pytest.approx(0.0990, abs=5e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("fwhm", [2.0, 4.0])
@pytest.mark.parametrize("values_of_masked", [np.nan, np.inf, 1e9])
def test_smoothed_image_is_that_of_astropy(fwhm, values_of_masked):
    data, mask = noise()
    mask[20:50, 30:61] = True  # a hole wider than the kernel
    mask[0, :9] = mask[-5:, -1] = True
    data[mask] = values_of_masked
    found = smooth(data, mask, gaussian_kernel(fwhm))
    wanted = convolve(np.where(mask, 0, data), gaussian_kernel(fwhm), mask=mask)
    assert np.isnan(found).any()
    assert np.array_equal(np.isnan(found), np.isnan(wanted))
    assert found == pytest.approx(wanted, abs=1e-5, nan_ok=True)


def test_edges_are_dimmed():
    ones = np.ones((40, 40), np.float32)
    found = smooth(ones, np.zeros(ones.shape, bool), gaussian_kernel(2.0))
    assert found[20, 20] == pytest.approx(1)
    assert found[0, 20] == found[20, -1] == pytest.approx(0.72, abs=0.005)
    assert found[0, 0] == pytest.approx(0.52, abs=0.005)


def test_smoothing_has_the_same_bits_for_any_number_of_threads():
    data, mask = noise((300, 50))
    one, three = (smooth(data, mask, gaussian_kernel(2.0), work=Work(n)) for n in (1, 3))
    assert np.array_equal(one, three, equal_nan=True)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (3, 2)])
def test_smoothing_of_an_image_smaller_than_the_kernel(shape):
    data = np.arange(1, 1 + np.prod(shape), dtype=np.float32).reshape(shape)
    wanted = convolve(data, gaussian_kernel(2.0))
    assert smooth(data, np.zeros(shape, bool), gaussian_kernel(2.0)) == pytest.approx(wanted, rel=1e-6)


def test_a_kernel_that_is_no_product_is_refused():
    kernel = np.zeros((3, 3))
    kernel[0, 0] = kernel[2, 2] = 0.5
    with pytest.raises(ValueError, match="product"):
        smooth(*noise(), kernel)


@pytest.mark.parametrize("npixels", [1, 5, 25])
@pytest.mark.parametrize("level", [0.1, 0.3])
def test_segments_are_those_of_photutils(npixels, level):
    data, mask = noise((200, 210), seed=npixels)
    image = smooth(data, mask, gaussian_kernel(2.0))
    threshold = np.full(image.shape, level, np.float32) + np.linspace(0, 0.1, image.shape[1], dtype=np.float32)
    labels, n = detect(image, threshold, mask, npixels)
    wanted = detect_sources(image, threshold, npixels, mask=mask)
    assert n == wanted.n_labels > 3
    assert np.array_equal(labels, wanted.data)
    assert labels.dtype == np.int32


def test_pixels_that_touch_at_a_corner_are_one_source():
    image = np.zeros((9, 9), np.float32)
    image[[0, 1, 2, 1], [0, 1, 2, 3]] = 1
    image[8, 8] = 1
    labels, n = detect(image, 0.5, np.zeros(image.shape, bool), 1)
    assert n == 2
    assert (labels[image > 0] == [1, 1, 1, 1, 2]).all()


def test_a_ring_and_what_is_in_it():
    image = np.zeros((11, 11), np.float32)
    image[1:10, 1:10] = 1
    image[3:8, 3:8] = 0
    image[5, 5] = 1
    labels, n = detect(image, 0.5, np.zeros(image.shape, bool), 1)
    assert n == 2 and labels[1, 1] == labels[9, 9] == labels[9, 1] == 1 and labels[5, 5] == 2


def test_masked_and_nan_pixels_belong_to_no_source():
    image = np.ones((6, 8), np.float32)
    mask = np.zeros(image.shape, bool)
    mask[:, 3] = True
    image[2, 6] = np.nan
    labels, n = detect(image, 0.5, mask, 1)
    assert n == 2
    assert not labels[:, 3].any() and labels[2, 6] == 0
    assert (labels[:, :3] == 1).all()


@pytest.mark.parametrize("image", [np.zeros((5, 5)), np.full((5, 5), np.nan), np.ones((5, 5))])
def test_an_image_without_sources_has_no_segment(image):
    labels, n = detect(image.astype(np.float32), 1.0, np.zeros((5, 5), bool), 1)
    assert n == 0 and labels.shape == (5, 5) and not labels.any()


def test_sources_on_the_border():
    image = np.zeros((10, 12), np.float32)
    image[0, 0:3] = image[-1, -3:] = image[4:7, -1] = 1
    labels, n = detect(image, 0.5, np.zeros(image.shape, bool), 3)
    assert n == 3
    assert labels[0, 0] == 1 and labels[5, -1] == 2 and labels[-1, -1] == 3
