"""Where an image is on the sky: its WCS for the tree, and as cards of SCI."""

from __future__ import annotations

from typing import Any

from rtools.astrometry import sip
from rtools.errors import QualityError
from rtools.exposure.jwst.exposure import RampExposure
from rtools.exposure.jwst.steps import assignwcs
from rtools.pipeline.job.steps import StepPlan

__all__ = ["sky_of_image"]

GONE = ("CDELT1", "CDELT2", "PC1_1", "PC1_2", "PC2_1", "PC2_2", "WCSAXES")
"""Cards of a WCS without distortion, which the new ones take the place of."""


def sky_of_image(planned: StepPlan, exposure: RampExposure) -> tuple[dict[str, Any], dict[str, Any]]:
    """The coordinates of an image.

    Parameters
    ----------
    planned : StepPlan
        The step, with its references.
    exposure : RampExposure
        The image.

    Returns
    -------
    (dict, dict)
        Nodes of the tree by their paths, and cards of SCI.
    """
    refs: dict[str, Any] = {"distortion": planned.references["distortion"].node("model")}
    offsets = planned.references.get("filteroffset")
    if offsets is not None:
        refs["filteroffset"] = _offset_of(offsets.node("filters"), exposure.meta["instrument"])
    made = assignwcs.apply(exposure, refs, dict(planned.options), None)
    tree = {"meta.wcs": made["wcs"], "meta.wcsinfo.s_region": made["s_region"]}
    try:
        header = sip.sip_header(made["wcs"], exposure.shape[2:])
    except QualityError as error:
        exposure.log("warning", f"assignwcs: no header has its coordinates ({error.message})")
        return tree, {}
    cards: dict[str, Any] = dict.fromkeys(GONE)
    cards |= {keyword: value for keyword, value, _comment in header.cards}
    return tree, cards


def _offset_of(rows, instrument):
    """Columns and rows by which an optical element moves the image; None where nothing is known of it."""
    for row in rows:
        keys = [key for key in ("filter", "pupil", "name") if row.get(key)]
        told = {"name": instrument.get("filter"), **instrument}
        if keys and all(row[key] == told.get(key) for key in keys):
            return float(row.get("column_offset") or 0), float(row.get("row_offset") or 0)
    return None
