"""Options of rt-sim about JWST alone."""

from rtools.commands.kit.missions import mission_option
from rtools.commands.kit.tool import typed
from rtools.errors import UsageError

__all__ = ["FAULTS", "jwst_options", "refuse_writing"]

FAULTS = ("refpix", "storm", "groups", "nints")
"""What can be planted into an exposure of JWST."""

OPTIONS = (
    mission_option("jwst", "--filter", "filter_", metavar="F200W", help="Default F200W, F444W on the long detectors, "
                   "F480M behind NIRISS's mask."),
    mission_option("jwst", "--pupil", metavar="NAME", help="Element of the pupil wheel; NRM is NIRISS's mask, "
                   "MASKRND with NRC_CORON the round occulter of NIRCam."),
    mission_option("jwst", "--exp-type", metavar="NRC_IMAGE", help="Default by what else is asked for: NRC_IMAGE, "
                   "NRC_TSIMAGE, NIS_IMAGE, NIS_AMI; also NRC_CORON, NRC_DARK, NIS_DARK, and MIR_LRS-FIXEDSLIT, the "
                   "spectrum of a star as jw…_mirimage_cal.fits."),
    mission_option("jwst", "--subarray", metavar="NAME|X,Y,NX,NY", help="Part of the detector that is read: a name, "
                   "in the lower left corner, or first pixel from 1 on and size. Default FULL, SUB80 behind the "
                   "mask."),
    mission_option("jwst", "--readpatt", metavar="NAME", help="Read pattern; default SHALLOW4 for images of NIRCam, "
                   "else that which keeps every frame."),
    mission_option("jwst", "--ngroups", type=int, metavar="N", help="Groups of an integration; default 10."),
    mission_option("jwst", "--nints", type=int, metavar="N", help="Integrations; default 1, or 10 where there must be "
                   "several."),
    mission_option("jwst", "--transit", metavar="DEPTH,START,END", help="A planet before the target: the part of its "
                   "light that is missing, and when, in fractions of the exposure."),
    mission_option("jwst", "--companion", metavar="SEP,PA,CONTRAST", help="A fainter star beside the target: arcsec, "
                   "degrees east of north, ratio of light."),
    mission_option("jwst", "--offset", metavar="X,Y", help="Pixels by which the pointing misses the target, which "
                   "then stands beside the middle, and beside the occulter."),
)  # fmt: skip


def jwst_options(function):
    """Decorator: the options of rt-sim about JWST alone."""
    for decorator in reversed(OPTIONS):
        function = decorator(function)
    return function


def refuse_writing():
    """Refuse what says how Roman's files are written, where only JWST's are."""
    for key in ("profile", "compression"):
        if typed(key):
            raise UsageError(f"--{key} is about Roman, and no input is of Roman")
