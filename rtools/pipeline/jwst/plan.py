"""What will be done to one JWST exposure: which steps, with which options and references, into which files.

Everything that can be refused is refused here, before any work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rtools.declare import NotApplicable, Skip, Step
from rtools.errors import InputError, UsageError, with_article
from rtools.exposure.jwst.block import RampTiming
from rtools.exposure.jwst.exposure import RampExposure
from rtools.jwst import modes
from rtools.jwst.kinds import described
from rtools.pipeline.exposure.request import ExposureRequest
from rtools.pipeline.job.job import Messages
from rtools.pipeline.job.outputs import check_outputs, name_outputs
from rtools.pipeline.job.steps import StepPlan
from rtools.pipeline.jwst import chain
from rtools.pipeline.jwst.background import open_backgrounds
from rtools.pipeline.jwst.references import find_references
from rtools.pipeline.jwst.source import groups_left_out, ramp_shape, refuse_strange_readout
from rtools.products import names
from rtools.products.edit.section import part_of_image
from rtools.products.jwst import JwstProduct, open_jwst
from rtools.wfi import metadata

__all__ = ["JwstPlan", "plan_jwst", "suffix_of"]

RAMPS = ("uncal", "ramp")
IMAGES = ("rate", "rateints", "bsub", "bsubints", "cal", "calints")

WITHOUT_FILE = ("rampfit", "gainscale", "photom")
"""Steps whose products are `rate` and `cal`, whatever else is saved."""

BASE_METADATA = ("exposure.type", "instrument.name", "instrument.detector", "subarray.xstart", "subarray.ystart")
RAMP_METADATA = ("exposure.nframes", "exposure.groupgap", "exposure.frame_time", "exposure.group_time")


@dataclass(frozen=True)
class JwstPlan:
    """One exposure, made ready.

    Attributes
    ----------
    product : JwstProduct
        The input.
    exposure : RampExposure
        What its steps know of it.
    steps : tuple of StepPlan
        In order.
    outputs : mapping of str to Path
        By suffix, the main product last.
    main : str
        Suffix of the main product.
    apart : bool
        Whether images are made of each integration.
    name : str
        What the input is called.
    warnings, cautions : tuple of str
        What is to be said before the work; cautions even with -q.
    backgrounds : tuple of JwstProduct
        Exposures of which the background is taken that it loses.
    """

    product: JwstProduct
    exposure: RampExposure
    steps: tuple[StepPlan, ...]
    outputs: Mapping[str, Path]
    main: str
    apart: bool
    name: str
    warnings: tuple[str, ...] = field(default=())
    cautions: tuple[str, ...] = field(default=())
    backgrounds: tuple[JwstProduct, ...] = field(default=())


def plan_jwst(
    path: str | Path, request: ExposureRequest, *, name: str | None = None, ramps: Mapping[str, str] | None = None
) -> JwstPlan:
    """Decide what to do with one input file, or refuse it.

    Parameters
    ----------
    path : str or Path
        The file to open.
    request : ExposureRequest
        What is asked.
    name : str, optional
        The name from which output names are made, where it is not `path`.
    ramps : mapping of str to str, optional
        Backgrounds that are not there yet, and the ramps that they will be made of, which are looked at instead.

    Returns
    -------
    JwstPlan

    Raises
    ------
    InputError, MissingReferenceError, UsageError, RtoolsError
        See the module's first lines.
    """
    product, messages = open_jwst(path), Messages()
    if product.kind not in (*RAMPS, *IMAGES):
        what = described(product.hdus[0].values if product.hdus else {}, product.kind)
        raise InputError(f"{what}: wanted {', '.join((*RAMPS, *IMAGES))}", path=path)
    if part_of_image(product) is not None:
        mend = "rt-cut without --fill makes one that is calibrated"
        raise InputError("filled beyond the edges of its image, where references have no pixels", mend=mend, path=path)
    is_ramp = product.kind in RAMPS
    if is_ramp:
        refuse_strange_readout(product)
    metadata.require(product.meta, *BASE_METADATA, *(RAMP_METADATA if is_ramp else ()), path=product.path)
    chosen = _choose(product, request, messages)
    steps = [chain.step_called(one) for one in chosen]
    apart = modes.stays_apart(product.meta) or product.kind.endswith("ints")
    metadata.require(product.meta, *(key for step in steps for key in step.metadata), path=product.path)
    _refuse_without_coordinates(product, chosen)
    backgrounds = open_backgrounds(product, request.backgrounds, ramps or {}) if "bsub" in chosen else ()
    options = {step.name: step.defaults() | dict(request.settings.get(step.name, {})) for step in steps}
    served = find_references(product, steps, request, messages)
    exposure = _exposure(product, served, messages)
    _refuse_kernels_elsewhere(served, exposure.shape)
    planned = tuple(
        _if_needed(_planned(step, options[step.name], served, request, messages), exposure, messages) for step in steps
    )
    main = _main(product, planned, request, apart=apart)
    outputs = _outputs(str(name or path), product, planned, main, request, messages, apart=apart)
    return JwstPlan(
        product, exposure, planned, outputs, main, apart, str(name or path),
        tuple(messages.warnings), tuple(messages.cautions), backgrounds,
    )  # fmt: skip


def _choose(product, request, messages):
    """Names of the steps that are done."""
    names_there = _chain(product, request)
    done = _statuses(product, names_there)
    if request.single:
        return [_single(product, request, done)]
    for bound, word in (("from", request.first), ("until", request.last)):
        if word and word not in names_there:
            kind = product.meta["exposure"]["type"]
            raise UsageError(f"--{bound} {word}: not in the chain of {kind}", mend=f"it is {' '.join(names_there)}")
    ramp = product.kind in RAMPS
    todo = [
        name for name in names_there if done[name] == "INCOMPLETE" and (ramp or not chain.step_called(name).reads_ramp)
    ]
    if ramp and "rampfit" in request.skip:
        raise UsageError("--skip rampfit: there is no image without it", mend="use --until jump")
    if request.first and todo[:1] != [request.first]:
        raise InputError(f"--from {request.first} takes the product of the step before it", path=product.path)
    if request.last:
        if request.last not in todo:
            raise InputError(f"--until {request.last}: this file is past it", path=product.path)
        todo = todo[: todo.index(request.last) + 1]
    return todo


def _chain(product, request):
    """Names of the steps of the exposure; among them the background, where others are given that show it."""
    if "bsub" in request.also:
        raise UsageError("--with bsub: an association names exposures of the background, and rt-bsub takes them")
    also = {"bsub"} if request.backgrounds else set()
    return chain.chain_of(product.meta, request.also | also)


def _statuses(product, names_there):
    recorded = product.meta.get("cal_step") or {}
    return {name: str(recorded.get(chain.step_called(name).cal_step) or "INCOMPLETE") for name in names_there}


def _single(product, request, done):
    step = chain.step_called(request.single)
    if step.reads_ramp and product.kind not in RAMPS:
        raise InputError(f"{with_article(product.kind)}; {step.tool} takes a ramp", path=product.path)
    if not step.reads_ramp and product.kind in RAMPS:
        raise InputError(f"a ramp; {step.tool} takes an image", mend="run rt-rampfit first", path=product.path)
    if done.get(step.name) == "COMPLETE" and not step.repeatable and not request.again:
        mend = "--again runs it all the same"
        raise InputError(f"{step.cal_step} is COMPLETE in this file", mend=mend, path=product.path)
    return step.name


def _refuse_without_coordinates(product, chosen):
    """Modes whose coordinates are not made here go on only where the file has them."""
    kind = product.meta["exposure"]["type"]
    if "assignwcs" not in chosen or modes.has_coordinates(kind):
        return
    mend = "--until gainscale gives _rate and _rateints; run assign_wcs of the mission's software once on that"
    raise InputError(f"{kind} needs mission software for its coordinates", mend=mend, path=product.path)


def _exposure(product, served, messages):
    """What steps know of the exposure."""
    info = product.meta["exposure"]
    if product.kind in RAMPS:
        shape = ramp_shape(product)
        timing = RampTiming(
            int(info["nframes"]), int(info["groupgap"]), float(info["frame_time"]), float(info["group_time"])
        )
        left_out = groups_left_out(product)
    else:
        image = product.arrays["data"].shape
        shape = (image[0] if len(image) == 3 else 1, 0, *image[-2:])
        timing, left_out = RampTiming(1, 0, 0.0, 0.0), set()
    return RampExposure(product.meta, shape, timing, served.facts, messages.log, left_out)


def _refuse_kernels_elsewhere(served, shape):
    """Kernels of crosstalk, one for each pixel, that are of other pixels than the image."""
    found = served.sources.get("ipc")
    if found is not None and len(found.shape("data")) == 4 and tuple(found.shape("data")[-2:]) != tuple(shape[-2:]):
        raise InputError("this ipc reference has kernels of other pixels", path=getattr(found, "path", None))


def _planned(step: Step, options, served, request, messages) -> StepPlan:
    """A step with its references; SKIPPED where one that it needs is refused."""
    found = {use.type: served.sources.get(use.type) for use in step.references}
    planned = StepPlan(step, options, found)
    skipped = step.name in request.skip
    for use in () if skipped else step.references:
        if found[use.type] is None and not use.optional:
            messages.warn(f"{step.name}: SKIPPED without the {use.type} reference")
            skipped = True
    return replace(planned, status="SKIPPED", active=False) if skipped else planned


def _if_needed(planned: StepPlan, exposure: RampExposure, messages) -> StepPlan:
    """A step, SKIPPED where metadata alone say that it cannot or need not be done."""
    if not planned.active or planned.step.prepare is None:
        return planned
    trial = replace(exposure, left_out=set(exposure.left_out), log=lambda *_: None)
    found = planned.step.prepare(trial, dict(planned.options))
    if not isinstance(found, Skip | NotApplicable):
        return planned
    text = f"{planned.step.name}: {found.reason}"
    messages.warn(text) if isinstance(found, Skip) else messages.log("info", text)
    return replace(planned, status="SKIPPED", active=False)


def _main(product, planned: Sequence[StepPlan], request, *, apart: bool) -> str:
    """Suffix of the main product."""
    names_done = [one.step.name for one in planned]
    image = "calints" if apart else "cal"
    rate = "rateints" if product.kind.endswith("ints") else "rate"
    if request.single:
        step = planned[0].step
        return rate if step.fits_ramp else suffix_of(step, apart=apart)
    if request.last is None:
        return image
    last = chain.step_called(request.last)
    if last.name in ("rampfit", "gainscale"):
        return "rate"
    if last.name == "photom":
        return image
    if last.reads_ramp:
        ramp = [name for name in _chain(product, request) if chain.step_called(name).writes_ramp]
        return "ramp" if names_done and ramp[-1] == last.name else last.suffix
    return suffix_of(last, apart=apart)


def suffix_of(step: Step, *, apart: bool) -> str:
    """Suffix of what a step makes.

    Parameters
    ----------
    step : Step
        Of an exposure of JWST.
    apart : bool
        Whether images are made of each integration.
    """
    return "bsubints" if step.name == "bsub" and apart else step.suffix


def _outputs(path, product, planned, main, request, messages, *, apart: bool):
    """Paths of everything that will be written; refuses what exists."""
    stem, _suffix = names.split_suffix(Path(path).name)
    several = len(product.arrays["data"].shape) == 4 and product.arrays["data"].shape[0] > 1
    fitted = any(one.step.fits_ramp for one in planned)
    suffixes: list[str] = []
    if request.save_steps:
        done = [one for one in planned if one.active and one.step.name not in WITHOUT_FILE]
        suffixes += [suffix_of(one.step, apart=apart) for one in done]
    if fitted:
        suffixes += ["rate"] + (["rateints"] if several or apart else [])
    suffixes = [one for one in dict.fromkeys(suffixes) if one != main]
    outputs = name_outputs(request, Path(path).parent, stem, dict.fromkeys((*suffixes, main), "fits"), main)
    messages.warnings += check_outputs(outputs, main, request, [path])
    return outputs
