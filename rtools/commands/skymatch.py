"""rt-skymatch: one sky for images that overlap."""

from rtools.commands.kit.mosaics import command_of_step, entry
from rtools.mosaic.steps import SKYMATCH

__all__ = ["command", "main"]

command = command_of_step(SKYMATCH)

main = entry(command)
