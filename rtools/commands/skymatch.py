"""rt-skymatch: one sky for images that overlap."""

from rtools.commands.kit.mosaics import command_of_step, entry
from rtools.mosaic.steps.skymatch import STEP

__all__ = ["command", "main"]

command = command_of_step(STEP)

main = entry(command)
