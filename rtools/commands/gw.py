"""rt-gw: guide windows and FACE."""

from rtools.commands.guide.attitude import attitude
from rtools.commands.guide.face import face
from rtools.commands.guide.info import info
from rtools.commands.guide.jitter import jitter
from rtools.commands.guide.lightcurve import lightcurve
from rtools.commands.guide.measure import measure
from rtools.commands.guide.spectrum import spectrum
from rtools.commands.guide.stack import stack
from rtools.commands.kit.entry import entry
from rtools.commands.kit.tool import group

__all__ = ["command", "main"]

EXAMPLES = (
    "rt-gw info X_gw.asdf X_face.asdf",
    "rt-gw measure X_gw.asdf --plot track.png",
    "rt-gw jitter *_gw.asdf -o visit.ecsv",
    "rt-gw spectrum X_gw.asdf --show lines",
    "rt-gw face X_face.asdf --show exposures",
    "rt-gw attitude X_wfi??_f158_gw.asdf --show stars",
    "rt-gw stack X_gw.asdf -o star.fits",
)

DESCRIPTION = """\
Guide windows (_gw) are small images of guide stars, read about five times a second while the exposures of a visit are
taken. FACE (_face) is the attitude that the fine guidance made of the stars of all detectors. They tell how far the
telescope moved in each exposure, how fast, in which direction, and how bright the guide star was. docs/guide.md says
what the numbers mean and what is assumed."""

command = group("rt-gw", summary="Guide windows and FACE: where the telescope pointed while it looked.",
                description=DESCRIPTION, examples=EXAMPLES)  # fmt: skip

for subcommand in (info, measure, jitter, spectrum, lightcurve, face, attitude, stack):
    command.add_command(subcommand, subcommand.name.rpartition(" ")[2])

main = entry(command)
