"""rt-get on products of JWST: keywords, paths of the data model, globs, one HDU, what is missing."""

import json

import numpy as np
import pytest
from astropy.io import fits

from rtools.jwst import SUFFIXES, keywords, product_layout
from tests.support import jwst_files
from tests.support.runs import records, tool


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A calibrated exposure of two slits with some metadata."""
    path = jwst_files.made(tmp_path_factory.mktemp("jwst"), "cal", sets=2)
    with fits.open(path, mode="update") as hdus:
        hdus[0].header.update({"TFRAME": 10.5, "NINTS": 3, "TSOVISIT": False, "S_WCS": "COMPLETE", "S_FLAT": "SKIPPED"})
        hdus[0].header["R_FLAT"] = "crds://flat.fits"
        hdus["SCI", 1].header["SLTNAME"], hdus["SCI", 2].header["SLTNAME"] = "S200A1", "S200A2"
        hdus["SCI"].header["ROLL_REF"] = 33.25
    return path


def got(capsys, *args, status=0):
    assert tool("get", *args) == status
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("EXP_TYPE", "NRC_IMAGE"),
        ("exp_type", "NRC_IMAGE"),
        ("exposure.type", "NRC_IMAGE"),
        ("meta.exposure.type", "NRC_IMAGE"),
        ("TFRAME", "10.5"),
        ("exposure.frame_time", "10.5"),
        ("NINTS", "3"),
        ("TSOVISIT", "false"),
        ("visit.tsovisit", "false"),
        ("ROLL_REF", "33.25"),
        ("wcsinfo.roll_ref", "33.25"),
        ("NOVALUE", "null"),
        ("a.keyword.of.nobody", "1.5"),
        ("only_here", "3"),
        ("COMMENT", '["kept", "twice"]'),
        ("slits.1.data.shape", "[8, 16]"),
        ("slits.0.dq.datatype", "uint32"),
        ("SLTNAME", "S200A1"),
    ],
)
def test_a_keyword_or_a_path_prints_its_value_alone(image, capsys, key, text):
    assert got(capsys, key, image) == [text]


def test_one_hdu_is_asked_for_its_own_keywords(image, capsys):
    assert got(capsys, "--hdu", "SCI,2", "SLTNAME", image) == ["S200A2"]
    assert got(capsys, "--hdu", "dq", "NAXIS*", image) == ["NAXIS\t2", "NAXIS1\t16", "NAXIS2\t8"]
    assert tool("get", "--hdu", "SCI,3", "SLTNAME", image) == 3
    assert "the extension SCI,3 is missing" in capsys.readouterr().err
    assert got(capsys, "--hdu", "ERR", "EXP_TYPE", image, status=1) == []


def test_globs_are_of_paths_and_of_keywords(image, capsys):
    assert got(capsys, "S_*", image) == ["S_PHOTOM\tCOMPLETE", "S_WCS\tCOMPLETE", "S_FLAT\tSKIPPED"]
    assert set(got(capsys, "cal_step.*", image)) == {
        "cal_step.assign_wcs\tCOMPLETE", "cal_step.flat_field\tSKIPPED", "cal_step.photom\tCOMPLETE"}  # fmt: skip
    assert got(capsys, "ref_file.*.name", image) == ["ref_file.flat.name\tcrds://flat.fits"]
    assert got(capsys, "slits.*.err.shape", image) == ["slits.0.err.shape\t[8, 16]", "slits.1.err.shape\t[8, 16]"]


def test_tables_and_json_have_the_names_that_were_typed(image, capsys):
    assert got(capsys, "--tsv", "EXP_TYPE,exposure.nints", image, image) == [
        "file\tEXP_TYPE\texposure.nints", *[f"{image}\tNRC_IMAGE\t3"] * 2]  # fmt: skip
    assert records("\n".join(got(capsys, "--json", "EXP_TYPE,TFRAME", image))) == [
        {"file": str(image), "status": "done", "EXP_TYPE": "NRC_IMAGE", "TFRAME": 10.5}
    ]


@pytest.mark.parametrize(
    ("key", "near"), [("EXPTYPE", "EXP_TYPE"), ("exposure.tpye", "exposure.type"), ("--hdu=SCI SLITNAME", "SLTNAME")]
)
def test_what_is_missing_is_suggested(image, capsys, key, near):
    assert tool("get", *key.split(), image) == 1
    assert f"did you mean {near}?" in capsys.readouterr().err


def test_one_hdu_is_for_fits_of_jwst_alone(tmp_path, capsys):
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"a": 1}))
    assert tool("get", "--hdu", "SCI", "a", path) == 2
    assert "--hdu is for FITS files of JWST" in capsys.readouterr().err


def test_an_edited_keyword_beats_the_tree(tmp_path, capsys):
    path = jwst_files.made(tmp_path, "rate", more="wcs: 1\n")
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["TELESCOP"] = ("JWST", "again")
        hdus[0].header["FILTER"] = "F444W"
    assert got(capsys, "instrument.filter,FILTER", path) == ["instrument.filter\tF444W", "FILTER\tF444W"]


@pytest.mark.parametrize("suffix", [one for one in SUFFIXES if product_layout(one).form == "fits"])
def test_every_known_keyword_is_found_by_its_path(suffix, tmp_path, capsys):
    path = jwst_files.made(tmp_path, suffix)
    rng = np.random.default_rng(3)
    every = [one for one in keywords() if one.hdu == "PRIMARY" and one.keyword not in ("DATAMODL", "TELESCOP")]
    chosen = [every[place] for place in rng.choice(len(every), 40, replace=False)]
    values = {"string": "text", "number": 1.25, "integer": 7, "boolean": True}
    with fits.open(path, mode="update") as hdus:
        for one in chosen:
            hdus[0].header[one.keyword] = values[one.type]
        primary = hdus[0].header.copy()
    found = records("\n".join(got(capsys, "--json", ",".join(f"meta.{one.path}" for one in chosen), path)))[0]
    assert {one.path: found[f"meta.{one.path}"] for one in chosen} == {one.path: primary[one.keyword] for one in chosen}
