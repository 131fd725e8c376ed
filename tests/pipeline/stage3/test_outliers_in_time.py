"""rt-outlier on series of integrations: the peer's answers, values and flags, options, associations of both kinds."""

import json

import numpy as np
import pytest
from astropy.io import fits

from rtools import __version__
from rtools.pipeline.job.request import Request
from rtools.pipeline.stage3 import plan_products
from rtools.products.jwst import open_jwst
from rtools.work import Work
from tests.support.judges import asked_of_jwst
from tests.support.runs import tool
from tests.support.stage3_files import golden_product

OUTLIER, DO_NOT_USE = 16, 1
VALUES = ("SCI", "ERR", "VAR_POISSON", "VAR_RNOISE")


def made(folder, *options, source="calints"):
    path = folder / "made_crfints.fits"
    assert tool("outlier", golden_product(source), "-o", path, "--overwrite", *options) == 0
    with fits.open(path) as hdus:
        return {hdu.name: hdu.data.copy() for hdu in hdus[1:] if hdu.is_image}, hdus[0].header


def flagged(planes):
    return planes["DQ"] & OUTLIER != 0


def peers(folder, name):
    with fits.open(folder / name) as hdus:
        return {hdu.name: hdu.data.copy() for hdu in hdus[1:] if hdu.is_image}


@pytest.mark.parametrize(
    ("source", "part", "answer", "options"),
    [
        ("calints", "tso", "out_crfints_width9.fits", ("--window", 9)),
        ("coron_calints", "coron", "out_crfints.fits", ()),
    ],
)
def test_planes_are_the_missions(source, part, answer, options, jwst_golden, tmp_path):
    found, header = made(tmp_path, *options, source=source)
    wanted = peers(jwst_golden(part), answer)
    assert set(found) == set(wanted)
    for name, plane in wanted.items():
        np.testing.assert_array_equal(found[name], plane)
    assert header["S_OUTLIR"] == "COMPLETE"
    assert header["CAL_VER"] == f"rtools {__version__}"
    assert header["FILENAME"] == "made_crfints.fits"


def test_a_nan_within_the_window_hides_no_outlier(jwst_golden, tmp_path):
    """The peer's median of a window with one NaN is NaN, and nothing there is tested: it misses three of 31."""
    (found, _header), wanted = made(tmp_path), peers(jwst_golden("tso"), "out_crfints.fits")
    more = np.argwhere(flagged(found) & ~flagged(wanted))
    assert (np.count_nonzero(flagged(wanted)), len(more)) == (28, 3)
    assert not (flagged(wanted) & ~flagged(found)).any()
    data = fits.getdata(golden_product("calints"), "SCI")
    for time, row, column in more:
        start = min(max(time - 12, 0), len(data) - 25)
        assert np.isnan(data[start : start + 25, row, column]).any()
    same = ~flagged(found) | flagged(wanted)
    for name in (*VALUES, "DQ"):
        np.testing.assert_array_equal(found[name][same], wanted[name][same])


def test_values_are_kept_where_that_is_asked_for(tmp_path):
    kept, _header = made(tmp_path, "--keep-values")
    cleared, _header = made(tmp_path)
    before = peers(golden_product("calints").parent, golden_product("calints").name)
    for name in VALUES:
        np.testing.assert_array_equal(kept[name], before[name])
        assert np.isnan(cleared[name][cleared["DQ"] & DO_NOT_USE != 0]).all()
    np.testing.assert_array_equal(kept["DQ"], cleared["DQ"])
    assert (kept["DQ"][flagged(kept)] & DO_NOT_USE).all()


def test_the_first_number_of_snr_is_the_limit(tmp_path):
    few, more = (np.count_nonzero(flagged(made(tmp_path, "--snr", words)[0])) for words in ("20 4", "4"))
    assert 0 < few < 31 < more


def test_blocks_of_rows_change_nothing(tmp_path, monkeypatch):
    whole, _header = made(tmp_path)
    monkeypatch.setattr("rtools.pipeline.stage3.works.outlier.BLOCK", 40 * 64 * 4 * 5)
    parts, _header = made(tmp_path, "-j", 2)
    for name, plane in whole.items():
        np.testing.assert_array_equal(parts[name], plane)


def test_a_flat_error_of_all_integrations_stays(tmp_path):
    """VAR_FLAT of two axes, which older releases wrote, is no series."""
    path, flat = tmp_path / "jw01234001001_02101_00001_nrca1_calints.fits", np.full((64, 64), 0.25, np.float32)
    with fits.open(golden_product("calints")) as hdus:
        hdus.append(fits.ImageHDU(flat, name="VAR_FLAT"))
        hdus.writeto(path)
    assert tool("outlier", path) == 0
    np.testing.assert_array_equal(fits.getdata(str(path).replace("calints", "crfints"), "VAR_FLAT"), flat)


def test_every_file_is_its_own(tmp_path):
    names = [golden_product(kind) for kind in ("calints", "coron_calints")]
    assert tool("outlier", *names, "--outdir", tmp_path) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        path.name.replace("calints", "crfints") for path in names
    )


def test_an_association_names_the_product(tmp_path):
    """As a run on an association asks for it."""
    path = tmp_path / "jw01234001001_02101_00001_nrca1_o001_crfints.fits"
    source = str(golden_product("calints"))
    job = plan_products(source, [source], Request(tool="rt-run", single="outlier"), outputs={"crfints": path})
    (result,) = job.carry_out(Work(), {})
    assert list(result.outputs) == [path]
    assert open_jwst(path).kind == "crfints"


@pytest.mark.judges
def test_stdatamodels_opens_what_is_made(tmp_path):
    made(tmp_path)
    (verdict,) = asked_of_jwst("files", tmp_path / "made_crfints.fits").values()
    assert verdict["ok"] and verdict["trusted"], verdict
    assert (verdict["model"], verdict["warnings"]) == ("CubeModel", [])


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("--window", 2), 2),
        (("--window", -1), 2),
        (("--snr", "many"), 2),
        (("--snr", "0"), 2),
        (("--gradient", "1 1"), 2),
        (("--no-resample-data",), 2),
        (("--skycell", "270p65x69y50"), 2),
    ],
)
def test_options_that_cannot_be_are_refused_before_the_work(words, status, tmp_path, capsys):
    assert tool("outlier", golden_product("calints"), "--outdir", tmp_path, *words) == status
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_window_is_refused_where_there_are_images_alone(tmp_path, capsys):
    path = tmp_path / "x_cal.fits"
    path.touch()
    assert tool("outlier", path, "--window", 9) == 2
    assert "no input is one" in capsys.readouterr().err


@pytest.mark.parametrize("lacks", ["ERR", "DQ"])
def test_a_series_that_lacks_something_is_refused(lacks, tmp_path, capsys):
    path = tmp_path / "jw01234001001_02101_00001_nrca1_calints.fits"
    with fits.open(golden_product("calints")) as hdus:
        fits.HDUList([hdu for hdu in hdus if hdu.name != lacks]).writeto(path)
    assert tool("outlier", path) == 3
    assert lacks.lower() in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_done_is_told_before(tmp_path, capsys):
    assert tool("outlier", golden_product("calints"), "--outdir", tmp_path, "-n", "--json", "--window", 9) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["steps"][0]["options"]["window"] == 9
    assert not list(tmp_path.iterdir())
