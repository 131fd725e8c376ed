"""Moments, Kron apertures, half-light radii and windowed centres, against photutils, by counting, and by statistics."""

import numpy as np
import pytest
from photutils.geometry import circular_overlap_grid, elliptical_overlap_grid
from photutils.segmentation import SegmentationImage, SourceCatalog

from rtools.catalog.detect import segments
from rtools.catalog.measure import shapes
from rtools.work import Work
from tests.support.catalog_scene import blobs, field


@pytest.fixture(scope="module", params=[0.0, 0.01], ids=["clean", "masked"])
def measured(request):
    """A field measured by us and by photutils."""
    data, err, smoothed, mask, found = field(request.param)
    ours = {"segments": found, "shapes": shapes.moments(smoothed, err, found, mask)}
    ours["sums"] = shapes.segment_sums(data, err, found, mask)
    ours["kron"] = shapes.kron(data, err, found, mask, ours["shapes"])
    ours["radius"] = shapes.half_light(data, found, mask, ours["shapes"], ours["kron"])
    ours["window"] = shapes.windowed(data, err, found, mask, ours["shapes"], radius=ours["radius"])
    judge = SourceCatalog(
        data,
        SegmentationImage(found.labels),
        convolved_data=smoothed,
        error=err,
        mask=mask,
        aperture_mask_method="mask",
    )
    assert found.n > 25
    return ours, judge


def close(ours, theirs, tolerance=1e-6):
    """Equal to a relative tolerance, NaN in the same places."""
    theirs = np.asarray(getattr(theirs, "value", theirs), float)
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=1e-9)


def test_moments_equal_photutils(measured):
    ours, judge = measured
    found = ours["shapes"]
    close(found.x, judge.x_centroid)
    close(found.y, judge.y_centroid)
    close(found.a, judge.semimajor_axis)
    close(found.b, judge.semiminor_axis)
    half_turns = (found.theta - judge.orientation.value) / 180  # photutils 3.1 keeps to (-90, 90]
    np.testing.assert_allclose(half_turns, np.rint(half_turns), atol=1e-6)
    for name in ("cxx", "cxy", "cyy"):
        close(getattr(found, name), getattr(judge, f"ellipse_{name}"))


def test_segments_equal_photutils(measured):
    ours, judge = measured
    for name in ("xmin", "xmax", "ymin", "ymax"):
        assert np.array_equal(getattr(ours["segments"], name), getattr(judge, f"bbox_{name}"))
    close(ours["sums"].flux, judge.segment_flux)
    close(ours["sums"].err, judge.segment_flux_err)
    close(ours["sums"].area, judge.area)


def test_kron_and_half_light_equal_photutils(measured):
    ours, judge = measured
    close(ours["kron"].k, judge.kron_radius)
    close(ours["kron"].flux, judge.kron_flux)
    close(ours["radius"], judge.flux_radius(0.5))


def test_kron_errors_take_the_square_of_the_share_of_a_pixel():
    """photutils 3.0 gives the root of Σ w err², 3.1 that of Σ (w err)²."""
    data, err, smoothed, mask, found = field(0.01)
    ellipse = shapes.moments(smoothed, err, found, mask)
    kron = shapes.kron(data, err, found, mask, ellipse)
    rows, columns = data.shape
    for i in np.flatnonzero(np.isfinite(kron.err))[::5]:
        edges = -0.5 - ellipse.x[i], columns - 0.5 - ellipse.x[i], -0.5 - ellipse.y[i], rows - 0.5 - ellipse.y[i]
        axes = (shapes.KRON_SCALE * kron.k[i] * axis for axis in (ellipse.a[i], ellipse.b[i]))
        share = elliptical_overlap_grid(*edges, columns, rows, *axes, np.radians(ellipse.theta[i]), 1, 1)
        share[mask | ((found.labels != 0) & (found.labels != found.ids[i]))] = 0
        np.testing.assert_allclose(kron.err[i], np.sqrt(((share * err) ** 2).sum()), rtol=1e-6)


def test_windowed_centres_equal_photutils(measured):
    ours, judge = measured
    close(ours["window"].x, judge.x_centroid_win)
    close(ours["window"].y, judge.y_centroid_win)


def alone(image, labels, err=0.1, mask=None, smoothed=None):
    """All shape measurements of an image given with its labels."""
    image = np.array(image, np.float32)
    found = segments.find(np.array(labels))
    mask = np.zeros(image.shape, bool) if mask is None else mask
    errors = np.full(image.shape, err, np.float32)
    ellipse = shapes.moments(image if smoothed is None else smoothed, errors, found, mask)
    kron = shapes.kron(image, errors, found, mask, ellipse)
    radius = shapes.half_light(image, found, mask, ellipse, kron)
    return ellipse, kron, radius, shapes.windowed(image, errors, found, mask, ellipse, radius=radius)


def test_one_pixel_is_as_wide_as_a_pixel():
    image = np.zeros((9, 9))
    image[4, 5] = 3
    ellipse, kron, radius, centre = alone(image, image > 0)
    assert (ellipse.x[0], ellipse.y[0]) == (5, 4)
    np.testing.assert_allclose([ellipse.a[0], ellipse.b[0]], np.sqrt(1 / 12))
    # All the light at the centre: Kron at its floor, 3.5 × 0.29 pixels, not quite the whole pixel at its corners.
    assert kron.k[0] == 1.4
    np.testing.assert_allclose(kron.flux[0], 3, rtol=1e-3)
    assert 0.39 < radius[0] < 0.41
    assert (centre.x[0], centre.y[0]) == (5, 4)


def test_a_line_of_pixels_has_an_angle_and_a_width():
    image = np.eye(11)
    image[0, 0] = image[10, 10] = image[9, 9] = 0
    ellipse = alone(image, image > 0)[0]
    np.testing.assert_allclose(ellipse.theta, 45)
    assert np.isfinite(ellipse.b[0]) and 0 < ellipse.b[0] < ellipse.a[0]


def test_negative_flux_has_the_least_kron_radius():
    rows, columns = np.indices((41, 41))
    star = np.exp(-((rows - 20) ** 2 + (columns - 20) ** 2) / 8.0)
    _, kron, radius, centre = alone(-star, star > 0.1, smoothed=star.astype(np.float32))
    assert kron.k[0] == 1.4 and kron.flux[0] < 0
    # A negative source has half of its negative flux within some radius, and a window that is negative everywhere.
    assert np.isfinite(radius[0])
    np.testing.assert_allclose([centre.x[0], centre.y[0]], 20, atol=1e-6)


def test_kron_radius_beyond_six_is_noise():
    rows, columns = np.indices((41, 41))
    distance = np.hypot(rows - 20, columns - 20)
    star = np.exp(-(distance**2) / 2)
    near, far = (distance > 1.5) & (distance < 2.9), (distance > 3.6) & (distance < 4.3)
    image = star - 16 * near / near.sum() + 10 * far / far.sum()  # little flux left, and that far out
    ellipse, kron, radius, centre = alone(image, star > 0.1, smoothed=star.astype(np.float32))
    inside = distance <= 6 * ellipse.a[0]
    assert (image * distance)[inside].sum() / ellipse.a[0] > 6 * image[inside].sum() > 0
    assert np.isnan(kron.k[0]) and np.isnan(kron.flux[0]) and np.isnan(radius[0]) and np.isnan(centre.x[0])


def test_masked_source_and_masked_image():
    data, err = blobs((40, 40), [(20, 20, 500, 1.5, 1.5, 0)])
    labels = data > 1
    for image, mask in ((data, labels), (np.full_like(data, np.nan), np.zeros_like(labels))):
        found = segments.find(labels)
        ellipse = shapes.moments(image, err, found, mask)
        sums = shapes.segment_sums(image, err, found, mask)
        kron = shapes.kron(image, err, found, mask, ellipse)
        radius = shapes.half_light(image, found, mask, ellipse, kron)
        centre = shapes.windowed(image, err, found, mask, ellipse, radius=radius)
        for values in (*ellipse, *sums, *kron, radius, *centre):
            assert np.isnan(values[0])


def test_no_segment_and_gaps_between_labels():
    data, err, smoothed, mask, _ = field()
    none = segments.find(np.zeros(data.shape, np.int32))
    assert none.n == 0 and all(len(column) == 0 for column in shapes.moments(smoothed, err, none, mask))
    labels = np.zeros((6, 6), int)
    labels[1, 2:4], labels[4, 5] = 7, 3
    found = segments.find(labels)
    assert found.ids.tolist() == [3, 7]
    assert found.xmin.tolist() == [5, 2] and found.xmax.tolist() == [5, 3] and found.ymax.tolist() == [4, 1]


def test_a_window_larger_than_any_image_leaves_the_isophotal_centre():
    data, err, _smoothed, mask, found = field()
    ellipse = shapes.moments(data, err, found, mask)
    centre = shapes.windowed(data, err, found, mask, ellipse, radius=np.full(found.n, 1e5))
    np.testing.assert_array_equal([centre.x, centre.y, centre.var_x], [ellipse.x, ellipse.y, ellipse.var_x])


def test_half_light_circle_holds_half_of_the_kron_flux():
    sources = [(30.3, 30.8, 900, 2.5, 1.4, 0.7)]
    data, err = blobs((61, 61), sources)
    found = segments.find(data > 1)
    mask = np.zeros(data.shape, bool)
    ellipse = shapes.moments(data, err, found, mask)
    kron = shapes.kron(data, err, found, mask, ellipse)
    radius = shapes.half_light(data, found, mask, ellipse, kron)[0]
    weights = circular_overlap_grid(
        -0.5 - ellipse.x[0], 60.5 - ellipse.x[0], -0.5 - ellipse.y[0], 60.5 - ellipse.y[0], 61, 61, radius, 1, 1
    )
    np.testing.assert_allclose((weights * data).sum(), kron.flux[0] / 2, rtol=1e-9)


def test_centre_errors_are_the_scatter():
    """The pulls are 1 for well-sampled sources in given segments (the border of a found segment adds noise)."""
    step, side = 40, 12
    rng = np.random.default_rng(5)
    rows, columns = (np.indices((side, side)) * step + step // 2).reshape(2, -1)
    x, y = columns + rng.uniform(-0.5, 0.5, side**2), rows + rng.uniform(-0.5, 0.5, side**2)
    shape = (side * step, side * step)
    grid = np.indices((step, step))
    clean = np.zeros(shape)
    for i in range(side**2):
        low, left = rows[i] - step // 2, columns[i] - step // 2
        dx, dy = grid[1] + left - x[i], grid[0] + low - y[i]
        clean[low : low + step, left : left + step] = 400 * np.exp(-(dx**2) / 12.5 - dy**2 / 4.5) / (7.5 * np.pi)
    err = np.sqrt(0.09 + clean / 10).astype(np.float32)
    mask = np.zeros(shape, bool)
    labels = (np.arange(side * step) // step * side)[:, None] + np.arange(side * step) // step + 1
    pulls = {"window": [], "moments": []}
    for _ in range(8):
        data = (clean + err * rng.standard_normal(shape)).astype(np.float32)
        found = segments.find(np.where(clean > 0.5, labels, 0))
        ellipse = shapes.moments(data, err, found, mask)
        kron = shapes.kron(data, err, found, mask, ellipse)
        radius = shapes.half_light(data, found, mask, ellipse, kron)
        centre = shapes.windowed(data, err, found, mask, ellipse, radius=radius)
        for name, each in (("window", centre), ("moments", ellipse)):
            pulls[name] += [(each.x - x) / np.sqrt(each.var_x), (each.y - y) / np.sqrt(each.var_y)]
    window, isophotal = np.concatenate(pulls["window"]), np.concatenate(pulls["moments"])
    assert abs(window.mean()) < 0.08 and 0.94 < window.std() < 1.06
    assert abs(isophotal.mean()) < 0.08 and 0.94 < isophotal.std() < 1.06


def test_threads_change_nothing(monkeypatch):
    data, err, smoothed, mask, found = field(0.01)
    monkeypatch.setattr("rtools.work.loops.CHUNK", 3)
    ellipse = shapes.moments(smoothed, err, found, mask)
    one, three = (shapes.kron(data, err, found, mask, ellipse, work=Work(threads)) for threads in (1, 3))
    for left, right in zip(one, three, strict=True):
        assert np.array_equal(left, right, equal_nan=True)
