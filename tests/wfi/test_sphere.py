"""The sphere: unit vectors, angles between positions, and the tangent plane."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from rtools.wfi.sphere import (
    distance_and_angle,
    from_plane,
    positions_of,
    separation,
    signed_turn,
    to_plane,
    unit_vectors,
)

RNG = np.random.default_rng(3)
RA, DEC = RNG.uniform(0, 360, 500), np.degrees(np.arcsin(RNG.uniform(-1, 1, 500)))


def test_vectors_are_of_unit_length_and_lead_back_to_their_positions():
    vectors = unit_vectors(RA, DEC)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=-1), 1, rtol=1e-15)
    ra, dec = positions_of(3.0 * vectors)
    np.testing.assert_allclose(ra, RA, atol=1e-12)
    np.testing.assert_allclose(dec, DEC, atol=1e-12)


def test_axes_point_to_the_vernal_equinox_and_the_north_pole():
    np.testing.assert_allclose(unit_vectors(0, 0), [1, 0, 0], atol=1e-16)
    np.testing.assert_allclose(unit_vectors(90, 0), [0, 1, 0], atol=1e-16)
    np.testing.assert_allclose(unit_vectors(123, 90), [0, 0, 1], atol=1e-16)


def test_the_components_can_be_the_first_axis():
    np.testing.assert_array_equal(unit_vectors(RA, DEC, axis=0), unit_vectors(RA, DEC).T)
    np.testing.assert_array_equal(positions_of(unit_vectors(RA, DEC).T, axis=0), positions_of(unit_vectors(RA, DEC)))


@pytest.mark.parametrize("scale", [180.0, 1.0, 1e-6])
def test_angles_are_those_of_astropy(scale):
    other_ra, other_dec = RA + RNG.normal(0, scale, RA.size), np.clip(DEC + RNG.normal(0, scale, RA.size), -90, 90)
    here, there = SkyCoord(RA, DEC, unit="deg"), SkyCoord(other_ra, other_dec, unit="deg")
    expected = here.separation(there).deg
    np.testing.assert_allclose(separation(RA, DEC, other_ra, other_dec), expected, rtol=1e-8, atol=1e-13)
    distance, angle = distance_and_angle((RA, DEC), (other_ra, other_dec))
    np.testing.assert_allclose(np.degrees(distance), expected, rtol=1e-8, atol=1e-13)
    turn = np.angle(np.exp(1j * (angle - here.position_angle(there).rad)))
    assert np.all(np.abs(turn) * distance < 1e-14)


def test_opposite_positions_are_180_degrees_apart():
    np.testing.assert_allclose(separation(RA, DEC, RA + 180, -DEC), 180, atol=3e-6)


def test_projection_and_its_inverse_close():
    xi, eta = RNG.uniform(-0.5, 0.5, (2, RA.size))
    found = to_plane(*from_plane(xi, eta, (RA, DEC)), (RA, DEC))
    np.testing.assert_allclose(found, [xi, eta], atol=1e-13)


def test_radius_in_the_plane_is_the_tangent_of_the_angle():
    xi, eta = RNG.uniform(-0.5, 0.5, (2, RA.size))
    apart = separation(*from_plane(xi, eta, (RA, DEC)), RA, DEC)
    np.testing.assert_allclose(np.hypot(xi, eta), np.tan(np.radians(apart)), rtol=1e-12)


def test_offsets_can_be_in_pixels():
    unit = np.radians(0.055 / 3600)
    radians = np.array(to_plane(33.01, -20.01, (33, -20)))
    np.testing.assert_allclose(to_plane(33.01, -20.01, (33, -20), unit=unit), radians / unit, rtol=1e-14)


def test_the_other_half_of_the_sky_has_no_place_in_the_plane():
    assert np.isnan(to_plane(33 + 180, 20, (33, -20))).all()
    assert np.isnan(to_plane(33 + 90.01, 0, (33, 0))).all()


def test_the_way_between_right_ascensions_is_the_shorter_one():
    assert signed_turn(1.0 - 359.0) == 2
    assert signed_turn(359.0 - 1.0) == -2
    assert np.all(np.abs(signed_turn(RA - RA[::-1])) <= 180)


def test_right_ascensions_stay_near_the_tangent_point_when_asked():
    assert from_plane(-0.01, 0.0, (0.0, 0.0))[0] > 359
    assert -1 < from_plane(-0.01, 0.0, (0.0, 0.0), turned=False)[0] < 0
