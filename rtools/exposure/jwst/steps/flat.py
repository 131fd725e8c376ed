"""Flat field of JWST's images."""

from __future__ import annotations

from rtools.declare import ImageStep, Reference
from rtools.exposure.jwst.images import RatePlanes, divide_by_flat

__all__ = ["STEP", "apply"]


def apply(image: RatePlanes, refs: dict, options: dict, prepared: None) -> None:
    """Divide by the flat field.

    Parameters
    ----------
    image : RatePlanes
        Changed.
    refs : dict
        ``refs["flat"]`` holds `data`, `err` and `dq`.
    options : dict
        Not used.
    prepared : None
        Not used.
    """
    flat = refs["flat"]
    divide_by_flat(image, flat["data"], flat["err"], flat["dq"])


STEP = ImageStep(
    name="flat",
    mission="jwst",
    after="assignwcs",
    cal_step="flat_field",
    suffix="flat_field",
    peer="flat_field",
    summary="Divide by the flat field.",
    examples=("rt-flat X_assign_wcs.fits",),
    description=(
        "The rate is divided by the flat field F, its variances by F², and var_flat is (rate err_F / F)². A pixel "
        "where F is zero or not a number is NO_FLAT_FIELD and DO_NOT_USE. From here on DO_NOT_USE and not-a-number are "
        "the same pixels in all planes."
    ),
    references=(Reference("flat", planes=("data", "err", "dq")),),
    apply=apply,
)
