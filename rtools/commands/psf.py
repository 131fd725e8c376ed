"""rt-psf: the PSF at a place, the PSF of an image's own stars, a star beside it, and the depth of an image."""

from pathlib import Path

import click

from rtools.commands.kit import options
from rtools.commands.kit.analysis import analyse
from rtools.commands.kit.analysis_options import analysis_options, take_wanted
from rtools.commands.kit.analysis_tables import Analysis
from rtools.commands.kit.entry import entry
from rtools.commands.kit.idle import REFERENCE_KEYS, refuse_idle, refuse_other_references
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.numbers import rising_numbers
from rtools.commands.kit.outputs import Outputs, deliver
from rtools.commands.kit.positions import pixels_of, positions, read_positions
from rtools.commands.kit.reference_options import reference_config
from rtools.commands.kit.tool import option, tool
from rtools.commands.kit.written import Written
from rtools.errors import UsageError

__all__ = ["command", "main"]

DESCRIPTION = """\
FILE is a calibrated image: _cal or _coadd of Roman, _cal, _crf or _i2d of JWST. It may be an epsf reference, too, whose
PSF is told then.

Without a word more, the PSF of the epsf reference at --at or --sky, else in the middle, is told as a profile: the share
of the light per area in rings, and within circles (the encircled energy). --json adds its full width at half maximum,
the radii that hold 50, 80 and 95 % of the light, and the largest share in one pixel. All PSFs are per pixel: the width
of the pixel is in them. --defocus and --spectral-type choose among those of the reference. Of several places (--at and
--sky repeated, or as @FILE; --table) these numbers are the table, a row for each place with its status.

--star puts the star at the place beside the PSF. The PSF is fitted to it, and both profiles are taken on the same
pixels. Where there is no PSF the star's light within the last circle is taken for its whole light.

--measure builds the PSF of the image's own stars, which are found, chosen for being isolated, bright and pointed, and
put together by photutils. --write FILE.asdf writes it as an epsf reference, which rt-catalog and rt-phot take by
--ref epsf=FILE.asdf. It is one PSF for the whole image. Where a reference is found, the measured PSF has its share of
light in the middle 15 × 15 pixels; else all light is that within its stamps. Of JWST there is no reference; so
--measure makes the only one.

--depth tells the flux and the magnitude of five times the scatter of the light in apertures that are laid on blank sky,
beside what the errors of the pixels say of the same apertures. Their ratio is more than 1 where pixels share noise, as
in mosaics."""


@tool(
    "rt-psf",
    summary="The PSF at a place, of an image's own stars, beside a star; limiting depth.",
    description=DESCRIPTION,
    examples=(
        "rt-psf X_cal.asdf --at 2000,300 --plot psf.png",
        "rt-psf X_cal.asdf --spectral-type M5V --json",
        "rt-psf X_cal.asdf --table X_cat.parquet --star -o widths.csv",
        "rt-psf X_cal.asdf --at 1204.3,877 --star -o star.ecsv --plot star.png",
        "rt-psf X_cal.asdf --measure --write stars_epsf.asdf --plot psf.png",
        "rt-psf deep_coadd.asdf --depth --radii 0.2,0.4",
    ),
    no_args_is_help=True,
)
@click.argument("inputs", nargs=-1, metavar="FILE…", required=True)
@positions
@click.option("--star", is_flag=True, help="Put the star at the place beside the PSF.")
@click.option("--measure", is_flag=True, help="Build the PSF of the image's own stars.")
@click.option("--depth", is_flag=True, help="Tell the depth by apertures on blank sky.")
@click.option("--defocus", type=float, metavar="N", help="The PSF of this defocus, as the reference lists it.")
@click.option("--spectral-type", metavar="TYPE", help="The PSF of this spectral type, as the reference lists it.")
@option("--reach", type=click.FloatRange(0.1, 20), default=2.5, metavar="R", help="Largest radius of profiles, arcsec.")
@option("--stars", type=click.IntRange(5), default=150, metavar="N", help="With --measure: at most so many stars.")
@option("--radii", default="0.1,0.2,0.4,0.8,1.6", metavar="R,…", help="With --depth: radii of the apertures, arcsec.")
@click.option("--write", type=Written("asdf", stream=False), metavar="FILE.asdf",
              help="With --measure: write it as a reference.")  # fmt: skip
@options.references
@options.jobs
@options.no_checksum
@analysis_options
def command(console, inputs, at, sky, table, jobs, **settings):
    wanted = take_wanted(settings)
    doing = _doing(settings)
    _refuse_idle(doing, settings)
    places = read_positions(at, sky, table)
    if places is not None and doing in ("measure", "depth"):
        raise UsageError(f"--{doing} is of the whole image")
    several = places is not None and (len(places) > 1 or table is not None)
    if several and wanted.plot:
        raise UsageError("--plot draws the profile at one place", mend="give one, or leave out --plot")
    if doing == "star" and places is None:
        raise UsageError("--star: where is it?", mend="give --at X,Y or --sky RA,DEC")
    target = _reference_to_write(inputs, settings, wanted)
    work, pictures = console.work(jobs), []
    if doing == "depth":
        from rtools.show.psf import chart_depths

        radii = rising_numbers("--radii", settings["radii"])
        return analyse(console, inputs, wanted, lambda _name, path: _depth(path, radii, work),
                       name=lambda stem: f"{stem}_depth", draw=chart_depths, jwst=True)  # fmt: skip

    def find(_name, path):
        if several:
            return _numbers(path, doing, places, settings, work)
        return _profiles(console, path, doing, (places, target, pictures, work), settings)

    def draw(found):
        from rtools.show.psf import chart_profiles

        return chart_profiles(found, pictures[: len(pictures) if len(found) == 1 else 0])

    return analyse(console, inputs, wanted, find, name=lambda stem: f"{stem}_psf", draw=draw, jwst=True)


def _doing(settings):
    """What is asked for: reference, star, measure or depth."""
    asked = [word for word in ("star", "measure", "depth") if settings[word]]
    if len(asked) > 1:
        raise UsageError(f"--{asked[0]} and --{asked[1]} do not go together")
    if settings["write"] and asked != ["measure"]:
        raise UsageError("--write goes with --measure")
    return asked[0] if asked else "reference"


def _refuse_idle(doing, settings):
    """Refuse options that change nothing of what is asked for."""
    if doing == "depth":
        refuse_idle(dict.fromkeys((*REFERENCE_KEYS, "defocus", "spectral_type", "reach"), "does nothing with --depth"))
    else:
        refuse_idle({"radii": "goes with --depth"})
    if doing != "measure":
        refuse_idle({"stars": "goes with --measure"})
    refuse_other_references(settings["ref"], ("epsf",))


def _reference_to_write(inputs, settings, wanted):
    """Path of the reference that is written; refused before any work where it is there."""
    if not settings["write"]:
        return None
    names = expand_inputs(inputs)
    if len(names) > 1:
        raise UsageError("--write is of one image", mend="give one file")
    return Outputs(settings["write"], None, overwrite=wanted.overwrite, inputs=names).path(names[0], "")


def _depth(path, radii, work):
    import numpy as np

    from rtools.catalog.steps.catalog import STEP
    from rtools.pipeline.catalog.depth_table import depth_table
    from rtools.pipeline.catalog.places import image_planes
    from rtools.products.opening import open_any

    with open_any(path) as product:
        table = depth_table(image_planes(product, work), STEP.defaults() | {"npixels": 9}, np.array(radii), work)
    return Analysis(table)


def _numbers(path, doing, places, settings, work):
    """A row of numbers for each of several places of one image."""
    from rtools.pipeline.catalog import psf as told
    from rtools.products.opening import open_any
    from rtools.reference.epsf_choice import PsfChoice

    config = reference_config(settings["ref"], settings["refdir"], settings["builtin"])
    choice = PsfChoice(settings["defocus"], settings["spectral_type"])
    asked = told.PsfRequest(doing, settings["reach"], choice, settings["stars"], config)
    with open_any(path, others=True) as product:
        if product.reftype:
            raise UsageError("several places need an image", mend="give one --at X,Y of a reference", path=path)
        rows = told.numbers_at(product, lambda wcs: pixels_of(places, product, wcs), asked, work)
    rows.add_column(places.ids, name=places.id_name, index=0)
    return Analysis(rows)


def _profiles(console, path, doing, given, settings):
    """Profiles of what is asked for of one input, and its numbers."""
    from rtools.pipeline.catalog import psf as told
    from rtools.products.opening import open_any
    from rtools.reference.epsf_choice import PsfChoice
    from rtools.show.chart import Picture

    places, target, pictures, work = given
    choice = PsfChoice(settings["defocus"], settings["spectral_type"])
    with open_any(path, others=True) as product:
        if product.reftype == "epsf":
            if doing != "reference":
                raise UsageError(f"--{doing} needs an image", path=path)
            if settings["ref"]:
                raise UsageError("--ref is for images, and this is a reference", path=path)
            if places is not None and places.frame == "sky":
                raise UsageError("--sky needs an image", mend="--at X,Y is a place on the detector", path=path)
            place = None if places is None else (float(places.first[0]), float(places.second[0]))
            found = told.reference_profiles(path, settings["reach"], choice, console.log, place=place)
        else:
            config = reference_config(settings["ref"], settings["refdir"], settings["builtin"])
            asked = told.PsfRequest(doing, settings["reach"], choice, settings["stars"], config)
            place = None if places is None else lambda wcs: pixels_of(places, product, wcs)
            found = told.image_profiles(product, place, asked, work)
    pictures[:] = [Picture(*one) for one in found.pictures]
    if target is not None:
        deliver(target, target.name, found.stage)
    lines = tuple(f"{key}: {value:.5g}" if isinstance(value, float) else f"{key}: {value}"
                  for key, value in found.numbers.items())  # fmt: skip
    wrote = (f"wrote {Path(target)}",) if target is not None else ()
    return Analysis(found.table, summary={"numbers": found.numbers}, lines=(*lines, *wrote))


main = entry(command)
