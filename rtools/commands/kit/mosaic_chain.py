"""rt-run on images: the chain of a mosaic."""

from contextlib import suppress

from rtools.commands.kit.common import typed
from rtools.commands.kit.config import with_tables
from rtools.commands.kit.grid_options import GRID_KEYS, wanted_grid
from rtools.commands.kit.inputs import is_association, local_path
from rtools.commands.kit.mosaics import run_groups
from rtools.commands.kit.step_options import read_settings
from rtools.errors import RtoolsError, UsageError

__all__ = ["makes_mosaic", "run_chain"]

KEYS = {"first": "from", "last": "until"}
"""Options of `rt-run` by the names of their parameters, where these differ."""


def makes_mosaic(inputs, options):
    """Whether these inputs and options ask `rt-run` for a mosaic: a grid, --mosaic, --add, or an association of images.

    An association of images that comes with --refcat is one whose images are to be aligned.
    """
    if options["mosaic"] or options["add"] or any(options[key] not in (None, ()) for key in GRID_KEYS):
        return True
    if typed("refcat") or not all(is_association(name) for name in inputs):
        return False
    found = {_of_images(name): name for name in inputs}
    if True in found and False in found:
        raise UsageError(f"{found[True]} is of images, {found[False]} is not", mend="run one after the other")
    return True in found


def _of_images(name):
    """Whether an association's members are images; None if none of them can be read."""
    from rtools.products.io import open_product
    from rtools.products.mosaic.association import science_members

    kinds = []
    with suppress(RtoolsError):
        for member in science_members(local_path(name)):
            with suppress(RtoolsError):  # told where each input is planned
                kinds.append(open_product(member).kind)
    return all(kind == "l2_image" for kind in kinds) if kinds else None


def run_chain(console, inputs, options, *, references, catalog, how):
    """The chain of a mosaic on images or associations; returns the exit status.

    Parameters
    ----------
    console : Console
    inputs : list of str
    options : dict
        Of `rt-run`; those of a calibration are refused.
    references : rtools.reference.find.Config
    catalog : dict
        Options of the catalog by key that environment or configuration give.
    how : dict
        dry_run, as_json, fail_fast.
    """
    from rtools.pipeline.mosaic.plan import STEPS, MosaicRequest

    for key in ("first", "last", "refcat", "strict", "save_steps"):
        if options.pop(key) and typed(key):
            raise UsageError(f"--{KEYS.get(key, key).replace('_', '-')} is for exposures, and this makes a mosaic")
    options.pop("mosaic")
    wanted, cells = wanted_grid(options)
    settings = with_tables(read_settings(options.pop("settings"), _step_of), (*STEPS, "catalog"))
    settings["catalog"] = catalog | settings.get("catalog", {})
    request = MosaicRequest(
        tool="rt-run",
        skip=frozenset(_step_of(word).name for word in options.pop("skip")),
        settings=settings,
        wanted=wanted,
        skycells=cells,
        references=references,
        threads=options.pop("jobs"),
        **options,
    )
    if "flux" in request.skip:
        raise UsageError("--skip flux: a mosaic is in MJy/sr", mend="leave it out")
    if "resample" in request.skip:
        raise UsageError("--skip resample: there is no mosaic without it", mend="use rt-skymatch, rt-outlier")
    return run_groups(console, inputs, request, **how)


def _step_of(word):
    """Declaration of a step of the mosaic chain, by tool name, cal_step key or suffix."""
    from rtools.pipeline.exposure import chain
    from rtools.pipeline.mosaic.plan import STEPS

    plain = word.lower().removeprefix("rt-")
    for step in (*STEPS.values(), chain.step_of("catalog")):
        if plain in (step.name, step.cal_step, step.suffix):
            return step
    raise UsageError(f"no step of a mosaic is called {word!r}", mend=f"steps: {' '.join(STEPS)} catalog")
