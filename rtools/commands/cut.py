"""rt-cut: cutouts."""

from pathlib import Path

import click

from rtools.commands.kit import options as bundles
from rtools.commands.kit.console import json_line
from rtools.commands.kit.entry import entry
from rtools.commands.kit.inputs import is_stream, opened
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import file_record, for_each
from rtools.commands.kit.outputs import Outputs, deliver
from rtools.commands.kit.tool import tool
from rtools.errors import InputError, RtoolsError, UsageError
from rtools.products.names.extensions import refuse_contradiction

__all__ = ["command", "main"]

EXAMPLES = (
    "rt-cut X_cal.asdf --section 1000:1200,3000:3200 -o star_cal.asdf",
    "rt-cut *_cal.asdf --sky 270.05,66.01,30 --outdir cutouts",
    "rt-cut X_uncal.asdf --sky 18:00:12,+66:00:36,1arcmin --wcs X_wcs.asdf -o part_uncal.asdf",
    "rt-cut X_flat.asdf --section 0:128,: -o channel_flat.asdf",
)

DESCRIPTION = """\
Raw files, ramps, images, mosaics, segmentation maps and reference files with an image. The result is of the same kind
with the same metadata; its WCS, meta.wcsinfo and meta.statistics are those of the cutout, and meta.rtools.cutout says
where it was cut from. Reference pixels and amp33 are kept whole, and so are all resultants and context planes. What
reaches beyond an edge is clipped; what is wholly outside is refused, exit status 3. A cut image goes through every tool
for images; cut raw data and ramps are for looking at, and are not calibrated.

A region on the sky is a square of SIZE along the pixel axes, in arcsec unless a unit (arcmin, deg, pix) stands there;
RA and DEC are degrees, or sexagesimal with RA in hours. The WCS is that of the file, else that of --wcs or of the _wcs
file beside it.

Where the result goes must be said, by -o or --outdir (then it has the name of the input)."""


@tool(
    "rt-cut", summary="Cutouts by pixels or by sky.", description=DESCRIPTION, examples=EXAMPLES, no_args_is_help=True
)
@click.argument("inputs", nargs=-1, metavar="FILE…")
@bundles.section
@click.option("--sky", metavar="RA,DEC,SIZE", help="A square on the sky.")
@click.option("--wcs", metavar="FILE", help="A _wcs file, or an image of the same pointing, for --sky.")
@bundles.named_outputs("asdf")
@bundles.writing
@bundles.jobs
@bundles.no_checksum
@bundles.json_output
@bundles.fail_fast
def command(console, inputs, section, frame, sky, wcs, output, outdir, overwrite, dry_run, compression, profile, jobs,
            as_json, fail_fast):  # fmt: skip
    inputs, work = list(dict.fromkeys(expand_inputs(inputs))), console.work(jobs)
    if not inputs:
        raise UsageError("no input file")
    _check(section, frame, sky, wcs)
    if not (output or outdir):
        raise UsageError("where to?", mend="-o FILE or --outdir DIR says it")
    if output == "-" and as_json:
        raise UsageError("--json and -o - both want standard output")
    outputs = Outputs(output, outdir, overwrite=overwrite, inputs=inputs, dry_run=dry_run)
    place = _place(sky)
    outputs.refuse_twins({name: Path(name).name for name in inputs if not is_stream(name)})

    def cut(name):
        with opened(name) as product:
            filename = _filename(name, product, output)
            refuse_contradiction(filename, "asdf")
            path = outputs.path(name, filename)
            rows, columns = _region(product, section, frame, place, wcs)
            if not dry_run:
                make = _maker(console, product, (rows, columns), compression, profile, work=work)
                deliver(path, filename, make)
        if as_json:
            spans = {"columns": [columns.start, columns.stop], "rows": [rows.start, rows.stop]}
            json_line(file_record(console, name, [path], dry_run=dry_run) | spans)
        elif dry_run:
            click.echo(f"{name} {_typed(rows, columns)} -> {path or '-'}")
        elif path is not None:
            click.echo(path)

    report = json_line if as_json else None
    return for_each(console, inputs, cut, fail_fast=fail_fast, report=report, key="input")


def _check(section, frame, sky, wcs):
    if bool(section) == bool(sky):
        raise UsageError("what to cut?", mend="--section X1:X2,Y1:Y2 or --sky RA,DEC,SIZE says it, one of them")
    if frame and not section:
        raise UsageError("--frame goes with --section")
    if wcs and not sky:
        raise UsageError("--wcs goes with --sky")


def _place(sky):
    if not sky:
        return None
    from rtools.astrometry.cutout_wcs import parse_sky

    return parse_sky(sky)


def _filename(name, product, output):
    if not is_stream(name):
        return Path(name).name
    filename = Path(str(product.meta.get("filename") or "")).name
    if not filename and output in (None, "-"):
        raise InputError("standard input has no meta.filename to name the output after", mend="use -o")
    return filename


def _region(product, section, frame, place, wcs):
    """Rows and columns to be cut."""
    from rtools.products.edit.cutout import image_shape
    from rtools.products.edit.section import frame_of, parse_section

    shape = image_shape(product)
    try:
        if section:
            return parse_section(section, shape, frame, frame_of(product))
        from rtools.astrometry.cutout_wcs import sky_section
        from rtools.products.edit.wcs import load_wcs

        return sky_section(load_wcs(product, wcs), place, shape)
    except RtoolsError as error:
        error.path = error.path or product.path
        raise


def _maker(console, product, region, compression, profile, *, work):
    """A function that stages the cutout under a path."""
    from rtools.pipeline.astrometry.cutout import cut_product
    from rtools.products.io.writer import stage_product
    from rtools.products.schema import history, profiles, tags

    meta, arrays = cut_product(product, *region, work)
    kind = f"reference/{product.reftype}" if product.reftype else product.kind
    chosen, said = profiles.kept(profile, [product])
    source = str(meta.get("filename") or Path(product.path).name)
    record = history.entry("rt-cut", parameters={"section": _typed(*region)}, inputs=[source])
    if "cal_logs" in meta:
        meta["cal_logs"] = [*meta["cal_logs"], history.log_line("info", f"rt-cut {_typed(*region)} of {source}")]

    def make(path):
        stage = stage_product(
            path,
            kind,
            meta,
            arrays,
            profile=chosen,
            as_is=tags.tag(kind, chosen) == product.tag,
            compression=compression or ("none" if kind in ("l1_uncal", "ramp") else "lz4"),
            history=[*product.history, record],
            work=work,
        )
        for text in (*said, *stage.messages):
            console.log("warning", f"{path}: {text}")
        return stage

    return make


def _typed(rows, columns):
    """A region as it is typed."""
    return f"{columns.start}:{columns.stop},{rows.start}:{rows.stop}"


main = entry(command)
