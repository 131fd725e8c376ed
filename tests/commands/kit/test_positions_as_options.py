"""Positions as options, lists and tables of all tools; a number where a file is expected."""

import io

import numpy as np
import pytest
from astropy.table import Table

from rtools.commands.kit.positions import pixels_of, read_positions
from rtools.errors import InputError, UsageError
from rtools.products.io import open_product
from tests.support.placed_images import image
from tests.support.runs import tool


def test_positions_of_a_list_have_their_names(tmp_path):
    (tmp_path / "list").write_text("# RA Dec\n270.1 66.0 one\n\n18:00:24,+66:01:12,two # bright\n")
    found = read_positions(sky=(f"@{tmp_path / 'list'}",))
    assert (found.frame, found.names, len(found)) == ("sky", ("one", "two"), 2)
    assert found.first == pytest.approx([270.1, 270.1])


def test_a_third_column_that_is_no_name_is_none(tmp_path):
    (tmp_path / "list").write_text("1 2 12.5\n3 4 12.5\n")
    assert read_positions(at=(f"@{tmp_path / 'list'}",)).names == ("1,2", "3,4")


def test_positions_of_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("10 20\n30 40\n"))
    found = read_positions(at=("@-", "1,2"))
    assert (found.frame, found.first.tolist(), found.names[-1]) == ("pixel", [10, 30, 1], "1,2")


def test_rows_of_a_table_keep_their_ids(tmp_path):
    path = tmp_path / "stars.ecsv"
    Table({"label": [7, 9], "ra": [270.0, 270.1], "dec": [66.0, 66.1]}).write(path)
    found = read_positions(table=str(path))
    assert (found.id_name, found.ids.tolist(), found.names) == ("label", [7, 9], ("7", "9"))
    assert found.second == pytest.approx([66.0, 66.1])


def test_rows_without_an_id_have_none_and_are_not_called_0(tmp_path):
    (tmp_path / "in.csv").write_text("label,ra,dec\n7,270,66\n,270.001,66\n0,270,66.001\n")
    found = read_positions(table=str(tmp_path / "in.csv"))
    assert found.names == ("7", "", "0")
    assert found.ids.tolist() == [7, None, 0]


def test_ways_to_say_positions_do_not_mix():
    with pytest.raises(UsageError, match="--at and --sky do not go together"):
        read_positions(at=("1,2",), sky=("1,2",))
    assert read_positions() is None


def test_a_table_without_positions_is_told(tmp_path):
    path = tmp_path / "flux.ecsv"
    Table({"flux": [1.0]}).write(path)
    with pytest.raises(InputError, match="flux"):
        read_positions(table=str(path))


def test_pixels_of_positions_in_a_file(tmp_path):
    path = image(tmp_path / "a_cal.asdf", place=(270.0, 66.0))
    with open_product(path) as product:
        x, y = pixels_of(read_positions(sky=("270,66", "90,-66")), product)
        assert (x[0], y[0]) == pytest.approx((16, 16), abs=1e-6)
        assert np.isnan([x[1], y[1]]).all()
        assert pixels_of(read_positions(at=("3,4",)), product)[1].tolist() == [4]


def test_a_file_may_be_called_as_a_number(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    image(tmp_path / "1024")
    assert tool("info", "1024") == 0
    assert "1024" in capsys.readouterr().out


TOOLS = ("info", "get", "stat", "dark", "run", "cut", "view", "resample", "table", "diff", "set", "skymap", "validate")


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("word", ["1024", "1024,2000", "270.05,-66.01"])
def test_a_number_where_a_file_is_expected_is_answered_by_at_and_sky(name, word, capsys):
    assert tool(name, "a.asdf", *(["b.asdf"] if name in ("cut", "resample") else []), word) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert f"{word}: a file expected, not a number" in told.err
    assert "--at X,Y in pixels, or --sky RA,DEC" in told.err
