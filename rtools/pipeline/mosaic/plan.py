"""What is made of a group of images: which steps, on which grids, into which files; all refusals before any work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rtools.errors import InputError, UsageError, with_article
from rtools.mosaic.skymap import skymap
from rtools.pipeline.job.job import Messages
from rtools.pipeline.job.outputs import check_outputs, refuse_inputs, refuse_several
from rtools.pipeline.job.steps import StepPlan, step_of
from rtools.pipeline.mosaic import add as mosaic_add
from rtools.pipeline.mosaic.catalog import plan_catalog_step
from rtools.pipeline.mosaic.choices import MosaicOptions, parse_options, refuse_foreign, settle_weights
from rtools.pipeline.mosaic.drizzle import Recipe
from rtools.pipeline.mosaic.grid import Frame, choose_frame, refuse_empty
from rtools.pipeline.mosaic.jwst_planes import MeanOfIntegrations
from rtools.pipeline.mosaic.members import Member, open_members
from rtools.pipeline.mosaic.missions import ROMAN, MosaicMission, mission_of_images
from rtools.pipeline.mosaic.outputs import image_outputs, mosaic_outputs, mosaic_root, step_outputs
from rtools.pipeline.mosaic.request import MosaicRequest
from rtools.products.mosaic.association import Association, read_association
from rtools.products.schema import history

__all__ = ["Mosaic", "MosaicPlan", "make_plan", "plan_catalog", "science_of"]


@dataclass(frozen=True)
class Mosaic:
    """One mosaic.

    Attributes
    ----------
    frame : rtools.pipeline.mosaic.grid.Frame
        Its grid.
    outputs : mapping of str to Path
        Its products by suffix, the mosaic itself last; none where only outliers are looked for on it.
    """

    frame: Frame
    outputs: Mapping[str, Path]

    @property
    def path(self) -> Path:
        """Where the mosaic itself goes; IndexError without outputs."""
        return list(self.outputs.values())[-1]


@dataclass(frozen=True)
class MosaicPlan:
    """A group of images, made ready.

    Attributes
    ----------
    name : str
        What the group is called in messages.
    members : tuple of rtools.pipeline.mosaic.members.Member
        The images; a run works on copies of them.
    association : rtools.products.mosaic.association.Association or None
        Where one names them.
    steps : tuple of str
        To be done, in order.
    options : MosaicOptions
        Of these steps.
    typed : mapping of str to mapping
        Step to its options in the words in which products say them.
    mosaics : tuple of Mosaic
        On which outliers are looked for, and which are written.
    images : tuple of Path
        One for each member, where they are written.
    profile : str
        Schema generation of what is written.
    warnings, cautions : tuple of str
        What is to be said before the work; cautions even with -q.
    catalog : rtools.pipeline.job.steps.StepPlan or None
        Where catalogs are made.
    joined : rtools.pipeline.mosaic.add.JoinedMosaic or None
        A mosaic that the members join.
    mission : rtools.pipeline.mosaic.missions.MosaicMission
        Whose images they are.
    saved : mapping of str to tuple of Path
        Step to one file for each member, where the images as it leaves them are written beside a mosaic.
    """

    name: str
    members: tuple[Member, ...]
    association: Association | None
    steps: tuple[str, ...]
    options: MosaicOptions
    typed: Mapping[str, Mapping[str, Any]]
    mosaics: tuple[Mosaic, ...]
    images: tuple[Path, ...]
    profile: str
    warnings: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    catalog: StepPlan | None = None
    joined: mosaic_add.JoinedMosaic | None = None
    mission: MosaicMission = ROMAN
    saved: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Members of the mosaic, with those that it has already."""
        return len(self.members) + (self.joined.count if self.joined else 0)

    @property
    def records(self) -> list[tuple[dict, list]]:
        """``meta`` and history of each file that goes into the mosaic, for `rtools.products.schema.history.entry`."""
        return [(one.product.meta, one.product.history) for one in _files(self.joined, self.members)]

    @property
    def names(self) -> list[str]:
        """What each of these files is called, for the history."""
        return [one.name for one in _files(self.joined, self.members)]

    def recipe(self, step: str, frame: Frame | None) -> Recipe:
        """How a step drizzles the members; without a frame what it needs of their pixels.

        Parameters
        ----------
        step : str
            ``outlier`` or ``resample``.
        frame : rtools.pipeline.mosaic.grid.Frame or None
            The grid.

        Returns
        -------
        rtools.pipeline.mosaic.drizzle.Recipe
        """
        ratio = 1.0 if frame is None else frame.ratio
        if step == "outlier":
            drizzle, backg = self.options.outlier.drizzle, self.options.outlier.backg
            return Recipe(frame, drizzle.kernel_for(ratio), drizzle.weight_type, drizzle.bad_bits, backg)
        resample = self.options.resample
        drizzle, names = resample.drizzle, resample.variances
        kernel = drizzle.kernel_for(ratio)
        return Recipe(frame, kernel, drizzle.weight_type, drizzle.bad_bits, 0.0, names, resample.dq)


def _files(joined, members):
    return [*([joined] if joined else []), *members]


def make_plan(
    files: Sequence[str],
    request: MosaicRequest,
    *,
    association: Association | None = None,
    groups: Mapping[str, str] | None = None,
) -> MosaicPlan:
    """Decide what to do with a group of images, or refuse it.

    Parameters
    ----------
    files : sequence of str
        Images, or one association.
    request : MosaicRequest
        What is asked.
    association : rtools.products.mosaic.association.Association, optional
        That names the images; by default the one among the files.
    groups : mapping of str to str, optional
        Image to the exposure that this association puts it in.

    Returns
    -------
    MosaicPlan

    Raises
    ------
    InputError, UsageError, RtoolsError
        See the module's first line.
    """
    refuse_several(request, len(request.skycells))
    messages, groups = Messages(), groups or {}
    name = str(files[0]) if len(files) == 1 else f"{len(files)} images"
    if any(str(file).endswith(".json") for file in files):
        association = association or read_association(files[0])
        files, groups = science_of(association, messages.log)
    request = replace(request, mission=mission_of_images(files))
    refuse_foreign(request, files)
    parse_options(request)
    members = open_members(files, messages.log, groups=groups, called=request.called, wcs=request.single != "flux",
                           mission=request.rules)  # fmt: skip
    joined = None
    if request.add:
        joined, settled = mosaic_add.join(request, members, groups, messages.log)
        request = replace(request, settings={**request.settings, "resample": settled})
    steps = _steps(members, request, messages.log)
    if "resample" in steps:
        request = settle_weights(members, request, messages.log)
    frames = [joined.frame] if joined else _frames(members, steps, request, association, messages.log)
    for frame in frames:
        refuse_empty(members, frame, messages.log)
    made = _files(joined, members)
    mosaics, images = _outputs(members, request, association, frames, steps, [one.name for one in made], messages)
    saved = step_outputs([member.name for member in members], request, _changing(members, steps, joined), association)
    if images or saved:
        _refuse_means(members)
    written = (*images, *(path for paths in saved.values() for path in paths), *_paths(mosaics))
    refuse_inputs([path for path in written if not request.to_stdout], files)
    catalog = _catalog(mosaics, made, members, request, messages.log)
    profile, changes = request.rules.profile_of(
        request.profile, [one.product for one in ([joined] if joined else members)]
    )
    messages.warnings += changes if mosaics else ()
    return MosaicPlan(
        name, tuple(members), association, steps, parse_options(request),
        {step: request.options(step) for step in request.rules.steps}, mosaics, images, profile,
        tuple(messages.warnings), tuple(messages.cautions), catalog, joined, request.rules, saved,
    )  # fmt: skip


def _refuse_means(members):
    """Refuse to write images again of which the mosaic takes a mean of several integrations."""
    for member in members:
        if isinstance(member.product, MeanOfIntegrations):
            what = f"is {with_article(member.product.kind)}, of several integrations, which are not written again"
            raise InputError(what, mend="rt-resample combines them", path=member.name)


def _changing(members, steps, joined):
    """Those of the steps that change images."""
    idle = {"resample"} | (set() if any(member.factor is not None for member in members) else {"flux"})
    if joined is None and len({member.group for member in members}) < 2:
        idle.add("outlier")
    return [name for name in steps if name not in idle]


def _paths(mosaics):
    return [path for mosaic in mosaics for path in mosaic.outputs.values()]


def _outputs(members, request, association, frames, steps, inputs, messages):
    """The mosaics with their files, or the files of the images; refuses what exists."""
    if "resample" not in steps:
        images = image_outputs([member.name for member in members], request, request.single, association)
        for path in images:
            messages.warnings += check_outputs({"image": path}, "image", request, [str(path), *inputs])
        return tuple(Mosaic(frame, {}) for frame in frames), images
    mosaics = []
    for frame in frames:
        root = mosaic_root([member.name for member in members], request, association, frame.skycell,
                           request.rules.element_of(members[0].meta))  # fmt: skip
        mosaic = Mosaic(frame, mosaic_outputs(root, request))
        suffix = request.rules.suffix
        messages.warnings += check_outputs(mosaic.outputs, suffix, request, [str(mosaic.path), *inputs])
        mosaics.append(mosaic)
    return tuple(mosaics), ()


def _catalog(mosaics, made, members, request, log):
    """The catalog step, where catalogs are wanted."""
    if not any("cat" in mosaic.outputs for mosaic in mosaics):
        return None
    simulated = all(history.is_simulated(one.product.history) for one in made)
    return plan_catalog(members[0].meta, request, log, simulated=simulated)


def plan_catalog(
    meta: Mapping[str, Any], request: MosaicRequest, log: Callable[[str, str], None], *, simulated: bool
) -> StepPlan:
    """Options and references of the catalog of a mosaic that will be made.

    Parameters
    ----------
    meta : mapping
        Of its first exposure.
    request : MosaicRequest
        What is asked.
    log : callable
        ``log(level, text)``.
    simulated : bool
        Whether all data of the mosaic are.

    Returns
    -------
    rtools.pipeline.job.steps.StepPlan

    Raises
    ------
    UsageError, MissingReferenceError
        The mosaic will have no errors, or a reference is nowhere.
    """
    if "err" not in parse_options(request).resample.planes:
        raise UsageError("the catalog needs err", mend="leave it in resample.planes, or --skip catalog")
    if request.rules is ROMAN:  # a mosaic has the time in a place of its own
        meta = {"coadd_info": {"time_first": meta["exposure"]["start_time"]}, "instrument": meta["instrument"]}
    return plan_catalog_step(meta, request, log, simulated=simulated, mission=request.mission)


def science_of(association: Association, log: Callable[[str, str], None]) -> tuple[list[str], dict[str, str]]:
    """Files of an association's science members, and the groups that it puts them in.

    Parameters
    ----------
    association : rtools.products.mosaic.association.Association
        As it was read.
    log : callable
        ``log(level, text)``.

    Raises
    ------
    InputError
        It has none.
    """
    if association.products > 1:
        log("warning", f"{association.path}: only the first of its {association.products} products is made")
    for member in association.members:
        if member.exptype != "science":
            log("warning", f"{member.path}: exptype {member.exptype}, left out")
    if not association.science:
        raise InputError("the association has no science members", path=association.path)
    groups = {member.path: member.group_id for member in association.science if member.group_id}
    return [member.path for member in association.science], groups


def _steps(members, request, log):
    """Steps to be done; those that are done already are refused in a tool and left out in the chain."""
    if request.single:
        return _single_step(members, request, log)
    steps = [name for name in request.rules.steps if name not in request.skip]
    for name in ("skymatch", "outlier"):
        cal_step = step_of(name).cal_step
        done = {(member.product.meta.get("cal_step") or {}).get(cal_step) for member in members}
        if name in steps and done == {"COMPLETE"} and not request.again:
            steps.remove(name)
            log("warning", f"{name} is COMPLETE in all images, and is not done again")
        if name in request.skip:
            for member in members:
                if member.meta["cal_step"].setdefault(cal_step, "INCOMPLETE") == "INCOMPLETE":
                    member.meta["cal_step"][cal_step] = "SKIPPED"
    return tuple(steps)


def _single_step(members, request, log):
    step = step_of(request.single)
    for member in members:
        done = (member.product.meta.get("cal_step") or {}).get(step.cal_step) == "COMPLETE"
        if done and step.name != "resample" and (not request.again or step.name == "flux"):
            mend = "it cannot run twice" if step.name == "flux" else "--again runs it all the same"
            raise InputError(f"{step.cal_step} is COMPLETE in this file", mend=mend, path=member.name)
        if step.name in ("skymatch", "outlier") and member.factor is not None:
            log("warning", f"{member.name}: flux has not run on this file: converted to MJy/sr on the way")
    return (request.single,)


def _frames(members, steps, request, association, log):
    """Frames of the mosaics, or of the one on which outliers are looked for."""
    on_grid = "resample" in steps or ("outlier" in steps and request.options("outlier")["resample_data"])
    if not on_grid:
        if "outlier" in steps and len({member.shape for member in members}) > 1:
            raise UsageError("images of several shapes", mend="leave out --no-resample-data")
        return []
    if not request.skycells:
        return [choose_frame(members, request.wanted, association, log)]
    if request.single == "outlier" and len(request.skycells) > 1:
        raise UsageError("outliers are looked for on one skycell", mend="rt-run makes several mosaics")
    cells = dict.fromkeys(skymap.pad_skycell(name) for name in request.skycells)
    return [choose_frame(members, request.wanted._replace(skycell=cell), None, log) for cell in cells]
