"""rt-gw jitter: how much each exposure was smeared; and its way into science files."""

from dataclasses import replace

import click

from rtools.commands.guide.options import inputs, measuring, take_request
from rtools.commands.kit.analysis import analyse
from rtools.commands.kit.analysis_options import analysis_options, take_wanted
from rtools.commands.kit.analysis_tables import Analysis
from rtools.commands.kit.edits import edit_files, in_place
from rtools.commands.kit.inputs import local_path
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.tool import option, tool
from rtools.errors import UsageError

__all__ = ["jitter"]

DESCRIPTION = """\
The motion of the guide star in each exposure, in mas along the axes of the detector, with the noise of the centroids
taken out: rms, drift, excursions, and the ellipse that smears the images (jitter_major, jitter_minor,
jitter_position_angle, as guide_star has them in science files: for pixels of 110 mas). What is faster than a pair is in
the width of the star (high_xx …); --high-frequency window puts it into the ellipse, a number of mas is added instead.
Downlinked centroids and FACE stand beside ours.

--apply writes the ellipse into science files of the same guide window, detector and exposure (--in-place or --outdir),
as rt-set would; rt-catalog then takes the right PSF."""


@tool(
    "rt-gw jitter",
    summary="Motion of each exposure; into science files.",
    description=DESCRIPTION,
    examples=(
        "rt-gw jitter *_gw.asdf -o visit.ecsv",
        "rt-gw jitter X_gw.asdf --high-frequency window --json",
        "rt-gw jitter X_gw.asdf --apply Y_cal.asdf --in-place",
    ),
    no_args_is_help=True,
)
@inputs
@option("--high-frequency", default="none", metavar="none|window|MAS", help="What the ellipse holds of fast motion.")
@click.option("--face", metavar="FILE", help="FACE file; by default the one that the file names, beside it.")
@click.option("--gaps", is_flag=True, help="Rows for the time between exposures, too.")
@click.option("--apply", "science", multiple=True, metavar="FILE", help="Science file, or @LIST; repeatable.")
@in_place
@measuring
@analysis_options
def jitter(console, inputs, high_frequency, face, gaps, science, in_place, **options):
    wanted = take_wanted(options)
    request = take_request(options, high_frequency=high_frequency)
    if science:
        return _apply(console, inputs, science, request, wanted, in_place=in_place)
    if in_place:
        raise UsageError("--in-place goes with --apply")
    from rtools.pipeline.guide.faces import face_beside
    from rtools.pipeline.guide.jitter import jitter_of, jitter_table
    from rtools.pipeline.guide.measure import measure_stage
    from rtools.products.guide import open_guide
    from rtools.show.guide import chart_jitter

    work = console.work()

    def find(name, path):
        with open_guide(path) as guide:
            measured = measure_stage(guide, "track", request, work)
            attitude = face_beside(guide, local_path(face) if face else None)
            found = jitter_of(guide, measured, request, work, face=attitude, gaps=gaps)
            return Analysis(jitter_table(guide, found, request))

    return analyse(console, inputs, wanted, find, name=lambda stem: f"{stem}_jitter", draw=chart_jitter)


def _apply(console, inputs, science, request, wanted, *, in_place):
    """Write the kernels into science files."""
    from rtools.pipeline.guide.apply import KernelsOfFiles
    from rtools.products.edit.opening import open_edit
    from rtools.products.io import open_product

    if wanted.plot or wanted.form:
        raise UsageError("--apply writes science files only", mend="leave out --plot and --format")
    guides = [local_path(name) for name in dict.fromkeys(expand_inputs(inputs))]
    kernels = KernelsOfFiles(guides, replace(request), console.work())

    def edited(name, path):
        edit = open_edit(path)
        for key, value in kernels.of(open_product(path).meta).keywords().items():
            edit.set(key, value, new=True)
        problem = edit.check()
        if problem:
            console.log("warning", f"{name}: {problem}")
        return edit

    names = list(dict.fromkeys(expand_inputs(science)))
    return edit_files(console, names, edited, in_place=in_place, output=wanted.output, outdir=wanted.outdir,
                      overwrite=wanted.overwrite, dry_run=wanted.dry_run, as_json=wanted.as_json,
                      fail_fast=wanted.fail_fast)  # fmt: skip
