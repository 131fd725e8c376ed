"""The simulator's files: tables of sources and of read patterns in, exposure and truth out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError, about
from rtools.simulate.scene import Sources

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rtools.products.io.writer import Stage
    from rtools.simulate.exposure import SimulatedExposure
    from rtools.simulate.guide.request import MotionTable
    from rtools.wfi.instrument import MaTable

__all__ = ["read_motion", "read_sources", "read_tables", "stage_truth_image", "stage_truth_table"]

COLUMNS = {
    "magnitude": ("mag", "magnitude", "mag_ab"),
    "radius": ("size", "radius", "half_light_radius", "r_eff"),
    "axis_ratio": ("axis_ratio", "q", "ba"),
    "angle": ("angle", "pa", "position_angle"),
    "sersic": ("sersic", "sersic_index", "n"),
    "type": ("type", "kind"),
}
"""Names under which a source table may have each column, any letter case; positions are found by `products.tables`."""

LIMITS = {
    "ra": (-360, 360),
    "dec": (-90, 90),
    "magnitude": (-30, 50),
    "radius": (0, 3600),
    "axis_ratio": (0, 1.001),
    "angle": (-360, 360),
    "sersic": (0, 20),
}
"""What a column can hold; catalogs write -99, 99 or -999999 where they know nothing."""

TYPES = {"star": 0.0, "psf": 0.0, "point": 0.0, "disk": 1.0, "exponential": 1.0, "spheroid": 4.0, "devaucouleurs": 4.0}
"""Sérsic index of a word in the type column; 0 is a star."""


def read_sources(path: str | Path, element: str) -> Sources:
    """Sources of a table: parquet, ECSV, CSV, FITS or VOTable.

    Parameters
    ----------
    path : str or Path
        Columns: positions by any name that `rtools.products.tables.positions` knows; magnitude (AB; a column named for
        the element, ``F158``, is preferred); optional size (half-light radius along the major axis, arcsec),
        axis_ratio, angle (degrees east of north), type (star, disk, spheroid) or sersic. With a size and neither type
        nor sersic a source is a disk.
    element : str
        Optical element in which the magnitudes are wanted; empty for none.

    Returns
    -------
    Sources
        Without spectra: the magnitudes are those in the element.

    Raises
    ------
    InputError
        The table cannot be read, lacks a column, or has a value that is not finite or cannot be (`LIMITS`).
    """
    from rtools.products.tables.column_names import missing_positions, sky_columns
    from rtools.products.tables.files import read_catalog

    table = read_catalog(path)
    names = {name.lower(): name for name in table.colnames}
    found = {key: next((names[word] for word in words if word in names), None) for key, words in COLUMNS.items()}
    sky = sky_columns(table.colnames)
    if sky is None:
        with about(path):
            raise missing_positions(table.colnames, "no sources", mend="call them ra and dec")
    found |= dict(zip(("ra", "dec"), sky, strict=True))
    found["magnitude"] = names.get(element.lower(), found["magnitude"])
    if found["magnitude"] is None:
        raise InputError("no column magnitude", mend=f"it may be called {element}, mag or magnitude", path=path)
    count = len(table)

    def column(key, default):
        if found[key] is None:
            return np.full(count, float(default))
        values = _numbers(table, found[key], path, axis=key if key in ("ra", "dec") else None)
        _refuse_impossible(values, key, found[key], path)
        return values

    radius = column("radius", 0)
    sersic = column("sersic", 0) if found["sersic"] else np.where(radius > 0, 1.0, 0.0)
    if found["type"] and not found["sersic"]:
        sersic = _types(table[found["type"]], path)
    if np.any((sersic > 0) & (radius <= 0)):
        raise InputError("a galaxy without a size", mend="give a positive half-light radius in arcsec", path=path)
    return Sources(
        ra=column("ra", 0),
        dec=column("dec", 0),
        magnitude=column("magnitude", 0),
        sersic=sersic,
        radius=radius,
        axis_ratio=np.clip(column("axis_ratio", 1), 0.01, 1),
        angle=column("angle", 0),
        temperature=np.full(count, np.nan),
        slope=np.zeros(count),
    )


def _refuse_impossible(values, key, name, path):
    low, high = LIMITS[key]
    wrong = (values < low) | (values > high)
    if wrong.any():
        count, first = int(np.count_nonzero(wrong)), values[wrong][0]
        raise InputError(
            f"column {name} has {count} value{'s' * (count > 1)} that cannot be ({first:g}: not between {low} and "
            f"{high:g})",
            mend="leave these sources out",
            path=path,
        )


def read_motion(path: str | Path) -> MotionTable:
    """A motion of the telescope from a table: parquet, ECSV, CSV, FITS or VOTable.

    Parameters
    ----------
    path : str or Path
        Columns: t (seconds since the first exposure began, increasing), dx, dy (mas); optional dzeta (arcsec).

    Returns
    -------
    rtools.simulate.guide.request.MotionTable
        Zero rotation where the table has none.

    Raises
    ------
    InputError
        The table cannot be read, lacks a column, or has values that are not finite or times that do not increase.
    """
    from rtools.products.tables.files import read_catalog
    from rtools.simulate.guide.request import MotionTable

    table = read_catalog(path)
    names = {name.lower(): name for name in table.colnames}
    lacking = [name for name in ("t", "dx", "dy") if name not in names]
    if lacking:
        raise InputError(f"no column {', '.join(lacking)}", mend="a motion has t, dx, dy and perhaps dzeta", path=path)
    if not len(table):
        raise InputError("a motion without rows", path=path)
    t, dx, dy = (_numbers(table, names[name], path) for name in ("t", "dx", "dy"))
    zeta = _numbers(table, names["dzeta"], path) if "dzeta" in names else np.zeros(len(table))
    if np.any(np.diff(t) <= 0):
        raise InputError(f"column {names['t']}: times must increase", path=path)
    return MotionTable(t, dx, dy, zeta)


def _numbers(table, name, path, *, axis=None):
    """A column of finite numbers; of an axis of the sky in degrees."""
    from rtools.products.tables.positions import plain_numbers, sky_values

    with about(path):
        values = sky_values(table[name], axis) if axis else plain_numbers(table[name])
    if not np.all(np.isfinite(values)):
        raise InputError(f"column {name} has values that are not numbers", path=path)
    return values


def _types(column, path):
    words = [str(word).strip().lower() for word in column]
    unknown = sorted(set(words) - set(TYPES))
    if unknown:
        raise InputError(f"type {unknown[0]!r} of a source", mend=f"one of {', '.join(TYPES)}", path=path)
    return np.array([TYPES[word] for word in words])


def read_tables(path: Path | str) -> dict[str, MaTable]:
    """MultiAccum tables of a matable reference file, by upper-case name, number and id.

    Parameters
    ----------
    path : str or Path
        The reference file, ASDF.

    Returns
    -------
    dict of str to MaTable
        Each table under the key that it has in the file, under its number, and under its name.

    Raises
    ------
    InputError
        It is none.
    """
    from rtools.products.io import open_product
    from rtools.wfi.instrument import MaTable

    product = open_product(path)
    if not product.has("science_tables") and "science_tables" not in product.tree:
        raise InputError("not a matable reference: it has no science_tables", path=path)
    tables: dict[str, MaTable] = {}
    for key, entry in product.tree["science_tables"].items():
        reads = [[int(read) for read in resultant] for resultant in entry["science_read_pattern"]]
        table = MaTable(int(entry["ma_table_number"]), str(entry["ma_table_name"]), reads)
        tables |= dict.fromkeys((str(key).upper(), str(table.number), table.name.upper()), table)
    return tables


def stage_truth_image(
    path: Path | str,
    result: SimulatedExposure,
    note: str,
    *,
    flattened: bool,
    job: Mapping[str, Any],
    compression: str | None = None,
) -> Stage:
    """Write the true rate and the cosmic rays as plain ASDF, under a temporary name.

    Parameters
    ----------
    path : str or Path
        The name that the file will have.
    result : SimulatedExposure
        What was simulated.
    note : str
        What the file says of itself.
    flattened : bool
        Whether the rate is corrected for the flat; the file says so.
    job : mapping
        What made it (`rtools.products.io.recording.job_beside`).
    compression : str, optional
        As asdf calls it; none by default.

    Returns
    -------
    rtools.products.io.writer.Stage
        To be committed or discarded.
    """
    import asdf

    from rtools.products.io.writer import Stage

    tree = {
        "note": note,
        "filename": str(result.meta["filename"]),
        "unit": "DN / s",
        "flat_corrected": flattened,
        "rate": result.rate,
        "cosmic_rays": result.rays,
        "simulation": result.meta["rtools"]["simulation"],
        "rtools": {"job": dict(job)},
    }
    stage = Stage(path)
    with stage.open() as file:
        asdf.AsdfFile(tree).write_to(file, all_array_compression=compression)
    return stage


def stage_truth_table(path: Path | str, result: SimulatedExposure, *, job: Mapping[str, Any]) -> Stage:
    """Write the sources as parquet, units in the fields' metadata, under a temporary name.

    Parameters
    ----------
    path : str or Path
        The name that the file will have.
    result : SimulatedExposure
        What was simulated; its `sources` are written.
    job : mapping
        What made it (`rtools.products.io.recording.job_beside`).

    Returns
    -------
    rtools.products.io.writer.Stage
        To be committed or discarded.
    """
    import pyarrow
    from pyarrow import parquet

    from rtools.products.io.writer import Stage

    arrays, fields = [], []
    for name, (values, unit) in result.sources.items():
        array = pyarrow.array(list(values) if values.dtype.kind == "U" else values)
        arrays.append(array)
        fields.append(pyarrow.field(name, array.type, metadata={"unit": unit or "None"}))
    table = pyarrow.Table.from_arrays(
        arrays, schema=pyarrow.schema(fields, metadata={"rtools.job": json.dumps(dict(job))})
    )
    stage = Stage(path)
    with stage.open() as file:
        parquet.write_table(table, file)
    return stage
