"""rt-view: images in the terminal, or as pictures."""

import os
import sys
from contextlib import contextmanager
from pathlib import Path

import click

from rtools.commands.kit import inputs, options
from rtools.commands.kit.entry import entry
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import for_each
from rtools.commands.kit.terminal import terminal_style
from rtools.commands.kit.tool import option, tool
from rtools.commands.kit.written import Written
from rtools.errors import InputError, RtoolsError, UsageError
from rtools.products.io import temporary
from rtools.products.names.extensions import PICTURES

__all__ = ["command", "main"]

EXAMPLES = (
    "rt-view X_cal.asdf",
    "rt-view X_cal.asdf --section 1000:1400,2000:2400 -o stars.png",
    "rt-view X_cal.asdf --catalog X_cat.parquet --grid --compass -o sky.png",
    "rt-view X_cal.asdf --array dq --section 0:200,0:200",
    "rt-view X_uncal.asdf --ramp 1234,2345 --rate X_cal.asdf -o ramp.png",
    "rt-view X_gw.asdf",
    "rt-view X_face.asdf -o attitude.png",
)

DESCRIPTION = """\
x to the right, row 0 at the bottom. On a terminal in half blocks with 24-bit colour where COLORTERM says truecolor or
24bit, else 256 colours; with NO_COLOR, or into a pipe, in shade characters on 80 columns. With -o or --outdir as a
picture: png, pdf, svg or jpg.

Pixels are averaged to the size of the picture; bad ones (--dq) are left out, and blocks without a good one are grey
(x in shades). In flag arrays and segmentation maps the highest class of a block is shown, and the rarer flag lies on
top.

Of guide windows (_gw) the mean difference of tracking, signal - pedestal in DN, is shown, over the pairs that the file
does not call spoiled; with --resultant N that of pair N; arrays as they are with --array. Of FACE the three rotations
are drawn against time.

--ramp X,Y draws the resultants of one pixel of a raw exposure or ramp, with flags and jumps, and the line of the rate:
of --rate FILE, else of the _cal or _rampfit beside it, else a straight line through the unflagged resultants. Between
jumps the line has the level of the resultants there. The rate of a _cal has its dark subtracted and is divided by the
flat."""

OF_IMAGES = ("resultant", "section", "flags", "limits", "catalog", "segmentation", "grid", "compass", "wcs", "hist",
             "ramp")  # fmt: skip
"""Settings that say something of images alone."""

STRETCHES = ("asinh", "linear", "sqrt", "log", "zscale", "percentile")


@tool(
    "rt-view",
    summary="Show images in the terminal or as pictures.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    no_args_is_help=True,
)
@click.argument("files", nargs=-1, metavar="FILE…")
@click.option("--array", metavar="NAME", help="Array to show: dq, err, groupdq …; data by default.")
@click.option("--resultant", type=int, metavar="N", help="Plane of a cube, from 0, negative from the end; the last.")
@click.option("--section", metavar="X1:X2,Y1:Y2", help="Part of it: x first, from 0, ends exclusive.")
@click.option("--frame", type=click.Choice(["l1", "l2"]), help="Pixels that --section and --ramp count in; the file's.")
@click.option("--dq", "flags", metavar="NAME,…|none", help="Leave out pixels with these flags; DO_NOT_USE by default.")
@option("--stretch", type=click.Choice(STRETCHES), default="asinh", help="zscale and percentile are linear.")
@click.option("--limits", metavar="LIMITS", help="zscale, minmax, 99%, 1%,99.5% or LOW,HIGH; default by --stretch.")
@option("--cmap", default="inferno", metavar="NAME", help="Colour map of matplotlib.")
@click.option("--width", type=click.IntRange(10), metavar="N", help="Columns of text; the terminal's, else 80.")
@click.option("--catalog", metavar="FILE", help="Mark its sources: parquet, ECSV, FITS, CSV.")
@click.option("--segmentation", metavar="FILE", help="Draw the outlines of a _segm.")
@click.option("--grid", is_flag=True, help="Lines of equal right ascension and declination (pictures).")
@click.option("--compass", is_flag=True, help="Directions of north and east, and the scale.")
@click.option(
    "--wcs", metavar="FILE", help="World coordinates from this _wcs; else the file's own, else those beside it."
)
@click.option("--hist", is_flag=True, help="Distribution of the values instead of the image.")
@click.option("--ramp", metavar="X,Y", help="The resultants of this pixel instead of an image.")
@click.option("--rate", metavar="FILE", help="Image whose rate --ramp draws as a line.")
@click.option("--title", metavar="TEXT", help="Above the picture.")
@click.option("-o", "--output", type=Written(*PICTURES), metavar="FILE.png", help="Write a picture; - is stdout (png).")
@click.option("--outdir", metavar="DIR", help="Write pictures there, named as the inputs, .png.")
@click.option("--overwrite", is_flag=True, help="Replace pictures that exist; otherwise refused, exit 1.")
@options.fail_fast
@options.no_checksum
def command(console, files, output, outdir, overwrite, fail_fast, **settings):
    with _settings_of_matplotlib():
        names = list(dict.fromkeys(expand_inputs(files)))
        _check(names, output, outdir, settings)
        targets = _targets(names, output, outdir, overwrite=overwrite)
        if settings["ramp"]:
            settings["ramp"] = _pixel(settings["ramp"])

        def show(name):
            with inputs.local(name) as path:
                if targets:
                    _picture(console, path, targets[name], settings)
                else:
                    click.echo("\n".join(_text(console, path, settings)))

        return for_each(console, names, show, fail_fast=fail_fast)


@contextmanager
def _settings_of_matplotlib():
    """A directory for matplotlib's settings and fonts where the user has none that can be written."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    there = next(path for path in (Path(home) / "matplotlib", *Path(home).absolute().parents) if path.exists())
    if os.environ.get("MPLCONFIGDIR") or (there.is_dir() and os.access(there, os.W_OK)):
        yield
        return
    with temporary.directory() as folder:
        os.environ["MPLCONFIGDIR"] = folder
        try:
            yield
        finally:
            del os.environ["MPLCONFIGDIR"]


def _check(names, output, outdir, settings):
    """Refuse what does not go together, before any work."""
    if not names:
        raise UsageError("the list names no input file")
    if output and outdir:
        raise UsageError("-o and --outdir do not go together")
    if output and len(names) > 1:
        raise UsageError("-o names one output", mend="use --outdir for several inputs")
    if output == "-" and sys.stdout.isatty():
        raise UsageError("will not write a picture to a terminal", mend="redirect it, or give -o a name")
    if settings["ramp"] and settings["hist"]:
        raise UsageError("--ramp and --hist do not go together")
    if settings["rate"] and not settings["ramp"]:
        raise UsageError("--rate goes with --ramp")
    image_only = ("catalog", "segmentation", "grid", "compass")
    for word in (*image_only, "section", "array", "resultant"):
        other = "ramp" if settings["ramp"] else "hist" if settings["hist"] and word in image_only else None
        if other and settings[word] not in (None, False):
            raise UsageError(f"--{word} does not go with --{other}")
    if settings["grid"] and not (output or outdir):
        raise UsageError("--grid needs a picture", mend="give -o FILE.png; --compass works in the terminal")
    if settings["cmap"] != "inferno":
        from rtools.show.terminal import colour_table

        colour_table(settings["cmap"])
    if settings["frame"] and not (settings["section"] or settings["ramp"]):
        raise UsageError("--frame goes with --section or --ramp")


def _targets(names, output, outdir, *, overwrite):
    """Path of each input's picture, None for stdout; empty where text is wanted."""
    from rtools.show.stretch import require_matplotlib

    if not (output or outdir):
        return {}
    require_matplotlib()
    if output == "-":
        return {names[0]: None}
    targets = {names[0]: Path(output)} if output else {}
    if outdir:
        stems = {name: "stdin" if inputs.is_stream(name) else Path(name).stem for name in names}
        targets = {name: Path(outdir) / f"{stem}.png" for name, stem in stems.items()}
    for name, path in targets.items():
        twin = next((other for other in targets if other != name and targets[other] == path), None)
        if twin:
            raise UsageError(f"{name} and {twin} would both be {path}")
        if path.exists() and not overwrite:
            raise RtoolsError("exists already", mend="--overwrite replaces it", path=path)
    return targets


def _pixel(text):
    try:
        x, y = map(int, text.split(","))
    except ValueError:
        raise UsageError(f"--ramp {text}: X,Y expected, as 1234,2345") from None
    return x, y


def _picture(console, path, target, settings):
    """Write one picture and print its path."""
    from rtools.products.io.staging import Stage
    from rtools.show import plot

    figure = _figure(console, path, settings)
    if target is None:
        plot.save(figure, sys.stdout.buffer, "png")
        sys.stdout.buffer.flush()
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RtoolsError(f"cannot be made ({reason})", path=target.parent) from None
    stage = Stage(target)
    with stage.open() as file:
        plot.save(figure, file, target.suffix[1:].lower())
    click.echo(stage.commit())


def _figure(console, path, settings):
    from rtools.products.io import open_product
    from rtools.show import chart, plot, ramp

    shared = {key: settings[key] for key in ("limits", "title")}
    with open_product(path) as product:
        if _is_series(product, settings):
            return chart.plot_chart(_rotations(product, settings))
        if settings["ramp"]:
            return ramp.plot_ramp(_ramp(product, settings), title=settings["title"])
        image = _image(product, settings)
        if settings["hist"]:
            return plot.plot_histogram(image, **shared)
        over = _overlays(console, product, image, settings)
        look = {key: settings[key] for key in ("stretch", "cmap", "grid")}
        return plot.plot_image(image, **shared, **look, **over)


def _text(console, path, settings):
    """The lines of text of one input."""
    from rtools.products.io import open_product
    from rtools.show import chart, ramp, terminal

    style = terminal_style(settings["width"])
    with open_product(path) as product:
        if _is_series(product, settings):
            return chart.draw_chart(_rotations(product, settings), style)
        if settings["ramp"]:
            found = _ramp(product, settings)
            found.title = found.title if settings["title"] is None else settings["title"]
            return ramp.draw_ramp(found, style)
        image = _image(product, settings)
        image.title = image.title if settings["title"] is None else settings["title"]
        if settings["hist"]:
            return terminal.draw_histogram(image, style, limits=settings["limits"])
        over = _overlays(console, product, image, settings)
        over.pop("wcs")
        look = {key: settings[key] for key in ("stretch", "limits", "cmap")}
        return terminal.draw_image(image, style, **look, **over)


def _ramp(product, settings):
    from rtools.show.ramp import load_ramp

    wanted = {key: settings[key] for key in ("frame", "rate")}
    return load_ramp(product, *settings["ramp"], **wanted, called=_called(product))


def _is_series(product, settings):
    """Whether numbers are drawn against time: of FACE, unless an array of it is asked for."""
    if product.kind != "l1_face" or settings["array"]:
        return False
    strange = [word for word in OF_IMAGES if settings[word] not in (None, False)]
    if strange:
        word = {"flags": "dq"}.get(strange[0], strange[0])
        raise UsageError(f"--{word} does not go with a _face file", path=product.path)
    return True


def _rotations(product, settings):
    from rtools.show.guide_view import load_rotations

    found = load_rotations(product, called=_called(product))
    return found if settings["title"] is None else found._replace(title=settings["title"])


def _image(product, settings):
    from rtools.show import guide_view
    from rtools.show.image import load_image

    if settings["array"] is None and guide_view.has_windows(product):
        if settings["frame"]:
            raise UsageError("--frame does not go with a _gw file", path=product.path)
        return guide_view.load_difference(
            product, pair=settings["resultant"], section=settings["section"], called=_called(product)
        )
    wanted = {key: settings[key] for key in ("array", "resultant", "section", "frame", "flags")}
    image = load_image(product, **wanted, called=_called(product))
    if settings["hist"] and image.kind != "image":
        raise UsageError(f"--hist: {image.name} holds {image.kind}, no values", mend="rt-dq counts flags")
    return image


def _called(product):
    """What standard input calls itself; None for a file that has a name."""
    if not Path(product.path).name.startswith("rtools-"):
        return None
    return str(product.meta.get("filename") or "standard input")


def _overlays(console, product, image, settings):
    """What lies over the image: WCS, compass, sources, outlines; each None where not asked for."""
    from rtools.products.edit.wcs import load_wcs
    from rtools.show import overlay

    found = dict.fromkeys(("wcs", "compass", "sources", "outlines"))
    needed = settings["grid"] or settings["compass"] or settings["wcs"]
    if needed or settings["catalog"]:
        try:
            found["wcs"] = load_wcs(product, settings["wcs"])
        except InputError:
            if needed:
                raise
    rows, columns = image.data.shape
    if settings["compass"]:
        found["compass"] = overlay.compass(found["wcs"], image.x + columns / 2, image.y + rows / 2)
    if settings["catalog"]:
        x, y = found["sources"] = overlay.load_sources(settings["catalog"], product, wcs=found["wcs"])
        inside = (abs(x - image.x - columns / 2) <= columns / 2) & (abs(y - image.y - rows / 2) <= rows / 2)
        level = "info" if inside.any() else "warning"
        console.log(level, f"{settings['catalog']}: {inside.sum()} of {len(x)} sources in the picture")
    if settings["segmentation"]:
        found["outlines"] = overlay.load_outlines(settings["segmentation"], product, image)
    return found


main = entry(command)
