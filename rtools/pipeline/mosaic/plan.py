"""What is made of a group of images: which steps, on which grids, into which files; all refusals before any work."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from rtools.errors import InputError, RtoolsError, UsageError
from rtools.mosaic.drizzle.drizzle import VARIANCES, make_kernel
from rtools.mosaic.drizzle.options import PLANES
from rtools.mosaic.drizzle.weights import bad_bits
from rtools.mosaic.skymap import skymap
from rtools.pipeline.job.outputs import check_outputs
from rtools.pipeline.job.steps import steps_in_order
from rtools.pipeline.mosaic import add as mosaic_add
from rtools.pipeline.mosaic.catalog import catalog_task
from rtools.pipeline.mosaic.drizzle import Recipe
from rtools.pipeline.mosaic.flag import fill_value, limits_of
from rtools.pipeline.mosaic.grid import WantedGrid, choose_frame, refuse_empty, weight_of
from rtools.pipeline.mosaic.members import exposed, open_members
from rtools.products import names
from rtools.products.mosaic.association import read_association
from rtools.products.schema import history, profiles
from rtools.reference import find

__all__ = ["STEPS", "MosaicPlan", "MosaicRequest", "make_plan"]

STEPS = {step.name: step for step in steps_in_order() if step.of_mosaic}
"""Steps of the chain but the catalog, in order."""


@dataclass
class MosaicRequest:
    """What a user asks of a group of images.

    Attributes
    ----------
    tool : str
        The command, for the history.
    single : str or None
        One step, or None for the chain.
    skip : frozenset of str
        Steps of the chain not to do.
    settings : dict
        Step name to {option key: value}.
    wanted : rtools.pipeline.mosaic.grid.WantedGrid
    skycells : tuple of str
        One mosaic each.
    add : str or None
        A mosaic that the images are to join.
    references : rtools.reference.find.Config
    output, outdir, overwrite, compression, profile
        As the options say.
    again : bool
    form : str or None
        Format of the catalog.
    max_memory : float
        GiB.
    called : dict of str to str
        Temporary file to the name that its products are named after.
    threads : int
    """

    tool: str
    single: str | None = None
    skip: frozenset = frozenset()
    settings: dict = field(default_factory=dict)
    wanted: WantedGrid = field(default_factory=WantedGrid)
    skycells: tuple = ()
    add: str | None = None
    references: find.Config = field(default_factory=find.Config)
    output: str | None = None
    outdir: str | None = None
    overwrite: bool = False
    compression: str | None = None
    profile: str | None = None
    again: bool = False
    form: str | None = None
    max_memory: float = 2.0
    called: dict = field(default_factory=dict)
    threads: int = 1

    def options(self, name):
        """All options of a step."""
        return STEPS[name].defaults() | self.settings.get(name, {})


@dataclass
class Mosaic:
    """One mosaic: its frame, and suffix to path of its products."""

    frame: object
    outputs: dict


@dataclass
class MosaicPlan:
    """A group of images, made ready.

    Attributes
    ----------
    name : str
        What the group is called in messages.
    members : list of rtools.pipeline.mosaic.members.Member
    association : rtools.products.mosaic.association.Association or None
    steps : tuple of str
        To be done, in order.
    mosaics : list of Mosaic
        On which outliers are looked for, and which are written.
    images : list of Path
        One for each member, where they are written.
    warnings, cautions : list of str
        What is to be said before the work; cautions even with -q.
    catalog : rtools.pipeline.exposure.engine.StripTask or None
    stack : rtools.pipeline.mosaic.add.Stack or None
        A mosaic that the members join.
    """

    name: str
    members: list
    association: object
    steps: tuple
    mosaics: list
    images: list
    warnings: list
    cautions: list
    catalog: object = None
    stack: object = None

    @property
    def count(self):
        """Members of the mosaic, with those that it has already."""
        return len(self.members) + (self.stack.count if self.stack else 0)

    @property
    def metas(self):
        """``meta`` of each of them."""
        return [*(self.stack.metas if self.stack else ()), *(member.meta for member in self.members)]

    @property
    def records(self):
        """``meta`` and history of each file that goes into the mosaic, for `rtools.products.schema.history.entry`."""
        return _records(self.members, self.stack)

    @property
    def names(self):
        """What each of these files is called, for the history."""
        return _names(self.members, self.stack)

    def profile(self, request):
        """Profile of what is written."""
        return self._profile(request)[0]

    def profile_messages(self, request):
        """What to say where that is not the profile of the members."""
        return self._profile(request)[1]

    def _profile(self, request):
        return profiles.kept(request.profile, [one.product for one in ([self.stack] if self.stack else self.members)])

    def recipe(self, request, step, mosaic):
        """How a step drizzles the members; without a mosaic what it needs of their pixels."""
        options, frame = request.options(step), None if mosaic is None else mosaic.frame
        kernel = make_kernel(options["kernel"], options["pixfrac"], 1.0 if frame is None else frame.ratio)
        variances, dq = (variances_of(options), wants_dq(options)) if step == "resample" else ((), False)
        backg = options.get("backg", 0.0)
        return Recipe(frame, kernel, options["weight_type"], options["good_bits"], backg, variances, dq)


def make_plan(files, request):
    """Decide what to do with a group of images, or refuse it.

    Parameters
    ----------
    files : sequence of str
        Images, or one association.
    request : MosaicRequest

    Raises
    ------
    InputError, UsageError, RtoolsError
        See the module's first line.
    """
    _check_options(request)
    association, groups, said = None, {}, {"warning": [], "caution": []}

    def log(level, text):
        said.get(level, []).append(text)

    name = files[0] if len(files) == 1 else f"{len(files)} images"
    if any(str(file).endswith(".json") for file in files):
        association = read_association(files[0])
        files, groups = _science(association, log)
    members = open_members(files, log, groups=groups, called=request.called, wcs=request.single != "flux")
    stack = mosaic_add.join(request, members, groups, log) if request.add else None
    steps = _steps(members, request, log)
    if "resample" in steps:
        _settle_weights(members, request, log)
    frames = [stack.frame] if stack else _frames(members, steps, request, association, log)
    for frame in frames:
        refuse_empty(members, frame, log)
    mosaics = [Mosaic(frame, {}) for frame in frames]
    images = []
    if "resample" in steps:
        for mosaic in mosaics:
            mosaic.outputs = _outputs(_root(members, request, association, mosaic.frame), request)
    else:
        images = _images(members, request)
    _refuse([*images, *(path for mosaic in mosaics for path in mosaic.outputs.values())], files, request)
    if request.output != "-":
        for outputs in [
            *({"image": path} for path in images),
            *(mosaic.outputs for mosaic in mosaics if mosaic.outputs),
        ]:
            main = "coadd" if "coadd" in outputs else "image"
            told = [str(outputs[main]), *_names(members, stack)]
            said["warning"] += check_outputs(outputs, main, request, told)
    catalog = None
    if any("cat" in mosaic.outputs for mosaic in mosaics):
        if "err" not in {word.strip() for word in request.options("resample")["planes"].split(",")}:
            raise UsageError("the catalog needs err", mend="leave it in resample.planes, or --skip catalog")
        simulated = all(history.is_simulated(entries) for _meta, entries in _records(members, stack))
        catalog = catalog_task(members, request, log, simulated=simulated)
    plan = MosaicPlan(str(name), members, association, steps, mosaics, images, *said.values(), catalog, stack)
    plan.warnings += plan.profile_messages(request) if mosaics else ()
    return plan


def _records(members, stack):
    return [(one.product.meta, one.product.history) for one in [*([stack] if stack else []), *members]]


def _names(members, stack):
    return [one.name for one in [*([stack] if stack else []), *members]]


def _check_options(request):
    """Values that click does not check."""
    if request.output and len(request.skycells) > 1:
        raise UsageError("-o names one output", mend="use --outdir for several skycells")
    for step in ("outlier", "resample"):
        options = request.options(step)
        make_kernel(options["kernel"], options["pixfrac"])
        bad_bits(options["good_bits"])
        fill_value(options["fillval"])
    limits_of(request.options("outlier"))
    bad_bits(request.options("skymatch")["dqbits"])
    variances_of(request.options("resample"))


def _settle_weights(members, request, log):
    """Weights that are ``auto``: those of the mosaic that it is to be like, else exposure times."""
    like, options = request.wanted.like, request.options("resample")
    if options["weight_type"] == "auto":
        weight = weight_of(like) if like else "exptime"
        if weight != "exptime":
            keeping = "--weight-type exptime" if request.single else "--set resample.weight-type=exptime"
            log("warning", f"weights are {weight}, as of {like}: stars lose light ({keeping} keeps it)")
        request.settings = request.settings | {"resample": options | {"weight_type": weight}}
    weighs = request.options("resample")["weight_type"] == "exptime"
    for member in members:
        time, effective = exposed(member.meta, "exposure_time"), exposed(member.meta)
        if not (time or effective) and weighs:
            log("warning", f"{member.name}: exposure time not known: it counts like 1 s")
        elif weighs and not time:
            log("warning", f"{member.name}: no meta.exposure.exposure_time: effective_exposure_time is taken")
        elif not effective:
            log("warning", f"{member.name}: no meta.exposure.effective_exposure_time: meta.coadd_info is without it")


def variances_of(options):
    """Variances that are computed, the read noise first: with other weights than exptime it weighs them all."""
    asked = [word.strip() for word in options["planes"].split(",") if word.strip()]
    unknown = set(asked) - {*PLANES, "var_flat", "dq"}
    if unknown:
        raise UsageError(f"resample.planes: a mosaic has no {sorted(unknown)[0]}", mend=f"it has {' '.join(PLANES)}")
    wanted = {name for name in asked if name.startswith("var_")} | ({"var_flat"} if options["var_flat"] else set())
    if "err" in asked:
        wanted |= {"var_rnoise", "var_poisson"}
    if wanted and options["weight_type"] != "exptime":
        wanted.add("var_rnoise")
    return tuple(name for name in VARIANCES if name in wanted)


def wants_dq(options):
    """Whether flags are joined."""
    return options["dq"] or "dq" in {word.strip() for word in options["planes"].split(",")}


def _science(association, log):
    """Files of an association's science members, and the groups that it puts them in."""
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
        step = STEPS[request.single]
        for member in members:
            done = (member.product.meta.get("cal_step") or {}).get(step.cal_step) == "COMPLETE"
            if done and not step.repeatable and (not request.again or step.once):
                mend = "it cannot run twice" if step.once else "--again runs it all the same"
                raise InputError(f"{step.cal_step} is COMPLETE in this file", mend=mend, path=member.name)
            if request.single in ("skymatch", "outlier") and member.factor is not None:
                log("warning", f"{member.name}: flux has not run on this file: converted to MJy/sr on the way")
        return (request.single,)
    steps = [name for name in STEPS if name not in request.skip]
    for name in ("skymatch", "outlier"):
        done = {(member.product.meta.get("cal_step") or {}).get(STEPS[name].cal_step) for member in members}
        if name in steps and done == {"COMPLETE"} and not request.again:
            steps.remove(name)
            log("warning", f"{name} is COMPLETE in all images, and is not done again")
        if name in request.skip:
            for member in members:
                member.meta["cal_step"].setdefault(STEPS[name].cal_step, "INCOMPLETE")
                if member.meta["cal_step"][STEPS[name].cal_step] == "INCOMPLETE":
                    member.meta["cal_step"][STEPS[name].cal_step] = "SKIPPED"
    return tuple(steps)


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


def _root(members, request, association, frame):
    """Name of a mosaic without suffix; None where -o says it."""
    if request.output:
        return None
    if association is not None and association.name and len(request.skycells) < 2:
        return association.name
    if not request.skycells:
        raise UsageError("the mosaic has no name", mend="use -o NAME_coadd.asdf, or --skycell")
    visits = {names.split_suffix(member.name)[0][1:20] for member in members}
    element = members[0].meta["instrument"]["optical_element"].lower()
    visit = visits.pop()
    if visits or not visit.isdecimal() or len(visit) != 19:
        raise UsageError("the archive has no name for a prompt mosaic of several visits", mend="use -o, or rt-asn")
    fields = {"program": visit[:5], "release": "p", "subset": f"v{visit[5:]}", "skycell": frame.skycell}
    return names.build(fields | {"element": element})


def _outputs(root, request):
    """Suffix to path of the products of one mosaic."""
    suffixes = {"coadd": "asdf"}
    if request.single is None and "catalog" not in request.skip:
        suffixes |= {"cat": request.form or "parquet", "segm": "asdf"}
    if request.output == "-":
        return {"coadd": Path("-")}
    if request.output:
        exact = Path(request.output)
        root, folder = names.split_suffix(exact.name)[0], exact.parent
    else:
        folder = Path(request.outdir or ".")
    outputs = {suffix: folder / f"{root}_{suffix}.{extension}" for suffix, extension in suffixes.items()}
    return outputs | ({"coadd": Path(request.output)} if request.output else {})


def _images(members, request):
    """Paths of the members as a step leaves them."""
    suffix = STEPS[request.single].suffix
    if request.output and len(members) > 1:
        raise UsageError("-o names one output", mend="use --outdir for several images")
    if request.output:
        return [Path(request.output)]
    paths = []
    for member in members:
        folder = Path(request.outdir) if request.outdir else Path(member.name).parent
        paths.append(folder / f"{names.split_suffix(member.name)[0]}_{suffix}.asdf")
        if paths.count(paths[-1]) > 1:
            raise UsageError(f"two of the images would be {paths[-1]}", mend="give them different names")
    return paths


def _refuse(outputs, files, request):
    """Outputs that exist, or are inputs."""
    if str(request.output) == "-":
        return
    inputs = {Path(file).resolve() for file in files}
    for path in outputs:
        if outputs.count(path) > 1:
            raise UsageError("two products would be this file", mend="another name for -o", path=path)
        if path.resolve() in inputs:
            raise UsageError("is an input", path=path)
        folder = next(each for each in path.absolute().parents if each.exists())
        if not folder.is_dir():
            raise RtoolsError("not a directory", path=folder)
        if not os.access(folder, os.W_OK):
            raise RtoolsError("cannot be written (permission denied)", path=folder)
