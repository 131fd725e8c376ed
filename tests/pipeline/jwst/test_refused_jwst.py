"""What a run of JWST's exposures refuses, before any work: nothing is written, and the line says what would help."""

import shutil

import pytest
from astropy.io import fits

from tests.support.runs import tool

pytestmark = pytest.mark.slow

ROOT = "jw01234001001_02101_00001_nrca1"


@pytest.fixture
def refused(tmp_path, capsys):
    """``refused(code, words, *args)``: a run that ends so, says all words, and leaves nothing."""

    def check(code, words, *args, name="run"):
        capsys.readouterr()
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
        assert tool(name, *args, "-q") == code
        said = capsys.readouterr().err
        assert [word for word in words if word not in said] == [], said
        assert "Traceback" not in said and len(said.strip().splitlines()) <= 2, said
        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before

    return check


@pytest.fixture
def changed(raw_jwst, tmp_path):
    """``changed(extension, **cards)``: the exposure with other cards and without its tree."""

    def change(suffix="uncal", source=raw_jwst, **cards):
        path = tmp_path / f"{ROOT}_{suffix}.fits"
        with fits.open(source) as hdus:
            hdus[0].header.update(cards)
            fits.HDUList([hdu for hdu in hdus if hdu.name != "ASDF"]).writeto(path)
        return path

    return change


def test_irs2_and_stripes(refused, changed, tmp_path):
    refused(3, ["IRS2"], changed(READPATT="NRSIRS2RAPID"), "--builtin")
    (tmp_path / f"{ROOT}_uncal.fits").unlink()
    refused(3, ["stripes"], changed(MSTR_1=3), "--builtin")


@pytest.mark.parametrize("kind", ["NRS_FIXEDSLIT", "NRC_WFSS", "MIR_LRS-FIXEDSLIT", "NIS_SOSS"])
def test_coordinates_that_are_not_made_here(kind, refused, changed, tmp_path):
    path = changed(EXP_TYPE=kind)
    refused(3, [kind, "needs mission software for its coordinates", "--until gainscale"], path, "--builtin")
    assert tool("run", path, "--builtin", "--until", "gainscale", "-q") == 0
    assert {one.name for one in tmp_path.iterdir()} == {f"{ROOT}_{one}.fits" for one in ("uncal", "rate", "rateints")}


def test_missing_references_are_all_named(refused, changed, tmp_path):
    (tmp_path / "empty").mkdir()
    wanted = ("mask", "saturation", "linearity", "dark", "gain", "readnoise", "flat", "photom")
    refused(4, wanted, changed(), "--refdir", tmp_path / "empty")


def test_outputs_that_exist(refused, ran_jwst, tmp_path, changed):
    shutil.copy(ran_jwst / f"{ROOT}_rateints.fits", tmp_path)
    refused(1, ["rateints", "exists already", "--overwrite"], changed(), "--builtin")


def test_files_that_are_no_exposures(refused, ran_jwst, tmp_path, raw_jwst):
    table = tmp_path / "jw01234-o001_t001_nircam_f200w_cat.ecsv"
    table.write_text("# %ECSV 1.0\n# ---\n# datatype:\n# - {name: label, datatype: int64}\n# meta: !!omap\n"
                     "# - {telescope: JWST}\n# schema: astropy-2.0\nlabel\n1\n")  # fmt: skip
    refused(3, [table.name], table, "--builtin")
    image = shutil.copy(ran_jwst / f"{ROOT}_rate.fits", tmp_path)
    refused(3, ["takes a ramp"], image, "--builtin", name="jump")
    ramp = shutil.copy(raw_jwst, tmp_path)
    refused(3, ["takes an image"], ramp, "--builtin", name="flat")
    refused(3, ["past it"], image, "--builtin", "--until", "jump")
    refused(2, ["not in the chain"], ramp, "--builtin", "--until", "rscd")
    refused(3, ["COMPLETE"], shutil.copy(ran_jwst / f"{ROOT}_jump.fits", tmp_path), "--builtin", name="dark")


def test_a_file_that_ends_early(refused, raw_jwst, tmp_path):
    path = tmp_path / raw_jwst.name
    path.write_bytes(raw_jwst.read_bytes()[:80_000])
    refused(3, [path.name], path, "--builtin")


def test_one_bad_file_does_not_stop_the_others_nor_the_other_mission(raw_jwst, tmp_path, capsys):
    bad = tmp_path / "jw01234001001_02101_00002_nrca1_uncal.fits"
    bad.write_bytes(raw_jwst.read_bytes()[:100_000])
    roman = tmp_path / "r0000101001001001001_0001_wfi01_f158_uncal.asdf"
    assert tool("sim", roman, "--size", 256, "--read-pattern", "1;2-3;4-5;6", "--no-truth", "-q") == 0
    good = shutil.copy(raw_jwst, tmp_path)
    code = tool("run", roman, bad, good, "--builtin", "--set", "rampfit.algorithm=likely", "--skip", "catalog", "-q")
    assert code == 3, capsys.readouterr().err
    assert (tmp_path / f"{ROOT}_cal.fits").exists() and (tmp_path / roman.name.replace("_uncal", "_cal")).exists()
    assert not list(tmp_path.glob("jw01234001001_02101_00002*_rate.fits")) and not list(tmp_path.glob(".*tmp"))
