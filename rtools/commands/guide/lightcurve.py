"""rt-gw lightcurve: the light of guide stars against time."""

import click

from rtools.commands.guide.options import inputs, measuring, take_request
from rtools.commands.kit.analysis import analyse
from rtools.commands.kit.analysis_options import analysis_options, take_wanted
from rtools.commands.kit.analysis_tables import Analysis
from rtools.commands.kit.inputs import local_path
from rtools.commands.kit.tool import option, tool

__all__ = ["lightcurve"]

NAMES = {"curve": "lightcurve", "periodogram": "periodogram"}
"""How the names of tables end."""

DESCRIPTION = """\
The light of the guide star in electrons per second, from tracking, over all exposures of one file or several. The
scatter that is found and the one that the errors let expect are stated in parts in a million. A bin never reaches over
a gap or the border of an exposure.

--barycentre takes the ephemeris of a science file of the same time and adds dates at the barycentre of the solar system
(BJD, TDB); a guide-window file has none."""


@tool(
    "rt-gw lightcurve",
    summary="Flux of the star against time.",
    description=DESCRIPTION,
    examples=(
        "rt-gw lightcurve X_gw.asdf --bin 10 --plot light.png",
        "rt-gw lightcurve *_wfi07_*_gw.asdf -o star.parquet",
        "rt-gw lightcurve X_gw.asdf --barycentre X_cal.asdf -o star.ecsv",
    ),
    no_args_is_help=True,
)
@inputs
@click.option("--bin", "seconds", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="Means of so long.")
@click.option("--barycentre", metavar="FILE", help="A science file whose ephemeris is taken for barycentric dates.")
@option("--show", type=click.Choice(("curve", "periodogram")), default="curve", help="What is printed.")
@measuring
@analysis_options
def lightcurve(console, inputs, seconds, barycentre, show, **options):
    from rtools.pipeline.guide.light import light_of, light_table, periodogram_table, read_ephemeris
    from rtools.pipeline.guide.measure import measure_stage
    from rtools.products.guide import open_guide
    from rtools.show.guide import chart_light_curve

    wanted = take_wanted(options)
    request = take_request(options)
    ephemeris = read_ephemeris(local_path(barycentre)) if barycentre else None
    work = console.work()

    def find(name, path):
        with open_guide(path) as guide:
            measured = measure_stage(guide, "track", request, work)
            light = light_of(measured, request, seconds)
            if show == "periodogram":
                table = periodogram_table(guide, light, request)
            else:
                table = light_table(guide, measured, light, request, ephemeris)
        scatter = light.scatter._asdict()
        line = "{pairs} points, {flux:.6g} electron/s, scatter {found_ppm:.0f} ppm, expected {expected_ppm:.0f} ppm"
        return Analysis(table, summary={"scatter": scatter}, lines=(line.format(**scatter),))

    draw = chart_light_curve if show == "curve" else None
    return analyse(console, inputs, wanted, find, name=lambda stem: f"{stem}_{NAMES[show]}", draw=draw, long=True)
