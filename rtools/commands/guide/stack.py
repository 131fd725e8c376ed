"""rt-gw stack: one image of many pairs; a movie, a montage."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import click

from rtools.commands.guide.options import inputs, measuring, take_request
from rtools.commands.kit.console import json_line
from rtools.commands.kit.inputs import as_typed, is_stream, local, opened
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import file_record, for_each
from rtools.commands.kit.options import fail_fast, json_output
from rtools.commands.kit.outputs import Outputs, deliver, make_directory
from rtools.commands.kit.terminal import terminal_style
from rtools.commands.kit.tool import option, tool
from rtools.commands.kit.written import Written, WrittenPlace
from rtools.errors import InputError, RtoolsError, UsageError
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
    no_args_is_help=True,
)
@inputs
@option("--stage", default="track", metavar="STAGE", help="acq, edge or track.")
@option("--method", type=click.Choice(("mean", "median")), default="mean", help="Mean, or clipped median.")
@option("--cover", type=click.Choice(("union", "intersection")), default="union", help="Of windows that moved.")
@click.option("--movie", type=Written("gif"), metavar="FILE.gif", help="A movie of all pairs.")
@click.option("--montage", metavar="COLSxROWS", help="With a picture as -o: pairs side by side, not the stack.")
@click.option("-o", "--output", type=Written("asdf", "fits", *PICTURES), metavar="FILE", help="Exactly this name.")
@click.option("--outdir", type=WrittenPlace(), metavar="DIR", help="Write X_gw_stack.asdf there.")
@click.option("--overwrite", is_flag=True, help="Replace outputs that exist; otherwise refused, exit 1.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be written; write nothing.")
@measuring
@json_output
@fail_fast
def stack(console, inputs, stage, method, cover, movie, montage, output, outdir, overwrite, dry_run, as_json, fail_fast,
          **options):  # fmt: skip
    names = list(dict.fromkeys(expand_inputs(inputs)))
    grid = _grid(montage, output)
    _check(names, output, movie, as_json=as_json)
    outputs = Outputs(output, outdir, overwrite=overwrite, inputs=names, dry_run=dry_run)
    filenames = {name: f"{_stem(name)}_stack.asdf" for name in names}
    outputs.refuse_twins({name: filename for name, filename in filenames.items() if not is_stream(name)})
    request = take_request(options, stage=stage)
    if len(request.stages) != 1:
        raise UsageError("--stage: one stage")
    if movie and Path(movie).exists() and not (overwrite or dry_run):
        raise RtoolsError("exists already", mend="--overwrite replaces it", path=movie)
    work = console.work()

    def one(name):
        wanted = bool(output or outdir)
        target = outputs.path(name, filenames[name]) if wanted else None
        named = [str(target or "-")] * wanted + [movie] * bool(movie)
        if dry_run:
            with opened(name, others=True):  # it must be there
                told = f"{name} -> {' '.join(named) or 'the terminal'}"
            if as_json:
                json_line({"file": name} | file_record(console, name, named, dry_run=True))
            else:
                click.echo(told)
            return
        with local(name) as path:
            made = _make(path, request, (method, cover), work, moves=movie is not None)
        if wanted:
            deliver(target, filenames[name], _maker(made, grid))
        if movie:
            _write_movie(Path(movie), made)
        if as_json:
            json_line(file_record(console, name, named) | {"file": name} | made.summary())
        elif not named:
            _draw(made)
        for place in named if not as_json else ():
            if place != "-":
                click.echo(place)

    return for_each(console, names, one, fail_fast=fail_fast, report=json_line if as_json else None)


class Made(NamedTuple):
    """What was made of a file.

    Attributes
    ----------
    guide : rtools.products.guide.Guide
        The file.
    stage : rtools.products.guide.GuideStage
        The stage of which the images are.
    images : rtools.pipeline.guide.stack.Images
        Of its pairs.
    stack : rtools.guide.Stack
        Of those that count.
    measured : rtools.pipeline.guide.measure.Measured or None
        Where the star is in each, for a movie.
    """

    guide: Any
    stage: Any
    images: Any
    stack: Any
    measured: Any

    def title(self):
        """The file and the stage."""
        return f"{Path(as_typed(self.guide.path)).name}, {self.stage.name}"

    def used(self):
        """How many pairs count."""
        return int((~self.images.dropped).sum())

    def summary(self):
        """What --json says."""
        return {"stage": self.stage.name, "pairs": len(self.images.pairs), "used": self.used(),
                "shape": list(self.stack.image.shape)}  # fmt: skip


def _stem(name):
    return "stdin" if is_stream(name) else Path(name).stem


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


def _check(names, output, movie, *, as_json):
    if not names:
        raise UsageError("the list names no input file")
    if movie and len(names) > 1:
        raise UsageError("--movie is of one input")
    if movie == "-":
        raise UsageError("a movie does not go to standard output", mend="give it a name")
    if as_json and output == "-":
        raise UsageError("--json and -o - both want standard output")


def _make(path, request, how, work, *, moves):
    """Make the stack of a file."""
    from rtools.pipeline.guide.measure import measure_pairs
    from rtools.pipeline.guide.stack import images_of, stack_of
    from rtools.products.guide import open_guide

    with open_guide(path) as guide:
        stage = guide.stage(request.stages[0])
        if stage is None:
            raise InputError(f"no stage {request.stages[0]}", path=path)
        images = images_of(guide, stage, request, work)
        measured = measure_pairs(guide, stage, request, work) if moves else None
        return Made(guide, stage, images, stack_of(images, *how), measured)


def _maker(made, grid):
    """A function that stages the stack, or a montage, under a path whose extension says the form."""
    from rtools.pipeline.guide.stack import stage_stack

    def make(path):
        if Path(path).suffix.lower()[1:] in PICTURES:
            return _picture(Path(path), made, grid)
        return stage_stack(path, made.stack, made.guide, made.stage.name)

    return make


def _picture(path, made, grid):
    from rtools.show.guide_pictures import plot_montage, plot_stack
    from rtools.show.plot import stage_figure

    if grid is None:
        figure = plot_stack(made.stack, f"{made.title()}: {made.used()} pairs")
    else:
        from rtools.guide import make_montage, spread_evenly

        images = made.images
        shown = spread_evenly(len(images.pairs), grid[0] * grid[1])
        labels = [str(number) for number in images.pairs[shown]]
        pixels, dropped = make_montage(images.images[shown], grid[0]), images.dropped[shown].tolist()
        figure = plot_montage(pixels, labels, dropped, made.title())
    return stage_figure(figure, path)


def _write_movie(target, made):
    from rtools.guide import lay_frames
    from rtools.products.io import Stage
    from rtools.show.guide_pictures import MovieFrame, save_movie
    from rtools.wfi.guide import DROPPED_BY_JITTER

    images, measured = made.images, made.measured
    make_directory(target.parent)
    frames, lower = lay_frames(images.images, images.lower, masked=images.masked)
    dropped = (measured.use & int(DROPPED_BY_JITTER)) != 0
    places = zip(measured.centroids.x - lower[0], measured.centroids.y - lower[1], strict=True)
    shown = [MovieFrame(*one) for one in zip(frames, places, dropped.tolist(), strict=True)]
    staged = Stage(target)
    with staged.open() as file:
        save_movie(file, shown)
    staged.commit()


def _draw(made):
    """The stack in the terminal."""
    from rtools.show.image import ShownPlane
    from rtools.show.terminal import draw_image
    from rtools.wfi.frame import FRAME

    x, y = made.stack.lower
    plane = ShownPlane(made.stack.image, x, y, (FRAME, FRAME), "image", "stack", "electron", made.title())
    click.echo("\n".join(draw_image(plane, terminal_style())))
