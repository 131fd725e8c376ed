"""rt-gw info: what is in guide-window and FACE files, and which science files belong to them."""

import shutil
from dataclasses import asdict

import click

from rtools.commands.guide.options import inputs
from rtools.commands.kit import options as bundles
from rtools.commands.kit.analysis import analyse
from rtools.commands.kit.analysis_options import analysis_options, take_wanted
from rtools.commands.kit.analysis_tables import Analysis
from rtools.commands.kit.inputs import local_path
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.reference_options import reference_config
from rtools.commands.kit.tool import tool
from rtools.errors import UsageError

__all__ = ["info"]

DESCRIPTION = """\
Of guide windows: stages with their pairs, windows, cadence and gaps; where the windows were and when they moved; for
each exposure how many pairs there are, how many the file itself keeps out, and why; the star where it was predicted and
where it is. Of FACE: phases, qualities and stars. Science files of the same guide window, detector and exposure are
looked for beside the file.

The star is looked at in some pairs of the first exposure, where there are references. What is known after a
measurement only, as stars that are lost, rt-gw measure and rt-gw jitter tell. In a pipe there is a row for each
exposure, or each phase of FACE; --json says everything."""


@tool(
    "rt-gw info",
    summary="Stages, windows, exposures, star; phases and quality.",
    description=DESCRIPTION,
    examples=(
        "rt-gw info X_gw.asdf X_face.asdf",
        "rt-gw info *_gw.asdf -o windows.ecsv",
        "rt-gw info X_gw.asdf --science '@cal.txt' --json | jq .places",
    ),
    no_args_is_help=True,
)
@inputs
@click.option("--science", multiple=True, metavar="FILE", help="Science file, or @LIST, instead of those beside.")
@click.option("--gaps", is_flag=True, help="Rows for the time between exposures, too.")
@bundles.references
@bundles.no_checksum
@analysis_options
def info(console, inputs, science, gaps, ref, refdir, builtin, **options):
    wanted = take_wanted(options)
    if wanted.plot:
        raise UsageError("--plot: there is no picture of what rt-gw info says")
    references = reference_config(ref, refdir, builtin)
    given = [local_path(one) for one in dict.fromkeys(expand_inputs(science))]
    overviews, said, belongs = {}, set(), set()

    def log(level, text):
        if text not in said:
            console.log(level, text)
        said.add(text)

    def find(name, path):
        overviews[name] = overview = _look(path, references, given, log)
        summary = _plain(overview)
        belongs.update(summary["science"])
        return Analysis(_table(overview, gaps), summary=summary)

    def show(names):
        from rtools.show.guide_info import overview_lines

        width = shutil.get_terminal_size().columns
        blocks = [overview_lines(name, overviews[name], gaps=gaps, width=width) for name in names]
        click.echo("\n\n".join("\n".join(lines) for lines in blocks))

    status = analyse(console, inputs, wanted, find, name=lambda stem: f"{stem}_info", show=show)
    for path in given if not wanted.dry_run else ():
        if path.rpartition("/")[2] not in belongs:
            console.log("warning", f"{path}: belongs to none of these guide windows")
    return status


def _look(path, references, given, log):
    """What is found in a file."""
    from rtools.pipeline.guide.links import read_science, science_beside
    from rtools.pipeline.guide.overview import look_at_face, look_at_guide
    from rtools.pipeline.guide.request import GuideRequest
    from rtools.products.guide import Guide, open_either

    with open_either(path) as opened:
        detector = opened.detector if isinstance(opened, Guide) else None
        science = [read_science(one) for one in given or science_beside(path, opened.window_id, detector)]
        if isinstance(opened, Guide):
            request = GuideRequest(references=references, centroid="moment", amp33="none")
            return look_at_guide(opened, request, science, log)
        return look_at_face(opened, science)


def _table(overview, gaps):
    from rtools.pipeline.guide.overview import overview_table

    return overview_table(overview, gaps=gaps)


def _plain(overview):
    """What --json says beside the rows."""
    plain = asdict(overview.summary)
    if hasattr(overview, "places"):
        uses = overview.exposures
        plain |= {"places": [one._asdict() for one in overview.places], "exposures": [one._asdict() for one in uses],
                  "seen": overview.star and overview.star._asdict()}  # fmt: skip
    else:
        uses = overview.phases
    names = dict.fromkeys(name for one in uses for name in one.science)
    return plain | {"science": list(names)}
