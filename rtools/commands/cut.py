"""rt-cut: cutouts."""

from pathlib import Path

import click

from rtools.commands.kit import cut_jwst_files
from rtools.commands.kit import options as bundles
from rtools.commands.kit.console import json_line
from rtools.commands.kit.cut_jwst_files import Cutting
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
    "rt-cut X_gw.asdf --exposure 2 --stage track -o second_gw.asdf",
    "rt-cut jw…_cal.fits --sky 80.05,-69.49,4 --outdir cutouts",
    "rt-cut jw…_calints.fits --section 100:150,: --integrations 0:200 -o first_calints.fits",
    "rt-cut jw…_x1d.fits --wave 2.1:2.3 -o line_x1d.fits",
)

OPTIONS = {"pairs": "--pairs", "exposures": "--exposure", "times": "--time", "stages": "--stage"}
CHOICES = {"l1_gw": tuple(OPTIONS.values()), "l1_face": ("--time",)}
"""Options by which guide windows and FACE are cut; they have no image."""

DESCRIPTION = """\
Raw files, ramps, images, mosaics, segmentation maps and reference files with an image. The result is of the same kind
with the same metadata; its WCS, meta.wcsinfo and meta.statistics are those of the cutout, and meta.rtools.cutout says
where it was cut from. Reference pixels and amp33 are kept whole, and so are all resultants and context planes. What
reaches beyond an edge is clipped; what is wholly outside is refused, exit status 3. A cut image goes through every tool
for images; cut raw data and ramps are for looking at, and are not calibrated.

A region on the sky is a square of SIZE along the pixel axes, in arcsec unless a unit (arcmin, deg, pix) stands there;
RA and DEC are degrees, or sexagesimal with RA in hours. The WCS is that of the file, else that of --wcs or of the _wcs
file beside it.

A guide-window file keeps whole windows of fewer pairs. --pairs and --exposure choose among the pairs of tracking,
--time among those of all stages by their centres, and a stage that --stage does not name goes. A FACE file keeps the
rows in --time. What belongs to the pairs is cut with them: times, corners, flags, centroids, amp33. meta.guide_window,
meta.t_start and meta.t_stop are those of what is left.

Products of JWST are cut in the same way and stay FITS. With their pixels go SUBSTRT1, SUBSTRT2, SUBSIZE1, SUBSIZE2,
CRPIX1 and CRPIX2 of every image, XREF_SCI, YREF_SCI, S_REGION and the gwcs of the tree; one with transforms that only
stdatamodels knows cannot be moved, exit status 3. REFOUT has a column for four. --integrations chooses planes and rows
of integrations, with or without --section or --sky; INTSTART and INTEND follow, and NINTS is still of the exposure.
--wave chooses rows of spectra, or elements of their vectors, ends inclusive. ECSV is for rt-table.

Where the result goes must be said, by -o or --outdir (then it has the name of the input)."""


@tool(
    "rt-cut",
    summary="Cutouts by pixels or by sky; guide windows by pairs.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    no_args_is_help=True,
)
@click.argument("inputs", nargs=-1, metavar="FILE…")
@bundles.section
@click.option("--sky", metavar="RA,DEC,SIZE", help="A square on the sky.")
@click.option("--wcs", metavar="FILE", help="A _wcs file, or an image of the same pointing, for --sky.")
@click.option("--pairs", metavar="A:B", help="Pairs of tracking, from 0, the end exclusive (_gw).")
@click.option(
    "--exposure",
    "exposures",
    multiple=True,
    metavar="N|A-B",
    help="Pairs of these exposures, negative for gaps; repeatable (_gw).",
)
@click.option(
    "--time", "times", metavar="T1,T2", help="From T1 to before T2: UTC, or seconds since t_start (_gw, _face)."
)
@click.option("--stage", "stages", metavar="STAGE,…", help="Only these of acq, edge, track (_gw).")
@click.option("--integrations", metavar="A:B", help="From 0 in the file, the end exclusive (JWST).")
@click.option("--wave", metavar="W1:W2", help="Wavelengths of spectra, µm (JWST: _x1d, _x1dints, _c1d).")
@bundles.named_outputs("asdf", "fits")
@bundles.writing
@bundles.jobs
@bundles.no_checksum
@bundles.json_output
@bundles.fail_fast
def command(console, inputs, section, frame, sky, wcs, integrations, wave, output, outdir, overwrite, dry_run,
            compression, profile, jobs, as_json, fail_fast, **guide):  # fmt: skip
    inputs, work = list(dict.fromkeys(expand_inputs(inputs))), console.work(jobs)
    if not inputs:
        raise UsageError("no input file")
    pieces = cut_jwst_files.pieces(integrations, wave)
    _check(section, frame, sky, wcs, any(guide.values()), pieces)
    if not (output or outdir):
        raise UsageError("where to?", mend="-o FILE or --outdir DIR says it")
    if output == "-" and as_json:
        raise UsageError("--json and -o - both want standard output")
    outputs = Outputs(output, outdir, overwrite=overwrite, inputs=inputs, dry_run=dry_run)
    choose = _chooser(section, frame, sky, wcs, guide, pieces)
    writing = {"compression": compression, "profile": profile}
    outputs.refuse_twins({name: Path(name).name for name in inputs if not is_stream(name)})

    def cut(name):
        with opened(name, jwst=True) as product:
            filename = _filename(name, product, output)
            form = "asdf" if product.mission == "roman" else cut_jwst_files.form_of(product)
            for one in (filename, output or ""):
                refuse_contradiction(one, form)
            path = outputs.path(name, filename)
            part = choose(product)
            maker = _maker if product.mission == "roman" else cut_jwst_files.maker
            if not dry_run:
                deliver(path, filename, maker(console, product, part, writing, work=work))
        if as_json:
            json_line(file_record(console, name, [path], dry_run=dry_run) | part.spans)
        elif dry_run:
            click.echo(f"{name} {part.told} -> {path or '-'}")
        elif path is not None:
            click.echo(path)

    report = json_line if as_json else None
    return for_each(console, inputs, cut, fail_fast=fail_fast, report=report, key="input")


def _check(section, frame, sky, wcs, guide, pieces):
    if bool(section) + bool(sky) + guide != 1 and (section or sky or guide or not pieces):
        mend = "--section X1:X2,Y1:Y2 or --sky RA,DEC,SIZE says it, one of them; of _gw and _face files --pairs, "
        raise UsageError("what to cut?", mend=f"{mend}--exposure, --time, --stage")
    if "wave" in pieces and (section or sky):
        raise UsageError("--wave is about spectra, --section and --sky are about images")
    if frame and not section:
        raise UsageError("--frame goes with --section")
    if wcs and not sky:
        raise UsageError("--wcs goes with --sky")


def _chooser(section, frame, sky, wcs, guide, pieces):
    """A function that says which part of an opened product is wanted."""
    if section or sky or pieces:
        place = _place(sky)
        return lambda product: _pixels_of(product, section, frame, place, wcs, pieces)
    from rtools.products.edit import guide_choice

    parsers = {"pairs": guide_choice.parse_pairs, "exposures": _exposures, "times": guide_choice.parse_times,
               "stages": guide_choice.parse_stages}  # fmt: skip
    given = {name: value for name, value in guide.items() if value}
    choice = guide_choice.GuideChoice(**{name: parsers[name](value) for name, value in given.items()})
    if choice.stages and "track" not in choice.stages and {"pairs", "exposures"} & given.keys():
        raise UsageError("--pairs and --exposure choose pairs of tracking, which --stage leaves out")
    return lambda product: _pairs_of(product, choice, given)


def _exposures(words):
    """Numbers of exposures from what was typed."""
    from rtools.pipeline.guide.request import parse_exposures

    return tuple(sorted(parse_exposures(words)))


def _place(sky):
    if not sky:
        return None
    from rtools.astrometry.positions import parse_sky

    return parse_sky(sky)


def _filename(name, product, output):
    if not is_stream(name):
        return Path(name).name
    filename = Path(str(product.meta.get("filename") or "")).name
    if not filename and output in (None, "-"):
        raise InputError("standard input has no meta.filename to name the output after", mend="use -o")
    return filename


def _pixels_of(product, section, frame, place, wcs, pieces):
    """Rows and columns to be cut; of JWST integrations and wavelengths, too."""
    from rtools.pipeline.astrometry.cutout import cut_product

    if product.mission == "jwst":
        region = _region(product, section, frame, place, wcs) if section or place else None
        return cut_jwst_files.part_of(product, region, pieces)
    if pieces:
        raise UsageError(f"--{next(iter(pieces))} does not go with {_kind(product)}", path=product.path)
    if product.kind in CHOICES:
        mend = f"{', '.join(CHOICES[product.kind])} cut{'s' * (len(CHOICES[product.kind]) == 1)} it"
        raise UsageError(
            f"--{'section' if section else 'sky'} does not go with {_kind(product)}", mend=mend, path=product.path
        )
    rows, columns = _region(product, section, frame, place, wcs)
    told = f"{columns.start}:{columns.stop},{rows.start}:{rows.stop}"
    spans = {"columns": [columns.start, columns.stop], "rows": [rows.start, rows.stop]}
    return Cutting(told, spans, {"section": told}, lambda work: cut_product(product, rows, columns, work))


def _region(product, section, frame, place, wcs):
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


def _pairs_of(product, choice, given):
    """Pairs or rows to be cut."""
    from rtools.products.edit import guide_choice, guide_cutout
    from rtools.products.guide import is_old, read_face, read_guide

    strange = [OPTIONS[name] for name in given if OPTIONS[name] not in CHOICES.get(product.kind, ())]
    if strange:
        raise UsageError(f"{strange[0]} does not go with {_kind(product)}", path=product.path)
    if is_old(product):
        raise InputError("a guide-window file of an old form, without times", path=product.path)
    parameters = {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
    if product.kind == "l1_face":
        face = _whole(read_face, product)
        rows = guide_choice.choose_rows(face, choice)
        runs = {"rows": guide_choice.runs_of(rows)}
        return Cutting(_typed(runs), runs, parameters, lambda _work: guide_cutout.cut_face(face, rows))
    guide = _whole(read_guide, product)
    kept = guide_choice.choose_pairs(guide, choice)
    runs = {name: guide_choice.runs_of(pairs) for name, pairs in kept.items()}
    return Cutting(_typed(runs), {"pairs": runs}, parameters, lambda _work: guide_cutout.cut_guide(guide, kept))


def _kind(product):
    """What a product is, in a message."""
    from rtools.products.schema import layout

    if product.reftype:
        return f"a {product.reftype} reference"
    return f"a _{layout.suffixes(product.kind)[0]} file" if product.kind in CHOICES else f"a {product.kind}"


def _whole(read, product):
    """A guide-window or FACE file, if all of it can be read."""
    found, problems = read(product)
    if problems:
        where, message = problems[0]
        raise InputError(f"{where}: {message}", mend="rt-validate tells all", path=product.path)
    return found


def _typed(runs):
    """Runs of numbers by their names, as text."""
    return " ".join(f"{name} {','.join(f'{first}:{stop}' for first, stop in spans)}" for name, spans in runs.items())


def _maker(console, product, part, writing, *, work):
    """A function that stages the cutout under a path."""
    from rtools.products.io.writer import stage_product
    from rtools.products.schema import history, profiles, tags

    meta, arrays = part.cut(work)
    kind = f"reference/{product.reftype}" if product.reftype else product.kind
    chosen, said = profiles.kept(writing["profile"], [product])
    source = str(meta.get("filename") or Path(product.path).name)
    record = history.entry("rt-cut", parameters=part.parameters, inputs=[source])
    if "cal_logs" in meta:
        meta["cal_logs"] = [*meta["cal_logs"], history.log_line("info", f"rt-cut {part.told} of {source}")]

    def make(path):
        stage = stage_product(
            path,
            kind,
            meta,
            arrays,
            profile=chosen,
            as_is=tags.tag(kind, chosen) == product.tag,
            compression=writing["compression"] or ("none" if kind in ("l1_uncal", "ramp") else "lz4"),
            history=[*product.history, record],
            work=work,
        )
        for text in (*said, *stage.messages):
            console.log("warning", f"{path}: {text}")
        return stage

    return make


main = entry(command)
