"""Images of JWST as steps of a mosaic leave them: what rt-skymatch and rt-outlier make of cal files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.pipeline.mosaic.members import read_planes
from rtools.products.jwst import HduChange, stage_jwst
from rtools.products.schema import history

if TYPE_CHECKING:
    from rtools.pipeline.job.journal import Journal
    from rtools.pipeline.mosaic.members import Member
    from rtools.pipeline.mosaic.request import MosaicRequest
    from rtools.pipeline.mosaic.workers import Workers
    from rtools.products.io import Stage

__all__ = ["stage_jwst_image"]

VALUES = {
    "data": "SCI",
    "err": "ERR",
    "var_poisson": "VAR_POISSON",
    "var_rnoise": "VAR_RNOISE",
    "var_flat": "VAR_FLAT",
}
"""Arrays that have no value where a pixel is an outlier, and their HDUs."""


def stage_jwst_image(member: Member, path: Path, request: MosaicRequest, workers: Workers, journal: Journal) -> Stage:
    """Write a member as its steps leave it; what comes back waits for its name.

    An outlier gets DO_NOT_USE and OUTLIER. Where outliers were looked for, value, error and variances of all pixels
    with DO_NOT_USE are NaN, as in the archive's files, unless the option keep-values leaves them.

    Parameters
    ----------
    member : rtools.pipeline.mosaic.members.Member
        The image.
    path : Path
        The name that the file will have.
    request : rtools.pipeline.mosaic.request.MosaicRequest
        What is asked.
    workers : rtools.pipeline.mosaic.workers.Workers
        Threads and memory.
    journal : rtools.pipeline.job.journal.Journal
        Of this member.

    Returns
    -------
    rtools.products.io.Stage
        To be given its name.
    """
    arrays: dict[str, np.ndarray] = {}
    if member.subtract:
        arrays["data"] = np.array(read_planes(member, ("data",), workers)["data"])
    if request.single == "outlier" and member.meta["cal_step"].get("outlier_detection") == "COMPLETE":
        arrays["dq"] = np.array(read_planes(member, ("dq",), workers)["dq"])
        bad = arrays["dq"] & np.uint32(member.mission.bits["DO_NOT_USE"]) != 0
        for name in () if request.settings["outlier"]["keep_values"] else VALUES:
            if member.product.has(name):
                plane = arrays[name] if name in arrays else member.product.array(name, workers.work)
                plane[bad] = np.nan
                arrays[name] = plane
    changes = [HduChange({**VALUES, "dq": "DQ"}[name], array=array) for name, array in arrays.items()]
    typed = {name: dict(values) for name, values in request.settings.items()}
    entry = request.entry(parameters=typed, inputs=[member.name])
    return stage_jwst(path, member.product, changes, tree=_said(member, path), history=[entry])


def _said(member: Member, path: Path) -> dict[str, Any]:
    """What the file says of the steps and of itself, by path in the tree."""
    told: dict[str, Any] = {"meta.filename": path.name, "meta.date": history.stamp()}
    for key, value in member.meta["cal_step"].items():
        if (member.product.meta.get("cal_step") or {}).get(key) != value:
            told[f"meta.cal_step.{key}"] = value
    background = member.meta.get("background")
    if background and background != member.product.meta.get("background"):
        told |= {f"meta.background.{key}": value for key, value in background.items()}
    return told
