"""World coordinate systems whose transforms carry units: the same as those of plain numbers."""

import gwcs
import numpy as np
import pytest
from astropy import coordinates, units
from astropy.modeling import models
from gwcs import coordinate_frames as frames

from rtools.errors import InputError
from rtools.products.io import open_product
from rtools.products.io.unitless import carries_units, without_units
from tests.support.dithers import SIZE, exposure
from tests.support.runs import rewrite, tool

RA, DEC, PIXEL = 270.0, 66.0, 0.11 / 3600
MIDDLE = (SIZE - 1) / 2


def plane(transform, unit=units.deg, box=True):
    """A WCS of one transform."""
    pixels = frames.Frame2D(name="detector", unit=(units.pix, units.pix))
    sky = frames.CelestialFrame(reference_frame=coordinates.ICRS(), name="world", unit=(unit, unit))
    made = gwcs.WCS([(pixels, transform), (sky, None)])
    if box:
        edges = (-0.5 * units.pix, (SIZE - 0.5) * units.pix)
        made.bounding_box = (edges, edges) if carries_units(transform) else ((-0.5, SIZE - 0.5),) * 2
    return made


def transform(kind):
    """The same tangent plane, with units of some kind or with none."""
    deg, pix, arcsec, rad = units.deg, units.pix, units.arcsec, units.rad
    shift = models.Shift(-MIDDLE * pix) & models.Shift(-MIDDLE * pix)
    turn = models.RotateNative2Celestial(RA * deg, DEC * deg, 180 * deg)
    if kind == "none":
        shift = models.Shift(-MIDDLE) & models.Shift(-MIDDLE)
        turn = models.RotateNative2Celestial(RA, DEC, 180)
        return shift | models.Scale(-PIXEL) & models.Scale(PIXEL) | models.Pix2Sky_TAN() | turn
    if kind == "degrees":
        scale = models.Multiply(-PIXEL * deg / pix) & models.Multiply(PIXEL * deg / pix)
    elif kind == "arcsec":
        scale = models.Multiply(-0.11 * arcsec / pix) & models.Multiply(0.11 * arcsec / pix)
    elif kind == "polynomial":
        x = models.Polynomial2D(1, c1_0=-0.11 * arcsec / pix, c0_0=0 * arcsec, c0_1=0 * arcsec / pix)
        y = models.Polynomial2D(1, c0_1=0.11 * arcsec / pix, c0_0=0 * arcsec, c1_0=0 * arcsec / pix)
        scale = models.Mapping((0, 1, 0, 1)) | x & y
    turn = models.RotateNative2Celestial((RA * deg).to(rad), DEC * deg, 180 * deg)
    return shift | scale | models.Pix2Sky_TAN() | turn


@pytest.mark.parametrize("kind", ["degrees", "arcsec", "polynomial"])
def test_a_system_with_units_is_the_same_without(kind):
    expected, made = plane(transform("none")), without_units(plane(transform(kind)))
    x, y = np.meshgrid([0.0, 17.5, SIZE], [0.0, 40.0])
    assert np.allclose(made(x, y, with_bounding_box=False), expected(x, y, with_bounding_box=False), atol=1e-10, rtol=0)
    if kind != "polynomial":  # it has no inverse, with units or without
        assert np.allclose(made.invert(RA, DEC), (MIDDLE, MIDDLE), atol=1e-6)
    assert made.bounding_box == expected.bounding_box
    assert not carries_units(made.forward_transform)


def test_a_system_without_units_is_left_alone():
    wcs = plane(transform("none"))
    assert without_units(wcs) is wcs


def test_a_frame_in_other_units_is_one_in_degrees():
    assert without_units(plane(transform("arcsec"), units.arcsec)).output_frame.unit == (units.deg, units.deg)


def test_units_that_do_not_fit_are_refused():
    odd = models.Shift(1 * units.pix) & models.Shift(1 * units.pix) | models.Multiply(2 * units.s) & models.Identity(1)
    with pytest.raises(InputError, match="WCS"):
        without_units(plane(odd, box=False))


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """One image with either WCS."""
    directory = tmp_path_factory.mktemp("units")
    image = exposure(directory / "a_cal.asdf", 0)

    def with_wcs(name, kind):
        return rewrite(image, directory / name, lambda meta, _arrays: meta.update(wcs=plane(transform(kind))))

    return with_wcs("plain_cal.asdf", "none"), with_wcs("units_cal.asdf", "degrees")


@pytest.mark.slow
def test_tools_take_a_wcs_with_units(both, tmp_path, capsys):
    plain, other = both
    for words in (("cut", "--sky", f"{RA},{DEC},3", "-o"), ("resample", "-q", "-o"), ("fits", "-o")):
        found = []
        for path in (plain, other):
            target = tmp_path / f"{words[0]}_{path.stem}{'.fits' if words[0] == 'fits' else '.asdf'}"
            assert tool(words[0], path, *words[1:], target) == 0, words
            if words[0] != "fits":
                with open_product(target) as product:
                    found.append(np.array(product.array("data")))
        assert len(found) == 0 or np.array_equal(*found, equal_nan=True)
    assert tool("skymap", other) == 0
    assert "internal" not in capsys.readouterr().err
