"""rt-psfsub on files: the mission's images, errors, masks, rings, a companion put in."""

import numpy as np
import pytest
from astropy.io import fits

from rtools.coronagraphy.companions import companion_image, throughput_of
from rtools.jwst.pupil import psf
from rtools.products.jwst import NewHdu, open_jwst, stage_new
from tests.support.judges import asked_of_jwst
from tests.support.runs import tool
from tests.support.stage3_files import golden_product

NAME = "jw01234001001_02101_00001_nrcalong_o001_psfsub.fits"


@pytest.fixture(scope="module")
def clean(jwst_golden, tmp_path_factory):
    """The target as the mission's pipeline mends it before: its bad pixels are good."""
    path = tmp_path_factory.mktemp("clean") / "jw01234001001_02101_00001_nrcalong_calints.fits"
    with fits.open(jwst_golden("coron") / "in_target_clean_calints.fits") as hdus:
        hdus["DQ"].data[:] = 0
        hdus.writeto(path)
    return path


def subtracted(folder, target, *options, references=None):
    words = (target, references or golden_product("psfalign"), "-o", folder / NAME, "--overwrite")
    assert tool("psfsub", *words, *options) == 0
    return open_jwst(folder / NAME)


@pytest.mark.parametrize("truncate", [50, 4])
def test_images_are_the_missions_and_errors_are_not(truncate, clean, jwst_golden, tmp_path):
    """Of as many references as modes the peer's errors are 1e-11; else they are those of the references alone."""
    found = subtracted(tmp_path, clean, "--truncate", truncate)
    with fits.open(jwst_golden("coron") / f"out_psfsub_{truncate}.fits") as peer:
        np.testing.assert_allclose(found.pixels("SCI"), peer["SCI"].data, rtol=2e-7, atol=9e-7)
        assert (peer["ERR"].data < fits.getdata(clean, "ERR")).mean() > 0.4
    assert (found.pixels("ERR") >= fits.getdata(clean, "ERR")).all()


def test_what_is_left_scatters_like_its_errors(tmp_path):
    """Target and references with the same noise: the references' own noise is not counted a second time."""
    rng, shape = np.random.default_rng(12), (41, 41)
    radius = np.hypot(*(np.indices(shape) - 20))
    halos = [50 * np.exp(-((radius - 8 - shift) ** 2) / 20) for shift in rng.normal(0, 0.3, 26)]
    images = (np.array(halos) + rng.normal(0, 1.0, (26, *shape))).astype("f4")
    errors, flags = np.ones((26, *shape), "f4"), np.zeros((26, *shape), "u4")
    meta = open_jwst(golden_product("coronagraph")).meta
    meta = {key: meta[key] for key in ("instrument", "exposure", "observation", "subarray", "wcsinfo") if key in meta}
    paths = {kind: tmp_path / f"jw01234001001_02101_00001_nrcalong_{kind}.fits" for kind in ("calints", "psfalign")}
    for kind, rows in (("calints", slice(0, 2)), ("psfalign", slice(2, None))):
        arrays = {"SCI": images[rows], "ERR": errors[rows], "DQ": flags[rows]}
        more = {} if kind == "psfalign" else dict.fromkeys(("VAR_POISSON", "VAR_RNOISE", "VAR_FLAT"), errors[rows])
        hdus = [NewHdu(name, values) for name, values in (arrays | more).items()]
        stage_new(paths[kind], kind, meta, hdus, without=("INT_TIMES",)).commit()
    assert tool("psfsub", paths["calints"], paths["psfalign"], "-o", tmp_path / "x_psfsub.fits", "--truncate", 4) == 0
    found = open_jwst(tmp_path / "x_psfsub.fits")
    pulls = found.pixels("SCI") / found.pixels("ERR")
    assert abs(np.nanmean(pulls)) < 0.05
    assert np.nanstd(pulls) == pytest.approx(1, abs=0.07)


def test_bad_pixels_of_the_target_are_nan_and_all_others_are_there(tmp_path):
    """One NaN makes the peer's whole plane NaN."""
    target = open_jwst(golden_product("coronagraph"))
    bad = target.pixels("DQ") & 1 != 0
    found = subtracted(tmp_path, target.path)
    for name in ("SCI", "ERR", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT"):
        np.testing.assert_array_equal(np.isnan(found.pixels(name)), bad)
    np.testing.assert_array_equal(found.pixels("DQ"), target.pixels("DQ"))
    np.testing.assert_array_equal(found.pixels("VAR_RNOISE")[~bad], target.pixels("VAR_RNOISE")[~bad])
    assert found.table("INT_TIMES").as_array().tolist() == target.table("INT_TIMES").as_array().tolist()


def test_pixels_bad_in_the_references_are_nan_in_all_integrations(clean, tmp_path):
    path = tmp_path / "refs_psfalign.fits"
    with fits.open(golden_product("psfalign")) as hdus:
        hdus["DQ"].data[:4, 20, 21] = 1
        hdus["SCI"].data[5, 30, 31] = np.nan
        hdus["DQ"].data[2, 40, 41] = 1  # one of nine is mended by its neighbours
        hdus.writeto(path)
    found = subtracted(tmp_path, clean, references=path)
    assert set(zip(*np.nonzero(np.isnan(found.pixels("SCI")).all(axis=0)), strict=True)) == {(20, 21), (30, 31)}
    assert (found.pixels("DQ")[:, 20, 21] & 1 == 1).all()
    assert np.isnan(found.pixels("SCI")).sum() == 8


def test_rings_and_the_model(clean, tmp_path):
    found = subtracted(tmp_path, clean, "--region", "4,12,22", "--model")
    radius = np.hypot(*(np.indices((51, 51)) - 25))  # CRPIX is 26
    image, inside = found.pixels("SCI"), (radius >= 4) & (radius < 22)
    np.testing.assert_array_equal(np.isfinite(image), np.broadcast_to(inside, image.shape))
    np.testing.assert_allclose((image + found.pixels("MODEL"))[:, inside], fits.getdata(clean, "SCI")[:, inside],
                               rtol=1e-5, atol=1e-4)  # fmt: skip
    moved = subtracted(tmp_path, clean, "--region", "0,5", "--center", "30,20").pixels("SCI")
    assert np.isfinite(moved[0, 20, 30])
    assert np.isfinite(moved[0]).sum() == (np.hypot(*(np.indices((11, 11)) - 5)) < 5).sum()


def test_a_companion_is_put_in_and_its_throughput_told(clean, tmp_path, capsys):
    before = subtracted(tmp_path, clean).pixels("SCI").astype(float)
    capsys.readouterr()
    found = subtracted(tmp_path, clean, "--inject", "14.3,20.5,200")
    told = found.table("INJECTED")
    assert list(told["INTEGRATION"]) == [1, 2, 3, 4]
    assert 0.5 < told["THROUGHPUT"][0] < 1
    assert f"throughput {np.mean(told['THROUGHPUT']):.4f} at 14.3,20.5" in capsys.readouterr().err
    added = (found.pixels("SCI") - before)[0]
    row, column = np.unravel_index(added.argmax(), added.shape)
    assert (abs(row - 20.5), abs(column - 14.3)) <= (0.5, 0.5)
    shape = psf("nrcalong", "F335M", oversample=4, size=81, mask="MASKRND")
    companion = companion_image((51, 51), (14.3, 20.5), 200, shape, 4)
    assert throughput_of(companion, added) == pytest.approx(told["THROUGHPUT"][0], abs=1e-5)
    assert "14.3,20.5,200" in str(found.history[-1])


def test_references_for_each_integration(jwst_golden, tmp_path):
    mask = f"psfmask={jwst_golden('coron') / 'ref_psfmask.fits'}"
    target, many = golden_product("coronagraph"), tmp_path / "many_psfalign.fits"
    assert tool("psfalign", target, golden_product("psfstack"), "--ref", mask, "--all-ints", "-o", many) == 0
    one = tmp_path / "one_psfalign.fits"
    assert tool("psfalign", target, golden_product("psfstack"), "--ref", mask, "-o", one) == 0
    of_many, of_one = (subtracted(tmp_path, target, references=path).pixels("SCI") for path in (many, one))
    np.testing.assert_array_equal(of_many[0], of_one[0])
    assert np.nanstd(of_many[2]) == pytest.approx(np.nanstd(of_one[2]), rel=0.1)
    cut = tmp_path / "cut_calints.fits"
    assert tool("cut", target, "--integrations", "0:2", "-o", cut) == 0
    assert tool("psfsub", cut, many, "--outdir", tmp_path / "out") == 3


@pytest.mark.parametrize("words", [("--region", "5"), ("--region", "8,4"), ("--region", "90,95"), ("--inject", "1,2"),
                                   ("--inject", "60,2,5"), ("--center", "a,b", "--region", "1,2"),
                                   ("--truncate", "0")])  # fmt: skip
def test_what_cannot_be_is_refused_before_the_work(words, tmp_path, capsys):
    assert tool("psfsub", golden_product("coronagraph"), golden_product("psfalign"), "--outdir", tmp_path, *words) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.judges
def test_it_is_valid_and_opens_in_stdatamodels(tmp_path):
    found = subtracted(tmp_path, golden_product("coronagraph"), "--model", "--inject", "14,20,200")
    assert tool("validate", found.path) == 0
    verdict = asked_of_jwst("files", found.path)[str(found.path)]
    assert (verdict["ok"], verdict["model"], verdict["trusted"], verdict["warnings"]) == (True, "CubeModel", True, [])
    assert found.value("S_KLIP") == "COMPLETE"
    assert found.value("CAL_VER").startswith("rtools")
