"""What a mosaic keeps of its members: one table for each section of their metadata, a row a member, and their logs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.wfi.times import iso_time

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable

__all__ = ["BASIC", "SECTIONS", "image_logs", "image_tables"]

SECTIONS = (
    "background",
    "cal_step",
    "coordinates",
    "ephemeris",
    "exposure",
    "guide_star",
    "instrument",
    "observation",
    "photometry",
    "pointing",
    "program",
    "rcs",
    "ref_file",
    "source_catalog",
    "velocity_aberration",
    "visit",
    "wcsinfo",
)

BASIC = (
    "calibration_software_name",
    "calibration_software_version",
    "file_date",
    "filename",
    "model_type",
    "origin",
    "prd_version",
    "product_type",
    "sdf_software_version",
    "telescope",
)
"""Keys directly below ``meta``, which make the table ``basic``."""

ABSENT = "MISSING_CELL"
NULL = "None"


def image_tables(members: Sequence[Mapping[str, Any]]) -> dict[str, AstropyTable]:
    """Sections of the members' metadata as tables.

    Parameters
    ----------
    members : list of mapping
        ``meta`` of each, in order.

    Returns
    -------
    dict of str to astropy.table.Table
        Every section that some member has, with a row for each member. What a member lacks or has as null is NaN
        among numbers, otherwise the column holds texts, ``None`` and ``MISSING_CELL`` among them. Lists and groups
        are texts, times in ISO form.
    """
    basic = [{key: meta[key] for key in BASIC if key in meta} for meta in members]
    rows = {"basic": basic} | {name: [_group(meta.get(name)) for meta in members] for name in SECTIONS}
    return {name: _table(found) for name, found in sorted(rows.items()) if any(found)}


def image_logs(members: Iterable[Mapping[str, Any]]) -> list[list[str]]:
    """``cal_logs`` of every member that has some, a list each, in order.

    Parameters
    ----------
    members : iterable of mapping
        ``meta`` of each, in order.

    Returns
    -------
    list of list of str
        One list of lines for each such member.
    """
    return [[str(line) for line in meta["cal_logs"]] for meta in members if meta.get("cal_logs")]


def _group(section):
    return section if isinstance(section, dict) else {}


def _table(rows):
    from astropy.table import Table

    names = list(dict.fromkeys(name for row in rows for name in row))
    return Table({name: _column([_cell(row[name]) if name in row else ABSENT for row in rows]) for name in names})


def _cell(value):
    """A value as a table takes it: number, boolean, text, or None."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict | list | tuple):
        return str(_plain(value))
    tag = getattr(value, "tag", "")
    return iso_time(value) if "time/time" in tag or hasattr(value, "isot") else str(value)


def _plain(value):
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, str) else value


def _column(cells):
    known = [cell for cell in cells if cell is not None and cell is not ABSENT]
    kinds = {type(cell) for cell in known}
    if not known:
        return np.array([NULL] * len(cells))
    if kinds <= {int, float}:
        whole = kinds == {int} and len(known) == len(cells)
        numbers = [np.nan if cell is None or cell is ABSENT else cell for cell in cells]
        return np.array(numbers, np.int64 if whole else np.float64)
    if kinds == {bool} and len(known) == len(cells):
        return np.array(cells)
    return np.array([str(cell) for cell in cells])
