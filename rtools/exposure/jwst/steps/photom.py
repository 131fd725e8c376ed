"""Photometry of JWST's images: MJy/sr."""

from __future__ import annotations

from rtools.declare import ImageStep, Reference, Skip
from rtools.exposure.jwst.exposure import RampExposure
from rtools.exposure.jwst.images import RatePlanes, calibrate_flux
from rtools.exposure.jwst.photometry import Photometry, photometry_of

__all__ = ["STEP", "apply", "prepare"]


def prepare(exposure: RampExposure, options: dict) -> Photometry | Skip:
    """The conversion of this exposure.

    Parameters
    ----------
    exposure : RampExposure
        Its optical elements choose the row of the reference.
    options : dict
        Not used.
    """
    found = photometry_of(exposure.meta, exposure.facts_of("photom"), exposure.facts_of("area"))
    return found or Skip("the photom reference has no row for these optical elements")


def apply(image: RatePlanes, refs: dict, options: dict, prepared: Photometry) -> None:
    """Multiply by the conversion.

    Parameters
    ----------
    image : RatePlanes
        Changed; gets the areas of its pixels.
    refs : dict
        ``refs["area"]``, where there is one, holds `data`.
    options : dict
        Not used.
    prepared : Photometry
        From `prepare`.
    """
    calibrate_flux(image, prepared.factor)
    if refs.get("area") is not None:
        image.area = refs["area"]["data"]


STEP = ImageStep(
    name="photom",
    mission="jwst",
    after="flat",
    cal_step="photom",
    suffix="photom",
    summary="Calibrate the flux: MJy/sr.",
    examples=("rt-photom X_flat_field.fits",),
    description=(
        "Rate and error are multiplied by PHOTMJSR of the reference for the filter and pupil (of MIRI: filter and "
        "sub-array), variances by its square. Where the reference says how the throughput falls with time, it is "
        "divided by what is left. The areas of the pixels are attached, not applied."
    ),
    references=(
        Reference("photom"),
        Reference("area", planes=("data",), absent="skip", optional=True),
    ),
    prepare=prepare,
    apply=apply,
)
