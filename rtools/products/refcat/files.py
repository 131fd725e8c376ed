"""Reference catalogs in files: a table of any format, or a HATS tree like the public copy of Gaia. No network.

A HATS tree is a directory with ``partition_info.csv`` (columns Norder, Npix) and
``dataset/Norder=k/Dir=⌊n/10000⌋·10000/Npix=n.parquet``, the sky in nested healpix cells. Names of columns are those of
`rtools.products.tables.positions` and come out as Gaia writes them; units are turned into degrees, mas and mas/yr,
which is also what a column without unit has.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError, about
from rtools.products.tables.column_names import QUANTITIES, constants_of, find_columns, missing_positions, parse_columns
from rtools.products.tables.files import read_catalog
from rtools.products.tables.parquet import from_arrow
from rtools.products.tables.parquet_files import parquet_source
from rtools.products.tables.positions import column_of, epoch_of
from rtools.wfi.sphere import separation

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable

__all__ = ["COLUMNS", "check", "is_tree", "partition_file", "partitions", "read", "standard"]

COLUMNS = QUANTITIES
"""Columns of a reference catalog and their units; `ra` and `dec` are needed."""

PARTITIONS = "partition_info.csv"
DEEPEST = 29
RANGES = 100
"""Most intervals of healpix numbers by which a cone is cut out of a partition before the exact cut."""

YEARS = (1900, 2200)


def is_tree(path: str | Path) -> bool:
    """Whether a path is a HATS tree (a directory).

    Parameters
    ----------
    path : str or Path
        A file or a directory.

    Returns
    -------
    bool
        True for any directory.
    """
    return Path(path).is_dir()


def read(
    path: str | Path,
    cone: tuple[float, float, float] | None = None,
    *,
    everything: bool = False,
    asked: Mapping[str, str] | None = None,
) -> AstropyTable:
    """Read a reference catalog, or the part of it in a cone.

    Parameters
    ----------
    path : str or Path
        A table (parquet, ECSV, CSV, FITS, VOTable) or the directory of a HATS tree.
    cone : tuple of float, optional
        Right ascension, declination, radius, in degrees.
    everything : bool
        Other columns, too, as they are.
    asked : mapping of str to str, optional
        Which columns mean what, as `rtools.products.tables.column_names.parse_columns` gives it.

    Returns
    -------
    astropy.table.Table
        Columns of `COLUMNS` that the file has, in these units, without the rows that have no position; NaN for what
        no star can have (`LIMITS`).

    Raises
    ------
    InputError
        Missing, unreadable, no reference catalog, or units that cannot be.
    """
    path = Path(path)
    table = _read_tree(path, cone, everything, asked) if is_tree(path) else read_catalog(path)
    table = standard(table, path, everything=everything, asked=asked)
    if cone is not None and len(table):
        table = table[separation(table["ra"], table["dec"], cone[0], cone[1]) <= cone[2]]
    return table


@lru_cache(maxsize=1)  # every exposure asks
def check(path: str | Path, columns: str | None = None) -> None:
    """Refuse what is not a reference catalog; of parquet files only names of columns are looked at.

    Parameters
    ----------
    path : str
        A file, or the directory of a tree.
    columns : str, optional
        Which columns mean what, as it is typed (`rtools.products.tables.column_names.parse_columns`).

    Raises
    ------
    InputError
        See `read`.
    """
    from astropy.table import Table
    from pyarrow import ArrowException, parquet

    asked = parse_columns(columns) if columns else None
    cells = partitions(path) if is_tree(path) else []
    files = (partition_file(Path(path), cell) for cell in cells) if is_tree(path) else iter([Path(path)])
    file = next((file for file in files if file.is_file()), None)  # perhaps only a part of a tree is here
    try:
        names = [] if file is None else parquet.read_schema(parquet_source(file)).names
    except (OSError, ArrowException):
        names = []
        if not is_tree(path):
            read(path, asked=asked)  # another format
    if names:
        standard(Table({name: np.zeros(0) for name in names}), path, asked=asked)


# -- HATS -------------------------------------------------------------------------------------------------------------


def partitions(path: str | Path) -> list[tuple[int, int]]:
    """The partitions of a HATS tree.

    Parameters
    ----------
    path : str or Path
        Directory of the tree.

    Returns
    -------
    list of (int, int)
        Healpix order and nested pixel, in the order of the listing.

    Raises
    ------
    InputError
        It is not a tree, or its listing cannot be read.
    """
    listing = Path(path) / PARTITIONS
    try:
        with open(listing, newline="", encoding="utf-8") as file:
            cells = [(int(row["Norder"]), int(row["Npix"])) for row in csv.DictReader(file, skipinitialspace=True)]
        if not all(0 <= order <= DEEPEST and 0 <= pixel < 12 * 4**order for order, pixel in cells):
            raise ValueError
        return cells
    except FileNotFoundError:
        raise InputError(f"not a reference catalog: it has no {PARTITIONS}", path=path) from None
    except (OSError, KeyError, TypeError, ValueError, UnicodeDecodeError):
        raise InputError("has no columns Norder and Npix that can be read", path=listing) from None


def _read_tree(path, cone, everything, asked):
    from astropy.table import Table, vstack

    cells = partitions(path)
    fine = None
    if cone is not None:
        finest = _order_of(cone)
        touched = {order: set(_cells(cone, order).tolist()) for order in {min(order, finest) for order, _ in cells}}
        cells = [cell for cell in cells if _ancestor(cell[0], cell[1], finest) in touched[min(cell[0], finest)]]
        fine = finest, _cells(cone, finest)
    tables = [
        _read_partition(partition_file(path, cell), (cell, fine), None if everything else asked or {}) for cell in cells
    ]
    filled = [table for table in tables if len(table)]
    if filled:
        return vstack(filled, metadata_conflicts="silent")
    return tables[0] if tables else Table({"ra": np.zeros(0), "dec": np.zeros(0)})


def _ancestor(order, pixel, coarsest):
    """The cell of an order that holds a smaller one; a larger one is its own."""
    return pixel >> 2 * max(0, order - coarsest)


def partition_file(path: Path, cell: tuple[int, int]) -> Path:
    """Path of the file of one partition of a tree.

    Parameters
    ----------
    path : Path
        Directory of the tree.
    cell : (int, int)
        Healpix order and nested pixel.

    Returns
    -------
    Path
        The file may be missing where only a part of the tree is here.
    """
    order, pixel = cell
    folder = path / "dataset" if (path / "dataset").is_dir() else path
    return folder / f"Norder={order}" / f"Dir={pixel // 10000 * 10000}" / f"Npix={pixel}.parquet"


def _cells(cone, order):
    """Nested healpix cells of an order that a cone touches, a few more perhaps."""
    from astropy import units
    from astropy_healpix import HEALPix

    ra, dec, radius = cone
    healpix = HEALPix(nside=2**order, order="nested")
    return np.sort(healpix.cone_search_lonlat(ra * units.deg, dec * units.deg, radius=radius * units.deg))


def _order_of(cone):
    """Healpix order whose cells (58.6 degrees at order 0) are about an eighth of a cone's radius."""
    return int(np.clip(np.log2(8 * 58.6 / max(cone[2], 1e-3)), 0, DEEPEST))


def _read_partition(file, place, asked):
    """One partition; only the row groups around the cone are read, and all columns where nothing is `asked`."""
    from astropy.table import Table
    from pyarrow import ArrowException, parquet

    try:
        schema = parquet.read_schema(parquet_source(file))
        names = schema.names if asked is None else list(find_columns(schema.names, asked).values())
        cell, fine = place
        ranges = _ranges(cell, *fine) if fine is not None and "_healpix_29" in schema.names else None
        arrow = parquet.read_table(parquet_source(file), columns=names, filters=ranges or None, partitioning=None)
    except FileNotFoundError:
        raise InputError(f"is in {PARTITIONS}, but there is no such file", path=file) from None
    except (OSError, ArrowException) as error:
        raise InputError(
            f"not a parquet table that can be read ({' '.join(str(error).split())[:160]})", path=file
        ) from None
    units = {name: (schema.field(name).metadata or {}).get(b"unit", b"").decode() for name in arrow.column_names}
    table = Table({name: from_arrow(arrow[name]) for name in arrow.column_names})
    for name, unit in units.items():
        if unit not in ("", "None"):
            table[name].unit = unit
    return table


def _ranges(cell, order, cells):
    """The part of a cone (its cells of an order) in a partition as filter on `_healpix_29`: a list of alternatives."""
    if order <= cell[0]:
        return None
    cells = cells[cells >> 2 * (order - cell[0]) == cell[1]]
    if len(cells) == 0:
        return [[("_healpix_29", "<", 0)]]
    breaks = np.flatnonzero(np.diff(cells) > 1)
    firsts, lasts = cells[np.concatenate([[0], breaks + 1])], cells[np.concatenate([breaks, [-1]])]
    if len(firsts) > RANGES:
        firsts, lasts = firsts[:1], lasts[-1:]
    shift = 2 * (DEEPEST - order)
    return [
        [("_healpix_29", ">=", int(first) << shift), ("_healpix_29", "<", int(last) + 1 << shift)]
        for first, last in zip(firsts, lasts, strict=True)
    ]


# -- names and units --------------------------------------------------------------------------------------------------


def standard(
    table: AstropyTable,
    path: str | Path | None = None,
    *,
    everything: bool = False,
    asked: Mapping[str, str] | None = None,
) -> AstropyTable:
    """A table with the names and units of `COLUMNS`, without the rows that have no position.

    Parameters
    ----------
    table : astropy.table.Table
        As it was read; not changed.
    path : str or Path, optional
        Name of the file, for messages.
    everything : bool
        Keep other columns, too, as they are.
    asked : mapping of str to str, optional
        Which columns mean what, as `rtools.products.tables.column_names.parse_columns` gives it.

    Returns
    -------
    astropy.table.Table
        A new table; NaN for what no star can have.

    Raises
    ------
    InputError
        It has no positions, or values or units that cannot be.
    """
    from astropy.table import Column, Table

    result, meanings = Table(meta=table.meta), _meanings(table, asked, path)
    for name, theirs in meanings.items():
        result[name] = _column(table[theirs], name, path)
    for name, value in constants_of(asked, table.colnames).items():
        result[name] = Column(np.full(len(table), value), unit=COLUMNS[name])
    if "ref_epoch" not in result.colnames and (epoch := epoch_of(table[meanings["ra"]])) is not None:
        result["ref_epoch"] = Column(np.full(len(table), epoch), unit=COLUMNS["ref_epoch"])
    if everything:
        for name in set(table.colnames) - set(meanings.values()) - set(meanings):
            result[name] = table[name]
        order = _order(table.colnames, meanings)
        result = result[[name for name in (*order, *set(result.colnames).difference(order)) if name in result.colnames]]
    years = result["ref_epoch"] if "ref_epoch" in result.colnames else np.zeros(0)
    known = np.isfinite(years)
    if np.any((years[known] < YEARS[0]) | (years[known] > YEARS[1])):
        raise InputError(f"{meanings.get('ref_epoch', 'ref_epoch')} is not a Julian year (2016.0)", path=path)
    result = result[np.isfinite(result["ra"]) & np.isfinite(result["dec"])]
    for name, most in (("ra", 360), ("dec", 90)):
        if len(result) and np.abs(result[name]).max() > most:
            raise InputError(f"{meanings[name]} is beyond {most} degrees", mend="leave these rows out", path=path)
    return result


def _order(names, meanings):
    ours = {theirs: name for name, theirs in meanings.items()}
    return [ours.get(name, name) for name in names]


def _meanings(table, asked, path):
    """Our name to the file's; positions there must be."""
    with about(path):
        meanings = find_columns(table.colnames, asked)
        if not {"ra", "dec"} <= set(meanings):
            mend = "say which are: --columns (rt-tweakreg: --refcat-columns) ra=NAME,dec=NAME"
            raise missing_positions(table.colnames, "not a reference catalog", mend=mend)
    return meanings


def _column(column, name, path):
    """A column of float64 in our unit, NaN for what no star can have; the identity as it is."""
    from astropy.table import Column

    if COLUMNS[name] is None:
        return column
    with about(path):
        values = column_of(column, name)
    return Column(values, name=name, unit=COLUMNS[name], description=column.description)
