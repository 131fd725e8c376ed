"""Reference stars and where they are at an epoch: proper motion, parallax, growth of errors. No network, ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.wfi.sphere import angles_to_vectors, from_plane, positions_of
from rtools.wfi.times import JD_OF_MJD_0, MJD_OF_J2000, TT_MINUS_UTC_DAYS
from rtools.wfi.units import MAS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["COLUMNS", "Places", "RefCat", "earth_position", "from_table", "julian_year", "moved", "propagate", "take"]

UNKNOWN_POSITION_MAS = 1.0
UNKNOWN_MOTION_MAS = 10.0
UNKNOWN_PARALLAX_MAS = 1.0
"""Errors [mas, mas/yr] of what a row does not say; stars of Gaia's magnitudes move 10 mas/yr and lie at 1 kpc."""


class RefCat(NamedTuple):
    """Arrays of one length, NaN for what is not known; Gaia's columns.

    Attributes
    ----------
    ra, dec : ndarray float64
        ICRS, degrees, at `ref_epoch`.
    pmra, pmdec : ndarray float64
        Proper motion in right ascension (times cos dec) and declination, mas/yr.
    parallax : ndarray float64
        mas.
    ref_epoch : ndarray float64
        Julian year; NaN: the positions are those of whatever epoch is asked for.
    ra_error, dec_error, pmra_error, pmdec_error, parallax_error : ndarray float64
        mas, mas/yr; `ra_error` is times cos dec.
    phot_g_mean_mag : ndarray float64
        Magnitude in Gaia's G band.
    source_id : ndarray
        Whole numbers or text.
    """

    ra: np.ndarray
    dec: np.ndarray
    pmra: np.ndarray
    pmdec: np.ndarray
    parallax: np.ndarray
    ref_epoch: np.ndarray
    ra_error: np.ndarray
    dec_error: np.ndarray
    pmra_error: np.ndarray
    pmdec_error: np.ndarray
    parallax_error: np.ndarray
    phot_g_mean_mag: np.ndarray
    source_id: np.ndarray


COLUMNS = RefCat._fields


class Places(NamedTuple):
    """Positions at one epoch, float64 (n,).

    Attributes
    ----------
    ra, dec : ndarray
        Degrees.
    ra_error, dec_error : ndarray
        mas; `ra_error` is times cos dec.
    """

    ra: np.ndarray
    dec: np.ndarray
    ra_error: np.ndarray
    dec_error: np.ndarray


def from_table(table: Any) -> RefCat:
    """The `RefCat` of a table, or of a dict of arrays, with (some of) its columns in its units.

    Parameters
    ----------
    table : astropy.table.Table, or mapping of str to array
        `ra` and `dec` are needed; `rtools.products.refcat.files.read` gives the names and units.

    Returns
    -------
    RefCat
        NaN for columns that the table does not have; without identifiers, the rows are numbered.
    """
    names = getattr(table, "colnames", None) or list(table)
    count = len(table["ra"])
    columns = {
        name: np.array(np.ma.filled(np.ma.asarray(table[name], float), np.nan)) if name in names else _unknown(count)
        for name in COLUMNS[:-1]
    }
    identity = np.asarray(table["source_id"]) if "source_id" in names else np.arange(count)
    return RefCat(**columns, source_id=identity)


def _unknown(count):
    return np.full(count, np.nan)


def take(refcat: RefCat, rows: np.ndarray | slice) -> RefCat:
    """Some rows of a `RefCat`.

    Parameters
    ----------
    refcat : RefCat
        Not changed.
    rows : ndarray or slice
        Index, mask or slice.

    Returns
    -------
    RefCat
        Of these rows.
    """
    return RefCat(*(column[rows] for column in refcat))


def julian_year(mjd: ArrayLike) -> Any:
    """Julian year (2016.0 …) of a date.

    Parameters
    ----------
    mjd : float or array_like of float
        Modified Julian Date, UTC.

    Returns
    -------
    float or ndarray float64
        Years, in TT.
    """
    return 2000 + (np.asarray(mjd) + TT_MINUS_UTC_DAYS - MJD_OF_J2000) / 365.25


def earth_position(epoch: float) -> np.ndarray:
    """Barycentric position of the Earth by the built-in ephemeris of ERFA.

    Parameters
    ----------
    epoch : float
        Julian year.

    Returns
    -------
    ndarray float64 (3,)
        au, ICRS axes.
    """
    import erfa

    return np.array(erfa.epv00(JD_OF_MJD_0, MJD_OF_J2000 + (epoch - 2000) * 365.25)[1]["p"])


def propagate(refcat: RefCat, epoch: float, earth: ArrayLike | None = None) -> Places:
    """Positions of reference stars at an epoch, and their errors there.

    With r the unit vector at `ref_epoch`, e and n its directions east and north, E the observer's place in au and t
    the years between: r' = r + t (pmra e + pmdec n) - parallax ((E·e) e + (E·n) n), made a unit vector again.

    Parameters
    ----------
    refcat : RefCat
        A star without proper motion stays where it is, and its error grows by 10 mas/yr.
    epoch : float
        Julian year.
    earth : array_like of float (3,), optional
        Barycentric place of the observer, au; by default that of the Earth.

    Returns
    -------
    Places
        In the order of the rows.
    """
    earth = earth_position(epoch) if earth is None else np.asarray(earth, float)
    years = np.where(np.isnan(refcat.ref_epoch), 0.0, epoch - refcat.ref_epoch)
    ra, dec = np.deg2rad(refcat.ra), np.deg2rad(refcat.dec)
    east = np.stack([-np.sin(ra), np.cos(ra), np.zeros(len(ra))], axis=-1)
    north = np.stack([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)], axis=-1)
    # where the observer is seen from the star: the displacement by 1 mas of parallax
    factors = {"ra": -(east @ earth), "dec": -(north @ earth)}
    away = {
        "ra": years * np.nan_to_num(refcat.pmra) + factors["ra"] * np.nan_to_num(refcat.parallax),
        "dec": years * np.nan_to_num(refcat.pmdec) + factors["dec"] * np.nan_to_num(refcat.parallax),
    }
    unit = angles_to_vectors(ra, dec)
    moved = unit + MAS * (away["ra"][:, None] * east + away["dec"][:, None] * north)
    errors = [_grown_error(refcat, axis, years, factors[axis]) for axis in ("ra", "dec")]
    return Places(*positions_of(moved), *errors)


def moved(stars: RefCat, epoch: float) -> Places:
    """Positions at an epoch by proper motion alone, as catalogs are compared: seen from the Sun, nothing guessed.

    Parameters
    ----------
    stars : RefCat
        A row without proper motion or epoch stays where it is.
    epoch : float
        Julian year; NaN: all stay where they are.

    Returns
    -------
    Places
        In the order of the rows. Errors grow by those of the proper motions; one that is not known stays so.
    """
    years = np.nan_to_num(epoch - stars.ref_epoch)
    known = np.isfinite(stars.pmra) & np.isfinite(stars.pmdec)
    east, north = (MAS * years * np.where(known, motion, 0.0) for motion in (stars.pmra, stars.pmdec))
    # in the plane that touches the sphere at the star the way is straight: r + t (pmra e + pmdec n)
    ra, dec = from_plane(east, north, (stars.ra, stars.dec))
    rest = (east == 0) & (north == 0)
    ra, dec = np.where(rest, stars.ra, ra), np.where(rest, stars.dec, dec)
    errors = [
        np.hypot(error, years * np.where(known, np.nan_to_num(growth), 0.0))
        for error, growth in ((stars.ra_error, stars.pmra_error), (stars.dec_error, stars.pmdec_error))
    ]
    return Places(ra, dec, *errors)


def _grown_error(refcat, axis, years, factor):
    """Error of a coordinate at the epoch, mas; correlations of the catalog are not used."""
    start = _or_else(getattr(refcat, f"{axis}_error"), UNKNOWN_POSITION_MAS)
    known = ~np.isnan(getattr(refcat, f"pm{axis}"))
    motion = _or_else(np.where(known, getattr(refcat, f"pm{axis}_error"), UNKNOWN_MOTION_MAS), 0.0)
    measured = ~np.isnan(refcat.parallax)
    parallax = _or_else(np.where(measured, refcat.parallax_error, UNKNOWN_PARALLAX_MAS), 0.0)
    undated = np.isnan(refcat.ref_epoch) & ~measured  # positions said to be those of the exposure
    return np.sqrt(start**2 + (years * motion) ** 2 + np.where(undated, 0.0, factor * parallax) ** 2)


def _or_else(values, default):
    return np.where(np.isnan(values), default, values)
