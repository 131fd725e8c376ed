"""rt-gw stack: one image of many pairs; a movie, a montage."""

import re
from pathlib import Path

import click

from rtools.commands.guide.options import inputs, measuring, take_request
from rtools.commands.kit.console import json_line
from rtools.commands.kit.inputs import is_stream, local
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import file_record, for_each
from rtools.commands.kit.options import fail_fast, json_output
from rtools.commands.kit.outputs import make_directory
from rtools.commands.kit.terminal import terminal_style
from rtools.commands.kit.tool import option, tool
from rtools.commands.kit.written import Written
from rtools.errors import RtoolsError, UsageError
from rtools.products.names.extensions import PICTURES

__all__ = ["stack"]

DESCRIPTION = """\
The mean, or the clipped median, of the differences of signal and pedestal, in electrons, with its variance and the
count of each pixel. Windows that moved are laid on each other by their corners. Pairs that a reset, an error or a bound
resultant spoiled are left out.

-o writes ASDF (data, err, n), FITS or a picture. A movie shows every pair with the place of the star; pairs that are
not used have a red frame, in a montage, too. Without an output the stack is drawn in the terminal."""


@tool(
    "rt-gw stack",
    summary="Mean difference image; movie; montage.",
    description=DESCRIPTION,
    examples=(
        "rt-gw stack X_gw.asdf",
        "rt-gw stack X_gw.asdf --exposure 2 -o star.fits",
        "rt-gw stack X_gw.asdf --movie star.gif --montage 12x8 -o pairs.png",
    ),
)
@inputs
@option("--stage", default="track", metavar="STAGE", help="acq, edge or track.")
@option("--method", type=click.Choice(("mean", "median")), default="mean", help="Mean, or clipped median.")
@option("--cover", type=click.Choice(("union", "intersection")), default="union", help="Of windows that moved.")
@click.option("--movie", type=Written("gif"), metavar="FILE.gif", help="A movie of all pairs.")
@click.option("--montage", metavar="COLSxROWS", help="With a picture as -o: pairs side by side, not the stack.")
@click.option("-o", "--output", type=Written("asdf", "fits", *PICTURES), metavar="FILE", help="Exactly this name.")
@click.option("--outdir", metavar="DIR", help="Write X_gw_stack.asdf there.")
@click.option("--overwrite", is_flag=True, help="Replace outputs that exist; otherwise refused, exit 1.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be written; write nothing.")
@measuring
@json_output
@fail_fast
def stack(console, inputs, stage, method, cover, movie, montage, output, outdir, overwrite, dry_run, as_json, fail_fast,
          **options):  # fmt: skip
    names = list(dict.fromkeys(expand_inputs(inputs)))
    grid = _grid(montage, output)
    _check(names, (output, movie), outdir)
    request = take_request(options, stage=stage)
    if len(request.stages) != 1:
        raise UsageError("--stage: one stage")
    work = console.work()

    def one(name):
        targets = _targets(name, output, outdir, movie, overwrite=overwrite)
        if dry_run:
            click.echo(f"{name} -> {' '.join(map(str, targets.values())) or 'the terminal'}")
            return
        with local(name) as path:
            summary = _make(path, request, (method, cover, grid), targets, work, draw=not (targets or as_json))
        if as_json:
            json_line(file_record(console, name, list(targets.values())) | {"file": name} | summary)
        else:
            for target in targets.values():
                click.echo(target)

    return for_each(console, names, one, fail_fast=fail_fast, report=json_line if as_json else None)


def _grid(word, output):
    """Columns and rows of a montage."""
    if word is None:
        return None
    found = re.fullmatch(r"(\d+)x(\d+)", word.strip().lower())
    if not found or not all(map(int, found.groups())):
        raise UsageError(f"--montage {word}: like 12x8")
    if output is None or not str(output).lower().endswith(tuple(f".{form}" for form in PICTURES)):
        raise UsageError("--montage needs a picture", mend="give -o FILE.png")
    return int(found[1]), int(found[2])


def _check(names, files, outdir):
    if not names:
        raise UsageError("the list names no input file")
    if any(files) and len(names) > 1:
        raise UsageError("-o and --movie are of one input", mend="use --outdir for several")
    if files[0] and outdir:
        raise UsageError("-o and --outdir do not go together")
    if "-" in files:
        raise UsageError("a stack does not go to standard output", mend="give it a name")


def _targets(name, output, outdir, movie, *, overwrite):
    """What is written of one input, by what it is."""
    stem = "stdin" if is_stream(name) else Path(name).stem
    targets = {"stack": Path(output)} if output else {"stack": Path(outdir) / f"{stem}_stack.asdf"} if outdir else {}
    targets |= {"movie": Path(movie)} if movie else {}
    for path in targets.values():
        if path.exists() and not overwrite:
            raise RtoolsError("exists already", mend="--overwrite replaces it", path=path)
    return targets


def _make(path, request, how, targets, work, *, draw):
    """Make the stack of a file and what is asked for; what --json says of it."""
    from rtools.pipeline.guide.measure import measure_pairs
    from rtools.pipeline.guide.stack import images_of, stack_of
    from rtools.products.guide import open_guide

    with open_guide(path) as guide:
        stage = guide.stage(request.stages[0])
        if stage is None:
            raise RtoolsError(f"no stage {request.stages[0]}", path=path)
        images = images_of(guide, stage, request, work)
        made = stack_of(images, how[0], how[1])
        if "stack" in targets:
            _write_stack(targets["stack"], made, images, guide, stage, how[2])
        if "movie" in targets:
            _write_movie(targets["movie"], images, measure_pairs(guide, stage, request, work))
        if draw:
            _draw(made, Path(guide.path).name)
    used = int((~images.dropped).sum())
    return {"stage": stage.name, "pairs": len(images.pairs), "used": used, "shape": list(made.image.shape)}


def _write_stack(target, made, images, guide, stage, grid):
    """The stack as ASDF, FITS or a picture, or a montage."""
    from rtools.pipeline.guide.stack import stage_stack
    from rtools.products.io import Stage
    from rtools.show.guide_pictures import plot_montage, plot_stack
    from rtools.show.plot import save

    make_directory(target.parent)
    if target.suffix.lower()[1:] not in PICTURES:
        stage_stack(target, made, guide, stage.name).commit()
        return
    title = f"{Path(guide.path).name}, {stage.name}"
    if grid is None:
        figure = plot_stack(made, f"{title}: {int((~images.dropped).sum())} pairs")
    else:
        from rtools.guide import make_montage, spread_evenly

        shown = spread_evenly(len(images.pairs), grid[0] * grid[1])
        labels = [str(number) for number in images.pairs[shown]]
        figure = plot_montage(
            make_montage(images.images[shown], grid[0]), labels, images.dropped[shown].tolist(), title
        )
    staged = Stage(target)
    with staged.open() as file:
        save(figure, file, target.suffix[1:].lower())
    staged.commit()


def _write_movie(target, images, measured):
    from rtools.guide import lay_frames
    from rtools.products.io import Stage
    from rtools.show.guide_pictures import MovieFrame, save_movie
    from rtools.wfi.guide import DROPPED_BY_JITTER

    make_directory(target.parent)
    frames, lower = lay_frames(images.images, images.lower, masked=images.masked)
    dropped = (measured.use & int(DROPPED_BY_JITTER)) != 0
    places = zip(measured.centroids.x - lower[0], measured.centroids.y - lower[1], strict=True)
    shown = [MovieFrame(*one) for one in zip(frames, places, dropped.tolist(), strict=True)]
    staged = Stage(target)
    with staged.open() as file:
        save_movie(file, shown)
    staged.commit()


def _draw(made, title):
    """The stack in the terminal."""
    from rtools.show.image import ShownPlane
    from rtools.show.terminal import draw_image
    from rtools.wfi.frame import FRAME

    x, y = made.lower
    plane = ShownPlane(made.image, x, y, (FRAME, FRAME), "image", "stack", "electron", title)
    click.echo("\n".join(draw_image(plane, terminal_style())))
