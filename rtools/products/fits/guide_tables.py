"""Tables of a FITS file of guide windows or FACE: a row for each pair of a stage, or for each attitude."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtools.products import guide
from rtools.products.fits.keywords import ascii_text
from rtools.wfi.units import DAY_S

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU
    from astropy.table import Table

    from rtools.products.guide import GuideStage
    from rtools.products.io import Product

__all__ = ["guide_tables"]

DATES = (
    ("pedestal_t", "pedestal_mjd", "end of the pedestal (UTC)"),
    ("signal_t", "signal_mjd", "end of the signal (UTC)"),
    ("t_down", "mjd_down", "time of the centroid (UTC)"),
)
"""Columns in seconds, and those that are put before them with the same as a date."""

UNITS = {"DN": "adu"}
"""Units of columns that readers of FITS tables know by another name."""


def guide_tables(product: Product) -> list[BinTableHDU]:
    """ACQ, EDGE and TRACK of guide windows, FACE of FACE; times are Modified Julian Dates (UTC), too.

    Parameters
    ----------
    product : rtools.products.io.Product
        Opened, of any kind.

    Returns
    -------
    list of astropy.io.fits.BinTableHDU
        Empty for other kinds. What cannot be read of a file is missing in its tables.

    Raises
    ------
    InputError
        An array is damaged.
    """
    if product.kind == "l1_face":
        face, _problems = guide.read_face(product)
        return [_table("FACE", guide.face_table(face))]
    if product.kind != "l1_gw":
        return []
    windows, _problems = guide.read_guide(product)
    return [_table(stage.name.upper(), _dated(guide.guide_table(windows, stage.name), stage))
            for stage in windows.stages]  # fmt: skip


def _dated(table: Table, stage: GuideStage) -> Table:
    """The table with dates of the single times, and all centroids where there are several of a pair."""
    from astropy.table import Column

    for seconds, name, text in DATES:
        dates = stage.mjd + (np.asarray(table[seconds]) - stage.t) / DAY_S
        column = Column(dates, name, unit="d", description=text)
        table.add_column(column, index=table.colnames.index(seconds))
    if stage.centroids is not None and stage.centroids.shape[1] > 1:
        table["xy_all"] = Column(stage.centroids, unit="pix", description="x and y of all downlinked centroids")
    return table


def _table(name: str, table: Table) -> BinTableHDU:
    """A table as an extension; words in ASCII, descriptions as TCOMM."""
    from astropy.io import fits

    told = [(table[name].unit, table[name].description) for name in table.colnames]
    for column in table.colnames:
        table[column].unit = None  # astropy warns of DN
        if table[column].dtype.kind == "U":
            words = [ascii_text(str(word)) for word in table[column]]
            table[column] = np.array(words, f"U{max(map(len, words), default=0) or 1}")
    hdu = fits.table_to_hdu(table)
    hdu.name, hdu.ver = name, 1
    for number, (unit, text) in enumerate(told, 1):
        if unit is not None:
            hdu.header[f"TUNIT{number}"] = UNITS.get(str(unit), str(unit))
        hdu.header[f"TCOMM{number}"] = ascii_text(text)
    return hdu
