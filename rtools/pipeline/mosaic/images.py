"""Members written as images again: what rt-flux, rt-skymatch and rt-outlier make."""

from rtools.pipeline.mosaic.members import read_planes
from rtools.products.io import writer
from rtools.products.schema import history, profiles
from rtools.work.statistics import image_statistics

__all__ = ["PLANES", "stage_image"]

PLANES = ("data", "err", "dq", "var_poisson", "var_rnoise", "var_flat")
"""Of an image, those that steps of a mosaic read or change."""


def stage_image(member, path, request, workers, journal):
    """Write a member as its steps leave it; what comes back waits for its name.

    Parameters
    ----------
    member : rtools.pipeline.mosaic.members.Member
    path : Path
    request : rtools.pipeline.mosaic.request.MosaicRequest
    workers : rtools.pipeline.mosaic.workers.Workers
    journal : rtools.pipeline.job.journal.Journal
        Of this member.

    Returns
    -------
    rtools.products.io.staging.Stage
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
    entry = history.entry(request.tool, parameters=typed, inputs=[member.name])
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
