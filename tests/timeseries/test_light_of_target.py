"""Light of a target: sums, backgrounds, pixels that are filled; centres and Gaussians; errors as the scatter is."""

import numpy as np
import pytest
from scipy.special import erf

from rtools.timeseries.centroids import box_about, centre_of_mass, fit_gaussians
from rtools.timeseries.photometry import TargetApertures, filled_sums, light_of_all, light_of_series

SHAPE, PLACE = (41, 43), (20.3, 19.6)
FLUX, SKY, WIDTH = 5000.0, 20.0, 1.2


def gaussian(place=PLACE, widths=(WIDTH, WIDTH), shape=SHAPE):
    """A Gaussian of flux 1, integrated over pixels; widths along x and y."""
    edges = [(np.arange(length + 1) - 0.5 - centre) / width / np.sqrt(2)
             for length, centre, width in zip(shape[::-1], place, widths, strict=True)]  # fmt: skip
    across, down = (np.diff(erf(one)) / 2 for one in edges)
    return down[:, None] * across


def series(number, seed=1, level=1.0):
    """A star with noise of photons; and errors that are those of the noise."""
    mean = np.atleast_1d(level)[:, None, None] * FLUX * gaussian() + SKY
    mean = np.broadcast_to(mean, (number, *SHAPE))
    err = np.sqrt(mean)
    data = mean + np.random.default_rng(seed).normal(0, 1, mean.shape) * err
    return data, err, np.ones(mean.shape, bool)


def placed(number):
    return np.full(number, PLACE[0]), np.full(number, PLACE[1])


@pytest.mark.parametrize("statistic", ["mean", "median", "clip"])
def test_net_light_and_its_error(statistic):
    """Of 300 images the mean is the light within the circle, and what they scatter by is the error."""
    data, err, usable = series(300)
    found = light_of_series(data, err, usable, *placed(300), TargetApertures(4, 8, 14, statistic))
    truth = FLUX * float(
        light_of_series(gaussian()[None], err[:1], usable[:1], *placed(1), TargetApertures(4, 8, 14)).net[0]
    )
    pull = (found.net - truth) / found.net_err
    assert abs(pull.mean()) < 4 / np.sqrt(300) + 0.02
    assert pull.std() == pytest.approx(1, abs=0.15)
    assert not found.n_bad.any()


def test_sums_are_those_of_exact_areas():
    data = np.full((1, *SHAPE), 3.0)
    found = light_of_series(data, np.full_like(data, 0.5), data > 0, *placed(1), TargetApertures(3.3, 5.1, 8.7))
    area, ring = np.pi * 3.3**2, np.pi * (8.7**2 - 5.1**2)
    assert found.aperture_sum[0] == pytest.approx(3 * area, rel=1e-12)
    assert found.aperture_err[0] == pytest.approx(0.5 * np.sqrt(area), rel=1e-12)
    assert found.annulus_sum[0] == pytest.approx(3 * ring, rel=1e-12)
    assert found.annulus_mean_err[0] == pytest.approx(0.5 / np.sqrt(ring), rel=1e-12)
    assert found.net[0] == pytest.approx(0, abs=1e-10)


def test_a_bad_pixel_of_the_ring_does_not_reach_the_median():
    data, err, usable = series(1)
    whole = light_of_series(data, err, usable, *placed(1), TargetApertures(3, 6, 10, "median"))
    data[0, 20, 28] += 1e5
    for statistic, near in (("mean", False), ("median", True), ("clip", True)):
        found = light_of_series(data, err, usable, *placed(1), TargetApertures(3, 6, 10, statistic))
        assert (abs(found.annulus_mean[0] - whole.annulus_mean[0]) < 5 * whole.annulus_mean_err[0]) == near


def test_what_cannot_be_used_is_counted_and_filled():
    """A missing pixel in the middle of a star is a dip of ten per cent; filled, there is none."""
    data, err, usable = series(60)
    whole = light_of_series(data, err, usable, *placed(60), TargetApertures())
    usable[::3, 20, 20] = False
    data[::3, 20, 20] = np.nan
    found = light_of_series(data, err, usable, *placed(60), TargetApertures())
    assert found.n_bad.tolist() == [1, 0, 0] * 20
    assert (found.net[::3] < 0.95 * whole.net[::3]).all()
    filled, error = filled_sums(data, usable, found, *placed(60), 3.0)
    np.testing.assert_allclose(filled[1::3], found.net[1::3])
    pull = (filled[::3] - whole.net.mean()) / error[::3]
    assert np.abs(pull).max() < 4
    assert (error[::3] > whole.net_err[::3]).all()


def test_light_that_is_mostly_missing_is_not_made_up():
    data, err, usable = series(10)
    usable[4, 18:22, 18:23] = False
    found = light_of_series(data, err, usable, *placed(10), TargetApertures())
    filled, _error = filled_sums(data, usable, found, *placed(10), 3.0)
    assert np.isnan(filled).tolist() == [number == 4 for number in range(10)]


def test_pixels_beyond_the_edge_are_counted():
    data, err, usable = series(1)
    found = light_of_series(data, err, usable, np.array([0.0]), np.array([20.0]), TargetApertures(3, 4, 5))
    inside = light_of_series(data, err, usable, np.array([20.0]), np.array([20.0]), TargetApertures(3, 4, 5))
    assert inside.n_bad[0] == 0
    assert found.n_bad[0] > 10
    assert found.aperture_area[0] == pytest.approx(np.pi * 9 / 2 + 3, abs=0.1)


def test_nothing_usable_gives_nan_and_no_number():
    data, err, usable = series(2)
    usable[1] = False
    found = light_of_series(data, err, usable, *placed(2), TargetApertures())
    assert np.isfinite(found.net[0])
    assert np.isnan(found.net[1])
    assert light_of_all(data, err, usable).n_bad.tolist() == [0, SHAPE[0] * SHAPE[1]]


@pytest.mark.parametrize("centre", [20.3, 20.5, 20.49999, 1.0, 0.0, 41.7])
def test_the_box_has_its_middle_at_the_place(centre):
    box = box_about(centre, 11, 43)
    assert box.start == max(0, np.ceil(centre - 5.5))
    assert box.stop == min(43, np.ceil(centre - 5.5) + 11)


def test_centres_are_found_above_the_background():
    data, _err, usable = series(50)
    found = [centre_of_mass(one, use, (22.0, 21.0), width=41, radius=6) for one, use in zip(data, usable, strict=True)]
    centres = [centre_of_mass(one, use, PLACE, width=11, radius=6)[:2] for one, use in zip(data, usable, strict=True)]
    assert np.abs(np.median(found, axis=0)[:2] - PLACE).max() < 0.5
    np.testing.assert_allclose(np.mean(centres, axis=0), PLACE, atol=0.05)
    assert np.median(found, axis=0)[2] == pytest.approx(SKY, abs=0.2)


def test_no_centre_is_outside_of_the_image():
    data, _err, usable = series(1)
    assert np.isnan(centre_of_mass(data[0], usable[0], (-1.0, 20.0), width=11, radius=4)[0])
    assert np.isnan(centre_of_mass(data[0], usable[0] & False, PLACE, width=11, radius=4)[0])


def test_gaussians_have_their_widths_and_flux_whatever_the_unit():
    """Fits that end by an absolute tolerance stop where they began when fluxes are of the order of 1e-4 Jy."""
    light = np.stack([gaussian((5.2, 4.7), (1.1, 1.6), (11, 11)) * scale for scale in (1e-9, 1.0, 1e9)])
    usable = np.ones(light.shape, bool)
    usable[:, 3, 4] = False
    found = fit_gaussians(light, usable, np.full(3, 5.2), np.full(3, 4.7), width=11)
    np.testing.assert_allclose(found.width_x, 1.1, rtol=1e-7)
    np.testing.assert_allclose(found.width_y, 1.6, rtol=1e-7)
    np.testing.assert_allclose(found.flux, [1e-9, 1.0, 1e9], rtol=1e-7)


def test_what_is_no_gaussian_is_not_fitted():
    light = np.stack([np.zeros((11, 11)), np.ones((11, 11)), -gaussian((5, 5), (1, 1), (11, 11))])
    found = fit_gaussians(light, np.ones(light.shape, bool), np.full(3, 5.0), np.full(3, 5.0), width=11)
    assert np.isnan(found.flux).all()
    assert np.isnan(found.width_x).all()


def test_fits_of_noise_scatter_about_the_truth():
    rng = np.random.default_rng(4)
    light = 500 * gaussian((5.2, 4.7), (1.1, 1.6), (11, 11)) + rng.normal(0, 1, (400, 11, 11))
    found = fit_gaussians(light, np.ones(light.shape, bool), np.full(400, 5.2), np.full(400, 4.7), width=11)
    for values, truth in ((found.width_x, 1.1), (found.width_y, 1.6), (found.flux, 500)):
        assert abs(values.mean() - truth) < 5 * values.std() / 20
        assert values.std() < 0.03 * truth


def test_where_no_pixel_can_be_used_there_is_no_light():
    """It was 0 with an error of 0: a total eclipse, measured without any noise."""
    data, err, usable = series(2)
    usable[1, 14:26, 14:26] = False
    found = light_of_series(data, err, usable, *placed(2), TargetApertures(3, 9, 14))
    assert np.isfinite([found.net[0], found.net_err[0]]).all()
    assert np.isnan([found.aperture_sum[1], found.aperture_err[1], found.net[1], found.net_err[1]]).all()
    assert found.aperture_area[1] == 0
    usable[1] = False
    whole = light_of_all(data, err, usable)
    assert np.isnan([whole.net[1], whole.net_err[1]]).all()
    assert whole.net[0] > 0
