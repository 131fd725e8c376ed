"""rt-resample: exposures drizzled into a mosaic."""

from rtools.commands.kit.grid_options import add, grid, memory
from rtools.commands.kit.mosaics import command_of_step, entry
from rtools.mosaic.steps import RESAMPLE

__all__ = ["command", "main"]

command = command_of_step(RESAMPLE, more=(*grid, add, memory))

main = entry(command)
