"""rt-match: tables matched on the sky or by a key, and joined."""

import json

import numpy as np
import pytest
from astropy.table import Table

from rtools.products.tables import read_catalog
from tests.support.small_files import tool

STARS = np.random.default_rng(5)
RA = 150 + STARS.uniform(-0.05, 0.05, 40)
DEC = 2 + STARS.uniform(-0.05, 0.05, 40)


@pytest.fixture
def two(tmp_path):
    """A catalog, and a table as VizieR names its columns, 50 mas further north, without the last five, with others."""
    blue = Table({"label": np.arange(40), "ra": RA, "dec": DEC, "mag": np.linspace(18, 25, 40)})
    red = Table({"Source": np.arange(140, 175), "RA_ICRS": RA[:35], "DE_ICRS": DEC[:35] + 0.05 / 3600})
    red["mag"], red["e_RA_ICRS"], red["e_DE_ICRS"] = np.linspace(17, 23, 35), np.full(35, 2.0), np.full(35, 2.0)
    red.add_row((999, 10.0, 10.0, 20.0, 1.0, 1.0))
    blue.write(tmp_path / "blue.ecsv")
    red.write(tmp_path / "red.vot", format="votable")
    return tmp_path / "blue.ecsv", tmp_path / "red.vot"


def rows(capsys):
    return [line.split("\t") for line in capsys.readouterr().out.splitlines()]


def test_colours_of_the_sources_of_two_tables(two, capsys):
    words = ("--add", "colour = mag_1 - mag_2", "--sort", "-colour", "--show", "label,Source,colour,sep", "--head", 2)
    assert tool("match", *two, *words) == 0
    told = capsys.readouterr()
    head, *found = [line.split("\t") for line in told.out.splitlines()]
    assert head == ["label", "Source", "colour", "sep"] and len(found) == 2
    assert int(found[0][1]) - int(found[0][0]) == 140
    assert float(found[0][3]) == pytest.approx(0.05, abs=1e-6)
    assert "35 pairs within 1 arcsec" in told.err and "+50.00 north" in told.err


@pytest.mark.parametrize(
    ("keep", "count"), [("matched", 35), ("first", 40), ("all", 41), ("only-first", 5), ("only-second", 1)]
)
def test_rows_that_are_kept(two, keep, count, tmp_path):
    assert tool("match", *two, "--keep", keep, "-o", tmp_path / "x.ecsv", "-q") == 0
    table = read_catalog(tmp_path / "x.ecsv")
    assert len(table) == count
    if keep == "all":
        assert (
            np.isnan(table["sep"]).sum() == 6
            and table["label"].mask.sum() == 1
            and np.isnan(table["RA_ICRS"]).sum() == 5
        )
    if keep.startswith("only"):
        assert table.colnames == read_catalog(two[keep == "only-second"]).colnames


def test_what_is_found_is_in_json_and_in_a_picture(two, tmp_path, capsys):
    assert tool("match", *two, "--json", "--plot", tmp_path / "x.png", "--show", "label") == 0
    found = json.loads(capsys.readouterr().out)
    (match,) = found["matches"]
    assert (match["pairs"], round(match["north"], 3), len(found["rows"])) == (35, 50.0, 35)
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    assert tool("match", *two, "--plot", tmp_path / "x.png") == 1


def test_three_tables_are_matched_with_the_first(two, tmp_path, capsys):
    Table({"id": [1, 2], "RAJ2000": RA[:2], "DEJ2000": DEC[:2]}).write(tmp_path / "few.csv")
    assert tool("match", *two, tmp_path / "few.csv", "--show", "label,Source,id,sep_2,sep_3", "-q") == 0
    assert [row[:3] for row in rows(capsys)[1:]] == [["0", "140", "1"], ["1", "141", "2"]]
    assert tool("match", *two, tmp_path / "few.csv", "--keep", "all") == 2


def test_keys_join_tables(two, tmp_path, capsys):
    (tmp_path / "phot.csv").write_text("id,flux\n3,1.5\n3,2.5\n77,1\n")
    assert (
        tool("match", tmp_path / "phot.csv", two[0], "--on", "id=label", "--show", "id,label,flux", "--keep", "first")
        == 0
    )
    assert rows(capsys)[1:] == [["3", "3", "1.5"], ["3", "3", "2.5"], ["77", "", "1.0"]]
    assert tool("match", tmp_path / "phot.csv", two[0], "--on", "id=labl") == 3
    assert "did you mean label" in capsys.readouterr().err


def test_columns_of_other_names_are_said(two, tmp_path, capsys):
    (tmp_path / "odd.csv").write_text(f"A,B\n{RA[0]},{DEC[0]}\n")
    assert tool("match", two[0], tmp_path / "odd.csv") == 3
    assert "there are A, B; say which are: --columns 2:ra=NAME,dec=NAME" in capsys.readouterr().err
    assert tool("match", two[0], tmp_path / "odd.csv", "--columns", "2:ra=A,dec=B", "--show", "label", "-q") == 0
    assert rows(capsys) == [["label"], ["0"]]


@pytest.mark.parametrize(
    "words",
    [("--columns", "3:ra=a,dec=b"), ("--columns", "ra"), ("--suffixes", "_a"), ("--suffixes", "_a,_a"),
     ("--on", "a=b=c"), ("--format", "fits"), ("-o", "x.dat"), ("--plot", "-"), ("--radius", "0"),
     ("-o", "-", "--json")],
)  # fmt: skip
def test_what_cannot_be_asked_is_a_usage_error(two, words, capsys):
    assert tool("match", *two, *words) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_one_table_is_not_matched_and_inputs_are_not_replaced(two):
    assert tool("match", two[0]) == 2
    before = two[0].read_bytes()
    assert tool("match", *two, "-o", two[0], "--overwrite") == 2
    assert two[0].read_bytes() == before
