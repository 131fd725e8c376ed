"""Members written as images again: what rt-flux, rt-skymatch and rt-outlier make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rtools.pipeline.mosaic.members import read_planes
from rtools.products.io import writer
from rtools.products.schema import profiles
from rtools.work.statistics import image_statistics

if TYPE_CHECKING:
    from rtools.pipeline.job.journal import Journal
    from rtools.pipeline.mosaic.members import Member
    from rtools.pipeline.mosaic.request import MosaicRequest
    from rtools.pipeline.mosaic.workers import Workers
    from rtools.products.io.staging import Stage
__all__ = ["PLANES", "stage_image"]

PLANES = ("data", "err", "dq", "var_poisson", "var_rnoise", "var_flat")
"""Of an image, those that steps of a mosaic read or change."""


def stage_image(member: Member, path: Path, request: MosaicRequest, workers: Workers, journal: Journal) -> Stage:
    """Write a member as its steps leave it; what comes back waits for its name.

    Parameters
    ----------
    member : rtools.pipeline.mosaic.members.Member
        Its metadata get statistics and log.
    path : Path
        The name that the file will have.
    request : rtools.pipeline.mosaic.request.MosaicRequest
        What is asked: the command for the history, profile, compression.
    workers : rtools.pipeline.mosaic.workers.Workers
        Threads and memory.
    journal : rtools.pipeline.job.journal.Journal
        Of this member.

    Returns
    -------
    rtools.products.io.staging.Stage
        To be given its name.
    """
    product, work = member.product, workers.work
    planes = read_planes(member, PLANES if member.factor is not None else ("data", "err", "dq"), workers)
    meta = member.meta
    good = image_statistics(planes["data"], planes["dq"], planes["err"], work)
    meta["statistics"] = dict(meta.get("statistics") or {"zodiacal_light": -1.0}) | good
    meta["cal_logs"] = [*map(str, product.meta.get("cal_logs") or []), *journal.lines]
    if member.factor is None:  # as it is in the file, to the bit
        del planes["err"]
        if not member.subtract:
            del planes["data"]
    with product:
        arrays = {name: product.array(name, work) for name in product.arrays if name not in planes}
    profile, said = profiles.kept(request.profile, [product])
    typed = {name: dict(values) for name, values in request.settings.items()}
    entry = request.entry(parameters=typed, inputs=[member.name])
    stage = writer.stage_product(
        path,
        "l2_image",
        meta,
        arrays | planes,
        profile=profile,
        compression=request.compression or "lz4",
        history=[*product.history, entry],
        work=work,
    )
    for name, count in stage.overflows.items():
        journal.log("warning", f"{count} values of {name} are beyond its dtype and became infinite")
    for text in (*said, *stage.messages):
        journal.log("warning", text)
    return stage
