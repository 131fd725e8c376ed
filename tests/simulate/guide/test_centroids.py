"""Centroids that are sent down: moments, several stars, edges of spectra."""

import numpy as np
import pytest
from scipy.special import erf

from rtools.simulate.guide.centroids import downlink, downlink_edges, downlink_several, measure_moments

SIGMA = 0.6


def share(centre, size, sigma=SIGMA):
    """Share of a Gaussian in each pixel."""
    edge = (np.arange(size + 1) - 0.5 - centre) / np.sqrt(2) / sigma
    return np.diff(erf(edge)) / 2


def star(x, y, flux, size=16):
    """A Gaussian star of so many electrons."""
    return flux * np.outer(share(y, size), share(x, size))


def test_moments_are_those_worked_out():
    """Golden values, worked out with numpy."""
    found = measure_moments((star(7.63, 7.21, 20000.0) + 3)[None])
    assert found.x[0] == pytest.approx(7.6297046, abs=1e-6)
    assert found.y[0] == pytest.approx(7.2106246, abs=1e-6)
    assert found.flux[0] == pytest.approx(19980.4686, rel=1e-6)
    assert found.background[0] == pytest.approx(3, abs=1e-6)
    assert (found.xx[0], found.yy[0]) == pytest.approx((0.4416520, 0.4405524), rel=1e-5)


def test_variances_are_the_scatter():
    rng = np.random.default_rng(5)
    images = rng.poisson(star(7.63, 7.21, 20000.0) + 3, (3000, 16, 16)) + rng.normal(0, 9.77, (3000, 16, 16))
    found = measure_moments(images, 9.77**2)
    for values, variance in ((found.x, found.var_xx), (found.y, found.var_yy), (found.flux, found.var_flux)):
        # The background and the place of the box, which the variance does not know, add some.
        assert values.var() == pytest.approx(np.mean(variance), rel=0.15)


def test_a_faint_star_has_no_centroid():
    rng = np.random.default_rng(5)
    corners = np.full((2, 2), 100)
    bright, faint = star(8, 8, 8000.0), star(8, 8, 10.0)
    images = np.stack([bright, faint]) + rng.normal(0, 9.77, (2, 16, 16))
    sent = downlink(images, corners, 9.77**2, np.zeros(2, bool))
    assert sent.quality.tolist() == [["GOOD"], [""]]
    np.testing.assert_allclose(sent.place[0, 0], [108, 108], atol=0.1)
    assert np.isnan(sent.place[1]).all()
    assert np.isnan(sent.variance[1]).all()
    bad = downlink(images, corners, 9.77**2, np.array([True, True]))
    assert bad.quality.tolist() == [["BAD"], [""]]


def test_an_acquisition_lists_stars_by_brightness():
    image = star(20, 30, 9000.0, 64) + star(50.3, 12.2, 4000.0, 64)
    image = image + np.random.default_rng(1).normal(0, 9.77, image.shape)
    sent = downlink_several(image[None], np.array([[7, 9]]), 9.77**2, np.zeros(1, bool))
    assert sent.place.shape == (1, 5, 2)
    np.testing.assert_allclose(sent.place[0, :2], [[27, 39], [57.3, 21.2]], atol=0.1)
    assert sent.quality[0].tolist() == ["GOOD", "GOOD", "", "", ""]


def test_the_edge_of_a_spectrum():
    rows = np.arange(32)
    passed = (1 + erf((rows - 14.3) / np.sqrt(2) / 1.2)) / 2
    image = 500 * passed[:, None] * share(8.2, 16, 0.8)[None, :] + 2
    sent = downlink_edges(image[None], np.array([[40, 60]]), 4.88**2, np.zeros(1, bool))
    # The box of five columns has 99.8 % of the light of every row, that of the upper ones included.
    np.testing.assert_allclose(sent.place[0, 0], [48.2, 74.3], atol=0.03)
    assert sent.quality.tolist() == [["GOOD"]]
    empty = downlink_edges(np.zeros((1, 32, 16)), np.array([[40, 60]]), 4.88**2, np.zeros(1, bool))
    assert np.isnan(empty.place).all()
    assert empty.quality.tolist() == [[""]]
