"""Outliers: weights' threshold, median over exposures, blotting, flags, the output pixels that they touch."""

import numpy as np
import pytest
from astropy.stats import sigma_clip
from scipy.ndimage import grey_dilation, map_coordinates

from rtools.mosaic.drizzle.drizzle import MemberPlanes, drizzle_band, make_kernel
from rtools.mosaic.grid.grid import centred_grid
from rtools.mosaic.grid.pixmap import pixel_map
from rtools.mosaic.outlier import median as medians
from rtools.mosaic.outlier import outlier
from rtools.mosaic.outlier.outlier import InspectedImage, OutlierLimits, Reach


class Map:
    """A pixel map that is a function; its cells are 16 pixels wide."""

    step = 16

    def __init__(self, shape, coefficients, bounds=None):
        self.shape = shape
        self.coefficients = coefficients
        self.bounds = bounds or (0, shape[1] - 1, 0, shape[0] - 1)
        self.boxes = np.array([[self.box(row, column) for column in range(5)] for row in range(4)])

    def box(self, row, column):
        x, y = self.evaluate(slice(16 * row, 16 * row + 17), slice(16 * column, 16 * column + 17))
        return x.min() - 1, x.max() + 1, y.min() - 1, y.max() + 1

    def evaluate(self, rows, columns):
        y, x = np.mgrid[rows, columns].astype(float)
        (a, b, c), (d, e, f) = self.coefficients
        return a + b * x + c * y + 1e-4 * x * y, d + e * x + f * y - 1e-4 * x * x


SHAPE = (60, 70)
MAP = Map(SHAPE, ((3.3, 1.31, 0.22), (9.1, -0.11, 1.17)))


def weights(rng):
    plane = rng.normal(2, 0.3, (200, 300)).astype("f4")
    plane[:40] = 0
    plane[50, :20] = np.nan
    plane[60] = 90
    plane[61, 3] = -4
    return plane


def test_weight_threshold_is_a_share_of_the_clipped_mean():
    plane = weights(np.random.default_rng(3))
    wanted = sigma_clip(plane[np.isfinite(plane) & (plane != 0)], sigma=3, maxiters=5, masked=False).mean(dtype="f8")
    assert medians.weight_threshold(plane) == pytest.approx(0.7 * wanted, rel=1e-5)
    assert medians.weight_threshold(plane, 0.2) == pytest.approx(0.2 * wanted, rel=1e-5)
    assert medians.weight_threshold(np.full((9, 9), 3.3, "f4"), 1.0) == np.float32(3.3)
    negative = medians.weight_threshold(-plane, 0.5)
    assert negative == pytest.approx(-0.5 * wanted, rel=1e-5)


def test_without_weights_nothing_is_masked():
    image, empty = np.ones((4, 4), "f4"), np.zeros((4, 4), "f4")
    threshold = medians.weight_threshold(empty)
    assert np.isnan(threshold)
    medians.mask_low_weight(image, empty, threshold)
    assert np.all(image == 1)
    medians.mask_low_weight(image, np.arange(16, dtype="f4").reshape(4, 4), 3.0)
    assert np.isnan(image.flat[:3]).all() and np.all(image.flat[3:] == 1)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 7, 8, 13, 41])
def test_median_of_exposures(number):
    rng = np.random.default_rng(number)
    planes = rng.normal(size=(number, 5, 700)).astype("f4")
    planes[rng.random(planes.shape) < 0.3] = np.nan
    found = medians.median_of(planes)
    count = np.isfinite(planes).sum(axis=0)
    for y, x in np.ndindex(found.shape):
        values = np.sort(planes[:, y, x][np.isfinite(planes[:, y, x])])
        if not values.size:
            assert np.isnan(found[y, x])
        else:
            assert found[y, x] == (values[0] if count[y, x] == 2 else np.median(values))
    parts = np.concatenate([medians.median_of(planes[:, rows]) for rows in (slice(0, 2), slice(2, 5))])
    np.testing.assert_array_equal(parts, found)


def image(seed=5, shape=(100, 110)):
    return np.random.default_rng(seed).normal(size=shape).astype("f4")


def test_blot_is_bilinear():
    x, y = MAP.evaluate(slice(0, 60), slice(0, 70))
    inside = (x >= 0) & (x < 109) & (y >= 0) & (y < 99)
    assert inside.mean() > 0.5
    found = outlier.blot(image(), x, y)
    np.testing.assert_allclose(
        found[inside], map_coordinates(image().astype(float), [y, x], order=1)[inside], atol=4e-5
    )
    assert found.dtype == np.float32


def test_blot_at_the_edges_of_the_frame():
    picture = image()
    x = np.array([[-0.001, 0.0, 109.0, 109.5, 109.999, 110.0, np.nan, 50.25, 109.7]])
    y = np.array([[3.0, 0.0, 4.0, 4.5, 99.9, 4.0, 3.0, 99.25, -0.2]])
    p = picture.astype(float)
    wanted = [
        7,
        p[0, 0],
        p[4, 109],
        (p[4, 109] + p[5, 109]) / 2,
        p[99, 109],
        7,
        7,
        0.75 * p[99, 50] + 0.25 * p[99, 51],
        7,
    ]
    np.testing.assert_allclose(outlier.blot(picture, x, y, fill=7)[0], wanted, rtol=1e-5)
    picture[5, 9] = np.nan
    assert np.isnan(outlier.blot(picture, np.array([[8.0]]), np.array([[4.5]])))  # its weight is 0


def test_blot_from_the_rows_that_it_needs():
    x, y = MAP.evaluate(slice(20, 30), slice(0, 70))
    first, last = outlier.rows_of(y, 100)
    assert 0 < first < last < 100
    np.testing.assert_array_equal(
        outlier.blot(image()[first:last], x, y, first=first, height=100), outlier.blot(image(), x, y)
    )
    with pytest.raises(ValueError, match="rows"):
        outlier.blot(image()[first + 1 : last], x, y, first=first + 1, height=100)
    assert outlier.rows_of(np.array([-3.0, np.nan, 400]), 100) == (0, 0)
    assert outlier.rows_of(np.array([9.99999999]), 100) == (10, 12)  # as float32 it is 10


def plainly(data, err, blotted, level, limits):
    """Flags, each rule written out with arrays."""
    padded = np.pad(blotted, 1, constant_values=np.nan)
    steps = [abs(blotted - padded[1 + j : 61 + j, 1 + i : 71 + i]) for j, i in ((0, 1), (0, -1), (1, 0), (-1, 0))]
    steps = np.stack([np.where(np.isfinite(step), step, 0) for step in steps]).max(axis=0)
    sigma = np.nan_to_num(err)
    with np.errstate(over="ignore", invalid="ignore"):
        off = abs(data - blotted - np.float32(level))
        far = [off > np.float32(b) * steps + np.float32(a) * sigma for a, b in zip(*limits, strict=True)]
    return grey_dilation(far[0].astype("u1"), size=(3, 3), mode="nearest").astype(bool) & far[1]


def observed(seed=11):
    """A detector with cosmic rays, bad errors, holes in the data and in the median."""
    rng = np.random.default_rng(seed)
    median = rng.normal(1, 0.02, (100, 110)).astype("f4")
    median[40, 50] = np.nan
    median[20:23, 30:33] += 3
    x, y = MAP.evaluate(slice(0, 60), slice(0, 70))
    blotted = outlier.blot(median, x, y)
    err = np.full(SHAPE, 0.05, "f4")
    data = (blotted + 0.4 + rng.normal(0, 0.05, SHAPE)).astype("f4")
    hit = rng.random(SHAPE) < 0.03
    data[hit] += rng.exponential(0.4, hit.sum()).astype("f4")
    err[5, :9], err[6, 3:7], err[7, 1:8], err[8] = np.nan, np.inf, 0, -0.01
    data[9, 9:12] = np.nan, np.inf, -np.inf
    return data, err, median, blotted


@pytest.mark.parametrize(
    "limits", [OutlierLimits(), OutlierLimits((4, 3), (0.0, 0.0)), OutlierLimits((3, 6), (2.0, 0.1))]
)
def test_flags_follow_their_rules_for_any_division_into_rows(limits):
    data, err, median, blotted = observed()
    wanted = plainly(data, err, blotted, 0.4, limits)
    assert 20 < wanted.sum() < 400
    member = InspectedImage(data, err, 0.4)
    for height in (60, 7, 1):
        rows = [slice(first, min(first + height, 60)) for first in range(0, 60, height)]
        found = np.concatenate([outlier.flag_rows(member, MAP, median, part, limits=limits) for part in rows])
        np.testing.assert_array_equal(found, wanted)


def test_pixels_without_a_valid_position_are_not_flagged():
    data, err, median, _ = observed()
    data[:] = 900
    cut = Map(SHAPE, MAP.coefficients, bounds=(5, 60, 10, 50))
    found = outlier.flag_rows(InspectedImage(data, err), cut, median, slice(0, 60))
    assert found[10:51, 5:61].mean() > 0.5
    assert not found[:10].any() and not found[51:].any() and not found[:, :5].any() and not found[:, 61:].any()


def test_flags_of_a_stack():
    data, err, _, _ = observed()
    median = np.full(SHAPE, 1.4, "f4")
    median[30, 30] = np.nan
    with np.errstate(over="ignore", invalid="ignore"):
        wanted = abs(data - median) > np.float32(5) * np.nan_to_num(err)
    np.testing.assert_array_equal(outlier.flag_stack(data, err, median, 5.0), wanted)
    assert wanted.any()


@pytest.mark.parametrize("corner", [(-60.0, -45.0), (-30.2, 60.5), (20.0, -50.5), (500.0, 20.0)])
def test_an_output_that_a_detector_covers_partly(corner):
    """Only what falls on the output is looked at; the flags are those of the whole detector."""
    data, err, median, _ = observed()
    shifted = Map(SHAPE, ((corner[0], 1.31, 0.22), (corner[1], -0.11, 1.17)))
    x, y = shifted.evaluate(slice(0, 60), slice(0, 70))
    wanted = plainly(data, err, outlier.blot(median, x, y), 0.4, OutlierLimits())
    assert wanted.any() == (corner[0] < 400)
    for height in (60, 13):
        rows = [slice(first, min(first + height, 60)) for first in range(0, 60, height)]
        found = [outlier.flag_rows(InspectedImage(data, err, 0.4), shifted, median, part) for part in rows]
        np.testing.assert_array_equal(np.concatenate(found), wanted)


def test_a_median_of_which_rows_are_read():
    data, err, median, _ = observed()

    read = []

    class Stored:
        shape = median.shape

        def __getitem__(self, rows):
            read.append(rows)
            return median[rows]

    found = outlier.flag_rows(InspectedImage(data, err, 0.4), MAP, Stored(), slice(20, 30))
    np.testing.assert_array_equal(found, outlier.flag_rows(InspectedImage(data, err, 0.4), MAP, median, slice(20, 30)))
    assert found.any() and 10 < read[0].stop - read[0].start < 40


def test_outside_of_the_median_a_number_may_stand():
    data, err, median, _ = observed()
    shifted = Map(SHAPE, ((500.0, 1.31, 0.22), (20.0, -0.11, 1.17)))
    assert outlier.flag_rows(InspectedImage(data, err), shifted, median, slice(30, 60), fill=0.0).mean() > 0.9


@pytest.mark.parametrize(
    "background, level",
    [
        (None, 0.1),
        ({"level": None, "subtracted": False}, 0.1),
        ({"level": 0.3, "subtracted": False}, 0.3),
        ({"level": 0.3, "subtracted": True}, 0.1),
        ({"level": -999999, "subtracted": False}, 0.1),
        ({"level": 0.0}, 0.0),
    ],
)
def test_sky_that_is_still_in_the_data(background, level):
    assert outlier.level_of(background, 0.1) == level


@pytest.mark.parametrize("pixfrac", [1.0, 0.6])
def test_touched_pixels_hold_all_that_an_input_pixel_covers_and_few_others(pixfrac):
    flagged = np.zeros(SHAPE, bool)
    flagged[[0, 0, 17, 18, 59, 59, 33], [0, 69, 20, 21, 0, 69, 69]] = True
    x, y = MAP.evaluate(slice(0, 60), slice(0, 70))
    plane = np.zeros((100, 110), "u1")
    outlier.mark_touched(flagged, x, y, Reach.of(make_kernel("square", pixfrac)), plane)
    covered = np.zeros(plane.shape, bool)
    offsets = np.linspace(-0.5, 0.5, 41) * pixfrac
    for row, column in np.argwhere(flagged):
        inner = Map(SHAPE, MAP.coefficients)
        v, u = np.meshgrid(row + offsets, column + offsets)
        (a, b, c), (d, e, f) = inner.coefficients
        i, j = a + b * u + c * v + 1e-4 * u * v, d + e * u + f * v - 1e-4 * u * u
        i, j = np.rint(i).astype(int), np.rint(j).astype(int)
        keep = (i >= 0) & (i < 110) & (j >= 0) & (j < 100)
        covered[j[keep], i[keep]] = True
    assert covered.sum() > 15
    assert np.all(plane[covered] == 1)
    assert plane.sum() <= 1.6 * covered.sum()


def test_only_pixels_that_were_in_the_mosaic_leave_a_trace():
    data, err, median, _ = observed()
    used = np.zeros(SHAPE, bool)
    plane = np.zeros(median.shape, "u1")
    member = InspectedImage(data, err, 0.4, used)
    found = outlier.flag_rows(member, MAP, median, slice(0, 60), touched=(plane, Reach(0.5, 0)))
    assert found.any() and not plane.any()
    used[tuple(np.argwhere(found)[3])] = True
    outlier.flag_rows(member, MAP, median, slice(0, 60), touched=(plane, Reach(0.5, 0)))
    assert 0 < plane.sum() < 16


KERNEL_CASES = [("square", 1.0), ("square", 0.5), ("point", 1.0), ("turbo", 0.8), ("gaussian", 1.0), ("lanczos3", 1.0)]


@pytest.mark.parametrize("name, pixfrac", KERNEL_CASES)
def test_whatever_flags_change_in_a_drizzled_image_is_marked(name, pixfrac):
    """Flags take away input pixels; redoing the marked output pixels alone gives the bits of a whole second pass."""
    grid = centred_grid((30.0, 50.0), 0.06 / 3600, (90, 80), angle=33.0)
    member = centred_grid((30.0, 50.0), 0.11 / 3600, (48, 40), angle=5.0)
    pixmap = pixel_map(member.to_sky, member.shape, grid.to_pixel)
    rng = np.random.default_rng(9)
    data, weight = rng.normal(size=(2, 48, 40)).astype("f4") + np.float32(3)
    flagged = rng.random(data.shape) < 0.01
    flagged[[0, 47, 0, 24], [0, 39, 20, 18]] = True
    kernel, rows, columns = make_kernel(name, pixfrac, 0.06 / 0.11), slice(0, 90), slice(0, 80)
    plane = np.zeros((90, 80), "u1")
    outlier.mark_touched(flagged, *pixmap.evaluate(), Reach.of(kernel), plane)
    before = drizzle_band(MemberPlanes(data, weight), pixmap, rows, columns, kernel).lanes
    fewer = MemberPlanes(data, np.where(flagged, np.float32(0), weight))
    after = drizzle_band(fewer, pixmap, rows, columns, kernel).lanes
    changed = (before != after).any(axis=-1)
    assert changed.sum() > (8 if name == "point" else 20)
    assert not np.any(changed & (plane == 0))
    assert 0 < plane.mean() < 0.8
    again = drizzle_band(fewer, pixmap, rows, columns, kernel, wanted=plane).lanes
    np.testing.assert_array_equal(np.where(plane[..., None] > 0, again, before), after)
