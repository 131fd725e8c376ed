"""rt-diff on catalogs: metadata, columns, rows by label or place, formats against each other."""

import json

import numpy as np
import pytest
from astropy import units
from astropy.table import MaskedColumn, Table

from rtools.products.tables.files import stage_catalog
from tests.support.runs import tool

META = {
    "roman.meta.model_type": "ImageSourceCatalogModel",
    "roman.meta.filename": "a_cat.parquet",
    "roman.meta.exposure.type": "WFI_IMAGE",
    "roman.meta.exposure.exposure_time": "12.5",
    "roman.meta.exposure.read_pattern.0.0": "1",
    "source_catalog.date": "2027-01-01",
    "source_catalog.kron_params.0": "2.5",
}


def catalog(**changes):
    """A table of five sources; columns may be replaced, or left out by None."""
    columns = {
        "label": np.arange(1, 6, dtype="i4"),
        "ra": np.array([270.1, 270.2, 270.3, 270.4, 270.5]) * units.deg,
        "flux": np.array([1, 2, np.nan, 4, 5], "f4") * units.nJy,
        "warning_flags": np.array([0, 1, 2, 0, 0], "i4"),
        "kind": np.array(["star", "star", "galaxy", "star", "star"]),
        "id": np.array([2**60 + number for number in range(5)]),
    } | changes
    table = Table({name: values for name, values in columns.items() if values is not None}, meta=dict(META))
    if "flux" in table.colnames:
        table["flux"].description = "Flux of the source"
    return table


@pytest.fixture
def compared(tmp_path, capsys):
    """``compared(other, *args)``: (status, what --json says) of the catalog against another."""

    def compare(other, *args, form="parquet", first=None):
        paths = tmp_path / "a_cat.parquet", tmp_path / f"b_cat.{form}"
        stage_catalog(paths[0], catalog() if first is None else first, "parquet").commit()
        stage_catalog(paths[1], other, form).commit()
        capsys.readouterr()
        status = tool("diff", *paths, "--json", *args)
        found = json.loads(capsys.readouterr().out)
        assert status == int(not found["same"])
        return found["metadata"], found["columns"]

    return compare


@pytest.mark.parametrize("form", ["parquet", "ecsv", "fits", "votable"])
def test_the_same_catalog_in_any_format_is_the_same(compared, form):
    assert compared(catalog(), form=form) == ([], [])


def test_date_name_and_history_are_left_out_unless_all(compared):
    other = catalog()
    other.meta |= {"roman.meta.filename": "b_cat.parquet", "source_catalog.date": "2028", "history.0": '{"tool": "x"}'}
    assert compared(other) == ([], [])
    metadata, _columns = compared(other, "--all")
    assert {entry["key"] for entry in metadata} == {"meta.filename", "source_catalog.date", "history"}


def test_metadata_are_typed(compared):
    other = catalog()
    other.meta |= {"roman.meta.exposure.exposure_time": "12.6", "roman.meta.exposure.read_pattern.0.0": "2"}
    metadata, _columns = compared(other)
    assert metadata == [
        {"key": "meta.exposure.exposure_time", "a": 12.5, "b": 12.6},
        {"key": "meta.exposure.read_pattern.0.0", "a": 1, "b": 2},
    ]
    assert compared(other, "--atol", "0.2")[0] == [{"key": "meta.exposure.read_pattern.0.0", "a": 1, "b": 2}]


def test_units_descriptions_and_columns(compared):
    other = catalog(ra=np.array([270.1, 270.2, 270.3, 270.4, 270.5]), kind=None, more=np.zeros(5))
    other["flux"].description = "Another"
    metadata, columns = compared(other)
    assert metadata == [
        {"key": "ra unit", "a": "deg", "b": None},
        {"key": "flux description", "a": "Flux of the source", "b": "Another"},
    ]
    assert columns == [
        {"array": "kind", "only_in": "a", "a": "column string"},
        {"array": "more", "only_in": "b", "b": "column float64"},
    ]


def test_values_differ_by_label_whatever_the_order(compared):
    other = catalog(flux=np.array([1, 2, 3, 4, 7], "f4") * units.nJy)[[4, 2, 0, 1, 3]]
    metadata, columns = compared(other)
    assert metadata == []
    (found,) = columns
    assert (found["array"], found["differing"], found["one_nan"], found["largest"]) == ("flux", 2, 1, 2)
    assert [(entry["label"], entry["a"], entry["b"]) for entry in found["worst"]] == [(3, "nan", 3.0), (5, 5.0, 7.0)]


def test_sources_of_one_only(compared):
    metadata, columns = compared(catalog()[1:])
    assert metadata == [{"key": "rows label", "only_in": "a", "a": [1], "count": 1}]
    assert columns == []
    other = catalog(label=np.array([1, 2, 3, 4, 9], "i4"))
    assert {(entry["only_in"], entry["count"]) for entry in compared(other)[0]} == {("a", 1), ("b", 1)}


@pytest.mark.parametrize("label", [None, np.array([1, 1, 3, 4, 5], "i4")])
def test_without_labels_rows_go_by_place(compared, label):
    one = catalog(label=label)
    two = one.copy()
    two["warning_flags"][3] = 8
    metadata, (found,) = compared(two, first=one)
    assert metadata == []
    assert found["worst"] == [{"index": [3], "row": 3, "a": 0, "b": 8}]
    metadata, _columns = compared(one[:3], first=one)
    assert {"key": "rows", "a": 5, "b": 3} in metadata


def test_source_id_serves_where_there_is_no_label(compared):
    one = catalog(label=None, source_id=np.array([11, 22, 33, 44, 55]))
    assert compared(one[::-1], first=one) == ([], [])


@pytest.mark.parametrize(("args", "same"), [((), False), (("--rtol", "1e-5"), True), (("--atol", "1e-9"), False)])
def test_columns_within_the_tolerance_are_the_same(compared, args, same):
    other = catalog(flux=np.array([1, 2, np.nan, 4, 5], "f4") * np.float32(1.000001) * units.nJy)
    assert (compared(other, *args) == ([], [])) is same


def test_long_integers_are_compared_exactly(compared):
    other = catalog()
    other["id"][2] += 1
    (found,) = compared(other)[1]
    assert found["worst"][0]["label"] == 3


def test_dtypes_count_without_a_tolerance(compared):
    other = catalog(flux=np.array([1, 2, np.nan, 4, 5]) * units.nJy)
    assert compared(other)[1][0]["dtype"] == ["float32", "float64"]
    assert compared(other, "--atol", "0.1") == ([], [])


def test_texts_of_other_widths_are_compared_by_content(compared):
    kinds = np.array(["star", "star", "galaxies of all kinds", "star", "star"])
    (found,) = compared(catalog(kind=kinds))[1]
    assert "dtype" not in found
    assert found["worst"][0] == {"index": [2], "label": 3, "a": "galaxy", "b": "galaxies of all kinds"}


def test_values_that_are_known_in_one_only(compared):
    one = catalog(count=MaskedColumn([1, 2, 3, 4, 5], mask=[0, 0, 0, 1, 1]))
    assert compared(one, first=one) == ([], [])
    two = catalog(count=MaskedColumn([1, 2, 3, 4, 5], mask=[1, 0, 0, 0, 0]))
    assert compared(two, first=one) == ([{"key": "count known in one only", "a": 1, "b": 2}], [])


def test_ignore_takes_columns_and_keys(compared):
    other = catalog(flux=np.zeros(5, "f4") * units.nJy)[1:]
    other.meta["roman.meta.exposure.type"] = "WFI_LOLO"
    args = ("--ignore", "flux*,exposure.type,rows")
    assert compared(other, *args) == ([], [])


def test_empty_catalogs_are_the_same(compared):
    assert compared(catalog()[:0], first=catalog()[:0]) == ([], [])


def test_a_difference_is_told_by_row_and_column(tmp_path, capsys):
    paths = tmp_path / "a_cat.parquet", tmp_path / "b_cat.ecsv"
    stage_catalog(paths[0], catalog(), "parquet").commit()
    stage_catalog(paths[1], catalog(flux=np.array([1, 2, np.nan, 4, 5.5], "f4") * units.nJy)[1:], "ecsv").commit()
    assert tool("diff", *paths) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "rows label: 1 only in A: [1]"
    assert lines[1] == "flux: 1 of 4 values differ (25 %), by 0.5 at most (relative 0.0909)"
    assert [line.split() for line in lines[2:4]] == [["label", "A", "B", "B", "-", "A"], ["5", "5", "5.5", "0.5"]]
    assert lines[-1] == "differ: 1 key, 1 column"


@pytest.mark.parametrize("other", ["product", "text", "cut", "image"])
def test_what_is_no_catalog_is_exit_3(tmp_path, other, product, capsys):
    path, second = tmp_path / "a_cat.parquet", tmp_path / "b"
    stage_catalog(path, catalog(), "parquet").commit()
    if other == "product":
        second = product("cal")
    elif other == "image":
        assert tool("fits", product("cal"), "-o", tmp_path / "x_cal.fits", "--sip-error", "none", "-q") == 0
        second = tmp_path / "x_cal.fits"
    else:
        second.write_bytes(b"no table" if other == "text" else path.read_bytes()[:-30])
    capsys.readouterr()
    assert tool("diff", path, second) == 3
    assert tool("diff", second, path) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 2
