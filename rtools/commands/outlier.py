"""rt-outlier: what one exposure shows and the others do not."""

import click

from rtools.commands.kit.grid_options import grid_options
from rtools.commands.kit.mosaics import command_of_step, entry
from rtools.mosaic.steps.outlier import STEP

__all__ = ["command", "main"]

of_names = click.option("--asn-id", metavar="ID", help="JWST, integrations and spectra: put the candidate of an "
                        "association into names of products, X_o001_crf.fits. Associations do.")  # fmt: skip

command = command_of_step(
    STEP, more=(grid_options, of_names), of_whole=("window", "kernel_size", "threshold_percent", "asn_id")
)

main = entry(command)
