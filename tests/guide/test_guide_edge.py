"""Guiding on the edge of a spectrum: place of trace and edge, errors, which side is lit."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from scipy.special import erf

from rtools.errors import InputError
from rtools.guide import EdgeShape, fit_edge, fit_edge_shape, section_of
from tests.support.guide_windows import difference_of, nominal_psf, observed
from tests.support.share import some_slow

ROWS, COLUMNS = 32, 16


@pytest.fixture(scope="module")
def section():
    return section_of(nominal_psf())


def spectra(section, x, y, shape):
    """Light of traces with one electron a row, by the spline of scipy."""
    x, y = np.reshape(x, (-1, 1)), np.reshape(y, (-1, 1))
    places = (np.arange(COLUMNS) - x) * section.oversample + (len(section.coefficients) - 1) / 2
    across = map_coordinates(section.coefficients, [places], order=3, mode="constant", prefilter=False)
    v = np.arange(ROWS) - y
    along = (1 + shape.sign * erf(v / np.sqrt(2) / shape.sigma)) / 2 * (1 + shape.slope * v)
    return along[:, :, None] * across[:, None, :]


def test_section_has_all_the_light(section):
    light = spectra(section, [7.3], [-50.0], EdgeShape(1, 1.0, 0.0))
    np.testing.assert_allclose(light.sum(axis=2), 1, atol=0.03)  # the wings go on beyond the window


@pytest.mark.parametrize(
    ("edge", "sign"),
    some_slow([("blue", 1), ("red", -1), ("BLUE", 1), (None, 1), (None, -1), ("green", -1)], 2, rows=True),
)
def test_edge_without_noise_is_found_exactly(section, edge, sign):
    shape = EdgeShape(sign, 1.2, 0.01)
    x, y = np.linspace(6.6, 7.9, 7), np.linspace(16.9, 14.2, 7)
    difference = difference_of(4 + 1e4 * spectra(section, x, y, shape))
    found = fit_edge(difference, section, shape=shape)
    np.testing.assert_allclose([found.x, found.y], [x, y], atol=1e-4)
    np.testing.assert_allclose([found.flux / 1e4, found.background / 4], 1, rtol=1e-4)
    still = difference_of(4 + 1e4 * spectra(section, [7.4] * 5, [15.6] * 5, shape))
    np.testing.assert_allclose(fit_edge_shape(still, section, edge=edge), shape, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(fit_edge(still, section, edge=edge).y, 15.6, atol=1e-3)


@pytest.mark.parametrize("electrons", [300, 3000])
def test_errors_are_those_of_the_noise(section, electrons):
    rng, shape = np.random.default_rng(1), EdgeShape(1, 1.2, 0.01)
    x, y = 7.6 + 0.05 * rng.normal(size=1500), 15.4 + 0.05 * rng.normal(size=1500)
    light = electrons * spectra(section, x, y, shape)
    found = fit_edge(difference_of(observed(light, rng)), section, edge="blue")
    assert found.fitted.all()
    for place, true, variance in ((found.x, x, found.xx), (found.y, y, found.yy)):
        pull = (place - true) / np.sqrt(variance)
        assert abs(pull.std() - 1) < 0.08
    assert abs(np.mean((found.x - x) / np.sqrt(found.xx))) < 0.1
    assert abs(np.mean(found.y - y)) < 0.05  # the shape is fitted to the same pairs: its error is common to all
    assert abs(found.chi2.mean() - 1) < 0.02


def test_hits_do_not_move_the_edge(section):
    rng, shape = np.random.default_rng(2), EdgeShape(-1, 1.0, -0.005)
    light = observed(2000 * spectra(section, np.full(300, 7.5), np.full(300, 14.8), shape), rng)
    light[::5, 25, 3] += 20000
    light[1::5, 10, 8] += 5000
    found = fit_edge(difference_of(light), section, edge="red")
    assert found.fitted.all()
    assert (found.masked[::5] > 0).all()
    assert np.std(found.y) < 1.3 * np.sqrt(found.yy.mean())


def test_windows_without_an_edge_are_refused(section):
    with pytest.raises(InputError, match="no edge"):
        fit_edge(difference_of(np.zeros((5, ROWS, COLUMNS))), section)
    with pytest.raises(InputError, match="no pair"):
        fit_edge_shape(difference_of(np.empty((0, ROWS, COLUMNS))), section)
    assert len(fit_edge(difference_of(np.empty((0, ROWS, COLUMNS))), section).x) == 0
