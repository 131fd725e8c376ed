"""rt-dq: data-quality flags by name and number, pixels per flag, masks."""

import os

import click

from rtools.commands.kit import options
from rtools.commands.kit.console import json_line, print_json
from rtools.commands.kit.entry import entry
from rtools.commands.kit.inputs import is_stream, opened
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import for_each
from rtools.commands.kit.outputs import Outputs, deliver
from rtools.commands.kit.tool import option, tool
from rtools.commands.kit.written import Written
from rtools.errors import UsageError
from rtools.wfi import dq

__all__ = ["command", "main"]

DESCRIPTION = """\
An argument that is made of flags is translated: numbers (129, 0x81) to names, names (HOT,DEAD) to a number. Of a file,
the pixels with each flag that occurs are counted, GOOD being those without any; of a cube of flags, over all
resultants, and with --json for each. The array is dq, pixeldq or resultantdq unless --array names another; groupdq and
resultantdq have names of their own, and bit 7 is WFI18_TRANSIENT there, OUTLIER elsewhere.

With --mask, an image of bytes is written that is 1 where any of the flags is set: to .asdf as roman.mask, to .fits as
the primary image.

In a pipe: for flags, number, hexadecimal and names; for a file, its name, array, flag, value, pixels and percentage;
for --list, table, name, bit and value; separated by tabs."""


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
        "rt-dq X_cal.asdf --mask DO_NOT_USE,HOT -o hot.fits",
    ),
    no_args_is_help=True,
)
@click.argument("what", nargs=-1, metavar="[FLAGS|FILE]…")
@click.option("--list", "list_all", is_flag=True, help="Print the names of all flags.")
@click.option("--array", metavar="NAME", help="Array of flags, as groupdq; the names of its bits are used.")
@click.option("--mask", metavar="NAME,…", help="Write where any of these flags, or numbers, is set.")
@options.section
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
def command(console, what, list_all, array, mask, section, frame, output, overwrite, as_json, fail_fast):
    if list_all:
        return _print_all(as_json)
    what = expand_inputs(what)
    if not what:
        raise UsageError("no flags and no file")
    if (mask is None) != (output is None):
        raise UsageError("--mask and -o go together")
    if mask is not None:
        if len(what) > 1:
            raise UsageError("-o names one output", mend="give one file")
        return _write_mask(what[0], mask, output, array=array, section=(section, frame), overwrite=overwrite)

    def show(text):
        if _is_flags(text, array):
            _print_flags(text, array, as_json)
        else:
            _print_counts(text, array, section=(section, frame), as_json=as_json)

    return for_each(console, what, show, fail_fast=fail_fast, report=json_line if as_json else None)


def _bits(array):
    """Tables in which flags are looked for."""
    if array is None:
        return dq.PIXEL, dq.GROUP
    bits = dq.bits_of(array)
    return (dq.PIXEL if bits is None else bits,)


def _is_flags(text, array):
    """Whether an argument means flags; raises what is wrong with it if it can neither mean a file."""
    problems = []
    for bits in _bits(array):
        try:
            dq.value(text, bits)
            return True
        except UsageError as error:
            problems.append(error)
    if is_stream(text) or "." in text or os.sep in text or os.path.exists(text):
        return False
    raise problems[0]


def _value(text, array):
    """Value of flags and the table that has their names."""
    *others, last = _bits(array)
    for bits in others:
        try:
            return dq.value(text, bits), bits
        except UsageError:
            pass
    return dq.value(text, last), last


def _print_flags(text, array, as_json):
    value, bits = _value(text, array)
    names = dq.names(value, bits)
    if as_json:
        json_line({"input": text, "status": "done", "value": value, "hex": hex(value), "names": names})
    else:
        click.echo(f"{value}\t{hex(value)}\t{','.join(names) or 'GOOD'}")


def _print_all(as_json):
    from rtools.show.table import print_table

    tables = {"dq": dq.PIXEL, "groupdq": dq.GROUP}
    if as_json:
        print_json(tables)
        return 0
    for title, bits in tables.items():
        rows = [(name, str(value.bit_length() - 1), str(value)) for name, value in bits.items()]
        print_table(("name", "bit", "value"), rows, title=title)
    return 0


def _print_counts(path, array, *, section, as_json):
    from rtools.products.edit import flags
    from rtools.products.edit.section import select
    from rtools.show.table import print_table

    with opened(path) as product:
        name = flags.check_array(product, array) if array else flags.default_array(product)
        rows, columns = select(product, name, *section)
        planes = flags.count_flags(product, name, rows, columns)
        is_cube = len(product.arrays[name].shape) > 2
    bits = dq.bits_of(name)
    total = _summed(planes)
    if as_json:
        record = {"file": path, "status": "done", "array": name, "section": section[0], **_record(total, bits)}
        record |= {"resultants": [_record(plane, bits) for plane in planes]} if is_cube else {}
        json_line(record)
        return
    pixels, good, counts = total
    lines = [("GOOD", 0, good)] + [(dq.names(1 << bit, bits)[0], 1 << bit, count) for bit, count in counts.items()]
    print_table(
        ("array", "flag", "value", "pixels", "%"),
        [(name, word, str(value), str(count), f"{100 * count / pixels:.6g}") for word, value, count in lines],
        labels=2,
        title=path,
    )


def _summed(planes):
    counts = {}
    for _pixels, _good, found in planes:
        for bit, count in found.items():
            counts[bit] = counts.get(bit, 0) + count
    return sum(plane[0] for plane in planes), sum(plane[1] for plane in planes), dict(sorted(counts.items()))


def _record(counted, bits):
    pixels, good, counts = counted
    found = {dq.names(1 << bit, bits)[0]: (1 << bit, count) for bit, count in counts.items()}
    flags = {name: {"value": value, "pixels": count, "share": count / pixels} for name, (value, count) in found.items()}
    return {"pixels": pixels, "good": good, "flags": flags}


def _write_mask(path, words, output, *, array, section, overwrite):
    from rtools.products.edit import flags
    from rtools.products.edit.section import select
    from rtools.products.io.staging import Stage

    form = flags.mask_form(output)
    target = Outputs(output, None, overwrite=overwrite, inputs=[path]).path(path, output)
    with opened(path) as product:
        name = flags.check_array(product, array) if array else flags.default_array(product)
        bits = dq.bits_of(name)
        value = dq.value(words, bits)
        rows, columns = select(product, name, *section)
        mask = flags.make_mask(product, name, value, rows, columns)
    about = {"source": path, "array": name, "flags": dq.names(value, bits), "value": value, "section": section[0]}

    def make(written):
        stage = Stage(written)
        with stage.open() as file:
            flags.write_mask(file, mask, about, form)
        return stage

    deliver(target, "mask.asdf", make)
    if target is not None:
        click.echo(target)
    return 0


main = entry(command)
