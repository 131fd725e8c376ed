"""rt-flux: images in MJy/sr."""

from rtools.commands.mosaiclike import command_of_step, entry
from rtools.mosaic.flux import STEP

__all__ = ["command", "main"]

command = command_of_step(STEP)

main = entry(command)
