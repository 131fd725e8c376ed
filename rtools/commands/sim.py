"""rt-sim: simulated raw exposures of both missions, and guide windows of Roman."""

import click

from rtools.commands import sim_guide, sim_jwst
from rtools.commands.kit import options as bundles
from rtools.commands.kit.entry import entry
from rtools.commands.kit.executors import executor_of
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.missions import mission_option, options_by_mission
from rtools.commands.kit.reference_options import reference_config
from rtools.commands.kit.reports import RunFlags, RunReport
from rtools.commands.kit.tool import option, tool, typed
from rtools.commands.kit.written import WrittenPlace
from rtools.errors import UsageError
from rtools.simulate.guide.request import FAULTS
from rtools.wfi.exposure_types import EXPOSURE_TYPES
from rtools.wfi.frame import FRAME, SMALLEST

__all__ = ["command", "main"]

EXAMPLES = (
    "rt-sim r0000101001001001001_0001_wfi01_f158_uncal.asdf -j 2",
    "rt-sim r0000101001001001001_000{1,2,3}_wfi07_f106_uncal.asdf --ra 150.1 --dec 2.2 --outdir sim",
    "rt-sim r0000101001001001001_0001_wfi18_grism_uncal.asdf --read-pattern C3A_SPEC_HLSS",
    "rt-sim r0000101001001001001_0001_wfi01_f158_uncal.asdf --sources stars.ecsv --read-pattern '1;2-3;4-9;10'",
    "rt-sim r0000101001001001001_0001_wfi01_f158_uncal.asdf --guide --jitter 20,12",
    "rt-sim r0000101001001001001_0001_1_wfi0{1,2,3}_f158_gw.asdf --exposures 5 --fault lost --mag 14",
    "rt-sim jw01234001001_02101_00001_nrca1_uncal.fits --filter F150W --readpatt BRIGHT1 --ngroups 8 -j 2",
    "rt-sim jw01234001001_02101_00001_nrcalong_uncal.fits --subarray SUB64P --nints 100 --transit 0.01,0.3,0.7",
    "rt-sim jw01234001001_02101_00001_nis_calints.fits --pupil NRM --companion 0.15,30,0.02",
)

DESCRIPTION = """\
The name says programme, visit, exposure, detector and optical element; it is also part of what the noise is drawn from,
so exposures of different names differ. Beside it come ROOT_truth.asdf (rate: what a perfect _cal holds, DN/s;
cosmic-ray hits) and ROOT_truth.parquet (the sources).

The sky is a function of position and --scene-seed alone: any pointing, roll, detector and filter sees the same sources.
References are those of the other tools; what is found nowhere else comes from the built-in nominal instrument, and a
warning says so. Much of sky and noise is assumed, not measured; the file says so.

Dispersed exposures have one straight trace per source: enough to exercise the ramps, no model of the spectrograph.

A name that ends in _gw.asdf gives the guide windows of one detector and acquisition. The exposure in the name is the
first that was tracked. Beside it come two files. ROOT_face.asdf is the attitude, of the same motion; there is one for
all detectors that are named together. ROOT_truth.parquet has a row for each pair of pedestal and signal: the mean place
of the star (x, y) and its covariance inside the pair (xx, yy, xy) in pixels, the mean rotation (delta, epsilon, zeta)
in radians, flux and background in electron/s, and what went wrong. The metadata of the table say how each exposure is
smeared, in mas²: slow is what is slower than a pair, total is all of it.

With --guide a raw exposure gets such files of its own. The motion that they show is the jitter of the picture and of
meta.guide_star. Detectors see the same motion where seed, visit, acquisition and first exposure are the same.

A name of JWST says programme, visit, exposure and detector: NIRCam's ten, or NIRISS's nis. _uncal.fits gives ramps;
_rate, _rateints, _cal and _calints give images with the noise that a fit would leave, in seconds. Beside them come two
files. ROOT_truth.fits has SCI (what a perfect rate holds, DN/s, for each integration where it varies), SHARP (the same
for a chain that corrects the capacitance between pixels), RAYMASK and RAYS (cosmic rays) and SOURCES. ROOT_truth.ecsv
has the sources; of a time series the light curve of the target; behind NIRISS's mask the visibilities on its baselines.

The target is a star on the middle of what is read. It is there in time series, behind the mask, in coronagraphy, and
with --transit, --drift, --companion, --offset or --mag. Behind NIRCam's round occulter (--exp-type NRC_CORON --pupil
MASKRND) it is a halo of speckles, which differ a little from exposure to exposure. The same --scene-seed gives both
missions the same sky. A full frame of JWST with 10 groups takes 1.1 GB."""

TYPES = list(EXPOSURE_TYPES)


@tool(
    "rt-sim",
    summary="Simulate raw exposures of Roman and JWST, and guide windows.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    no_args_is_help=True,
)
@click.argument("names", nargs=-1, metavar="NAME_uncal.asdf|NAME_gw.asdf|jw…_uncal.fits…")
@click.option(
    "--sky",
    allow_from_autoenv=False,
    metavar="RA,DEC",
    help="Where the aperture points: --ra and --dec in one, degrees or sexagesimal. One number alone is --background.",
)
@option("--ra", default=270.0, help="Where the aperture points, degrees: WFI_CEN, or the middle of what JWST reads.")
@option("--dec", type=click.FloatRange(-90, 90), default=66.0, help="Degrees.")
@option("--pa", default=0.0, help="Position angle of the aperture, degrees.")
@option("--date", default="2027-01-01T00:00:00", help="Start of the exposure, UTC.")
@option("--scene-seed", default=0, metavar="N", help="The sky.")
@option("--seed", default=0, metavar="N", help="The noise.")
@mission_option(
    "roman", "--exposure-type", type=click.Choice(TYPES), help="Default by the element: image, spectrum or dark."
)
@mission_option("roman", "--element", metavar="F158", help="Optical element, where the name has none.")
@mission_option(
    "roman",
    "--read-pattern",
    "--ma-table",
    "read_pattern",
    metavar="TABLE|READS",
    help="Table by name, number or id, or reads like 1;2-3;4-9; default C2A_IMG_HLWAS or C3A_SPEC_HLSS.",
)
@mission_option("roman", "--matable", metavar="FILE", help="matable reference file with further read patterns.")
@mission_option("roman", "--sources", metavar="FILE", help="Table of RA, Dec, magnitude … instead of drawn sources.")
@click.option("--crowded", type=click.IntRange(0), metavar="N", help="N stars a detector, nothing else on the sky.")
@mission_option(
    "roman",
    "--background",
    type=click.FloatRange(0),
    metavar="E",
    help="Background, electron/s/pixel; default by element.",
)
@mission_option(
    "roman",
    "--pink-noise",
    type=click.FloatRange(0),
    metavar="E",
    help="1/f noise of each channel and amp33, electron rms a frame; default 0.5, 3 for the total noise as measured.",
)
@option("--cosmic-rays/--no-cosmic-rays", default=True, help="Cosmic rays.")
@mission_option(
    "roman",
    "--guide-window",
    default="auto",
    show_default=True,
    metavar="auto|none|X,Y",
    help="On the brightest unsaturated star, or there.",
)
@mission_option(
    "roman", "--guide", is_flag=True, help="Write the guide windows, FACE and their truth of each raw exposure, too."
)
@mission_option(
    "roman",
    "--jitter",
    metavar="X,Y[,PA]",
    help="Jitter of the telescope: mas rms along two axes, the first at PA degrees from +y toward +x; default 8,8. The "
    "axes are x and y of the detectors where no PA is given. A raw exposure gets it as a kernel, without --guide, too.",
)
@click.option(
    "--drift",
    metavar="X,Y",
    help="Roman: drift during each exposure, mas/s along x and y; default 0.047 along both, in a direction that is "
    "drawn. JWST: pixels by which the target moves from the begin to the end of the exposure; default none.",
)
@mission_option(
    "roman",
    "--motion",
    metavar="FILE",
    help="Table of t (seconds since the first exposure began), dx, dy (mas) and dzeta (arcsec, may be missing): the "
    "motion of the stars, instead of all that is drawn.",
)
@mission_option(
    "roman", "--exposures", type=click.IntRange(1, 200), metavar="N", help="Exposures that NAME_gw.asdf covers."
)
@click.option(
    "--mag",
    type=float,
    metavar="AB",
    help="Magnitude of the guide star; default its own. JWST: of the target; default half a well.",
)
@mission_option(
    "roman",
    "--dither",
    metavar="DX,DY;…",
    help="Pixels by which the star stands elsewhere in the second exposure of NAME_gw.asdf and in those after it.",
)
@mission_option(
    "roman", "--gap", type=click.IntRange(0, 1000), metavar="N", help="Science reads between exposures; default 3."
)
@click.option(
    "--fault",
    multiple=True,
    type=click.Choice(FAULTS + sim_jwst.FAULTS),
    help="Plant something to find. Into guide windows of Roman, in the exposure in the middle: guiding is lost, a "
    "reset in its midst, an error of the electronics, resultants bound to 0 and 65535, or pairs that are missing (lost "
    "to late). Into an exposure of JWST: reference pixels of one output stick at 65535, a storm of cosmic rays, groups "
    "that were lost (0), or NINTS one too large (refpix to nints). May be given several times.",
)
@mission_option("roman", "--reference-read", is_flag=True, help="Subtract a first read, and store it.")
@mission_option(
    "roman", "--encoding-offset", type=int, metavar="DN", help="Added; default 0, 1000 with --reference-read."
)
@option("--truth/--no-truth", default=True, help="Write the truth beside the exposure.")
@mission_option(
    "roman",
    "--size",
    type=click.IntRange(SMALLEST, FRAME),
    default=FRAME,
    show_default=True,
    metavar="N",
    help="N x N pixels, for tests.",
)
@click.option("--outdir", type=WrittenPlace(), metavar="DIR", help="Write there; otherwise where the name says.")
@click.option("--overwrite", is_flag=True, help="Replace outputs that exist; otherwise refused, exit 1.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be written; write nothing.")
@sim_jwst.jwst_options
@bundles.writing
@bundles.references
@bundles.running
@bundles.no_checksum
@bundles.json_output
@bundles.fail_fast
def command(console, names, jobs, **settings):
    from rtools.pipeline.job.request import Request
    from rtools.pipeline.job.run import run_jobs
    from rtools.products.names import mission_of

    _place(settings)
    flags = RunFlags.taken_from(settings)
    names = expand_inputs(names)
    if not names:
        raise UsageError("no name to simulate")
    groups = {mission: [name for name in names if mission_of(name) == mission] for mission in PLANNERS}
    groups = {mission: group for mission, group in groups.items() if group}
    by_mission = options_by_mission(console, settings, groups)
    if "roman" not in groups:
        sim_jwst.refuse_writing()
    request = Request(
        tool="rt-sim",
        references=reference_config(settings["ref"], settings["refdir"], settings["builtin"]),
        **{key: settings[key] for key in ("outdir", "overwrite", "profile", "compression")},
    )
    _refuse_faults(settings["fault"], groups)
    planners = {mission: PLANNERS[mission](groups[mission], _own(by_mission[mission]), request) for mission in groups}
    report = RunReport(console, flags)
    plans = [(name, lambda name=name: planners[mission_of(name)](name)) for name in names]
    with console.gathering(names):
        executor = executor_of(console, jobs, flags)
        return run_jobs(plans, executor, report, dry_run=flags.dry_run, fail_fast=flags.fail_fast)


def _place(settings):
    """Take --sky for --ra and --dec; one number alone for --background, which it once was."""
    text = settings.pop("sky")
    if text is None:
        return
    try:
        number = float(text)
    except ValueError:
        from rtools.astrometry.positions import parse_position

        if typed("ra") or typed("dec"):
            raise UsageError("--sky says --ra and --dec in one", mend="give one of them") from None
        settings["ra"], settings["dec"] = parse_position(text)
        return
    if not 0 <= number < float("inf"):
        raise UsageError(f"--sky {text}: RA,DEC expected, or a background of 0 or more")
    if settings["background"] is not None:
        raise UsageError("--sky with one number is --background", mend="give one of them")
    settings["background"] = number


SHARED = ("ref", "refdir", "builtin", "outdir", "overwrite", "profile", "compression")
"""Options that are not about what is simulated."""


def _own(options):
    return {key: value for key, value in options.items() if key not in SHARED}


def _refuse_faults(words, missions):
    """Refuse faults of a mission of which no input is."""
    for mission, known, called in (("roman", FAULTS, "Roman"), ("jwst", sim_jwst.FAULTS, "JWST")):
        for word in set(words) & set(known):
            if mission not in missions:
                raise UsageError(f"--fault {word} is about {called}, and no input is of {called}")


def _plan_roman(names, settings, request):
    """What plans the names of Roman: a function of the name."""
    from rtools.pipeline.simulation.job import plan_simulation
    from rtools.simulate.naming import acquisitions_of, refuse_infinite, request_of

    refuse_infinite(settings)
    settings["sky"] = settings.pop("background")
    settings["fault"] = tuple(word for word in settings["fault"] if word in FAULTS)
    guided = sim_guide.guided(names, settings)
    sources, truth = settings.pop("sources"), settings.pop("truth")
    tables = sim_guide.tables_of(settings.pop("matable"))
    acquisitions = acquisitions_of(names)

    def plan(name):
        exposure = request_of(name, tables=tables, **guided(name), **settings)
        about = {
            "truth": truth,
            "table": sim_guide.sources_of(sources, exposure),
            "acquisition": acquisitions.get(name),
        }
        return [plan_simulation(name, exposure, request, **about)]

    return plan


def _plan_jwst(_names, settings, request):
    """What plans the names of JWST: a function of the name."""
    from rtools.pipeline.simulation.jwst import plan_jwst
    from rtools.simulate.jwst.naming import request_of_jwst

    truth, faults = settings.pop("truth"), settings.pop("fault")
    settings["faults"] = tuple(dict.fromkeys(word for word in faults if word in sim_jwst.FAULTS))
    renamed = {"mag": "magnitude", "exp_type": "exposure_type", "subarray": "part"}
    settings = {renamed.get(key, key): value for key, value in settings.items()}
    if str(settings["exposure_type"]).upper() == "MIR_LRS-FIXEDSLIT":
        from rtools.pipeline.simulation.slit import plan_slit

        return lambda name: [plan_slit(name, settings, request, truth=truth)]
    return lambda name: [plan_jwst(name, request_of_jwst(name, **settings), request, truth=truth)]


PLANNERS = {"roman": _plan_roman, "jwst": _plan_jwst}

main = entry(command)
