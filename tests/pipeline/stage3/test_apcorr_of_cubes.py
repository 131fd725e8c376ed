"""rt-x1d on cubes with a reference of radii: what the circle misses of a star comes back."""

import asdf
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.spectra import radial_correction
from tests.support.runs import tool
from tests.support.stage3_files import golden_product

WAVES, RADII = np.linspace(4.8, 5.8, 6), np.array([0.15, 0.3, 0.45, 0.6])


def width(wave):
    """Of a star, arcsec: it grows with wavelength."""
    return 0.2 * wave / 5


def within(radius, wave):
    return 1 - np.exp(-(radius**2) / 2 / width(wave) ** 2)


def reference(folder, **changed):
    table = {"channel": "1", "band": "SHORT", "wavelength": WAVES, "wavelength_units": "micron",
             "radius": np.repeat(RADII[:, None], len(WAVES), axis=1), "radius_units": "arcsec",
             "apcorr": 1 / within(RADII[:, None], WAVES)} | changed  # fmt: skip
    path = folder / "apcorr.asdf"
    meta = {"reftype": "apcorr", "instrument": {"name": "MIRI"}, "telescope": "JWST"}
    asdf.AsdfFile({"meta": meta, "apcorr_table": table}).write_to(path, all_array_storage="inline")
    return path


def starlit(folder):
    """The cube of the golden set with a star of 1 Jy at (9, 9), and no noise; its path and the wavelengths."""
    path = folder / "star_s3d.fits"
    with fits.open(golden_product("cube")) as hdus:
        waves = hdus["WCS-TABLE"].data["wavelength"].ravel().astype(float)
        fine = (np.arange(18 * 21) + 0.5) / 21 - 0.5  # pixels are means of the light
        down = (np.arange(20 * 21) + 0.5) / 21 - 0.5
        for plane, wave in enumerate(waves):
            sigma = width(wave) / 0.13
            along, up = (np.exp(-((one - 9) ** 2) / 2 / sigma**2).reshape(-1, 21).mean(axis=1) for one in (fine, down))
            hdus["SCI"].data[plane] = 1e-6 / 3.97e-13 * np.outer(up, along) / (2 * np.pi * sigma**2)
        hdus["DQ"].data[:], hdus["WMAP"].data[:] = 0, 1
        hdus.writeto(path)
    return path, waves


WORDS = "--source-type", "POINT", "--center", "9,9", "--radius", 0.45, "-q"


def spectrum(path, out, *words):
    assert tool("x1d", path, *WORDS, *words, "-o", out, "--overwrite") == 0
    return Table.read(out, hdu="EXTRACT1D", mask_invalid=False)


@pytest.mark.filterwarnings("ignore::astropy.units.UnitsWarning")
def test_the_light_beside_the_circle_comes_back(tmp_path):
    path, waves = starlit(tmp_path)
    plain = spectrum(path, tmp_path / "plain_x1d.fits")
    whole = spectrum(path, tmp_path / "whole_x1d.fits", "--ref", f"apcorr={reference(tmp_path)}")
    assert plain["FLUX"].max() < 0.94
    np.testing.assert_allclose(whole["FLUX"], 1, atol=0.025)  # the light of pixels is smeared over them
    factor = np.asarray(whole["FLUX"] / plain["FLUX"])
    np.testing.assert_allclose(factor, np.interp(waves, WAVES, 1 / within(0.45, WAVES)), rtol=1e-6)
    np.testing.assert_allclose(whole["SB_ERROR"] / plain["SB_ERROR"], factor, rtol=1e-6)
    np.testing.assert_array_equal(whole["BACKGROUND"], plain["BACKGROUND"])


def test_corrections_are_linear_in_radius_and_its_edge_beyond():
    """Radii change with wavelength, and may fall."""
    waves, radii = np.array([5.0, 6.0]), np.array([[4.0, 5.0], [2.0, 2.5]])
    factors = np.array([[1.1, 1.2], [1.5, 1.6]])
    found = radial_correction(
        (waves, radii, factors), np.array([5.0, 5.5, 5.5, 7.0, np.nan]), np.array([3, 2.25, 9, 0, 3])
    )
    np.testing.assert_allclose(found, [1.3, 1.55, 1.15, 1.6, np.nan])


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"band": "LONG"}, "is for band LONG"),
        ({"channel": "4"}, "is for channel 4"),
        ({"radius": RADII}, "no table of its wavelengths"),
    ],
)
def test_a_reference_of_something_else_is_refused(changed, says, tmp_path, capsys):
    path, out = starlit(tmp_path)[0], tmp_path / "out_x1d.fits"
    assert tool("x1d", path, *WORDS, "--ref", f"apcorr={reference(tmp_path, **changed)}", "-o", out) == 3
    (said,) = capsys.readouterr().err.splitlines()
    assert says in said
    assert not out.exists()
