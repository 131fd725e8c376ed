"""Background: what exposures beside the target show is subtracted from it."""

from __future__ import annotations

from rtools.declare import ImageStep, Option
from rtools.exposure.jwst.images import RatePlanes, subtract_background

__all__ = ["STEP", "apply"]


def apply(image: RatePlanes, refs: dict, options: dict, prepared: None) -> None:
    """Subtract the background.

    Parameters
    ----------
    image : RatePlanes
        Changed.
    refs : dict
        ``refs["background"]["exposures"]`` holds `RatePlanes` on the pixels of the image.
    options : dict
        sigma, maxiters.
    prepared : None
        Not used.
    """
    subtract_background(image, refs["background"]["exposures"], options["sigma"], options["maxiters"])


STEP = ImageStep(
    name="bsub",
    mission="jwst",
    after="gainscale",
    cal_step="bkg_subtract",
    suffix="bsub",
    peer="bkg_subtract",
    summary="Subtract the background that other exposures show.",
    description=(
        "The background B of a pixel is the mean of the BKG exposures; samples more than --sigma standard deviations "
        "from their median are left out, again and again until none is. Of an exposure with several integrations the "
        "clipped mean over these is taken first. B is subtracted from every integration of the target, and the "
        "variance of B, the sum of the kept samples' variances over the square of their number, is added to "
        "VAR_RNOISE; ERR is the root of the sum of variances. A pixel of which no sample is left, or that no BKG "
        "covers, is not a number and DO_NOT_USE. Sub-arrays are laid on each other by SUBSTRT1 and SUBSTRT2."
    ),
    examples=("rt-bsub X_rate.fits B1_rate.fits B2_rate.fits", "rt-bsub X_cal.asdf B*_cal.asdf --sigma 4"),
    options=(
        Option("sigma", 3.0, "Samples more than so many standard deviations from the median are left out.", minimum=0),
        Option("maxiters", None, "Rounds of clipping at most; by default until nothing changes.", int, minimum=0),
    ),
    apply=apply,
)
