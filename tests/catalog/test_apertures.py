"""Circular apertures, rings, DAOFind statistics and neighbours, against photutils and by counting."""

import numpy as np
import pytest
from astropy.stats import SigmaClip
from photutils.aperture import CircularAnnulus, CircularAperture, aperture_photometry
from photutils.detection import DAOStarFinder

from rtools.catalog.detect import segments
from rtools.catalog.measure import apertures, daofind
from rtools.catalog.psf import neighbours
from tests.support.catalog_scene import blobs, field

RADII = np.array([0.1, 0.2, 0.4, 0.8, 1.6]) / 0.11
RING = (2.4 / 0.11, 2.8 / 0.11)


def one(data, label=1, at=(20.0, 20.0), mask=None, **options):
    """Apertures about one place; the label image has that source everywhere but where it is given."""
    labels = np.zeros(data.shape, np.int32) if np.isscalar(label) else label
    labels[round(at[1]), round(at[0])] = 1
    found = segments.find(labels)
    mask = np.zeros(data.shape, bool) if mask is None else mask
    centres = tuple(np.full(found.n, value) for value in at)
    err = options.pop("err", np.ones(data.shape))
    return apertures.circular(data, err, found, mask, centres, radii=options.pop("radii", RADII), **options)


@pytest.fixture(scope="module")
def clean():
    data, err, _, mask, found = field()
    rng = np.random.default_rng(6)
    x, y = rng.uniform(-20, data.shape[1] + 20, found.n), rng.uniform(-20, data.shape[0] + 20, found.n)
    x[3] = np.nan
    return data, err, mask, found, (x, y)


@pytest.mark.slow
def test_circles_equal_photutils(clean):
    data, err, mask, found, (x, y) = clean
    ours = apertures.circular(data, err, found, mask, (x, y), radii=RADII)
    places = np.where(np.isfinite(x + y)[:, None], np.stack([x, y], axis=1), -1000)
    circles = [CircularAperture(places, radius) for radius in RADII]
    judge = aperture_photometry(data.astype(float), circles)
    for i, circle in enumerate(circles):
        np.testing.assert_allclose(ours.flux[:, i], judge[f"aperture_sum_{i}"], rtol=1e-9, atol=1e-9)
        # photutils 3.0 gives errors of Σ w err², 3.1 of Σ (w err)²: the weights are theirs, the sum is ours.
        shares = [part.to_image(data.shape) for part in circle.to_mask(method="exact")]
        errors = [np.nan if share is None else np.sqrt(((share * err) ** 2).sum()) for share in shares]
        np.testing.assert_allclose(ours.err[:, i], errors, rtol=1e-6)
    assert np.isnan(ours.flux[3]).all() and np.nanmax(ours.replaced) == 0


@pytest.mark.slow
def test_rings_equal_photutils(clean):
    data, _, mask, found, (x, y) = clean
    ours = apertures.annulus(data, found, mask, (x, y), radii=RING)
    clip = SigmaClip(sigma=3)
    for i in np.flatnonzero(np.isfinite(x)):
        values = CircularAnnulus((x[i], y[i]), *RING).to_mask(method="center").get_values(data.astype(float))
        values = clip(values, masked=False)
        expected = (np.median(values), values.std(), values.size) if values.size else (np.nan,) * 3
        np.testing.assert_allclose([ours.median[i], ours.scatter[i], ours.pixels[i]], expected, rtol=1e-6)
    assert np.isnan(ours.median[3])


def test_replaced_by_the_pixel_on_the_other_side():
    data = np.arange(1600.0).reshape(40, 40)
    whole = one(data)
    mask = np.zeros(data.shape, bool)
    mask[21, 23] = True
    broken = data.copy()
    broken[21, 23], broken[19, 26] = 1e9, np.nan
    found = one(broken, mask=mask)
    # (x, y) = (17, 19) and (14, 21) stand in.
    change = data[19, 17] - data[21, 23] + data[21, 14] - data[19, 26]
    np.testing.assert_allclose(found.flux[0, 4] - whole.flux[0, 4], change)
    np.testing.assert_allclose(found.replaced[0, 4], 2 / (np.pi * RADII[4] ** 2))
    # Noise counted twice: each pair has variance (1 + 1)², not 2.
    np.testing.assert_allclose(found.err[0, 4] ** 2, whole.err[0, 4] ** 2 + 2 * 2)


def test_noise_of_a_pixel_that_stands_in_for_another_counts_with_the_sum_of_their_shares():
    rng = np.random.default_rng(5)
    err = rng.uniform(0.5, 2, (40, 40)).astype(np.float32)
    at, radius = (20.3, 19.8), 2.2
    mask = np.zeros(err.shape, bool)
    for place in ((19, 22), (21, 20), (22, 20)):  # on the edge and inside of the circle
        mask[place] = True
    share = CircularAperture(at, radius).to_mask(method="exact").to_image(err.shape)
    total = np.where(mask, 0, share)
    for y, x in np.argwhere(mask):
        other = int(np.floor(2 * at[1] - y + 0.5)), int(np.floor(2 * at[0] - x + 0.5))
        assert not mask[other]
        total[other] += share[y, x]
    found = one(np.zeros(err.shape), at=at, mask=mask, err=err, radii=[radius])
    np.testing.assert_allclose(found.err[0, 0], np.sqrt(((total * err) ** 2).sum()), rtol=1e-6)


@pytest.mark.parametrize("why", ["masked", "nan", "neighbour", "own"])
def test_replaced_by_the_sky(why):
    data = np.full((40, 40), 3.0)
    labels = np.zeros(data.shape, np.int32)
    mask = np.zeros(data.shape, bool)
    mask[22, 20] = True
    opposite = (18, 20)
    mask[opposite] = why == "masked"
    data[opposite] = np.nan if why == "nan" else 3.0
    labels[opposite] = {"neighbour": 2, "own": 1}.get(why, 0)
    found = one(data, label=labels, mask=mask)
    lost = {"masked": 2, "nan": 2, "neighbour": 1, "own": 0}[why]
    np.testing.assert_allclose(found.flux[0, 4], 3 * (np.pi * RADII[4] ** 2 - lost))


def test_opposite_pixel_off_the_image_is_the_sky():
    data = np.full((40, 40), 3.0)
    mask = np.zeros(data.shape, bool)
    whole = one(data, at=(3.0, 20.0), radii=[8.0])
    mask[20, 9] = True
    found = one(data, at=(3.0, 20.0), mask=mask, radii=[8.0])
    np.testing.assert_allclose(whole.flux - found.flux, 3)


def test_neighbours_are_summed():
    data = np.ones((40, 40))
    labels = np.zeros(data.shape, np.int32)
    labels[25:, :] = 2
    np.testing.assert_allclose(one(data, label=labels).flux[0, 4], np.pi * RADII[4] ** 2)


def test_masked_pixels_leave_fluxes_unbiased():
    """One pixel in a hundred masked and full of sky: the 1.6" flux of stars stays within 0.1 % in the median."""
    step, side = 40, 10
    stars = [(step * i + 20.3, step * j + 19.8, 2000, 0.9, 0.9, 0) for i in range(side) for j in range(side)]
    shape = (step * side, step * side)
    data, err = blobs(shape, stars)
    found = segments.find(
        np.kron(np.arange(1, side**2 + 1).reshape(side, side).T, np.ones((step, step), int)) * (data > 2)
    )
    centres = tuple(np.array(stars)[np.unique(found.labels)[1:] - 1, :2].T)
    whole = apertures.circular(data, err, found, np.zeros(shape, bool), centres, radii=RADII)
    mask = np.random.default_rng(9).uniform(size=shape) < 0.01
    data[mask] += 5
    holed = apertures.circular(data, err, found, mask, centres, radii=RADII)
    summed = apertures.circular(data, err, found, np.zeros(shape, bool), centres, radii=RADII)
    assert abs(np.median(holed.flux[:, 4] / whole.flux[:, 4]) - 1) < 1e-3
    assert np.median(summed.flux[:, 4] / whole.flux[:, 4]) - 1 > 0.01


def test_ring_counts_measured_pixels_only():
    data = np.random.default_rng(3).normal(size=(80, 80))
    mask = np.zeros(data.shape, bool)
    labels = np.zeros(data.shape, np.int32)
    labels[40, 40] = 1
    found, centre = segments.find(labels), (np.array([40.0]), np.array([40.0]))
    whole = apertures.annulus(data, found, mask, centre, radii=RING)
    mask[:, :40] = True
    half = apertures.annulus(data, found, mask, centre, radii=RING)
    assert 0.45 < half.pixels[0] / whole.pixels[0] < 0.55
    assert abs(half.median[0]) < 0.2
    mask[:] = True
    assert np.isnan(apertures.annulus(data, found, mask, centre, radii=RING)).all()


def test_bad_pixels_on_both_sides_do_not_pull_the_sky_of_a_ring_to_zero():
    """Where the data still have their sky, as mosaics of JWST do, 0 is not what a bad pixel would be."""
    data = np.random.default_rng(5).normal(50, 1, (80, 80)).astype(np.float32)
    mask = np.zeros(data.shape, bool)
    mask[:, 26:34] = mask[:, 47:55] = True  # as far from the middle on both sides
    labels = np.zeros(data.shape, np.int32)
    labels[40, 40] = 1
    found, centre = segments.find(labels), (np.array([40.0]), np.array([40.0]))
    sky = apertures.annulus(data, found, mask, centre, radii=RING)
    assert abs(sky.median[0] - 50) < 0.5
    assert 0.7 < sky.scatter[0] < 1.3
    assert sky.pixels[0] > 30


def test_daofind_equals_photutils():
    sources = [
        (40 * i + 21 + 0.3 * (i - 1), 40 * j + 20, 900 + 90 * j, 0.9 + 0.3 * i, 0.9, 0.4)
        for i in (0, 1, 2)
        for j in (0, 1)
    ]
    data, _ = blobs((90, 130), sources, sky=0.02)
    for fwhm in (2.0, 3.3):
        judge = DAOStarFinder(1.0, fwhm, sharpness_range=None, roundness_range=None)(data.astype(float))
        nearest = [np.argmin(np.hypot(judge["x_centroid"] - x, judge["y_centroid"] - y)) for x, y, *_ in sources]
        # The finder measures at the peak of the convolved image: give its pixels.
        x, y = (np.rint([judge[name][i] for i in nearest]) for name in ("x_centroid", "y_centroid"))
        sharpness, roundness = daofind.statistics(data, (x, y), fwhm)
        np.testing.assert_allclose(sharpness, judge["sharpness"][nearest], rtol=1e-5)
        np.testing.assert_allclose(roundness, judge["roundness1"][nearest], rtol=1e-4, atol=1e-6)


def test_daofind_beside_nan_off_the_image_and_at_half_pixels():
    data, _ = blobs((30, 30), [(12, 12, 900, 1, 1, 0)])
    data[12, 14] = np.nan
    x, y = np.array([12.0, np.nan, -50, 20.5, 20]), np.array([12.0, 3, 3, 20, 20])
    sharpness, roundness = daofind.statistics(data, (x, y), 2.0)
    assert np.isnan(sharpness[:3]).all() and np.isnan(roundness[:3]).all()
    assert sharpness[3] == sharpness[4] and np.isfinite(sharpness[4])  # a half belongs to the pixel below


def test_masked_pixels_beside_a_round_source_change_neither_sharpness_nor_roundness():
    data, _ = blobs((30, 30), [(12, 12, 900, 1.3, 1.3, 0)])
    place, mask = (np.array([12.0]), np.array([12.0])), np.zeros(data.shape, bool)
    mask[12, 13] = mask[10, 11] = True
    spoilt = np.where(mask, [[5000.0]], data)
    for clean, found in zip(
        daofind.statistics(data, place, 2.0), daofind.statistics(spoilt, place, 2.0, mask=mask), strict=True
    ):
        np.testing.assert_allclose(found, clean, atol=0.05)


def test_nearest_and_friends():
    x, y = np.array([0.0, 3, 3, np.nan, 50, 55.5, 60]), np.array([0.0, 4, 4, 1, 0, 0, 0])
    index, distance = neighbours.nearest(x, y)
    assert index[[1, 2]].tolist() == [2, 1] and distance[[1, 2]].tolist() == [0, 0]
    assert index[0] in (1, 2) and distance[0] == 5
    assert index[3] == -1 and np.isnan(distance[3])
    assert index[[4, 6]].tolist() == [5, 5]
    assert neighbours.friends(x, y, 5).tolist() == [0, 0, 0, 1, 2, 3, 3]
    for alone in ([], [1.0]):
        index, distance = neighbours.nearest(np.array(alone), np.array(alone))
        assert np.all(index == -1) and np.all(np.isnan(distance))
        assert neighbours.friends(np.array(alone), np.array(alone), 5).tolist() == [0] * len(alone)
