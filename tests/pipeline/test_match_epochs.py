"""Epochs of tables that are matched: where they are said, and where positions are taken."""

import numpy as np
import pytest
from astropy.table import Column, Table

from rtools.pipeline.catalog.match_epochs import at_one_epoch, read_stars
from rtools.pipeline.catalog.match_request import TableToMatch
from rtools.products.tables.column_names import parse_columns


def stars(*, columns="", description=None, meta=None, **more):
    ra = Column([10.0, 20.0], unit="deg", description=description)
    table = Table({"ra": ra, "dec": [1.0, 2.0], **more}, meta=meta)
    return read_stars(TableToMatch("x", table, parse_columns(columns) if columns else {}, None, "_1"), 1)


MOTION = {"pmra": [50.0, 50.0], "pmdec": [0.0, -999999.0]}
EXPOSURE = {
    "roman.meta.exposure.start_time": "2027-07-01T12:00:00.000",
    "roman.meta.exposure.end_time": "2027-07-01T12:02:00.000",
}


def test_an_epoch_stands_in_a_column_a_description_an_option_or_the_exposure():
    assert stars(ref_epoch=[2015.5, 2016.0]).epoch == 2015.75
    assert stars(description="Right ascension (ICRS) at Ep=2016.0").epoch == 2016.0
    assert stars(description="Right ascension (ICRS) at Ep=2016.0", columns="epoch=2017.25").epoch == 2017.25
    assert stars(meta=EXPOSURE).epoch == pytest.approx(2027.496, abs=1e-3)
    assert np.isnan(stars().epoch)


def test_numbers_that_are_typed_are_those_of_all_rows():
    found = stars(columns="pmra=3,pmdec=-4,ra_error=2", **MOTION)
    assert found.stars.pmra.tolist() == [3, 3] and found.stars.pmdec.tolist() == [-4, -4] and found.moves
    assert found.stars.ra_error.tolist() == [2, 2]
    assert np.isnan(stars(**MOTION).stars.pmdec[1])  # no star moves so


@pytest.mark.parametrize(
    ("first", "second", "asked", "common", "moved", "stays"),
    [
        ((2016.0, True), (2028.0, False), None, 2028.0, (True, False), (False, False)),
        ((2028.0, False), (2016.0, True), None, 2028.0, (False, True), (False, False)),
        ((2016.0, True), (2020.0, True), None, 2016.0, (False, True), (False, False)),
        ((2016.0, True), (2020.0, True), 2018.0, 2018.0, (True, True), (False, False)),
        ((2027.0, False), (2028.0, False), None, 2027.0, (False, False), (False, True)),
        ((2027.0, False), (2027.001, False), None, 2027.0, (False, False), (False, False)),
        ((None, False), (None, False), None, np.nan, (False, False), (False, False)),
        ((2028.0, False), (None, True), None, np.nan, (False, False), (True, True)),
    ],
)
def test_positions_are_taken_where_both_can_be(first, second, asked, common, moved, stays):
    tables = [
        stars(**({"ref_epoch": [year] * 2} if year else {}), **(MOTION if moves else {}))
        for year, moves in (first, second)
    ]
    one, two, epoch = at_one_epoch(*tables, asked)
    assert (epoch.moved, epoch.stays) == (moved, stays)
    np.testing.assert_equal(epoch.common, common)
    for (year, _moves), places, was in zip((first, second), (one, two), moved, strict=True):
        shift = (places.ra[0] - 10) * np.cos(np.deg2rad(1)) * 3.6e6
        assert shift == pytest.approx(50 * (common - year) if was else 0, abs=0.1)
