"""rt-sim: simulated raw exposures and guide windows."""

from dataclasses import replace

import click

from rtools.commands.kit import options as bundles
from rtools.commands.kit.entry import entry
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.reference_options import reference_config
from rtools.commands.kit.reports import RunReport
from rtools.commands.kit.tool import option, tool
from rtools.errors import UsageError
from rtools.simulate.guide.request import FAULTS, AcquisitionRequest, parse_dithers, parse_numbers
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
meta.guide_star. Detectors see the same motion where seed, visit, acquisition and first exposure are the same."""

TYPES = list(EXPOSURE_TYPES)

GUIDED = ("drift", "motion", "exposures", "mag", "dither", "gap", "fault")
"""Options about guide windows alone."""

SEVERAL = ("exposures", "dither")
"""Those of them that are about several exposures, which NAME_gw.asdf has."""

LARGEST_JITTER = 1000.0
"""mas: more is none."""


@tool(
    "rt-sim",
    summary="Simulate raw exposures and guide windows.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    no_args_is_help=True,
)
@click.argument("names", nargs=-1, metavar="NAME_uncal.asdf|NAME_gw.asdf…")
@option("--ra", default=270.0, help="Where the aperture WFI_CEN points, degrees.")
@option("--dec", type=click.FloatRange(-90, 90), default=66.0, help="Degrees.")
@option("--pa", default=0.0, help="Position angle of the aperture, degrees.")
@option("--date", default="2027-01-01T00:00:00", help="Start of the exposure, UTC.")
@option("--scene-seed", default=0, metavar="N", help="The sky.")
@option("--seed", default=0, metavar="N", help="The noise.")
@click.option("--exposure-type", type=click.Choice(TYPES), help="Default by the element: image, spectrum or dark.")
@click.option("--element", metavar="F158", help="Optical element, where the name has none.")
@click.option(
    "--read-pattern",
    "--ma-table",
    "read_pattern",
    metavar="TABLE|READS",
    help="Table by name, number or id, or reads like 1;2-3;4-9; default C2A_IMG_HLWAS or C3A_SPEC_HLSS.",
)
@click.option("--matable", metavar="FILE", help="matable reference file with further read patterns.")
@click.option("--sources", metavar="FILE", help="Table of RA, Dec, magnitude … instead of drawn sources.")
@click.option("--crowded", type=click.IntRange(0), metavar="N", help="N stars a detector, nothing else on the sky.")
@click.option("--sky", type=click.FloatRange(0), metavar="E", help="Background, electron/s/pixel; default by element.")
@click.option(
    "--pink-noise",
    type=click.FloatRange(0),
    metavar="E",
    help="1/f noise of each channel and amp33, electron rms a frame; default 0.5, 3 for the total noise as measured.",
)
@option("--cosmic-rays/--no-cosmic-rays", default=True, help="Cosmic rays.")
@option("--guide-window", default="auto", metavar="auto|none|X,Y", help="On the brightest unsaturated star, or there.")
@click.option("--guide", is_flag=True, help="Write the guide windows, FACE and their truth of each raw exposure, too.")
@click.option(
    "--jitter",
    metavar="X,Y[,PA]",
    help="Jitter of the telescope: mas rms along two axes, the first at PA degrees from +y toward +x; default 8,8. The "
    "axes are x and y of the detectors where no PA is given. A raw exposure gets it as a kernel, without --guide, too.",
)
@click.option(
    "--drift",
    metavar="X,Y",
    help="Drift during each exposure, mas/s along x and y; default 0.047 along both, in a direction that is drawn.",
)
@click.option(
    "--motion",
    metavar="FILE",
    help="Table of t (seconds since the first exposure began), dx, dy (mas) and dzeta (arcsec, may be missing): the "
    "motion of the stars, instead of all that is drawn.",
)
@click.option("--exposures", type=click.IntRange(1, 200), metavar="N", help="Exposures that NAME_gw.asdf covers.")
@click.option("--mag", type=float, metavar="AB", help="Magnitude of the guide star; default its own.")
@click.option(
    "--dither",
    metavar="DX,DY;…",
    help="Pixels by which the star stands elsewhere in the second exposure of NAME_gw.asdf and in those after it.",
)
@click.option("--gap", type=click.IntRange(0, 1000), metavar="N", help="Science reads between exposures; default 3.")
@click.option(
    "--fault",
    multiple=True,
    type=click.Choice(FAULTS),
    help="Plant something to find into the exposure in the middle: guiding is lost, a reset in its midst, an error of "
    "the electronics, resultants bound to 0 and 65535, or pairs that are missing. May be given several times.",
)
@click.option("--reference-read", is_flag=True, help="Subtract a first read, and store it.")
@click.option("--encoding-offset", type=int, metavar="DN", help="Added; default 0, 1000 with --reference-read.")
@option("--truth/--no-truth", default=True, help="Write the truth beside the exposure.")
@option("--size", type=click.IntRange(SMALLEST, FRAME), default=FRAME, metavar="N", help="N x N pixels, for tests.")
@click.option("--outdir", metavar="DIR", help="Write there; otherwise where the name says.")
@click.option("--overwrite", is_flag=True, help="Replace outputs that exist; otherwise refused, exit 1.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be written; write nothing.")
@bundles.writing
@bundles.references
@bundles.jobs
@bundles.no_checksum
@bundles.json_output
@bundles.fail_fast
def command(console, names, jobs, as_json, fail_fast, dry_run, **settings):
    from rtools.pipeline.job.request import Request
    from rtools.pipeline.job.run import Local, run_jobs
    from rtools.pipeline.simulation.job import plan_simulation
    from rtools.simulate.naming import acquisitions_of, refuse_infinite, request_of

    refuse_infinite(settings)
    names = expand_inputs(names)
    if not names:
        raise UsageError("no name to simulate")
    guided = _guided(names, settings)
    request = Request(
        tool="rt-sim",
        references=reference_config(settings.pop("ref"), settings.pop("refdir"), settings.pop("builtin")),
        **{key: settings.pop(key) for key in ("outdir", "overwrite", "profile", "compression")},
    )
    sources, truth = settings.pop("sources"), settings.pop("truth")
    tables = _tables(settings.pop("matable"))
    acquisitions = acquisitions_of(names)

    def plan(name):
        exposure = request_of(name, tables=tables, **guided(name), **settings)
        about = {"truth": truth, "table": _table(sources, exposure), "acquisition": acquisitions.get(name)}
        return [plan_simulation(name, exposure, request, **about)]

    report = RunReport(console, as_json=as_json)
    plans = [(name, lambda name=name: plan(name)) for name in names]
    with console.gathering(names):
        return run_jobs(plans, Local(console.work(jobs)), report, dry_run=dry_run, fail_fast=fail_fast)


def _guided(names, settings):
    """What each name is simulated with, as fields of a `SimulationRequest`: a function of the name.

    Options about guide windows are taken out of `settings`; refused where they go with none of the names.
    """
    typed = {key: settings.pop(key) for key in GUIDED}
    guide, jitter = settings.pop("guide"), _jitter(settings.pop("jitter"))
    asked = {key: value for key, value in typed.items() if value not in (None, ())}
    windows = any(map(is_windows, names))
    for key in asked:
        if not (windows or (guide and key not in SEVERAL)):
            others = "" if key in SEVERAL else ", or --guide"
            raise UsageError(f"--{key} is about guide windows", mend=f"give NAME_gw.asdf{others}")
    request = AcquisitionRequest(jitter=jitter, **_parsed(asked))

    def of(name):
        if is_windows(name):
            return {"guide": request}
        return {"guide": replace(request, exposures=1, dither=())} if guide else {"jitter": jitter}

    return of


def is_windows(name):
    """Whether a name is that of guide windows."""
    return str(name).lower().endswith("_gw.asdf")


def _jitter(word):
    """Numbers of --jitter, with the position angle."""
    if word is None:
        return None
    first, second, *angle = parse_numbers("--jitter", word, (2, 3))
    if min(first, second) < 0 or max(first, second) >= LARGEST_JITTER:
        raise UsageError(f"--jitter {word}: between 0 and {LARGEST_JITTER:g} mas expected")
    return first, second, (angle[0] if angle else 90.0)


def _parsed(asked):
    """Values of options as fields of an `AcquisitionRequest`."""
    parsed = {"exposures": asked.get("exposures", 1), "gap": asked.get("gap", 3), "magnitude": asked.get("mag")}
    parsed["faults"] = tuple(dict.fromkeys(asked.get("fault", ())))
    if "drift" in asked:
        parsed["drift"] = parse_numbers("--drift", asked["drift"], (2,))
    if "dither" in asked:
        parsed["dither"] = parse_dithers(asked["dither"])
    if "motion" in asked:
        from rtools.simulate.files import read_motion

        parsed["motion"] = read_motion(asked["motion"])
    return parsed


def _tables(path):
    if path is None:
        return None
    from rtools.simulate import files

    return files.read_tables(path)


def _table(path, request):
    if path is None or not request.has_sky:
        return None
    from rtools.simulate import files

    return files.read_sources(path, request.element)


main = entry(command)
