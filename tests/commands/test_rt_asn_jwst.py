"""Associations of JWST: made by rule from headers, checked, and carried out by rt-run."""

import json
import os
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from rtools.products.jwst import open_jwst
from rtools.products.making import job_of
from tests.support.jwst_files import made
from tests.support.runs import done, piped, tool

pytestmark = pytest.mark.slow

ROOT = "jw01234001001_02101_{:05d}_nrca1"
NAME = re.compile(r"jw01234-(\w+)_\d{8}t\d{6}_(\w+)_00001_asn\.json")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty directory, to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def exposure(number, suffix="rate", **cards):
    """A file in the working directory with cards of its primary header; a name of `cards` is a keyword."""
    path = made(Path(), suffix, f"{ROOT.format(number)}_{suffix}.fits")
    with fits.open(path, mode="update") as hdus:
        hdus[0].header.update({"PROGRAM": "01234", "OBSERVTN": "001", "EXP_TYPE": "NRC_IMAGE", "FILTER": "F200W",
                               "PUPIL": "CLEAR", "SUBARRAY": "FULL", "TARGNAME": "LMC"} | cards)  # fmt: skip
    return str(path)


def association(capsys, *words):
    """Path and content of the association that rt-asn makes."""
    capsys.readouterr()
    assert tool("asn", *words) == 0
    (path,) = capsys.readouterr().out.splitlines()
    return path, json.loads(Path(path).read_text())


def test_image2_has_a_product_for_each_exposure_with_the_backgrounds_of_its_detector(folder, capsys):
    targets = [exposure(number) for number in (1, 2)]
    other = exposure(3, DETECTOR="NRCB1")
    nodded = exposure(11, BKGDTARG=True)
    given = [exposure(12), exposure(13, DETECTOR="NRCB1")]
    Path("sky.txt").write_text("\n".join(map(str, given)))
    words = ["--background", "@sky.txt"]
    path, content = association(capsys, "--rule", "image2", *targets, other, nodded, *words)
    assert NAME.fullmatch(path).groups() == ("o001", "image2")
    assert [content[key] for key in ("asn_type", "asn_rule", "program", "asn_id", "target")] == [
        "image2", "Asn_Lv2Image", "01234", "o001", "001",
    ]  # fmt: skip
    products = {product["name"]: product["members"] for product in content["products"]}
    assert list(products) == [file.removesuffix("_rate.fits") for file in (*targets, other)]
    backgrounds = {
        name: [member["expname"] for member in members if member["exptype"] == "background"]
        for name, members in products.items()
    }
    assert list(backgrounds.values()) == [[nodded, given[0]], [nodded, given[0]], [given[1]]]
    assert tool("asn", "--check", path) == 0
    assert tool("asn", "--members", path) == 0
    assert capsys.readouterr().out.splitlines() == [*targets, other]
    assert tool("info", path) == 0
    said = capsys.readouterr().out
    assert "o001, image2, Asn_Lv2Image, target 001, program 01234" in said and f"background  {nodded}" in said


@pytest.mark.parametrize(
    ("rule", "suffix", "cards", "name"),
    [
        ("image3", "cal", {}, "jw01234-o001_t001_nircam_clear-f200w"),
        ("image3", "cal", {"FILTER": "F444W", "PUPIL": "F405N"}, "jw01234-o001_t001_nircam_f405n-f444w"),
        (
            "tso3",
            "calints",
            {"EXP_TYPE": "NRC_TSIMAGE", "SUBARRAY": "SUB64P"},
            "jw01234-o001_t001_nircam_clear-f200w-sub64p",
        ),
        (
            "coron3",
            "calints",
            {"EXP_TYPE": "NRC_CORON", "PUPIL": "MASKRND", "SUBARRAY": "SUB320A335R"},
            "jw01234-o001_t001_nircam_f200w-maskrnd-sub320a335r",
        ),
        (
            "ami3",
            "calints",
            {"INSTRUME": "NIRISS", "EXP_TYPE": "NIS_AMI", "FILTER": "F480M", "PUPIL": "NRM", "SUBARRAY": "SUB80"},
            "jw01234-o001_t001_niriss_f480m-nrm-sub80",
        ),
        (
            "spec3",
            "cal",
            {"INSTRUME": "MIRI", "EXP_TYPE": "MIR_LRS-FIXEDSLIT", "FILTER": "P750L", "PUPIL": "N/A"},
            "jw01234-o001_t001_miri_p750l",
        ),
    ],
)
def test_products_of_the_third_stage_are_called_as_the_mission_calls_them(rule, suffix, cards, name, folder, capsys):
    files = [exposure(number, suffix, **cards) for number in (1, 2)]
    path, content = association(capsys, "--rule", rule, *files)
    (product,) = content["products"]
    assert product["name"] == name
    assert [member["expname"] for member in product["members"]] == files
    assert NAME.fullmatch(path)[2] == rule
    assert tool("name", "--check", f"{name}_i2d.fits") == 0


def test_reference_stars_and_several_observations(folder, capsys):
    coronagraph = {"EXP_TYPE": "NRC_CORON", "PUPIL": "MASKRND"}
    files = [exposure(1, "calints", **coronagraph), exposure(2, "calints", OBSERVTN="002", **coronagraph)]
    star = exposure(3, "calints", IS_PSF=True, TARGNAME="star", **coronagraph)
    path, content = association(capsys, "--rule", "coron3", *files, star, "--target", "t7")
    assert NAME.fullmatch(path).groups() == ("a3001", "coron3")
    assert content["products"][0]["name"].startswith("jw01234-a3001_t007_nircam_f200w-maskrnd")
    assert [member["exptype"] for member in content["products"][0]["members"]] == ["science", "science", "psf"]


MIXED = {
    "programs": ({"PROGRAM": "04321"}, "several programs: 01234, 04321"),
    "instruments": ({"INSTRUME": "NIRISS", "EXP_TYPE": "NIS_IMAGE"}, "several instruments: nircam, niriss"),
    "filters": ({"FILTER": "F115W"}, "several optical elements or sub-arrays: clear-f115w, clear-f200w"),
    "targets": ({"TARGNAME": "SMC"}, "several targets: LMC, SMC"),
    "other exposures": ({"EXP_TYPE": "NRC_CORON"}, "NRC_CORON is not of image3"),
    "time series": ({"TSOVISIT": True}, "NRC_IMAGE is not of image3"),
}


@pytest.mark.parametrize("case", MIXED)
def test_mixtures_are_exit_3_and_nothing_is_written(case, folder, capsys):
    cards, said = MIXED[case]
    assert tool("asn", "--rule", "image3", exposure(1, "cal"), exposure(2, "cal", **cards)) == 3
    assert said in capsys.readouterr().err
    assert not list(folder.glob("*.json"))


def test_what_else_rt_asn_refuses(folder, capsys):
    cal, rate = exposure(1, "cal"), exposure(1, "rate")
    (folder / "other").mkdir()
    elsewhere = shutil.copy(exposure(2, "cal"), folder / "other")
    for words, status, said in (
        ((cal, "--product-name", "x"), 2, "associations of JWST are made by the mission's rules"),
        (("--rule", "image3", cal, rate), 3, "several kinds of products: cal, rate"),
        (("--rule", "image2", cal), 3, "is a cal; image2 takes rate, rateints, uncal"),
        (("--rule", "image3", cal, elsewhere), 2, "in several directories"),
        (("--rule", "image3", cal, "--outdir", "other"), 2, "members lie beside an association"),
        (("--rule", "image3", cal, "--psf", cal), 2, "--psf is not for --rule image3"),
        (("--rule", "image3", cal, "--target", "LMC"), 2, "the number of a target is expected"),
        (("--rule", "image3", cal, "--release", "r1"), 2, "--release is not for --rule"),
        (("x_cal.asdf", "--background", rate, "--product-name", "x"), 2, "--background goes with --rule"),
        (("--rule", "image2", rate, "--background", exposure(5, DETECTOR="NRCB1")), 3, "no background is of NRCA1"),
        (("--rule", "image2", exposure(6, BKGDTARG=True)), 3, "no member is an exposure of the target"),
        (("--rule", "image3", "missing_cal.fits"), 3, "no exposure of JWST"),
    ):
        assert tool("asn", *words) == status, words
        assert said in capsys.readouterr().err
    assert not list(folder.glob("**/*.json"))


# --- rt-run ---------------------------------------------------------------------------------------------------------


def references(golden):
    """Words that name the golden references of images."""
    types = ("distortion", "filteroffset", "flat", "photom", "area")
    return [word for kind in types for word in ("--ref", f"{kind}={next(golden.glob(f'ref_{kind}.*'))}")]


@pytest.fixture
def golden(folder, jwst_golden):
    """The golden images; a target and its backgrounds are in the working directory."""
    part = jwst_golden("image")
    for kind in ("rate", "rateints"):
        shutil.copy(part / f"in_{kind}.fits", f"{ROOT.format(1)}_{kind}.fits")
        for number, path in enumerate(sorted(part.glob(f"in_background*_{kind}.fits"))):
            shutil.copy(path, f"{ROOT.format(11 + number)}_{kind}.fits")
    return part


@pytest.mark.parametrize(("kind", "suffix"), [("rate", "cal"), ("rateints", "calints")])
def test_an_image2_association_is_subtracted_and_calibrated(kind, suffix, golden, folder, capsys):
    backgrounds = sorted(path.name for path in folder.glob(f"*_0001?_nrca1_{kind}.fits"))
    words = [word for file in backgrounds for word in ("--background", file)]
    target = f"{ROOT.format(1)}_{kind}.fits"
    path, _content = association(capsys, "--rule", "image2", target, *words)
    given = references(golden)
    assert tool("run", path, "--dry-run", *given) == 0
    assert "  bsub\n" in capsys.readouterr().out
    assert tool("run", path, "--save-steps", "--outdir", "o", "-q", *given) == 0
    assert tool("bsub", target, *backgrounds, "-q") == 0
    short = f"{ROOT.format(1)}_{suffix.replace('cal', 'bsub')}.fits"
    assert tool("run", short, "-q", *given) == 0
    for name in (short, f"{ROOT.format(1)}_{suffix}.fits"):
        one, other = open_jwst(name), open_jwst(Path("o", name))
        assert list(one.arrays) == list(other.arrays)
        for array in one.arrays:
            np.testing.assert_array_equal(one.array(array), other.array(array), array)
        assert other.value("S_BKDSUB") == "COMPLETE"
    assert backgrounds[0] in str(other.history[-1])


def test_ramps_are_taken_up_members_and_backgrounds(folder, capsys, monkeypatch):
    names = [ROOT.format(number) for number in (1, 2)]
    done("sim", *(f"{name}_uncal.fits" for name in names), "--subarray", "SUB64P", "--ngroups", 4)
    path, content = association(
        capsys, "--rule", "image2", f"{names[0]}_uncal.fits", "--background", f"{names[1]}_uncal.fits"
    )
    for member in content["products"][0]["members"]:
        member["expname"] = member["expname"].replace("uncal", "rate")  # as the archive writes it
    Path(path).write_text(json.dumps(content))
    assert tool("asn", "--check", path) == 0
    assert "of which it can be made" in capsys.readouterr().err
    assert tool("run", path, "--builtin", "--outdir", "o", "-q") == 0
    assert sorted(capsys.readouterr().out.splitlines()) == [
        f"o/{names[0]}_cal.fits", f"o/{names[0]}_rate.fits", f"o/{names[1]}_rate.fits",
    ]  # fmt: skip
    image, rate = open_jwst(f"o/{names[0]}_cal.fits"), open_jwst(f"o/{names[0]}_rate.fits")
    assert (image.value("S_BKDSUB"), rate.value("S_BKDSUB")) == ("COMPLETE", None)
    assert tool("validate", f"o/{names[0]}_cal.fits", "-q") == 0
    assert tool("run", path, "--until", "gainscale", "--builtin", "--outdir", "p", "-q") == 0
    assert [file.name for file in Path("p").iterdir()] == [f"{names[0]}_rate.fits"]
    capsys.readouterr()
    assert tool("run", path, "--builtin", "--outdir", "q", "--dry-run", "-q") == 0
    rate, image = capsys.readouterr().out.split(f"\n{names[0]}_uncal.fits\n")
    assert rate.startswith(f"{names[1]}_uncal.fits\n") and "bsub" not in rate
    assert "  bsub\n  assignwcs" in image and f"  after calibrate {names[1]}_uncal.fits\n" in image
    assert tool("run", path, "--builtin", "-o", "-") == 2
    with piped(monkeypatch, Path(path).read_bytes()):
        assert tool("run", "-", f"{names[1]}_uncal.fits", "--builtin", "--outdir", "q", "-q") == 0
    assert sorted(file.name for file in Path("q").iterdir()) == sorted(
        f"{name}_{suffix}.fits" for name in names for suffix in ("rate", "cal")
    )
    assert tool("diff", f"o/{names[0]}_cal.fits", f"q/{names[0]}_cal.fits") == 0


def test_rules_of_exposures_with_backgrounds_reach_their_products(folder, capsys):
    """A ramp that is the background becomes a rate by a rule of its own; a product has the name of its association."""
    names = [ROOT.format(number) for number in (1, 2)]
    done("sim", *(f"{name}_uncal.fits" for name in names), "--subarray", "SUB64P", "--ngroups", 3)
    path, content = association(
        capsys, "--rule", "image2", f"{names[0]}_uncal.fits", "--background", f"{names[1]}_uncal.fits"
    )
    content["products"][0]["name"] = "field"
    for member in content["products"][0]["members"]:
        member["expname"] = member["expname"].replace("uncal", "rate")
    Path(path).write_text(json.dumps(content))
    words = ("--builtin", "-q", "--set", "jump.threshold=5")
    done("run", path, *words, "--outdir", "whole")
    done("run", path, *words, "--outdir", "parts", "--emit", "make", "rules")
    commands = [line for line in Path("rules/Makefile").read_text().splitlines() if line.startswith("\t")]
    for line in commands:
        _cd, _here, _and, name, *arguments = shlex.split(line)
        done(name.removeprefix("rt-"), *arguments)
    assert len(commands) == 2
    assert sorted(os.listdir("parts")) == sorted(os.listdir("whole"))
    for name in os.listdir("whole"):
        assert tool("diff", f"whole/{name}", f"parts/{name}") == 0
        assert job_of(f"whole/{name}") == job_of(f"parts/{name}")


@pytest.mark.long
def test_exposures_may_be_the_background_of_each_other(folder, capsys):
    """Nodded ramps: all become rates first, and each goes on from its own."""
    names = [ROOT.format(number) for number in (1, 2)]
    done("sim", *(f"{name}_uncal.fits" for name in names), "--subarray", "SUB64P", "--ngroups", 4, "--no-truth")
    content = {"asn_type": "image2", "asn_rule": "Asn_Lv2Image", "asn_id": "o001", "program": "01234", "target": "001"}
    content["products"] = [
        {"name": name, "members": [{"expname": f"{name}_rate.fits", "exptype": "science"},
                                   {"expname": f"{other}_rate.fits", "exptype": "background"}]}
        for name, other in (names, names[::-1])
    ]  # fmt: skip
    Path("x_asn.json").write_text(json.dumps(content))
    assert tool("run", "x_asn.json", "--builtin", "--outdir", "o", "-q") == 0
    done("run", *(f"{name}_uncal.fits" for name in names), "--until", "gainscale", "--builtin", "--outdir", "p")
    for name, other in (names, names[::-1]):
        done("bsub", f"p/{name}_rate.fits", f"p/{other}_rate.fits", "--outdir", "q")
        done("run", f"q/{name}_bsub.fits", "--builtin", "--outdir", "q")
        assert tool("diff", f"q/{name}_cal.fits", f"o/{name}_cal.fits") == 0
    assert sorted(path.name for path in Path("o").iterdir()) == sorted(
        f"{name}_{suffix}.fits" for name in names for suffix in ("rate", "cal")
    )


def written(*members, name="jw01234001001_02101_00001_nrca1", asn_type="image2"):
    """An association in the working directory with one product."""
    entries = [{"expname": member, "exptype": exptype} for member, exptype in members]
    content = {"asn_type": asn_type, "asn_rule": "Asn_Lv2Image", "asn_id": "o001", "program": "01234", "target": "001",
               "products": [{"name": name, "members": entries}]}  # fmt: skip
    path = Path("jw01234-o001_20260101t000000_image2_00001_asn.json")
    path.write_text(json.dumps(content))
    return path


def test_names_that_lead_out_of_the_directory_are_exit_3(folder, capsys):
    (folder / "run").mkdir()
    outside = Path(exposure(1)).absolute()
    os.chdir("run")
    inside = exposure(2)
    for members, name, said in (
        ([(f"../{outside.name}", "science")], "x", "the name of a file beside it is expected"),
        ([(str(outside), "science")], "x", "the name of a file beside it is expected"),
        ([(inside, "science"), (f"../{outside.name}", "background")], "x", "the name of a file beside it is expected"),
        ([(inside, "science")], "../x", "a name without directories is expected"),
    ):
        for asn_type in ("image3", "image2"):
            path = written(*members, name=name, asn_type=asn_type)
            assert tool("run", path, "--builtin", "--outdir", "o") == 3
            assert said in capsys.readouterr().err
        assert tool("asn", "--check", path) == 1
        assert not Path("o").exists()


def test_members_may_be_links_to_a_folder_of_data(folder, capsys):
    (folder / "run").mkdir()
    outside = Path(exposure(1)).absolute()
    os.chdir("run")
    os.symlink(outside, outside.name)
    path = written((outside.name, "science"), name="x")
    assert tool("asn", "--check", path) == 0
    assert tool("asn", "--members", path) == 0
    assert capsys.readouterr().out.splitlines()[-1] == outside.name


def test_associations_that_cannot_be_carried_out(folder, capsys):
    one, two = exposure(1), exposure(2)
    for members, asn_type, said in (
        ([(one, "science")], "wfs-image3", "what wfs-image3 makes is not made here"),
        ([(one, "science"), (two, "science")], "image2", "has 2 science members; image2 takes one"),
        ([(one, "background")], "image2", "has no science members"),
        ([(one, "science"), ("none_rate.fits", "background")], "image2", "member none_rate.fits is not there"),
    ):
        assert tool("run", written(*members, asn_type=asn_type), "--builtin") == 3
        assert said in capsys.readouterr().err
    path = written((one, "science"))
    other = Path("other_asn.json")
    for asn_type, said in (("image3", "is of a mosaic"), ("image2", "two products are of")):
        content = json.loads(path.read_text()) | {"asn_type": asn_type}
        content["products"][0]["name"] = "jw01234001001_02101_00007_nrca1"
        other.write_text(json.dumps(content))
        assert tool("run", path, other, "--builtin") == 2
        assert said in capsys.readouterr().err
    assert tool("run", path, "--mosaic") == 2
    assert tool("flat", path, "--builtin") == 3
    assert not list(folder.glob("*cal*"))
