"""rt-dq: flags by name and number, pixels per flag, masks."""

import io
import json

import asdf
import numpy as np
import pytest
from astropy.io import fits

from rtools.products.making import job_of
from rtools.wfi import dq
from tests.support.runs import piped
from tests.support.small_files import tool, write

DQ = np.zeros((30, 40), np.uint32)
DQ[0, :10] = 1
DQ[0, 5:20] |= 2048
DQ[29, 39] = 1 << 14 | 1 << 31
GROUPDQ = np.zeros((3, 30, 40), np.uint8)
GROUPDQ[1, :2] = 128
GROUPDQ[2, 0, 0] = 5


@pytest.fixture
def image(tmp_path):
    return write(tmp_path / "x_cal.asdf", "l2_image", {"data": np.ones(DQ.shape, "f4"), "dq": DQ}, compression="lz4")


@pytest.fixture
def ramp(tmp_path):
    parts = {"data": np.ones(GROUPDQ.shape, "f4"), "pixeldq": DQ, "groupdq": GROUPDQ}
    return write(tmp_path / "x_dqinit.asdf", "ramp", parts)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("129", "129\t0x81\tDO_NOT_USE,OUTLIER"),
        ("0x81", "129\t0x81\tDO_NOT_USE,OUTLIER"),
        ("0b101", "5\t0x5\tDO_NOT_USE,JUMP_DET"),
        ("do_not_use,JUMP_DET", "5\t0x5\tDO_NOT_USE,JUMP_DET"),
        ("HOT|4", "2052\t0x804\tJUMP_DET,HOT"),
        ("16384", "16384\t0x4000\tBIT_14"),
        ("REFERENCE_PIXEL", "2147483648\t0x80000000\tREFERENCE_PIXEL"),
        ("0", "0\t0x0\tGOOD"),
        ("good", "0\t0x0\tGOOD"),
        ("WFI18_TRANSIENT", "128\t0x80\tWFI18_TRANSIENT"),
    ],
)
def test_flags_are_translated_both_ways(text, line, capsys):
    assert tool("dq", text) == 0
    assert capsys.readouterr().out == line + "\n"


def test_bit_7_of_groupdq_has_another_name(capsys):
    assert tool("dq", "129", "--array", "groupdq") == 0
    assert capsys.readouterr().out.endswith("DO_NOT_USE,WFI18_TRANSIENT\n")
    assert tool("dq", "HOT", "--array", "groupdq") == 2


def test_every_name_is_its_bit(capsys):
    assert tool("dq", *dq.PIXEL) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert {name: int(value) for value, _hex, name in lines} == dq.PIXEL


@pytest.mark.parametrize("text", ["HOTT", "4294967296", "-1", "BIT_32", "0xZZ", "1.", "²"])
def test_what_is_no_flag_is_refused(text, capsys):
    assert tool("dq", text) == (3 if text == "1." else 2)
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_nearest_flag_is_named(capsys):
    tool("dq", "SATURATD")
    assert "did you mean SATURATED?" in capsys.readouterr().err


def test_list_has_both_tables(capsys):
    assert tool("dq", "--list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "dq\tOUTLIER\t7\t128" in lines
    assert "groupdq\tWFI18_TRANSIENT\t7\t128" in lines
    assert len(lines) == len(dq.PIXEL) + len(dq.GROUP)


def test_pixels_per_flag(image, capsys):
    assert tool("dq", image) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert {row[2]: int(row[4]) for row in rows} == {
        "GOOD": 1200 - 21,
        "DO_NOT_USE": 10,
        "HOT": 15,
        "BIT_14": 1,
        "REFERENCE_PIXEL": 1,
    }
    assert all(row[:2] == [str(image), "dq"] for row in rows)
    assert rows[1][5] == f"{100 * 10 / 1200:.6g}"


def test_a_section_is_counted_alone(image, capsys):
    assert tool("dq", image, "--section", "5:12,0:2") == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert {row[2]: int(row[4]) for row in rows} == {"GOOD": 7, "DO_NOT_USE": 5, "HOT": 7}
    assert tool("dq", image, "--section", "9:16,4:6", "--frame", "l1") == 0
    assert [line.split("\t")[2:5] for line in capsys.readouterr().out.splitlines()][1] == ["DO_NOT_USE", "1", "5"]


def test_a_cube_is_counted_by_resultant(ramp, capsys):
    assert tool("dq", ramp, "--array", "groupdq", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pixels"] == GROUPDQ.size
    assert {name: flag["pixels"] for name, flag in found["flags"].items()} == {
        "DO_NOT_USE": 1,
        "JUMP_DET": 1,
        "WFI18_TRANSIENT": 80,
    }
    assert [list(plane["flags"]) for plane in found["resultants"]] == [
        [],
        ["WFI18_TRANSIENT"],
        ["DO_NOT_USE", "JUMP_DET"],
    ]
    assert found["resultants"][1]["good"] == 1200 - 80


def test_a_ramp_is_counted_in_pixeldq(ramp, capsys):
    assert tool("dq", ramp, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["array"] == "pixeldq"
    assert found["flags"]["HOT"] == {"value": 2048, "pixels": 15, "share": 15 / 1200}
    assert "resultants" not in found


def test_mask_as_asdf(image, tmp_path, capsys):
    out = tmp_path / "mask.asdf"
    assert tool("dq", image, "--mask", "HOT,0x80000000", "-o", out) == 0
    assert capsys.readouterr().out == f"{out}\n"
    with asdf.open(out) as file:
        mask = np.array(file["roman"]["mask"])
        assert file["roman"]["meta"]["flags"] == ["HOT", "REFERENCE_PIXEL"]
        assert file["history"]["entries"][0]["tool"] == "rt-dq"
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, (DQ & (2048 | 1 << 31)) != 0)


def test_mask_as_fits(ramp, tmp_path):
    out = tmp_path / "mask.fits"
    assert tool("dq", ramp, "--array", "groupdq", "--mask", "WFI18_TRANSIENT", "-o", out) == 0
    with fits.open(out) as found:
        found.verify("exception")
        assert found[0].header["BITPIX"] == 8
        assert found[0].header["DQVALUE"] == 128
        np.testing.assert_array_equal(found[0].data, (GROUPDQ & 128) != 0)
    assert job_of(out)["arguments"] == ["--array=groupdq", "--mask=WFI18_TRANSIENT"]
    assert out.stat().st_size % 2880 == 0


def test_bit_beyond_the_array_is_never_set(ramp, tmp_path):
    out = tmp_path / "mask.fits"
    assert tool("dq", ramp, "--array", "groupdq", "--mask", "2048", "-o", out) == 0
    assert not fits.getdata(out).any()


def test_mask_through_pipes(image, monkeypatch):
    with piped(monkeypatch, image.read_bytes()) as out:
        assert tool("dq", "-", "--mask", "HOT", "-o", "-") == 0
    with asdf.open(io.BytesIO(out.getvalue())) as file:
        assert np.array(file["roman"]["mask"]).sum() == 15


def test_outputs_are_not_overwritten(image, tmp_path, capsys):
    out = tmp_path / "mask.fits"
    out.write_text("mine")
    assert tool("dq", image, "--mask", "HOT", "-o", out) == 1
    assert out.read_text() == "mine"
    assert tool("dq", image, "--mask", "HOT", "-o", out, "--overwrite") == 0
    assert fits.getdata(out).sum() == 15
    before = image.read_bytes()
    assert tool("dq", image, "--mask", "HOT", "-o", image, "--overwrite") == 2
    assert image.read_bytes() == before


@pytest.mark.parametrize(
    "args", [["--mask", "HOT"], ["-o", "x.fits"], ["--mask", "HOT", "-o", "x.png"], ["--mask", "HOTT", "-o", "x.fits"]]
)
def test_wrong_mask_options_are_usage_errors(image, args, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert tool("dq", image, *args) == 2
    assert [path.name for path in tmp_path.iterdir()] == [image.name]


def test_arrays_that_are_not_there(image, tmp_path, capsys):
    assert tool("dq", image, "--array", "groupdq") == 3
    assert tool("dq", image, "--array", "data") == 3
    raw = write(tmp_path / "x_uncal.asdf", "l1_uncal", {"data": np.ones((2, 8, 8), "u2")})
    assert tool("dq", raw) == 3
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_files_and_flags_go_on_after_a_failure(image, capsys):
    assert tool("dq", "5", image.parent / "none.asdf", image, "--json") == 3
    lines = capsys.readouterr().out.splitlines()
    assert json.loads(lines[0])["names"] == ["DO_NOT_USE", "JUMP_DET"]
    assert json.loads(lines[1])["exit_code"] == 3
    assert json.loads(lines[2])["file"] == str(image)
