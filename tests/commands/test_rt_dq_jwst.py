"""rt-dq of JWST files: flags of every kind by JWST's names, counted and as masks."""

import json

import numpy as np
import pytest
from astropy.io import fits

from rtools.jwst import GROUP_FLAGS, PIXEL_FLAGS, SUFFIXES, product_layout
from tests.support import jwst_files
from tests.support.small_files import tool, write

ARRAYS = {"DQ", "PIXELDQ", "GROUPDQ"}


def flags_in(suffix):
    """(array as rt-dq calls it, what astropy reads) of all flags of a kind, whose file is its own."""
    layout = product_layout(suffix)
    for hdu in layout.hdus:
        if hdu.name in ARRAYS:
            yield hdu.name.lower(), lambda path, hdu=hdu: fits.getdata(path, hdu.name)
        for column in hdu.columns:
            if column.name in ("DQ", "FLAG"):
                name = f"{hdu.name}.{column.name}"
                yield name, lambda path, hdu=hdu, column=column: fits.getdata(path, hdu.name)[column.name]


FLAGGED = [(suffix, *found) for suffix in SUFFIXES for found in flags_in(suffix)]


def counted(capsys, *args):
    """Records of JSON, one for each array."""
    assert tool("dq", *args, "--json") == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("suffix", "name", "read"), FLAGGED, ids=[f"{one[0]}-{one[1]}" for one in FLAGGED])
def test_flags_of_every_kind_are_counted_by_name(tmp_path, suffix, name, read, capsys):
    path = jwst_files.made(tmp_path, suffix)
    flags = np.asarray(read(path)).astype("u8")
    (found,) = counted(capsys, path, "--array", name)
    bits = {"FLAG": 1} if name.endswith("FLAG") else GROUP_FLAGS if name == "groupdq" else PIXEL_FLAGS
    known = dict.fromkeys(bits)
    assert (found["pixels"], found["good"]) == (flags.size, np.count_nonzero(flags == 0))
    told = {flag: entry["pixels"] for flag, entry in found["flags"].items() if flag in known}
    assert told == {flag: n for flag, bit in bits.items() if (n := np.count_nonzero(flags & np.uint64(bit)))}


def test_the_array_that_is_meant(tmp_path, capsys):
    names = {suffix: counted(capsys, jwst_files.made(tmp_path, suffix)) for suffix in ("rate", "ramp", "x1d", "ami-oi")}
    assert {suffix: [one["array"] for one in found] for suffix, found in names.items()} == {
        "rate": ["dq"], "ramp": ["pixeldq"], "x1d": ["EXTRACT1D.DQ"],
        "ami-oi": ["OI_T3.FLAG", "OI_VIS.FLAG", "OI_VIS2.FLAG"],
    }  # fmt: skip
    path = jwst_files.made(tmp_path, "cal", sets=2)
    assert [one["array"] for one in counted(capsys, path)] == ["slits.0.dq", "slits.1.dq"]
    assert [one["array"] for one in counted(capsys, path, "--array", "DQ,2")] == ["slits.1.dq"]


def test_each_plane_is_counted_alone(tmp_path, capsys):
    path = jwst_files.made(tmp_path, "ramp")
    with fits.open(path, mode="update") as hdus:
        hdus["GROUPDQ"].data[...] = 0
        hdus["GROUPDQ"].data[1, 0, 2, :5] = 4
        hdus["GROUPDQ"].data[1, 2, 2, :3] = 128
    assert tool("dq", path, "--array", "GROUPDQ", "--each", "--section", "1:9,0:4") == 0
    lines = [line.split("\t")[1:5] for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line[2] != "GOOD"] == [
        ["groupdq", "1/0", "JUMP_DET", "4"], ["groupdq", "1/2", "CHARGELOSS", "128"],
    ]  # fmt: skip
    (found,) = counted(capsys, path, "--array", "groupdq", "--each")
    assert [one["plane"] for one in found["planes"]] == ["0/0", "0/1", "0/2", "1/0", "1/1", "1/2"]
    assert [one["good"] for one in found["planes"]] == [128, 128, 128, 123, 128, 125]
    (found,) = counted(capsys, jwst_files.made(tmp_path, "rateints"), "--each")
    assert [one["plane"] for one in found["planes"]] == ["0", "1"]


def test_each_resultant_of_a_roman_ramp(tmp_path, capsys):
    groupdq = np.zeros((3, 8, 8), "u1")
    groupdq[2, 0, :3] = 128
    path = write(tmp_path / "x_dqinit.asdf", "ramp", {"data": np.ones((3, 8, 8), "f4"), "groupdq": groupdq})
    assert tool("dq", path, "--array", "groupdq", "--each") == 0
    lines = [line.split("\t")[2:6] for line in capsys.readouterr().out.splitlines()]
    assert lines == [["0", "GOOD", "0", "64"], ["1", "GOOD", "0", "64"], ["2", "GOOD", "0", "61"],
                     ["2", "WFI18_TRANSIENT", "128", "3"]]  # fmt: skip


@pytest.mark.parametrize(("suffix", "array", "words", "bit"), [
    ("ramp", "GROUPDQ", "CHARGELOSS", 128), ("psfalign", "dq", "OUTLIER", 16),
    ("x1dints", "dq", "MSA_FAILED_OPEN", 1 << 29), ("crf", "DQ", "16", 16),
])  # fmt: skip
def test_masks_have_the_axes_of_the_flags(tmp_path, suffix, array, words, bit):
    path, out = jwst_files.made(tmp_path, suffix), tmp_path / "mask.fits"
    assert tool("dq", path, "--array", array, "--mask", words, "-o", out) == 0
    hdu = "EXTRACT1D" if suffix == "x1dints" else array.upper()
    flags = fits.getdata(path, hdu)
    flags = flags["DQ"] if suffix == "x1dints" else flags
    np.testing.assert_array_equal(fits.getdata(out), (flags & flags.dtype.type(bit)) != 0)


def test_a_mask_is_of_one_array(tmp_path, capsys):
    path = jwst_files.made(tmp_path, "cal", sets=2)
    assert tool("dq", path, "--mask", "DEAD", "-o", tmp_path / "mask.fits") == 2
    assert "--array names one of slits.0.dq slits.1.dq" in capsys.readouterr().err
    assert not (tmp_path / "mask.fits").exists()


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["144"], "144\t0x90\tGW_AFFECTED_DATA,OUTLIER"),
        (["144", "--mission", "jwst"], "144\t0x90\tOUTLIER,CHARGELOSS"),
        (["MSA_FAILED_OPEN", "--mission", "jwst"], "536870912\t0x20000000\tMSA_FAILED_OPEN"),
        (["128", "--mission", "jwst", "--array", "groupdq"], "128\t0x80\tCHARGELOSS"),
    ],
)
def test_flags_are_translated_by_their_mission(args, line, capsys):
    assert tool("dq", *args) == 0
    assert capsys.readouterr().out == line + "\n"


def test_names_and_tables_of_the_other_mission(capsys):
    assert tool("dq", "MSA_FAILED_OPEN") == 2
    assert "--mission jwst has it" in capsys.readouterr().err
    assert tool("dq", "--list", "--mission", "jwst", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"dq": PIXEL_FLAGS, "groupdq": GROUP_FLAGS}


def test_a_number_beside_a_file_stays_a_number(tmp_path, capsys):
    path = jwst_files.made(tmp_path, "rate")
    assert tool("dq", "16", path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "16\t0x10\tGW_AFFECTED_DATA"
    assert any(line.split("\t")[2:4] == ["OUTLIER", "16"] for line in lines[1:])


@pytest.mark.parametrize("suffix", ["uncal", "i2d", "phot"])
def test_a_file_without_flags_is_refused(tmp_path, suffix, capsys):
    path = jwst_files.made(tmp_path, suffix)
    assert tool("dq", path) == 3
    assert "has no array of flags" in capsys.readouterr().err


def test_options_that_are_not_for_a_file(tmp_path, capsys):
    assert tool("dq", jwst_files.made(tmp_path, "rate"), "--mission", "roman") == 2
    assert tool("dq", jwst_files.made(tmp_path, "x1d"), "--section", "0:2,0:2") == 3
    assert len(capsys.readouterr().err.splitlines()) == 2
