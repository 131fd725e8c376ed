"""An association through the whole chain: its exposures are calibrated one by one, then aligned together.

What belongs to an exposure is written into a directory beside its place; once the group is aligned its image is written
again with the corrected WCS, and all its products get their names, the image last.
"""

import os
from dataclasses import replace
from pathlib import Path

from rtools.pipeline.astrometry.align import align_group
from rtools.pipeline.exposure.plan import make_plan
from rtools.pipeline.exposure.run import execute
from rtools.products.io import temporary

__all__ = ["align_plans", "calibrate", "finish", "wants_alignment", "workplace"]


def wants_alignment(plan):
    """Whether a plan of the whole chain ends in an alignment that is still to be made."""
    return plan.main == "cal" and any(task.step.aligns and task.active for task in plan.tasks)


def workplace(plan):
    """A directory on the file system of a plan's outputs, removed when it is closed."""
    parent = plan.outputs[plan.main].parent
    parent.mkdir(parents=True, exist_ok=True)
    return temporary.directory(parent)


def calibrate(plan, request, journal, folder, work):
    """Everything but the alignment, into a directory.

    Parameters
    ----------
    plan : rtools.pipeline.exposure.plan.ExposurePlan
        Its outputs are those of the exposure at last; not changed.
    request : rtools.pipeline.exposure.plan.ExposureRequest
    journal : rtools.pipeline.job.journal.Journal
    folder : str or Path
        A `workplace`.
    work : rtools.work.Work

    Returns
    -------
    (rtools.pipeline.exposure.plan.ExposurePlan, rtools.pipeline.exposure.run.ExposureResult)
        The plan of the rest: the alignment of the image just written, with its products in ``folder/aligned``.
    """
    outputs = {suffix: Path(folder) / path.name for suffix, path in plan.outputs.items() if suffix != "tweakregstep"}
    for task in plan.tasks:
        if task.step.aligns:
            task.stop("INCOMPLETE")
    with plan.product:
        result = execute(replace(plan, outputs=outputs), request, journal, work)
    again = Path(folder) / "aligned"
    again.mkdir()
    rest = replace(request, outdir=str(again), output=None, catalogs={}, update_catalog=True)
    return replace(make_plan(outputs["cal"], rest), name=plan.name, warnings=[], cautions=[]), result


def align_plans(rests, request, work):
    """Align the images of the plans that `calibrate` returned, by one correction."""
    align_group(rests, request, work)


def finish(rest, plan, request, journal, work):
    """Write the aligned image, and give all products of an exposure their names.

    Parameters
    ----------
    rest : rtools.pipeline.exposure.plan.ExposurePlan
        From `calibrate`.
    plan : rtools.pipeline.exposure.plan.ExposurePlan
        The whole one, with the final names.
    request : rtools.pipeline.exposure.plan.ExposureRequest
    journal : rtools.pipeline.job.journal.Journal
    work : rtools.work.Work

    Returns
    -------
    rtools.pipeline.exposure.run.ExposureResult
        With the final names.
    """
    with rest.product:
        result = execute(rest, replace(request, update_catalog=True), journal, work)
    aligned = {suffix: path for suffix, path in rest.outputs.items() if path.exists()}
    before = rest.product.path.parent
    made = {suffix: aligned.get(suffix, before / path.name) for suffix, path in plan.outputs.items()}
    names = [suffix for suffix in plan.outputs if suffix != plan.main and made[suffix].exists()] + [plan.main]
    for suffix in names:
        os.replace(made[suffix], plan.outputs[suffix])
    return replace(result, outputs=[plan.outputs[suffix] for suffix in names])
