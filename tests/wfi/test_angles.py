"""Angles as text: what is rounded up is carried over."""

import numpy as np
import pytest

from rtools.wfi.angles import degrees_of, sexagesimal


@pytest.mark.parametrize(
    ("degrees", "places", "expected"),
    [
        (359.9999999999, 4, "00:00:00.0000"),  # 23:59:59.99999998
        (359.9995, 4, "23:59:59.8800"),
        (360.0, 1, "00:00:00.0"),
        (-15.0, 0, "23:00:00"),
        (14.9999999999, 3, "01:00:00.000"),
        (0.24999999999, 2, "00:01:00.00"),
    ],
)
def test_right_ascensions_have_no_hour_24_and_no_second_60(degrees, places, expected):
    assert sexagesimal(degrees, hours=True, places=places).tolist() == [expected]


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [
        (89.9999999999, "+90:00:00.000"),
        (-89.9999999999, "-90:00:00.000"),
        (-0.0000000001, "+00:00:00.000"),
        (-0.5, "-00:30:00.000"),
        (59.99999999999, "+60:00:00.000"),
        (np.nan, ""),
    ],
)
def test_declinations_are_carried_over_up_to_the_pole(degrees, expected):
    assert sexagesimal(degrees, hours=False, places=3).tolist() == [expected]


def test_what_is_written_is_read_again():
    degrees = np.random.default_rng(3).uniform(-90, 90, 50)
    assert degrees_of(sexagesimal(degrees, hours=False, places=6).tolist()) == pytest.approx(degrees, abs=1e-9)
    read = degrees_of(sexagesimal(2 * degrees, hours=True, places=6).tolist(), hours=True)
    assert read == pytest.approx(2 * degrees % 360, abs=1e-8)
