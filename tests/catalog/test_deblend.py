"""Deblending: what is split, what is not, and how many true sources come back from crowded fields."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from rtools.catalog.detect.deblend import deblend
from rtools.catalog.detect.detect import detect
from rtools.catalog.detect.smooth import gaussian_kernel, smooth
from rtools.work import Work

NPIXELS = 25


def stars(shape, positions, fluxes, sigma=1.2):
    """Gaussian stars without noise."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape)
    for (cx, cy), flux in zip(positions, fluxes, strict=True):
        image += flux * np.exp(-0.5 * ((x - cx) ** 2 + (y - cy) ** 2) / sigma**2)
    return image.astype(np.float32)


def segments(image, level=0.01):
    return detect(image, level, np.zeros(image.shape, bool), 5)[0]


def peaks(labels, image, n):
    return [np.unravel_index(np.argmax(np.where(labels == k, image, -np.inf)), image.shape) for k in range(1, n + 1)]


@pytest.mark.slow
def test_two_stars_are_parted_along_the_valley():
    image = stars((30, 40), [(12, 15), (19, 14)], [1000, 300])
    labels = segments(image)
    found, n = deblend(labels, image, 5)
    assert n == 2 and labels.max() == 1
    assert np.array_equal(found > 0, labels > 0)
    assert {found[15, 12], found[14, 19]} == {1, 2}
    assert found.dtype == np.int32
    # The border runs along the valley.
    assert (found[15, :15] != found[14, 19]).all() and (found[14, 17:] != found[15, 12]).all()


def test_one_star_is_left_whole():
    image = stars((30, 30), [(12.3, 15.7)], [500])
    labels = segments(image)
    found, n = deblend(labels, image, 5)
    assert n == 1 and np.array_equal(found, labels)


def test_a_basin_needs_its_pixels():
    image = stars((30, 40), [(12, 15), (18, 15)], [1000, 300])
    above_saddle = np.count_nonzero(image[:, 15:] > image[15, 12:19].min())
    labels = segments(image)
    assert deblend(labels, image, above_saddle - 2)[1] == 2
    assert deblend(labels, image, above_saddle + 2)[1] == 1


def test_a_basin_needs_its_share_of_the_light():
    image = stars((30, 40), [(12, 15), (22, 15)], [1000, 10])
    labels = segments(image, 1e-6)
    assert deblend(labels, image, 5, contrast=0.005)[1] == 2
    assert deblend(labels, image, 5, contrast=0.02)[1] == 1


def test_rise_and_floor():
    image = stars((30, 40), [(12, 15), (18, 15)], [1000, 300])
    rise = image[15, 18] - image[15, 12:19].min()
    labels = segments(image)
    assert deblend(labels, image, 1, rise=rise * 0.99)[1] == 2
    assert deblend(labels, image, 1, rise=rise * 1.01)[1] == 1
    assert deblend(labels, image, 1, floor=299)[1] == 2
    assert deblend(labels, image, 1, floor=302)[1] == 1


def test_labels_are_whole_segments_then_children_parent_by_parent():
    places = [(10, 10), (17, 10), (40, 10), (10, 40), (17, 40), (24, 40), (40, 40)]
    image = stars((60, 60), places, [100] * 7)
    labels = segments(image, 0.1)
    assert labels.max() == 4
    found, n = deblend(labels, image, 5)
    assert n == 7
    assert [found[y, x] for x, y in places] == [3, 4, 1, 5, 6, 7, 2]
    assert sorted(np.unique(found)) == list(range(8))


def test_neighbours_are_not_mixed():
    """Segments that touch (as after other tools) stay what they are."""
    image = stars((20, 40), [(10, 10), (30, 10)], [100, 100], sigma=4)
    labels = np.ones(image.shape, np.int32)
    labels[:, 20:] = 2
    found, n = deblend(labels, image, 5)
    assert n == 2 and np.array_equal(found, labels)


@pytest.mark.parametrize("image", [np.ones((20, 20)), np.full((20, 20), -1.0), np.full((20, 20), np.nan)])
def test_flat_and_empty_segments_stay_whole(image):
    labels = np.ones(image.shape, np.int32)
    found, n = deblend(labels, image.astype(np.float32), 5)
    assert n == 1 and (found == 1).all()


def test_nothing_is_split_where_there_is_no_segment():
    found, n = deblend(np.zeros((5, 6), np.int32), np.ones((5, 6), np.float32), 5)
    assert n == 0 and found.shape == (5, 6) and not found.any()


def crowded(seed, sources=350, size=400, galaxies=0.0):
    """Stars of all fluxes, and round exponential galaxies, with noise; truth as x, y, flux."""
    random = np.random.default_rng(seed)
    x, y = random.uniform(2, size - 3, (2, sources))
    flux = 10 ** random.uniform(1.8, 4.5, sources)
    scale = np.where(random.random(sources) < galaxies, random.uniform(1.0, 3.0, sources), 0)
    image = random.normal(0, 1, (size, size))
    yy, xx = np.mgrid[-40:41, -40:41]
    for cx, cy, total, wide in zip(x, y, flux, scale, strict=True):
        ix, iy = round(cx), round(cy)
        distance = np.hypot(xx - (cx - ix), yy - (cy - iy))
        shape = np.exp(-distance / wide) if wide else np.exp(-0.5 * (distance / 0.9) ** 2)
        rows, columns = slice(max(iy - 40, 0), iy + 41), slice(max(ix - 40, 0), ix + 41)
        part = image[rows, columns]
        top, left = max(40 - iy, 0), max(40 - ix, 0)
        part += (total * shape / shape.sum())[top : top + part.shape[0], left : left + part.shape[1]]
    return image.astype(np.float32), x, y, flux


def recovered(labels, image, n, truth):
    """Number of true sources that a peak belongs to, one to one, within 2 pixels."""
    x, y, flux = truth
    places = np.array(peaks(labels, image, n))
    near = cKDTree(places[:, ::-1]).query_ball_point(np.column_stack([x, y]), 2.0)
    taken = set()
    for i in np.argsort(-flux):
        free = [k for k in near[i] if k not in taken]
        if free:
            taken.add(min(free, key=lambda k: np.hypot(places[k, 1] - x[i], places[k, 0] - y[i])))
    return len(taken)


# Means of seeds 1 to 3 of photutils 3.0's deblend_sources (32 levels, contrast 1e-4, exponential): sources and how many
# of them are true. It needs scikit-image, which is not among the packages of the tests.
PHOTUTILS = {0.0: (929, 929), 0.5: (865, 864)}


@pytest.mark.parametrize("galaxies", PHOTUTILS)
def test_most_true_sources_of_a_crowded_field_come_back(galaxies):
    sources, true = 0, 0
    for seed in (1, 2, 3):
        data, *truth = crowded(seed, galaxies=galaxies)
        mask = np.zeros(data.shape, bool)
        image = smooth(data, mask, gaussian_kernel(2.0))
        labels, _ = detect(image, 1.0, mask, 9)
        found, n = deblend(labels, image, 9)
        sources += n
        true += recovered(found, image, n, truth)
    judge_sources, judge_true = PHOTUTILS[galaxies]
    assert true >= judge_true
    assert true / sources >= judge_true / judge_sources - 0.01


def test_the_same_labels_for_any_number_of_threads():
    data, *_ = crowded(4)
    mask = np.zeros(data.shape, bool)
    image = smooth(data, mask, gaussian_kernel(2.0))
    labels, _ = detect(image, 1.0, mask, 9)
    one, three = deblend(labels, image, 9), deblend(labels, image, 9, work=Work(3))
    assert one[1] == three[1] and np.array_equal(one[0], three[0])
