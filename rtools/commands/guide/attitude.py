"""rt-gw attitude: the rotations of the telescope from the guide stars of many detectors."""

import re

import click

from rtools.commands.guide.options import inputs, measuring, take_request
from rtools.commands.kit.analysis import analyse_together
from rtools.commands.kit.analysis_options import analysis_options, take_wanted
from rtools.commands.kit.analysis_tables import Analysis
from rtools.commands.kit.inputs import local_path
from rtools.commands.kit.tool import option, tool
from rtools.errors import UsageError

__all__ = ["attitude"]

DESCRIPTION = """\
All files are of one acquisition, one for each detector. In each cycle of an exposure the stars give rotations about
three axes, by least squares, from their mean in the exposure. A star that does not move with the others is thrown out.

--show stars gives what the rotations leave of the motion of each star; --show detectors the motion at the centre of
every detector, with a star or without; --show comparison the rotations of FACE beside these, and how each star follows
FACE: a slope of +1 confirms its frame, its scale and its sign."""


@tool(
    "rt-gw attitude",
    summary="Rotations from the stars of many detectors.",
    description=DESCRIPTION,
    examples=(
        "rt-gw attitude X_wfi??_f158_gw.asdf --plot attitude.png",
        "rt-gw attitude X_wfi??_f158_gw.asdf --show detectors -o jitter.ecsv",
        "rt-gw attitude X_wfi??_f158_gw.asdf --show comparison --face X_face.asdf",
    ),
    no_args_is_help=True,
)
@inputs
@option("--show", type=click.Choice(("attitude", "stars", "detectors", "comparison")), default="attitude",
        help="What is printed.")  # fmt: skip
@click.option("--face", metavar="FILE", help="FACE file; by default the one that the files name, beside them.")
@measuring
@analysis_options
def attitude(console, inputs, show, face, **options):
    from rtools.show.guide import chart_attitude

    wanted = take_wanted(options)
    request = take_request(options)
    if request.wcs:
        raise UsageError("--wcs is of one detector", mend="leave it out; the nominal distortion is taken")
    work = console.work()

    def find(names, paths):
        from rtools.pipeline.guide.attitude import read_stars, solve
        from rtools.pipeline.guide.attitude_tables import TABLES, summary_of

        solution = solve(*read_stars(paths, request, work, local_path(face) if face else None))
        summary = summary_of(solution)
        for one in summary["left_out"]:
            console.log("warning", f"{one['detector']} does not move with the others and is left out of exposure "
                                   f"{one['exposure']}")  # fmt: skip
        return Analysis(TABLES[show](solution), summary=summary, lines=tuple(_lines(summary)))

    def name(stem):
        return f"{_without_detector(stem)}_{show}"

    draw = chart_attitude if show == "attitude" else None
    return analyse_together(console, inputs, wanted, find, name=name, draw=draw, long=show == "attitude")


def _without_detector(stem):
    """The stem of a guide-window file without its detector and its suffix."""
    return re.sub(r"_wfi\d\d(?=_|$)", "", stem.removesuffix("_gw"))


def _lines(summary):
    """What is said below the table."""
    line = ("{count} stars, {cycles} cycles, median errors {delta_err:.3g} and {epsilon_err:.3g} mas, "
            "{zeta_err:.3g} arcsec")  # fmt: skip
    yield line.format(count=len(summary["stars"]), **summary)
    for name, found in (summary["face"] or {}).items():
        unit = "arcsec" if name == "zeta" else "mas"
        yield (f"FACE, {name}: difference {found['rms']:.3g} {unit}, expected {found['expected']:.3g}, "
               f"slope {found['slope']:.4f} ± {found['slope_err']:.4f}")  # fmt: skip
