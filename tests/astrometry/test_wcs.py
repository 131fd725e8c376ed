"""World coordinates: published positions, velocity aberration, footprint, level 1 pixels."""

import numpy as np
import pytest
from astropy.modeling.models import Polynomial2D, Scale, Shift

from rtools.astrometry import wcs as world
from rtools.wfi.gwcs_frames import level1_wcs
from rtools.wfi.sphere import s_region
from tests.support.pointings import POINTING, REGION, SCALE, distortion

SHAPE = (100, 200)


@pytest.fixture(scope="module")
def built():
    return world.build_wcs(distortion(), POINTING, SCALE, SHAPE)


def test_published_sky_positions():
    sky = world.sky_transform(POINTING)
    assert sky(-480, -300) == pytest.approx((156.01381867239806, 54.20069176781194), abs=1e-10)
    assert sky(-503, -318) == pytest.approx((156, 54.2), abs=1e-10)


def test_the_footprint_is_the_published_one(built):
    assert s_region(world.footprint(built)) == REGION


def test_level_1_pixels_have_published_positions(built):
    level1 = level1_wcs(built)
    position = (155.99695620162404, 54.20006793208115)
    assert level1(4, 4) == pytest.approx(position, abs=1e-10)
    assert built(0, 0) == pytest.approx(position, abs=1e-10)
    assert level1.bounding_box.bounding_box(order="F") == ((-0.5, 207.5), (-0.5, 107.5))
    assert built.bounding_box.bounding_box(order="F") == ((-0.5, 199.5), (-0.5, 99.5))
    assert level1.available_frames == built.available_frames


def test_rotation_matrices_spelt_out():
    v2, v3 = np.deg2rad(np.array([-480.0, -300.0]) / 3600)
    x = np.array([np.cos(v3) * np.cos(v2), np.cos(v3) * np.sin(v2), np.sin(v3)])
    turns = [("z", -156.0), ("y", 54.2), ("x", 33.15), ("y", 318 / 3600), ("z", -503 / 3600)]
    for axis, degrees in reversed(turns):
        x = rotation(axis, np.deg2rad(degrees)) @ x
    expected = np.rad2deg(np.arctan2(x[1], x[0])) % 360, np.rad2deg(np.arcsin(x[2]))
    assert world.sky_transform(POINTING)(-480, -300) == pytest.approx(expected, abs=1e-11)


def rotation(axis, angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.array(
        {
            "z": [[c, s, 0], [-s, c, 0], [0, 0, 1]],
            "y": [[c, 0, -s], [0, 1, 0], [s, 0, c]],
            "x": [[1, 0, 0], [0, c, s], [0, -s, c]],
        }[axis]
    )


def test_frames_have_names_and_units(built):
    assert built.available_frames == ["detector", "v2v3", "v2v3vacorr", "world"]
    assert [str(unit) for unit in built.output_frame.unit] == ["deg", "deg"]
    assert built.output_frame.reference_frame.name == "icrs"
    assert built.get_transform("detector", "v2v3")(50, 30) == pytest.approx((-503, -318))


def test_outside_the_bounding_box_is_nowhere(built):
    assert np.isnan(built(-1, 0)).all()
    assert np.isfinite(built(199.4, 99.4)).all()


def test_bounding_box_of_the_distortion_is_kept():
    narrow = distortion()
    narrow.bounding_box = ((0.5, 90.5), (1.5, 180.5))  # C order: y, x
    built = world.build_wcs(narrow, POINTING, None, SHAPE)
    assert built.bounding_box.bounding_box(order="F") == ((1.5, 180.5), (0.5, 90.5))


def test_distortion_stays_as_it_was_and_brings_its_inverse():
    bent = Polynomial2D(2, c0_0=-503, c1_0=0.11, c2_0=1e-6) & Polynomial2D(2, c0_0=-318, c0_1=0.11)
    from astropy.modeling.models import Mapping

    forward = Mapping((0, 1, 0, 1)) | bent
    forward.inverse = (Shift(503) & Shift(318)) | (Scale(1 / 0.11) & Scale(1 / 0.11))
    names = forward.inputs
    built = world.build_wcs(forward, POINTING, 1.0, SHAPE)
    assert forward.inputs == names
    with pytest.raises(NotImplementedError):
        _ = forward.bounding_box
    assert built.invert(*built(20.0, 30.0)) == pytest.approx((20, 30), abs=0.01)
    level1 = level1_wcs(built)
    assert level1.invert(*level1(24.0, 34.0)) == pytest.approx((24, 34), abs=0.01)


@pytest.mark.parametrize("scale", [None, 1, 1.0])
def test_a_scale_that_is_none_changes_nothing(scale):
    assert world.aberration_transform(scale, -503, -318)(12.0, 34.0) == (12.0, 34.0)


def test_aberration_stretches_about_the_reference_point():
    transform = world.aberration_transform(SCALE, -503.0, -318.0)
    assert transform(-503.0, -318.0) == pytest.approx((-503, -318), abs=1e-10)
    assert transform(-403.0, -318.0)[0] == pytest.approx(-503 + 100 * SCALE, abs=1e-10)
    assert transform.inverse(*transform(1.0, 2.0)) == pytest.approx((1, 2))
    assert world.aberration_transform(SCALE, 0.0, 0.0)(10.0, 20.0) == pytest.approx((10 * SCALE, 20 * SCALE))


def test_footprint_of_nowhere():
    assert s_region(np.array([[1.0, 2], [3, np.nan], [1, 2], [1, 2]])) is None


def test_right_ascension_runs_from_zero():
    built = world.build_wcs(distortion(), POINTING._replace(ra_ref=0.0), None, SHAPE)
    corners = world.footprint(built)
    assert (corners[:, 0] >= 0).all()
    assert corners[:, 0].max() > 359
