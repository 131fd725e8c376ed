"""Guide windows and FACE as tables, and what rt-table makes of them."""

import json

import numpy as np
import pytest
from astropy.table import Table
from astropy.time import Time

from rtools.errors import InputError
from rtools.products.guide import face_table, guide_table, open_face, open_guide
from tests.support.guide_files import MAPPING, face_file, guide_file
from tests.support.small_files import tool


@pytest.mark.parametrize("form", ["rad", "old", "seed", "dark"])
def test_a_stage_is_a_table_of_its_pairs(tmp_path, form):
    guide = open_guide(guide_file(tmp_path, form))
    table, whole = guide_table(guide), guide_table(open_guide(guide_file(tmp_path / "whole_gw.asdf")))
    assert table.colnames == whole.colnames
    assert table["exposure"].tolist() == MAPPING.tolist()
    assert (table["x_window"].tolist()[0], table["y_window_stop"].tolist()[0]) == (1024, 2040)
    assert str(table["mjd"].unit) == "d"
    assert str(table["xx_down"].unit) == "pix2"
    assert all(table[name].description for name in table.colnames)
    assert np.isnan(table["x_down"]).all() == (form == "dark")
    assert len(guide_table(guide, "acq")) == 32


def test_empty_and_half_empty_stages_have_all_columns(tmp_path):
    whole = guide_table(open_guide(guide_file(tmp_path)))
    empty = guide_table(open_guide(guide_file(tmp_path / "empty_gw.asdf", "empty")))
    assert (empty.colnames, len(empty)) == (whole.colnames, 0)
    bare = guide_file(tmp_path / "bare_gw.asdf", change=lambda tree: tree["track_data"].pop("lower_left_corners"))
    half = guide_table(open_guide(bare))
    assert half.colnames == whole.colnames
    assert half["x_window"].mask.all()


def test_a_stage_that_is_not_there_is_refused(tmp_path):
    guide = open_guide(guide_file(tmp_path))
    with pytest.raises(InputError, match="has no stage edge; there are acq track"):
        guide_table(guide, "edge")


def test_times_of_tables_are_those_of_astropy(tmp_path):
    """The centre of a pair of the table WIM_TRACK, two readings of 2.22 ms each: half a reading before the mean end."""
    table = guide_table(open_guide(guide_file(tmp_path)))
    begin = Time("2027-06-01T12:00:00")
    ends = (table["pedestal_t"][7] + table["signal_t"][7]) / 2
    assert (Time(table["mjd"][7], format="mjd") - begin).sec == pytest.approx(ends - 0.00111, abs=1e-5)


def test_face_is_a_table_of_its_attitudes(tmp_path):
    face = open_face(face_file(tmp_path))
    table = face_table(face)
    assert len(table) == 144
    assert str(table["delta"].unit) == "rad"
    assert str(table["horizontal_variance"].unit) == "pix2"
    assert table["good"].all()
    np.testing.assert_array_equal(table["delta"], face.delta)


@pytest.mark.parametrize("extension", ["parquet", "ecsv", "csv", "fits", "vot"])
def test_rt_table_writes_them_in_every_form(tmp_path, extension):
    for path, rows in ((guide_file(tmp_path), len(MAPPING)), (face_file(tmp_path), 144)):
        out = tmp_path / f"x.{extension}"
        assert tool("table", path, "-o", out, "--overwrite") == 0
        assert tool("table", out, "--head", 1) == 0
        if extension in ("ecsv", "fits"):
            table = Table.read(out, format=None if extension == "fits" else "ascii.ecsv")
            assert len(table) == rows
            assert str(table["t"].unit) == "s"


def test_rt_table_chooses_a_stage_and_rows(tmp_path, capsys):
    path = guide_file(tmp_path, spectroscopic=True)
    assert tool("table", path, "--stage", "edge", "--columns", "pair,x_down", "--head", 3, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [column["name"] for column in told["columns"]] == ["pair", "x_down"]
    assert [row["pair"] for row in told["rows"]] == [0, 1, 2]
    assert tool("table", path, "--where", "exposure == 2 and reset_read == false", "--columns", "pair") == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + 16


def test_stages_are_of_guide_windows_alone(tmp_path, capsys):
    assert tool("table", face_file(tmp_path), "--stage", "acq") == 3
    assert "only guide-window files have stages" in capsys.readouterr().err
    out = tmp_path / "x.ecsv"
    assert tool("table", guide_file(tmp_path), "-o", out) == 0
    assert tool("table", out, "--stage", "acq") == 3


def test_a_file_without_tag_is_a_table_by_its_name(tmp_path, capsys):
    assert tool("table", guide_file(tmp_path, tag=None), "--columns", "pair") == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(MAPPING)
