"""A mosaic of JWST: from totals to an i2d file, in one go or slab by slab."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from rtools.mosaic.drizzle.variance import BITS
from rtools.pipeline.mosaic.coadd import Coadd, CoaddSource, finished_planes
from rtools.pipeline.mosaic.i2d_metadata import i2d_meta, table_of_headers, wcs_cards
from rtools.products.jwst import LaidOutJwst, NewHdu, room_for

if TYPE_CHECKING:
    from rtools.mosaic.drizzle.variance import Totals
    from rtools.pipeline.mosaic.request import MosaicRequest
    from rtools.pipeline.mosaic.workers import Workers

__all__ = ["write_i2d", "write_i2d_slabs"]

IMAGES = {
    "data": "SCI",
    "err": "ERR",
    "weight": "WHT",
    "var_poisson": "VAR_POISSON",
    "var_rnoise": "VAR_RNOISE",
    "var_flat": "VAR_FLAT",
}
"""Planes of a mosaic, and their HDUs."""

WITH_WCS = ("SCI", "ERR", "CON", "WHT")
"""HDUs whose headers say where they are on the sky."""


def write_i2d(totals: Totals, source: CoaddSource, request: MosaicRequest, workers: Workers) -> Coadd:
    """Write a mosaic whose totals are in memory.

    Parameters
    ----------
    totals : rtools.mosaic.drizzle.variance.Totals
        Of no use afterwards.
    source : rtools.pipeline.mosaic.coadd.CoaddSource
        What it is made of.
    request : rtools.pipeline.mosaic.request.MosaicRequest
        What is asked.
    workers : rtools.pipeline.mosaic.workers.Workers
        Threads and memory.

    Returns
    -------
    rtools.pipeline.mosaic.coadd.Coadd
        Without planes.
    """
    return write_i2d_slabs([(slice(0, source.mosaic.frame.grid.shape[0]), totals)], source, request, workers)


def write_i2d_slabs(
    slabs: Iterable[tuple[slice, Totals]], source: CoaddSource, request: MosaicRequest, workers: Workers
) -> Coadd:
    """The same where slabs of totals are made one after the other.

    Parameters
    ----------
    slabs : iterable of (slice, Totals)
        Rows and their totals.
    source, request, workers
        As `write_i2d`.

    Returns
    -------
    rtools.pipeline.mosaic.coadd.Coadd
    """
    grid = source.mosaic.frame.grid
    meta = i2d_meta(source)
    planes = (len(source.members) - 1) // BITS + 1
    cards = wcs_cards(grid)
    hdus = [room_for(name, "f4", grid.shape, cards=cards if name in WITH_WCS else {}) for name in IMAGES.values()]
    hdus.append(room_for("CON", "i4", (planes, *grid.shape), cards=cards))
    if len(source.members) > 1:
        hdus.append(NewHdu("HDRTAB", table_of_headers(source.members)))
    file = LaidOutJwst.new(
        source.mosaic.path, "i2d", meta, hdus, tree={"meta": {"wcs": grid.wcs()}}, history=list(source.history)
    )
    try:
        for rows, totals in slabs:
            _put(file, rows.start, finished_planes(totals, source, workers))
            del totals
        return Coadd(file.finish(), {}, meta)
    except BaseException:
        file.discard()
        raise


def _put(file, first, planes):
    """Write rows of all images; a variance that no image has is not known."""
    nothing = np.broadcast_to(np.float32(np.nan), planes["data"].shape)
    for plane, name in IMAGES.items():
        file.write(name, planes.get(plane, nothing), first)
    for number, bits in enumerate(planes["context"]):
        file.write("CON", np.ascontiguousarray(bits).view(np.int32), first, number)
