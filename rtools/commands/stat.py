"""rt-stat: statistics of arrays and regions."""

import math
import sys

import click

from rtools.commands.kit import options
from rtools.commands.kit.console import json_line
from rtools.commands.kit.entry import entry
from rtools.commands.kit.inputs import missions_of, opened
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import for_each
from rtools.commands.kit.missions import mission_option, options_by_mission
from rtools.commands.kit.tool import option, tool, typed
from rtools.commands.kit.values import complete_arrays, complete_flags
from rtools.errors import InputError, UsageError

__all__ = ["command", "main"]

DESCRIPTION = """\
For each image plane, and each plane of a cube: pixels in the region, count of those used, mean, median, sd (standard
deviation), mad (median absolute deviation, not scaled), min, max, percentiles, and count, mean, median and sd of what
is left after clipping.

Used are finite pixels that are not DO_NOT_USE in dq, pixeldq, groupdq or resultantdq; of data of Roman, err must be
positive too, so that median and 1.4826 mad are meta.statistics. --dq names other flags instead, --dq none uses all
finite pixels. --section applies to arrays of the image's frame, which are those described unless --array names others.

Of arrays that have several numbers for each pair of a guide window, as x and y, each is described by itself: NAME[x].

Of JWST files a plane is an integration (3), a group of an integration (0/3), or what else the leading axis of a cube
counts. Arrays may be called by their extensions, as SCI. Of tables each column of numbers is described, as
EXTRACT1D.FLUX, and row by row where its cells hold many numbers; left out are values that DQ says are DO_NOT_USE, or
that have FLAG set. INT_TIMES, GROUP, HDRTAB and WCS-TABLE are described where --array names them. Of ECSV files each
column is described.

On a terminal there is one table of all files, with the statistics that fit on a line; --stat all shows all. In a pipe
there is a line for each plane: file, array, plane (- for an image) and the statistics in this order, separated by tabs;
--header puts their names above."""

ON_TERMINAL = ("count", "median", "clip_sd", "min", "max")
"""Statistics that a line of 80 characters has room for."""


@tool(
    "rt-stat",
    summary="Statistics of arrays and regions: median, scatter, percentiles, clipped.",
    description=DESCRIPTION,
    examples=(
        "rt-stat X_cal.asdf",
        "rt-stat --array data --section 1000:1100,500:600 *_cal.asdf",
        "rt-stat --stat count,median --resultant -1 X_uncal.asdf",
        "rt-stat --dq DO_NOT_USE,JUMP_DET --json X_cal.asdf",
        "rt-stat --integration 0 --group -1 jwX_ramp.fits",
        "rt-stat --array FLUX,SURF_BRIGHT jwX_x1d.fits",
    ),
    no_args_is_help=True,
)
@click.argument("inputs", nargs=-1, metavar="FILE…", required=True)
@click.option(
    "--array",
    "arrays",
    multiple=True,
    metavar="NAME,…",
    shell_complete=complete_arrays,
    help="These arrays or columns, or globs, as 'var_*'.",
)
@options.section
@click.option(
    "--dq",
    "flags",
    metavar="NAME,…",
    shell_complete=complete_flags,
    help="Leave out pixels with these flags, not DO_NOT_USE; none: use all.",
)
@mission_option(
    "roman", "--resultant", type=int, metavar="N", help="Only this plane of cubes; from the end if negative."
)
@mission_option(
    "jwst", "--integration", type=int, metavar="N", help="Only this one of cubes, ramps and tables; likewise."
)
@mission_option("jwst", "--group", type=int, metavar="N", help="Only this group of ramps; likewise.")
@option("--percentile", default="16,84", metavar="P,…", help="Percentiles.")
@option("--sigma", type=float, default=3.0, metavar="S", help="Clip beyond so many standard deviations.")
@click.option(
    "--stat", "chosen", metavar="NAME,…", help="Only these statistics, as count,median,p16,clip_sd; all: all of them."
)
@click.option("--header", is_flag=True, help="In a pipe, too, begin with a line of the columns' names.")
@options.jobs
@options.no_checksum
@options.json_output
@options.fail_fast
def command(console, inputs, arrays, percentile, chosen, jobs, as_json, fail_fast, header, **settings):
    from rtools.products.edit.array_names import split_names
    from rtools.products.schema.flag_tables import check_flags
    from rtools.show import statistics

    inputs = expand_inputs(inputs)
    if not inputs:
        raise UsageError("the list names no input file")
    on_terminal = sys.stdout.isatty() and not as_json
    usual = ON_TERMINAL if on_terminal and not typed("percentile") else None
    wanted = _wanted(chosen, statistics.columns(_percentiles(percentile)), usual)
    section, flags = settings["section"], settings["flags"]
    if flags not in (None, "none"):
        check_flags(flags)
    if not settings["sigma"] > 0:
        raise UsageError(f"--sigma {settings['sigma']}: a positive number expected")
    patterns = split_names(arrays)
    settings = options_by_mission(console, settings, missions_of(inputs))
    shared = {"wanted": wanted, "work": console.work(jobs)}
    digits, kept = 6 if on_terminal else 9, []
    if header and not on_terminal and not as_json:
        print("file", "array", "plane", *wanted, sep="\t")

    def show(path):
        with opened(path, others=True, jwst=True) as product:
            found = list(_measured(console, path, product, patterns, **settings[product.mission], **shared))
        if as_json:
            about = {"file": path, "status": "done", "section": section, "dq": flags or "DO_NOT_USE"}
            records = [_place(one) | {name: _plain(value) for name, value in one.values.items()} for one in found]
            json_line(about | {"statistics": records})
            return
        rows = [[path, *_texts(one, digits)] for one in found]
        if on_terminal:
            kept.extend(rows)
        else:
            sys.stdout.writelines("\t".join(row) + "\n" for row in rows)

    status = for_each(console, inputs, show, fail_fast=fail_fast, report=json_line if as_json else None)
    _print_kept(kept, wanted)
    return status


def _print_kept(rows, wanted):
    """One table of all files on a terminal; of their names only what differs, below a line with the whole."""
    from rtools.show.names import shortened
    from rtools.show.table import print_table

    if not rows:
        return
    names = list(dict.fromkeys(row[0] for row in rows))
    pattern, short = shortened(names)
    print(pattern)
    if len(names) == 1:
        print_table(("array", "plane", *wanted), [row[1:] for row in rows], labels=2)
    else:
        short = dict(zip(names, short, strict=True))
        print_table(("file", "array", "plane", *wanted), [[short[row[0]], *row[1:]] for row in rows], labels=3)


def _measured(console, path, product, patterns, *, section, frame, work, **settings):
    """Statistics of what is chosen in an opened product: its arrays, then columns of its tables."""
    from rtools.products.edit.planes import Choice
    from rtools.show.column_statistics import measure_columns
    from rtools.show.plane_statistics import measure_planes

    choice = Choice(**{axis: settings.pop(axis, None) for axis in Choice._fields})
    arrays, columns = _chosen(product, patterns, in_section=section is not None)
    if not arrays and not columns:
        flags_alone = [name for name in product.arrays if product.flag_bits(name) is not None]
        hint = f"; --array takes {' '.join(flags_alone)}" if flags_alone else ""
        console.log("note", f"{path}: has no array of real numbers other than flags{hint}")
    yield from measure_planes(product, arrays, choice=choice, section=section, frame=frame, work=work, **settings)
    if columns:
        yield from measure_columns(product, columns, choice=choice, **settings)


def _chosen(product, patterns, *, in_section):
    """Names of the arrays and of the columns that are to be described."""
    from rtools.products.edit.array_names import names_that_fit
    from rtools.show import column_statistics, plane_statistics

    if not patterns:
        columns = [] if in_section else column_statistics.columns_by_default(product)
        return plane_statistics.arrays_by_default(product), columns
    arrays, columns = plane_statistics.real_arrays(product), column_statistics.real_columns(product)
    chosen = []
    for pattern in patterns:
        fitting = names_that_fit(product, pattern, [*arrays, *columns])
        if not fitting:
            known = [*arrays, *columns]
            mend = f"there are {' '.join(known)}" if known else None
            raise InputError(f"has no array of real numbers {pattern}", mend=mend, path=product.path)
        chosen += fitting
    chosen = list(dict.fromkeys(chosen))
    columns = [name for name in chosen if name in columns]
    if columns and in_section:
        raise InputError(f"{columns[0]} has no rows and columns to take a section of", path=product.path)
    return [name for name in chosen if name not in columns], columns


def _percentiles(text):
    try:
        found = [float(word) for word in text.split(",") if word.strip()]
    except ValueError:
        found = [-1]
    if not all(0 <= percent <= 100 for percent in found):
        raise UsageError(f"--percentile {text}: numbers from 0 to 100, separated by commas, expected")
    return found


def _wanted(chosen, known, usual):
    """Statistics that are shown: those that were chosen, else the usual ones, else all."""
    if chosen == "all" or chosen is None:
        return usual if usual and chosen is None else known
    words = [word.strip() for word in chosen.split(",") if word.strip()]
    unknown = [word for word in words if word not in known]
    if unknown or not words:
        raise UsageError(f"--stat {chosen}: not a valid statistic", mend=f"there are {' '.join(known)}")
    return tuple(words)


def _texts(found, digits):
    numbers = [f"{one:d}" if isinstance(one, int) else f"{one:.{digits}g}" for one in found.values.values()]
    array = found.array if found.column is None else f"{found.array}[{found.column}]"
    return [array, "/".join(map(str, found.place)) or "-", *numbers]


def _place(found):
    """Which plane of which array it is; and the column, where an array has columns that are no axis."""
    place = {"array": found.array, "plane": found.plane} | ({"column": found.column} if found.column else {})
    return place | (dict(zip(("integration", "group"), found.place, strict=True)) if len(found.place) == 2 else {})


def _plain(value):
    """A number as JSON has it: null for NaN."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


main = entry(command)
