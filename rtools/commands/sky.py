"""rt-sky: between pixels and the sky, with scale, area and north; which files cover a position."""

import click

from rtools.commands.kit.analysis import analyse
from rtools.commands.kit.analysis_options import analysis_options, take_wanted
from rtools.commands.kit.analysis_tables import Analysis
from rtools.commands.kit.entry import entry
from rtools.commands.kit.idle import refuse_idle
from rtools.commands.kit.inputs import opened
from rtools.commands.kit.positions import positions, read_positions
from rtools.commands.kit.tool import tool
from rtools.errors import RtoolsError

__all__ = ["command", "main"]

DESCRIPTION = """\
Each position becomes a row: its name, RA and Dec in degrees, x and y in pixels of the file (from 0, centres whole),
whether the file covers it, the same pixel in the other frame of the detector (x_l1, y_l1 with the border of reference
pixels, or x_l2, y_l2 without), and there the scale and the area of a pixel, and the direction of north, degrees from +y
toward -x. Without positions, the centre and the corners of each file are told.

Positions are typed, read from a list (@FILE, @- for standard input: one a line, a name behind it), or from a table,
whose rows keep their ids. --to pixel and --to sky leave out all but that; --hms writes positions in sexagesimal.
--covering leaves out positions that lie outside of a file: of many files, those stay that cover a position.

Files are images, mosaics and ramps of both missions, and _wcs files. The WCS is that of the file, else that of the
_wcs file beside it."""

SKY = ("ra", "dec")
PIXEL = ("x", "y", "inside")


@tool(
    "rt-sky",
    summary="Pixels to the sky and back, scale and north there; which files cover a position.",
    description=DESCRIPTION,
    examples=(
        "rt-sky X_cal.asdf --at 1234,567",
        "rt-sky X_cal.asdf --sky 10h02m03.4s,+02d12m11s --to pixel",
        "rt-sky *_cal.asdf --sky 270.05,66.01 --covering",
        "rt-sky X_cal.asdf --table X_cat.parquet -o pixels.csv",
        "rt-sky jwX_i2d.fits --sky @targets.txt --hms",
    ),
    no_args_is_help=True,
)
@click.argument("inputs", nargs=-1, required=True, metavar="FILE…")
@positions
@click.option("--to", type=click.Choice(["sky", "pixel"]), help="Only the position on the sky, or only the pixel.")
@click.option("--hms", is_flag=True, help="Positions in sexagesimal: hours, minutes, seconds; degrees, minutes …")
@click.option("--covering", is_flag=True, help="Leave out positions that are not in the file.")
@analysis_options
def command(console, inputs, at, sky, table, to, hms, covering, **options):
    wanted = take_wanted(options)
    asked = read_positions(at, sky, table)
    if to == "pixel":
        refuse_idle({"hms": "does nothing with --to pixel"})
    if asked is None:
        refuse_idle({"covering": "goes with --at, --sky and --table"})

    def find(_name, path):
        with opened(path, jwst=True) as product:
            rows = _located(product, asked)
        rows = rows[rows["inside"]] if covering else rows
        if hms:
            _sexagesimal(rows)
        if to:
            rows.keep_columns([rows.colnames[0], *(SKY if to == "sky" else PIXEL)])
        return Analysis(rows)

    return analyse(console, inputs, wanted, find, name=lambda stem: f"{stem}_sky", jwst=True)


def _located(product, asked):
    """The table of one file."""
    from rtools.products.edit.cutout import image_shape
    from rtools.products.edit.section import frame_of, origin_of
    from rtools.show.located import located

    wcs, shape = _coordinates(product)
    frame = None if product.kind == "wcs" else frame_of(product)
    shape = shape or image_shape(product)
    origin = origin_of(product) if frame else (0, 0)
    try:
        if asked is None:
            return located(wcs, shape, frame=frame, origin=origin)
        names = {asked.id_name: asked.ids}
        pair = (asked.first, asked.second)
        return located(wcs, shape, frame=frame, origin=origin, names=names, **{asked.frame: pair})
    except RtoolsError as error:
        error.path = error.path or product.path
        raise


def _coordinates(product):
    """The coordinates of a file's pixels, and of a _wcs file the rows and columns that they are for."""
    from rtools.products.edit.wcs import load_wcs
    from rtools.wfi.gwcs_frames import box_of

    if product.kind != "wcs":
        return load_wcs(product), None
    wcs = product.node("wcs_l2")
    (_x0, x1), (_y0, y1) = box_of(wcs)
    return wcs, (round(y1 + 0.5), round(x1 + 0.5))


def _sexagesimal(rows):
    """Write positions in sexagesimal, hours for right ascensions."""
    from rtools.wfi.angles import sexagesimal

    for name, places in (("ra", 4), ("dec", 3)):
        rows[name] = sexagesimal(rows[name].data, hours=name == "ra", places=places)
        rows[name].unit = None


main = entry(command)
