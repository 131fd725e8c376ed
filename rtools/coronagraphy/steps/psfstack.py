"""Declaration of the stack of images of reference stars; `rtools.pipeline.stage3.works.psfstack` does the work."""

from rtools.declare import ProductStep

__all__ = ["STEP"]

STEP = ProductStep(
    name="psfstack",
    cal_step="stack_psfs",
    suffix="psfstack",
    summary="Stack of all images of reference stars behind a coronagraph.",
    description=(
        "Takes all exposures of reference stars (_calints or _crfints) and writes their integrations, one after the "
        "other in the order of the files, into one stack. Its history names the file and the integration of each. "
        "Images must have the same rows and columns, and be of one instrument, filter and mask."
    ),
    examples=(
        "rt-psfstack PSF*_calints.fits -o jw01234-o001_t002_nircam_f335m-maskrnd_psfstack.fits",
        "rt-psfstack PSF*_crfints.fits -o refs_psfstack.fits",
    ),
    memory="the arrays of all files, beside 0.2 GB.",
    repeatable=True,
)
