"""Catalogs of a report: which columns tell magnitudes and sizes, and what these say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.pipeline.report.findings import CatalogFindings
from rtools.products.tables import read_catalog
from rtools.products.tables.column_names import is_of_positions, sky_columns
from rtools.products.tables.flat import to_tree
from rtools.products.tables.positions import read_positions
from rtools.quality import magnitudes, measure_sources

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["ReadCatalog", "catalog_findings", "catalog_values", "image_of", "read_sources", "stars_of"]

FLUXES = (
    "psf_flux",
    "kron_flux",
    "segment_flux",
    "aper_total_flux",
    "isophotal_flux",
)
"""Columns of fluxes, the best first; in catalogs of several filters with the band in their middle."""

BANDS = re.compile(r"(psf|kron|segment)_([a-z]\d+)_flux")
SIZES = ("fluxfrac_radius_50", "half_light_radius", "CI_70_30")
EXTENDED = "is_extended"
FLAGS = ("warning_flags", "image_flags")
SKY = ("ra_psf", "dec_psf")
"""Columns of positions that go before those that a table is known to have (`products.tables.positions`)."""

PIXELS = (("x_psf", "y_psf"), ("x_centroid", "y_centroid"), ("xcentroid", "ycentroid"))

KNOWN = {*FLAGS, *SKY, *(name for pair in PIXELS for name in pair)}

POINTS = 250
"""Sources of a catalog that are drawn."""

NJY = {"nJy": 1.0, "uJy": 1e3, "mJy": 1e6, "Jy": 1e9}


class ReadCatalog(NamedTuple):
    """A catalog, as far as a report needs it.

    Attributes
    ----------
    table : astropy.table.Table
        Its rows.
    meta : dict
        Nested, below ``meta``; empty of a table that is no product.
    """

    table: Table
    meta: dict[str, Any]


def read_sources(path: str | Path) -> ReadCatalog:
    """Read a catalog.

    Parameters
    ----------
    path : str or Path
        Parquet, ECSV, FITS or ASDF.

    Returns
    -------
    ReadCatalog

    Raises
    ------
    InputError
        It cannot be read.
    """
    table = read_catalog(path, wanted=_wanted)
    flat = {str(key): value for key, value in table.meta.items() if str(key).startswith("roman.")}
    meta = (to_tree(flat).get("meta") or {}) if flat else {}
    return ReadCatalog(table, meta if isinstance(meta, dict) else {})


def _wanted(name):
    """Whether a column is needed: fewer than a fifth of those that a catalog has."""
    return (
        name in KNOWN
        or is_of_positions(name)
        or name.startswith((*SIZES, EXTENDED))
        or name.removesuffix("_err").endswith("_flux")
    )


def catalog_findings(name: str, read: ReadCatalog) -> CatalogFindings | None:
    """What a catalog is like; None for a table without fluxes.

    Parameters
    ----------
    name : str
        Of its file.
    read : ReadCatalog
        Its rows.

    Returns
    -------
    CatalogFindings or None
    """
    flux, band = _flux_column(read)
    if flux is None:
        return None
    table = read.table
    njy = NJY.get(str(table[flux].unit), 1.0)
    magnitude, error = magnitudes(_numbers(table, flux), _numbers(table, f"{flux}_err"), njy=njy)
    size_name = next((one for one in _of_band(SIZES, band) if one in table.colnames), "")
    size = _numbers(table, size_name) if size_name else np.full(len(table), np.nan)
    extended = _extended(table, band)
    flagged = _flagged(table)
    quality = measure_sources(magnitude, error, size=size, extended=extended, flagged=flagged)
    some = np.unique(np.linspace(0, len(table) - 1, POINTS).astype(int)) if len(table) else np.zeros(0, int)
    return CatalogFindings(
        Path(name).name, band, quality, magnitude[some], error[some], size[some], extended[some],
        f"{size_name} [{table[size_name].unit}]" if size_name and table[size_name].unit else size_name, flux,
    )  # fmt: skip


def _flux_column(read):
    """The column of the fluxes that has its errors, too, and its band."""
    names = set(read.table.colnames)
    for name in FLUXES:
        if name in names and f"{name}_err" in names:
            return name, ""
    reference = str(read.meta.get("psf_match_reference_filter") or "").lower()
    found = [match for match in map(BANDS.fullmatch, read.table.colnames) if match and f"{match[0]}_err" in names]
    for match in sorted(found, key=lambda one: one[2] != reference):
        return match[0], match[2]
    return None, ""


def _numbers(table, name):
    """A column as float64, NaN where it is masked."""
    column = table[name]
    if getattr(column, "ndim", 1) != 1:
        return np.full(len(table), np.nan)
    try:
        return np.ma.filled(np.ma.asarray(column, float), np.nan)
    except (TypeError, ValueError):
        raise InputError(f"the column {name} holds no numbers") from None


def _of_band(names, band):
    """Names of columns, and those that a catalog of several bands has for this one."""
    return (*names, *(f"{name}_{band}" for name in names if band))


def _extended(table, band):
    """Which sources are no points; none where the catalog does not say."""
    name = next((one for one in _of_band((EXTENDED,), band) if one in table.colnames), None)
    if name is None:
        return np.zeros(len(table), bool)
    return np.ma.filled(np.ma.asarray(table[name]), False).astype(bool)


def _flagged(table):
    there = [name for name in FLAGS if name in table.colnames]
    if not there:
        return None
    return np.logical_or.reduce([np.nan_to_num(_numbers(table, name)) != 0 for name in there])


def stars_of(read: ReadCatalog, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The brightest point sources of a catalog.

    Parameters
    ----------
    read : ReadCatalog
        Its rows.
    most : int
        So many at most.

    Returns
    -------
    ra, dec : ndarray float64 (n,)
        Degrees.
    pixels : ndarray float64 (n, 2)
        x and y, 0-based; NaN where the catalog does not say.
    """
    names = read.table.colnames
    sky = sky_columns(names, first=SKY)
    flux, band = _flux_column(read)
    if sky is None or flux is None:
        return np.zeros(0), np.zeros(0), np.zeros((0, 2))
    light, error = _numbers(read.table, flux), _numbers(read.table, f"{flux}_err")
    ra, dec, _columns = read_positions(read.table, first=SKY)
    usable = np.isfinite(ra) & np.isfinite(dec) & (light > 20 * error) & ~_extended(read.table, band)
    rows = np.flatnonzero(usable)
    rows = rows[np.argsort(-light[rows], kind="stable")][:most]
    place = next((pair for pair in PIXELS if set(pair) <= set(names)), None)
    pixels = np.full((len(rows), 2), np.nan)
    if place:
        pixels = np.stack([_numbers(read.table, name)[rows] for name in place], axis=-1)
    return ra[rows], dec[rows], pixels


def catalog_values(found: CatalogFindings) -> dict[str, float]:
    """Numbers of a catalog, by the keys of `rtools.quality.METRICS`.

    Parameters
    ----------
    found : CatalogFindings
        Of the catalog.

    Returns
    -------
    dict of str to float
        What is not known is not in it.
    """
    quality = found.quality
    values = {
        "sources": float(quality.sources),
        "complete_50": quality.complete_50,
        "snr5": quality.depth,
        "star_size": quality.star_size,
        "star_scatter": 100 * quality.star_scatter,
        "flagged": 100 * quality.flagged,
    }
    return {key: value for key, value in values.items() if np.isfinite(value)}


def image_of(meta: Mapping[str, Any]) -> str:
    """Name of the image that a catalog says it is of; empty where it does not."""
    image = meta.get("image")
    name = image.get("filename") if isinstance(image, dict) else None
    return name if isinstance(name, str) else ""
