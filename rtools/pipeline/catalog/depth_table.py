"""How deep an image is in apertures, as a table: by blank sky, and by the errors of the pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.catalog.measure.blank import blank_noise
from rtools.catalog.measure.measure import ab_magnitude
from rtools.catalog.source_catalog import detect_sources, make_image
from rtools.errors import InputError
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from astropy.table import Table

    from rtools.catalog.source_catalog import ImagePlanes

__all__ = ["depth_table"]


def depth_table(planes: ImagePlanes, options: Mapping[str, Any], radii: np.ndarray, work: Work = ALONE) -> Table:
    """Depth of an image in apertures of some radii.

    Parameters
    ----------
    planes : rtools.catalog.source_catalog.ImagePlanes
        The image, with its sky.
    options : mapping of str to object
        Of the search for sources, which are masked (`rtools.catalog.steps.catalog.STEP`).
    radii : ndarray (n,)
        Arcsec.
    work : rtools.work.Work
        Threads and log.

    Returns
    -------
    astropy.table.Table
        A row for each radius: the flux and the AB magnitude of five times the scatter of blank apertures, the same by
        the errors of the pixels, and the ratio of both.

    Raises
    ------
    InputError
        No pixel can be used, or there is no blank sky.
    """
    from astropy.table import Column, Table

    image, rms = make_image(planes, options, work=work)
    if image is None or rms is None:
        raise InputError("no pixel can be used")
    labels = detect_sources(image, rms, options, work=work)
    scale = 5 * image.brightness * image.side**2
    found = [blank_noise(image.data, image.err, image.mask, labels, radius / image.side, work=work) for radius in radii]
    blank, claimed = (scale * np.array([getattr(one, name) for one in found]) for name in ("scatter", "error"))
    table = Table()
    table["radius"] = Column(radii, unit="arcsec", description="Radius of the apertures")
    for name, values, what in (
        ("blank", blank, "scatter of apertures on blank sky"),
        ("error", claimed, "error of the same apertures by the errors of the pixels"),
    ):
        table[f"{name}_flux"] = Column(values, unit="nJy", description=f"Five times the {what}")
        table[f"{name}_abmag"] = Column(ab_magnitude(values, 0.0)[0], unit="mag(AB)", description="As a magnitude")
    table["ratio"] = Column(blank / claimed, description="Scatter over error: more than 1 is noise that pixels share")
    table["apertures"] = Column([one.apertures for one in found], description="Apertures that were laid")
    return table
