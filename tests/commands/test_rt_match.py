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
     ("-o", "-", "--json"), ("--epoch", "16"),
     *(("--on", "mag", *words) for words in (("--radius", 2), ("--find", "all"), ("--sigma", 3), ("--epoch", 2016),
                                             ("--columns", "ra=mag"), ("--plot", "x.png")))],
)  # fmt: skip
def test_what_cannot_be_asked_is_a_usage_error(two, words, capsys):
    assert tool("match", *two, *words) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_one_table_is_not_matched_and_inputs_are_not_replaced(two):
    assert tool("match", two[0]) == 2
    before = two[0].read_bytes()
    assert tool("match", *two, "-o", two[0], "--overwrite") == 2
    assert two[0].read_bytes() == before


def test_pairs_that_are_found_are_the_best_the_nearest_or_all(tmp_path, capsys):
    """Two rows of A beside one of B, which has another one farther off."""
    (tmp_path / "a.csv").write_text(f"id,ra,dec\n1,10,0\n2,{10 + 0.5 / 3600},0\n3,20,0\n")
    (tmp_path / "b.csv").write_text(f"key,ra,dec\n7,{10 + 0.1 / 3600},0\n8,{10 - 0.7 / 3600},0\n")
    wanted = {"best": "17", "nearest": "17 27", "all": "17 18 27"}
    for find, pairs in wanted.items():
        words = ("--find", find, "--show", "id,key", "-q")
        assert tool("match", tmp_path / "a.csv", tmp_path / "b.csv", *words) == 0
        assert " ".join("".join(row) for row in rows(capsys)[1:]) == pairs


def test_pairs_farther_apart_than_their_errors_are_none(tmp_path, capsys):
    (tmp_path / "a.csv").write_text("id,ra,dec,ra_error,dec_error\n1,10,0,30,30\n2,20,0,30,30\n3,30,0,,\n")
    places = "".join(f"{ra},{offset / 3600:.8f},40,40\n" for ra, offset in ((10, 0.1), (20, 0.3), (30, 0.3)))
    (tmp_path / "b.csv").write_text("ra,dec,ra_error,dec_error\n" + places)
    for sigmas, found in ((5, "13"), (7, "123"), (1, "3")):
        words = ("--sigma", sigmas, "--show", "id,sep*", "-q")
        assert tool("match", tmp_path / "a.csv", tmp_path / "b.csv", *words) == 0
        table = rows(capsys)[1:]
        assert "".join(row[0] for row in table) == found
        if found == "123":
            assert float(table[0][4]) == pytest.approx(2, rel=1e-3)


def test_names_that_are_taken_do_not_lose_columns_or_end_the_run(two, tmp_path, capsys):
    (tmp_path / "more.csv").write_text(f"mag,mag_1,ra,dec\n1,2,{RA[0]},{DEC[0]}\n")
    assert tool("match", two[0], tmp_path / "more.csv", "--show", "*mag*", "-q") == 0
    assert rows(capsys) == [["mag_1_1", "mag_2", "mag_1"], ["18.0", "1", "2"]]
    assert tool("match", two[0], tmp_path / "more.csv", "--suffixes", "_a,", "--show", "*mag*", "-q") == 0
    assert rows(capsys)[0] == ["mag_a", "mag", "mag_1"]


def test_few_pairs_have_no_scatter_and_no_nan(two, tmp_path, capsys):
    (tmp_path / "few.csv").write_text(f"ra,dec\n{RA[0]},{DEC[0]}\n{RA[1]},{DEC[1]}\n")
    assert tool("match", two[0], tmp_path / "few.csv", "--plot", tmp_path / "x.png", "--json") == 0
    told = capsys.readouterr()
    assert "too few pairs for more" in told.err and "nan" not in told.err
    (match,) = json.loads(told.out)["matches"]
    assert match["east_scatter"] is None and match["rotation"] is None and match["pairs"] == 2


def test_no_table_is_left_where_the_picture_cannot_be_written(two, tmp_path, capsys):
    assert tool("match", *two, "-o", tmp_path / "x.ecsv", "--plot", two[0] / "x.png") != 0
    assert not (tmp_path / "x.ecsv").exists() and len(capsys.readouterr().err.splitlines()) == 1
    before = sorted(tmp_path.iterdir())
    assert tool("match", *two, "-o", two[0] / "x.ecsv", "--plot", tmp_path / "x.png") != 0
    assert sorted(tmp_path.iterdir()) == before


@pytest.fixture
def moving(tmp_path):
    """A catalog of 2028 without proper motions, and stars of 2016 that move 100 mas a year east and 50 south."""
    now = RA + 1.2 / 3600 / np.cos(np.deg2rad(DEC)), DEC - 0.6 / 3600
    Table({"ra": now[0], "dec": now[1], "epoch": np.full(40, 2028.0)}).write(tmp_path / "now.ecsv")
    stars = Table({"ra": RA, "dec": DEC, "pmra": np.full(40, 100.0), "pmdec": np.full(40, -50.0)})
    stars.write(tmp_path / "undated.ecsv")
    stars["ref_epoch"] = 2016.0
    stars.write(tmp_path / "gaia.ecsv")
    return tmp_path


def offsets(capsys):
    told = capsys.readouterr()
    (match,) = json.loads(told.out)["matches"]
    return match["pairs"], match["compared_at"], match.get("east"), match.get("north"), told.err


@pytest.mark.parametrize("names", [("now", "gaia"), ("gaia", "now")])
def test_proper_motions_take_stars_to_the_epoch_of_the_other_table(moving, names, capsys):
    assert tool("match", *(moving / f"{name}.ecsv" for name in names), "--json") == 0
    pairs, epoch, east, north, said = offsets(capsys)
    assert (pairs, epoch) == (40, 2028.0) and abs(east) < 0.1 and abs(north) < 0.1
    assert "gaia.ecsv: proper motions took positions from 2016.00 to 2028.00" in said and "warning" not in said


def test_an_epoch_that_is_not_known_or_not_reached_is_told(moving, capsys):
    words = ("--radius", 2, "--json")
    assert tool("match", moving / "now.ecsv", moving / "undated.ecsv", *words) == 0
    pairs, epoch, east, _, said = offsets(capsys)
    assert (pairs, epoch) == (40, None) and east == pytest.approx(-1200, abs=1)
    assert "--columns 2:epoch=YEAR says it" in said
    assert tool("match", moving / "now.ecsv", moving / "undated.ecsv", *words, "--columns", "2:epoch=2016.0") == 0
    assert offsets(capsys)[1:3] == (2028.0, pytest.approx(0, abs=0.1))
    assert tool("match", moving / "now.ecsv", moving / "gaia.ecsv", *words, "--columns", "2:pmra=0,pmdec=0") == 0
    assert offsets(capsys)[2] == pytest.approx(-1200, abs=1)
    assert tool("match", moving / "now.ecsv", moving / "gaia.ecsv", *words, "--epoch", 2022) == 0
    pairs, epoch, east, _, said = offsets(capsys)
    assert epoch == 2022 and east == pytest.approx(-600, abs=1)
    assert "now.ecsv is of 2028.00" in said and "has no proper motions, and stays" in said
