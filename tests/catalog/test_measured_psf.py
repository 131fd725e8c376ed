"""PSFs in numbers: profiles of stamps and stars, the PSF of stars found again, blank sky."""

import numpy as np
import pytest

from rtools.catalog.empirical_psf import StarChoice, choose_stars, measure_psf
from rtools.catalog.measure.blank import blank_noise
from rtools.catalog.psf.profile import half_maximum_width, profile_of_psf, profile_of_stamp, radius_of_share
from rtools.errors import InputError
from rtools.reference import epsf
from rtools.reference.builtin import Builtin
from rtools.reference.epsf import Psf, samples
from rtools.simulate import render

pytestmark = pytest.mark.slow

SIGMA = 1.6
"""Pixels, of a Gaussian that stands for a PSF."""


@pytest.fixture(scope="module")
def psf():
    return epsf.from_reference(Builtin("epsf", "WFI01", "F158"))


@pytest.fixture(scope="module")
def gaussian():
    grid = (np.arange(161) - 80) / 4
    stamp = np.exp(-(grid[:, None] ** 2 + grid**2) / (2 * SIGMA**2)) / (2 * np.pi * SIGMA**2)
    return Psf(stamp[None], 4, np.zeros(1), np.zeros(1))


def test_numbers_of_a_gaussian_are_those_of_the_formulas(gaussian):
    radii = np.arange(1, 25) * 0.25
    profile = profile_of_psf(gaussian, radii)
    np.testing.assert_allclose(profile.energy, 1 - np.exp(-(radii**2) / (2 * SIGMA**2)), atol=2e-3)
    assert half_maximum_width(gaussian) == pytest.approx(2.3548 * SIGMA, rel=1e-3)
    assert radius_of_share(profile, 0.5) == pytest.approx(1.17741 * SIGMA, rel=5e-3)
    assert np.isnan(radius_of_share(profile_of_psf(gaussian, radii[:2]), 0.9))


def test_a_bad_pixel_is_left_out_of_the_profile(gaussian):
    stamp = samples(gaussian, 31, 1)
    radii = np.arange(1, 11.0)
    whole = profile_of_stamp(stamp, (15.0, 15.0), radii)
    mask = np.zeros(stamp.shape, bool)
    mask[15, 18], mask[13, 15] = True, True
    holed = profile_of_stamp(np.where(mask, 99, stamp), (15.0, 15.0), radii, mask=mask)
    np.testing.assert_allclose(holed.energy, whole.energy, atol=0.01)


def test_curve_of_growth_equals_photutils(gaussian):
    from photutils.profiles import CurveOfGrowth

    stamp, radii = samples(gaussian, 31, 1), np.arange(1, 11.0)
    expected = CurveOfGrowth(stamp, (15.2, 14.7), radii).profile
    np.testing.assert_allclose(profile_of_stamp(stamp, (15.2, 14.7), radii).energy, expected, rtol=1e-9)


def test_a_star_between_pixels_is_sampled_there(gaussian):
    stamp = samples(gaussian, 21, 1, shift=(0.3, -0.2))
    y, x = np.mgrid[:21, :21]
    assert (stamp * x).sum() / stamp.sum() == pytest.approx(10.3, abs=1e-4)
    assert (stamp * y).sum() / stamp.sum() == pytest.approx(9.8, abs=1e-4)


@pytest.fixture(scope="module")
def stars(psf):
    """Image, error and places of thirty bright stars."""
    rng = np.random.default_rng(5)
    side, step = 6, 60
    grid = np.arange(side) * step + step / 2
    x, y = (each.ravel() + rng.uniform(-0.5, 0.5, side**2) for each in np.meshgrid(grid, grid))
    light = np.zeros((side * step, side * step), np.float32)
    render.add_stars(light, psf, x, y, rng.uniform(2e5, 1e6, x.size))
    data = rng.poisson(light + 200.0) + rng.normal(0, 5, light.shape)
    return data.astype(np.float32), np.sqrt(np.maximum(data, 1) + 25).astype(np.float32), x, y


@pytest.mark.long
def test_the_psf_of_stars_is_found_again(stars, psf):
    data, err, x, y = stars
    core = float(epsf.native_stamp(psf, 15).sum())
    found = measure_psf(
        data, err, np.zeros(data.shape, bool), np.rint(x), np.rint(y), ring=(21, 25), size=31, core=core
    )
    assert len(found.stars) == len(x)
    assert np.abs(found.stars - np.stack([x, y], axis=1)).max() < 0.05
    theirs, ours = (samples(one, 41, 4) for one in (psf, found.psf))
    assert np.abs(ours - theirs).max() < 0.04 * theirs.max()
    assert half_maximum_width(found.psf) == pytest.approx(half_maximum_width(psf), rel=0.02)
    assert epsf.native_stamp(found.psf, 15).sum() == pytest.approx(core, rel=0.005)


def test_few_stars_tell_no_psf(stars):
    data, err, x, y = stars
    with pytest.raises(InputError, match="3 isolated stars"):
        measure_psf(data, err, np.zeros(data.shape, bool), x[:3], y[:3], ring=(21, 25))


def test_only_isolated_pointed_sources_without_bad_pixels_are_stars():
    n = 12
    values = {"x_centroid": 50.0 + 60 * np.arange(n), "y_centroid": np.full(n, 50.0)}
    values |= {"aper04_flux": np.full(n, 1e4), "aper02_flux": np.full(n, 8e3), "aper04_flux_err": np.full(n, 50.0)}
    values["aper02_flux"][0] = 4e3  # a galaxy
    values["aper04_flux_err"][1] = 1e3  # faint
    values["x_centroid"][3] = values["x_centroid"][2] + 12  # a pair
    values["x_centroid"][4] = 5.0  # at the edge
    values["x_centroid"][5] = np.nan
    mask, spoiled = np.zeros((2, 100, 800), bool)
    mask[51, 50 + 60 * 6] = True
    spoiled[49, 50 + 60 * 7] = True
    chosen = choose_stars(values, mask, spoiled, StarChoice())
    assert sorted(chosen) == [8, 9, 10, 11]


def test_scatter_on_blank_sky_is_the_error_where_noise_is_white_and_more_where_it_is_shared():
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 1, (300, 300)).astype(np.float32)
    err, mask = np.ones_like(noise), np.zeros(noise.shape, bool)
    labels = np.zeros(noise.shape, np.int32)
    noise[100:120, 100:120], labels[100:120, 100:120] = 1e3, 1
    white = blank_noise(noise, err, mask, labels, 4.0)
    assert white.scatter == pytest.approx(white.error, rel=0.06)
    shared = np.where(labels == 0, (noise + np.roll(noise, 1, 1)) / np.sqrt(2), noise).astype(np.float32)
    labels[98:122, 98:122] = 1
    assert blank_noise(shared, err, mask, labels, 4.0).scatter > 1.2 * white.error
    with pytest.raises(InputError, match="no blank sky"):
        blank_noise(noise, err, mask, np.ones_like(labels), 4.0)
