"""rt-name with names of JWST, alone and beside those of Roman."""

import io
import json
import sys

import pytest

from rtools.commands.kit import entry
from rtools.commands.name import COLUMNS, JWST_COLUMNS, command

CAL = "r0012301008002013005_0005_wfi06_f184_cal.asdf"
RATE = "jw93065002001_02101_00001_nrca1_rate.fits"
CUBE = "jw01024-c1000_t002_miri_ch3-long_s3d.fits"
VISIT = ("program=2113", "observation=4", "visit=1")
BUILD = (*VISIT, "visit_group=2", "parallel_seq=1", "activity=1", "exposure=1", "detector=NIS")


@pytest.fixture
def rt_name(capsys, monkeypatch):
    """Run rt-name; its exit status, standard output and standard error."""

    def run(*args, stdin=""):
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        status = entry.run(command, args)
        return status, *capsys.readouterr()

    return run


def test_a_line_has_the_fields_of_its_names_mission(rt_name):
    status, out, err = rt_name(CAL, RATE, CUBE)
    roman, *lines = out.splitlines()
    assert (status, err) == (0, "")
    assert f"{roman}\n" == rt_name(CAL)[1]  # whatever stands beside it
    assert dict(zip(COLUMNS, roman.split("\t"), strict=True))["visit_id"] == "0012301008002013005"
    exposure, cube = [dict(zip(JWST_COLUMNS, line.split("\t"), strict=True)) for line in lines]
    assert (exposure["kind"], exposure["visit_group"], exposure["maker"]) == (
        "rate",
        "02",
        "calwebb_detector1: ramp_fit",
    )
    assert (cube["target"], cube["optics"], cube["stage"], cube["exposure"]) == ("t002", "ch3-long", "3", "")


def test_a_terminal_shows_what_the_name_has(rt_name, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    rows = dict(line.split(maxsplit=1) for line in rt_name(CUBE)[1].splitlines())
    assert (rows["mission"], rows["title"]) == ("jwst", "IFU cube")
    assert "exposure" not in rows and "release" not in rows
    head, *lines = rt_name(CAL, CUBE)[1].splitlines()
    assert lines[1].rindex("ch3-long") == head.index("optics")
    assert lines[0].rindex("f184") == head.index("element")


def test_fields_of_both_missions_can_be_asked_for(rt_name):
    assert rt_name("--field", "element", "--field", "instrument", CAL, RATE)[:2] == (0, "f184\t\n\tnircam\n")
    assert rt_name("--format", "{mission}/{program}/{detector}", CAL, RATE)[1] == (
        "roman/00123/wfi06\njwst/93065/nrca1\n"
    )
    status, _out, err = rt_name("--field", "colour", RATE)
    assert status == 2
    assert "parallel_seq" in err


def test_json_goes_back_into_build(rt_name):
    out = rt_name("--json", RATE, CAL, CUBE)[1]
    first = json.loads(out.splitlines()[0])
    assert (first["mission"], first["parallel_seq"], first["segment"]) == ("jwst", "1", None)
    assert "release" not in first
    assert rt_name("--build", stdin=out)[:2] == (0, f"{RATE}\n{CAL}\n{CUBE}\n")


def test_fields_build_a_name_of_jwst(rt_name):
    assert rt_name("--build", *BUILD, "segment=1", "suffix=calints")[:2] == (
        0,
        "jw02113004001_02101_00001-seg001_nis_calints.fits\n",
    )
    status, out, err = rt_name("--build", *BUILD[1:])
    assert (status, out) == (2, "")
    assert "the field program is missing" in err


def test_the_sibling_of_a_name_of_jwst(rt_name):
    assert rt_name("--suffix", "cal", RATE, "jw96090001001_03101_00001_nrca2_o001_crf.fits")[:2] == (
        0,
        "jw93065002001_02101_00001_nrca1_cal.fits\njw96090001001_03101_00001_nrca2_cal.fits\n",
    )
    status, out, err = rt_name("--suffix", "uncal", CUBE, RATE)
    assert (status, out) == (1, RATE.replace("rate", "uncal") + "\n")
    assert "column 34: suffix must be one of" in err


def test_a_wrong_name_has_its_column_and_caret(rt_name):
    status, out, err = rt_name("jw8607342001_02101_00001_nrca1_rate.fits", RATE, "--field", "suffix")
    assert (status, out) == (1, "rate\n")
    assert err.splitlines() == [
        "rt-name: jw8607342001_02101_00001_nrca1_rate.fits: column 13: visit must be 3 digits; 10 digits after jw "
        "found, 11 needed",
        "  jw8607342001_02101_00001_nrca1_rate.fits",
        "            ~~^",
    ]


def test_a_check_warns_of_what_is_not_standard(rt_name):
    assert rt_name("--check", RATE, CUBE) == (0, "", "")
    assert rt_name("--check", RATE.removesuffix(".fits"))[0] == 1
    status, out, err = rt_name("--check", stdin="jw93065002001_02101_00001_nrca1_image_cal.fits\n")
    assert (status, out) == (0, "")
    assert "strict name jw93065002001_02101_00001_nrca1_cal.fits" in err
    assert "column 33: image is not a part of a standard name" in err


def test_a_lenient_reading_says_the_strict_name(rt_name):
    status, out, err = rt_name("--lenient", "--field", "strict", RATE.upper())
    assert (status, out) == (0, f"{RATE}\n")
    assert f"strict name {RATE}" in err
