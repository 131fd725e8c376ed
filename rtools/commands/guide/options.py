"""Options that subcommands of rt-gw share, and the request that they make."""

from __future__ import annotations

from typing import Any

import click

from rtools.commands.kit import options as bundles
from rtools.commands.kit.reference_options import reference_config
from rtools.commands.kit.tool import option

__all__ = ["inputs", "measuring", "take_request"]

inputs = click.argument("inputs", nargs=-1, required=True, metavar="FILE…")

CENTROIDS = ("psf", "moment", "gauss")
AMP33 = ("none", "frame", "row")

MEASURING = (
    option("--centroid", type=click.Choice(CENTROIDS), default="psf",
           help="Fit the PSF (of a spectrum: its edge); a moment of 5 x 5 pixels; or a Gaussian of free width."),
    click.option("--exposure", "exposures", multiple=True, metavar="N|A-B", help="Only these exposures; repeatable."),
    option("--amp33", type=click.Choice(AMP33), default="row",
           help="What the reference output takes away: nothing, one level a frame, or one a row."),
    click.option("--gain", type=click.FloatRange(0, min_open=True), metavar="E/DN",
                 help="Electrons per DN, instead of the gain reference."),
    option("--linearity/--no-linearity", default=True, help="Linearise pedestal and signal."),
    click.option("--wcs", metavar="FILE", help="A _wcs or _cal file of the detector, for the size of its pixels."),
    click.option("--keep", metavar="FLAGS", help="Flags of pairs that do not count, by name or sum."),
    click.option("--drop", metavar="FLAGS", help="Further flags that keep a pair out."),
    option("--max-memory", type=click.FloatRange(0.1), default=1.0, metavar="GIB", help="Memory for pixels."),
    bundles.references,
    bundles.no_checksum,
)  # fmt: skip


def measuring(function):
    """Decorate a command with the options of measuring pairs.

    Parameters
    ----------
    function : callable
        The command.

    Returns
    -------
    callable
    """
    for decorator in reversed(MEASURING):
        function = decorator(function)
    return function


def take_request(options: dict[str, Any], *, stage: str = "track", high_frequency: str = "none"):
    """Take the options of `measuring` out of those of a command.

    Parameters
    ----------
    options : dict
        Of the command; these are removed.
    stage : str
        Stages, as ``--stage`` says.
    high_frequency : str
        As ``--high-frequency`` says.

    Returns
    -------
    rtools.pipeline.guide.request.GuideRequest
    """
    from rtools.pipeline.guide.request import (
        GuideRequest,
        parse_bits,
        parse_exposures,
        parse_high_frequency,
        parse_stages,
    )

    references = reference_config(options.pop("ref"), options.pop("refdir"), options.pop("builtin"))
    return GuideRequest(
        references=references,
        stages=parse_stages(stage),
        exposures=parse_exposures(options.pop("exposures")),
        keep=parse_bits(options.pop("keep"), "--keep"),
        drop=parse_bits(options.pop("drop"), "--drop"),
        high_frequency=parse_high_frequency(high_frequency),
        **{name: options.pop(name) for name in ("centroid", "amp33", "gain", "linearity", "wcs", "max_memory")},
    )
