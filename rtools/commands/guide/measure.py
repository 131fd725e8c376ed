"""rt-gw measure: a row for every pair of pedestal and signal."""

from rtools.commands.guide.options import inputs, measuring, take_request
from rtools.commands.kit.analysis import analyse
from rtools.commands.kit.analysis_options import analysis_options, take_wanted
from rtools.commands.kit.analysis_tables import Analysis
from rtools.commands.kit.tool import option, tool

__all__ = ["measure"]

DESCRIPTION = """\
The difference of signal and pedestal is an image of the guide star. Of each one the centroid, the light and the level
beside it are measured, with errors, and the downlinked centroid stands beside ours. The column `use` says why a pair is
not used, by bits whose names docs/guide.md explains; nothing is left out silently.

Centroids are 0-based in the frame of 4096 pixels, fluxes are electrons per second. In --outdir X_gw.asdf gives
X_gw_pairs.parquet."""


@tool(
    "rt-gw measure",
    summary="Centroid, light and flags of every pair.",
    description=DESCRIPTION,
    examples=(
        "rt-gw measure X_gw.asdf | head",
        "rt-gw measure X_gw.asdf --exposure 3 --plot track.png",
        "rt-gw measure *_gw.asdf --centroid moment --outdir tables",
    ),
    no_args_is_help=True,
)
@inputs
@option("--stage", default="track", metavar="STAGES", help="acq, edge, track, several, or all.")
@measuring
@analysis_options
def measure(console, inputs, stage, **options):
    from rtools.pipeline.guide.measure import measure_pairs
    from rtools.pipeline.guide.tables import pairs_table
    from rtools.products.guide import open_guide
    from rtools.show.guide import chart_pairs

    wanted = take_wanted(options)
    request = take_request(options, stage=stage)
    work = console.work()

    def find(name, path):
        with open_guide(path) as guide:
            measured = [measure_pairs(guide, one, request, work) for one in guide.stages if one.name in request.stages]
            table = pairs_table(guide, measured, request)
        return Analysis(table, summary={"flags": counts_of(measured)})

    return analyse(console, inputs, wanted, find, name=lambda stem: f"{stem}_pairs", draw=chart_pairs, long=True)


def counts_of(measured):
    """How many pairs have each flag, by its name."""
    from collections import Counter

    from rtools.guide import count_causes
    from rtools.wfi.guide import Use

    total = Counter({flag.name: 0 for flag in Use})
    for one in measured:
        total.update({flag.name: count for flag, count in count_causes(one.use).items()})
    return dict(total)
