"""rt-phot: light at given places, without any search, on one or many images."""

from collections import Counter
from pathlib import Path

import click

from rtools.commands.kit import options
from rtools.commands.kit.analysis import analyse
from rtools.commands.kit.analysis_options import analysis_options, take_wanted
from rtools.commands.kit.analysis_tables import Analysis
from rtools.commands.kit.associations import refuse_association
from rtools.commands.kit.entry import entry
from rtools.commands.kit.grouping import titled
from rtools.commands.kit.idle import REFERENCE_KEYS, refuse_idle, refuse_other_references
from rtools.commands.kit.inputs import is_association
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.numbers import rising_numbers
from rtools.commands.kit.positions import pixels_of, positions, read_positions
from rtools.commands.kit.products import request_of_products, run_products, split_inputs
from rtools.commands.kit.reference_options import reference_config
from rtools.commands.kit.reports import RunFlags
from rtools.commands.kit.step_options import click_option
from rtools.commands.kit.tool import option, tool
from rtools.errors import UsageError
from rtools.timeseries.steps.phot import STEP

__all__ = ["command", "main"]

SERIES_OPTIONS = tuple(item for item in STEP.options if item.key not in ("at", "sky"))
"""Options of the step on time series that positions are not."""

OF_IMAGES = ("radii", "ring", "background", "psf", "free", "apcorr", "limit")
"""Parameters that say how images are measured."""

of_series = titled("Target of a time series", *map(click_option, SERIES_OPTIONS))

DESCRIPTION = """\
Measures fluxes at positions that are given, on any number of images: exposures (_cal) and mosaics (_coadd) of Roman,
and of JWST (_cal, _crf, _i2d). Nothing is searched for. A position that shows no source has a flux, too, and an error
and a limit. The result is one table with a row for each source and image. It leads with the id of the source, so that
it can be joined to the table of the positions.

Fluxes are nJy. aperNN_flux is the light within NN tenths of an arcsecond of the position; pixels count with the share
that the circle covers. The sky is the clipped median of a ring about each position, and its error is in the errors.
With --background map the sky is that of rt-catalog, and so are the fluxes. psf_flux is the PSF of the epsf reference
fitted with its position fixed, or free with --free. Positions within 5 pixels of each other are fitted together;
those within 0.1 pixel are one source, whose flux each of them has, with SHARED in psf_flags. Neighbours that are not
among the positions are not known. Images of JWST have no epsf reference; rt-psf makes one of their stars, and --ref
epsf=FILE names it.

status is "measured" where all is well. Otherwise it says why not: "replaced" (more than a tenth of an aperture is bad
pixels, which the pixels opposite stand in for), "edge" (the image ends within an aperture, whose flux is NaN), "no
sky", "unusable" (no good pixel at the position) or "outside" of the image. dq has all flags of the 5 × 5 pixels about
the position. limit_flux is --limit times the error of psf_flux, or of the middle aperture where there is no PSF.

mjd is the middle of the exposure. --curve draws fluxes against time, those of the PSF, or of the middle aperture where
an image has none: a panel for each source, a colour for each filter; crosses are fluxes below their limits.

Errors take the noise of pixels as independent, as rt-catalog does. In a mosaic it is not, and errors of large apertures
are too small; rt-psf --depth measures by how much.

With --table, or several positions, integrations of JWST (_calints, _crfints) are measured as images are, one after
another, each with its number and its time. With one position, or none, they are a time series of one target:

"""


@tool(
    "rt-phot",
    summary="Fluxes at given positions on one or many images, and light curves.",
    description=DESCRIPTION + STEP.description,
    examples=(
        "rt-phot X_cal.asdf --sky 270.01,66.02",
        "rt-phot *_cal.asdf --table X_cat.parquet -o light.parquet",
        "rt-phot *_cal.asdf --sky 17:59:58.1,+66:01:12 --curve star.png",
        "rt-phot deep_coadd.asdf --sky @positions.txt --radii 0.2,0.4 --limit 3 --json",
        "rt-phot jw*_cal.fits --table sources.csv --ref epsf=nrca1_epsf.asdf -o light.ecsv",
        *STEP.examples,
    ),
    no_args_is_help=True,
)
@click.argument("inputs", nargs=-1, metavar="FILE…", required=True)
@positions
@option("--radii", default="0.1,0.2,0.4,0.8,1.6", metavar="R,…", help="Radii of the apertures, arcsec.")
@option("--ring", default="2.4,2.8", metavar="IN,OUT", help="Radii of the ring of sky, arcsec.")
@option("--background", type=click.Choice(["ring", "map", "none"]), default="ring",
        help="Sky: of the ring, of a map of the image, or none.")  # fmt: skip
@click.option("--psf/--no-psf", default=True, help="Fit the PSF, too, or leave it out; it is fitted by default.")
@click.option("--free", is_flag=True, help="Let the PSF move from the position, and tell where it went.")
@click.option("--apcorr", is_flag=True, help="Divide aperture fluxes by the share of a star's light in them (Roman).")
@option("--limit", type=float, default=5.0, metavar="N", help="Limits are so many times the error.")
@of_series
@options.references
@options.jobs
@options.no_checksum
@analysis_options(plot=("--curve", "--plot"))
def command(console, inputs, at, sky, table, jobs, **settings):
    going = take_wanted(settings)
    inputs = expand_inputs(inputs)
    for name in filter(is_association, inputs):
        refuse_association(name)
    whole, images = split_inputs(inputs, STEP.name)
    if whole and not images and not table and len(words := (*at, *sky)) < 2 and not "".join(words).startswith("@"):
        refuse_idle(dict.fromkeys((*OF_IMAGES, "form", "plot"), "is about images, and no input is one"))
        return _series(console, whole, going, jobs, settings | {"at": at, "sky": sky})
    about_series = [item.key for item in SERIES_OPTIONS]
    refuse_idle(dict.fromkeys(about_series, "is about the one target of a time series (_calints)"))
    _refuse_idle(settings)
    request = _request(settings)
    asked = read_positions(at, sky, table)
    if asked is None:
        raise UsageError("no position", mend="--sky RA,DEC, --at X,Y or --table FILE says where")
    work = console.work(jobs)

    def find(name, path):
        rows = _measured(name, path, asked, request, work)
        return Analysis(rows, summary={"statuses": dict(Counter(rows["status"].tolist()))})

    draw = _chart_of(console, asked.id_name, request.options)
    return analyse(console, inputs, going, find, name=lambda stem: f"{stem}_light", draw=draw, jwst=True)


def _refuse_idle(settings):
    """Refuse references that nothing is done with."""
    if not (settings["psf"] or settings["apcorr"]):
        refuse_idle(dict.fromkeys(REFERENCE_KEYS, "does nothing with --no-psf and without --apcorr"))
    read = [name for name, asked in (("epsf", settings["psf"]), ("apcorr", settings["apcorr"])) if asked]
    refuse_other_references(settings["ref"], read)


def _measured(name, path, asked, request, work):
    """The table of one file: of its image, or of all its integrations."""
    from astropy.table import vstack

    from rtools.pipeline.catalog.places import SERIES_KINDS, light_of, light_of_integrations
    from rtools.pipeline.catalog.places_table import light_table
    from rtools.products.opening import open_any

    places = (asked.first, asked.second) if asked.frame == "sky" else None
    with open_any(path) as product:
        what = product, lambda wcs: pixels_of(asked, product, wcs), request, work
        found = light_of_integrations(*what) if product.kind in SERIES_KINDS else [light_of(*what)]
        tables = [light_table(one, asked.ids, places, name=asked.id_name, filename=Path(name).name) for one in found]
    return tables[0] if len(tables) == 1 else vstack(tables, metadata_conflicts="silent")


def _series(console, files, going, jobs, settings):
    """Light curves of the one target of time series; returns the exit status."""
    if going.output not in (None, "-") and not going.output.endswith(".ecsv"):
        raise UsageError(f"-o {going.output}: a light curve of a time series is written as .ecsv")
    said = settings | {key: next(iter(settings[key]), None) for key in ("at", "sky")}
    said |= {key: getattr(going, key) for key in ("output", "outdir", "overwrite")}
    flags = RunFlags(going.dry_run, going.as_json, going.fail_fast)
    return run_products(console, files, request_of_products(STEP.name, said), jobs, flags)


def _request(settings):
    """What is asked of every image."""
    from rtools.catalog.places import PlaceOptions
    from rtools.pipeline.catalog.places import LightRequest

    radii, ring = rising_numbers("--radii", settings["radii"]), rising_numbers("--ring", settings["ring"], 2)
    if not 0 < settings["limit"] < float("inf"):
        raise UsageError(f"--limit {settings['limit']:g}: a positive number expected")
    if settings["free"] and not settings["psf"]:
        raise UsageError("--free and --no-psf do not go together")
    measuring = PlaceOptions(radii, ring, settings["background"], free=settings["free"], limit=settings["limit"])
    places = reference_config(settings["ref"], settings["refdir"], settings["builtin"])
    return LightRequest(measuring, psf=settings["psf"], correct=settings["apcorr"], references=places)


def _chart_of(console, name, options):
    """A function that makes the chart of the tables of all images: of the fluxes whose limits they have."""

    def draw(found):
        from astropy.table import vstack

        from rtools.catalog.places import aperture_name, limiting_aperture
        from rtools.show.flux_curve import chart_flux_curve

        radius = limiting_aperture(options.radii)
        by_psf = all("psf_flux" in table.colnames for _name, table in found)
        flux, told = ("psf_flux", "PSF flux") if by_psf else (aperture_name(radius), f"flux within {radius:g} arcsec")
        table = vstack([table for _name, table in found], metadata_conflicts="silent")
        title = f"{told} at given positions"
        chart, notes = chart_flux_curve(table, name, flux, title=title, limit=options.limit)
        for text in notes:
            console.log("note", text)
        return chart

    return draw


main = entry(command)
