"""The steps of a plan: options, and the references that serve them; which of them do nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rtools.errors import InputError, RtoolsError
from rtools.pipeline.astrometry.align import GAIA
from rtools.pipeline.catalog import placing
from rtools.pipeline.exposure import chain
from rtools.pipeline.job.steps import StepPlan, uses_of
from rtools.products.refcat import files as refcat_files
from rtools.products.schema import history
from rtools.reference import find
from rtools.wfi.frame import BORDER

if TYPE_CHECKING:
    from rtools.pipeline.exposure.request import ExposureRequest
    from rtools.pipeline.exposure.source import Source
    from rtools.pipeline.job.job import Messages

__all__ = ["plan_steps"]


def plan_steps(
    source: Source, chosen: list[str], request: ExposureRequest, messages: Messages
) -> tuple[tuple[StepPlan, ...], placing.Place]:
    """Steps with their options and references.

    Parameters
    ----------
    source : rtools.pipeline.exposure.source.Source
        The input.
    chosen : list of str
        Tool names, in order.
    request : ExposureRequest
        What is asked.
    messages : Messages
        Gets what is to be said.

    Returns
    -------
    steps : tuple of StepPlan
    place : rtools.pipeline.catalog.placing.Place
        Where the image lies in the frame of its detector.

    Raises
    ------
    InputError, MissingReferenceError
        A reference is nowhere, or does not fit.
    """
    declared = [chain.step_of(name) for name in chosen]
    options = {step.name: step.defaults() | dict(request.settings.get(step.name, {})) for step in declared}
    uses = [use for step in declared if step.name not in request.skip for use in uses_of(step, options[step.name])]
    product = source.product
    try:
        place = placing.place_of(product, source.shape[1:], request.references)
        simulated = history.is_simulated(product.history)
        found = find.references(
            product.meta, uses, request.references, log=messages.log, frame=place.frame, simulated=simulated
        )
        if source.kind == "l2_image":
            found = _cut(found, uses, place, source)
            if not place.known and found.get("epsf") is not None:
                messages.warn("not known where in the frame this image lies: the PSF of its first pixels is taken")
    except RtoolsError as error:
        error.path = error.path or product.path
        raise
    steps = []
    for step in declared:
        served = {use.type: found.get(use.type) for use in uses_of(step, options[step.name])}
        planned = StepPlan(step, options[step.name], served)
        planned = _settle(planned, source.shape, step.name in request.skip, messages)
        if planned.active and step.aligns:
            asked = bool(request.single or request.settings.get(step.name))
            planned = _settle_alignment(planned, messages if asked else None)
        steps.append(planned)
    return tuple(steps), place


def _cut(found, uses, place, source):
    """References as an image sees them that may be cut out of its frame."""
    doubtful = not place.known and source.product.meta.get("wcs") is not None
    for use in uses if doubtful else ():
        reference = found.get(use.type)
        made_to_fit = reference is not None and reference.origin == "builtin" and (use.planes or use.trimmed)
        if made_to_fit or (reference is not None and use.type == "distortion"):
            mend = "give the distortion reference with which its WCS was made"
            raise InputError(f"not known where in the frame this image lies, for the {use.type} reference", mend=mend)
    by_type = {use.type: use for use in uses}
    return {
        kind: reference and placing.cut_to(reference, by_type[kind], place, source.shape[1:])
        for kind, reference in found.items()
    }


def _settle_alignment(planned, messages):
    """Without reference stars nothing can be aligned; no `messages` where nobody asked for it."""
    path = planned.options["refcat"]
    if path is None:
        note = "without a reference catalog (--refcat or RT_REFCAT)"
        if messages is not None:
            messages.warn(f"{planned.step.name}: SKIPPED {note}")
        return replace(planned, status="SKIPPED", note=note, active=False)
    if Path(path).exists():
        refcat_files.check(str(path), planned.options["refcat_columns"])
    elif path != GAIA:
        raise InputError("no such file", mend=f"{GAIA} asks the archive, over the network", path=path)
    return planned


def _settle(planned, shape, skipped, messages):
    """Decide whether a step runs, from its references; SKIPPED where one it needs is refused or does not fit."""
    step, references = planned.step, dict(planned.references)
    for use in () if skipped else uses_of(step, planned.options):
        reference = references[use.type]
        if reference is not None and not _fits(reference, use, shape):
            if not use.may_misfit:
                raise InputError(f"{use.type} reference does not have the frame's shape", path=reference.label)
            messages.warn(f"{reference.label}: not of the frame's shape; {step.name} SKIPPED")
            references[use.type] = reference = None
        elif reference is None:
            what = "goes on without the" if use.optional else "SKIPPED without the"
            messages.warn(f"{step.name}: {what} {use.type} reference")
        skipped = skipped or (reference is None and not use.optional)
    if not skipped:
        return replace(planned, references=references)
    nothing = dict.fromkeys(references)
    return replace(planned, references=nothing, status="SKIPPED", active=step.runs_without_reference)


def _fits(reference, use, shape):
    """Whether the arrays of a reference have the rows and columns of the frame."""
    rows, columns = shape[1:]
    inner = rows - 2 * BORDER, columns - 2 * BORDER
    full = all(tuple(reference.shape(name)[-2:]) == (rows, columns) for name in use.planes)
    return full and all(tuple(reference.shape(name)[-2:]) == inner for name in use.trimmed)
