"""rt-resample on images of spectra: the peer's image, several exposures and slits, images beside them, refusals."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from rtools.commands.kit.products import split_inputs
from rtools.products.jwst import NewHdu, open_jwst, stage_new
from tests.support.judges import asked_of_jwst
from tests.support.runs import tool
from tests.support.stage3_files import golden_product

PLANES = ("SCI", "ERR", "WHT", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT", "CON")
INNER = slice(7, 113)
"""Rows to which all of the slit comes: it is tilted against the detector by 12 rows."""


def rectified(folder, *sources, options=()):
    path = folder / "made_s2d.fits"
    assert tool("resample", *(sources or (golden_product("slit"),)), "-o", path, "--overwrite", *options) == 0
    return path


@pytest.mark.judges
def test_a_rectified_spectrum_is_the_missions_but_for_its_ends(jwst_golden, tmp_path):
    """The peer's drizzle passes over 46 pixels of the first and last rows: 44 of the result have no value."""
    path = rectified(tmp_path)
    with fits.open(path) as found, fits.open(jwst_golden("spec") / "out_s2d.fits") as wanted:
        for name in PLANES:
            ours, theirs = found[name].data[..., INNER, :], wanted[name].data[..., INNER, :]
            np.testing.assert_allclose(ours, theirs, rtol=8e-7, atol=1e-7, err_msg=name)
        np.testing.assert_array_equal(found["WAVELENGTH"].data, wanted["WAVELENGTH"].data)
        assert found["SCI"].data.shape == (120, 40)
        assert np.isnan(wanted["SCI"].data).sum() - np.isnan(found["SCI"].data).sum() == 44
        for key in ("DISPAXIS", "PIXAR_SR", "SRCTYPE", "BUNIT", "VPARITY"):
            assert found["SCI"].header[key] == wanted["SCI"].header[key]
        for key in ("NDRIZ", "RESWHT", "PIXFRAC", "PXSCLRT", "S_RESAMP", "EFFEXPTM"):
            assert found[0].header[key] == wanted[0].header[key]
    ours, theirs = (open_jwst(one).node("meta.wcs") for one in (path, jwst_golden("spec") / "out_s2d.fits"))
    x, y = np.array([0.0, 17.3, 39.0]), np.array([1.0, 60.2, 119.0])
    np.testing.assert_allclose(ours(x, y), theirs(x, y), rtol=1e-13)
    np.testing.assert_allclose(ours.invert(*ours(x, y)), [x, y], atol=1e-8)
    verdict = asked_of_jwst("files", path)[str(path)]
    assert (verdict["ok"], verdict["trusted"], verdict["model"]) == (True, True, "SlitModel")
    assert tool("validate", path) == 0


def test_all_light_of_the_first_and_last_rows_comes_to_the_image(tmp_path):
    """Where the slit is tilted the package drizzle (2.2, 3.0) passes over pixels at the edges."""
    path = tmp_path / golden_product("slit").name
    with fits.open(golden_product("slit")) as hdus:
        hdus["DQ"].data[:] = 1
        hdus["DQ"].data[0, 30] = hdus["DQ"].data[119, 10] = 0
        hdus["SCI"].data[[0, 119], [30, 10]] = 5.0
        hdus["VAR_RNOISE"].data[:] = 4.0
        hdus.writeto(path)
    with fits.open(rectified(tmp_path, path, options=("-q",))) as found:
        assert found["WHT"].data[114:118].sum() == pytest.approx(0.25, rel=1e-5)  # y = 115.85, on the result whole
        assert found["WHT"].data[1:5].sum() == pytest.approx(0.25, rel=1e-5)
        np.testing.assert_allclose(found["SCI"].data[found["WHT"].data > 0], 5, rtol=1e-6)


def test_the_axes_are_told_as_fits_does(tmp_path):
    """By a table of wavelengths, one of them for each slit (WAVE-TAB), and arcsec along the slit."""
    path = rectified(tmp_path)
    with fits.open(path) as hdus:
        told = WCS(hdus["SCI"].header, hdus)
        table = hdus["WCS-TABLE"].data["wavelength"]
        assert table.shape == (1, 120, 1)
        np.testing.assert_allclose(told.wcs_pix2world([[19.5, 0], [29.5, 60]], 0)[:, 0], [0, 1.1], atol=1e-6)
        np.testing.assert_allclose(told.wcs_pix2world([[3, 60]], 0)[0, 1], hdus["WAVELENGTH"].data[60, 3], rtol=1e-7)
    cut = tmp_path / "cut_s2d.fits"
    assert tool("cut", path, "--section", "5:20,30:70", "-o", cut) == 0
    with fits.open(cut) as hdus:
        found = WCS(hdus["SCI"].header, hdus).wcs_pix2world([[3, 4]], 0)[0]
    np.testing.assert_allclose(found, told.wcs_pix2world([[8, 34]], 0)[0])


def test_its_spectrum_is_that_of_the_image(tmp_path):
    fluxes = []
    for source in (rectified(tmp_path), golden_product("slit")):
        out = tmp_path / "made_x1d.fits"
        assert tool("x1d", source, "-o", out, "--overwrite", "-q", "--xstart", 10, "--xstop", 29, "--bkg-coeff",
                    "2.5;8.5;31;37.5") == 0  # fmt: skip
        table = fits.getdata(out, "EXTRACT1D")
        order = np.argsort(table["WAVELENGTH"])
        fluxes.append((table["WAVELENGTH"][order], table["FLUX"][order]))
    inner = slice(10, -10)
    found = np.interp(fluxes[1][0][inner], *fluxes[0])
    assert (np.abs(found / fluxes[1][1][inner] - 1) < 0.05).mean() > 0.95  # bad pixels are spread over several
    assert np.median(found / fluxes[1][1][inner]) == pytest.approx(1, abs=0.005)


def test_two_exposures_have_the_error_of_their_mean(tmp_path):
    second = tmp_path / "jw01234001001_02101_00002_mirimage_cal.fits"
    with fits.open(golden_product("slit")) as hdus:
        hdus["SCI"].data[60, 20], hdus["DQ"].data[60, 20] = 1e6, 1
        hdus.writeto(second)
    with fits.open(rectified(tmp_path)) as one, fits.open(rectified(tmp_path, golden_product("slit"), second)) as two:
        ratio = two["ERR"].data / one["ERR"].data
        assert np.nanmedian(ratio) == pytest.approx(np.sqrt(0.5), rel=1e-6)
        assert np.nanmedian(two["SCI"].data / one["SCI"].data) == pytest.approx(1, rel=1e-6)
        np.testing.assert_allclose(np.nanmedian(two["WHT"].data / one["WHT"].data), 2)
        assert np.nanmax(two["SCI"].data) < 1000
        assert (two["CON"].data & 3 == 3).mean() > 0.9
        assert len(two["HDRTAB"].data) == 2
        assert two[0].header["EFFEXPTM"] == 3.2


@pytest.mark.judges
def test_each_slit_of_a_file_is_rectified(tmp_path):
    product = open_jwst(golden_product("slit"))
    wcs, path = product.node("meta.wcs"), tmp_path / "jw01234001001_02101_00001_nrs1_cal.fits"
    names = ("SCI", "ERR", "DQ", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT")
    told = {"DISPAXIS": 2, "PIXAR_SR": 1e-13, "BUNIT": "MJy/sr"}
    hdus = [
        NewHdu(name, product.pixels(name) * (version if name in ("SCI", "ERR") else 1), version,
               cards={**told, "SLTNAME": slit} if name == "SCI" else {})
        for version, slit in ((1, "S1"), (2, "S2")) for name in names
    ]  # fmt: skip
    meta = {"instrument": {"name": "NIRSPEC", "detector": "NRS1"}, "exposure": {"type": "NRS_MSASPEC"},
            "model_type": "MultiSlitModel"}  # fmt: skip
    stage_new(path, "cal", meta, hdus, tree={"slits": [{"meta": {"wcs": wcs}}, {"meta": {"wcs": wcs}}]}).commit()
    made = rectified(tmp_path, path)
    with fits.open(made) as found:
        np.testing.assert_allclose(found["SCI", 2].data, 2 * found["SCI", 1].data, rtol=1e-6)
        assert [found["SCI", version].header["SLTNAME"] for version in (1, 2)] == ["S1", "S2"]
        assert found[0].header["DATAMODL"] == "MultiSlitModel"
        assert found["WCS-TABLE"].columns.names == ["wavelength_1", "wavelength_2"]
        assert found["SCI", 2].header["PS2_1"] == "wavelength_2"
        wavelength = found["WAVELENGTH", 2].data[5, 4]
    assert open_jwst(made).node("slits.1.meta.wcs")(4, 5)[2] == pytest.approx(wavelength)
    assert asked_of_jwst("files", made)[str(made)]["ok"]


def test_images_are_told_from_spectra(jwst_golden):
    image = str(jwst_golden("mosaic") / "jw01234001001_02101_00001_nrca1_cal.fits")
    slit = str(golden_product("slit"))
    assert split_inputs([image, slit], "resample") == ([slit], [image])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda hdus: hdus.pop("ASDF"), "no gwcs"),
        (lambda hdus: (hdus["SCI"].header.pop("PIXAR_SR"), hdus.pop("ASDF")), "PIXAR_SR"),
        (lambda hdus: (hdus[0].header.update(EXP_TYPE="MIR_MRS"), hdus.pop("ASDF")), "rt-cube build"),
        (lambda hdus: setattr(hdus["ERR"], "data", hdus["ERR"].data[:-1]), "ERR"),
    ],
)
def test_what_is_out_of_reach_is_said_in_one_line(change, says, tmp_path, capsys):
    path = tmp_path / golden_product("slit").name
    with fits.open(golden_product("slit")) as hdus:
        change(hdus)
        hdus.writeto(path)
    assert tool("resample", path, "-o", tmp_path / "out_s2d.fits") == 3
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert says in said[0]
    assert not (tmp_path / "out_s2d.fits").exists()


def test_slits_of_one_name_are_refused_and_none_is_lost(tmp_path, capsys):
    """The second took the place of the first."""
    path = tmp_path / golden_product("slit").name
    with fits.open(golden_product("slit")) as hdus:
        copies = [fits.ImageHDU(hdu.data, hdu.header, name=hdu.name, ver=2) for hdu in hdus[1:-1]]
        for copy in copies:
            copy.header["EXTVER"] = 2
        fits.HDUList([hdus[0], *hdus[1:-1], *copies, hdus[-1]]).writeto(path)
    assert tool("resample", path, "-o", tmp_path / "out_s2d.fits") == 3
    assert "the same name" in capsys.readouterr().err


def test_exposures_in_other_units_are_not_one_image(tmp_path, capsys):
    path = tmp_path / "jw01234001001_02101_00002_mirimage_cal.fits"
    with fits.open(golden_product("slit")) as hdus:
        hdus["SCI"].header["BUNIT"] = "DN/s"
        hdus.writeto(path)
    assert tool("resample", golden_product("slit"), path, "-o", tmp_path / "out_s2d.fits") == 3
    assert "bunit_data" in capsys.readouterr().err
