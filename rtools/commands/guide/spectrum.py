"""rt-gw spectrum: how fast the telescope moved."""

import click

from rtools.commands.guide.options import inputs, measuring, take_request
from rtools.commands.kit.analysis import analyse
from rtools.commands.kit.analysis_options import analysis_options, take_wanted
from rtools.commands.kit.analysis_tables import Analysis
from rtools.commands.kit.tool import option, tool

__all__ = ["spectrum"]

DESCRIPTION = """\
The variance of the motion by frequency, for each exposure, after its mean and a line are taken out. The powers of all
frequencies add up to the variance. --show bands gives the rms in bands with the noise of the centroids taken out; the
squares of the bands and the noise add up to the variance, too. --show lines gives what stands out.

A pair is taken about five times a second. Motion that is faster comes back at a lower frequency, weakened by the time
that a pair takes. For each line its partners are named: every frequency up to 50 Hz that it can be, and the rms that it
would have there."""


@tool(
    "rt-gw spectrum",
    summary="Spectrum of the motion, rms in bands, lines.",
    description=DESCRIPTION,
    examples=(
        "rt-gw spectrum X_gw.asdf --show bands",
        "rt-gw spectrum X_gw.asdf --all --show lines",
        "rt-gw spectrum X_gw.asdf --exposure 2 --plot spectrum.png",
    ),
    no_args_is_help=True,
)
@inputs
@click.option("--all", "together", is_flag=True, help="One spectrum of all exposures, with their gaps.")
@click.option("--welch", "by_segments", is_flag=True, help="Mean of segments of 176 pairs without gaps (Welch).")
@option("--show", type=click.Choice(("spectrum", "bands", "lines")), default="spectrum", help="What is printed.")
@measuring
@analysis_options
def spectrum(console, inputs, together, by_segments, show, **options):
    from rtools.pipeline.guide.measure import measure_stage
    from rtools.pipeline.guide.series import motions_of, track_of
    from rtools.pipeline.guide.spectra import TABLES, summary_of
    from rtools.products.guide import open_guide
    from rtools.show.guide import chart_spectrum

    wanted = take_wanted(options)
    request = take_request(options)
    work = console.work()

    def find(name, path):
        with open_guide(path) as guide:
            measured = measure_stage(guide, "track", request, work)
            motions = motions_of(track_of(measured, request), measured, together=together, by_segments=by_segments)
            return Analysis(TABLES[show](guide, motions, request), summary={"spectra": summary_of(motions)})

    draw = chart_spectrum if show == "spectrum" else None
    return analyse(console, inputs, wanted, find, name=lambda stem: f"{stem}_{show}", draw=draw)
