"""rt-dq: data-quality flags by name and number, pixels per flag, masks."""

import os
from contextlib import contextmanager
from typing import NamedTuple

import click

from rtools.commands.kit import options
from rtools.commands.kit.console import json_line, print_json
from rtools.commands.kit.entry import entry
from rtools.commands.kit.idle import REFERENCE_KEYS, refuse_idle
from rtools.commands.kit.inputs import is_stream, opened, refuse_number
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import for_each
from rtools.commands.kit.outputs import Outputs, deliver
from rtools.commands.kit.positions import at, read_positions, sky
from rtools.commands.kit.reference_options import reference_config
from rtools.commands.kit.tool import option, tool, typed
from rtools.commands.kit.values import complete_arrays, complete_flags
from rtools.commands.kit.written import Written
from rtools.errors import InputError, UsageError
from rtools.products.schema.flag_tables import MISSIONS, bits_of_mission, tables_of_mission
from rtools.remote import marks
from rtools.wfi import dq

__all__ = ["command", "main"]

DESCRIPTION = """\
An argument that is made of flags is translated: numbers (129, 0x81) to names, names (HOT,DEAD) to a number; --mission
says whose flags they are. Of a file, the pixels with each flag that occurs are counted, GOOD being those without any,
by the names of its mission; of a cube of flags, over all planes, and with --each for each. The array is dq, pixeldq or
resultantdq unless --array names another; groupdq and resultantdq have names of their own. Of Roman, bit 7 is
WFI18_TRANSIENT there, OUTLIER elsewhere.

Of JWST files each set of a product of several sources is counted, and of tables the columns DQ and FLAG, for which the
pixels are rows, or the elements of their cells. A plane is an integration (3), a group of an integration (0/3) or, of
a table with several flags in a cell, a row.

With --at or --sky it tells of single pixels: flags by name, values with their errors, jumps with the resultant before
which they are and its time, the pixel's numbers in both frames (L1 has the border of reference pixels, L2 not; from 0;
of JWST those of the detector, from 1), its position, the source whose segment it is where a _segm file lies beside, and
what each reference of the exposure says there. --ramp adds all resultants; of an image those of the ramp beside it, or
of which its record says that it was made.

With --mask, an image of bytes is written that is 1 where any of the flags is set: to .asdf as roman.mask, to .fits as
the primary image.

In a pipe: for flags, number, hexadecimal and names; for a file, its name, array, with --each the plane, flag, value,
pixels and percentage; for a pixel, file, x, y, what, value and remark; for --list, table, name, bit and value;
separated by tabs."""


@tool(
    "rt-dq",
    summary="Data-quality flags: names and numbers, pixels per flag, masks.",
    description=DESCRIPTION,
    examples=(
        "rt-dq 129",
        "rt-dq DO_NOT_USE,JUMP_DET",
        "rt-dq --list",
        "rt-dq X_cal.asdf",
        "rt-dq X_dqinit.asdf --array groupdq --json",
        "rt-dq X_cal.asdf --at 1234,567 --ramp",
        "rt-dq *_cal.asdf --sky 10h02m03.4s,+02d12m11s",
        "rt-dq X_cal.asdf --mask DO_NOT_USE,HOT -o hot.fits",
        "rt-dq jwX_ramp.fits --array groupdq --each",
        "rt-dq 144 --mission jwst",
    ),
    no_args_is_help=True,
)
@click.argument("what", nargs=-1, metavar="[FLAGS|FILE]…")
@click.option("--list", "list_all", is_flag=True, help="Print the names of all flags.")
@click.option(
    "--array",
    metavar="NAME",
    shell_complete=complete_arrays,
    help="Array of flags, as groupdq; the names of its bits are used.",
)
@click.option("--mission", type=click.Choice(MISSIONS), help="Whose flags numbers and names are; roman by default.")
@click.option("--each", is_flag=True, help="Count in each plane of a cube alone.")
@click.option(
    "--mask",
    metavar="NAME,…",
    shell_complete=complete_flags,
    help="Write where any of these flags, or numbers, is set.",
)
@at
@sky
@click.option("--ramp", is_flag=True, help="With --at or --sky: all resultants of the pixel, too.")
@click.option("--refs/--no-refs", default=True, help="With --at or --sky: what references say; they do by default.")
@options.section
@options.references
@option(
    "-o",
    "--output",
    type=Written("asdf", "fits"),
    metavar="FILE",
    help="Of the mask: .asdf or .fits; - is ASDF on stdout.",
)
@click.option("--overwrite", is_flag=True, help="Replace an output that exists; otherwise refused, exit 1.")
@options.json_output
@options.no_checksum
@options.fail_fast
def command(console, what, list_all, mask, output, overwrite, as_json, fail_fast, at, sky, **settings):
    pixels = {key: settings.pop(key) for key in ("ramp", "refs", "ref", "refdir", "builtin")}
    asked = _Asked(**settings)
    if list_all:
        if what:
            raise UsageError("--list prints all flags", mend="leave out flags and files")
        return _print_all(asked.mission or "roman", as_json)
    what = expand_inputs(what)
    if not what:
        raise UsageError("no flags and no file")
    if at or sky:
        if not pixels["refs"]:
            refuse_idle(dict.fromkeys(REFERENCE_KEYS, "does nothing with --no-refs"))
        if mask is not None or output is not None or asked.section or asked.array or asked.each:
            raise UsageError("--at and --sky go with none of --mask, -o, --section, --array and --each")
        show = _pixel_teller(console, read_positions(at, sky), asked, pixels, as_json)
        return for_each(console, what, show, fail_fast=fail_fast, report=json_line if as_json else None)
    if any(map(typed, ("ramp", "refs", *REFERENCE_KEYS))):
        raise UsageError("--ramp, --refs and options of references go with --at or --sky")
    _refuse_places(what)
    if (mask is None) != (output is None):
        raise UsageError("--mask and -o go together")
    if mask is not None:
        if len(what) > 1:
            raise UsageError("-o names one output", mend="give one file")
        return _write_mask(what[0], mask, output, asked, overwrite=overwrite)

    def show(text):
        if _is_flags(text, asked):
            _print_flags(text, asked, as_json)
        else:
            _print_counts(text, asked, as_json)

    return for_each(console, what, show, fail_fast=fail_fast, report=json_line if as_json else None)


def _pixel_teller(console, positions, asked, pixels, as_json):
    """A function that tells of the pixels of a file."""
    from rtools.commands.dq_pixel import AskedPixels, show_pixels

    config = reference_config(pixels["ref"], pixels["refdir"], pixels["builtin"]) if pixels["refs"] else None
    wanted = AskedPixels(positions, asked.frame, pixels["ramp"], config)
    return lambda name: show_pixels(console, name, wanted, as_json=as_json)


def _refuse_places(what):
    """Refuse numbers behind a file: they are no flags, but a place."""
    first = next((number for number, text in enumerate(what) if os.path.isfile(text)), len(what))
    for text in what[first:]:
        refuse_number(text)


class _Asked(NamedTuple):
    """What is asked of each argument."""

    array: str | None
    mission: str | None
    each: bool
    section: str | None
    frame: str | None


def _tables(asked):
    """Tables in which flags are looked for."""
    tables = tables_of_mission(asked.mission or "roman")
    if asked.array is None:
        return tuple(tables.values())
    bits = bits_of_mission(asked.mission or "roman", asked.array)
    return (tables["dq"] if bits is None else bits,)


def _is_flags(text, asked):
    """Whether an argument means flags; raises what is wrong with it if it can neither mean a file."""
    problems = []
    for bits in _tables(asked):
        try:
            dq.value(text, bits)
            return True
        except UsageError as error:
            problems.append(error)
    if is_stream(text) or "." in text or os.sep in text or os.path.exists(text):
        return False
    problems[0].mend = _other_mission(text, asked) or problems[0].mend
    raise problems[0]


def _other_mission(text, asked):
    """What to do about flags that only another mission has; None where none has them."""
    for mission in MISSIONS:
        try:
            dq.value(text, {name: flag for bits in tables_of_mission(mission).values() for name, flag in bits.items()})
        except UsageError:
            continue
        return None if mission == (asked.mission or "roman") else f"--mission {mission} has it"
    return None


def _value(text, asked):
    """Value of flags and the table that has their names."""
    *others, last = _tables(asked)
    for bits in others:
        try:
            return dq.value(text, bits), bits
        except UsageError:
            pass
    return dq.value(text, last), last


def _print_flags(text, asked, as_json):
    value, bits = _value(text, asked)
    names = dq.names(value, bits)
    if as_json:
        json_line({"input": text, "status": "done", "value": value, "hex": hex(value), "names": names})
    else:
        click.echo(f"{value}\t{hex(value)}\t{','.join(names) or 'GOOD'}")


def _print_all(mission, as_json):
    from rtools.show.table import print_table

    tables = tables_of_mission(mission)
    if as_json:
        print_json(tables)
        return 0
    for title, bits in tables.items():
        rows = [(name, str(value.bit_length() - 1), str(value)) for name, value in bits.items()]
        print_table(("name", "bit", "value"), rows, title=title)
    return 0


@contextmanager
def _product(path, asked):
    """The opened product, and the names of its arrays of flags that are meant."""
    from rtools.products.edit import flags

    with opened(path, jwst=True) as product:
        if asked.mission not in (None, product.mission):
            raise UsageError(f"--mission {asked.mission} is not for a file of {product.mission}", path=path)
        array = asked.array
        yield product, flags.named_arrays(product, array) if array else flags.default_arrays(product)


def _print_counts(path, asked, as_json):
    from rtools.products.edit.flags import count_flags

    rows = []
    with _product(path, asked) as (product, names):
        for name in names:
            planes = list(count_flags(product, name, *_slices(product, name, asked)))
            bits = product.flag_bits(name)
            if as_json:
                json_line({"file": path, "status": "done"} | _array_record(product, name, planes, asked))
            elif asked.each:
                rows += [[name, plane.label or "-", *line] for plane, found in planes for line in _lines(found, bits)]
            else:
                rows += [[name, *line] for line in _lines(_summed(planes), bits)]
    if not as_json:
        _print_rows(rows, path, asked)


def _print_rows(rows, path, asked):
    from rtools.show.table import print_table

    place = ("array", "plane") if asked.each else ("array",)
    print_table((*place, "flag", "value", "pixels", "%"), rows, labels=1 + len(place), title=path)


def _slices(product, name, asked):
    """Rows and columns that are counted in."""
    from rtools.products.edit.section import select

    if name in product.arrays or (asked.section is None and asked.frame is None):
        return select(product, name, asked.section, asked.frame)
    raise InputError(f"{name} has no rows and columns to take a section of", path=product.path)


def _lines(counted, bits):
    """Cells of the table: flag, value, pixels and percentage."""
    pixels, good, counts = counted
    lines = [("GOOD", 0, good)] + [(dq.names(1 << bit, bits)[0], 1 << bit, count) for bit, count in counts.items()]
    return [
        (word, str(value), str(count), f"{100 * count / pixels:.6g}" if pixels else "-") for word, value, count in lines
    ]


def _array_record(product, name, planes, asked):
    """What JSON says of an array; of the planes of a Roman cube always, of those of others if each is asked for."""
    bits = product.flag_bits(name)
    record = {"array": name, "section": asked.section, **_record(_summed(planes), bits)}
    if product.mission == "roman" and planes and planes[0][0].place:
        record["resultants"] = [_record(found, bits) for _plane, found in planes]
    if asked.each:
        record["planes"] = [{"plane": plane.label, **_record(found, bits)} for plane, found in planes]
    return record


def _summed(planes):
    counts = {}
    for _plane, (_pixels, _good, found) in planes:
        for bit, count in found.items():
            counts[bit] = counts.get(bit, 0) + count
    return (
        sum(found[0] for _plane, found in planes),
        sum(found[1] for _plane, found in planes),
        dict(sorted(counts.items())),
    )


def _record(counted, bits):
    pixels, good, counts = counted
    found = {dq.names(1 << bit, bits)[0]: (1 << bit, count) for bit, count in counts.items()}
    flags = {name: {"value": value, "pixels": count, "share": count / pixels} for name, (value, count) in found.items()}
    return {"pixels": pixels, "good": good, "flags": flags}


def _write_mask(path, words, output, asked, *, overwrite):
    from rtools.products.edit import flags
    from rtools.products.io.staging import Stage

    form = flags.mask_form(output)
    target = Outputs(output, None, overwrite=overwrite, inputs=[path]).path(path, output)
    with _product(path, asked) as (product, (name, *others)):
        if others:
            mend = f"--array names one of {name} {' '.join(others)}"
            raise UsageError("a mask is of one array of flags", mend=mend, path=path)
        bits = product.flag_bits(name)
        value = dq.value(words, bits)
        mask = flags.make_mask(product, name, value, *_slices(product, name, asked))
    source = marks.source_of(path) or path
    about = {"source": source, "array": name, "flags": dq.names(value, bits), "value": value, "section": asked.section}

    def make(written):
        stage = Stage(written)
        with stage.open() as file:
            flags.write_mask(file, mask, about, form, target or "mask.asdf")
        return stage

    deliver(target, "mask.asdf", make)
    if target is not None:
        click.echo(target)
    return 0


main = entry(command)
