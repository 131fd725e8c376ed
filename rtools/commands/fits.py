"""rt-fits: Roman ASDF to FITS and back."""

from functools import partial
from pathlib import Path

import click

from rtools.commands.kit import options as bundles
from rtools.commands.kit.console import json_line
from rtools.commands.kit.entry import entry
from rtools.commands.kit.inputs import is_stream, local
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import file_record, for_each
from rtools.commands.kit.outputs import Outputs, deliver
from rtools.commands.kit.tool import option, tool
from rtools.errors import InputError, UsageError
from rtools.pipeline.job.status import shared_status
from rtools.products.names.extensions import form_of_name

__all__ = ["command", "main"]

EXAMPLES = (
    "rt-fits X_cal.asdf",
    "rt-fits X_cal.fits -o back_cal.asdf",
    "rt-fits *_cal.asdf --outdir fits --sip-error 0.002",
    "rt-fits X_uncal.asdf --wcs X_wcs.asdf",
)

DESCRIPTION = """\
The direction follows from the content. X_cal.asdf becomes X_cal.fits: SCI, ERR, DQ, VAR_POISSON … as images, metadata
as keywords and in the table META, and the whole ASDF tree in the extension ASDF, so that the way back restores every
array bit for bit and every item of the tree; --check makes sure of it. FITS has no 16-bit floats: they are written as
32-bit ones.

SCI gets the WCS: exact TAN for mosaics, else TAN with SIP polynomials of the lowest order, 1 to 6, whose largest error
(RT_WCSMX in the header, measured on 101 x 101 points) is within --sip-error; when none is, there is no file and the
exit status is 5. Raw files and ramps take the WCS of --wcs, else of the _wcs file beside them, else have none; astropy
reads it, with SIP on a cube, as WCS(header, naxis=2).

Flags keep their Roman bits, which the tables DQ_DEF and GROUPDQ_DEF explain; JWST's bits mean other things.

Back in ASDF, pixels are those of the images, flags those of DQ_ROMAN where it is there. Keywords that were edited are
named, but the tree counts unless --header-wins; an edited WCS never does. --lossy makes a product of a file without
the extension ASDF, of META or of the keywords, marked in meta.rtools.lossy: no WCS, and no mosaics, which need one.

Guide windows become cubes of all pairs (ACQPED, ACQSIG, EDGPED, EDGSIG, TRKPED, TRKSIG; A33ACQPED … of amp33) and a
table of each stage (ACQ, EDGE, TRACK) with times as MJD, corners, flags and centroids; FACE becomes the table FACE.

Reference files are converted, too; _wcs files have no FITS form, catalogs are for rt-table. Memory: one plane, and what
stays in the tree; with --check the largest array."""


@tool(
    "rt-fits", summary="Roman ASDF to FITS and back.", description=DESCRIPTION, examples=EXAMPLES, no_args_is_help=True
)
@click.argument("inputs", nargs=-1, metavar="FILE…")
@click.option("--wcs", metavar="FILE", help="A _wcs file, or an image of the same pointing, for the WCS of SCI.")
@click.option("--check", is_flag=True, help="Read what was written back and compare it before it gets its name.")
@option("--sip-error", default="0.01", metavar="PX|none", help="Largest error of the WCS; none takes any and warns.")
@click.option("--wcs-all", is_flag=True, help="Repeat the WCS in ERR, DQ, VAR_* …; DS9 does not inherit it.")
@click.option("--3d", "three", is_flag=True, help="Ramps without the axis of integrations that JWST's have.")
@click.option("--slim", is_flag=True, help="Leave the reference pixels of the border in the ASDF extension.")
@option(
    "--dq", "flags", type=click.Choice(["roman", "jwst"]), default="roman",
    help="Bits of DQ, PIXELDQ, GROUPDQ; JWST's leave the original in DQ_ROMAN, GROUPDQ_ROMAN."
)  # fmt: skip
@click.option("--header-wins", is_flag=True, help="Put keywords that were edited into the tree.")
@click.option("--lossy", is_flag=True, help="Make a product of a FITS file that has no ASDF extension.")
@click.option("--compression", type=click.Choice(["lz4", "zlib", "none"]), help="In ASDF; lz4, ramps none by default.")
@bundles.outputs("fits", "asdf")
@bundles.jobs
@bundles.no_checksum
@bundles.json_output
@bundles.fail_fast
def command(console, inputs, wcs, check, sip_error, wcs_all, three, slim, flags, header_wins, lossy, compression,
            output, outdir, overwrite, dry_run, jobs, as_json, fail_fast):  # fmt: skip
    inputs, work, limit = list(dict.fromkeys(expand_inputs(inputs))), console.work(jobs), _limit(sip_error)
    if not inputs:
        raise UsageError("no input file")
    if output == "-" and as_json:
        raise UsageError("--json and -o - both want standard output")
    beside = "" if not output and not outdir else outdir
    outputs = Outputs(output, beside, overwrite=overwrite, inputs=inputs, dry_run=dry_run)
    plans = {}

    def plan(name, source):
        from rtools.products.fits.layout import container

        form = container(source)
        _refuse_extension(output, form)
        filename = _filename(name, source, form, output)
        below = filename if outdir or is_stream(name) else Path(name).parent / filename
        plans[name] = form, filename, outputs.path(name, below)

    def convert(name):
        with local(name) as source:
            if is_stream(name):
                plan(name, source)
            form, filename, path = plans[name]
            if form == "asdf":
                settings = {"sky_everywhere": wcs_all, "integrations": not three, "slim": slim, "flags": flags}
                make = _to_fits(console, source, wcs, limit, check=check, **settings)
            else:
                settings = {"header_wins": header_wins, "lossy": lossy, "compression": compression}
                make = _to_asdf(console, name, source, check=check, **settings)
            if not dry_run:
                deliver(path, filename, lambda place: make(place, work))
        if as_json:
            json_line(file_record(console, name, [path], dry_run=dry_run))
        elif path is not None:
            click.echo(f"{name} -> {path}" if dry_run else path)

    files = [name for name in inputs if not is_stream(name)]
    each = partial(for_each, console, fail_fast=fail_fast, report=json_line if as_json else None, key="input")
    status = each(files, lambda name: plan(name, name))
    if status and fail_fast:
        return status
    ready = [name for name in inputs if is_stream(name) or name in plans]
    return shared_status(status, each(ready, convert))


def _refuse_extension(output, form):
    """Refuse a name that says the contrary of what would be in the file."""
    made = "fits" if form == "asdf" else "asdf"
    if form_of_name(output or "") not in (None, made):
        raise UsageError(f"-o {output}: {made.upper()} is made of {form.upper()}", mend=f"end the name in .{made}")


def _limit(text):
    """The largest error allowed, pixels, or None."""
    if text.lower() == "none":
        return None
    try:
        limit = float(text)
    except ValueError:
        limit = -1
    if not 0 < limit < float("inf"):
        raise UsageError(f"--sip-error {text}: a number of pixels, or none")
    return limit


def _filename(name, source, form, output):
    """Name of the output: that of the input with the other extension; of standard input the name it had."""
    if not is_stream(name):
        filename = Path(name).name
    elif form == "asdf":
        from rtools.products.io import open_product

        with open_product(source) as product:
            filename = str(product.meta.get("filename") or "")
    else:
        from astropy.io import fits

        filename = str(fits.getheader(source).get("FILENAME", ""))
    if not filename and output in (None, "-"):
        raise InputError("standard input does not say its name, to call the output after", mend="use -o", path=name)
    return f"{Path(filename).stem}.{'fits' if form == 'asdf' else 'asdf'}"


def _to_fits(console, source, wcs, limit, *, check, **settings):
    """A function that stages the FITS file of a product under a path."""
    from rtools.pipeline.astrometry.fits_header import sky_cards
    from rtools.products.fits import layout as fits_layout
    from rtools.products.fits import write as fits_write
    from rtools.products.io import open_product

    with open_product(source) as product:
        fits_layout.extensions(product)  # refuses what has no FITS form, before the WCS is looked at
        sky = sky_cards(product, wcs, limit, console.log)

    def make(path, work):
        with open_product(source) as product:
            stage = fits_write.stage_fits(path, product, sky=sky, work=work, **settings)
        for message in stage.messages:
            console.log("warning", f"{source}: {message}")
        return _checked(stage, source, stage.temporary) if check else stage

    return make


def _to_asdf(console, name, source, *, header_wins, lossy, check, compression):
    """A function that stages the ASDF product of a FITS file under a path."""
    from rtools.products.fits import edits as fits_edits
    from rtools.products.fits import lossy as fits_lossy
    from rtools.products.fits import read as fits_read

    def make(path, work):
        with fits_read.open_fits(source) as hdus:
            if lossy and "ASDF" not in hdus:
                console.log("warning", f"{name}: no ASDF extension: what its tables and keywords do not say is lost")
                return fits_lossy.stage_lossy(path, source, hdus, compression=compression, work=work)
            with fits_read.embedded(source, hdus) as product:
                edits = fits_edits.edited(product, hdus)
                applied = fits_edits.apply(product, edits) if header_wins and edits else {}
                changed = dict(applied.values())
                settings = {"compression": compression, "work": work}
                stage = fits_read.stage_asdf(path, source, hdus, product, parameters=changed, **settings)
                _tell_edits(console, name, edits, applied, sky=fits_edits.sky_edited(hdus))
        return _checked(stage, stage.temporary, source, changed=changed) if check else stage

    return make


def _tell_edits(console, name, edits, applied, *, sky):
    """Tell of what was edited in the headers, and what became of it."""
    ignored = [keyword for keyword in edits if keyword not in applied]
    if applied:
        console.log("note", f"{name}: put into the tree: {', '.join(applied)}")
    if ignored:
        mend = "" if applied else "; --header-wins puts them into it"
        console.log("warning", f"{name}: the tree counts, not the edited keywords {', '.join(ignored)}{mend}")
    if sky:
        console.log("warning", f"{name}: the tree counts, not the edited WCS in the header of SCI")


def _checked(stage, asdf, fits, *, changed=()):
    """The stage, if both files hold the same; else it is discarded."""
    from rtools.products.fits.check import require_same

    try:
        require_same(asdf, fits, changed)
    except BaseException:
        stage.discard()
        raise
    return stage


main = entry(command)
