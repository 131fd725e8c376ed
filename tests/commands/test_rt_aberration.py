"""rt-aberration: known answers, sanity of the velocity, what is written."""

import numpy as np
import pytest

from rtools.astrometry import aberration
from rtools.errors import InputError
from tests.support.runs import meta, same, simulate, tool

VELOCITY = (-5.473753741352352, -27.480586797035414, -11.875972151015253)


@pytest.fixture(scope="module")
def exposure(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("exposure"), reads="1;2;3")


@pytest.mark.parametrize(
    ("place", "velocity", "known"),
    [
        ((359, -2), (100, 100, 100), (1.000316017905845, 359.01945099823, -1.980247580394956)),
        ((266.678, -30.539), VELOCITY, (1.00009986246627, 266.6771408270979, -30.538259891783305)),
    ],
)
def test_scale_and_direction_are_the_known_ones(place, velocity, known):
    found = aberration.aberration(*place, velocity)
    assert found.scale == pytest.approx(known[0], abs=1e-14)
    assert found[1:] == pytest.approx(known[1:], abs=1e-11)


def test_at_rest_nothing_moves():
    assert aberration.aberration(12.5, -80.25, (0, 0, 0)) == (1, 12.5, -80.25)


def test_the_scale_is_what_the_field_shrinks_by():
    # directions around the reference point, as a moving observer sees them
    velocity = np.array(VELOCITY)
    ra, dec = 80.0, 20.0
    found = aberration.aberration(ra, dec, velocity)
    near = aberration.aberration(ra, dec + 0.01, velocity)
    apart = np.hypot((near.ra - found.ra) * np.cos(np.deg2rad(dec)), near.dec - found.dec)
    assert 0.01 / apart == pytest.approx(found.scale, abs=1e-7)


@pytest.mark.parametrize("velocity", [(-999999, -999999, -999999), (0, np.nan, 0), (None, 1, 2), (29e3, 0, 0)])
def test_what_is_no_velocity_is_refused(velocity):
    with pytest.raises(InputError):
        aberration.checked_velocity(velocity)


def test_an_odd_velocity_is_said_to_be_odd():
    mjd = 61406.0
    right = aberration.spacecraft_velocity(mjd)
    assert 29 < np.linalg.norm(right) < 31.5
    assert aberration.checked_velocity(right, mjd)[1] is None
    assert "30" in aberration.checked_velocity(right + np.array([0, 0, 30]), mjd)[1]
    assert "zero" in aberration.checked_velocity((0, 0, 0), mjd)[1]


def test_the_velocity_is_that_of_astropy_at_the_lagrange_point():
    from astropy.coordinates import get_body_barycentric_posvel
    from astropy.time import Time

    when = Time(61500.0, format="mjd", scale="tt")
    earth = get_body_barycentric_posvel("earth", when, ephemeris="builtin")[1].xyz.to_value("km/s")
    np.testing.assert_allclose(aberration.spacecraft_velocity(61500.0), 1.0099 * earth, rtol=0, atol=1e-3)


def test_the_simulators_own_scale_is_found_again(exposure, tmp_path, capsys):
    spoilt, mended = tmp_path / "a_uncal.asdf", tmp_path / "b_uncal.asdf"
    words = [f"velocity_aberration.{key}=0.5" for key in ("scale_factor", "ra_reference", "dec_reference")]
    assert tool("set", exposure, *words, "-o", spoilt) == 0
    assert tool("aberration", spoilt, "-o", mended) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == str(mended)
    assert captured.err == ""
    before, after = meta(exposure)["velocity_aberration"], meta(mended)["velocity_aberration"]
    assert after["scale_factor"] == pytest.approx(before["scale_factor"], abs=1e-15)
    assert after["ra_reference"] == pytest.approx(before["ra_reference"], abs=1e-11)
    assert all(same(exposure, mended).values())


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["ephemeris.velocity_x=-999999"], 3, "none of a spacecraft"),
        (["wcsinfo.ra_ref=-999999"], 3, "meta.wcsinfo.ra_ref is -999999"),
        (["ephemeris.velocity_x=40"], 0, "from that of the second Lagrange point"),
        ([f"ephemeris.velocity_{axis}=0" for axis in "xyz"], 0, "the velocity is zero"),
    ],
)
def test_odd_metadata_are_refused_or_warned_of(exposure, tmp_path, capsys, words, status, says):
    odd, out = tmp_path / "a_uncal.asdf", tmp_path / "b_uncal.asdf"
    assert tool("set", exposure, *words, "-o", odd) == 0
    capsys.readouterr()
    assert tool("aberration", odd, "-o", out) == status
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert says in line
    assert out.exists() == (status == 0)
    if "zero" in says:
        assert meta(out)["velocity_aberration"]["scale_factor"] == 1
