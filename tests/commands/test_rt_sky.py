"""rt-sky: pixels to the sky and back, geometry, lists and tables, which files cover a position."""

import numpy as np
import pytest
from astropy.table import Table

from rtools.products.edit.wcs import load_wcs
from rtools.products.io import open_product
from rtools.wfi.sphere import separation
from tests.support import jwst_files
from tests.support.placed_images import image
from tests.support.runs import records, tool


@pytest.fixture
def told(capsys):
    """``told(*words)``: the rows that rt-sky --json prints, of all files."""

    def run(*words):
        assert tool("sky", *words, "--json", "-q") == 0
        return [row for record in records(capsys.readouterr().out) for row in record["rows"]]

    return run


@pytest.fixture
def path(tmp_path):
    return image(tmp_path / "a_cal.asdf", place=(270.0, 66.0))


def test_pixels_have_the_positions_of_the_wcs_and_the_way_back(path, told):
    (row,) = told(path, "--at", "10.5,20")
    with open_product(path) as product:
        ra, dec = load_wcs(product)(10.5, 20)
    assert separation(row["ra"], row["dec"], ra, dec) * 3600 < 1e-6
    (back,) = told(path, "--sky", f"{row['ra']!r},{row['dec']!r}")
    assert (back["x"], back["y"]) == pytest.approx((10.5, 20), abs=1e-5)
    assert (back["x_l1"], back["y_l1"]) == pytest.approx((14.5, 24), abs=1e-5)
    assert row["inside"]
    assert row["scale"] == pytest.approx(0.11, rel=1e-4)
    assert row["area"] == pytest.approx(0.0121, rel=1e-4)


def test_rows_of_a_table_come_back_with_their_ids(path, tmp_path, told):
    stars = tmp_path / "stars.ecsv"
    Table({"label": [7, 9], "ra": [270.0, 200.0], "dec": [66.0, -66.0]}).write(stars)
    one, other = told(path, "--table", stars)
    assert (one["label"], one["x"], one["inside"]) == (7, pytest.approx(16, abs=1e-6), True)
    assert (other["label"], other["x"], other["inside"]) == (9, None, False)


def test_of_many_files_those_stay_that_cover_a_position(path, tmp_path, capsys):
    far = image(tmp_path / "b_cal.asdf", place=(10.0, 20.0))
    assert tool("sky", path, far, "--sky", "18:00:00,+66:00:00", "--covering", "--to", "pixel", "-q") == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split("\t") == ["filename", "position", "x", "y", "inside"]
    assert line.split("\t")[:2] == ["a_cal.asdf", "18:00:00,+66:00:00"]


def test_positions_in_sexagesimal(path, told):
    (row,) = told(path, "--sky", "270,66", "--hms", "--to", "sky")
    assert row == {"position": "270,66", "ra": "18:00:00.0000", "dec": "+66:00:00.000"}


def test_without_positions_the_centre_and_the_corners_are_told(path, told):
    rows = told(path)
    assert [row["position"] for row in rows] == ["centre", "corner 1", "corner 2", "corner 3", "corner 4"]
    assert (rows[3]["x"], rows[3]["y"]) == (99, 99)


def test_a_list_becomes_a_table_in_a_file(path, tmp_path):
    (tmp_path / "list").write_text("270 66 one\n270.001 66.001 two\n")
    assert tool("sky", path, "--sky", f"@{tmp_path / 'list'}", "-o", tmp_path / "out.csv", "-q") == 0
    assert Table.read(tmp_path / "out.csv")["position"].tolist() == ["one", "two"]


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (("--at", "1,2", "--sky", "1,2"), 2, "do not go together"),
        (("--sky", "@/dev/null"), 2, "is empty"),
        (("nothing.asdf",), 3, "no such file"),
    ],
)
def test_what_cannot_be_asked(words, status, text, path, capsys):
    assert tool("sky", path, *words) == status
    assert text in capsys.readouterr().err


def test_a_catalog_has_no_pixels(tmp_path, capsys):
    Table({"ra": [1.0], "dec": [2.0]}).write(tmp_path / "x_cat.ecsv")
    assert tool("sky", tmp_path / "x_cat.ecsv", "--at", "1,2") == 3
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_images_of_jwst_by_their_headers(tmp_path, told):
    from astropy.io import fits

    path = jwst_files.made(tmp_path, "cal")
    cards = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 80.0, "CRVAL2": -69.5, "CRPIX1": 3.0,
             "CRPIX2": 2.0, "CDELT1": -1e-5, "CDELT2": 1e-5}  # fmt: skip
    with fits.open(path, mode="update") as hdus:
        hdus["SCI"].header.update(cards)
        del hdus["ASDF"]
    (row,) = told(path, "--sky", "80,-69.5")
    assert (row["x"], row["y"]) == pytest.approx((2, 1), abs=1e-6)
    assert "x_l1" not in row
    assert row["north"] == pytest.approx(0, abs=1e-3)
    assert np.isfinite(row["area"])
