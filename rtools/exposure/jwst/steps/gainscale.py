"""Gain scale: rates as those of the standard gain."""

from __future__ import annotations

from rtools.declare import ImageStep, NotApplicable
from rtools.exposure.jwst.exposure import RampExposure
from rtools.exposure.jwst.images import RatePlanes, calibrate_flux

__all__ = ["STEP", "apply", "prepare"]


def prepare(exposure: RampExposure, options: dict) -> float | NotApplicable:
    """The factor GAINFACT.

    Parameters
    ----------
    exposure : RampExposure
        Its metadata have it, else the header of the gain.
    options : dict
        Not used.
    """
    factor = exposure.meta["exposure"].get("gain_factor") or exposure.facts_of("gain").cards.get("GAINFACT")
    if factor is None:
        return NotApplicable("the gain is the standard one")
    return float(factor)


def apply(image: RatePlanes, refs: dict, options: dict, prepared: float) -> None:
    """Multiply the rate, its error and its variances.

    Parameters
    ----------
    image : RatePlanes
        Changed.
    refs, options : dict
        Not used.
    prepared : float
        The factor.
    """
    calibrate_flux(image, prepared)


STEP = ImageStep(
    name="gainscale",
    mission="jwst",
    after="rampfit",
    cal_step="gain_scale",
    suffix="gain_scale",
    peer="gain_scale",
    summary="Rescale rates taken with another gain.",
    examples=("rt-gainscale X_rate.fits", "rt-gainscale X_rateints.fits --outdir scaled"),
    description=(
        "Sub-arrays of NIRSpec are read with another gain than the full frame. Rate and error are multiplied by "
        "GAINFACT of the exposure or of the gain reference, variances by its square."
    ),
    prepare=prepare,
    apply=apply,
)
