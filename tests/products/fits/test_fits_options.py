"""rt-fits: mosaics made by others, flags in JWST's bits, slim files, the check, names."""

import subprocess
import warnings

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

from rtools.products.fits import check as fits_check
from rtools.products.fits import flags as fits_flags
from rtools.products.fits import pixel_types
from rtools.products.io import open_product
from rtools.wfi import dq
from tests.support.fits_files import back, lossless, sample, there, verified
from tests.support.judges import OPENS, judge_python, newest_only
from tests.support.places import JUDGES
from tests.support.runs import arrays, listing, tool

# -- mosaics ----------------------------------------------------------------------------------------------------------


@pytest.mark.judges
@pytest.mark.parametrize("version", newest_only(version for version, opened in OPENS.items() if "2.1.0" in opened))
@pytest.mark.parametrize("planes", [1, 3])
def test_a_mosaic_that_roman_datamodels_wrote(version, planes, tmp_path):
    path = tmp_path / "m_coadd.asdf"
    subprocess.run([judge_python(version), JUDGES / "mosaic.py", path, str(planes)], check=True)
    made = lossless(path, tmp_path, "--check")
    wcs = open_product(path).node("meta.wcs")
    with fits.open(made) as hdus:
        header = hdus["SCI"].header
        assert (header["CRPIX1"], header["CRPIX2"]) == (-30999.25, 12346.5)
        assert (header["CRVAL1"], header["CRVAL2"], header["CTYPE1"]) == (269.7, 65.8, "RA---TAN")
        x, y = np.random.default_rng(2).uniform(-0.5, 59.5, (2, 500))
        found = WCS(header).all_world2pix(*wcs(x, y), 0)
        np.testing.assert_allclose(found, [x, y], atol=2e-8)
        assert header["PIXAR_SR"] == pytest.approx(np.radians(0.055 / 3600) ** 2)
        assert header["PIXAR_A2"] == pytest.approx(0.055**2)
        assert hdus["CON"].data.shape == (planes, 60, 60)
        np.testing.assert_array_equal(hdus["CON"].data.astype("i4").view("u4"), arrays(path, "context")["context"])
    members = Table.read(made, hdu="HDRTAB")
    assert len(members) == 32 * planes
    assert "visit_nexposures" not in members.colnames
    assert members["basic_filename"][0] == "m0_cal.asdf"
    assert members["background_subtracted"][:2].tolist() == [True, False]


def test_a_context_of_one_plane_without_its_axis(tmp_path):
    def flat(_known, data):
        data["context"] = data["context"][0]

    with fits.open(lossless(sample(tmp_path, "l3_coadd", change=flat), tmp_path)) as hdus:
        assert hdus["CON"].data.shape == (24, 24)


# -- flags ------------------------------------------------------------------------------------------------------------

TO_JWST = {"DO_NOT_USE": 1, "JUMP_DET": 4, "GW_AFFECTED_DATA": 1 << 30, "OUTLIER": 16, "UNRELIABLE_ERROR": 1 << 24,
           "UNRELIABLE_RESET": 1 << 22, "RESERVED_5": 0, "RESERVED_6": 0, "RESERVED_7": 0, "NON_SCIENCE": 512,
           "REFERENCE_PIXEL": 1 << 31, "OTHER_BAD_PIXEL": 1 << 30}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), TO_JWST.items())
def test_flags_keep_their_meaning(name, value):
    assert fits_flags.translate(np.array([dq.PIXEL[name]], "u4")).tolist() == [value]
    assert fits_flags.lost(np.array([[dq.PIXEL[name]]], "u4")) == ([] if value else [name])


def test_flags_are_translated_each_by_itself():
    every = np.array([1 << bit for bit in range(32)], "u4")
    alone = fits_flags.translate(every)
    pairs = every[:, None] | every
    np.testing.assert_array_equal(fits_flags.translate(pairs), alone[:, None] | alone)
    assert fits_flags.lost(every) == ["BIT_14", "RESERVED_5", "RESERVED_6", "RESERVED_7"]


def test_flags_of_resultants():
    assert fits_flags.translate(np.array([1, 2, 4, 8, 64, 128, 133], "u1")).tolist() == [1, 2, 4, 8, 64, 0, 5]
    assert fits_flags.lost(np.array([[133]], "u1")) == ["WFI18_TRANSIENT"]


def test_jwst_numbers_are_those_of_jwst():
    assert [fits_flags.PIXEL[name] for name in ("OUTLIER", "CHARGELOSS", "RC", "FLUX_ESTIMATED")] == [
        16, 128, 1 << 14, 1 << 28]  # fmt: skip
    assert len(fits_flags.PIXEL) == len(set(fits_flags.PIXEL.values())) == 32


@pytest.mark.parametrize(("kind", "name", "path"), [("l2_image", "DQ", "dq"), ("ramp", "PIXELDQ", "pixeldq"),
                                                    ("reference/mask", "DQ", "dq")])  # fmt: skip
def test_an_image_with_flags_of_jwst_comes_back(kind, name, path, tmp_path, capsys):
    def change(_known, data):
        data[path] = np.resize(np.array([0, 1, 16, 128, 129, 1 << 26], "u4"), data[path].shape)

    source = sample(tmp_path, kind, change=change)
    assert tool("fits", source, "--dq", "jwst") == 0
    assert "RESERVED_5" in capsys.readouterr().err
    with fits.open(lossless(source, tmp_path, "--dq", "jwst", "--check")) as hdus:
        assert hdus[name].data.ravel()[:6].tolist() == [0, 1, 1 << 30, 16, 17, 0]
        np.testing.assert_array_equal(hdus["DQ_ROMAN"].data, arrays(source, path)[path])
        told = {key: dict(zip(hdus[key].data["NAME"], hdus[key].data["VALUE"], strict=True)) for key in
                ("DQ_DEF", "DQ_ROMAN_DEF")}  # fmt: skip
        assert (told["DQ_DEF"]["OUTLIER"], told["DQ_ROMAN_DEF"]["OUTLIER"]) == (16, 128)


def test_ramps_keep_the_flags_of_resultants(tmp_path):
    with fits.open(lossless(sample(tmp_path, "ramp"), tmp_path, "--dq", "jwst")) as hdus:
        assert hdus["GROUPDQ"].data.shape == hdus["GROUPDQ_ROMAN"].data.shape
        np.testing.assert_array_equal(hdus["GROUPDQ"].data, fits_flags.translate(hdus["GROUPDQ_ROMAN"].data))
        assert {"GROUPDQ_DEF", "GROUPDQ_ROMAN_DEF"} <= {hdu.name for hdu in hdus}


# -- slim, check ------------------------------------------------------------------------------------------------------


def test_a_slim_file_has_no_border_and_comes_back(product, tmp_path):
    with fits.open(lossless(product("cal"), tmp_path, "--slim")) as hdus:
        names = {hdu.name for hdu in hdus}
        assert not [name for name in names if name.startswith(("REFPIX", "DQREF"))]
        assert {"SCI", "AMP33"} <= names


@pytest.mark.parametrize("suffix", ["uncal", "linearity", "cal"])
def test_the_check_passes_on_what_is_right(product, suffix, tmp_path):
    made = there(product(suffix), tmp_path, "--check")
    back(made, tmp_path / "again", "--check")


def test_the_check_finds_a_single_bit(product, tmp_path, monkeypatch, capsys):
    def broken(values, *, flipped):
        raw = pixel_types.decode(values, values.dtype, flipped=False)
        raw.reshape(-1).view("u1")[0] ^= 1
        return kept(raw, flipped=flipped)

    kept = pixel_types.encode
    source = product("cal")
    monkeypatch.setattr(pixel_types, "encode", broken)
    assert tool("fits", source, "--check", "--outdir", tmp_path) == 1
    assert "roman." in capsys.readouterr().err
    assert listing(tmp_path).keys() == set()


@pytest.mark.parametrize("change", [
    lambda known, _: known["program"].update(title="another"),
    lambda known, _: known["exposure"].update(frame_time=1.25),
    lambda known, _: known["exposure"].update(more=1),
    lambda known, _: known["exposure"].update(read_pattern=[[1]]),
    lambda _, data: data.update(dq=data["dq"] ^ 1),
    lambda _, data: data.update(data=-data["data"]),
    lambda _, data: data.update(err=data["err"][:-1]),
    lambda _, data: data.pop("err"),
], ids=["text", "number", "key", "list", "flag", "pixel", "shape", "missing"])  # fmt: skip
def test_the_check_finds_each_kind_of_difference(change, tmp_path):
    made = there(sample(tmp_path, "l2_image"), tmp_path)
    fits_check.require_same(tmp_path / "x.asdf", made)
    with pytest.raises(Exception, match="does not come back"):
        fits_check.require_same(sample(tmp_path, "l2_image", "y.asdf", change), made)


# -- names ------------------------------------------------------------------------------------------------------------


def test_a_name_of_the_other_kind_is_refused(product, tmp_path, capsys):
    assert tool("fits", product("cal"), "-o", tmp_path / "x.asdf") == 2
    assert tool("fits", there(product("cal"), tmp_path), "-o", tmp_path / "y.fits") == 2
    assert not (tmp_path / "x.asdf").exists()
    assert not (tmp_path / "y.fits").exists()


@pytest.mark.parametrize("name", ["ünicode näme_cal.asdf", f"{'long_' * 40}cal.asdf", "it's, 'quoted'_cal.asdf"])
@pytest.mark.slow
def test_no_warnings_about_odd_names(name, tmp_path):
    def change(known, data):
        known["filename"] = name
        data["Zähler [e,-]"] = np.ones((30, 30), "f4")
        known["ephemeris"]["type"] = "x" * 200

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = there(sample(tmp_path, "l2_image", name, change), tmp_path)
        verified(made)
        again = back(made, tmp_path / "again", "--check")
    np.testing.assert_array_equal(arrays(again)["Zähler [e,-]"], 1)
    with fits.open(made) as hdus:
        assert "Z_HLER [E_-]" in hdus


def test_every_table_is_one_for_astropy(product, tmp_path):
    made = there(product("cal"), tmp_path, "--dq", "jwst")
    with fits.open(made) as hdus:
        names = [hdu.name for hdu in hdus if isinstance(hdu, fits.BinTableHDU) and hdu.name != "ASDF"]
    assert names == ["READPATT", "INT_TIMES", "DQ_DEF", "DQ_ROMAN_DEF", "META"]
    assert all(len(Table.read(made, hdu=name)) for name in names)
