"""rt-resample: exposures drizzled into a mosaic."""

from rtools.commands.kit.grid_options import add, grid_options
from rtools.commands.kit.mosaics import command_of_step, entry
from rtools.mosaic.steps.resample import STEP

__all__ = ["command", "main"]

command = command_of_step(STEP, more=(grid_options, add))

main = entry(command)
