"""rt-x1d on files: the peer's tables, slits of a file, segments, cubes, what is refused."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.products.jwst import open_jwst
from tests.support.judges import asked_of_jwst
from tests.support.runs import tool
from tests.support.stage3_files import golden_product

pytestmark = pytest.mark.filterwarnings("ignore::astropy.units.UnitsWarning")

PARTS = ("POISSON", "RNOISE", "FLAT")
ERRORS = ("FLUX_ERROR", "SB_ERROR", "BKGD_ERROR", *(f"{name}_VAR_{kind}" for name in ("FLUX", "SB", "BKGD")
                                                   for kind in PARTS))  # fmt: skip
BOX = "--src-coeff=14.25,0.01;24.25,0.01"
GOOD_ALONE = "--fill=none"
"""Bad pixels are left out, as the peer does it."""
SKY = "--bkg-coeff=2.5;9.5;30;37.5"


def extracted(folder, source, *options, suffix="x1d"):
    path = folder / f"made_{suffix}.fits"
    assert tool("x1d", source, "-o", path, "--overwrite", *options) == 0
    return path


def spectrum(path, version=1):
    return Table.read(path, hdu=("EXTRACT1D", version), mask_invalid=False)


def compared(found, wanted, names, rows=slice(None), rtol=3e-8):
    for name in names:
        np.testing.assert_allclose(found[name][rows], wanted[name][rows], rtol=rtol, err_msg=name)


@pytest.mark.parametrize(
    ("peer", "reference", "options"),
    [
        ("out_x1d", "plain", ()),
        ("out_x1d_width", "width", ()),
        ("out_x1d_bkg0", "bkg0", ()),
        ("out_x1d_bkg1", "bkg1", ("--bkg-order", 1, "--smoothing-length", 5)),
        ("out_x1d_bkgmedian", "median", ()),
    ],
)
def test_spectra_of_slits_are_the_missions(peer, reference, options, jwst_golden, tmp_path):
    """But for the error of a background where a pixel of the aperture is bad: the peer takes it as if all were good."""
    spec = jwst_golden("spec")
    given = "--ref", f"extract1d={spec / f'ref_extract1d_{reference}.json'}"
    path = extracted(tmp_path, golden_product("slit"), GOOD_ALONE, *given, *options)
    found, wanted = spectrum(path), spectrum(spec / f"{peer}.fits")
    assert found.colnames == wanted.colnames
    single = 6e-8  # the peer's median is a number of single precision
    names = [name for name in wanted.colnames if name not in ERRORS]
    compared(found, wanted, names, rtol=single if reference == "median" else 3e-8)
    whole = np.asarray(wanted["NPIXELS"] > wanted["NPIXELS"].max() - 1e-9)
    assert 100 < whole.sum() < 120
    compared(found, wanted, ERRORS, whole)
    with np.errstate(invalid="ignore"):
        share = (found["NPIXELS"] / wanted["NPIXELS"].max()) ** 2
    for kind in PARTS:
        name = f"BKGD_VAR_{kind}"
        np.testing.assert_allclose(found[name], wanted[name] * (share if "bkg" in peer else 1), rtol=0.02)
    ours, theirs = (fits.getheader(one, "EXTRACT1D") for one in (path, spec / f"{peer}.fits"))
    for key in ("SLTNAME", "EXTRXSTR", "EXTRXSTP", "EXTRYSTR", "EXTRYSTP", "SPORDER", "DISPAXIS", "DETECTOR"):
        assert ours[key] == theirs[key]
    np.testing.assert_allclose([ours[key] - theirs[key] for key in ("SLIT_RA", "SLIT_DEC")], 0, atol=1e-10)


def test_the_spectrum_of_a_rectified_image_is_the_missions(jwst_golden, tmp_path):
    options = "--xstart", 14, "--xstop", 25, GOOD_ALONE
    found = spectrum(extracted(tmp_path, golden_product("rectified"), *options))
    compared(found, spectrum(jwst_golden("spec") / "out_x1d_of_s2d.fits"), found.colnames)


def test_spectra_of_integrations_are_the_missions(jwst_golden, tmp_path):
    spec = jwst_golden("spec")
    path = extracted(tmp_path, golden_product("slit_series"), BOX, SKY, GOOD_ALONE, suffix="x1dints")
    found, wanted = spectrum(path), spectrum(spec / "out_x1dints.fits")
    assert found.colnames == wanted.colnames
    compared(found, wanted, [name for name in wanted.colnames if name not in ERRORS])
    whole = np.asarray(wanted["NPIXELS"] > 9.99)
    for name in ERRORS:
        np.testing.assert_allclose(found[name][whole], wanted[name][whole], rtol=3e-8)
    times, judge = (Table.read(one, hdu="INT_TIMES") for one in (path, spec / "out_x1dints.fits"))
    assert times.colnames == judge.colnames
    assert all((times[name] == judge[name]).all() for name in judge.colnames)


def test_the_spectrum_of_an_extended_source_in_a_cube_is_the_missions(jwst_golden, tmp_path):
    found = spectrum(extracted(tmp_path, golden_product("cube"), "--source-type", "EXTENDED"))
    wanted = spectrum(jwst_golden("cube") / "out_x1d_extended.fits")
    names = [name for name in wanted.colnames if not name.startswith("RF_") and name != "WAVELENGTH"]
    compared(found, wanted, names)
    np.testing.assert_allclose(
        found["WAVELENGTH"], wanted["WAVELENGTH"], rtol=1e-7
    )  # the table of the file has float32
    assert all(np.isnan(found[name]).all() for name in ("RF_FLUX", "RF_SURF_BRIGHT", "RF_BACKGROUND"))


def test_the_spectrum_of_a_point_source_in_a_cube_is_the_missions_but_for_its_clipping_and_errors(
    jwst_golden, tmp_path
):
    """The peer leaves clipped spaxels out of the sum of the ring, but not out of its area: its sky is too low there."""
    cube = jwst_golden("cube")
    options = "--source-type", "POINT", "--center", "9,9", "--ref", f"extract1d={cube / 'ref_extract1d.asdf'}"
    found = spectrum(extracted(tmp_path, golden_product("cube"), *options))
    wanted = spectrum(cube / "out_x1d_point.fits")
    np.testing.assert_allclose(found["NPIXELS"], wanted["NPIXELS"], rtol=1e-7)
    ratio = np.asarray(found["BACKGROUND"] / wanted["BACKGROUND"])
    clipped = ratio > 1 + 1e-6
    assert 5 < clipped.sum() < 20
    np.testing.assert_allclose(ratio[~clipped], 1, rtol=3e-8)
    assert ratio[clipped].max() < 1.03
    sums = 3.97e-7 * np.asarray(wanted["BACKGROUND"] * wanted["NPIXELS"])
    np.testing.assert_allclose((found["FLUX"] - wanted["FLUX"])[~clipped] / sums[~clipped], 0, atol=3e-8)
    assert (found["FLUX_ERROR"] < wanted["FLUX_ERROR"]).all()  # Σp²σ² is below Σpσ²
    assert (found["FLUX_ERROR"] > 0.9 * wanted["FLUX_ERROR"]).all()


def test_a_source_in_a_cube_is_where_the_target_is(tmp_path):
    """Not on the nearest whole spaxel, as the peer has it."""
    path = extracted(tmp_path, golden_product("cube"), "--source-type", "POINT", "--radius", 0.4)
    header = fits.getheader(path, "EXTRACT1D")
    np.testing.assert_allclose([header["EXTR_X"], header["EXTR_Y"]], [8.5, 9.5], atol=1e-6)
    assert header["SRCTYPE"] == "POINT"
    assert not spectrum(path)["BACKGROUND"].any()


@pytest.fixture
def several(tmp_path):
    """Two slits in one file; the second is dispersed along rows and twice as bright."""
    path = tmp_path / "jw01234001001_02101_00001_nrs1_cal.fits"
    with fits.open(golden_product("slit")) as hdus:
        hdus[0].header.update(DATAMODL="MultiSlitModel", EXP_TYPE="NRS_FIXEDSLIT", INSTRUME="NIRSPEC", DETECTOR="NRS1")
        made = [hdus[0]]
        for version, name in ((1, "S200A1"), (2, "S400A1")):
            for hdu in hdus[1:-1]:
                one = fits.ImageHDU(hdu.data.T if version == 2 else hdu.data, hdu.header.copy(), ver=version)
                if hdu.name in ("SCI", "ERR") and version == 2:
                    one.data = 2 * one.data
                one.header.update(EXTNAME=hdu.name, EXTVER=version)
                if hdu.name == "SCI":
                    one.header.update(SLTNAME=name, DISPAXIS=3 - version, SOURCEID=version, SRCTYPE="EXTENDED")
                made.append(one)
        fits.HDUList(made).writeto(path)
    return path


@pytest.mark.judges
def test_each_slit_of_a_file_has_a_table(several, tmp_path):
    with fits.open(several, mode="update") as hdus:
        hdus["SCI", 1].header["DISPAXIS"], hdus["SCI", 2].header["DISPAXIS"] = 2, 1
    path = extracted(tmp_path, several, BOX)
    first, second = spectrum(path), spectrum(path, 2)
    np.testing.assert_allclose(second["FLUX"], 2 * first["FLUX"], rtol=1e-6)
    np.testing.assert_array_equal(first["WAVELENGTH"], second["WAVELENGTH"])
    headers = [fits.getheader(path, ("EXTRACT1D", version)) for version in (1, 2)]
    assert [(one["SLTNAME"], one["SOURCEID"], one["DISPAXIS"]) for one in headers] == [
        ("S200A1", 1, 2),
        ("S400A1", 2, 1),
    ]
    assert asked_of_jwst("files", path)[str(path)]["ok"]
    assert tool("validate", path) == 0


@pytest.fixture
def segments(tmp_path):
    """The golden series cut into two files, which say which integrations they have."""
    paths = []
    for number, (start, stop) in enumerate(((0, 2), (2, 6)), 1):
        path = tmp_path / f"jw01234001001_02101_00001-seg{number:03d}_mirimage_calints.fits"
        with fits.open(golden_product("slit_series")) as hdus:
            hdus[0].header.update(EXSEGNUM=number, EXSEGTOT=2, INTSTART=start + 1, INTEND=stop, NINTS=6)
            for name in ("SCI", "ERR", "DQ", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT", "INT_TIMES"):
                hdus[name].data = hdus[name].data[start:stop]
            hdus.writeto(path)
        paths.append(path)
    return paths


@pytest.mark.judges
def test_segments_of_an_exposure_are_one_series_whether_o_names_it_or_not(segments, tmp_path, jwst_golden):
    """Without -o each had a table of its own, where rt-phot joined them."""
    path, named = tmp_path / "jw01234001001_02101_00001_mirimage_x1dints.fits", tmp_path / "joined_x1dints.fits"
    for words in ((), ("-o", named)):
        assert tool("x1d", *reversed(segments), *words, BOX, SKY, GOOD_ALONE, "-q") == 0
    found, whole = spectrum(path), spectrum(jwst_golden("spec") / "out_x1dints.fits")
    assert list(found["INT_NUM"]) == [1, 2, 3, 4, 5, 6]
    assert list(found["SEGMENT"]) == [1, 1, 2, 2, 2, 2]
    compared(found, whole, ["FLUX", "NPIXELS", "MJD-AVG", "TDB-MID"])
    compared(spectrum(named), found, found.colnames, rtol=0)
    assert list(Table.read(path, hdu="INT_TIMES")["integration_number"]) == [1, 2, 3, 4, 5, 6]
    header = fits.getheader(path)
    assert (header["INTSTART"], header["INTEND"], "EXSEGNUM" in header) == (1, 6, False)
    assert asked_of_jwst("files", path)[str(path)]["ok"]
    assert tool("validate", path) == 0


def test_a_segment_alone_has_its_own_spectra(segments, tmp_path):
    assert tool("x1d", segments[1], "--outdir", tmp_path / "out", BOX, SKY, "-q") == 0
    made = list((tmp_path / "out").iterdir())
    assert [path.name for path in made] == [segments[1].name.replace("calints", "x1dints")]
    assert list(spectrum(made[0])["INT_NUM"]) == [3, 4, 5, 6]


def test_each_order_of_a_series_has_a_table(tmp_path):
    def doubled(hdus):
        for hdu in hdus[1:-1]:
            if hdu.is_image:
                one = fits.ImageHDU(hdu.data, hdu.header, ver=2)
                one.header["EXTVER"] = 2
                hdus.insert(len(hdus) - 1, one)
        hdus["SCI", 2].header["SPORDER"] = 2
        del hdus["ASDF"]
        hdus[0].header["DATAMODL"] = "MultiSlitModel"
        waves = np.repeat(np.linspace(5, 7, 120)[:, None], 40, axis=1).astype("f4")
        hdus.extend(fits.ImageHDU(waves, name="WAVELENGTH", ver=version) for version in (1, 2))

    path = extracted(tmp_path, changed(tmp_path, doubled, "slit_series"), BOX, suffix="x1dints")
    np.testing.assert_array_equal(spectrum(path)["FLUX"], spectrum(path, 2)["FLUX"])
    assert spectrum(path)["FLUX"].shape == (6, 120), "of several orders only the first integration was extracted"
    assert fits.getval(path, "SPORDER", ("EXTRACT1D", 2)) == 2
    assert tool("validate", path) == 0


def test_files_that_are_no_segments_of_one_exposure_are_not_joined(segments, tmp_path, capsys):
    out = tmp_path / "joined_x1dints.fits"
    with fits.open(segments[1], mode="update") as hdus:
        hdus[0].header["INTSTART"] = 2
    assert tool("x1d", *segments, "-o", out) == 3
    with fits.open(segments[1], mode="update") as hdus:
        hdus[0].header.update(INTSTART=3, EXPOSURE="2")
    assert tool("x1d", *segments, "-o", out) == 3
    assert tool("x1d", golden_product("slit"), segments[0], "-o", out) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3
    assert not out.exists()


def test_memory_does_not_grow_with_integrations(monkeypatch, tmp_path):
    """Few are read at a time, once for the profile and once for the spectra, and the table is the same."""
    from rtools.pipeline.stage3 import slits

    whole = spectrum(extracted(tmp_path, golden_product("slit_series"), BOX, suffix="x1dints"))
    read, plain = [], slits.Slit.planes
    monkeypatch.setattr(slits, "AT_A_TIME", 2 * 120 * 40)
    monkeypatch.setattr(
        slits.Slit, "planes", lambda self, block, axis: (read.append(block), plain(self, block, axis))[1]
    )
    found = spectrum(extracted(tmp_path, golden_product("slit_series"), BOX, suffix="x1dints"))
    assert read == 2 * [slice(0, 2), slice(2, 4), slice(4, 6)]
    assert all(np.array_equal(found[name], whole[name], equal_nan=True) for name in whole.colnames)


def changed(tmp_path, change, source="slit"):
    path = tmp_path / golden_product(source).name
    with fits.open(golden_product(source)) as hdus:
        change(hdus)
        hdus.writeto(path)
    return path


def test_rates_give_rates_and_say_so(tmp_path):
    path = changed(tmp_path, lambda hdus: hdus["SCI"].header.update(BUNIT="DN/s"))
    found = spectrum(extracted(tmp_path, path, BOX))
    assert {str(found[name].unit) for name in ("FLUX", "FLUX_ERROR", "SURF_BRIGHT", "BACKGROUND")} == {"DN/s"}
    np.testing.assert_allclose(found["FLUX"], found["SURF_BRIGHT"] * found["NPIXELS"])


def test_bad_pixels_are_left_out_where_it_is_asked_for_and_told(tmp_path, capsys):
    def spoil(hdus):
        hdus["DQ"].data[60, 15:24] |= 1
        hdus["SCI"].data[60, 18] = 1e9  # what is flagged does not count
        hdus["DQ"].data[61, :] |= 1

    path = changed(tmp_path, spoil)
    found = spectrum(extracted(tmp_path, path, BOX, GOOD_ALONE, "--min-coverage", 0.15))
    assert "as little as 0% of it good" in capsys.readouterr().err
    assert np.isnan(found["FLUX"][[60, 61]]).all()
    assert found["DQ"][[59, 60, 61]].tolist() == [0, 1, 1]
    assert found["NPIXELS"][61] == 0
    kept = spectrum(extracted(tmp_path, path, BOX, GOOD_ALONE))
    assert 0 < kept["FLUX"][60] < 0.2 * kept["FLUX"][59]
    assert "FILLED" not in kept.colnames


def test_where_half_of_the_light_is_missing_there_is_no_flux(tmp_path, capsys):
    path = changed(tmp_path, lambda hdus: hdus["DQ"].data[60, 17:24].__ior__(1))
    found = spectrum(extracted(tmp_path, path, BOX))
    assert "at 1 wavelengths there is no flux" in capsys.readouterr().err
    assert np.flatnonzero(np.isnan(found["FLUX"])).tolist() == [60]
    assert found["DQ"][60] == 1
    assert np.isnan(found["FILLED"][60])


def test_a_bad_pixel_of_all_integrations_makes_no_dip_and_no_change_in_time(tmp_path):
    """The sum lacked the light of the pixel, or had it in those integrations alone in which it was good."""
    whole = spectrum(extracted(tmp_path, golden_product("slit_series"), BOX, SKY, suffix="x1dints"))

    def spoil(hdus):
        hdus["DQ"].data[:, 62, 19] |= 1
        hdus["DQ"].data[::2, 40, 20] |= 1

    spoilt = changed(tmp_path, spoil, "slit_series")
    filled, plain = (
        spectrum(extracted(tmp_path, spoilt, BOX, SKY, *words, suffix="x1dints")) for words in ((), (GOOD_ALONE,))
    )
    for row in (62, 40):
        bad = slice(None, None, 1 if row == 62 else 2)
        assert (plain["FLUX"][bad, row] / whole["FLUX"][bad, row] < 0.85).all()
        change = (filled["FLUX"][bad, row] - whole["FLUX"][bad, row]) / filled["FLUX_ERROR"][bad, row]
        assert np.abs(change).max() < 3
        assert (filled["FILLED"][bad, row] > 0.1).all()
        assert (filled["FLUX_ERROR"][bad, row] > whole["FLUX_ERROR"][bad, row]).all()
    np.testing.assert_allclose(filled["NPIXELS"], 10, rtol=1e-12)
    others = np.setdiff1d(np.arange(120), [40, 62])
    np.testing.assert_allclose(filled["FILLED"][:, others], whole["FILLED"][:, others], atol=1e-3)


def correction_file(path, sizes, factors):
    waves, sizes = np.linspace(4, 8, 3, dtype="f4"), np.array(sizes, "u1")
    row = ("SUB64P", waves, 3, sizes, 2, np.tile(np.float32(factors), (3, 1)), np.zeros((3, 2), "f4"))
    kinds = [("subarray", "S17"), ("wavelength", "f4", 3), ("nelem_wl", "i2"), ("size", "u1", 2), ("nelem_size", "i2"),
             ("apcorr", "f4", (3, 2)), ("apcorr_err", "f4", (3, 2))]  # fmt: skip
    table = fits.BinTableHDU(np.array([row], kinds), name="APCORR")
    primary = fits.PrimaryHDU()
    primary.header.update(TELESCOP="JWST", REFTYPE="APCORR", INSTRUME="MIRI", EXP_TYPE="MIR_LRS-FIXEDSLIT",
                          DATAMODL="MirLrsApcorrModel")  # fmt: skip
    fits.HDUList([primary, table]).writeto(path)
    return path


def test_an_aperture_correction_multiplies_flux_but_not_background(tmp_path):
    reference = correction_file(tmp_path / "apcorr.fits", [3, 20], [1.25, 1.25])
    point = changed(tmp_path, lambda hdus: hdus["SCI"].header.update(SRCTYPE="POINT"))
    plain = spectrum(extracted(tmp_path, point, BOX, SKY))
    found = spectrum(extracted(tmp_path, point, BOX, SKY, "--ref", f"apcorr={reference}"))
    for name, factor in (("FLUX", 1.25), ("SB_ERROR", 1.25), ("FLUX_VAR_FLAT", 1.25**2), ("BACKGROUND", 1)):
        np.testing.assert_allclose(found[name], factor * plain[name], rtol=1e-12)


@pytest.mark.parametrize("fill", ["profile", "none"])
def test_an_aperture_correction_takes_the_whole_aperture_as_its_size(fill, tmp_path):
    """Good pixels were counted: one that is bad made the aperture smaller, and the correction too large."""
    point = changed(tmp_path, lambda hdus: hdus["SCI"].header.update(SRCTYPE="POINT"))
    reference = correction_file(tmp_path / "apcorr.fits", [10, 9], [1.1, 1.6])
    words = (BOX, SKY, "--fill", fill)
    plain = spectrum(extracted(tmp_path, point, *words))
    found = spectrum(extracted(tmp_path, point, *words, "--ref", f"apcorr={reference}"))
    bad = spectrum(extracted(tmp_path, point, BOX, SKY, GOOD_ALONE))["NPIXELS"] < 10 - 1e-6
    assert bad.sum() > 3
    np.testing.assert_allclose(found["FLUX"] / plain["FLUX"], 1.1, rtol=1e-6)


def without_wcs(hdus):
    del hdus["ASDF"], hdus["WAVELENGTH"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without_wcs, "no gwcs"),
        (lambda hdus: hdus["SCI"].header.pop("PIXAR_SR"), "PIXAR_SR"),
        (lambda hdus: hdus["SCI"].header.pop("DISPAXIS"), "DISPAXIS"),
        (lambda hdus: hdus[0].header.update(EXP_TYPE="NIS_SOSS"), "ATOCA"),
        (lambda hdus: hdus["SCI"].header.update(BUNIT="Jy/beam"), "Jy/beam"),
        (lambda hdus: hdus["SCI"].header.update(SPORDER="x"), "spectral order"),
        (lambda hdus: hdus[0].header.update(EXP_TYPE="MIR_MRS"), "rt-cube build"),
        (lambda hdus: [hdus.pop(name) for name in ("ERR", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT")], "errors"),
        (lambda hdus: setattr(hdus["DQ"], "data", hdus["DQ"].data[:-1]), "DQ"),
        (lambda hdus: setattr(hdus["SCI"], "data", np.stack([hdus["SCI"].data] * 2)), "axes"),
    ],
)
def test_what_is_out_of_reach_is_said_in_one_line(change, says, tmp_path, capsys):
    """The peer takes a missing solid angle as 1."""
    path = changed(tmp_path, lambda hdus: (change(hdus), "ASDF" in hdus and hdus.pop("ASDF")))
    assert tool("x1d", path, BOX, "--outdir", tmp_path / "out") == 3
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert says in said[0]
    assert not list(tmp_path.glob("out/*"))


@pytest.mark.parametrize("words", [
    ("--src-coeff", "1,2"), ("--bkg-coeff", "x;y"), ("--bkg-fit", "spline"), ("--extract-width", "-3"),
    ("--src-coeff", "24;14"), ("--xstart", "30", "--xstop", "10"), ("--dispaxis", "3"), ("--min-coverage", "2"),
    ("--radius", "3"), ("--center", "3,4"), ("--sigma-clip", "2"),
])  # fmt: skip
def test_options_that_cannot_be_are_refused_before_the_work(words, tmp_path, capsys):
    assert tool("x1d", golden_product("slit"), "--outdir", tmp_path, *words) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [("--xstart", "3"), ("--position-offset", "2"), ("--bkg-fit", "median"),
                                   ("--source-type", "EXTENDED", "--radius", "0.5")])  # fmt: skip
def test_options_that_do_nothing_on_a_cube_are_refused(words, tmp_path, capsys):
    assert tool("x1d", golden_product("cube"), "--outdir", tmp_path, *words) == 2
    assert words[-2] in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("kind", "turned"), [("VAR", np.square), ("IVAR", lambda err: err**-2.0)])
def test_a_spectrum_of_a_cube_has_the_same_errors_whatever_form_they_have(kind, turned, tmp_path):
    """The inverse of an error that is 0 is no error: beside the circle it made that of the whole plane unknown."""

    def stored(hdus):
        hdus["ERR"].data = turned(hdus["ERR"].data.astype("f8"))
        hdus["ERR"].header["ERRTYPE"] = kind
        if kind == "IVAR":
            hdus["ERR"].data[:, 0, 0] = 0
        del hdus["ASDF"]

    words = "--source-type", "POINT", "--center", "9,9", "--radius", 0.4
    plain = spectrum(extracted(tmp_path, golden_product("cube"), *words))
    found = spectrum(extracted(tmp_path, changed(tmp_path, stored, "cube"), *words))
    np.testing.assert_allclose(found["FLUX_ERROR"], plain["FLUX_ERROR"], rtol=1e-5)


def test_a_cube_with_another_form_of_errors_is_refused(tmp_path):
    path = changed(tmp_path, lambda hdus: (hdus["ERR"].header.update(ERRTYPE="SNR"), hdus.pop("ASDF")), "cube")
    assert tool("x1d", path, "--outdir", tmp_path / "out") == 3


@pytest.mark.parametrize("keyword", ["INTSTART", "EXSEGNUM"])
def test_words_where_numbers_belong_are_no_internal_error(keyword, tmp_path, capsys):
    path = changed(tmp_path, lambda hdus: hdus[0].header.update({keyword: "x"}), "slit_series")
    assert tool("x1d", path, BOX, "--outdir", tmp_path / "out", "-q") == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "is of the type integer, not 'x'" in said[0]
    assert not list(tmp_path.glob("out/*"))


def test_a_series_without_a_table_of_times_has_those_of_the_exposure(tmp_path):
    """As light curves have them; they were NaN, and a white light of them was empty."""
    path = changed(tmp_path, lambda hdus: hdus.pop("INT_TIMES"), "slit_series")
    found = spectrum(extracted(tmp_path, path, BOX, suffix="x1dints"))
    assert np.isfinite(found["MJD-AVG"]).all()
    assert (np.diff(found["MJD-AVG"]) > 0).all()


def test_a_point_source_in_a_cube_needs_a_radius(tmp_path, capsys):
    assert tool("x1d", golden_product("cube"), "--source-type", "POINT", "--outdir", tmp_path) == 4
    assert "--radius" in capsys.readouterr().err
    assert tool("x1d", golden_product("cube"), "--source-type", "POINT", "--radius", 1, "--center", "99,3",
                "--outdir", tmp_path) == 3  # fmt: skip


def test_options_count_before_a_reference(jwst_golden, tmp_path):
    reference = "--ref", f"extract1d={jwst_golden('spec') / 'ref_extract1d_bkg0.json'}"
    narrow = extracted(tmp_path, golden_product("slit"), *reference, "--extract-width", 4, "--no-subtract-background")
    found = spectrum(narrow)
    assert found["NPIXELS"].max() == 4
    assert not found["BACKGROUND"].any()
    moved = spectrum(extracted(tmp_path, golden_product("slit"), *reference, "--position-offset", 2))
    assert moved["NPIXELS"].max() == 10
    assert (
        moved["FLUX"] < 0.99 * spectrum(extracted(tmp_path, golden_product("slit"), *reference))["FLUX"]
    ).mean() > 0.9


def test_a_fit_of_a_background_that_is_measured_nowhere_is_told(tmp_path, capsys):
    extracted(tmp_path, golden_product("slit"), BOX, "--bkg-fit", "median")
    assert "--bkg-fit does nothing" in capsys.readouterr().err
    extracted(tmp_path, golden_product("slit"), BOX, SKY, "--bkg-fit", "median")
    assert "does nothing" not in capsys.readouterr().err


def test_a_reference_without_this_slit_is_refused(jwst_golden, tmp_path, capsys):
    given = f"extract1d={jwst_golden('spec') / 'ref_extract1d_slitless.json'}"
    assert tool("x1d", golden_product("slit"), "--ref", given, "--outdir", tmp_path, "-q") == 3
    assert "no aperture for MIR_LRS-FIXEDSLIT" in capsys.readouterr().err


def test_the_spectrum_says_what_was_done(tmp_path):
    product = open_jwst(extracted(tmp_path, golden_product("slit"), BOX))
    assert product.value("S_EXTR1D") == "COMPLETE"
    assert product.value("TARG_RA") == 80.0
    assert product.history[-1]["tool"] == "rt-x1d"
