"""Dark current: subtract a reference slope from the fitted image."""

from __future__ import annotations

import numpy as np

from rtools.declare import ImageStep, Reference
from rtools.exposure.frame import Strip, given
from rtools.wfi.dq import PIXEL

__all__ = ["STEP", "apply", "report"]

DO_NOT_USE = PIXEL["DO_NOT_USE"]
UNRELIABLE_DARK = PIXEL["UNRELIABLE_DARK"]

LARGEST = np.float32(65535)
"""DN/s beyond which a slope is a placeholder: such a pixel is saturated within a second."""


def apply(strip: Strip, refs: dict, options: dict, prepared: None) -> dict[str, int]:
    """Subtract the slope from the strip's image, in place.

    Parameters
    ----------
    strip : rtools.exposure.frame.Strip
        Its image's ``data`` and ``dq`` change.
    refs : dict
        ``refs["dark"]`` with ``dark_slope`` (DN/s) and ``dq``, (rows, columns) of the strip, border included.
    options : dict
        Not used.
    prepared : None
        Not used.

    Returns
    -------
    dict of str to int
        ``without dark``: pixels that have no slope.
    """
    rows, columns = strip.science
    slope = np.asarray(refs["dark"]["dark_slope"], dtype=np.float32)[rows, columns]
    unknown = ~(np.abs(slope) <= LARGEST)
    lost = int(np.count_nonzero(unknown))
    image = given(strip.image)
    dq = image["dq"]
    dq |= refs["dark"]["dq"][rows, columns]
    if lost:
        slope = np.where(unknown, np.float32(0), slope)
        dq[unknown] |= np.uint32(UNRELIABLE_DARK | DO_NOT_USE)
    image["data"] -= slope
    return {"without dark": lost}


def report(counts: dict[str, int], options: dict) -> list[tuple[str, str]]:
    """Lines for the log.

    Parameters
    ----------
    counts : dict of str to int
        Sums of what `apply` returned for the strips.
    options : dict
        Not used.

    Returns
    -------
    list of (str, str)
        Level and text; empty where every pixel has a slope.
    """
    lost = counts["without dark"]
    if not lost:
        return []
    return [("warning", f"no dark slope for {lost} pixels: UNRELIABLE_DARK, DO_NOT_USE")]


STEP = ImageStep(
    name="dark",
    after="rampfit",
    cal_step="dark",
    memory="0.8 GiB for a full frame of 9 resultants, mapped input included (-j 2).",
    suffix="darkcurrent",
    summary="Subtract the dark current.",
    description=(
        "Subtracts the reference's dark_slope (DN/s) from the image and adds its DQ bits. Where the slope is none "
        "(NaN, or beyond what a detector can hold) nothing is subtracted and the pixel is flagged UNRELIABLE_DARK and "
        "DO_NOT_USE. Errors and variances stay."
    ),
    examples=("rt-dark X_rampfit.asdf", "rt-dark X_rampfit.asdf --ref dark=mydark.asdf"),
    references=(Reference("dark", planes=("dark_slope", "dq")),),
    peer="dark_current",
    apply=apply,
    report=report,
)
