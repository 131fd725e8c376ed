"""rt-refcat: trees and tables, cones, what Gaia would list of a simulation, the archive by an injected client."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from rtools.astrometry import gaia, refcat
from rtools.errors import InputError, RtoolsError, UsageError
from rtools.products.refcat import cones, hats
from rtools.products.refcat import files as refcat_files
from rtools.products.refcat import gaia as gaia_archive
from rtools.products.tables import files as catalogs
from rtools.wfi.sphere import separation
from tests.support.runs import simulate, tool


def stars(count=2000, *, seed=1, radius=1.0, ra0=359.9, dec0=20.0):
    """A table of stars around a point, with names and units of its own."""
    from astropy.table import Table

    rng = np.random.default_rng(seed)
    table = Table()
    table["RA"] = (ra0 + rng.uniform(-radius, radius, count)) % 360
    table["Dec"] = dec0 + rng.uniform(-radius, radius, count)
    table["pmRA"] = rng.normal(0, 0.01, count)
    table["PMDEC"] = rng.normal(0, 0.01, count)
    table["ref_epoch"] = 2016.0
    table["phot_g_mean_mag"] = rng.uniform(10, 21, count)
    table["source_id"] = np.arange(count) + 10**18
    table["ruwe"] = rng.normal(1, 0.1, count)
    for name, unit in (("RA", "deg"), ("Dec", "deg"), ("pmRA", "arcsec/yr"), ("PMDEC", "arcsec/yr")):
        table[name].unit = unit
    return table


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "stars.ecsv"
    stars().write(path)
    return path


@pytest.fixture(scope="module")
def tree(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("tree") / "gaia"
    assert tool("refcat", "make", table, "-o", path, "--rows", 100, "-q") == 0
    return path


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """An exposure with its truth: sources from a table, of both kinds."""
    from astropy.table import Table

    directory = tmp_path_factory.mktemp("simulated")
    rng = np.random.default_rng(3)
    count = 200
    table = Table({"ra": 270 + rng.uniform(-0.2, 0.2, count), "dec": 66 + rng.uniform(-0.1, 0.1, count)})
    table["mag"] = rng.uniform(14, 23, count)
    table["size"] = np.where(np.arange(count) % 4 == 0, 0.3, 0.0)
    table["type"] = np.where(np.arange(count) % 4 == 0, "disk", "star")
    table.write(directory / "x_truth.ecsv")
    exposure = simulate(directory, reads="1;2;3")
    exposure.rename(directory / "x_uncal.asdf")
    return directory / "x_truth.ecsv", table


def by_identity(table):
    return table[np.argsort(table["source_id"])]


# -- trees ------------------------------------------------------------------------------------------------------------


def test_a_tree_has_the_layout_of_the_public_one(table, tree):
    from astropy import units
    from astropy_healpix import lonlat_to_healpix
    from pyarrow import parquet

    with open(tree / "partition_info.csv", newline="") as file:
        cells = [(int(row["Norder"]), int(row["Npix"])) for row in csv.DictReader(file)]
    files = list((tree / "dataset").rglob("*.parquet"))
    named = {f"dataset/Norder={k}/Dir={n // 10000 * 10000}/Npix={n}.parquet" for k, n in cells}
    assert {str(path.relative_to(tree)) for path in files} == named
    rows = 0
    for order, pixel in cells:
        inside = f"dataset/Norder={order}/Dir={pixel // 10000 * 10000}/Npix={pixel}.parquet"
        one = parquet.ParquetFile(tree / inside).read()
        ra, dec = (one[name].to_numpy() * units.deg for name in ("ra", "dec"))
        fine = one["_healpix_29"].to_numpy()
        assert np.all(lonlat_to_healpix(ra, dec, 2**order, order="nested") == pixel)
        assert np.all(fine >> 2 * (29 - order) == pixel)
        assert np.all(np.diff(fine) >= 0)
        assert len(fine) <= 100
        assert one.schema.field("pmra").metadata[b"unit"] == b"mas / yr"
        rows += len(fine)
    assert rows == 2000
    assert max(order for order, _ in cells) > min(order for order, _ in cells)
    whole = parquet.read_metadata(tree / "dataset" / "_metadata")
    assert whole.num_rows == 2000
    assert whole.row_group(0).column(0).file_path in {str(path.relative_to(tree / "dataset")) for path in files}
    properties = (tree / "hats.properties").read_text()
    assert "hats_nrows=2000\n" in properties
    assert "rtools_tool=rt-refcat make\n" in properties


def test_a_tree_is_read_as_the_table_it_was_made_of(table, tree):
    one, two = by_identity(refcat_files.read(table)), by_identity(refcat_files.read(tree))
    assert one.colnames == two.colnames
    for name in one.colnames:
        np.testing.assert_array_equal(one[name], two[name])
        assert one[name].unit == two[name].unit
    np.testing.assert_allclose(one["pmra"], 1000 * stars()["pmRA"], rtol=1e-14)


@pytest.mark.parametrize("cone", [(0.1, 20.2, 0.15), (359.5, 19.5, 0.05), (180.0, -70.0, 1.0), (0.0, 20.0, 3.0)])
def test_a_cone_of_a_tree_is_that_of_the_table(table, tree, cone):
    one, two = (refcat_files.read(path, cone) for path in (table, tree))
    inside = separation(stars()["RA"], stars()["Dec"], *cone[:2]) <= cone[2]
    assert len(one) == np.count_nonzero(inside)
    assert len(two) == len(one)
    if len(one):
        np.testing.assert_array_equal(np.sort(one["source_id"]), np.sort(two["source_id"]))


def test_partitions_hold_all_rows_once_and_stop_somewhere():
    cells = np.sort(np.random.default_rng(2).integers(0, 12 << 58, 5000))
    files = hats.partition(cells, 300)
    taken = np.concatenate([np.arange(part.start, part.stop) for _order, _pixel, part in files])
    np.testing.assert_array_equal(taken, np.arange(5000))
    assert all(part.stop - part.start <= 300 for _order, _pixel, part in files)
    same = np.full(1000, 7 << 50)
    ((order, _pixel, part),) = hats.partition(same, 10)
    assert (order, part) == (hats.DEEPEST_PARTITION, slice(0, 1000))


@pytest.mark.slow
def test_a_tree_goes_back_into_tables_of_any_form(tree, tmp_path, capsys):
    for name in ("a.parquet", "a.fits", "a.csv", "a.vot", "a.ecsv"):
        assert tool("refcat", "make", tree, "-o", tmp_path / name, "-q") == 0
        assert capsys.readouterr().out == f"{tmp_path / name}\n"
        again = refcat_files.read(tmp_path / name)
        np.testing.assert_allclose(by_identity(again)["ra"], by_identity(refcat_files.read(tree))["ra"], rtol=1e-15)
        assert str(again["pmra"].unit) == "mas / yr"


def test_other_columns_are_kept_when_asked_for(table, tmp_path):
    assert tool("refcat", "make", table, "-o", tmp_path / "tree", "--all-columns", "-q") == 0
    read = refcat_files.read(tmp_path / "tree", everything=True)
    np.testing.assert_array_equal(np.sort(read["ruwe"]), np.sort(stars()["ruwe"]))
    assert "ruwe" not in refcat_files.read(tmp_path / "tree").colnames


def test_only_another_tree_is_replaced(table, tmp_path, capsys):
    target = tmp_path / "tree"
    line = ("refcat", "make", table, "-o", target, "-q")
    assert tool(*line, "--rows", 100) == 0
    before = sorted(target.rglob("*"))
    assert tool(*line) == 1
    assert "exists already" in capsys.readouterr().err
    assert sorted(target.rglob("*")) == before
    assert tool(*line, "--overwrite") == 0
    assert len(list(target.rglob("*.parquet"))) < 10
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("dear")
    assert tool("refcat", "make", table, "-o", mine, "--overwrite") == 1
    assert "not a reference catalog" in capsys.readouterr().err
    assert (mine / "letter.txt").read_text() == "dear"
    assert tool("refcat", "make", target, "-o", target, "--overwrite") == 2
    assert {path.name for path in tmp_path.iterdir()} == {"tree", "mine"}


def test_a_tree_that_cannot_be_finished_leaves_nothing(table, tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(hats, "_properties", full)
    assert tool("refcat", "make", table, "-o", tmp_path / "tree") == 1
    assert "cannot be written (no space left on device)" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_reference_catalog_is_refused(tmp_path, capsys):
    (tmp_path / "a.csv").write_text("label,flux\n1,2\n")
    (tmp_path / "tree").mkdir()
    for name, says in (
        ("a.csv", "no column is known"),
        ("tree", "partition_info.csv"),
        ("none.parquet", "no such file"),
    ):
        for line in (("info", tmp_path / name), ("make", tmp_path / name, "-o", tmp_path / "out")):
            assert tool("refcat", *line) == 3
            captured = capsys.readouterr()
            assert captured.out == ""
            assert says in captured.err
            assert len(captured.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


# -- cut, info --------------------------------------------------------------------------------------------------------


def test_cut_around_files_holds_every_star_in_their_footprints(tree, simulated, tmp_path, capsys):
    exposure = simulated[0].with_name("x_uncal.asdf")
    corners = cones.corners_of(exposure)
    ra, dec, radius = cones.around(corners, 60.0)
    assert np.all(separation(*corners.T, ra, dec) <= radius - 59.9 / 3600)
    assert radius < 0.03  # 256 pixels and a margin of an arcminute
    everywhere = stars(3000, radius=0.05, ra0=corners[0, 0], dec0=corners[0, 1])
    everywhere.write(tmp_path / "all.ecsv")
    assert tool("refcat", "cut", tmp_path / "all.ecsv", "--file", exposure, "-o", tmp_path / "cut.parquet") == 0
    kept = refcat_files.read(tmp_path / "cut.parquet")
    assert len(kept) == np.count_nonzero(separation(everywhere["RA"], everywhere["Dec"], ra, dec) <= radius)
    assert 0 < len(kept) < 3000
    capsys.readouterr()
    assert tool("refcat", "cut", tree, "--cone", "0,20,0.2", "--limit", 15, "-o", "-") == 0
    (tmp_path / "stdout.ecsv").write_text(capsys.readouterr().out)
    read = refcat_files.read(tmp_path / "stdout.ecsv")
    assert len(read) > 0
    assert read["phot_g_mean_mag"].max() < 15


def test_a_cone_around_points_crosses_0_and_the_pole():
    for corners in ([[359.9, 1], [0.1, 1], [0.1, -1], [359.9, -1]], [[0, 89.9], [120, 89.9], [240, 89.9]]):
        ra, dec, radius = cones.around(np.array(corners, float), 0.0)
        assert separation(*np.array(corners, float).T, ra, dec).max() <= radius + 1e-12
        assert radius < 1.1
    with pytest.raises(InputError, match="too far apart"):
        cones.around(np.array([[0.0, 0], [180.0, 0], [90.0, 0], [270.0, 0]]), 0.0)


@pytest.mark.parametrize("text", ["1,2", "a,b,c", "1,2,0", "1,95,1", "nan,0,1"])
def test_cones_that_are_none_are_refused(text):
    with pytest.raises(UsageError, match="cone"):
        cones.parse(text)


def test_info_counts_and_describes(table, tree, capsys):
    assert tool("refcat", "info", table, tree, "--json") == 0
    one, two = map(json.loads, capsys.readouterr().out.splitlines())
    assert (one["form"], two["form"]) == ("table", "HATS tree")
    assert one["rows"] == two["rows"] == 2000
    assert two["files"] == len(list(tree.rglob("*.parquet")))
    assert one["magnitude"] == [stars()["phot_g_mean_mag"].min(), stars()["phot_g_mean_mag"].max()]
    assert one["other_columns"] == ["ruwe"]
    assert one["ref_epoch"] == [2016, 2016]
    assert separation(*one["cone"][:2], 359.9, 20) < 0.1
    assert tool("refcat", "info", tree) == 0
    assert "rows\t2000" in capsys.readouterr().out


# -- what Gaia would list ---------------------------------------------------------------------------------------------


def test_errors_grow_with_magnitude_as_published():
    errors = gaia.errors_at([13.0, 15.0, 17.0, 20.0, 21.0])
    np.testing.assert_allclose(errors["ra"], [0.02, 0.02, 0.05, 0.4, 1.0])
    np.testing.assert_allclose(errors["pmra"], [0.03, 0.03, 0.07, 0.5, 1.4])
    assert np.all(np.diff(gaia.errors_at(np.linspace(15, 21, 50))["parallax"]) > 0)


def field(count=4000):
    rng = np.random.default_rng(5)
    ra, dec = 10 + rng.uniform(-0.5, 0.5, count), -60 + rng.uniform(-0.3, 0.3, count)
    return ra, dec, rng.uniform(14, 21, count)


def test_exact_stars_are_at_their_true_places_at_the_epoch():
    ra, dec, magnitude = field()
    listed = gaia.listed(ra, dec, magnitude, 2027.4, seed=1, exact=True)
    there = refcat.propagate(refcat.from_table(listed), 2027.4)
    order = np.lexsort((ra, dec))
    assert separation(there.ra, there.dec, ra[order], dec[order]).max() * 3.6e6 < 1e-5
    moved = separation(listed["ra"], listed["dec"], there.ra, there.dec) * 3.6e6
    assert 50 < np.median(moved) < 300  # 11.4 years at about 8 mas/yr along either axis


def test_drawn_errors_are_those_that_the_catalog_says():
    ra, dec, magnitude = field()
    exact = gaia.listed(ra, dec, magnitude, 2027.4, seed=1, exact=True)
    drawn = gaia.listed(ra, dec, magnitude, 2027.4, seed=1)
    for name in ("parallax", "pmra", "pmdec", "dec"):
        unit = 3.6e6 if name == "dec" else 1.0
        pull = (drawn[name] - exact[name]) * unit / drawn[f"{name}_error"]
        assert abs(pull.mean()) < 4 / np.sqrt(pull.size)
        assert pull.std() == pytest.approx(1, abs=0.05)
    there = refcat.propagate(refcat.from_table(drawn), 2027.4)
    order = np.lexsort((ra, dec))
    pull = (there.ra - ra[order]) * np.cos(np.deg2rad(dec[order])) * 3.6e6 / there.ra_error
    assert pull.std() == pytest.approx(1, abs=0.05)


def test_the_draws_do_not_depend_on_the_order_of_stars():
    ra, dec, magnitude = field(50)
    one = gaia.listed(ra, dec, magnitude, 2027.4, seed=1)
    two = gaia.listed(ra[::-1], dec[::-1], magnitude[::-1], 2027.4, seed=1)
    other = gaia.listed(ra, dec, magnitude, 2027.4, seed=2)
    ties = [gaia.listed(ra[:2] * 0, dec[:2] * 0, magnitude[:2][::sign], 2027.4) for sign in (1, -1)]
    assert all(np.array_equal(ties[0][name], ties[1][name]) for name in ties[0])
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert not np.array_equal(one["pmra"], other["pmra"])


def test_a_catalog_of_a_truth_lists_its_stars_once(simulated, tmp_path, capsys):
    truth, sources = simulated
    target = tmp_path / "gaia.parquet"
    assert tool("refcat", "from-truth", truth, truth, "-o", target, "--exact") == 0
    assert capsys.readouterr().out == f"{target}\n"
    read = refcat_files.read(target)
    bright = (np.asarray(sources["type"]) == "star") & (np.asarray(sources["mag"]) < 21)
    assert len(read) == np.count_nonzero(bright)
    assert len(np.unique(read["source_id"])) == len(read)
    there = refcat.propagate(refcat.from_table(read), 2027.0)
    at = np.argsort(np.asarray(sources["dec"])[bright])
    places = (np.asarray(sources[name])[bright][at] for name in ("ra", "dec"))
    # the exposure beside it is of the first hours of 2027
    order = np.argsort(there.dec)
    assert separation(there.ra[order], there.dec[order], *places).max() * 3.6e6 < 0.1
    entry = json.loads(catalogs.read_catalog(target).meta["history.0"])
    assert entry["parameters"]["exact"] is True
    assert entry["inputs"] == [os.path.relpath(truth, target.parent)]


def test_the_epoch_is_never_made_up(simulated, tmp_path, capsys):
    alone = tmp_path / "y_truth.ecsv"
    alone.write_bytes(simulated[0].read_bytes())
    line = ("refcat", "from-truth", alone, "-o", tmp_path / "gaia")
    assert tool(*line) == 3
    assert "--epoch" in capsys.readouterr().err
    assert tool(*line, "--epoch", 2027.5) == 0
    assert Path(tmp_path / "gaia" / "partition_info.csv").exists()
    assert tool("refcat", "from-truth", alone, "-o", tmp_path / "g2", "--epoch", 60000) == 2


# -- the archive ------------------------------------------------------------------------------------------------------


def archive(question, asked):
    """A client that answers as astroquery does: masked columns, units, other cases."""
    from astropy.table import MaskedColumn

    asked.append(question)
    table = stars(20, radius=0.05, ra0=10.0)
    table["pmRA"] = MaskedColumn(table["pmRA"], mask=np.arange(20) < 5, unit="arcsec/yr")
    return table


def test_a_download_asks_for_the_cone_and_is_a_reference_catalog():
    asked = []
    table = gaia_archive.download((10.0, 20.0, 0.1), limit=19.5, client=lambda question: archive(question, asked))
    (question,) = asked
    assert "FROM gaiadr3.gaia_source WHERE" in question
    assert "POINT(ra, dec), CIRCLE(10.000000000, 20.000000000, 0.100000000)" in question
    assert question.endswith("phot_g_mean_mag < 19.5")
    assert question.startswith("SELECT ra, dec, pmra, pmdec, parallax, ref_epoch, ra_error,")
    assert np.count_nonzero(np.isnan(table["pmra"])) == 5
    assert str(table["pmra"].unit) == "mas / yr"


def test_an_archive_that_does_not_answer_is_one_line():
    def silent(_question):
        raise ConnectionError("Max retries\nexceeded")

    with pytest.raises(RtoolsError, match=r"does not answer \(Max retries exceeded\); a local catalog"):
        gaia_archive.download((10.0, 20.0, 0.1), client=silent)


def test_without_astroquery_the_tool_says_how_to_get_it(tmp_path, monkeypatch, capsys):
    import sys

    monkeypatch.setitem(sys.modules, "astroquery", None)
    monkeypatch.setitem(sys.modules, "astroquery.gaia", None)
    assert tool("refcat", "download", "--cone", "10,20,0.1", "-o", tmp_path / "a.parquet") == 1
    captured = capsys.readouterr()
    assert "pip install 'roman-rtools[gaia]'" in captured.err
    assert captured.out == ""
    assert list(tmp_path.iterdir()) == []


def test_the_tool_writes_what_the_archive_answers(tmp_path, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(gaia_archive, "_astroquery", lambda: lambda question: archive(question, asked))
    target = tmp_path / "a.parquet"
    assert tool("refcat", "download", "--cone", "10,20,0.1", "-o", target, "-n") == 0
    assert asked == []
    assert "gaiadr3.gaia_source" in capsys.readouterr().out
    assert tool("refcat", "download", "--cone", "10,20,0.1", "-o", target) == 0
    assert len(asked) == 1
    assert len(refcat_files.read(target)) == 20
    assert tool("refcat", "download", "--cone", "10,20,0.1", "-o", target) == 1
    assert len(asked) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("cut", "TABLE", "-o", "OUT"),
        ("cut", "TABLE", "--cone", "1,2,3", "--file", "x", "-o", "OUT"),
        ("make", "TABLE", "-o", "-", "--format", "hats"),
        ("make", "TABLE"),
        ("download", "-o", "OUT"),
    ],
)
def test_what_does_not_go_together_is_refused(table, tmp_path, words, capsys):
    filled = [{"TABLE": table, "OUT": tmp_path / "out"}.get(word, word) for word in words]
    assert tool("refcat", *filled) == 2
    assert capsys.readouterr().out == ""
    assert list(tmp_path.iterdir()) == []
