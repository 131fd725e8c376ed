"""rt-outlier: what one exposure shows and the others do not."""

from rtools.commands.kit.grid_options import grid_options
from rtools.commands.kit.mosaics import command_of_step, entry
from rtools.mosaic.steps.outlier import STEP

__all__ = ["command", "main"]

command = command_of_step(STEP, more=(grid_options,), of_whole=("window", "kernel_size", "threshold_percent"))

main = entry(command)
