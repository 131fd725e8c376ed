"""Positions as they are typed, and between the pixels of an image and the sky."""

import numpy as np
import pytest

from rtools.astrometry import positions
from rtools.astrometry.pixels import geometry_at, pixels_to_sky, sky_to_pixels
from rtools.errors import UsageError
from rtools.wfi.sphere import separation
from tests.support.samples import wcs as sample_wcs

SCALE = 0.11 / 3600


@pytest.mark.parametrize(
    "text",
    [
        "150.5141666667,2.2030555556",
        "10:02:03.4,+02:12:11",
        "10h02m03.4s,+02d12m11s",
        "10h02m03.4s +02d12m11s",
        "10 02 03.4 +02 12 11",
        "10 02 03.4 2 12 11",
        "10 02 03.4, 2 12 11",
        "10h 02m 03.4s +2d 12m 11s",
        " 150.5141666667 , 2.2030555556 ",
        "-209.4858333333,2.2030555556",
    ],
)
def test_one_position_in_all_its_forms(text):
    assert positions.parse_position(text) == pytest.approx((150.51416667, 2.20305556), abs=1e-7)


@pytest.mark.parametrize("text", ["", "10", "10,95", "nan,1", "inf,1", "1,2,3", "a,b", "10:99:00,1", "10h,", ",1"])
def test_what_is_no_position_is_refused_in_one_line(text):
    with pytest.raises(UsageError) as refused:
        positions.parse_position(text)
    assert "\n" not in str(refused.value)
    assert "RA,DEC is one" in str(refused.value)


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "x,1", "nan,1", "1,,2"])
def test_what_is_no_pixel_is_refused(text):
    with pytest.raises(UsageError, match="X,Y is one"):
        positions.parse_pixel(text)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("270.1 66.02", ("270.1,66.02", "")),
        ("270.1,66.02,star 7", ("270.1,66.02", "star")),
        ("270.1, 66.02 star", ("270.1,66.02", "star")),
        ("18 00 24 +66 01 12 star", ("18:00:24,+66:01:12", "star")),
        ("10 02 03.4, -2 12 11", ("10 02 03.4,-2 12 11", "")),
        ("10 02 30 2 30 00 star", ("10:02:30,2:30:00", "star")),
        ("10 02 30, 02 30 00 star", ("10 02 30,02 30 00", "star")),
        ("10:02:30 2 30 00", ("10:02:30,2 30 00", "")),
        ("10h 02m 30s -2d 30m", ("10h 02m 30s,-2d 30m", "")),
        ("270 66 12", ("270,66", "12")),
        ("10 20 3C273", ("10,20", "3C273")),
        ("270.1, 66 2MASS", ("270.1,66", "2MASS")),
    ],
)
def test_a_line_of_a_list_has_a_position_and_a_name(line, expected):
    assert positions.split_line(line) == expected


@pytest.mark.parametrize(
    "line", ["10 02 30", "02 30 00", "1 2 12.5", "10 02 30 -2 30", "10 02 +2 30", "10 02 30 2.5 0.1 0.1", "10 02 30 x"]
)
def test_sexagesimal_without_signs_and_commas_is_never_read_as_degrees(line):
    with pytest.raises(UsageError, match="cannot be told"):
        positions.split_line(line)


@pytest.mark.parametrize("text", ["10,20 30 40", "150.5,2 30 00", "150.5,2 30"])
def test_degrees_with_a_declination_of_several_words_are_refused(text):
    with pytest.raises(UsageError, match="DEC is several"):
        positions.parse_position(text)


def test_pixels_of_a_list_are_never_sexagesimal():
    assert positions.split_pixels("10 20 30") == ("10,20", "30")
    assert positions.split_pixels("10,20 30") == ("10,20", "30")
    assert positions.split_pixels("10, 20, star 7") == ("10, 20", "star")


def test_an_hour_of_24_is_0_without_a_warning(recwarn):
    ra, dec = positions.parse_position("24:00:00,+60:00:60")
    assert (np.cos(np.radians(ra)), dec) == pytest.approx((1, 60 + 1 / 60))
    assert not recwarn.list


def test_pixels_and_sky_are_each_others_inverse():
    wcs = sample_wcs(SCALE, 0.001, -35.0)
    x, y = np.array([0.0, 16.0, 4000.5, -7.25]), np.array([0.0, 16.0, 12.0, 100.0])
    ra, dec = pixels_to_sky(wcs, x, y)
    assert ((ra >= 0) & (ra < 360)).all()
    back = sky_to_pixels(wcs, ra, dec)
    assert np.abs(np.subtract(back, (x, y))).max() < 1e-6


def test_the_other_side_of_the_sky_has_no_pixel():
    wcs = sample_wcs(SCALE, 10.0, 20.0)
    x, y = sky_to_pixels(wcs, [10.0, 190.0, 100.0], [20.0, -20.0, np.nan])
    assert np.isfinite([x[0], y[0]]).all()
    assert np.isnan([x[1:], y[1:]]).all()


def test_scale_area_and_north_are_those_of_steps_on_the_sky():
    wcs = sample_wcs(SCALE, 10.0, 60.0)
    found = geometry_at(wcs, 16.0, 16.0)
    here, right, up = (pixels_to_sky(wcs, 16.0 + dx, 16.0 + dy) for dx, dy in ((0, 0), (1, 0), (0, 1)))
    assert found.scale_x == pytest.approx(separation(*here, *right) * 3600, rel=1e-6)
    assert found.scale_y == pytest.approx(separation(*here, *up) * 3600, rel=1e-6)
    assert found.area == pytest.approx(0.11**2, rel=1e-6)
    step = np.radians(found.north)
    north = pixels_to_sky(wcs, 16.0 - np.sin(step), 16.0 + np.cos(step))
    assert north[1] - here[1] == pytest.approx(SCALE, rel=1e-5)
    assert (north[0] - here[0]) * np.cos(np.radians(60)) == pytest.approx(0, abs=SCALE * 1e-3)
