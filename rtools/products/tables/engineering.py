"""Engineering tables: what the spacecraft said of its attitude, and when.

A table has a column of times (``time``: ISO, UTC, or a Modified Julian Date) and a column for each mnemonic; a row in
which a quaternion is not complete, zero, or a placeholder (-999999) says nothing of it.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.products.tables.files import read_catalog
from rtools.wfi.units import DAY_S

__all__ = ["BODY", "FGS", "Attitudes", "during", "read_attitudes"]

BODY = tuple(f"SCF_AC_SDR_QBJ_{number}" for number in range(1, 5))
"""Quaternion from ECI to body, the scalar last."""

FGS = tuple(f"SCF_AC_EST_FGS_QBR_{number}" for number in range(1, 5))
"""Quaternion from body to FGS."""

LARGEST = 1.01
"""A component beyond this is not one of a quaternion."""

TIMES = ("time", "obstime", "thetime", "mjd")


class Attitudes(NamedTuple):
    """Samples in the order of time: `mjd` (n,) and `quaternion` (n, 4)."""

    mjd: np.ndarray
    quaternion: np.ndarray


def read_attitudes(path: str | Path) -> tuple[Attitudes, Attitudes]:
    """Both quaternions of an engineering table.

    Parameters
    ----------
    path : str or Path
        ECSV, CSV, parquet, FITS or VOTable; names in any case.

    Returns
    -------
    (Attitudes, Attitudes)
        ECI to body, body to FGS; the latter is empty where the table has none.

    Raises
    ------
    InputError
        It cannot be read, or lacks times or the first quaternion.
    """
    table = read_catalog(path)
    names = {name.lower(): name for name in table.colnames}
    mjd = _times(table, names, path)
    lacking = [word for word in BODY if word.lower() not in names]
    if lacking:
        raise InputError(f"has no column {', '.join(lacking)}", path=path)
    empty = Attitudes(np.zeros(0), np.zeros((0, 4)))
    fgs = _samples(table, names, FGS, mjd, path) if all(word.lower() in names for word in FGS) else empty
    return _samples(table, names, BODY, mjd, path), fgs


def during(attitudes: Attitudes, start: float, end: float, tolerance: float) -> Attitudes:
    """The samples within an interval; of fewer than two the neighbours on either side, too.

    Parameters
    ----------
    attitudes : Attitudes
        Of a longer time, as `read_attitudes` gives them.
    start, end : float
        Modified Julian Dates.
    tolerance : float
        Seconds by which a neighbour may be outside.

    Returns
    -------
    Attitudes
        Views of the samples.
    """
    mjd = attitudes.mjd
    first, stop = int(np.searchsorted(mjd, start, "left")), int(np.searchsorted(mjd, end, "right"))
    if stop - first < 2:
        reach = tolerance / DAY_S
        first -= int(first > 0 and mjd[first - 1] >= start - reach)
        stop += int(stop < len(mjd) and mjd[min(stop, len(mjd) - 1)] <= end + reach)
    return Attitudes(mjd[first:stop], attitudes.quaternion[first:stop])


def _samples(table, names, words, mjd, path):
    columns: list[np.ndarray]
    try:
        columns = [np.ma.filled(np.ma.asarray(table[names[word.lower()]], float), np.nan) for word in words]
    except (TypeError, ValueError):
        raise InputError(f"{words[0]} … hold text where numbers belong", path=path) from None
    quaternion = np.stack(columns, axis=-1)
    used = np.all(np.abs(quaternion) <= LARGEST, axis=1) & np.any(quaternion != 0, axis=1) & np.isfinite(mjd)
    order = np.flatnonzero(used)[np.argsort(mjd[used], kind="stable")]
    return Attitudes(mjd[order], quaternion[order])


def _times(table, names, path):
    """Modified Julian Dates, UTC."""
    from astropy.time import Time

    if "time.jd1" in names and "time.jd2" in names:
        return np.asarray(table[names["time.jd1"]]) - 2400000.5 + np.asarray(table[names["time.jd2"]])
    name = next((names[word] for word in TIMES if word in names), None)
    if name is None:
        raise InputError(f"has no column of times ({', '.join(TIMES)})", path=path)
    column = table[name]
    if column.dtype.kind == "f" and column.shape[1:] == (2,):  # as astropy writes times to FITS
        return np.asarray(column[:, 0]) - 2400000.5 + np.asarray(column[:, 1])
    if column.dtype.kind in "fiu":
        values: np.ndarray = np.ma.filled(np.ma.asarray(column, float), np.nan)
        if np.any((values < 40000) | (values > 100000)):
            raise InputError(f"{name} is not a Modified Julian Date", mend="write ISO times", path=path)
        return values
    try:
        return Time(np.char.rstrip(np.asarray(column, str), "Z"), scale="utc").mjd
    except (TypeError, ValueError):
        raise InputError(
            f"{name} has times that are not valid", mend="write YYYY-MM-DDThh:mm:ss.sss", path=path
        ) from None
