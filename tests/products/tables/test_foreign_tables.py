"""Tables that others write: nulls in columns of every type, lists, structures, categories, times."""

import datetime
import decimal
import json
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits
from astropy.table import Table
from pyarrow import parquet

from rtools.products.tables import parquet as catalog_parquet
from rtools.products.tables.files import read_catalog
from tests.support.runs import tool

DAY = datetime.datetime(2027, 1, 2, 3, 4, 5)
STARS = {"source_id": pa.array([1, 2, 3], pa.int64()), "ra": [10.0, 20.0, 30.0], "dec": [1.0, 2.0, 3.0]}

ODD = {
    "flags": (pa.array([True, None, False]), [True, None, False]),
    "categories": (pa.array(["a", None, "b"]).dictionary_encode(), ["a", None, "b"]),
    "numbered categories": (pa.array([7, None, 7]).dictionary_encode(), [7, None, 7]),
    "whole numbers": (pa.array([2**62, None, 1]), [2**62, None, 1]),
    "small numbers": (pa.array([255, None, 1], pa.uint8()), [255, None, 1]),
    "nothing": (pa.nulls(3), [None, None, None]),
    "decimals": (pa.array([decimal.Decimal("1.50"), None, decimal.Decimal(2)]), [1.5, None, 2.0]),
    "times": (pa.array([DAY, None, DAY]), ["2027-01-02 03:04:05.000000", None, "2027-01-02 03:04:05.000000"]),
    "days": (pa.array([DAY.date(), None, DAY.date()]), ["2027-01-02", None, "2027-01-02"]),
    "bytes": (pa.array([b"abc", None, b"\xff"]), ["abc", None, "ff"]),
    "lists": (pa.array([[1, 2], [3], []]), [[1, 2], [3], []]),
    "lists with nulls": (pa.array([[1, None], None, []]), [[1, None], None, []]),
    "empty lists": (pa.array([[], [], []], pa.list_(pa.int64())), [[], [], []]),
    "structures": (pa.array([{"a": 1}, None, {"a": 2}]), ['{"a": 1}', None, '{"a": 2}']),
    "pairs": (pa.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], pa.list_(pa.float64(), 2)), [[1, 2], [3, 4], [5, 6]]),
}


@pytest.fixture(params=ODD)
def odd(request, tmp_path):
    """A parquet file with a column that is odd, and its values; None where there is none."""
    column, values = ODD[request.param]
    parquet.write_table(pa.table(STARS | {"odd": column}), tmp_path / "x.parquet")
    return tmp_path / "x.parquet", values


def test_an_odd_column_is_read_as_what_it_is(odd, capsys):
    path, values = odd
    assert tool("table", path, "--json") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["odd"] for row in rows] == values
    assert [row["ra"] for row in rows] == [10, 20, 30]


def test_no_tool_stumbles_over_an_odd_column(odd, tmp_path, capsys):
    path, _values = odd
    for words in (("table",), ("info",), ("refcat", "info")):
        assert tool(*words, path) == 0, words
    assert tool("diff", path, path) == 0
    assert tool("refcat", "make", path, "--all-columns", "-o", tmp_path / "tree") == 0
    assert tool("refcat", "cut", tmp_path / "tree", "--cone", "10,1,1", "--all-columns", "-o", tmp_path / "c.ecsv") == 0
    assert list(read_catalog(tmp_path / "c.ecsv")["source_id"]) == [1]
    assert "internal" not in capsys.readouterr().err


@pytest.mark.parametrize("form", ["parquet", "ecsv", "csv", "fits", "vot"])
def test_odd_columns_are_written_in_every_format(form, tmp_path, capsys):
    parquet.write_table(
        pa.table(STARS | {name: column for name, (column, _values) in ODD.items()}), tmp_path / "x.parq"
    )
    target = tmp_path / f"y.{form}"
    assert tool("table", tmp_path / "x.parq", "-o", target) == 0
    assert ("lists are text" in capsys.readouterr().err) == (form in ("csv", "fits", "vot"))
    first, again = read_catalog(tmp_path / "x.parq"), read_catalog(target)
    assert list(np.ma.filled(again["categories"], "")) == ["a", "", "b"]
    if form in ("parquet", "ecsv"):
        for name in first.colnames:
            assert [str(value) for value in again[name]] == [str(value) for value in first[name]], name


def test_the_order_of_lists_is_not_asked_for(tmp_path, capsys):
    parquet.write_table(pa.table(STARS | {"odd": ODD["lists"][0]}), tmp_path / "x.parquet")
    assert tool("table", tmp_path / "x.parquet", "--sort", "odd") == 2
    assert "no single value" in capsys.readouterr().err


def test_labels_that_are_missing_are_no_labels(tmp_path, capsys):
    parquet.write_table(pa.table(STARS | {"label": pa.array([1, None, 3], pa.int32())}), tmp_path / "x_cat.parquet")
    assert tool("validate", tmp_path / "x_cat.parquet") == 1
    assert "1 labels are not positive" in capsys.readouterr().out


def test_arrays_of_any_length_in_a_fits_table(tmp_path, capsys):
    lists = np.empty(3, object)
    lists[:] = [np.array([1, 2]), np.array([3]), np.array([], int)]
    texts = np.array(["ab", "c", ""], object)
    columns = [fits.Column("ra", "D", array=[1.0, 2.0, 3.0]), fits.Column("dec", "D", array=[1.0, 2.0, 3.0]),
               fits.Column("lists", "PJ()", array=lists), fits.Column("texts", "PA()", array=texts)]  # fmt: skip
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "x.fits")
    assert tool("table", tmp_path / "x.fits", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["lists"], row["texts"]) for row in rows] == [([1, 2], "ab"), ([3], "c"), ([], "")]
    assert tool("table", tmp_path / "x.fits", "-o", tmp_path / "x.parquet") == 0
    assert tool("diff", tmp_path / "x.fits", tmp_path / "x.parquet") == 0


def test_lists_of_an_ecsv_table_in_json(tmp_path, capsys):
    lists = np.empty(2, object)
    lists[:] = [[1, 2], [3]]
    Table({"a": [1, 2], "lists": lists}).write(tmp_path / "x.ecsv")
    assert tool("table", tmp_path / "x.ecsv", "--json") == 0
    assert [row["lists"] for row in json.loads(capsys.readouterr().out)["rows"]] == [[1, 2], [3]]


def test_rows_beyond_the_memory_of_the_machine_are_refused(monkeypatch, tmp_path, capsys):
    """Runs of equal values take next to nothing in a file."""
    monkeypatch.setattr(catalog_parquet, "VALUE", 2**60)
    parquet.write_table(pa.table(STARS), tmp_path / "x.parquet")
    assert tool("table", tmp_path / "x.parquet") == 3
    assert "it states 3 rows" in capsys.readouterr().err
    with pytest.raises(ValueError, match="it states"):
        catalog_parquet._check_room(SimpleNamespace(num_rows=10**12, num_columns=30))
