"""How the mask lies on the sky: east and north, parity, world coordinates; closing sides."""

import numpy as np
import pytest

from rtools.interferometry.stations import QUADS, TRIANGLES, baselines_of, sky_by_roll, sky_by_slopes
from tests.support.interferograms import PIXEL, mask

ALONG_X, ALONG_Y = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])


@pytest.mark.parametrize("angle", [0.0, 20.57, 130.0, -75.0, 300.0])
def test_detector_y_points_to_the_position_angle(angle):
    for parity in (-1, 1):
        north, east = sky_by_roll(ALONG_Y, angle, parity)[0]
        assert np.rad2deg(np.arctan2(east, north)) % 360 == pytest.approx(angle % 360)


def test_with_parity_minus_one_x_lies_to_the_west_of_y():
    assert sky_by_roll(ALONG_X, 0, -1)[0] == pytest.approx([0, -1])
    assert sky_by_roll(ALONG_X, 0, 1)[0] == pytest.approx([0, 1])
    assert sky_by_roll(ALONG_X, 90, -1)[0] == pytest.approx([1, 0])


@pytest.mark.parametrize("parity", [-1, 1])
def test_world_coordinates_of_square_pixels_say_what_the_roll_says(parity):
    turned = np.deg2rad(33.0)
    slopes = np.array([[parity * np.cos(turned), np.sin(turned)], [-parity * np.sin(turned), np.cos(turned)]]) * PIXEL
    centres = mask().centres
    np.testing.assert_allclose(sky_by_slopes(centres, slopes, PIXEL), sky_by_roll(centres, 33.0, parity), atol=1e-12)


def test_fringes_have_the_same_phase_on_the_detector_and_on_the_sky():
    """Of any step in pixels, however oblong and oblique these are."""
    slopes = np.array([[-0.057, 0.033], [0.031, 0.058]])
    centres, step = mask().centres, np.array([1.3, -2.2])
    east, north = slopes @ step
    v, u = sky_by_slopes(centres, slopes, PIXEL).T
    np.testing.assert_allclose(u * east + v * north, centres @ step * PIXEL, atol=1e-12)


def test_triangles_close_and_quads_end_at_their_last_hole():
    centres = mask().centres
    triangles, quads = baselines_of(centres, TRIANGLES), baselines_of(centres, QUADS)
    np.testing.assert_allclose(triangles.sum(axis=1), centres[TRIANGLES[:, 0]] - centres[TRIANGLES[:, 2]], atol=1e-12)
    np.testing.assert_allclose(quads.sum(axis=1), centres[QUADS[:, 0]] - centres[QUADS[:, 3]], atol=1e-12)
