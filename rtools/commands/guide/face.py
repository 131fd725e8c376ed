"""rt-gw face: the attitude as the file has it, as a series, by phase, by exposure."""

import click

from rtools.commands.guide.options import inputs
from rtools.commands.kit.analysis import analyse
from rtools.commands.kit.analysis_options import analysis_options, take_wanted
from rtools.commands.kit.analysis_tables import Analysis
from rtools.commands.kit.inputs import local_path
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.tool import option, tool
from rtools.errors import InputError, UsageError

__all__ = ["face"]

DESCRIPTION = """\
Rotations of the telescope about three axes, one for each cycle of guiding, in radians, mas and arcsec. --show phases
and --show exposures give how many solutions there are and how many are good, scatter, drift with its error, noise as
the file has it, stars, words of quality and gaps. When exposures were is told by science files, by the guide-window
files that the file names and that are beside it, or by --time.

--at gives the motion of a star at a place on a detector, 0-based in the frame of 4096 pixels. Its sign is told by the
downlinked centroids of a guide-window file. Without one, or where centroids do not follow FACE, + is taken, and a
warning says so."""


@tool(
    "rt-gw face",
    summary="The attitude of FACE: series, phases, exposures.",
    description=DESCRIPTION,
    examples=(
        "rt-gw face X_face.asdf --show phases",
        "rt-gw face X_face.asdf --at WFI07 --plot motion.png",
        "rt-gw face X_face.asdf --show exposures --science '@cal.txt' -o visit.ecsv",
    ),
    no_args_is_help=True,
)
@inputs
@option("--show", type=click.Choice(("series", "phases", "exposures")), default="series", help="What is printed.")
@click.option("--at", metavar="WFI07[,X,Y]", help="Motion there, too, in pixels; by default at the detector's centre.")
@click.option("--quality", metavar="WORDS", help="Only solutions with these words of quality, like AQ_DOF_*.")
@click.option("--phase", metavar="WORDS", help="Only these phases, like WIM_TRK.")
@click.option("--time", "span", metavar="T1,T2", help="Only so long: seconds since t_start, or UTC; may be open.")
@click.option("--gw", "guides", multiple=True, metavar="FILE",
              help="Guide-window file, or @LIST, for sign and exposures; else those beside; repeatable.")  # fmt: skip
@click.option("--science", multiple=True, metavar="FILE", help="Science file, or @LIST, for exposures; repeatable.")
@option("--face-sign", type=click.Choice(("auto", "+", "-")), default="auto",
        help="Of the rotations, for --at; auto: as centroids say.")  # fmt: skip
@analysis_options
def face(console, inputs, show, at, quality, phase, span, guides, science, face_sign, **options):
    from rtools.pipeline.guide.face_tables import parse_place, parse_words
    from rtools.pipeline.guide.intervals import parse_span
    from rtools.show.guide import chart_face

    wanted = take_wanted(options)
    place, span = parse_place(at), parse_span(span)
    words = {"qualities": parse_words(quality), "phases": parse_words(phase)}
    guides, science = ([local_path(one) for one in dict.fromkeys(expand_inputs(names))] for names in (guides, science))
    if science and show != "exposures":
        raise UsageError("--science goes with --show exposures")

    def find(name, path):
        from rtools.products.guide import open_face

        with open_face(path) as opened:
            sign, followers = _sign(console, name, opened, guides, place, face_sign)
            interval = span.interval(opened.t_start_mjd) if span else None
            table = _table(opened, show, words, interval, (guides, science), (place, sign))
        table.meta |= {"face_sign": sign} | ({"at": ",".join(map(str, place))} if place else {})
        return Analysis(table, summary={"face_sign": sign, "centroids": _records(followers)},
                        lines=tuple(one.said() for one in followers))  # fmt: skip

    draw = chart_face if show == "series" else None
    ending = "series" if show == "series" else f"face_{show}"
    return analyse(
        console, inputs, wanted, find, name=lambda stem: f"{stem}_{ending}", draw=draw, long=show == "series"
    )


def _table(opened, show, words, interval, files, star):
    """The table that is wanted of a file."""
    from rtools.pipeline.guide.face_tables import choose_rows, exposures_table, phases_table
    from rtools.pipeline.guide.intervals import guide_files_of, intervals_of
    from rtools.pipeline.guide.tables import face_table

    chosen = choose_rows(opened, **words, interval=interval)
    place = star[0].in_field() if star[0] else None
    if show == "series":
        return face_table(opened, chosen, place, star[1])
    if show == "phases":
        return phases_table(opened, chosen, place)
    guides, science = files
    if interval is not None and not guides and not science:
        return exposures_table(opened, chosen, [interval], place)
    guides = guides or guide_files_of(opened)
    if not guides and not science and len(opened.t):
        raise InputError("nothing says when the exposures were", mend="give --gw, --science or --time")
    return exposures_table(opened, chosen, intervals_of(opened, guides, science), place)


def _sign(console, name, opened, guides, place, asked):
    """The sign of the rotations, and what centroids say of it."""
    from rtools.pipeline.guide.follow import follow_downlinked, sign_of
    from rtools.pipeline.guide.intervals import guide_files_of
    from rtools.wfi.guide import FACE_SIGN

    followers = []
    if guides or (place and asked == "auto"):
        beside = guide_files_of(opened)
        # One star is enough, and that of the detector that is asked for is the nearest.
        own = [path for path in beside if place and f"_{place.detector.lower()}_" in path.lower()]
        followers = follow_downlinked(opened, guides or (own or beside)[:1])
    if asked != "auto":
        return (1 if asked == "+" else -1), followers
    sign = sign_of(followers)
    if not sign and place and len(opened.t):
        why = "centroids do not follow FACE" if followers else "no guide-window file beside it"
        console.log("warning", f"{name}: the sign of FACE is unknown ({why}); + is taken")
    return sign or FACE_SIGN, followers


def _records(followers):
    """What --json says of centroids beside FACE."""
    return [{"detector": one.detector} | one.comparison._asdict() for one in followers]
