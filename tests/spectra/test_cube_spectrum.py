"""Spectra out of cubes: circles, rings, clipping, errors."""

import numpy as np
import pytest

from rtools.spectra import Rings, extract_circles, extract_whole
from rtools.spectra.cube import torn_planes

SHAPE = (5, 31, 29)
CENTRE = (14.3, 15.6)


def rings(radius=4.0, inner=6.0, outer=9.0):
    return Rings(CENTRE, *(np.full(SHAPE[0], one) for one in (radius, inner, outer)))


def test_a_source_comes_back_whatever_the_sky():
    rows, columns = np.mgrid[: SHAPE[1], : SHAPE[2]]
    star = np.exp(-((columns - CENTRE[0]) ** 2 + (rows - CENTRE[1]) ** 2) / 2)
    sky = np.arange(SHAPE[0])[:, None, None]
    found = extract_circles(sky + 50 * star, np.ones(SHAPE), rings(), 3.0)
    np.testing.assert_allclose(found.flux, 100 * np.pi * (1 - np.exp(-8)), rtol=2e-3)
    np.testing.assert_allclose(found.background, np.arange(SHAPE[0]), atol=1e-6)
    np.testing.assert_allclose(found.npixels, np.pi * 16)


def test_errors_take_the_square_of_the_share_of_a_pixel():
    """The peer's, which takes the share itself, is larger than the scatter."""
    rng = np.random.default_rng(4)
    many = rng.normal(5, 1, (3000, *SHAPE[1:]))
    place = Rings(CENTRE, np.full(3000, 2.2), np.full(3000, 4.0), np.full(3000, 6.0))
    found = extract_circles(many, np.ones(many.shape), place, 0.0)
    pulls = found.flux / np.sqrt(found.variance)
    assert pulls.std() == pytest.approx(1, abs=0.04)
    assert abs(pulls.mean()) < 0.06
    peer = np.pi * 2.2**2 + (np.pi * 2.2**2) ** 2 / (np.pi * 20)
    assert found.flux.std() / np.sqrt(peer) < 0.95


def test_what_is_clipped_does_not_lower_the_sky():
    """The mean is over the area that is left: over the whole ring, as the peer has it, it would be 1 % lower for each
    clipped spaxel of a hundred."""
    data = np.full(SHAPE, 5.0) + np.random.default_rng(3).normal(0, 0.01, SHAPE)
    data[:, 22, 14] = 1000.0
    found = extract_circles(data, np.ones(SHAPE), rings(), 3.0)
    np.testing.assert_allclose(found.background, 5.0, atol=0.005)
    assert (extract_circles(data, np.ones(SHAPE), rings(), 0.0).background > 10).all()


def test_bad_spaxels_are_left_out_and_told():
    data = np.ones(SHAPE)
    data[1, 15, 14] = np.nan
    data[2] = np.nan
    found = extract_circles(data, np.ones(SHAPE), rings(), 3.0)
    assert found.npixels[1] == pytest.approx(np.pi * 16 - 1)
    assert found.covered[1] == pytest.approx(1 - 1 / (np.pi * 16))
    assert np.isnan(found.flux[2])
    assert found.npixels[2] == 0


def test_a_circle_whose_ring_has_no_sky_has_no_flux():
    data = np.full(SHAPE, np.nan)
    data[:, 12:20, 11:19] = 1.0
    assert np.isnan(extract_circles(data, np.ones(SHAPE), rings(2.0, 8.0, 9.0), 3.0).flux).all()
    without = Rings(CENTRE, np.full(SHAPE[0], 2.0))
    assert np.isfinite(extract_circles(data, np.ones(SHAPE), without, 3.0).flux).all()


def test_an_extended_source_is_the_sum_of_the_plane_and_its_level_is_told():
    data = np.full(SHAPE, 2.0)
    data[:, 3, 3] = 500.0
    found = extract_whole(data, np.full(SHAPE, 0.1), 3.0)
    np.testing.assert_allclose(found.flux, 2.0 * (31 * 29 - 1) + 500)
    np.testing.assert_allclose(found.background, 2.0)
    np.testing.assert_allclose(found.variance, 0.01 * 31 * 29)


def test_planes_in_which_slices_have_ended_are_torn():
    """The spectrum fell to nothing at its end: the last planes held a few of the spaxels."""
    area = np.array([0.0, 87.4, 119.0, 119.0, 119.0, 117.4, 3.5])
    assert torn_planes(area).tolist() == [False, True, False, False, False, False, True]
    assert not torn_planes(np.zeros(3)).any()
