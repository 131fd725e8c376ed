"""What somebody wants of a catalog on a first day: one or two commands that the help and the docs name."""

import csv
import json

import numpy as np
import pytest
from astropy import units
from astropy.table import Table

from rtools.products.tables import stage_catalog
from tests.support.small_files import tool

ROWS = 60


def catalog(path, seed):
    """A small catalog with the archive's names."""
    chance = np.random.default_rng(seed)
    place = np.random.default_rng(1)
    flux = np.geomspace(10, 1e5, ROWS)
    table = Table({"label": np.arange(1, ROWS + 1)})
    table["ra"] = (270 + place.uniform(-0.05, 0.05, ROWS)) * units.deg
    table["dec"] = (66 + place.uniform(-0.02, 0.02, ROWS)) * units.deg
    for name in ("psf_flux", "kron_flux"):
        table[name] = chance.normal(flux, 5).astype(np.float32) * units.nJy
        table[f"{name}_err"] = np.full(ROWS, 5, np.float32) * units.nJy
    table["is_extended"] = np.arange(ROWS) % 4 == 0
    for name in ("warning_flags", "image_flags", "psf_flags"):
        table[name] = (np.arange(ROWS) % 7 == 0).astype(np.int32)
    stage_catalog(path, table, "parquet").commit()
    return path, table


@pytest.fixture
def made(tmp_path):
    return catalog(tmp_path / "x_cat.parquet", 2)


def test_the_twenty_brightest_stars_in_magnitudes_with_errors(made, capsys):
    path, table = made
    words = ("--where", "not is_extended and psf_flags == 0", "--sort", "psf_abmag", "--head", 20)
    columns = ("--columns", "label,ra,dec,psf_abmag,psf_abmag_err")
    assert tool("table", path, "--flux-unit", "ABmag", *words, *columns) == 0
    found = [line.split("\t") for line in capsys.readouterr().out.splitlines()[1:]]
    stars = table[~table["is_extended"] & (table["psf_flags"] == 0)]
    stars = stars[np.argsort(-stars["psf_flux"])][:20]
    assert [int(row[0]) for row in found] == stars["label"].tolist()
    wanted = stars["psf_flux"].data.astype(float) * units.nJy
    np.testing.assert_allclose([float(row[3]) for row in found], wanted.to_value(units.ABmag), atol=1e-3)
    np.testing.assert_allclose([float(row[4]) for row in found], 1.0857 * 5 / wanted.value, rtol=0.05)


def test_colours_of_the_sources_in_two_filters(made, tmp_path):
    red, red_table = catalog(tmp_path / "red_cat.parquet", 3)
    words = ("--suffixes", "_f106,_f158", "--add", "colour = mag(psf_flux_f106) - mag(psf_flux_f158)")
    assert tool("match", made[0], red, *words, "-o", tmp_path / "colours.ecsv", "-q") == 0
    found = Table.read(tmp_path / "colours.ecsv")
    blue = made[1]["psf_flux"].data.astype(float)[found["label_f106"] - 1]
    np.testing.assert_array_equal(found["label_f106"], found["label_f158"])
    np.testing.assert_allclose(
        found["colour"],
        -2.5 * np.log10(blue / red_table["psf_flux"].data.astype(float)[found["label_f158"] - 1]),
        atol=1e-9,
    )


def test_what_is_well_measured_goes_to_csv(made, tmp_path):
    condition = "kron_flux/kron_flux_err > 10 and warning_flags == 0 and not has(image_flags, REPLACED)"
    assert tool("table", made[0], "--where", condition, "-o", tmp_path / "good.csv", "-q") == 0
    with open(tmp_path / "good.csv", newline="") as file:
        found = [int(row["label"]) for row in csv.DictReader(file)]
    table = made[1]
    good = (
        (table["kron_flux"] / table["kron_flux_err"] > 10) & (table["warning_flags"] == 0) & (table["image_flags"] == 0)
    )
    assert found == table["label"][good].tolist()


def test_results_in_pandas_astropy_and_topcat(made, tmp_path):
    path, table = made
    for name in ("x.vot", "x.fits", "x.ecsv", "x.json"):
        assert tool("table", path, "-o", tmp_path / name, "-q") == 0
    for name in ("x.vot", "x.fits", "x.ecsv"):
        read = Table.read(tmp_path / name)
        np.testing.assert_array_equal(read["psf_flux"], table["psf_flux"])
        assert read["psf_flux"].unit == units.nJy
    rows = json.loads((tmp_path / "x.json").read_text())
    assert [row["label"] for row in rows] == table["label"].tolist()
