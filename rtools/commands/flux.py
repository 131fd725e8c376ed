"""rt-flux: images in MJy/sr."""

from rtools.commands.kit.mosaics import command_of_step, entry
from rtools.mosaic.steps.flux import STEP

__all__ = ["command", "main"]

command = command_of_step(STEP)

main = entry(command)
