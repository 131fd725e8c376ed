"""rt-cube plane, slice, collapse, moments, merge, axis: cubes of cubes."""

from pathlib import Path

import click

from rtools.commands.kit.console import json_line
from rtools.commands.kit.inputs import is_stream, local_path, opened
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import file_record, for_each
from rtools.commands.kit.options import fail_fast, json_output
from rtools.commands.kit.outputs import Outputs, deliver
from rtools.commands.kit.tool import option, tool
from rtools.commands.kit.written import Written, WrittenPlace
from rtools.errors import InputError, UsageError, with_article

__all__ = ["axis", "collapse", "merge", "moments", "plane", "slice_"]

PLACES = (
    click.option("-o", "--output", type=Written("fits"), metavar="FILE", help="Exactly this name; - is stdout."),
    click.option("--outdir", type=WrittenPlace(), metavar="DIR", help="Write there, under the name of the input."),
    click.option("--overwrite", is_flag=True, help="Replace outputs that exist; otherwise refused, exit 1."),
    click.option("-n", "--dry-run", is_flag=True, help="Say what would be written; write nothing."),
    json_output,
    fail_fast,
)

RANGE = click.option("--wave", metavar="LO:HI", help="Wavelengths from and to, both inclusive, µm; all by default.")


def _tool(word, *decorators, summary, description, examples):
    """Decorate what makes a cube of an opened one: ``make(cube, options)``."""

    def decorate(make):
        def run(console, inputs, output, outdir, overwrite, dry_run, as_json, fail_fast, **options):
            names = list(dict.fromkeys(expand_inputs(inputs)))
            _refuse_nowhere(names, output, outdir, as_json=as_json)
            outputs = Outputs(output, outdir, overwrite=overwrite, inputs=names, dry_run=dry_run)
            outputs.refuse_twins({name: Path(name).name for name in names})

            def one(name):
                with opened(name, jwst=True) as product:
                    _write(console, outputs, (name, product), lambda cube: make(cube, options), options,
                           dry_run=dry_run, as_json=as_json)  # fmt: skip

            return for_each(console, names, one, fail_fast=fail_fast, report=json_line if as_json else None,
                            key="input")  # fmt: skip

        for decorator in reversed((click.argument("inputs", nargs=-1, metavar="FILE…"), *decorators, *PLACES)):
            run = decorator(run)
        about = {"summary": summary, "description": description, "examples": examples}
        return tool(f"rt-cube {word}", **about, no_args_is_help=True)(run)

    return decorate


def _refuse_nowhere(names, output, outdir, *, as_json):
    if not names:
        raise UsageError("no input file")
    if not (output or outdir):
        raise UsageError("nothing says where the cube goes", mend="-o FILE or --outdir DIR says it")
    if output == "-" and as_json:
        raise UsageError("--json and -o - both want standard output")


def _write(console, outputs, source, made, options, *, dry_run, as_json):
    """Make a cube of one file and write it."""
    from rtools.pipeline.stage3.cube_views import read_cube, stage_cube

    name, product = source
    _refuse_other(product)
    filename = Path(str(product.meta.get("filename") or name)).name if name == "-" else Path(name).name
    path = outputs.path(name, filename)
    cube = made(read_cube(product))
    entry = _entry(console, [name], options)
    if not dry_run:
        deliver(path, filename, lambda place: stage_cube(place, product, cube, [*product.history, entry]))
    _tell(console, name, path, cube, dry_run=dry_run, as_json=as_json)


def _tell(console, name, path, cube, *, dry_run, as_json):
    waves = cube.wavelength
    if as_json:
        told = {"planes": len(waves), "wavelengths": [float(waves[0]), float(waves[-1])]}
        json_line(file_record(console, name, [path], dry_run=dry_run) | told)
    elif dry_run:
        click.echo(f"{name} {len(waves)} planes, {waves[0]:g} to {waves[-1]:g} um -> {path or '-'}")
    elif path is not None:
        click.echo(path)


def _entry(console, names, options):
    from rtools.products.schema import history

    return history.entry(console.tool, parameters=dict(options), inputs=list(names))


def _refuse_other(product):
    if product.mission != "jwst" or product.kind != "s3d":
        raise InputError(f"is {with_article(product.kind)}, wanted s3d", path=product.path)


def _limits(word):
    """Two wavelengths of LO:HI."""
    if word is None:
        return float("-inf"), float("inf")
    try:
        low, high = (float(part) if part else end
                     for part, end in zip(word.split(":"), (float("-inf"), float("inf")), strict=True))  # fmt: skip
    except ValueError:
        low, high = 1.0, 0.0
    if not low <= high:
        raise UsageError(f"--wave {word}: LO:HI expected, micrometres")
    return low, high


def _given(wave):
    if wave is None:
        raise UsageError("no wavelength is given", mend="--wave says it")
    return wave


def _ranged(cube, word):
    from rtools.pipeline.stage3.cube_views import cut

    return cut(cube, *_limits(word)) if word is not None else cube


@_tool(
    "plane",
    click.option("--wave", type=float, metavar="W", help="Wavelength, µm; it must be given."),
    summary="The plane of a cube at a wavelength.",
    description="Writes a cube of one plane, that whose wavelength is nearest.",
    examples=(
        "rt-cube plane X_s3d.fits --wave 5.34 -o line_s3d.fits",
        "rt-cube plane *_s3d.fits --wave 6.99 --outdir planes",
    ),
)
def plane(cube, options):
    from rtools.pipeline.stage3.cube_views import one_plane

    return one_plane(cube, _given(options["wave"]))


@_tool(
    "slice",
    click.option("--wave", metavar="LO:HI", help="Wavelengths from and to, both inclusive, µm; it must be given."),
    summary="The planes of a cube between two wavelengths.",
    description="Writes a cube with the planes of the range. rt-cut --section cuts it on the sky.",
    examples=(
        "rt-cube slice X_s3d.fits --wave 5.2:5.6 --outdir cut",
        "rt-cube slice X_s3d.fits --wave 7: -o red_s3d.fits",
    ),
)
def slice_(cube, options):
    return _ranged(cube, _given(options["wave"]))


@_tool(
    "collapse",
    RANGE,
    option("--how", type=click.Choice(("mean", "median", "sum")), default="mean", help="Of the planes."),
    summary="All planes of a cube, or of a range, as one.",
    description=(
        "Writes a cube of one plane: the mean, median or sum of all voxels that can be used, with its error, and in "
        "WMAP how many there were."
    ),
    examples=(
        "rt-cube collapse X_s3d.fits --wave 5.2:5.3 --how median -o image_s3d.fits",
        "rt-cube collapse *_s3d.fits --outdir white",
    ),
)
def collapse(cube, options):
    from rtools.pipeline.stage3.cube_views import collapsed

    return collapsed(_ranged(cube, options["wave"]), options["how"])


@_tool(
    "moments",
    RANGE,
    summary="Light, mean wavelength and width of a line, spaxel by spaxel.",
    description=(
        "Writes a cube of one plane, the light summed over wavelength, and two images beside it: WAVE, the mean "
        "wavelength weighted by the light, and WIDTH, the dispersion about it, both in micrometres. A continuum is "
        "not subtracted: choose the range, or subtract it first."
    ),
    examples=(
        "rt-cube moments X_s3d.fits --wave 5.32:5.36 -o line_s3d.fits",
        "rt-cube moments *_s3d.fits --wave 6.97:7 --outdir lines",
    ),
)
def moments(cube, options):
    from rtools.pipeline.stage3.cube_views import moments as maps

    return maps(_ranged(cube, options["wave"]))


@_tool(
    "axis",
    click.option("--table", "third_axis", flag_value="table", help="A table of wavelengths, which keywords refer to."),
    click.option("--linear", "third_axis", flag_value="linear", help="First wavelength and step, as keywords."),
    summary="The third axis of a cube as a table of wavelengths, or as first wavelength and step.",
    description=(
        "Both forms say the same; software that does not know tables (WAVE-TAB) needs the second. It is refused where "
        "the steps differ by more than a thousandth."
    ),
    examples=(
        "rt-cube axis X_s3d.fits --linear -o X_linear_s3d.fits",
        "rt-cube axis *_s3d.fits --table --outdir tables",
    ),
)
def axis(cube, options):
    from rtools.pipeline.stage3.cube_views import axis_of

    if options["third_axis"] is None:
        raise UsageError("no form of the axis is given", mend="--table or --linear says it")
    return axis_of(cube, table=options["third_axis"] == "table")


@tool(
    "rt-cube merge",
    summary="Cubes of neighbouring wavelengths as one.",
    description=(
        "The cubes must have the same spaxels (rt-cube build --like). Planes stand in the order of wavelength; where "
        "two cubes overlap, a plane is that of the cube whose middle is nearer. The third axis becomes a table."
    ),
    examples=(
        "rt-cube merge ch1_s3d.fits ch2_s3d.fits -o both_s3d.fits",
        "rt-cube merge @ranges.txt -o whole_s3d.fits",
    ),
    no_args_is_help=True,
)
@click.argument("inputs", nargs=-1, metavar="CUBE…")
@PLACES[0]
@PLACES[2]
@PLACES[3]
@json_output
def merge(console, inputs, output, overwrite, dry_run, as_json):
    from rtools.pipeline.stage3.cube_views import merged, read_cube, stage_cube
    from rtools.products.opening import open_any

    names = list(dict.fromkeys(expand_inputs(inputs)))
    _refuse_nowhere(names, output, None, as_json=as_json)
    if len(names) < 2:
        raise UsageError("one cube alone cannot be merged")
    outputs = Outputs(output, None, overwrite=overwrite, inputs=names[:1], dry_run=dry_run)
    for name in names:
        if not is_stream(name):
            outputs.refuse_input(name)
    products = [open_any(local_path(name)) for name in names]
    for product in products:
        _refuse_other(product)
    path = outputs.path(names[0], Path(output).name)
    cube = merged([read_cube(product) for product in products], names)
    entry = _entry(console, names, {})
    if not dry_run:
        past = [*products[0].history, entry]
        deliver(path, Path(names[0]).name, lambda place: stage_cube(place, products[0], cube, past, products[1:]))
    _tell(console, names[0], path, cube, dry_run=dry_run, as_json=as_json)
