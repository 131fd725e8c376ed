"""rt-skymap: the tessellation of the sky into skycells; which cells cover an image, a position, a polygon."""

import re
import sys
from pathlib import Path

import click

from rtools.commands.kit import options
from rtools.commands.kit.console import json_line, print_json
from rtools.commands.kit.entry import entry
from rtools.commands.kit.inputs import opened
from rtools.commands.kit.lists import expand_inputs, lines_of
from rtools.commands.kit.loop import for_each
from rtools.commands.kit.outputs import Outputs, make_directory
from rtools.commands.kit.positions import read_positions, sky_option, table
from rtools.commands.kit.tool import tool, typed
from rtools.commands.kit.written import Written
from rtools.errors import InputError, UsageError, with_article

__all__ = ["command", "footprint_of", "main"]

DESCRIPTION = """\
Each argument is a file with a WCS (an image, a coadd, a _wcs file, a ramp with its _wcs beside it) or the name of a
skycell. Of a file, a polygon or a position the cells that it touches are printed, their 100 pixels of overlap with each
other included; of a cell the cell itself. No reference file is needed.

In a pipe a cell is a line of tab-separated fields: source, cell, centre (RA, Dec in degrees); then, of a position, its
pixel (x, y) in the cell and yes or no: whether the position is in the cell's primary area, that is in no other's; then
what is asked for: --wcs, the fields of an association's skycell_wcs_info without the name and the centre; --corners,
RA, Dec of the corners (x, y low low, high low, high high, low high); --primary, those of the cell without its border,
and the limits (RA, RA, Dec, Dec) of its projection region: the primary area is what lies in both.

RA and DEC are degrees, or sexagesimal with RA in hours. --sky @FILE reads positions one a line, @- standard input;
what stands behind a position is its name, by which it is called instead. --polygon @FILE reads polygons."""


@tool(
    "rt-skymap",
    summary="Skycells: which cover an image or a position; their grids.",
    description=DESCRIPTION,
    examples=(
        "rt-skymap r0000101001001001001_0001_wfi01_f158_cal.asdf",
        "rt-skymap --sky 270.05,66.01 --sky 18:00:12,+66:00:36",
        "rt-skymap --polygon 10,85,10.5,85,10.5,85.1,10,85.1 --names",
        "rt-skymap 135p90x25y50 --wcs --corners --json",
        "rt-skymap --write skycells.asdf",
        "rt-skymap --compare roman_wfi_skycells_0001.asdf",
    ),
    no_args_is_help=True,
)
@click.argument("inputs", nargs=-1, metavar="[FILE|CELL]…")
@sky_option("--radec")
@table
@click.option("--polygon", multiple=True, metavar="RA,DEC,…", help="Corners, or an s_region; repeatable; @FILE.")
@click.option("--neighbours", is_flag=True, help="Instead of each cell those that overlap it.")
@click.option("--names", is_flag=True, help="Only names of cells, one a line, each once.")
@click.option("--wcs", is_flag=True, help="The grid of each cell, too.")
@click.option("--corners", is_flag=True, help="The corners of each cell, too.")
@click.option("--primary", is_flag=True, help="The primary area of each cell, too.")
@options.json_output
@click.option("--write", type=Written("asdf"), metavar="FILE", help="Write the reference file of all cells (1.3 GB).")
@click.option("--compare", metavar="FILE", help="Differences of a reference file; exit status 1 if there are any.")
@click.option("--overwrite", is_flag=True, help="Replace an output that exists; otherwise refused, exit 1.")
@options.jobs
@options.fail_fast
def command(console, inputs, sky, table, polygon, neighbours, names, wcs, corners, primary, as_json, write, compare,
            overwrite, jobs, fail_fast):  # fmt: skip
    queries = bool(inputs or sky or table or polygon)
    if queries + bool(write) + bool(compare) != 1:
        raise UsageError("give files, cells or positions, or one of --write and --compare")
    more = {"wcs": wcs, "corners": corners, "primary": primary}
    if names and (any(more.values()) or as_json):
        raise UsageError("--names does not go with --wcs, --corners, --primary or --json")
    if not queries and (neighbours or names or any(more.values())):
        raise UsageError("--write and --compare take no options of cells")
    if not write and typed("overwrite"):
        raise UsageError("--overwrite is for --write")
    if write:
        return _write(write, overwrite, console.work(jobs), as_json)
    if compare:
        return _compare(console, compare, as_json)
    reports = []

    asked = dict.fromkeys(expand_inputs(inputs))
    asked |= _places(read_positions(sky=sky, table=table)) | dict.fromkeys(_polygons(polygon), "polygon")

    def look(source):
        cells = _cells(asked[source], source, neighbours)
        if as_json:
            described = [_described(*cell, more) for cell in cells]
            json_line({"input": source, "status": "done", "cells": described})
        else:
            reports.append((source, cells))

    report = json_line if as_json else None
    status = for_each(console, asked, look, fail_fast=fail_fast, report=report, key="input")
    if as_json:
        return status
    if names:
        _print_names(reports)
    else:
        _print_cells(reports, more)
    return status


def _places(positions):
    """Names of positions, to right ascension and declination in degrees."""
    if positions is None:
        return {}
    places = zip(positions.first.tolist(), positions.second.tolist(), strict=True)
    return dict(zip(positions.names, places, strict=True))


def _polygons(texts):
    """Polygons as they are typed, those of lists among them."""
    for text in texts:
        lines = lines_of(text[1:]) if text.startswith("@") else [text]
        if not lines:
            raise UsageError("the list of --polygon is empty")
        yield from lines


def _cells(kind, source, neighbours):
    """The cells that an input is about: (cell, position or None) of each."""
    from rtools.mosaic.skymap import match as skymap_match
    from rtools.mosaic.skymap import skymap

    place = None
    if isinstance(kind, tuple):
        place = kind
        found = skymap_match.cells_touching(*place)
    elif kind == "polygon":
        found = skymap_match.cells_touching(*_corners(source))
    elif _is_cell(source):
        found = [skymap.parse_name(source)]
    else:
        with opened(source) as product:
            found = skymap_match.cells_touching(*footprint_of(product))
    if neighbours:
        around = {other for cell in found for other in skymap_match.neighbours(cell)}
        found, place = sorted(around if len(found) == 1 else around - set(found)), None
    return [(cell, place) for cell in found]


def _is_cell(text):
    """Whether an argument is a cell's name and not that of a file."""
    from rtools.mosaic.skymap.skymap import is_name

    return is_name(text) and not Path(text).exists()


def _corners(text):
    """Right ascensions and declinations of a polygon's corners, degrees."""
    words = re.sub(r"(?i)^\s*polygon\s+(icrs\s+)?", "", text).replace(",", " ").split()
    try:
        numbers = [float(word) for word in words]
    except ValueError as error:
        raise UsageError(f"a polygon of {error}", mend="give RA,DEC,RA,DEC,… in degrees") from None
    if len(numbers) < 6 or len(numbers) % 2:
        raise UsageError("a polygon has three corners or more", mend="give RA,DEC,RA,DEC,… in degrees")
    return numbers[::2], numbers[1::2]


def footprint_of(product):
    """Outline of an opened product on the sky: right ascensions and declinations, degrees.

    Raises
    ------
    InputError
        It has no WCS.
    """
    from rtools.mosaic.grid.footprint import footprint
    from rtools.products.edit.wcs import load_wcs

    if product.kind == "wcs":
        return footprint(product.node("wcs_l2"))
    if product.kind not in ("l1_uncal", "ramp", "l2_image", "l3_coadd"):
        raise InputError(f"{with_article(product.reftype or product.kind)} has no place on the sky")
    try:
        wcs = load_wcs(product)
    except InputError as error:
        if error.message == "has no WCS":
            error.mend = "its _wcs file stands beside it, or rt-assignwcs makes one"
        raise
    return footprint(wcs, product.arrays["data"].shape[-2:] if product.has("data") else None)


def _described(cell, place, more):
    """A cell for JSON."""
    from rtools.mosaic.skymap import projection, skymap

    info, table = skymap.wcs_info(cell), projection.regions()
    bounds = ("ra_min", "ra_max", "dec_min", "dec_max")
    entry = {"name": info["name"], "ra": info["ra_center"], "dec": info["dec_center"]}
    if place:
        x, y = skymap.sky_to_pixel(cell, *place)
        entry |= {"x": float(x), "y": float(y), "primary": bool(skymap.in_primary(cell, *place))}
    entry |= {"index": skymap.cell_index(cell), "region": cell.region, "row": cell.row, "column": cell.column}
    entry["region_bounds"] = {key: float(getattr(table, key)[cell.region]) for key in bounds}
    if more["wcs"]:
        entry["skycell_wcs_info"] = info
    if more["corners"]:
        entry["corners"] = skymap.corners(cell).tolist()
    if more["primary"]:
        entry["primary_corners"] = skymap.corners(cell, border=projection.CELL_BORDER).tolist()
    return entry


def _print_names(reports):
    from rtools.mosaic.skymap.skymap import name_of

    for cell in sorted({cell for _source, cells in reports for cell, _place in cells}):
        click.echo(name_of(cell))


def _print_cells(reports, more):
    from rtools.show.table import print_table

    head, rows = ["source", "cell", "ra", "dec"], []
    for source, cells in reports:
        for cell, place in cells:
            entry = _described(cell, place, more)
            fields = {"source": source, "cell": entry["name"], "ra": f"{entry['ra']:.8f}", "dec": f"{entry['dec']:.8f}"}
            if place:
                fields |= {"x": f"{entry['x']:.3f}", "y": f"{entry['y']:.3f}"}
                fields["primary"] = "yes" if entry["primary"] else "no"
            info = entry.get("skycell_wcs_info", {}).items()
            fields |= {key: str(value) for key, value in info if key not in ("name", "ra_center", "dec_center")}
            for what, short in (("corners", "corn"), ("primary_corners", "prim")):
                for number, (ra, dec) in enumerate(entry.get(what, ()), 1):
                    fields |= {f"ra_{short}{number}": f"{ra:.8f}", f"dec_{short}{number}": f"{dec:.8f}"}
            if more["primary"]:
                fields |= {key: f"{value:.8f}" for key, value in entry["region_bounds"].items()}
            head += [key for key in fields if key not in head]
            rows.append(fields)
    if rows or sys.stdout.isatty():
        print_table(head, [[row.get(key, "-") for key in head] for row in rows], labels=2)


def _write(name, overwrite, work, as_json):
    from rtools.mosaic.skymap import table as skymap_table
    from rtools.products.mosaic import skycells
    from rtools.products.schema import history

    path = Outputs(name, None, overwrite=overwrite, inputs=[]).path("", name)
    if path is None:
        raise UsageError("--write names a file, not standard output")
    table = skymap_table.region_table()

    def parts(progress):
        for region in range(len(table)):
            yield skymap_table.region_rows(region)
            progress.advance()

    make_directory(path.parent)
    count = int(table["skycell_end"][-1])
    entries = [history.entry("rt-skymap")]
    with work.progress(path.name, len(table)) as progress:
        skycells.write_tables(path, table, parts(progress), count=count, work=work, history=entries,
                              meta=skymap_table.SIZES)  # fmt: skip
    print_json({"output": str(path)}) if as_json else click.echo(path)
    return 0


def _compare(console, name, as_json):
    from rtools.mosaic.skymap import table as skymap_table
    from rtools.products.mosaic import skycells

    result = skymap_table.compare(*skycells.read_tables(name))
    result["lines"] = [*skymap_table.compare_sizes(skycells.read_meta(name)), *result["lines"]]
    if as_json:
        print_json({"file": name, **result})
        return int(bool(result["lines"]))
    if result["missing"]:
        console.log("warning", f"{name}: {result['missing']} projection regions are not in it")
    for line in result["lines"]:
        click.echo(line)
    console.log(
        "note",
        f"{name}: {result['cells']} cells of {result['regions']} regions compared, "
        f"{len(result['lines'])} differences, places within {result['largest']:.1e} pixel",
    )
    return int(bool(result["lines"]))


main = entry(command)
