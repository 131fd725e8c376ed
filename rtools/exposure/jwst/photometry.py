"""Photometry of JWST's images: which conversion a reference has for an exposure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from rtools.exposure.jwst.exposure import ReferenceFacts

__all__ = ["Photometry", "photometry_of"]

YEAR = 365.25
"""Days."""


class Photometry(NamedTuple):
    """How DN/s become MJy/sr.

    Attributes
    ----------
    factor : float
        PHOTMJSR, MJy/sr for each DN/s.
    pixel_area_sr, pixel_area_arcsec2 : float or None
        Nominal area of a pixel.
    """

    factor: float
    pixel_area_sr: float | None
    pixel_area_arcsec2: float | None


def photometry_of(meta: Mapping[str, Any], photom: ReferenceFacts, area: ReferenceFacts) -> Photometry | None:
    """The conversion for the filter and pupil of an exposure, of MIRI for the filter and sub-array.

    Parameters
    ----------
    meta : mapping
        Metadata of the exposure.
    photom, area : ReferenceFacts
        References; the nominal area is that of the area reference where there is one.

    Returns
    -------
    Photometry or None
        None where the reference has no row for it.
    """
    row = _row(photom.tables.get("PHOTOM", ()), meta)
    if row is None:
        return None
    factor = float(row["photmjsr"]) / _throughput(photom, meta)
    cards = {**photom.cards, **{key: value for key, value in area.cards.items() if value is not None}}
    return Photometry(factor, cards.get("PIXAR_SR"), cards.get("PIXAR_A2"))


def _row(rows, meta):
    """The row of the exposure's optical elements; GENERIC serves any sub-array."""
    wanted = {
        "filter": (meta["instrument"].get("filter"),),
        "pupil": (meta["instrument"].get("pupil"),),
        "subarray": (meta["subarray"].get("name"), "GENERIC"),
    }
    for row in rows:
        keys = [key for key in wanted if key in row.dtype.names]
        if all(_text(row[key]) in wanted[key] for key in keys):
            return row
    return None


def _throughput(photom, meta):
    """What is left of the throughput at the time of the exposure, from tables of linear and exponential losses."""
    days, left = meta["exposure"].get("mid_time") or meta["exposure"].get("start_time"), 1.0
    if days is None:
        return left
    row = _row(photom.tables.get("TIMECOEFF_LINEAR", ()), meta)
    if row is not None:
        left *= 1 - float(row["lossperyear"]) * (days - float(row["t0"])) / YEAR
    row = _row(photom.tables.get("TIMECOEFF_EXPONENTIAL", ()), meta)
    if row is not None:
        left *= float(row["amplitude"]) * np.exp(-(days - float(row["t0"])) / float(row["tau"])) + float(row["const"])
    return left


def _text(value):
    return value.decode().strip() if isinstance(value, bytes) else str(value).strip()
