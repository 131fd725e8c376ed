"""Reference stars: their places at an epoch, and the files they come from."""

import numpy as np
import pytest

from rtools.astrometry import refcat
from rtools.errors import InputError
from rtools.products.refcat import files as refcat_files
from rtools.wfi.sphere import separation
from tests.support.share import some_slow

EPOCH = 2027.4


def catalog(count=200, seed=1, fastest=1000.0):
    rng = np.random.default_rng(seed)
    return {
        "ra": rng.uniform(0, 360, count),
        "dec": np.rad2deg(np.arcsin(rng.uniform(-0.999, 0.999, count))),
        "pmra": rng.uniform(-fastest, fastest, count),
        "pmdec": rng.uniform(-fastest, fastest, count),
        "parallax": rng.uniform(0.1, 100, count),
        "ref_epoch": rng.choice([2015.5, 2016.0], count),
    }


def test_places_are_those_of_astropy():
    """Straight motion in space and the Earth's place, in Cartesian coordinates."""
    from astropy import units
    from astropy.coordinates import CartesianRepresentation, Distance, SkyCoord, get_body_barycentric
    from astropy.time import Time

    told = catalog()
    at = refcat.propagate(refcat.from_table(told), EPOCH)
    star = SkyCoord(
        told["ra"] * units.deg,
        told["dec"] * units.deg,
        distance=Distance(parallax=told["parallax"] * units.mas),
        pm_ra_cosdec=told["pmra"] * units.mas / units.yr,
        pm_dec=told["pmdec"] * units.mas / units.yr,
        radial_velocity=np.zeros(200) * units.km / units.s,
    )
    epoch = Time(EPOCH, format="jyear", scale="tdb")
    begin = Time(told["ref_epoch"], format="jyear", scale="tdb")
    then = star.cartesian.without_differentials().xyz + star.velocity.d_xyz * (epoch - begin)
    earth = get_body_barycentric("earth", epoch, ephemeris="builtin").xyz
    expected = SkyCoord(CartesianRepresentation(then - earth[:, None])).spherical
    mas = 3.6e6
    miss = np.stack(
        [
            ((at.ra - expected.lon.deg + 180) % 360 - 180) * np.cos(np.deg2rad(at.dec)) * mas,
            (at.dec - expected.lat.deg) * mas,
        ]
    )
    assert np.abs(miss).max() < 0.01


def test_proper_motions_alone_move_stars_as_astropy_does():
    from astropy import units
    from astropy.coordinates import SkyCoord
    from astropy.time import Time

    told = catalog()
    told |= {"ra_error": np.full(200, 3.0), "pmra_error": np.full(200, 0.4)}
    told["pmra"][:2], told["ref_epoch"][2:4] = np.nan, np.nan
    at = refcat.moved(refcat.from_table(told), EPOCH)
    motion = {"pm_ra_cosdec": told["pmra"] * units.mas / units.yr, "pm_dec": told["pmdec"] * units.mas / units.yr}
    begin = Time(np.nan_to_num(told["ref_epoch"], nan=2016.0), format="jyear")
    far = np.full(200, 1000.0) * units.pc
    star = SkyCoord(told["ra"] * units.deg, told["dec"] * units.deg, distance=far, obstime=begin, **motion)[4:]
    expected = star.apply_space_motion(Time(EPOCH, format="jyear"))
    assert np.max(separation(at.ra[4:], at.dec[4:], expected.ra.deg, expected.dec.deg)) * 3.6e6 < 0.01
    np.testing.assert_array_equal([at.ra[:4], at.dec[:4]], [told["ra"][:4], told["dec"][:4]])
    np.testing.assert_allclose(at.ra_error[4:], np.hypot(3, 0.4 * (EPOCH - told["ref_epoch"][4:])))
    assert (at.ra_error[:4] == 3).all() and np.isnan(at.dec_error).all()
    np.testing.assert_array_equal(refcat.moved(refcat.from_table(told), np.nan).ra, told["ra"])


def test_the_earth_is_where_astropy_has_it():
    from astropy.coordinates import get_body_barycentric
    from astropy.time import Time

    expected = get_body_barycentric("earth", Time(EPOCH, format="jyear", scale="tdb"), ephemeris="builtin")
    np.testing.assert_allclose(refcat.earth_position(EPOCH), expected.xyz.to_value("au"), atol=1e-9)
    np.testing.assert_allclose(refcat.julian_year(Time(EPOCH, format="jyear", scale="tdb").utc.mjd), EPOCH, atol=1e-9)


def test_the_parallax_is_seen_from_where_the_observer_is():
    star = refcat.from_table({"ra": [0.0], "dec": [0.0], "parallax": [100.0]})
    at = refcat.propagate(star, 2020.0, earth=[0, 2.0, 0])
    np.testing.assert_allclose((at.ra - 360) * 3.6e6, -200, rtol=1e-9)


def test_errors_grow_with_the_time_from_the_epoch():
    star = {
        "ra": [10.0, 10, 10],
        "dec": [5.0, 5, 5],
        "ref_epoch": [2016.0] * 3,
        "pmra": [1.0, np.nan, 1],
        "pmdec": [1.0, np.nan, 1],
        "parallax": [1.0, np.nan, 1],
        "ra_error": [0.3, 0.3, np.nan],
        "dec_error": [0.3, 0.3, np.nan],
        "pmra_error": [0.1, np.nan, 0.1],
        "pmdec_error": [0.2, np.nan, 0.1],
        "parallax_error": [0.0, np.nan, 0.0],
    }
    at = refcat.propagate(refcat.from_table(star), 2026.0)
    np.testing.assert_allclose(at.ra_error[0], np.hypot(0.3, 1.0))
    np.testing.assert_allclose(at.dec_error[0], np.hypot(0.3, 2.0))
    assert 100 <= at.ra_error[1] < 100.02  # 10 mas/yr where the motion is unknown
    np.testing.assert_allclose(at.ra_error[2], np.hypot(1, 1))


def test_positions_without_epoch_stay():
    at = refcat.propagate(refcat.from_table({"ra": [1.0, 359.9], "dec": [-3.0, 4]}), EPOCH)
    np.testing.assert_allclose(at.ra, [1, 359.9], rtol=0, atol=1e-12)
    np.testing.assert_allclose(at.dec, [-3, 4], rtol=0, atol=1e-12)
    np.testing.assert_allclose(at.ra_error, 1)


def test_masked_values_are_unknown():
    values = np.ma.array([1.0, 2.0], mask=[False, True])
    stars = refcat.from_table({"ra": [1.0, 2], "dec": [1.0, 2], "pmra": values, "source_id": [5, 6]})
    assert stars.pmra[0] == 1
    assert np.isnan(stars.pmra[1])
    assert refcat.take(stars, [1]).source_id.tolist() == [6]


# -- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["stars.ecsv", "stars.csv", "stars.fits", "stars.parquet"])
def test_table_with_names_in_any_case(tmp_path, name):
    from astropy.table import Table

    from rtools.products.names.extensions import table_form
    from rtools.products.tables.files import stage_catalog

    stars = Table({"RA": [10.0, 20.0], "Dec": [1.0, -2.0], "PMRA": [3.0, np.nan], "objID": [7, 8], "extra": [1, 2]})
    stage_catalog(tmp_path / name, stars, table_form(name)).commit()
    table = refcat_files.read(tmp_path / name)
    assert table.colnames == ["ra", "dec", "pmra", "source_id"]
    assert table["source_id"].tolist() == [7, 8]
    assert str(table["pmra"].unit) == "mas / yr"
    np.testing.assert_array_equal(table["pmra"], [3, np.nan])
    assert "extra" in refcat_files.read(tmp_path / name, everything=True).colnames
    assert refcat_files.read(tmp_path / name, (20.5, -2.0, 1.0))["ra"].tolist() == [20]
    assert len(refcat_files.read(tmp_path / name, (100, 0, 1))) == 0


def test_units_are_converted(tmp_path):
    from astropy import units
    from astropy.table import Table

    stars = Table({"ra": [600.0] * units.arcmin, "dec": [3600.0] * units.arcsec})
    stars["pmra"] = [0.002] * units.arcsec / units.yr
    stars["parallax"] = [5.0] * units.mas
    stars.write(tmp_path / "s.ecsv")
    table = refcat_files.read(tmp_path / "s.ecsv")
    assert [float(table[name][0]) for name in ("ra", "dec", "pmra", "parallax")] == pytest.approx([10, 1, 2, 5])
    stars["pmra"] = [1.0] * units.Jy
    stars.write(tmp_path / "bad.ecsv")
    with pytest.raises(InputError, match="pmra has the unit Jy"):
        refcat_files.read(tmp_path / "bad.ecsv")


def test_a_column_of_positions_is_read_as_ra_and_dec(tmp_path):
    from astropy import units
    from astropy.coordinates import SkyCoord
    from astropy.table import Table

    Table({"sky_centroid": SkyCoord([1, 2] * units.deg, [3, 4] * units.deg)}).write(tmp_path / "s.ecsv")
    table = refcat_files.read(tmp_path / "s.ecsv")
    np.testing.assert_allclose(table["ra"], [1, 2])
    np.testing.assert_allclose(table["dec"], [3, 4])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"x": [1.0], "y": [1.0]}, "no column is known"),
        ({"ra": [1.0], "dec": [100.0]}, "beyond 90"),
        ({"ra": [-999999.0], "dec": [1.0]}, "ra is beyond 360"),
        ({"ra": ["a"], "dec": [1.0]}, "no positions that can be read"),
        ({"ra": [1.0], "dec": [1.0], "ref_epoch": [57000.0]}, "not a Julian year"),
    ],
)
def test_no_reference_catalog(tmp_path, columns, message):
    from astropy.table import Table

    Table(columns).write(tmp_path / "s.ecsv")
    with pytest.raises(InputError, match=message):
        refcat_files.read(tmp_path / "s.ecsv")


def test_what_no_star_can_have_is_not_known(tmp_path):
    """Not a star that moves by a million mas a year, or is brighter than the Sun."""
    from astropy.table import Table

    columns = {"ra": [1.0, 2.0], "dec": [3.0, 4.0], "pmra": [-999999, 10393.0], "parallax": [1e20, 768.0],
               "ra_error": [-1.0, 0.0], "phot_g_mean_mag": [99.0, 15.0]}  # fmt: skip
    Table(columns).write(tmp_path / "s.ecsv")
    table = refcat_files.read(tmp_path / "s.ecsv")
    for name in ("pmra", "parallax", "ra_error", "phot_g_mean_mag"):
        assert np.isnan(table[name][0]) and table[name][1] == columns[name][1]


def tree(path, stars, order):
    """A HATS tree of one order, several row groups a file."""
    import pyarrow
    from astropy import units
    from astropy_healpix import HEALPix
    from pyarrow import parquet

    angles = stars["ra"] * units.deg, stars["dec"] * units.deg
    deep = HEALPix(nside=2**29, order="nested").lonlat_to_healpix(*angles)
    cells = deep >> 2 * (29 - order)
    lines = ["Norder,Npix"]
    for cell in np.unique(cells):
        rows = np.flatnonzero(cells == cell)
        rows = rows[np.argsort(deep[rows])]
        folder = path / "dataset" / f"Norder={order}" / f"Dir={cell // 10000 * 10000}"
        folder.mkdir(parents=True, exist_ok=True)
        columns = {"_healpix_29": deep[rows].astype(np.int64)} | {name: stars[name][rows] for name in stars}
        columns["solution_id"] = rows
        parquet.write_table(pyarrow.table(columns), folder / f"Npix={cell}.parquet", row_group_size=50)
        lines.append(f"{order},{cell}")
    (path / "partition_info.csv").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("order", [0, 2])
@pytest.mark.parametrize(
    "cone", some_slow([(0.02, 0.0, 4.0), (123.0, 88.0, 5.0), (45.0, -30.0, 0.3), (200.0, 10.0, 60.0)], 2)
)
def test_cone_of_a_hats_tree(tmp_path, order, cone):
    stars = catalog(3000)
    near = np.arange(100)  # some in the smallest cone
    stars["ra"][near], stars["dec"][near] = 45 + 0.01 * near / 2, -30 + 0.002 * near
    stars["source_id"] = np.arange(3000) + 2**60
    tree(tmp_path, stars, order)
    table = refcat_files.read(tmp_path, cone)
    expected = stars["source_id"][separation(stars["ra"], stars["dec"], *cone[:2]) <= cone[2]]
    assert len(expected) > 1
    assert sorted(table["source_id"].tolist()) == expected.tolist()
    assert "solution_id" not in table.colnames
    row = table["source_id"][0] - 2**60
    assert table["pmdec"][0] == stars["pmdec"][row]
    assert len(refcat_files.read(tmp_path)) == 3000
    assert "solution_id" in refcat_files.read(tmp_path, cone, everything=True).colnames


def test_what_lacks_in_a_tree_is_said(tmp_path):
    with pytest.raises(InputError, match="no partition_info"):
        refcat_files.read(tmp_path)
    (tmp_path / "partition_info.csv").write_text("Norder,Npix\n0,4\n")
    with pytest.raises(InputError, match="no such file"):
        refcat_files.read(tmp_path)
    assert len(refcat_files.read(tmp_path, (10.0, 85.0, 0.1))) == 0
    (tmp_path / "partition_info.csv").write_text("a,b\n0,4\n")
    with pytest.raises(InputError, match="Norder and Npix"):
        refcat_files.read(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        refcat_files.read(tmp_path / "nothing.parquet")
