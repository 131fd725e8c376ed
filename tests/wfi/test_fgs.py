"""The frame of fine guidance: golden places and displacements, the directions of its axes."""

import numpy as np
import pytest

from rtools.wfi.fgs import FIELD_EDGE_ARCSEC, displacement, place_in_field, turns_to_angles
from rtools.wfi.frame import CENTRE
from rtools.wfi.instrument import DETECTORS
from rtools.wfi.units import RADIAN_ARCSEC

GOLDEN = [
    ("WFI01", (244.884, -128.164), (0.000590, -0.190489), (-0.186935, 0.000543), (-0.011685, 0.022649)),
    ("WFI06", (732.936, 772.484), (0.002681, -0.198887), (-0.190577, 0.002634), (0.070421, 0.069685)),
    ("WFI09", (1225.200, 534.956), (0.004025, -0.197122), (-0.191838, 0.003986), (0.047363, 0.116056)),
    ("WFI18", (-1224.996, 535.100), (-0.003928, -0.197077), (-0.191722, -0.003966), (0.047404, -0.116014)),
]


@pytest.mark.parametrize("detector, angles, delta, epsilon, zeta", GOLDEN, ids=[row[0] for row in GOLDEN])
def test_rotations_move_the_centre_of_a_detector_as_computed_elsewhere(detector, angles, delta, epsilon, zeta):
    place = place_in_field(detector, 2043.5, 2043.5)
    assert (place.x, place.y) == pytest.approx(angles, abs=2e-3)
    assert displacement(place, 1e-7, 0, 0) == pytest.approx(delta, abs=2e-6)
    assert displacement(place, 0, 1e-7, 0) == pytest.approx(epsilon, abs=2e-6)
    assert displacement(place, 0, 0, 1e-5) == pytest.approx(zeta, abs=2e-6)


@pytest.mark.parametrize("detector", DETECTORS)
def test_f1_runs_along_x_and_f2_against_y_of_every_detector(detector):
    jacobian = place_in_field(detector, CENTRE, CENTRE).jacobian
    assert 0.1075 <= jacobian[0, 0] <= 0.1105 and -0.1090 <= jacobian[1, 1] <= -0.1032
    assert abs(jacobian[0, 1]) < 0.01 and abs(jacobian[1, 0]) < 0.01


def test_derivatives_are_those_of_the_angles():
    here = place_in_field("WFI09", 300.0, 3700.0)
    right, up = place_in_field("WFI09", 300.01, 3700.0), place_in_field("WFI09", 300.0, 3700.01)
    assert here.jacobian[:, 0] == pytest.approx([(right.x - here.x) / 0.01, (right.y - here.y) / 0.01], abs=1e-6)
    assert here.jacobian[:, 1] == pytest.approx([(up.x - here.x) / 0.01, (up.y - here.y) / 0.01], abs=1e-6)


def test_the_matrix_of_turns_gives_the_same_displacement():
    place, turns = place_in_field("WFI06", 1000.0, 200.0), np.array([3e-8, -2e-8, 4e-6])
    pixels = np.linalg.solve(place.jacobian, turns_to_angles(place) @ turns * RADIAN_ARCSEC)
    assert displacement(place, *turns) == pytest.approx(pixels)


def test_the_edge_of_the_field_is_where_the_outermost_detectors_have_their_centres():
    places = [place_in_field(detector, CENTRE, CENTRE) for detector in DETECTORS]
    assert max(np.hypot(place.x, place.y) for place in places) == pytest.approx(FIELD_EDGE_ARCSEC, abs=1)
