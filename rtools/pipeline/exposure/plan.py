"""What will be done to one exposure: which steps, with which options and references, into which files.

Everything that can be refused is refused here, before any work: a file of the wrong kind, missing metadata, a step
that is done already, a reference that is nowhere, an output that exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rtools.errors import InputError, UsageError
from rtools.pipeline.catalog.placing import Place
from rtools.pipeline.exposure import chain
from rtools.pipeline.exposure.choice import check_input, choose_chain, choose_one, statuses_of
from rtools.pipeline.exposure.references import plan_steps
from rtools.pipeline.exposure.request import ExposureRequest
from rtools.pipeline.exposure.source import Source
from rtools.pipeline.job.job import Messages
from rtools.pipeline.job.outputs import check_outputs, name_outputs
from rtools.pipeline.job.steps import StepPlan
from rtools.products import names
from rtools.products.io import opening
from rtools.products.io.product import Product
from rtools.products.schema import layout, profiles
from rtools.products.schema.blocks import WRITTEN
from rtools.wfi import metadata

__all__ = ["ExposurePlan", "make_plan"]

KINDS = ("l1_uncal", "ramp", "l2_image")

BASE_METADATA = (
    "exposure.type",
    "exposure.start_time",
    "exposure.frame_time",
    "exposure.read_pattern",
    "instrument.detector",
    "instrument.optical_element",
)


@dataclass(frozen=True)
class ExposurePlan:
    """One exposure, made ready.

    Attributes
    ----------
    product : rtools.products.io.product.Product
        The input.
    source : rtools.pipeline.exposure.source.Source
        Its strips.
    place : rtools.pipeline.catalog.placing.Place
        Where the image lies in the frame of its detector.
    steps : tuple of StepPlan
        In order.
    untouched : mapping of str to str
        cal_step key to status for steps that this run decides without doing them.
    outputs : mapping of str to Path
        By suffix, the main product last.
    main : str
        Suffix of the main product.
    profile : str
        Schema generation of what is written.
    name : str
        What the input is called: its path, or the name that standard input gives itself.
    guide : str or None
        The guide-window file that the jitter is measured of.
    warnings, cautions : tuple of str
        What is to be said before the work; cautions even with -q.
    """

    product: Product
    source: Source
    place: Place
    steps: tuple[StepPlan, ...]
    untouched: Mapping[str, str]
    outputs: Mapping[str, Path]
    main: str
    profile: str
    name: str
    guide: str | None = None
    warnings: tuple[str, ...] = field(default=())
    cautions: tuple[str, ...] = field(default=())

    @property
    def wants_alignment(self) -> bool:
        """Whether this plan of the whole chain ends in an alignment that is still to be made."""
        return self.main == "cal" and any(step.step.aligns and step.active for step in self.steps)


def make_plan(path: str | Path, request: ExposureRequest, *, name: str | None = None) -> ExposurePlan:
    """Decide what to do with one input file, or refuse it.

    Parameters
    ----------
    path : str or Path
        The file to open.
    request : ExposureRequest
        What is asked.
    name : str, optional
        The name from which output names are made, where it is not `path` (standard input).

    Returns
    -------
    ExposurePlan

    Raises
    ------
    InputError, MissingReferenceError, UsageError, RtoolsError
        See the module's first lines.
    """
    product = opening.open_product(path, kinds=KINDS)
    metadata.require(product.meta, *BASE_METADATA, path=product.path)
    source, messages, done = Source(product), Messages(), statuses_of(product.meta)
    messages.warnings += source.left_out
    chosen = (choose_one if request.single else choose_chain)(product, request, done, messages.warnings)
    check_input(product, source.shape[0], chosen)
    _check_metadata(product, chosen, request)
    steps, place = plan_steps(source, chosen, request, messages)
    main, name = _main_suffix(chosen, request), str(name or path)
    profile, changes = profiles.kept(request.profile, [product])
    messages.warnings += changes
    outputs = _outputs(name, steps, main, request, product.kind, messages.warnings)
    _check_output_metadata(product, profile)
    guide = _guide_of(product, request)
    untouched = {} if request.single or request.last else _untouched(product, done)
    return ExposurePlan(
        product, source, place, steps, untouched, outputs, main, profile, name, guide,
        tuple(messages.warnings), tuple(messages.cautions),
    )  # fmt: skip


def _guide_of(product, request):
    """The guide-window file of an exposure, where its jitter is wanted from one."""
    if request.guide is None:
        return None
    from rtools.pipeline.guide.links import find_guide_file, guide_files_in

    try:
        return find_guide_file(guide_files_in(request.guide), product.meta)
    except InputError as error:
        error.path = error.path or product.path
        raise


def _untouched(product, done):
    """Steps that no exposure of this type has, and which are therefore skipped."""
    names_there = chain.chain_of(product.meta["exposure"]["type"])
    absent = [name for name in chain.order() if done[name] == "INCOMPLETE" and name not in names_there]
    return {chain.step_of(name).cal_step: "SKIPPED" for name in absent}


def _check_metadata(product, chosen, request):
    """Refuse metadata that the steps cannot do without, or that cannot be."""
    steps = [chain.step_of(name) for name in chosen]
    steps = [step for step in steps if step.name not in request.skip or step.runs_without_reference]
    metadata.require(product.meta, *(key for step in steps for key in step.metadata), path=product.path)
    if_any = [key for step in steps for key in step.metadata_if_any]
    metadata.refuse_impossible(product.meta, *if_any, path=product.path)


def _check_output_metadata(product, profile):
    """Refuse now what the schema of the products would refuse after the work."""
    meta = profiles.convert("l1_uncal", product.meta, {}, profile)[0]
    absent = object()
    wanted = [key for key in layout.required_metadata("l1_uncal", profile) if key not in WRITTEN]
    missing = [key for key in wanted if metadata.get(meta, key, absent) is absent]
    if missing:
        listed = ", ".join(f"meta.{key}" for key in missing[:6]) + (" …" if len(missing) > 6 else "")
        raise InputError(f"metadata missing: {listed}", path=product.path)


def _main_suffix(chosen, request):
    if request.single:
        step = chain.step_of(request.single)
        return "cat" if step.finds_sources else step.suffix
    return chain.step_of(chosen[-1]).suffix if request.last else "cal"


def _outputs(path, steps, main, request, kind, warnings):
    """Paths of everything that will be written; refuses what exists, and a ramp's or raw file's own name."""
    stem, suffix = names.split_suffix(Path(path).name)
    suffixes = [step.step.suffix for step in steps if step.active] if request.save_steps else []
    suffixes += ["segm", "cat"] if any(step.active and step.step.finds_sources for step in steps) else []
    suffixes += ["sourcecatalogstep"] if main == "cat" and suffix in ("flat", "photom") else []
    suffixes += ["wcs"] * (main == "cal")
    extensions = {suffix: (request.form or "parquet") if suffix == "cat" else "asdf" for suffix in (*suffixes, main)}
    outputs = name_outputs(request, Path(path).parent, stem, extensions, main)
    made = "ramp" if steps and steps[-1].step.writes_ramp else "l2_image"
    for output in outputs.values() if kind != made else ():
        if output.exists() and Path(path).exists() and output.samefile(path):
            raise UsageError(f"{output} is the input, which another kind of product would replace")
    warnings += check_outputs(outputs, main, request, [path])
    return outputs
