"""rt-aberration: the scale that velocity aberration gives the field, from the velocity in the metadata."""

import click

from rtools.commands.kit import options
from rtools.commands.kit.edits import EDITED, edit_files, in_place, with_keywords
from rtools.commands.kit.entry import entry
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.tool import tool
from rtools.errors import UsageError

__all__ = ["command", "main"]

DESCRIPTION = """\
Computes velocity_aberration.scale_factor, ra_reference and dec_reference (where the reference point appears) from
ephemeris.velocity_x, _y, _z (km/s, barycentric) and wcsinfo.ra_ref, dec_ref. Metadata only: arrays are copied as they
are stored. Run it before rt-assignwcs, which uses the scale; after rt-point, which moves the reference point.

A velocity that is missing, a fill value or beyond 500 km/s is refused, exit status 3. One that is zero (scale 1), or
more than 1 km/s from that of the second Lagrange point at the start of the exposure, gives a warning."""


@tool(
    "rt-aberration",
    summary="Set the velocity aberration scale factor.",
    description=DESCRIPTION,
    examples=("rt-aberration --in-place *_uncal.asdf", "rt-aberration X_uncal.asdf -o Y_uncal.asdf"),
    no_args_is_help=True,
)
@click.argument("inputs", nargs=-1, metavar="FILE…")
@in_place
@options.named_outputs(*EDITED)
@options.json_output
@options.fail_fast
def command(console, inputs, **where):
    names = list(dict.fromkeys(expand_inputs(inputs)))
    if not names:
        raise UsageError("no input file")

    def keywords(meta, log):
        from rtools.pipeline.astrometry.pointing import aberration_keywords

        return aberration_keywords(meta, log)

    return edit_files(console, names, with_keywords(console, keywords), **where)


main = entry(command)
