"""rt-set on catalogs: types, schema, history; rows, units and descriptions as they were."""

import json

import numpy as np
import pyarrow
import pytest
from astropy.table import Table
from pyarrow import parquet

from rtools.products.forms import form_of
from rtools.products.tables.metadata import read_table
from tests.support.keyed_files import catalog_ecsv, catalog_ecsv_flat, catalog_parquet
from tests.support.runs import listing, piped, tool

every_form = pytest.mark.parametrize("write", [catalog_parquet, catalog_ecsv, catalog_ecsv_flat])


def table_of(path):
    return read_table(path, form_of(path))


@every_form
def test_values_are_set_and_everything_else_is_as_it_was(write, tmp_path, capsys):
    path = write(tmp_path / "x_cat")
    target = tmp_path / f"y_cat{path.suffix}"
    words = ("exposure.type=WFI_LOLO", "exposure.exposure_time=7", "exposure.read_pattern=[[1],[2],[3,4]]",
             "exposure.truncated=true", 'observation.visit_id="2027"', "exposure.start_time=2028-02-03")  # fmt: skip
    assert tool("set", path, *words, "-o", target) == 0
    assert capsys.readouterr().out == f"{target}\n"
    before, after = table_of(path), table_of(target)
    told = after.tree["meta"]
    assert told["observation"].pop("visit_id") == "2027"
    changed = {"type": "WFI_LOLO", "exposure_time": 7.0, "read_pattern": [[1], [2], [3, 4]], "truncated": True,
               "start_time": "2028-02-03T00:00:00.000"}  # fmt: skip
    assert {key: told["exposure"][key] for key in changed} == changed
    assert type(told["exposure"]["exposure_time"]) is float
    told["exposure"] |= before.tree["meta"]["exposure"]
    del before.tree["meta"]["observation"]["visit_id"]
    assert after.tree == before.tree
    assert (after.columns, after.rows) == (before.columns, before.rows)


@every_form
def test_the_change_is_recorded(write, tmp_path):
    path = write(tmp_path / "x_cat")
    for detector in ("WFI01", "WFI02"):
        assert tool("set", path, f"instrument.detector={detector}", "--in-place") == 0
    entries = table_of(path).history
    assert [entry["parameters"]["meta.instrument.detector"] for entry in entries] == ["WFI01", "WFI02"]
    assert entries[0]["tool"] == "rt-set"
    assert entries[0]["inputs"] == [str(path)]


@every_form
@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("exposure.type=NONSENSE", "'NONSENSE' is not one of"),
        ("exposure.nresultants=abc", "'abc' is not of type 'integer'"),
        ("exposure.start_time=yesterday", "'yesterday' is not a valid time"),
        ("observation.visit_id=3", "3 is not of type 'string'; quote"),
        ("exposure.tpye=WFI_IMAGE", "did you mean exposure.type?"),
        ("exposure.read_pattern=[[a]]", "'a' is not of type 'integer'"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(write, tmp_path, capsys, word, says):
    path = write(tmp_path / "x_cat")
    before = listing(tmp_path)
    extension = "parquet" if path.read_bytes().startswith(b"PAR1") else "ecsv"
    assert tool("set", path, word, "-o", tmp_path / f"y_cat.{extension}") == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert says in captured.err
    assert len(captured.err.splitlines()) == 1
    assert listing(tmp_path) == before


def test_null_takes_a_key_of_a_parquet_file_away(tmp_path):
    path = catalog_parquet(tmp_path / "x_cat")
    assert tool("set", path, "exposure.data_problem=fog", "--in-place") == 0
    assert table_of(path).tree["meta"]["exposure"]["data_problem"] == "fog"
    assert tool("set", path, "exposure.data_problem=null", "--in-place") == 0
    assert "data_problem" not in table_of(path).tree["meta"]["exposure"]


def test_one_item_of_a_list(tmp_path):
    path = catalog_parquet(tmp_path / "x_cat")
    assert tool("set", path, "exposure.read_pattern.-1=[5]", "--in-place") == 0
    assert table_of(path).tree["meta"]["exposure"]["read_pattern"] == [[1], [5]]
    said = parquet.read_schema(path).metadata
    assert {key: value for key, value in said.items() if b"read_pattern" in key} == {
        b"roman.meta.exposure.read_pattern.0.0": b"1",
        b"roman.meta.exposure.read_pattern.1.0": b"5",
    }


def test_name_and_date_follow_the_file_where_it_has_them(tmp_path):
    path = catalog_parquet(tmp_path / "x_cat")
    assert tool("set", path, "filename=a.parquet", "file_date=2020-01-01", "--in-place") == 0
    assert tool("set", path, "exposure.type=WFI_LOLO", "-o", tmp_path / "y_cat.parquet") == 0
    meta = table_of(tmp_path / "y_cat.parquet").tree["meta"]
    assert meta["filename"] == "y_cat.parquet"
    assert meta["file_date"] > "2020-01-01T00:00:00.000"


def big_parquet(path):
    """Three row groups of columns of every kind, nulls, payloads of NaN, compressed each in its own way."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=3000).astype("f4")
    values.view("u4")[7] = 0x7FC01234
    fields = [
        pyarrow.field("label", pyarrow.int32(), metadata={"unit": "None"}),
        pyarrow.field("flux", pyarrow.float32(), metadata={"unit": "nJy", "more": "kept"}),
        pyarrow.field("half", pyarrow.float16()),
        pyarrow.field("flag", pyarrow.bool_()),
        pyarrow.field("kind", pyarrow.string()),
        pyarrow.field("list", pyarrow.list_(pyarrow.int16())),
    ]
    arrays = [
        pyarrow.array(np.arange(3000, dtype="i4")),
        pyarrow.array(values),
        pyarrow.array(values.astype("f2")),
        pyarrow.array([None, True, False] * 1000),
        pyarrow.array(["é", None, "c"] * 1000),
        pyarrow.array([[1, 2], [], None] * 1000, type=pyarrow.list_(pyarrow.int16())),
    ]
    meta = {"roman.meta.exposure.type": "WFI_IMAGE", "other": b"\xff\xfe", "table_meta_yaml": "datatype: []"}
    table = pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(fields, metadata=meta))
    codecs = {name: "zstd" if name == "flux" else "none" for name in table.column_names}
    parquet.write_table(table, path, row_group_size=1000, compression=codecs | {"list.list.element": "snappy"})
    return path


def test_rows_row_groups_and_compression_of_a_parquet_file_stay(tmp_path, capsys):
    path = big_parquet(tmp_path / "x.parquet")
    assert tool("set", path, "exposure.type=WFI_LOLO", "-o", tmp_path / "y.parquet") == 0
    assert "nothing was checked" in capsys.readouterr().err
    one, two = parquet.ParquetFile(path), parquet.ParquetFile(tmp_path / "y.parquet")
    told = {key: value for key, value in two.schema_arrow.metadata.items() if key != b"history.0"}
    assert told == one.schema_arrow.metadata | {b"roman.meta.exposure.type": b"WFI_LOLO"}
    assert one.schema_arrow.equals(two.schema_arrow)
    assert [field.metadata for field in one.schema_arrow] == [field.metadata for field in two.schema_arrow]
    assert one.num_row_groups == two.num_row_groups == 3
    for number in range(one.metadata.num_columns):
        columns = [file.metadata.row_group(2).column(number) for file in (one, two)]
        assert columns[0].compression == columns[1].compression
    one, two = one.read(), two.read()
    for name in one.column_names:
        chunks = [column.combine_chunks().buffers() for column in (one[name], two[name])]
        assert [b and b.to_pybytes() for b in chunks[0]] == [b and b.to_pybytes() for b in chunks[1]]


@pytest.mark.parametrize("write", [catalog_ecsv, catalog_ecsv_flat])
def test_lines_of_an_ecsv_but_for_meta_stay(write, tmp_path):
    path = write(tmp_path / "x_cat")
    lines = path.read_text().splitlines()
    assert tool("set", path, "exposure.type=WFI_LOLO", "-o", tmp_path / "y.ecsv") == 0
    after = (tmp_path / "y.ecsv").read_text().splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("# meta:"))
    last = next(number for number, line in enumerate(lines) if line.startswith("# schema:"))
    assert after[:first] == lines[:first]
    assert after[-len(lines) + last :] == lines[last:]
    table = Table.read(tmp_path / "y.ecsv", format="ascii.ecsv")
    assert table["segment_flux"].unit == "nJy"
    assert table["label"].description == "Label of the source"


def test_an_ecsv_without_metadata_gets_some(tmp_path, capsys):
    Table({"a": [1, 2]}).write(tmp_path / "x.ecsv")
    assert tool("set", tmp_path / "x.ecsv", "mine=3", "--in-place") == 2
    assert tool("set", tmp_path / "x.ecsv", "mine=3", "--in-place", "--new") == 0
    assert table_of(tmp_path / "x.ecsv").tree == {"mine": "3"}
    assert Table.read(tmp_path / "x.ecsv")["a"].tolist() == [1, 2]


@every_form
def test_damaged_catalogs_are_exit_3(write, tmp_path, capsys):
    path = write(tmp_path / "x_cat")
    path.write_bytes(path.read_bytes()[:60])
    assert tool("set", path, "exposure.type=WFI_LOLO", "--in-place") == 3
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert len(path.read_bytes()) == 60


def test_through_a_pipe(tmp_path, monkeypatch):
    path = catalog_parquet(tmp_path / "x_cat")
    with piped(monkeypatch, path.read_bytes()) as out:
        assert tool("set", "-", "exposure.type=WFI_LOLO", "-o", "-") == 0
    said = parquet.read_schema(pyarrow.BufferReader(out.getvalue())).metadata
    assert said[b"roman.meta.exposure.type"] == b"WFI_LOLO"
    assert json.loads(said[b"history.0"])["tool"] == "rt-set"
