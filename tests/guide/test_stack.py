"""Stacks of difference images: what is combined, where it lies, and how sure it is."""

import numpy as np
import pytest

from rtools.errors import InputError, UsageError
from rtools.guide import lay_frames, make_montage, spread_evenly, stack_images


def noise(count, rows=4, columns=5, seed=1):
    """Images of level 100 with noise of 2."""
    return (100 + np.random.default_rng(seed).normal(0, 2, (count, rows, columns))).astype(np.float32)


def test_the_mean_has_the_variance_of_its_scatter():
    images = noise(50)
    found = stack_images(images)
    assert found.image == pytest.approx(images.mean(axis=0), rel=1e-5)
    assert found.variance == pytest.approx(images.var(axis=0, ddof=1) / 50, rel=1e-4)
    assert found.counts.tolist() == [[50] * 5] * 4 and found.lower == (0, 0)
    assert found.image.dtype == found.variance.dtype == np.float32


def test_the_variance_of_a_median_is_true():
    medians = np.array([stack_images(noise(40, seed=seed), how="median").image for seed in range(200)])
    claimed = stack_images(noise(4000, 8, 8), how="median").variance * 100
    assert medians.var() == pytest.approx(claimed.mean(), rel=0.1)


def test_a_hit_counts_in_the_mean_and_not_in_the_clipped_median():
    images = noise(9)
    images[4, 2, 3] = 9000
    mean, median = stack_images(images), stack_images(images, how="median")
    assert mean.image[2, 3] > 1000
    assert median.image[2, 3] == pytest.approx(np.median(np.delete(images[:, 2, 3], 4)), rel=1e-6)
    assert median.counts[2, 3] == 8 and median.variance[2, 3] < 10


def test_masked_pixels_and_those_that_are_no_number_do_not_count():
    images, masked = noise(6), np.zeros((6, 4, 5), bool)
    masked[:, 0, 0] = masked[:5, 1, 1] = True
    images[2, 3, 3] = np.nan
    for how in ("mean", "median"):
        found = stack_images(images, masked=masked, how=how)
        assert (found.counts[0, 0], found.counts[1, 1], found.counts[3, 3]) == (0, 1, 5)
        assert np.isnan(found.image[0, 0]) and found.image[1, 1] == pytest.approx(images[5, 1, 1])
        assert np.isnan(found.variance[1, 1]) and np.isfinite(found.variance[3, 3])


@pytest.mark.parametrize("how", ["mean", "median"])
def test_moved_windows_are_laid_where_they_are_on_the_detector(how):
    sky = np.random.default_rng(2).normal(50, 10, (30, 40)).astype(np.float32)
    lower = np.array([[10, 5], [13, 5], [10, 9], [10, 5]])
    images = np.stack([sky[y : y + 8, x : x + 6] for x, y in lower])
    found = stack_images(images, lower, how=how)
    assert found.lower == (10, 5) and found.image.shape == (12, 9)
    seen = found.counts > 0
    assert found.image[seen] == pytest.approx(sky[5:17, 10:19][seen], rel=1e-6)
    count = np.zeros((30, 40), int)
    for x, y in lower:
        count[y : y + 8, x : x + 6] += 1
    assert found.counts.tolist() == count[5:17, 10:19].tolist()
    common = stack_images(images, lower, how=how, cover="intersection")
    assert common.lower == (13, 9) and common.image == pytest.approx(sky[9:13, 13:16], rel=1e-6)
    assert np.all(common.counts == 4)


def test_without_corners_windows_lie_on_top_of_each_other():
    assert stack_images(noise(3)).image.shape == (4, 5)


def test_what_cannot_be_stacked_is_refused():
    with pytest.raises(InputError, match="no image"):
        stack_images(noise(0))
    with pytest.raises(InputError, match="no pixel in common"):
        stack_images(noise(2), np.array([[0, 0], [5, 0]]), cover="intersection")
    with pytest.raises(UsageError, match="mode"):
        stack_images(noise(2), how="mode")


def test_frames_of_a_movie_show_the_window_where_it_is():
    images, masked = noise(3), np.zeros((3, 4, 5), bool)
    masked[0, 1, 1] = True
    frames, lower = lay_frames(images, np.array([[7, 3], [8, 3], [7, 3]]), masked=masked)
    assert frames.shape == (3, 4, 6) and lower == (7, 3)
    assert np.array_equal(frames[1, :, 1:], images[1]) and np.all(np.isnan(frames[1, :, 0]))
    assert np.isnan(frames[0, 1, 1]) and frames[0, 1, 2] == images[0, 1, 2]


def test_a_montage_is_read_from_the_top_left():
    images = noise(5)
    found = make_montage(images, 3, border=2)
    assert found.image.shape == (2 * 6 + 2, 3 * 7 + 2)
    for image, (left, bottom) in zip(images, found.corners, strict=True):
        assert np.array_equal(found.image[bottom : bottom + 4, left : left + 5], image)
    assert found.corners[0, 1] > found.corners[3, 1] and found.corners[1, 0] > found.corners[0, 0]
    assert np.isfinite(found.image).sum() == images.size
    assert make_montage(images[:2], 3).image.shape == (6, 13)
    with pytest.raises(InputError):
        make_montage(noise(0), 3)


def test_chosen_frames_are_spread_from_the_first_to_the_last():
    assert spread_evenly(100, 4).tolist() == [0, 33, 66, 99]
    assert spread_evenly(3, 9).tolist() == [0, 1, 2]
    assert spread_evenly(0, 9).tolist() == []
