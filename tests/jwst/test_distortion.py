"""The nominal geometry of JWST's detectors."""

from itertools import pairwise

import numpy as np
import pytest

from rtools.jwst import distortion
from rtools.jwst.instrument import IMAGING_DETECTORS, detector_facts


def pixels_of(detector, count=500):
    facts = detector_facts(detector)
    rng = np.random.default_rng(3)
    return rng.uniform(-0.5, facts.columns - 0.5, count), rng.uniform(-0.5, facts.rows - 0.5, count)


@pytest.mark.parametrize("detector", IMAGING_DETECTORS)
def test_the_inverse_leads_back(detector):
    x, y = pixels_of(detector)
    back = distortion.v2v3_to_pixel(detector, *distortion.pixel_to_v2v3(detector, x, y))
    assert np.abs(np.subtract(back, (x, y))).max() < 1e-9


@pytest.mark.parametrize("detector", ["nrca3", "nrcblong", "nis", "mirimage", "guider1"])
def test_the_model_is_the_same_transform(detector):
    x, y = pixels_of(detector)
    model = distortion.distortion_model(detector)
    v2, v3 = distortion.pixel_to_v2v3(detector, x, y)
    assert np.abs(np.subtract(model(x, y), (v2, v3))).max() < 1e-10
    closes = np.abs(np.subtract(model.inverse(v2, v3), (x, y))).max()
    assert closes < (0.04 if detector == "mirimage" else 0.001)


@pytest.mark.parametrize("detector", IMAGING_DETECTORS)
def test_the_reference_point_is_where_the_aperture_file_has_it(detector):
    facts = detector_facts(detector)
    v2, v3 = distortion.pixel_to_v2v3(detector, facts.x_reference - 1, facts.y_reference - 1)
    assert (v2, v3) == pytest.approx((facts.v2_ref, facts.v3_ref))
    assert distortion.pixel_area_sr(detector) == pytest.approx((facts.pixel_scale / 206264.806) ** 2, rel=1e-3)


def test_the_ideal_y_axis_stands_at_its_angle_from_v3():
    """V3I_YANG counts from V3 towards V2; the parity -1 has the ideal x axis run against V2."""
    facts = detector_facts("mirimage")
    v2, v3 = distortion.ideal_to_v2v3("mirimage", 0.0, 1.0)
    assert np.rad2deg(np.arctan2(v2 - facts.v2_ref, v3 - facts.v3_ref)) == pytest.approx(facts.v3_ideal_y_angle)
    v2, _v3 = distortion.ideal_to_v2v3("mirimage", 1.0, 0.0)
    assert v2 < facts.v2_ref
    assert distortion.v2v3_to_ideal("mirimage", *distortion.ideal_to_v2v3("mirimage", 3.0, -2.0)) == pytest.approx(
        (3, -2)
    )


@pytest.mark.parametrize("detector", ["nrca1", "nis", "mirimage"])
def test_areas_add_up_to_the_frame(detector):
    """Green's theorem along the outer edge, in the tangent plane."""
    facts = detector_facts(detector)
    areas = distortion.relative_area(detector, np.arange(facts.columns), np.arange(facts.rows))
    side = np.linspace(0, 1, 4001)
    right, top = facts.columns - 0.5, facts.rows - 0.5
    corners = [(-0.5, -0.5), (right, -0.5), (right, top), (-0.5, top), (-0.5, -0.5)]
    edge = np.concatenate([np.outer(1 - side, a) + np.outer(side, b) for a, b in pairwise(corners)])
    x, y = distortion.pixel_to_ideal(detector, *edge.T)
    frame = 0.5 * abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 206264.80625**2
    assert areas.sum() * distortion.pixel_area_sr(detector) == pytest.approx(frame, rel=1e-7)
    assert areas[int(facts.y_reference), int(facts.x_reference)] == pytest.approx(1, abs=1e-4)
