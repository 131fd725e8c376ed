"""What will be done to one input: which steps, with which options and references, into which files.

Everything that can be refused is refused here, before any work: a file of the wrong kind, missing metadata, a step
that is done already, a reference that is nowhere, an output that exists.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from rtools.errors import InputError, RtoolsError, UsageError
from rtools.pipeline.astrometry.align import GAIA
from rtools.pipeline.catalog import placing
from rtools.pipeline.catalog import single as cataloging
from rtools.pipeline.exposure import chain
from rtools.pipeline.exposure.engine import StripTask
from rtools.pipeline.exposure.source import Source
from rtools.pipeline.job.outputs import check_outputs
from rtools.products import names
from rtools.products.io import Product, open_product
from rtools.products.refcat import files as refcat_files
from rtools.products.schema import history, layout, profiles
from rtools.products.schema.blocks import WRITTEN
from rtools.reference import find
from rtools.wfi import metadata
from rtools.wfi.frame import BORDER

__all__ = ["ExposurePlan", "ExposureRequest", "make_plan"]

RAMP_KINDS = ("l1_uncal", "ramp")

BASE_METADATA = (
    "exposure.type",
    "exposure.start_time",
    "exposure.frame_time",
    "exposure.read_pattern",
    "instrument.detector",
    "instrument.optical_element",
)


@dataclass
class ExposureRequest:
    """What a user asks of every input.

    Attributes
    ----------
    tool : str
        The command, for the history.
    single : str or None
        One step (a step tool), or None for the chain.
    first, last : str or None
        ``--from`` and ``--until``, tool names.
    skip : frozenset of str
        Steps not to do.
    settings : dict
        Step name to {option key: value}.
    named : dict
        Those of `settings` that are meant for this run, not a configuration file's for any.
    references : rtools.reference.find.Config
    output, outdir, overwrite, compression, profile
        As the options say.
    save_steps, again : bool
    form : str or None
        Format of the catalog, parquet or ecsv; None: as `output` says, else parquet.
    strict : bool
        An alignment that fails is an error.
    together : bool
        The inputs are aligned by one correction.
    catalogs : dict of str to str
        Input to its catalog, where that is not the one that the image names or its sibling.
    update_catalog : bool
        Sky positions in the catalog that served an alignment are brought up to date.
    matches : str or None
        Where the table of matches goes.
    threads : int
    """

    tool: str
    single: str | None = None
    first: str | None = None
    last: str | None = None
    skip: frozenset = frozenset()
    settings: dict = field(default_factory=dict)
    named: dict = field(default_factory=dict)
    references: find.Config = field(default_factory=find.Config)
    output: str | None = None
    outdir: str | None = None
    overwrite: bool = False
    compression: str | None = None
    profile: str | None = None
    save_steps: bool = False
    again: bool = False
    form: str | None = None
    strict: bool = False
    together: bool = False
    catalogs: dict = field(default_factory=dict)
    update_catalog: bool = False
    matches: str | None = None
    threads: int = 1


@dataclass
class ExposurePlan:
    """One input, made ready.

    Attributes
    ----------
    product : rtools.products.io.product.Product
    source : rtools.pipeline.exposure.source.Source
    tasks : list of StripTask
        In order; strip tasks and frame tasks.
    untouched : dict
        cal_step key to status for steps that this run decides without doing them.
    outputs : dict
        Suffix to path; the main product's suffix is `main`.
    main : str
    name : str
        What the input is called: its path, or the name that standard input gives itself.
    to_stdout : bool
        The main product goes to standard output; the directory of its path means nothing.
    warnings, cautions : list of str
        What is to be said before the work; cautions even with -q.
    """

    product: Product
    source: Source
    tasks: list
    untouched: dict
    outputs: dict
    main: str
    profile: str
    name: str = ""
    to_stdout: bool = False
    warnings: list = field(default_factory=list)
    cautions: list = field(default_factory=list)

    @property
    def inputs(self):
        """Names of the inputs, for the history."""
        return [self.name]


def make_plan(path, request, *, name=None):
    """Decide what to do with one input file, or refuse it.

    Parameters
    ----------
    path : str or Path
        The file to open.
    request : ExposureRequest
    name : str, optional
        The name from which output names are made, where it is not `path` (standard input).

    Raises
    ------
    InputError, MissingReferenceError, UsageError, RtoolsError
        See the module's first lines.
    """
    single = chain.step_of(request.single) if request.single else None
    kinds = ("l2_image", "l3_coadd") if single and single.finds_sources else (*RAMP_KINDS, "l2_image")
    product = open_product(path, kinds=kinds)
    if product.kind == "l3_coadd":
        return _plan_mosaic(product, request, str(name or path))
    metadata.require(product.meta, *BASE_METADATA, path=product.path)
    source = Source(product)
    done = _statuses(product.meta)
    warnings, cautions = list(source.left_out), []
    if request.single:
        chosen, untouched = _choose_one(product, request, done, warnings)
    else:
        chosen, untouched = _choose_chain(product, request, done, warnings)
    _check_input(product, source, chosen, request)
    tasks = _tasks(source, chosen, request, {"warning": warnings, "caution": cautions})
    main = _main_suffix(chosen, request)
    name = str(name or path)
    profile, said = profiles.kept(request.profile, [product])
    warnings += said
    made = "ramp" if tasks and tasks[-1].step.writes_ramp else "l2_image"
    outputs = _outputs(name, tasks, main, request, warnings, keep_input=product.kind == made)
    _check_output_metadata(product, profile)
    return ExposurePlan(
        product, source, tasks, untouched, outputs, main, profile, name, request.output == "-", warnings, cautions
    )


def _plan_mosaic(product, request, name):
    """The catalog of a mosaic; it needs its image and nothing of the chain."""
    step, said = chain.step_of("catalog"), {"warning": [], "caution": []}
    metadata.require(product.meta, "instrument.optical_element", "coadd_info.time_first", path=product.path)
    task = StripTask(step, step.defaults() | request.settings.get("catalog", {}))

    def log(level, text):
        said.get(level, []).append(text)

    simulated = history.is_simulated(product.history)
    about = product.meta, product.kind, _uses(task), request.references, log
    task.sources = cataloging.references(*about, simulated=simulated)
    outputs = _outputs(name, [task], "cat", request, said["warning"])
    profile, changes = profiles.kept(request.profile, [product])
    said["warning"] += changes
    return ExposurePlan(product, None, [task], {}, outputs, "cat", profile, name, request.output == "-", *said.values())


def _statuses(meta):
    """Status of every step of the chain; INCOMPLETE where the file does not say."""
    recorded = meta.get("cal_step") or {}
    return {name: str(recorded.get(chain.step_of(name).cal_step, "INCOMPLETE")) for name in chain.order()}


def _choose_one(product, request, done, warnings):
    name = request.single
    step = chain.step_of(name)
    if product.kind == "l2_image" and step.reads_ramp:
        raise InputError(f"an image; {step.tool} takes a ramp", path=product.path)
    if done[name] == "COMPLETE" and not step.repeatable and (not request.again or step.once):
        mend = "it cannot run twice" if step.once else "--again runs it all the same"
        raise InputError(f"{step.cal_step} is COMPLETE in this file", mend=mend, path=product.path)
    names = chain.chain_of(product.meta["exposure"]["type"])
    if name not in names:
        warnings.append(f"{step.tool} is not in the chain of {product.meta['exposure']['type']}")
    for earlier in names[: names.index(name)] if name in names else ():
        if done[earlier] == "INCOMPLETE":
            warnings.append(f"{chain.step_of(earlier).tool} has not run on this file")
    return [name], {}


def _choose_chain(product, request, done, warnings):
    exposure_type = product.meta["exposure"]["type"]
    names = chain.chain_of(exposure_type)
    for bound, word in (("from", request.first), ("until", request.last)):
        if word and word not in names:
            raise UsageError(f"--{bound} {word}: not in the chain of {exposure_type}", mend=f"it is {' '.join(names)}")
    ramp = product.kind != "l2_image"
    todo = [name for name in names if done[name] == "INCOMPLETE" and (ramp or not chain.step_of(name).reads_ramp)]
    for before, name in pairwise(names):
        if name in request.skip and name in todo and chain.step_of(name).fits_ramp:
            raise UsageError(f"--skip {name}: there is no image without it", mend=f"use --until {before}")
    if request.first and todo[:1] != [request.first]:
        before = names[: names.index(request.first)]
        wanted = chain.step_of(before[-1]).suffix if before else "uncal"
        raise InputError(f"--from {request.first} takes a _{wanted} product", path=product.path)
    if request.last:
        if request.last not in todo:
            raise InputError(f"--until {request.last}: this file is past it", path=product.path)
        todo = todo[: todo.index(request.last) + 1]
    warnings += _out_of_order(names, todo, done)
    warnings += _in_vain(request, done)
    if request.settings.get("tweakreg", {}).get("refcat") and done["tweakreg"] in ("SKIPPED", "FAILED"):
        warnings.append(f"tweakreg is {done['tweakreg']} in this file, and stays so; rt-tweakreg aligns it")
    untouched = {}
    if not request.last:
        untouched = {
            chain.step_of(name).cal_step: "SKIPPED"
            for name in chain.order()
            if done[name] == "INCOMPLETE" and name not in names
        }
    return todo, untouched


def _in_vain(request, done):
    """What to say of options for steps that are behind this file."""
    for name in chain.order():
        keys = set(request.named.get(name, {})) - {"refcat"}  # of it the alignment speaks
        words = [word for word, given in (("--skip", name in request.skip), ("--set", keys)) if given]
        if words and done[name] != "INCOMPLETE":
            yield f"{name} is {done[name]} in this file: {' and '.join(words)} of it changes nothing"


def _out_of_order(names, todo, done):
    """What to say of steps that later ones have overtaken; those that only write metadata may come at any time."""
    last = max((names.index(name) for name in names if done[name] != "INCOMPLETE"), default=-1)
    for name in names[: last + 1]:
        step = chain.step_of(name)
        if done[name] != "INCOMPLETE" or (name in todo and not step.works_on_strips):
            continue
        fate = "it runs now, out of its order" if name in todo else "it stays INCOMPLETE"
        yield f"{step.tool} has not run on this file, and later steps have: {fate}"


def _check_input(product, source, chosen, request):
    steps = [chain.step_of(name) for name in chosen]
    first = steps[0] if steps else None
    ramp_wanted = first is not None and first.reads_ramp
    if ramp_wanted and product.kind == "l2_image":
        raise InputError(f"an image; {first.tool} takes a ramp", path=product.path)
    if first and not ramp_wanted and product.kind != "l2_image":
        raise InputError(f"a ramp; {first.tool} takes an image", mend="run rt-rampfit first", path=product.path)
    if first and product.kind == "l1_uncal" and not first.takes_raw:
        raise InputError(f"raw data; {first.tool} takes a ramp", mend="run rt-dqinit first", path=product.path)
    if not chosen and product.kind != "l2_image":
        raise InputError("nothing is left to do, and this is not an image", path=product.path)
    if any(step.fits_ramp for step in steps) and source.shape[0] < 2:
        raise InputError("one resultant only: no slope can be fitted", path=product.path)
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


def _tasks(source, chosen, request, said):
    """Tasks with their options and references; `said` are lists of what there is to say, by level."""
    tasks, warnings = [], said["warning"]
    for name in chosen:
        step = chain.step_of(name)
        options = step.defaults() | request.settings.get(name, {})
        tasks.append(StripTask(step, options))
    uses = [use for task in tasks if task.step.name not in request.skip for use in _uses(task)]

    def log(level, text):
        said.get(level, []).append(text)

    try:
        place = placing.place_of(source.product, source.shape[1:], request.references)
        about = {"frame": place.frame, "simulated": history.is_simulated(source.product.history)}
        found = find.references(source.product.meta, uses, request.references, log=log, **about)
        if source.kind == "l2_image":
            found = _cut(found, uses, place, source)
            if not place.known and found.get("epsf") is not None:
                warnings.append("not known where in the frame this image lies: the PSF of its first pixels is taken")
    except RtoolsError as error:
        error.path = error.path or source.product.path
        raise
    for task in tasks:
        name = task.step.name
        task.sources = {use.type: found.get(use.type) for use in _uses(task)}
        _settle(task, source.shape, name in request.skip, warnings)
        if task.active and task.step.aligns:
            asked = request.single or request.settings.get("tweakreg")
            _settle_alignment(task, warnings if asked else None)
    return tasks


def _cut(found, uses, place, source):
    """References as an image sees them that may be cut out of its frame; `source` learns its place."""
    source.place = place
    doubtful = not place.known and source.product.meta.get("wcs") is not None
    for use in uses if doubtful else ():
        source_of = found.get(use.type)
        made_to_fit = source_of is not None and source_of.origin == "builtin" and (use.planes or use.trimmed)
        if made_to_fit or (source_of is not None and use.type == "distortion"):
            mend = "give the distortion reference with which its WCS was made"
            raise InputError(f"not known where in the frame this image lies, for the {use.type} reference", mend=mend)
    by_type = {use.type: use for use in uses}
    return {
        kind: found_one and placing.cut_to(found_one, by_type[kind], place, source.shape[1:])
        for kind, found_one in found.items()
    }


def _uses(task):
    """The references that a task needs with its options."""
    psf = task.options.get("fit_psf", True) or task.options.get("deep")
    return [use for use in task.step.references if psf or use.type != "epsf"]


def _settle_alignment(task, warnings):
    """Without reference stars nothing can be aligned; no `warnings` where nobody asked for it."""
    path = task.options["refcat"]
    if path is None:
        task.note = "without a reference catalog (--refcat or RT_REFCAT)"
        if warnings is not None:
            warnings.append(f"tweakreg: SKIPPED {task.note}")
        task.stop("SKIPPED")
    elif Path(path).exists():
        refcat_files.check(str(path))
    elif path != GAIA:
        raise InputError("no such file", mend=f"{GAIA} asks the archive, over the network", path=path)


def _settle(task, shape, skipped, warnings):
    """Decide whether a task runs, from its references; SKIPPED where one it needs is refused or does not fit."""
    for use in () if skipped else _uses(task):
        source = task.sources[use.type]
        if source is not None and not _fits(source, use, shape):
            if not use.may_misfit:
                raise InputError(f"{use.type} reference does not have the frame's shape", path=source.label)
            warnings.append(f"{source.label}: not of the frame's shape; {task.step.name} SKIPPED")
            task.sources[use.type] = source = None
        elif source is None:
            what = "goes on without the" if use.optional else "SKIPPED without the"
            warnings.append(f"{task.step.name}: {what} {use.type} reference")
        skipped = skipped or (source is None and not use.optional)
    if skipped:
        task.stop("SKIPPED")
        task.sources = dict.fromkeys(task.sources)
        task.active = task.step.runs_without_reference


def _fits(source, use, shape):
    rows, columns = shape[1:]
    full = all(tuple(source.shape(name)[-2:]) == (rows, columns) for name in use.planes)
    trimmed = all(tuple(source.shape(name)[-2:]) == (rows - 2 * BORDER, columns - 2 * BORDER) for name in use.trimmed)
    return full and trimmed


def _main_suffix(chosen, request):
    if request.single:
        step = chain.step_of(request.single)
        return "cat" if step.finds_sources else step.suffix
    return chain.step_of(chosen[-1]).suffix if request.last else "cal"


def _outputs(path, tasks, main, request, warnings, *, keep_input=True):
    """Suffix to path of everything that will be written; refuses what exists, and a ramp's or raw file's own name."""
    stem, suffix = names.split_suffix(Path(path).name)
    directory = Path(request.outdir) if request.outdir else Path(path).parent
    outputs = {}
    suffixes = [task.step.suffix for task in tasks if task.active] if request.save_steps else []
    suffixes += ["segm", "cat"] if any(task.active and task.step.finds_sources for task in tasks) else []
    suffixes += ["sourcecatalogstep"] if main == "cat" and suffix in ("flat", "photom") else []
    extensions = {"cat": (request.form or "parquet")}
    for suffix in suffixes + ["wcs"] * (main == "cal") + [main]:
        outputs[suffix] = directory / f"{stem}_{suffix}.{extensions.get(suffix, 'asdf')}"
    if request.output == "-":
        return {main: outputs[main]}
    if request.output:
        exact = Path(request.output)
        stem, _suffix = names.split_suffix(exact.name)
        outputs = {suffix: exact.parent / f"{stem}_{suffix}{outputs[suffix].suffix}" for suffix in outputs}
        outputs[main] = exact
    if len(set(outputs.values())) < len(outputs):
        raise UsageError(f"-o {request.output}: another product of this run has that name")
    for output in outputs.values():
        if not keep_input and output.exists() and Path(path).exists() and output.samefile(path):
            raise UsageError(f"{output} is the input, which another kind of product would replace")
    warnings += check_outputs(outputs, main, request, [path])
    return outputs
