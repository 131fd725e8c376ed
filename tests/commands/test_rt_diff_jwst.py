"""rt-diff of JWST files: what differs in every kind, as astropy's own comparison has it; what is told once or not."""

import json
import shutil

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.jwst import SUFFIXES, product_layout
from rtools.products.jwst import open_jwst
from tests.support import jwst_files
from tests.support.small_files import tool, write

OF_FITS = [suffix for suffix in SUFFIXES if product_layout(suffix).form == "fits"]


def differences(capsys, *args):
    """What rt-diff prints as JSON; the status agrees."""
    status = tool("diff", *args, "--json")
    found = json.loads(capsys.readouterr().out)
    assert status == int(not found["same"])
    return found


def told(found):
    return [entry["key"] for entry in found["metadata"]], [entry["array"] for entry in found["arrays"]]


@pytest.fixture
def pair(tmp_path):
    """``pair(suffix, change)``: a file of a kind, and its copy after ``change(hdus)``, which works in place."""

    def make(suffix, change=lambda hdus: None, tree=None, **options):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        first = jwst_files.made(folder, suffix, **options)
        second = folder / f"b_{suffix}.fits"
        shutil.copy(first, second)
        with fits.open(second, mode="update") as hdus:
            change(hdus)
        if tree:
            content = second.read_bytes()
            assert content.count(tree[0]) == 1 and len(tree[0]) == len(tree[1])
            second.write_bytes(content.replace(*tree))
        return first, second

    return make


def edit_each(hdus):
    """Another value at one place of each array and in one column of each table."""
    for number, hdu in enumerate(hdus[1:], start=1):
        if hdu.name == "ASDF":
            continue
        values = hdu.data
        if isinstance(hdu, fits.BinTableHDU):
            numeric = [name for name in hdu.columns.names if values[name].dtype.kind in "fiu"]
            if not numeric:
                continue
            values = values[numeric[number % len(numeric)]]
        place = tuple(number % length for length in values.shape)
        values[place] = 1 if values[place] != 1 else 2


def by_astropy(first, second):
    """Places that differ by (EXTNAME, column or None), as `astropy.io.fits.FITSDiff` finds them."""
    found = {}
    for _number, hdu, name, _version in fits.FITSDiff(str(first), str(second)).diff_hdus:
        data = hdu.diff_data
        if isinstance(data, fits.ImageDataDiff) and data.diff_total:
            found[name, None] = [list(map(int, place)) for place, _pair in data.diff_pixels]
        elif isinstance(data, fits.TableDataDiff):
            found |= {(name, column): [int(row)] for (column, row), _pair in data.diff_values}
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", OF_FITS)
def test_values_of_every_kind_that_differ_are_those_that_astropy_finds(pair, suffix, capsys):
    first, second = pair(suffix)
    assert tool("diff", first, second) == 0
    first, second = pair(suffix, edit_each)
    found = differences(capsys, first, second)
    product, mine = open_jwst(first), {}
    for entry in found["arrays"]:
        name = entry["array"]
        extension, _, column = name.partition(".")
        key = (product.hdu(name).name, None) if product.has(name) else (extension, column)
        mine[key] = [worst["index"] if key[1] is None else worst["row"] for worst in entry["worst"]]
        assert entry["differing"] == 1
    assert mine == by_astropy(first, second)
    assert len(mine) >= 1 and found["metadata"] == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", sorted(set(SUFFIXES) - set(OF_FITS)))
def test_tables_in_ecsv_are_compared_cell_by_cell(tmp_path, suffix, capsys):
    path = jwst_files.made(tmp_path, suffix)
    table = Table.read(path, format="ascii.ecsv", fill_values=[])
    name = next(name for name in table.colnames if table[name].dtype.kind == "f")
    table[name][2] += 1
    other = tmp_path / f"b_{suffix}.ecsv"
    table.write(other, format="ascii.ecsv")
    assert tool("diff", path, shutil.copy(path, tmp_path / "same.ecsv")) == 0
    (entry,) = differences(capsys, path, other)["columns"]
    assert (entry["array"], entry["differing"], entry["largest"]) == (name, 1, pytest.approx(1))


def test_cards_are_told_with_their_extension(pair, capsys):
    def change(hdus):
        hdus[0].header["EXP_TYPE"] = "NRC_TSIMAGE"
        hdus["SCI"].header["PHOTMJSR"] = 2.5
        del hdus["ERR"].header["SOURCEID"]
        hdus[0].header["DETECTOR"] = ("NRCA1", "another comment")
        hdus["SCI"].header.add_comment("added")

    first, second = pair("cal", change)
    entries = {entry.pop("key"): entry for entry in differences(capsys, first, second)["metadata"]}
    assert entries == {
        "PRIMARY.EXP_TYPE": {"a": "NRC_IMAGE", "b": "NRC_TSIMAGE"},
        "SCI.PHOTMJSR": {"only_in": "b", "b": 2.5},
        "ERR.SOURCEID": {"only_in": "a", "a": 101},
        "SCI.COMMENT": {"only_in": "b", "b": "added"},
    }
    assert "PRIMARY.DETECTOR comment" in told(differences(capsys, first, second, "--all"))[0]


def test_stamps_and_history_are_left_out_but_with_all(pair, capsys):
    def change(hdus):
        hdus[0].header["DATE"], hdus[0].header["FILENAME"] = "2026-01-01T00:00:00", "another.fits"
        hdus[0].header["CAL_VER"], hdus[0].header["CAL_VCS"] = "9.9", "RELEASE"
        hdus[0].header.add_history("something was done")

    first, second = pair("rate", change)  # the hash of headers no longer agrees, either
    assert tool("diff", first, second) == 0
    assert capsys.readouterr().out == ""
    keys, arrays = told(differences(capsys, first, second, "--all"))
    assert set(keys) == {
        f"PRIMARY.{key}" for key in ("DATE", "FILENAME", "CAL_VER", "CAL_VCS", "HISTORY", "HISTORY comment")
    }
    assert arrays == []


def test_a_keyword_and_its_node_of_the_tree_are_told_once(pair, capsys):
    node = b"only_here: 3", b"origin: STSI"

    def origin(hdus):
        hdus[0].header["ORIGIN"] = "STSI"

    first, second = pair("rate", origin, tree=node)
    entries = differences(capsys, first, second)["metadata"]
    assert [entry["key"] for entry in entries] == ["PRIMARY.ORIGIN", "meta.only_here"]
    first, second = pair("rate", tree=node)  # the tree alone
    assert [entry["key"] for entry in differences(capsys, first, second)["metadata"]] == [
        "meta.only_here",
        "meta.origin",
    ]


def test_arrays_of_the_tree_that_are_no_extensions_are_compared(pair, capsys):
    more = {"more": "table: !core/ndarray-1.0.0 {data: [1.25, 2.5, 3.75], datatype: float64, shape: [3]}\n"}
    first, second = pair("rate", tree=(b"[1.25, 2.5, 3.75]", b"[1.25, 2.5, 4.75]"), **more)
    (entry,) = differences(capsys, first, second)["arrays"]
    assert (entry["array"], entry["worst"][0]["index"], entry["largest"]) == ("table", [2], 1)


def test_flags_are_told_by_the_names_of_jwst(pair, capsys):
    def change(hdus):
        hdus["DQ"].data[1, 2, 3] = 1 << 4
        hdus["DQ"].data[1, 2, 4] = 1 << 29

    first, second = pair("rateints", lambda hdus: hdus["DQ"].data.fill(0))
    shutil.move(second, first)
    shutil.copy(first, second)
    with fits.open(second, mode="update") as hdus:
        change(hdus)
    (entry,) = differences(capsys, first, second, "--atol", "1e9")["arrays"]
    assert entry["flags"] == {"OUTLIER": [0, 1], "MSA_FAILED_OPEN": [0, 1]}
    tool("diff", first, second)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[3:6]] == [
        ["x", "y", "plane", "A", "B"], ["3", "2", "1", "GOOD", "OUTLIER"], ["4", "2", "1", "GOOD", "MSA_FAILED_OPEN"],
    ]  # fmt: skip


@pytest.mark.parametrize("block", [1, 20, 1 << 21])
def test_a_ramp_is_compared_in_pieces_and_told_by_group_and_integration(pair, block, monkeypatch, capsys):
    from rtools.products.edit import array_comparison, jwst_comparison

    monkeypatch.setattr(jwst_comparison, "BLOCK", block)
    monkeypatch.setattr(array_comparison, "BLOCK", block)

    def change(hdus):
        hdus["SCI"].data[1, 2, 7, 15] += 4
        hdus["SCI"].data[0, 0, 1, 0] += 2
        hdus["SCI"].data[1, 0, 3, 4] = np.nan

    first, second = pair("ramp", change)
    (entry,) = differences(capsys, first, second)["arrays"]
    assert (entry["array"], entry["differing"], entry["one_nan"], entry["size"]) == ("data", 3, 1, 768)
    assert [worst["index"] for worst in entry["worst"]] == [[1, 0, 3, 4], [1, 2, 7, 15], [0, 0, 1, 0]]
    assert {key: entry["worst"][1][key] for key in ("x", "y", "group", "integration")} == {
        "x": 15, "y": 7, "group": 2, "integration": 1,
    }  # fmt: skip
    assert tool("diff", first, second, "--atol", "4.1", "-q") == 1  # NaN is within no tolerance
    assert told(differences(capsys, first, second, "--ignore", "SCI")) == ([], [])


def test_extensions_and_columns_that_one_lacks(pair, capsys):
    def change(hdus):
        del hdus["VAR_RNOISE"]
        hdus["NOBODYS"].data = np.zeros((3, 3), "i2")
        columns = hdus["INT_TIMES"].columns
        kept = [column for column in columns if column.name != "int_mid_MJD_UTC"]
        kept[0].unit = "s"
        hdus["INT_TIMES"] = fits.BinTableHDU.from_columns(kept, header=fits.Header({"SOURCEID": 101}), name="INT_TIMES")

    first, second = pair("rateints", change)
    found = differences(capsys, first, second)
    entries = {entry.pop("array"): entry for entry in found["arrays"]}
    assert entries == {
        "VAR_RNOISE": {"only_in": "a", "a": "array float32 (2, 8, 16)"},
        "nobodys": {"shape": [[2, 3], [3, 3]]},
        "INT_TIMES.int_mid_MJD_UTC": {"only_in": "a", "a": "column float64 d"},
    }
    assert found["metadata"] == [{"key": "INT_TIMES.integration_number unit", "a": None, "b": "s"}]


def test_texts_logical_values_and_elements_of_cells_are_told_by_row(pair, capsys):
    def change(hdus):
        hdus["OI_ARRAY"].data["STA_NAME"][2] = "ZZ"
        hdus["OI_T3"].data["FLAG"][4] ^= True
        hdus["OI_VIS"].data["VISAMP"][3, 1] = 9

    first, second = pair("amimulti-oi", change)
    entries = {entry["array"]: entry for entry in differences(capsys, first, second)["arrays"]}
    assert {name: (entry["worst"][0]["row"], entry["worst"][0].get("element")) for name, entry in entries.items()} == {
        "OI_ARRAY.STA_NAME": (2, None), "OI_T3.FLAG": (4, None), "OI_VIS.VISAMP": (3, 1),
    }  # fmt: skip
    assert sum(entries["OI_T3.FLAG"]["flags"]["FLAG"]) == 1
    assert entries["OI_ARRAY.STA_NAME"]["worst"][0]["b"] == "ZZ"


def test_sets_are_told_apart(pair, capsys):
    def change(hdus):
        hdus["ERR", 2].data[0, 1] = 7
        hdus["SCI", 3].header["SLTNAME"] = "S3"

    keys, arrays = told(differences(capsys, *pair("cal", change, sets=3)))
    assert (keys, arrays) == (["SCI,3.SLTNAME"], ["slits.1.err"])


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        (["EXP_TYPE"], ["SCI.PHOTMJSR"]),
        (["exposure.type,photometry.*"], []),
        (["PRIMARY", "SCI"], []),
        (["SCI.*"], ["PRIMARY.EXP_TYPE"]),
        (["SCI,2.*"], ["PRIMARY.EXP_TYPE", "SCI.PHOTMJSR"]),
    ],
)
def test_ignored_are_keywords_nodes_and_extensions(pair, patterns, left, capsys):
    def change(hdus):
        hdus[0].header["EXP_TYPE"] = "NRC_TSIMAGE"
        hdus["SCI"].header["PHOTMJSR"] = 2.5

    args = [word for pattern in patterns for word in ("--ignore", pattern)]
    assert told(differences(capsys, *pair("cal", change), *args)) == (left, [])


def test_another_kind_is_told(tmp_path, capsys):
    first, second = jwst_files.made(tmp_path, "rate"), jwst_files.made(tmp_path, "crf")
    assert differences(capsys, first, second)["metadata"][0] == {"key": "kind", "a": "rate", "b": "crf"}


def test_files_of_two_missions_are_not_compared(tmp_path, capsys):
    jwst = jwst_files.made(tmp_path, "rate")
    roman = write(tmp_path / "x_cal.asdf", "l2_image", {"data": np.zeros((8, 16), "f4")})
    for pair in ((jwst, roman), (roman, jwst)):
        assert tool("diff", *pair) == 3
        said = capsys.readouterr()
        assert said.out == "" and said.err == f"rt-diff: {roman}: is not a product of JWST, as {jwst} is\n"
    assert tool("diff", jwst, jwst_files.made(tmp_path, "phot")) == 3
    assert tool("diff", jwst, tmp_path / "nothing.fits") == 3


def test_a_damaged_file_is_refused(pair, capsys):
    first, second = pair("rate")
    second.write_bytes(second.read_bytes()[:-3000])
    assert tool("diff", first, second) == 3
    assert len(capsys.readouterr().err.splitlines()) == 1
