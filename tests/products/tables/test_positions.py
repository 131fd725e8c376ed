"""Which columns of other people's tables are positions, and what they say."""

import numpy as np
import pytest
from astropy import units
from astropy.table import Column, MaskedColumn, Table

from rtools.errors import InputError, UsageError
from rtools.products.refcat import files as refcat_files
from rtools.products.tables import column_names, positions

VIZIER = ["_r", "RA_ICRS", "DE_ICRS", "Source", "e_RA_ICRS", "e_DE_ICRS", "Plx", "e_Plx", "PM", "pmRA", "e_pmRA",
          "pmDE", "e_pmDE", "RUWE", "Gmag", "BPmag", "_RAJ2000", "_DEJ2000"]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "pair"),
    [
        (["label", "ra", "dec"], ("ra", "dec")),
        (["RA", "Dec", "ra_centroid", "dec_centroid"], ("RA", "Dec")),
        (["RA_ICRS", "DE_ICRS", "_RAJ2000", "_DEJ2000"], ("RA_ICRS", "DE_ICRS")),
        (["_RAJ2000", "_DEJ2000", "Jmag"], ("_RAJ2000", "_DEJ2000")),
        (["RAJ2000", "DEJ2000", "e_RAJ2000"], ("RAJ2000", "DEJ2000")),
        (["RAdeg", "DEdeg"], ("RAdeg", "DEdeg")),
        (["RA(ICRS)", "DE(ICRS)"], ("RA(ICRS)", "DE(ICRS)")),
        (["_RA.icrs", "_DE.icrs"], ("_RA.icrs", "_DE.icrs")),
        (["NUMBER", "ALPHA_J2000", "DELTA_J2000"], ("ALPHA_J2000", "DELTA_J2000")),
        (["raMean", "decMean", "raMeanErr"], ("raMean", "decMean")),
        (["sky_centroid.ra", "sky_centroid.dec"], ("sky_centroid.ra", "sky_centroid.dec")),
        (["coord_ra", "coord_dec"], ("coord_ra", "coord_dec")),
        (["ra", "x", "DE_ICRS"], None),
    ],
)
def test_names_of_other_people(names, pair):
    assert column_names.sky_columns(names) == pair


def test_a_table_of_vizier_has_all_that_an_alignment_needs():
    found = column_names.find_columns(VIZIER)
    assert found == {
        "ra": "RA_ICRS", "dec": "DE_ICRS", "pmra": "pmRA", "pmdec": "pmDE", "parallax": "Plx",
        "ra_error": "e_RA_ICRS", "dec_error": "e_DE_ICRS", "pmra_error": "e_pmRA", "pmdec_error": "e_pmDE",
        "parallax_error": "e_Plx", "phot_g_mean_mag": "Gmag", "source_id": "Source",
    }  # fmt: skip


def test_what_was_asked_for_goes_before_what_is_found():
    asked = column_names.parse_columns("ra=_RAJ2000, dec=_DEJ2000,ref_epoch=2000")
    assert column_names.find_columns(VIZIER, asked)["ra"] == "_RAJ2000"
    assert column_names.constants_of(asked, VIZIER) == {"ref_epoch": 2000.0}
    with pytest.raises(InputError, match="no column RA_ICR; did you mean RA_ICRS"):
        column_names.find_columns(VIZIER, {"ra": "RA_ICR"})
    for text in ("ra", "ra=", "=x", "right=RA_ICRS"):
        with pytest.raises(UsageError, match="--columns"):
            column_names.parse_columns(text)


def test_no_positions_lists_the_columns():
    with pytest.raises(InputError, match=r"no column is known .*there are a, b; rt-table --add"):
        positions.read_positions(Table({"a": [1], "b": [2]}))


@pytest.mark.parametrize(
    ("ra", "unit", "degrees"),
    [
        ([270.1], None, 270.1),
        ([18.0], "hourangle", 270.0),
        ([np.pi], "rad", 180.0),
        ([16206.0], "arcmin", 270.1),
        (["18 00 24"], None, 270.1),
        (["18:00:24.0"], '"h:m:s"', 270.1),
        (["18h00m24s"], None, 270.1),
        (["270.1"], None, 270.1),
        (["270:06:00"], "deg", 270.1),
        ([-999999.0], None, np.nan),
        ([""], None, np.nan),
    ],
)
def test_units_and_texts_become_degrees(ra, unit, degrees):
    column = Column(ra)
    column.unit = None if unit is None else units.Unit(unit, parse_strict="silent")
    dec = Column(["-00 30 00"]) if column.dtype.kind == "U" else Column([-0.5], unit=units.deg)
    found = positions.read_positions(Table({"RAJ2000": column, "DEJ2000": dec}))
    np.testing.assert_allclose([found.ra[0], found.dec[0]], [degrees, degrees * 0 - 0.5], rtol=0, atol=1e-10)


def test_what_is_masked_or_no_position_is_not_known():
    table = Table({"RA": MaskedColumn([1.0, 2, 3], mask=[0, 1, 0]), "DEC": [4.0, 5, 99]})
    np.testing.assert_array_equal(positions.read_positions(table).ra, [1, np.nan, np.nan])
    with pytest.raises(InputError, match="ra holds no positions that can be read"):
        positions.read_positions(Table({"ra": ["up"], "dec": ["1"]}))
    with pytest.raises(InputError, match="ra has the unit s"):
        positions.read_positions(Table({"ra": Column([1.0], unit="s"), "dec": [1.0]}))


def test_the_epoch_is_read_where_vizier_writes_it(tmp_path):
    table = Table({"RA_ICRS": [1.0], "DE_ICRS": [2.0], "pmRA": [3.0], "pmDE": [4.0], "e_RA_ICRS": [0.1]})
    assert "ref_epoch" not in refcat_files.standard(table).colnames
    table["RA_ICRS"].description = "Right ascension (ICRS) at Ep=2016.0 (ra)"
    assert refcat_files.standard(table)["ref_epoch"].tolist() == [2016.0]
    assert refcat_files.standard(table, asked={"ref_epoch": "2015.5"})["ref_epoch"].tolist() == [2015.5]
    table.write(tmp_path / "gaia.vot", format="votable")
    read = refcat_files.read(tmp_path / "gaia.vot")
    assert read.colnames == ["ra", "dec", "pmra", "pmdec", "ra_error", "ref_epoch"]
