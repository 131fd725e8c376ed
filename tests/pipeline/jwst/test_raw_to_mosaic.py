"""rt-run from exposures of JWST that are not calibrated to a mosaic, with the images of its steps."""

import json
import shutil

import numpy as np
import pytest
from astropy.io import fits

from rtools.products.jwst import open_jwst
from tests.support.placed_images import image
from tests.support.runs import done, piped, records, tool

pytestmark = pytest.mark.slow

ROOT = "jw01234001001_02101_{:05d}_nrca1"
NAME = "jw01234-o001_t001_nircam_clear-f200w"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A directory with two raw exposures, what one command makes of each of them, and then one of the mosaic."""
    folder = tmp_path_factory.mktemp("raw_to_mosaic")
    raw = [folder / f"{ROOT.format(number)}_uncal.fits" for number in (1, 2)]
    done("sim", *raw, "--subarray", "SUB64P", "--ngroups", 4, "--no-truth")
    done("run", *raw, "--builtin", "--outdir", folder / "apart")
    done("run", *cals(folder / "apart"), "--mosaic", "-o", folder / "apart" / "x_i2d.fits")
    return folder


@pytest.fixture
def raw(folder):
    return sorted(folder.glob("*_uncal.fits"))


def cals(directory):
    return sorted(directory.glob("*_cal.fits"))


def association(path, suffix="cal", products=((1, 2),), **said):
    """An association of exposures; its path."""
    content = {"asn_type": "image3", "asn_rule": "Asn_Lv3Image", "asn_id": "o001", "program": "01234", "target": "001"}
    content["products"] = [
        {"name": said.get("name", NAME), "members": [{"expname": f"{ROOT.format(number)}_{suffix}.fits",
                                                     "exptype": "science"} for number in numbers]}
        for numbers in products
    ]  # fmt: skip
    path.write_text(json.dumps(content))
    return path


def same_images(one, other):
    """All images of two files, to the bit."""
    with fits.open(one) as first, fits.open(other) as second:
        names = [hdu.name for hdu in first if hdu.is_image and hdu.data is not None]
        assert names == [hdu.name for hdu in second if hdu.is_image and hdu.data is not None]
        for name in names:
            assert first[name].data.tobytes() == second[name].data.tobytes(), (other, name)


def test_one_command_makes_what_two_make(folder, raw, tmp_path, capsys):
    words = ("--mosaic", "--builtin", "--outdir", tmp_path, "-o", tmp_path / "x_i2d.fits", "--json", "-q")
    assert tool("run", *raw, *words) == 0
    *exposures, mosaic = records(capsys.readouterr().out)
    assert [one["input"] for one in exposures] == list(map(str, raw)) and len(mosaic["members"]) == 2
    names = sorted(path.name for path in (folder / "apart").iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for name in names:
        assert tool("diff", folder / "apart" / name, tmp_path / name) == 0, name
    same_images(folder / "apart" / "x_i2d.fits", tmp_path / "x_i2d.fits")


def test_products_of_any_stage_may_be_mixed(folder, raw, tmp_path):
    rate = sorted((folder / "apart").glob("*_rate.fits"))[1]
    words = ("--mosaic", "--builtin", "--outdir", tmp_path, "-o", tmp_path / "x_i2d.fits")
    done("run", cals(folder / "apart")[0], rate, *words)
    assert len(cals(tmp_path)) == 1
    same_images(folder / "apart" / "x_i2d.fits", tmp_path / "x_i2d.fits")


def test_members_of_an_association_are_taken_up_to_what_is_needed(folder, raw, tmp_path, monkeypatch, capsys):
    shutil.copy(raw[0], tmp_path)
    shutil.copy(sorted((folder / "apart").glob("*_rate.fits"))[1], tmp_path)
    path = association(tmp_path / "x_asn.json")
    assert tool("asn", "--check", path) == 0
    done("run", path, "--builtin", "--outdir", tmp_path / "o")
    same_images(folder / "apart" / "x_i2d.fits", tmp_path / "o" / f"{NAME}_i2d.fits")
    assert open_jwst(tmp_path / "o" / f"{NAME}_i2d.fits").value("ASNTABLE") == "x_asn.json"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.txt").write_text(f"{path}\n")
    assert tool("run", "@list.txt", "--builtin", "-n", "-q") == 0
    assert f"-> {NAME}_i2d.fits" in capsys.readouterr().out
    with piped(monkeypatch, path.read_bytes()):
        done("run", "-", "--builtin", "--outdir", tmp_path / "p")
    same_images(tmp_path / "o" / f"{NAME}_i2d.fits", tmp_path / "p" / f"{NAME}_i2d.fits")
    assert tool("run", path, raw[0], "--builtin", "--outdir", tmp_path / "q") == 2


def test_a_dry_run_tells_the_graph(raw, tmp_path, capsys):
    words = ("--mosaic", "--builtin", "--outdir", tmp_path / "o", "-o", tmp_path / "x_i2d.fits", "-n", "-q")
    assert tool("run", *raw, *words) == 0
    said = capsys.readouterr().out
    assert f"after calibrate {raw[1]}" in said and f"-> {tmp_path / 'x_i2d.fits'}" in said
    assert "skymatch, outlier, resample" in said and "good-bits" not in said  # as the mission has it
    assert tool("run", *raw, *words, "--save-steps", "--json") == 0
    told = records(capsys.readouterr().out)[-1]
    assert told["waits_for"] == [f"calibrate {path}" for path in raw]
    assert f"{tmp_path / 'o' / ROOT.format(2)}_crf.fits" in told["outputs"] and not (tmp_path / "o").exists()


def changed(path, target, **cards):
    """A copy of an exposure with other cards, whose tree follows."""
    shutil.copy(path, target)
    for key, value in cards.items():
        done("set", target, f"{key}={value}", "--in-place")
    return target


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--skip", "assignwcs"), 2, "no place on the sky"),
        (("--skip", "photom"), 2, "is not in MJy/sr"),
        (("--until", "flat"), 2, "a mosaic is made of cal"),
        (("--until", "jump"), 2, "no place on the sky"),
        (("--skip", "flux"), 2, "no step is called 'flux'"),
        (("--set", "outlier.nothing=1"), 2, "has no option nothing"),
        (("--refcat", "x.parquet"), 2, "--refcat is about Roman"),
        (("--add", "x_coadd.asdf"), 2, "join no mosaic"),
        (("--keep-values",), 2, "--keep-values goes with --save-steps"),
        (("--save-steps", "-o", "-"), 2, "--save-steps and -o - do not go together"),
        (("--like", "none_i2d.fits"), 3, "none_i2d.fits: no such file"),
    ],
)
def test_what_cannot_become_a_mosaic_is_refused_before_any_exposure(raw, tmp_path, capsys, words, code, said):
    out = tmp_path / "o"
    name = () if "-o" in words else ("-o", out / "x_i2d.fits")
    assert tool("run", *raw, "--mosaic", "--builtin", "--outdir", out, *name, *words, "-q") == code
    assert said in " ".join(capsys.readouterr().err.split()) and not out.exists()


def test_mixtures_are_refused_before_any_exposure(raw, tmp_path, capsys):
    red = changed(raw[1], tmp_path / f"{ROOT.format(3)}_uncal.fits", FILTER="F115W")
    series = changed(raw[1], tmp_path / f"{ROOT.format(4)}_uncal.fits", EXP_TYPE="NRC_TSIMAGE")
    roman = image(tmp_path / "r0000101001001001001_0001_wfi01_f158_cal.asdf")
    out = tmp_path / "o"
    for other, code, said in (
        (red, 3, "several optical elements"),
        (series, 3, "of several integrations"),
        (roman, 2, "make no mosaic"),
    ):
        words = ("--mosaic", "--builtin", "--outdir", out, "-o", out / "x_i2d.fits", "-q")
        assert tool("run", raw[0], other, *words) == code, other
        assert said in " ".join(capsys.readouterr().err.split()) and not out.exists()


# --- images of the steps --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def images(jwst_golden, tmp_path_factory):
    """A directory with four dithered images and their association."""
    folder = tmp_path_factory.mktemp("images")
    for path in cals(jwst_golden("mosaic")):
        shutil.copy(path, folder)
    shutil.copy(jwst_golden("mosaic") / "in_asn.json", folder / "x_asn.json")
    return folder


def crfs(directory):
    return sorted(directory.glob("*_crf.fits"))


def test_images_of_an_association_are_saved_as_the_single_tools_make_them(images, tmp_path):
    words = (images / "x_asn.json", "--save-steps", "--skip", "catalog", "--outdir", tmp_path / "o")
    done("run", *words)
    done("skymatch", *cals(images), "--outdir", tmp_path / "1")
    done("outlier", *sorted((tmp_path / "1").iterdir()), "--outdir", tmp_path / "2")
    saved = sorted(path.name for path in (tmp_path / "o").iterdir())
    stems = [path.name.removesuffix("_cal.fits") for path in cals(images)]
    assert saved[1:] == sorted(f"{stem}_{end}.fits" for stem in stems for end in ("skymatch", "o001_crf"))
    assert saved[0].endswith("_i2d.fits")
    for stem in stems:
        same_images(tmp_path / "1" / f"{stem}_skymatch.fits", tmp_path / "o" / f"{stem}_skymatch.fits")
        same_images(tmp_path / "2" / f"{stem}_crf.fits", tmp_path / "o" / f"{stem}_o001_crf.fits")
    made = open_jwst(crfs(tmp_path / "o")[1])
    assert [made.value(key) for key in ("S_SKYMAT", "S_OUTLIR", "S_RESAMP")] == ["COMPLETE", "COMPLETE", None]
    assert tool("validate", *crfs(tmp_path / "o"), "-q") == 0
    assert tool("run", *words) == 1  # they exist


def test_pixels_of_outliers_keep_their_values_where_that_is_asked_for(images, tmp_path):
    words = ("--mosaic", "--skip", "catalog", "--save-steps", "--keep-values")
    done("run", *cals(images), *words, "--outdir", tmp_path / "o",
         "-o", tmp_path / "x_i2d.fits")  # fmt: skip
    done("outlier", *sorted((tmp_path / "o").glob("*_skymatch.fits")), "--keep-values", "--outdir", tmp_path / "p")
    for path, other, before in zip(crfs(tmp_path / "o"), crfs(tmp_path / "p"), cals(images), strict=True):
        same_images(path, other)
        made, image = open_jwst(path), open_jwst(before)
        flagged = made.array("dq") & 17 == 17
        assert flagged.any() and np.isfinite(made.array("data")[flagged & (image.array("dq") & 1 == 0)]).all()
        np.testing.assert_array_equal(made.array("data"), image.array("data"))
        np.testing.assert_array_equal(made.array("err"), image.array("err"))


# --- options of one mission -----------------------------------------------------------------------------------------


def test_keep_values_of_roman_is_exit_2(tmp_path, capsys):
    roman = image(tmp_path / "r0000101001001001001_0001_wfi01_f158_cal.asdf")
    for words in (
        ("outlier", roman, "--keep-values"),
        ("run", roman, "--mosaic", "--save-steps", "--keep-values", "-o", tmp_path / "x_coadd.asdf"),
        ("run", roman, "--mosaic", "--set", "outlier.keep-values=true", "-o", tmp_path / "x_coadd.asdf"),
    ):
        assert tool(*words) == 2
        assert "keep-values" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [roman.name]


def test_tables_of_a_mission_count_for_its_mosaics(images, tmp_path, capsys):
    config = tmp_path / "c.toml"
    config.write_text(
        "[jwst.resample]\npixfrac = 0.8\n[roman.resample]\npixfrac = 0.5\n[resample]\nkernel = 'turbo'\n"
        "[jwst.outlier]\nkeep-values = true\nsnr = '6 5'\n[jwst.skymatch]\nmatch-down = false\n"
    )
    words = ("--config", config, "--dry-run", "--json", "-q")
    assert tool("run", *cals(images), "--mosaic", "--skip", "catalog", "-o", tmp_path / "x_i2d.fits", *words) == 0
    (told,) = records(capsys.readouterr().out)
    options = told["options"]
    assert [options["resample"][key] for key in ("pixfrac", "kernel", "weight_type")] == [0.8, "turbo", "ivm"]
    assert options["outlier"]["keep_values"] is True and options["skymatch"]["match_down"] is False
    assert tool("resample", *cals(images), "-o", tmp_path / "x_i2d.fits", *words) == 0
    (told,) = records(capsys.readouterr().out)
    assert [told["options"]["resample"][key] for key in ("pixfrac", "kernel")] == [0.8, "turbo"]
    converted = {"photometry.conversion_megajanskys": 0.5}
    roman = image(tmp_path / "r0000101001001001001_0001_wfi01_f158_cal.asdf", change=converted)
    assert tool("resample", roman, "-o", tmp_path / "x_coadd.asdf", *words) == 0
    (told,) = records(capsys.readouterr().out)
    assert [told["options"]["resample"][key] for key in ("pixfrac", "kernel")] == [0.5, "turbo"]
    assert tool("resample", roman, "--pixfrac", "0.7", "-o", tmp_path / "x_coadd.asdf", *words) == 0
    assert records(capsys.readouterr().out)[0]["options"]["resample"]["pixfrac"] == 0.7
    config.write_text("[roman.outlier]\nkeep-values = true\n")
    assert tool("outlier", roman, *words) == 2
    assert "has no step option keep-values" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("resample", ("for JWST ~DO_NOT_USE+NON_SCIENCE.", "else exptime (JWST: ivm)", "for JWST --var-flat.")),
        ("outlier", ("Default ~DO_NOT_USE, for JWST ~DO_NOT_USE+NON_SCIENCE.", "as they are. [JWST]")),
        ("skymatch", ("Default ~DO_NOT_USE, for JWST ~DO_NOT_USE+NON_SCIENCE.",)),
    ],
)
def test_help_says_what_jwst_has_by_default(name, said, capsys):
    assert tool(name, "--help") == 0
    text = " ".join(capsys.readouterr().out.split())
    assert all(words in text for words in said)
