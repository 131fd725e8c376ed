"""rt-view: images in the terminal, or as pictures."""

import sys

import click

from rtools.commands.kit import inputs, options
from rtools.commands.kit.entry import entry
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import for_each
from rtools.commands.kit.missions import mission_option
from rtools.commands.kit.sending import send_made
from rtools.commands.kit.tool import option, tool
from rtools.commands.kit.values import complete_arrays, complete_flags
from rtools.commands.kit.view_archive import archive_dpi, archive_kind, archive_settings, with_compass
from rtools.commands.kit.view_asked import check_asked, parse_pixel, targets_of, typed_of
from rtools.commands.kit.view_graphics import GRAPHICS, drawn_text
from rtools.commands.kit.view_together import TOGETHER, draw_together, way_of
from rtools.commands.kit.written import Written, WrittenPlace
from rtools.errors import RtoolsError
from rtools.products.names.extensions import PICTURES

__all__ = ["command", "main"]

EXAMPLES = (
    "rt-view X_cal.asdf",
    "rt-view X_cal.asdf --section 1000:1400,2000:2400 -o stars.png",
    "rt-view X_cal.asdf --catalog X_cat.parquet --grid --compass -o sky.png",
    "rt-view X_cal.asdf --regions X.reg -o regions.png",
    "rt-view *_cal.asdf --thumb --outdir thumbs",
    "rt-view X_cal.asdf --residuals gaia.parquet -o residuals.png",
    "rt-view red_cal.asdf green_cal.asdf blue_cal.asdf --bare --compass -o colour.png",
    "rt-view r*_0001_wfi*_cal.asdf --focal-plane --compass -o focal_plane.png",
    "rt-view X_cal.asdf --panels --array data,err,dq -o panels.png",
    "rt-view before_cal.asdf after_cal.asdf --blink --difference -o blink.gif",
    "rt-view X_cal.asdf --catalog X_cat.parquet --html X.html",
    "rt-view X_cal.asdf --array dq --section 0:200,0:200",
    "rt-view X_uncal.asdf --ramp 1234,2345 --rate X_cal.asdf -o ramp.png",
    "rt-view X_gw.asdf",
    "rt-view jwX_uncal.fits --at 1234,1045 --integration 0",
    "rt-view jwX_i2d.fits --sources jwX_cat.ecsv --grid --compass -o sky.png",
    "rt-view jwX_s3d.fits --wave 5.2 -o plane.png",
    "rt-view jwX_x1d.fits -o spectrum.png",
    "rt-view roman_wfi_distortion_0601.asdf -o distortion.png",
    "rt-view X_face.asdf -o attitude.png",
)

DESCRIPTION = """\
Products of Roman and of JWST. x to the right, row 0 at the bottom. A terminal that shows pixels gets a picture: by
Kitty's protocol or by Sixel, as its environment tells, or as --graphics says. Others get half blocks with 24-bit colour
where COLORTERM says truecolor or 24bit, else 256 colours; with NO_COLOR, or into a pipe, shade characters on 80
columns. With -o or --outdir the picture is a file: png, pdf, svg or jpg.

Pixels are averaged to the size of the picture; bad ones (--dq) are left out, and blocks without a good one are grey
(x in shades). In flag arrays and segmentation maps the highest class of a block is shown, and the rarer flag lies on
top.

Three files and -o make a picture in colour: the first is red, the second green, the third blue (Lupton et al. 2004).
The others are laid on the pixels of the first by their world coordinates. Each image is multiplied by what gives the
bright sources the same sum in all three, or by --scales. The compass and the scale stand in the corners where they hide
least of the sources.

--panels shows all images side by side, in rows by file and in columns by array where there are several of both. Panels
of one array have the same limits, or with --each limits of their own.

--focal-plane brings the detectors of one exposure to their places in the focal plane of Roman, by the nominal
distortion and as it is seen on the sky. Detectors without a file are empty outlines.

--html X.html writes a page that needs no server and nothing from the network. A browser pans and zooms the whole
detector, changes the stretch, shows value, flags and sky position under the pointer, and blinks between the arrays
that --array names (data by default; a list, as data,err) of all files. Values are rounded to a quarter of the noise, so
that the page of a detector has 20 MB.

Of guide windows (_gw) the mean difference of tracking, signal - pedestal in DN, is shown, over the pairs that the file
does not call spoiled; with --resultant N that of pair N; arrays as they are with --array. Of FACE the three rotations
are drawn against time.

--at X,Y draws the resultants of one pixel of a raw exposure or ramp, with flags and jumps, and the line of the rate:
of --rate FILE, else of the _cal or _rampfit beside it, else a straight line through the unflagged resultants. Between
jumps the line has the level of the resultants there. The rate of a _cal has its dark subtracted and is divided by the
flat. Of JWST the groups are drawn, of all integrations or of --integration I, with the rate of the _rateints or the
_rate beside it; raw data have the flags of the _ramp beside them.

Of JWST cubes the last plane is shown, or that of --integration and --group; of an s3d the median along the wavelength,
or the plane of --wave or --integration; of CON the number of images. --array takes the names of the data model (data,
dq, slits.1.data) and those of the extensions (SCI, DQ, CON).

References are shown as images, or as what their tables and models say: a distortion as areas and shifts of pixels, an
ePSF by place and type, the rest as charts. Options of an image then mean one plane of an ePSF, and are refused of
charts.

Spectra (x1d, c1d) are drawn with their errors as a band, points with flags (--dq) as crosses; --array SURF_BRIGHT or
BACKGROUND draws these. Of x1dints an image is shown, integration by wavelength, or with --row one spectrum. Of OIFITS
V² and closure phase are drawn against the baseline, of phot and whtlt the light curve, of cat a map of the sources by
magnitude."""

STRETCHES = ("asinh", "linear", "sqrt", "log", "zscale", "percentile")


@tool(
    "rt-view",
    summary="Show images in the terminal or as pictures.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    no_args_is_help=True,
)
@click.argument("files", nargs=-1, metavar="FILE…")
@click.option(
    "--array", metavar="NAME", shell_complete=complete_arrays, help="Array to show: dq, err …; data by default."
)
@mission_option(
    "roman", "--resultant", type=int, metavar="N", help="Plane of a cube, from 0, negative from the end; the last."
)
@mission_option("jwst", "--integration", type=int, metavar="I", help="Plane of a cube, or integration of a ramp; so.")
@mission_option("jwst", "--group", type=int, metavar="G", help="Group of the integration; so.")
@mission_option("jwst", "--wave", type=float, metavar="UM", help="Plane of an s3d next to this wavelength.")
@mission_option("jwst", "--hdu", metavar="N", help="Spectrum of this EXTVER; all by default.")
@mission_option("jwst", "--row", type=int, metavar="N", help="Spectrum of this row, where rows are spectra.")
@click.option("--section", metavar="X1:X2,Y1:Y2", help="Part of it: x first, from 0, ends exclusive.")
@click.option("--frame", type=click.Choice(["l1", "l2"]), help="Pixels that --section and --at count in; the file's.")
@click.option(
    "--dq",
    "flags",
    metavar="NAME,…|none",
    shell_complete=complete_flags,
    help="Leave out pixels with these flags; DO_NOT_USE by default.",
)
@option("--stretch", type=click.Choice(STRETCHES), default="asinh", help="zscale and percentile are linear.")
@click.option("--limits", metavar="LIMITS", help="zscale, minmax, 99%, 1%,99.5% or LOW,HIGH; default by --stretch.")
@option("--cmap", default="inferno", metavar="NAME", help="Colour map of matplotlib.")
@click.option("--width", type=click.IntRange(10), metavar="N", help="Columns of text; the terminal's, else 80.")
@option("--graphics", type=click.Choice(GRAPHICS), default="auto", help="Pixels in the terminal, where it shows them.")
@click.option(
    "--catalog", "--sources", metavar="FILE", help="Mark its sources, by class and flag: parquet, ECSV, FITS …"
)
@click.option("--segmentation", metavar="FILE", help="Draw the outlines of a _segm.")
@click.option("--regions", metavar="FILE.reg", help="Draw the regions of a file of DS9.")
@click.option(
    "--residuals", metavar="FILE", help="Arrows from stars to a reference catalog, or of a table of matches (pictures)."
)
@click.option("--grid", is_flag=True, help="Lines of equal right ascension and declination (pictures).")
@click.option("--compass", is_flag=True, help="Directions of north and east, and the scale.")
@click.option(
    "--wcs", metavar="FILE", help="World coordinates from this _wcs; else the file's own, else those beside it."
)
@click.option("--preview", is_flag=True, help="Write X_preview.png, 1080 dots wide, as archives have it; JWST: X.jpg.")
@click.option("--thumb", is_flag=True, help="Write X_thumb.png, 300 dots wide, as archives have it; JWST: X_thumb.jpg.")
@click.option("--bare", is_flag=True, help="The image alone, without axes, title and bar of colours (pictures).")
@click.option("--scales", metavar="R,G,B", help="Factors of the three images of a picture in colour; else balanced.")
@click.option("--blink", is_flag=True, help="Show several images in turn, on the pixels of the first: -o FILE.gif.")
@click.option("--difference", is_flag=True, help="With --blink, the last one minus the first behind them.")
@click.option("--panels", is_flag=True, help="All images side by side; of --array A,B several arrays (pictures).")
@click.option("--each", is_flag=True, help="With --panels: each has limits of its own; else those of one array share.")
@click.option("--focal-plane", is_flag=True, help="Detectors of one exposure at their places in the focal plane.")
@click.option("--hist", is_flag=True, help="Distribution of the values instead of the image.")
@click.option("--at", "--ramp", "ramp", metavar="X,Y", help="The ramp of this pixel instead of an image.")
@click.option("--rate", metavar="FILE", help="Image whose rate --at draws as a line.")
@click.option("--title", metavar="TEXT", help="Above the picture.")
@click.option(
    "-o", "--output", type=Written(*PICTURES, "gif"), metavar="FILE.png", help="Write a picture; - is stdout."
)
@click.option(
    "--html", "page", metavar="FILE.html", type=Written("html"), help="Write a page that pans and zooms; see above."
)
@click.option("--outdir", type=WrittenPlace(), metavar="DIR", help="Write pictures there, named as the inputs, .png.")
@click.option("--overwrite", is_flag=True, help="Replace pictures that exist; otherwise refused, exit 1.")
@options.fail_fast
@options.no_checksum
def command(console, files, output, outdir, overwrite, fail_fast, width, graphics, **settings):
    names, kind = list(dict.fromkeys(expand_inputs(files))), archive_kind(settings)
    way = way_of(names, output, settings)
    check_asked(names, output, outdir, settings, together=way is not None, kind=kind)
    if way:
        settings["typed"] = typed_of(settings)
        return draw_together(console, names, way, output or settings["page"], settings, overwrite=overwrite)
    for name in TOGETHER:
        del settings[name]
    targets = targets_of(names, output, outdir, overwrite=overwrite, kind=kind)
    if settings["ramp"]:
        settings["ramp"] = parse_pixel(settings["ramp"])
    settings["typed"] = typed_of(settings)
    settings = archive_settings(kind, settings, settings["typed"])

    def show(name):
        with inputs.local(name) as path:
            if targets:
                _picture(console, path, targets[name], settings, kind)
            else:
                click.echo(drawn_text(_drawing(console, path, settings), graphics, width))

    return for_each(console, names, show, fail_fast=fail_fast)


def _picture(console, path, target, settings, kind):
    """Write one picture and print its path."""
    from rtools.show import plot

    figure = _drawing(console, path, settings, kind).plot()
    dpi = archive_dpi(kind, figure)
    if target is None:
        plot.save(figure, sys.stdout.buffer, "png", dpi=dpi)
        sys.stdout.buffer.flush()
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RtoolsError(f"cannot be made ({reason})", path=target.parent) from None
    path = plot.stage_figure(figure, target, dpi=dpi).commit()
    send_made()
    click.echo(path)


def _drawing(console, path, settings, kind=None):
    """What is drawn of one input; all that is needed of the file has been read."""
    from rtools.products.opening import open_any
    from rtools.show.view import drawing_of
    from rtools.show.wishes import Wishes

    with open_any(path, others=True, references=True) as product:
        wishes = with_compass(kind, product, Wishes(**settings))
        return drawing_of(product, wishes, console.log)


main = entry(command)
