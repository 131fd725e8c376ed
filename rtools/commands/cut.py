"""rt-cut: cutouts."""

from pathlib import Path

import click

from rtools.commands.kit import cut_jwst_files, cut_roman_files
from rtools.commands.kit import options as bundles
from rtools.commands.kit.console import json_line
from rtools.commands.kit.cut_jwst_files import Cutting
from rtools.commands.kit.cut_places import file_of_place, read_places, words_of_places
from rtools.commands.kit.cut_regions import region_of, staged_sheet, stamp_of
from rtools.commands.kit.entry import entry
from rtools.commands.kit.idle import refuse_idle
from rtools.commands.kit.inputs import is_stream, opened
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import file_record, for_each
from rtools.commands.kit.outputs import Outputs, deliver
from rtools.commands.kit.positions import table
from rtools.commands.kit.tool import tool
from rtools.errors import InputError, OutsideError, UsageError, with_article
from rtools.products.names.extensions import PICTURES, form_of_name, refuse_contradiction

__all__ = ["command", "main"]

EXAMPLES = (
    "rt-cut X_cal.asdf --section 1000:1200,3000:3200 -o star_cal.asdf",
    "rt-cut *_cal.asdf --sky 270.05,66.01,30 --outdir cutouts",
    "rt-cut X_cal.asdf --sky 10h02m03.4s,+02d12m11s,10 -o star.fits",
    "rt-cut X_cal.asdf --table X_cat.parquet --size 3 --outdir stamps --format fits",
    "rt-cut *_cal.asdf --sky @targets.txt --size 5 --fill -o sheet.png",
    "rt-cut X_uncal.asdf --sky 18:00:12,+66:00:36,1arcmin --wcs X_wcs.asdf -o part_uncal.asdf",
    "rt-cut X_flat.asdf --section 0:128,: -o channel_flat.asdf",
    "rt-cut X_gw.asdf --exposure 2 --stage track -o second_gw.asdf",
    "rt-cut jw…_cal.fits --sky 80.05,-69.49,4 --outdir cutouts",
    "rt-cut jw…_i2d.fits --table jw…_cat.ecsv --size 2 --fill --outdir stamps",
    "rt-cut jw…_calints.fits --section 100:150,: --integrations 0:200 -o first_calints.fits",
    "rt-cut jw…_x1d.fits --wave 2.1:2.3 -o line_x1d.fits",
)

OPTIONS = {"pairs": "--pairs", "exposures": "--exposure", "times": "--time", "stages": "--stage"}
OF_FILES = ("form", "compression", "profile", "reference_pixels", "integrations", "wave", "jobs", "as_json")
"""Parameters of what is written to files, not drawn."""

CHOICES = {"l1_gw": tuple(OPTIONS.values()), "l1_face": ("--time",)}
"""Options by which guide windows and FACE are cut; they have no image."""

DESCRIPTION = """\
Raw files, ramps, images, mosaics, segmentation maps and reference files with an image. The result is of the same kind
with the same metadata; its WCS, meta.wcsinfo and meta.statistics are those of the cutout, and meta.rtools.cutout says
where it was cut from. All resultants and context planes are kept; the border of reference pixels and amp33 only with
--reference-pixels. What reaches beyond an edge is clipped, or with --fill filled: NaN, 0 in weights and counts,
DO_NOT_USE and NON_SCIENCE in flags. What is wholly outside is refused, exit status 3. A cut image goes through every
tool for images; cut raw data and ramps are for looking at, and are not calibrated.

A region on the sky is a square of SIZE along the pixel axes, in arcsec unless a unit (arcmin, deg, pix) stands there;
RA and DEC are degrees, or sexagesimal with RA in hours. The WCS is that of the file, else that of --wcs or of the _wcs
file beside it. Several squares, of lists and of tables, go to --outdir, each with the name of its position before the
suffix of the file; of every file those are made that lie in it.

-o x.fits or --format fits writes FITS with the WCS in its header, as rt-fits does; its images are in tiles compressed
without loss, unless --compression none is said. -o x.png draws all squares on one sheet of stamps.

A guide-window file keeps whole windows of fewer pairs. --pairs and --exposure choose among the pairs of tracking,
--time among those of all stages by their centres, and a stage that --stage does not name goes. A FACE file keeps the
rows in --time. What belongs to the pairs is cut with them: times, corners, flags, centroids, amp33. meta.guide_window,
meta.t_start and meta.t_stop are those of what is left.

Products of JWST are cut in the same way and stay FITS. With their pixels go SUBSTRT1, SUBSTRT2, SUBSIZE1, SUBSIZE2,
CRPIX1 and CRPIX2 of every image, XREF_SCI, YREF_SCI, S_REGION and the gwcs of the tree; one with transforms that only
stdatamodels knows cannot be moved, exit status 3. REFOUT has a column for four. --integrations chooses planes and rows
of integrations, with or without --section or --sky; INTSTART and INTEND follow, and NINTS is still of the exposure.
With --fill SUBSTRT1, SUBSTRT2 may be below 1; such a cutout goes through all tools but the steps of calibration.
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
@click.option(
    "--sky",
    multiple=True,
    allow_from_autoenv=False,
    metavar="RA,DEC,SIZE",
    help="A square on the sky, SIZE in arcsec or with a unit; repeatable; @FILE or @- is a list of RA,DEC.",
)
@table
@click.option("--size", allow_from_autoenv=False, metavar="SIZE", help="Of squares that do not say theirs.")
@click.option("--fill", is_flag=True, help="Full squares: beyond the edge NaN, DO_NOT_USE, 0 in weights.")
@click.option("--wcs", metavar="FILE", help="A _wcs file, or an image of the same pointing, for --sky and --table.")
@click.option("--reference-pixels", is_flag=True, help="Keep the border of reference pixels and amp33 whole (Roman).")
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
@click.option("--format", "form", type=click.Choice(["asdf", "fits"]), help="Of what is made of Roman files.")
@bundles.named_outputs("asdf", "fits", "png", "pdf")
@bundles.writing
@bundles.jobs
@bundles.no_checksum
@bundles.json_output
@bundles.fail_fast
def command(console, inputs, section, frame, wcs, integrations, wave, output, outdir, overwrite, dry_run, compression,
            profile, jobs, as_json, fail_fast, form, fill, reference_pixels, **choice):  # fmt: skip
    inputs, work = list(dict.fromkeys(expand_inputs(inputs))), console.work(jobs)
    if not inputs:
        raise UsageError("no input file")
    pieces = cut_jwst_files.pieces(integrations, wave)
    sky, table_file, size = (choice.pop(key) for key in ("sky", "table", "size"))
    _check(section, frame, sky or table_file, wcs, any(choice.values()), pieces)
    places = read_places(sky, table_file, size)
    words = words_of_places(places)
    if fill and not places:
        raise UsageError("--fill goes with --sky and --table")
    if not (output or outdir):
        raise UsageError("where to?", mend="-o FILE or --outdir DIR says it")
    if output == "-" and as_json:
        raise UsageError("--json and -o - both want standard output")
    sheet = output if form_of_name(output or "") in PICTURES else None
    if output and not sheet and len(places) > 1:
        raise UsageError("-o names one cutout", mend="--outdir for several places, or -o x.png for a sheet of stamps")
    if sheet and not places:
        raise UsageError("a sheet is of squares on the sky", mend="--sky or --table says which")
    if sheet:
        refuse_idle(dict.fromkeys(OF_FILES, "is for cutouts in files, not for a sheet of stamps"))
    outputs = Outputs(output, outdir, overwrite=overwrite, inputs=inputs[:1] if sheet else inputs, dry_run=dry_run)
    choose = _chooser(section, frame, wcs, choice, pieces, whole={"fill": fill, "frame": reference_pixels})
    writing = {"compression": compression, "profile": profile, "form": form, "whole_frame": reference_pixels}
    if not sheet:
        outputs.refuse_twins({name: Path(name).name for name in inputs if not is_stream(name)})
    if sheet:
        return _sheet(console, inputs, places, wcs, outputs.path("", sheet), dry_run=dry_run, fail_fast=fail_fast)

    def cut(name):
        with opened(name, jwst=True) as product:
            filename = _filename(name, product, output)
            _form_of(product, filename, output, writing)  # refuses what cannot be, before anything is read
            for number, place, part in _parts(product, places, choose):
                target = file_of_place(filename, words[number - 1]) if len(places) > 1 else filename
                target, wanted = _form_of(product, target, output, writing)
                path = outputs.path(name, target)
                maker = cut_roman_files.maker if product.mission == "roman" else cut_jwst_files.maker
                if not dry_run:
                    deliver(path, target, maker(console, product, part, wanted, work=work))
                spans = part.spans | ({"place": place.name} if place else {})
                _tell(console, name, path, (part.told, spans), as_json=as_json, dry_run=dry_run)

    report = json_line if as_json else None
    return for_each(console, inputs, cut, fail_fast=fail_fast, report=report, key="input")


def _tell(console, name, path, cutting, *, as_json, dry_run):
    """Say what was written, or would be."""
    told, spans = cutting
    if as_json:
        json_line(file_record(console, name, [path], dry_run=dry_run) | spans)
    elif dry_run:
        click.echo(f"{name} {told} -> {path or '-'}")
    elif path is not None:
        click.echo(path)


def _parts(product, places, choose):
    """Number, place and part of every cutout of a file; of several places those that lie in it."""
    if len(places) < 2:
        yield 1, places[0] if places else None, choose(product, places[0] if places else None)
        return
    found = 0
    for number, place in enumerate(places, 1):
        try:
            part = choose(product, place)
        except OutsideError:
            continue
        found += 1
        yield number, place, part
    if not found:
        raise OutsideError(f"none of {len(places)} positions is in it", path=product.path)


def _form_of(product, filename, output, writing):
    """Name of a cutout, and how it is written: the form is that of -o or --format, else that of the input."""
    if product.mission != "roman":
        form = cut_jwst_files.form_of(product)
        for one in (filename, output or ""):
            refuse_contradiction(one, form)
        if writing["form"] not in (None, form) or writing["whole_frame"]:
            option = "reference-pixels" if writing["whole_frame"] else "format asdf"
            raise UsageError(f"--{option} is for Roman files", path=product.path)
        return filename, {key: writing[key] for key in ("compression", "profile")}
    refuse_contradiction(filename, "asdf")
    form = writing["form"] or form_of_name(output or "") or "asdf"
    if form == "fits" and writing["compression"] == "lz4":
        refuse_idle({"compression": "lz4 is about ASDF; FITS has zlib and none"})
    return str(Path(filename).with_suffix(".fits")) if form == "fits" else filename, writing | {"form": form}


def _sheet(console, inputs, places, wcs, path, *, dry_run, fail_fast):
    """Draw the squares of all inputs on one sheet."""
    stamps = []

    def look(name):
        with opened(name, jwst=True) as product:
            for _number, place, stamp in _parts(product, places, lambda product, place: stamp_of(product, place, wcs)):
                title = f"{Path(name).stem}\n{place.name}" if len(inputs) > 1 else place.name
                stamps.append((title, stamp))

    status = for_each(console, inputs, look, fail_fast=fail_fast)
    if dry_run:
        click.echo(f"{len(stamps)} stamps -> {path or '-'}")
    elif stamps:
        deliver(path, "stamps.png", lambda place: staged_sheet(place, stamps))
        if path is not None:
            click.echo(path)
    return status


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


def _chooser(section, frame, wcs, guide, pieces, *, whole):
    """A function that says which part of an opened product is wanted."""
    if not any(guide.values()):
        return lambda product, place: _pixels_of(product, (section, frame), (place, wcs), pieces, whole)
    from rtools.products.edit import guide_choice

    parsers = {"pairs": guide_choice.parse_pairs, "exposures": _exposures, "times": guide_choice.parse_times,
               "stages": guide_choice.parse_stages}  # fmt: skip
    given = {name: value for name, value in guide.items() if value}
    choice = guide_choice.GuideChoice(**{name: parsers[name](value) for name, value in given.items()})
    if choice.stages and "track" not in choice.stages and {"pairs", "exposures"} & given.keys():
        raise UsageError("--pairs and --exposure choose pairs of tracking, which --stage leaves out")
    return lambda product, _place: _pairs_of(product, choice, given)


def _exposures(words):
    """Numbers of exposures from what was typed."""
    from rtools.pipeline.guide.request import parse_exposures

    return tuple(sorted(parse_exposures(words)))


def _filename(name, product, output):
    if not is_stream(name):
        return Path(name).name
    filename = Path(str(product.meta.get("filename") or "")).name
    if not filename and output in (None, "-"):
        raise InputError("standard input has no meta.filename to name the output after", mend="use -o")
    return filename


def _pixels_of(product, typed, square, pieces, whole):
    """Rows and columns to be cut; of JWST integrations and wavelengths, too."""
    from rtools.pipeline.astrometry.cutout import cut_product

    section = typed[0]
    if product.mission == "jwst":
        region = region_of(product, typed, square, whole=whole["fill"]) if section or square[0] else None
        return cut_jwst_files.part_of(product, region, pieces)
    if pieces:
        raise UsageError(f"--{next(iter(pieces))} does not go with {_kind(product)}", path=product.path)
    if product.kind in CHOICES:
        mend = f"{', '.join(CHOICES[product.kind])} cut{'s' * (len(CHOICES[product.kind]) == 1)} it"
        raise UsageError(
            f"--{'section' if section else 'sky'} does not go with {_kind(product)}", mend=mend, path=product.path
        )
    rows, columns = region_of(product, typed, square, whole=whole["fill"])
    told = f"{columns.start}:{columns.stop},{rows.start}:{rows.stop}"
    spans = {"columns": [columns.start, columns.stop], "rows": [rows.start, rows.stop]}
    return Cutting(told, spans, {"section": told},
                   lambda work: cut_product(product, rows, columns, work, whole_frame=whole["frame"]))  # fmt: skip


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
        return with_article(f"{product.reftype} reference")
    return f"a _{layout.suffixes(product.kind)[0]} file" if product.kind in CHOICES else with_article(product.kind)


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


main = entry(command)
