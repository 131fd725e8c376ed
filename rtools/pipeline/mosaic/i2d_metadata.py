"""What a mosaic of JWST says: metadata of its exposures together, its place on the sky, the headers of its members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.astrometry.sip import sip_header
from rtools.errors import QualityError
from rtools.jwst.keywords import MetadataKeyword, keywords
from rtools.mosaic.grid.footprint import outline
from rtools.mosaic.grid.grid import Grid
from rtools.mosaic.grid.scale import mean_pixel_area
from rtools.wfi import metadata
from rtools.wfi.sphere import s_region
from rtools.wfi.units import DEGREE_ARCSEC

if TYPE_CHECKING:
    from astropy.table import Table

    from rtools.mosaic.grid.freegrid import FreeGrid
    from rtools.pipeline.mosaic.coadd import CoaddSource
    from rtools.pipeline.mosaic.members import Member
    from rtools.products.jwst import JwstProduct

__all__ = ["i2d_meta", "table_of_headers", "wcs_cards"]

OF_ITSELF = (
    "asn", "calibration_software_revision", "calibration_software_version", "date", "filename", "group_id",
    "model_type", "oss_software_version", "wcs", "wcsinfo",
)  # fmt: skip
"""Metadata of an exposure that a mosaic does not take over from its first one."""

SUMMED = ("exposure_time", "effective_exposure_time", "measurement_time", "duration", "elapsed_exposure_time")
"""Below meta.exposure, what is summed over exposures: EFFEXPTM, XPOSURE, TMEASURE, DURATION, TELAPSE."""

TABLED = ("PRIMARY", "SCI")
"""HDUs of a member whose keywords are in the table of headers."""


def i2d_meta(source: CoaddSource) -> dict[str, Any]:
    """Metadata of a mosaic, as below ``meta``; what it does not say of itself is as in its first exposure.

    Parameters
    ----------
    source : rtools.pipeline.mosaic.coadd.CoaddSource
        What it is made of.

    Returns
    -------
    dict
        For `rtools.products.jwst.stage_new`.
    """
    metas, frame, resample = source.metas, source.mosaic.frame, source.plan.options.resample
    made = {key: value for key, value in metas[0].items() if key not in OF_ITSELF}
    made["exposure"] = dict(made.get("exposure") or {}) | _times(source.members)
    made["cal_step"] = dict(made.get("cal_step") or {}) | {"resample": "COMPLETE"}
    made["photometry"] = dict(made.get("photometry") or {}) | _areas(frame.grid)
    made["resample"] = {
        "pointings": source.pointings,
        "weight_type": resample.drizzle.weight_type,
        "pixfrac": float(resample.drizzle.pixfrac),
        "pixel_scale_ratio": float(frame.ratio),
        "kernel": resample.drizzle.kernel,
        "fillval": str(source.plan.typed["resample"]["fillval"]),
    }
    if made.get("background"):
        made["background"] = {"method": made["background"].get("method")}
    corners = np.stack(frame.grid.to_sky(*_corners(frame.grid.shape)), axis=1)
    made["wcsinfo"] = {"s_region": s_region(corners)}
    association = source.plan.association
    if association is not None:
        made["asn"] = {"table_name": association.path.rpartition("/")[2]}
    return made


def _corners(shape):
    rows, columns = shape
    return outline((-0.5, columns - 0.5), (-0.5, rows - 0.5), points=1)


def _times(members: Sequence[Member]) -> dict[str, float]:
    """Sums over exposures, of which all detectors are one; the first start, the last end, and the time between them."""
    first = list({member.group: member.meta for member in reversed(members)}.values())
    found = {}
    for key in SUMMED:
        values = [metadata.get(meta, f"exposure.{key}") for meta in first]
        if all(isinstance(value, int | float) for value in values):
            found[key] = float(sum(values))
    start = min(float(member.meta["exposure"]["start_time"]) for member in members)
    end = max(float(member.meta["exposure"]["end_time"]) for member in members)
    return found | {"start_time": start, "mid_time": (start + end) / 2, "end_time": end}


def _areas(grid: Grid | FreeGrid) -> dict[str, float]:
    """Area of a pixel: at the tangent point the scale squared, of a grid without one the mean."""
    area = np.deg2rad(grid.scale) ** 2 if isinstance(grid, Grid) else mean_pixel_area(grid.to_sky, grid.shape)
    return {
        "pixelarea_steradians": float(area),
        "pixelarea_arcsecsq": float(area * (np.rad2deg(1) * DEGREE_ARCSEC) ** 2),
    }


def wcs_cards(grid: Grid | FreeGrid) -> dict[str, Any]:
    """Keywords that say where the pixels are: exactly, or for the grid of a distorted image by a fit.

    Parameters
    ----------
    grid : rtools.mosaic.grid.grid.Grid or rtools.mosaic.grid.freegrid.FreeGrid
        Of the mosaic.

    Returns
    -------
    dict of str to object
        None where no header has these coordinates; the gwcs has them all the same.
    """
    if not isinstance(grid, Grid):
        try:
            return {keyword: value for keyword, value, _comment in sip_header(grid.wcs(), grid.shape).cards}
        except QualityError:
            return {}
    (a, b), (c, d) = grid.matrix
    return {
        "WCSAXES": 2,
        "CRPIX1": grid.crpix[0] + 1,
        "CRPIX2": grid.crpix[1] + 1,
        "CRVAL1": grid.crval[0],
        "CRVAL2": grid.crval[1],
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CUNIT1": "deg",
        "CUNIT2": "deg",
        "CDELT1": grid.scale,
        "CDELT2": grid.scale,
        "PC1_1": a,
        "PC1_2": b,
        "PC2_1": c,
        "PC2_2": d,
        "RADESYS": "ICRS",
    }


def table_of_headers(members: Sequence[Member | JwstProduct]) -> Table:
    """The table HDRTAB: one row a member, one column a keyword of its primary header or of SCI.

    Parameters
    ----------
    members : sequence of rtools.pipeline.mosaic.members.Member or rtools.products.jwst.JwstProduct
        As the steps leave them.

    Returns
    -------
    astropy.table.Table
        Keywords that the data model knows, in the order of the files; what a member lacks is empty, NaN or 0.
    """
    from astropy.table import Table

    known = {(one.hdu, one.keyword): one for one in keywords()}
    told = [one for one in known.values() if one.hdu in TABLED]
    columns: dict[str, np.ndarray] = {}
    for one in sorted(told, key=lambda one: TABLED.index(one.hdu)):
        values = [metadata.get(member.meta, one.path) for member in members]
        if any(value is not None for value in values):
            columns.setdefault(one.keyword, _column(one, values))
    return Table(columns)


def _column(one: MetadataKeyword, values: Sequence[Any]) -> np.ndarray:
    """Values of one keyword, of the type that the data model has."""
    if one.type == "number":
        return np.array([np.nan if value is None else float(value) for value in values])
    if one.type == "integer":
        return np.array([0 if value is None else int(value) for value in values], np.int64)
    if one.type == "boolean":
        return np.array([bool(value) for value in values])
    return np.array([_ascii(value) for value in values], "S")


def _ascii(value: Any) -> bytes:
    """Text as a table of FITS can hold it; at least one character wide."""
    return ("" if value is None else str(value)).encode("ascii", "replace") or b" "
