"""Shifts by fractions of a pixel: where the light goes, and what comes in at the edges."""

import numpy as np
import pytest

from rtools.coronagraphy.shifting import shifted, transform_of

SHAPE = (40, 50)


def blob(x, y, width=2.0):
    rows, columns = np.indices(SHAPE)
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * width**2))


def test_a_smooth_image_moves_by_fractions_of_a_pixel():
    found = shifted(blob(24, 18), 0.37, -1.62)
    np.testing.assert_allclose(found, blob(24.37, 16.38), atol=1e-6)


def test_there_and_back_is_where_it_was():
    image = np.random.default_rng(1).normal(size=SHAPE)
    from scipy.ndimage import gaussian_filter

    image, inner = gaussian_filter(image, 1.5, mode="reflect"), np.s_[5:-5, 5:-5]
    back = shifted(shifted(image, 0.4, 0.3), -0.4, -0.3)
    np.testing.assert_allclose(back[inner], image[inner], atol=0.01 * image.std())


def test_what_leaves_one_edge_does_not_come_in_at_the_other():
    """A plain transform brings half of a star at the left edge back on the right."""
    image = blob(1.0, 20.0)
    assert shifted(image, -2.0, 0.0, mirrored=False)[20, -1] > 0.5
    assert np.abs(shifted(image, -2.0, 0.0)[:, 25:]).max() < 1e-3


def test_a_slope_does_not_ring():
    """A plain transform sees the step from one edge to the other, and rings over the whole image."""
    image = np.broadcast_to(np.linspace(0, 100, SHAPE[1]), SHAPE)
    inner, wanted = np.s_[5:-5, 5:-5], image - 0.5 * 100 / (SHAPE[1] - 1)
    assert np.abs(shifted(image, 0.5, 0, mirrored=False) - wanted)[inner].max() > 2
    assert np.abs(shifted(image, 0.5, 0) - wanted)[inner].max() < 0.1


@pytest.mark.parametrize("axis", [0, 1])
def test_derivatives_are_those_of_the_shifted_image(axis):
    transform, step = transform_of(blob(24, 18)), 1e-4
    place = np.array([0.2, -0.3])
    _image, *slopes = transform.slopes(*place)
    by = step * np.eye(2)[axis]
    measured = (transform.shifted(*(place + by)) - transform.shifted(*(place - by))) / (2 * step)
    np.testing.assert_allclose(slopes[axis], measured, atol=1e-7)
