"""rt-fits: Roman ASDF to FITS and back, JWST FITS to ASDF and back."""

from functools import partial
from pathlib import Path

import click

from rtools.commands.kit import options as bundles
from rtools.commands.kit.console import json_line
from rtools.commands.kit.entry import entry
from rtools.commands.kit.inputs import is_stream, local
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import file_record, for_each
from rtools.commands.kit.missions import mission_option, options_by_mission
from rtools.commands.kit.outputs import Outputs, deliver
from rtools.commands.kit.tool import tool, typed
from rtools.errors import InputError, UsageError
from rtools.pipeline.job.status import shared_status
from rtools.products.names.extensions import form_of_name
from rtools.remote import marks

__all__ = ["command", "main"]

of_roman = partial(mission_option, "roman")

EXAMPLES = (
    "rt-fits X_cal.asdf",
    "rt-fits X_cal.fits -o back_cal.asdf",
    "rt-fits X_cal.asdf --compression zlib --check",
    "rt-fits *_cal.asdf --outdir fits --sip-error 0.002",
    "rt-fits X_uncal.asdf --wcs X_wcs.asdf",
    "rt-fits jw…_cal.fits --check",
)

DESCRIPTION = """\
The direction follows from the content. X_cal.asdf becomes X_cal.fits: SCI, ERR, DQ, VAR_POISSON … as images, metadata
as keywords and in the table META, and the whole ASDF tree in the extension ASDF, so that the way back restores every
array bit for bit and every item of the tree; --check makes sure of it. FITS has no 16-bit floats: they are written as
32-bit ones. --compression zlib stores images and tree in tiles compressed without loss, which astropy and cfitsio open
as images, and leaves out META; rt-cut does so by itself.

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

A FITS file of JWST becomes ASDF with the root jwst: the tree of its data model, with arrays and tables in the places
where it refers to them, and in fits_headers every card of every header, in order. The way back makes the same file of
it, byte by byte.

Reference files are converted, too; _wcs files have no FITS form, catalogs are for rt-table. Memory: one plane, and what
stays in the tree; with --check the largest array."""


@tool(
    "rt-fits",
    summary="Roman ASDF to FITS, JWST FITS to ASDF, and back.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    no_args_is_help=True,
)
@click.argument("inputs", nargs=-1, metavar="FILE…")
@of_roman("--wcs", metavar="FILE", help="A _wcs file, or an image of the same pointing, for the WCS of SCI.")
@click.option("--check", is_flag=True, help="Read what was written back and compare it before it gets its name.")
@of_roman(
    "--sip-error",
    default="0.01",
    metavar="PX|none",
    show_default=True,
    help="Largest error of the WCS; none takes any and warns.",
)
@of_roman("--wcs-all", is_flag=True, help="Repeat the WCS in ERR, DQ, VAR_* …; DS9 does not inherit it.")
@of_roman("--3d", "three", is_flag=True, help="Ramps without the axis of integrations that JWST's have.")
@of_roman("--slim", is_flag=True, help="Leave the reference pixels of the border in the ASDF extension.")
@of_roman(
    "--dq",
    "flags",
    type=click.Choice(["roman", "jwst"]),
    default="roman",
    show_default=True,
    help="Bits of DQ, PIXELDQ, GROUPDQ; JWST's leave the original in DQ_ROMAN, GROUPDQ_ROMAN.",
)
@of_roman("--header-wins", is_flag=True, help="Put keywords that were edited into the tree.")
@of_roman("--lossy", is_flag=True, help="Make a product of a FITS file that has no ASDF extension.")
@click.option(
    "--compression",
    type=click.Choice(["lz4", "zlib", "none"]),
    help="ASDF lz4, of ramps none by default; FITS none, zlib makes tiles.",
)
@bundles.outputs("fits", "asdf")
@bundles.jobs
@bundles.no_checksum
@bundles.json_output
@bundles.fail_fast
def command(console, inputs, check, compression, output, outdir, overwrite, dry_run, jobs, as_json, fail_fast,
            **of_missions):  # fmt: skip
    inputs, work, limit = list(dict.fromkeys(expand_inputs(inputs))), console.work(jobs), _limit(of_missions)
    if not inputs:
        raise UsageError("no input file")
    if output == "-" and as_json:
        raise UsageError("--json and -o - both want standard output")
    beside = "" if not output and not outdir else outdir
    outputs = Outputs(output, beside, overwrite=overwrite, inputs=inputs, dry_run=dry_run)
    plans = {}

    def plan(name):
        with local(name) as source:
            form, mission = _contents(source)
            _refuse_extension(output, form)
            _refuse_compression(compression, form, mission)
            filename = _filename(name, source, form, mission, output)
        below = filename if outdir or is_stream(name) else marks.beside(Path(name).parent) / filename
        plans[name] = mission, form, filename, outputs.path(name, below)

    def convert(name):
        mission, form, filename, path = plans[name]
        with local(name) as source:
            settings = {"check": check, "compression": compression, **options.get(mission, {})}
            make = MAKERS[mission, form](console, name, source, limit, settings)
            if not dry_run:
                deliver(path, filename, lambda place: make(place, work))
        if as_json:
            json_line(file_record(console, name, [path], dry_run=dry_run))
        elif path is not None:
            click.echo(f"{name} -> {path}" if dry_run else path)

    each = partial(for_each, console, fail_fast=fail_fast, report=json_line if as_json else None, key="input")
    status = each(inputs, plan)
    if status and fail_fast:
        return status
    options = options_by_mission(console, of_missions, {mission for mission, *_others in plans.values()} or {"roman"})
    return shared_status(status, each([name for name in inputs if name in plans], convert))


def _contents(source):
    """What is in a file, and of which mission."""
    from rtools.products.fits.layout import container
    from rtools.products.io.foreign import is_jwst
    from rtools.products.jwst.fits_form import tree_of_form

    form = container(source)
    of_jwst = is_jwst(source) if form == "fits" else tree_of_form(source) is not None
    return form, "jwst" if of_jwst else "roman"


def _refuse_extension(output, form):
    """Refuse a name that says the contrary of what would be in the file."""
    made = "fits" if form == "asdf" else "asdf"
    if form_of_name(output or "") not in (None, made):
        raise UsageError(f"-o {output}: {made.upper()} is made of {form.upper()}", mend=f"end the name in .{made}")


def _refuse_compression(compression, form, mission):
    """Refuse a way of compression that FITS does not have, and any of a file that is what it was, byte by byte."""
    if form != "asdf" or not typed("compression"):
        return
    if mission == "jwst":
        raise UsageError("--compression: FITS of JWST becomes what it was, byte by byte")
    if compression == "lz4":
        raise UsageError("--compression lz4 is about ASDF", mend="FITS has zlib and none")


def _limit(options):
    """The largest error of the WCS allowed, pixels, or None."""
    text = options["sip_error"]
    if text.lower() == "none":
        return None
    try:
        limit = float(text)
    except ValueError:
        limit = -1
    if not 0 < limit < float("inf"):
        raise UsageError(f"--sip-error {text}: a number of pixels, or none")
    return limit


def _filename(name, source, form, mission, output):
    """Name of the output: that of the input with the other extension; of standard input the name it had."""
    filename = _own_name(source, form, mission) if is_stream(name) else Path(name).name
    if not filename and output in (None, "-"):
        raise InputError("standard input does not say its name, to call the output after", mend="use -o", path=name)
    return f"{Path(filename).stem}.{'fits' if form == 'asdf' else 'asdf'}"


def _own_name(source, form, mission):
    """What a file calls itself."""
    if form == "fits":
        from rtools.products.io.fits_headers import read_headers

        return str(read_headers(source)[0].values.get("FILENAME") or "")
    if mission == "jwst":
        from rtools.products.jwst.fits_form import tree_of_form

        return str(tree_of_form(source)["meta"].get("filename") or "")
    from rtools.products.io import open_product

    with open_product(source) as product:
        return str(product.meta.get("filename") or "")


def _to_fits(console, _name, source, limit, options):
    """A function that stages the FITS file of a Roman product under a path."""
    from rtools.pipeline.astrometry.fits_header import sky_cards
    from rtools.products.fits import layout as fits_layout
    from rtools.products.fits import write as fits_write
    from rtools.products.fits.check import require_same
    from rtools.products.io import open_product

    with open_product(source) as product:
        fits_layout.extensions(product)  # refuses what has no FITS form, before the WCS is looked at
        sky = sky_cards(product, options["wcs"], limit, console.log)
    settings = {"sky_everywhere": options["wcs_all"], "integrations": not options["three"]}
    settings |= {key: options[key] for key in ("slim", "flags")}
    settings["compressed"] = options["compression"] == "zlib"

    def make(path, work):
        with open_product(source) as product:
            stage = fits_write.stage_fits(path, product, sky=sky, work=work, **settings)
        for message in stage.messages:
            console.log("warning", f"{source}: {message}")
        return _compared(stage, lambda: require_same(source, stage.temporary), options)

    return make


def _to_asdf(console, name, source, _limit, options):
    """A function that stages the ASDF product of a Roman FITS file under a path."""
    from rtools.products.fits import edits as fits_edits
    from rtools.products.fits import lossy as fits_lossy
    from rtools.products.fits import read as fits_read
    from rtools.products.fits.check import require_same

    def make(path, work):
        settings = {"compression": options["compression"], "work": work}
        with fits_read.open_fits(source) as hdus:
            if options["lossy"] and "ASDF" not in hdus:
                console.log("warning", f"{name}: no ASDF extension: what its tables and keywords do not say is lost")
                return fits_lossy.stage_lossy(path, source, hdus, **settings)
            with fits_read.embedded(source, hdus) as product:
                edits = fits_edits.edited(product, hdus)
                applied = fits_edits.apply(product, edits) if options["header_wins"] and edits else {}
                changed = dict(applied.values())
                stage = fits_read.stage_asdf(path, source, hdus, product, parameters=changed, **settings)
                _tell_edits(console, name, edits, applied, sky=fits_edits.sky_edited(hdus))
        return _compared(stage, lambda: require_same(stage.temporary, source, changed), options)

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


def _jwst_to_asdf(_console, _name, source, _limit, options):
    """A function that stages the ASDF form of a FITS file of JWST under a path."""
    from rtools.products.jwst import open_jwst
    from rtools.products.jwst.asdf_form import stage_jwst_asdf
    from rtools.products.jwst.fits_form import require_same_bytes

    product = open_jwst(source, others=True)

    def make(path, work):
        stage = stage_jwst_asdf(path, product, compression=options["compression"], work=work)
        return _compared(stage, lambda: require_same_bytes(stage.temporary, source, work), options)

    return make


def _jwst_to_fits(_console, _name, source, _limit, options):
    """A function that stages the FITS file of JWST that an ASDF file was made of under a path."""
    from rtools.products.jwst.fits_form import require_same_bytes, stage_jwst_fits

    def make(path, work):
        stage = stage_jwst_fits(path, source, work)
        return _compared(stage, lambda: require_same_bytes(source, stage.temporary, work), options)

    return make


def _compared(stage, require, options):
    """The stage; where a comparison is asked for and fails, it is discarded."""
    try:
        if options["check"]:
            require()
    except BaseException:
        stage.discard()
        raise
    return stage


MAKERS = {
    ("roman", "asdf"): _to_fits,
    ("roman", "fits"): _to_asdf,
    ("jwst", "asdf"): _jwst_to_fits,
    ("jwst", "fits"): _jwst_to_asdf,
}
"""What makes the other form of a file, by its mission and form."""

main = entry(command)
