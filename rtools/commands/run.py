"""rt-run: an exposure through its chain of steps."""

from dataclasses import replace

import click

from rtools.commands.kit import grid_options as mosaic_options
from rtools.commands.kit import mosaic_chain
from rtools.commands.kit import options as bundles
from rtools.commands.kit.associations import missions_of_inputs
from rtools.commands.kit.chosen_steps import ChosenSteps
from rtools.commands.kit.config import with_tables
from rtools.commands.kit.entry import entry
from rtools.commands.kit.exposures import run_exposures
from rtools.commands.kit.grouping import titled
from rtools.commands.kit.jwst_associations import are_of_mosaics, associations_of_jwst
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.missions import mission_option, options_by_mission
from rtools.commands.kit.reference_options import reference_config
from rtools.commands.kit.report_page import with_page
from rtools.commands.kit.reports import RunFlags
from rtools.commands.kit.resuming import resume_options
from rtools.commands.kit.stage3_chain import are_of_stage3, run_stage3
from rtools.commands.kit.step_options import click_option
from rtools.commands.kit.tool import tool, typed
from rtools.commands.kit.values import complete_settings, complete_steps, split_commas
from rtools.commands.kit.written import WrittenPlace
from rtools.errors import UsageError
from rtools.pipeline.exposure import chain

__all__ = ["command", "main"]

EXAMPLES = (
    "rt-run r0000101001001001001_0001_wfi01_f158_uncal.asdf -j 2",
    "rt-run *_uncal.asdf --refdir refs --outdir cal --set rampfit.threshold=5",
    "rt-run X_uncal.asdf --until linearity",
    "rt-run X_linearity.asdf --skip dark --dry-run",
    "rt-run r*_cal.asdf --skycell 270p65x69y50 --outdir mosaics -j 0",
    "rt-run *_uncal.asdf --refcat gaia.parquet --mosaic --outdir cal -o field_coadd.asdf -j 0",
    "rt-run jw*_uncal.fits --mosaic --save-steps --outdir cal -o field_i2d.fits",
    "rt-run new_cal.asdf --add field_coadd.asdf -o deeper_coadd.asdf",
    "rt-run jw01234-o001_tso3_asn.json --outdir made -j 2",
)

DESCRIPTION = """\
Runs the steps that the exposure's type has and that its file does not have yet, and writes X_cal.asdf, X_wcs.asdf,
and for images X_cat.parquet and X_segm.asdf. With --refcat the image is aligned to its stars; where that fails there
is a warning (exit 5 with --strict).
Takes raw data (_uncal), any intermediate product, and associations (.json: each science member; of JWST image2, whose
background members are subtracted, ramps among them made rates first).
With --until it writes that step's product instead.

With a grid or --mosaic, and with associations of images, images (_cal) become a mosaic: flux, skymatch, outlier,
resample and the catalog; X_coadd.asdf, X_cat.parquet, X_segm.asdf. Exposures that are not calibrated yet are calibrated
first, and with --refcat all are aligned together; one that fails is left out, and the exit code says so. Then -o names
the mosaic and --outdir takes the exposures. Several skycells are done one after another. With --add images join a
mosaic, which is not changed: matched to its sky, tested against it. Memory does not grow with the number of images.
Exposures of JWST become X_i2d.fits, X_cat.ecsv, X_segm.fits by skymatch, outlier and resample; in an association
image3 a member that is not there is made of what is (_bsub, _rate, _ramp, _uncal).
--from, --until, --refcat and --strict act on exposures, the options of a grid on the mosaic. With --save-steps
images are written as each step of the mosaic leaves them, too, of JWST _skymatch and _crf: next to the images, or
into --outdir.

Associations of JWST's third stage, and of spectra, become the products that their members make, each under its name
of the archive, into --outdir or next to the members: tso3 (outlier, then phot or x1d and whtlt), coron3 (outlier,
psfstack, psfalign, psfsub, i2d), ami3 (ami, aminorm), spec2 and spec3 (s2d or s3d, x1d, c1d). Members that are not
there are calibrated from what is; --skip leaves steps out, and what needs them."""


CATALOG = tuple(option for option in chain.step_of("catalog").options if option.key in ("deep", "deblend", "dust_maps"))
"""Options of the catalog that are asked for so often that they are rt-run's own, too."""


SEVERAL_STEPS = {"multiple": True, "callback": split_commas, "shell_complete": complete_steps}


def catalog_options(function):
    """The options in `CATALOG`, as one decorator."""
    for one in reversed(CATALOG):
        function = click_option(one)(function)
    return function


def _catalog_settings(options):
    """Words for ``--set`` of those that are typed; and {key: value} of those that environment or configuration give."""
    source = click.get_current_context().get_parameter_source
    values = {option: options.pop(option.key) for option in CATALOG}
    words = [f"catalog.{option.name}={value}" for option, value in values.items() if typed(option.key)]
    others = {option.key: value for option, value in values.items()
              if source(option.key).name in ("ENVIRONMENT", "DEFAULT_MAP")}  # fmt: skip
    return words, others


@tool(
    "rt-run",
    summary="Calibrate exposures: raw ramps to images, and images to mosaics.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    no_args_is_help=True,
)
@click.argument("inputs", nargs=-1, metavar="FILE…")
@titled(
    "Steps",
    click.option(
        "--from",
        "first",
        metavar="STEP",
        shell_complete=complete_steps,
        help="Start there; the input must be the product before it.",
    ),
    click.option(
        "--until",
        "last",
        metavar="STEP",
        shell_complete=complete_steps,
        help="Stop after it and write its product, neither _cal nor _wcs.",
    ),
    click.option("--skip", metavar="STEP,…", **SEVERAL_STEPS, help="Leave steps out; their cal_step says SKIPPED."),
    mission_option("jwst", "--with", "also", metavar="STEP,…", **SEVERAL_STEPS, help="Do ipc or chargemig, too."),
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="STEP.OPTION=VALUE",
        shell_complete=complete_settings,
        help="An option of a step.",
    ),
    click.option("--save-steps", is_flag=True, help="Write the product of every step, too, also of a mosaic's."),
)
@titled(
    "Exposures",
    catalog_options,
    mission_option(
        "roman", "--refcat", metavar="FILE|DIR", help="Reference catalog for the alignment: a table or a HATS tree."
    ),
    mission_option("roman", "--strict", is_flag=True, help="An alignment that fails is an error."),
    mission_option("roman", "--together", is_flag=True, help="Align all exposures by one correction."),
    mission_option(
        "jwst",
        "--background",
        "backgrounds",
        multiple=True,
        metavar="FILE",
        help="Subtract the background that it shows.",
    ),
    mission_option(
        "roman",
        "--guide",
        metavar="DIR|FILE",
        help="Guide-window files: the jitter of each exposure is measured there.",
    ),
    mission_option(
        "roman",
        "--high-frequency",
        default="none",
        show_default=True,
        metavar="none|window|MAS",
        help="What that jitter holds of fast motion.",
    ),
)
@titled(
    "Mosaic",
    click.option("--mosaic", is_flag=True, help="Make a mosaic that covers all images; an association makes one, too."),
    mission_option("jwst", "--keep-values", is_flag=True, help="Flagged pixels of these keep their values in _crf."),
    mosaic_options.grid_options,
    mosaic_options.add,
)
@click.option("--on-disk", "--on_disk", is_flag=True, hidden=True, help="Accepted; members are never held together.")
@click.option("--timings", is_flag=True, help="Print seconds per step, summed over threads, and peak memory.")
@click.option(
    "--report",
    "page",
    type=WrittenPlace(),
    metavar="DIR",
    help="Write DIR/report.html about the products, as rt-report does.",
)
@bundles.outputs("asdf", "fits")
@bundles.writing
@bundles.references
@bundles.running
@bundles.no_checksum
@bundles.json_output
@bundles.fail_fast
@resume_options
def command(console, page, **options):
    if page is None or options["dry_run"]:
        return _run(console, options)
    return with_page(
        console, page, lambda: _run(console, options), overwrite=options["overwrite"], jobs=options["jobs"]
    )


def _run(console, options):
    from rtools.pipeline.guide.request import parse_high_frequency

    inputs = options.pop("inputs")
    if not inputs:
        raise UsageError("no input file")
    flags = RunFlags.taken_from(options)
    if flags.check_data and not flags.resume:
        raise UsageError("--check-data goes with --resume")
    if options["guide"] is None and typed("high_frequency"):
        raise UsageError("--high-frequency goes with --guide")
    options["high_frequency"] = parse_high_frequency(options["high_frequency"])
    references = reference_config(options.pop("ref"), options.pop("refdir"), options.pop("builtin"))
    options.pop("on_disk")
    inputs = expand_inputs(inputs)
    words, others = _catalog_settings(options)
    options["settings"] = (*words, *options["settings"])
    of_jwst = associations_of_jwst(inputs)
    if are_of_stage3(of_jwst):
        return _run_stage3(console, inputs, of_jwst, options, flags, references)
    if are_of_mosaics(of_jwst) if of_jwst else mosaic_chain.makes_mosaic(inputs, options):
        return mosaic_chain.run_to_mosaic(console, inputs, options, flags, references=references, catalog=others)
    if typed("keep_values"):
        raise UsageError("--keep-values is for mosaics, and this calibrates exposures")
    options.pop("keep_values")
    for key in (*mosaic_options.GRID_KEYS, "add", "mosaic"):
        given = options.pop(key)
        if of_jwst and given not in (None, (), False):
            raise UsageError("a grid, --mosaic and --add do not go with image2 of JWST")
    jobs, plain = options.pop("jobs"), [name for name in inputs if name not in of_jwst]
    missions = ({"jwst"} if of_jwst else set()) | (missions_of_inputs(plain) if plain else set())
    requests = {
        mission: replace(_request(mission, missions, found, references, others), resume=flags.resume)
        for mission, found in options_by_mission(console, options, missions).items()
    }
    return run_exposures(console, inputs, requests, jobs, flags, associations=of_jwst)


def _run_stage3(console, inputs, associations, options, flags, references):
    """What associations of the third stage of JWST ask for."""
    if len(associations) < len(inputs):
        raise UsageError("associations of the third stage go with no other files", mend="run one after the other")
    for key in (*mosaic_options.GRID_KEYS, "add", "mosaic", "save_steps", "keep_values", "backgrounds",
                "compression", "profile"):  # fmt: skip
        if options.get(key) not in (None, (), False) and typed(key):
            word = "background" if key == "backgrounds" else key.replace("_", "-")
            raise UsageError(f"--{word} does not go with an association of the third stage")
    jobs = options.pop("jobs")
    options = options_by_mission(console, options, {"jwst"})["jwst"]
    return run_stage3(console, inputs, options, flags, references=references, jobs=jobs)


def _request(mission, missions, options, references, others):
    """What is asked of the exposures of a mission."""
    from rtools.pipeline.exposure.request import ExposureRequest

    steps = ChosenSteps(mission, missions)
    named = steps.settings(options.pop("settings"))
    refcat = options.pop("refcat", None)
    if refcat is not None:
        named.setdefault("tweakreg", {}).setdefault("refcat", refcat)
    settings = with_tables(named, steps.order(), mission)
    return ExposureRequest(
        tool="rt-run",
        first=steps.name(options.pop("first")),
        last=steps.name(options.pop("last")),
        skip=steps.names(options.pop("skip")),
        also=steps.names(options.pop("also", ())),
        settings=_with_catalog(settings, others) if mission == "roman" else settings,
        named=named,
        references=references,
        **options,
    )


def _with_catalog(settings, others):
    """Settings with options of the catalog that count where nothing else says them."""
    return settings | {"catalog": others | settings.get("catalog", {})} if others else settings


main = entry(command)
