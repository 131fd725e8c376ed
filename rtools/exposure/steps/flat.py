"""Flat field: divide the image by the relative response of its pixels."""

from __future__ import annotations

import numpy as np

from rtools.declare import ImageStep, Option, Reference
from rtools.exposure.frame import Strip, given
from rtools.wfi.dq import PIXEL

__all__ = ["STEP", "apply", "report"]

NO_FLAT_FIELD = PIXEL["NO_FLAT_FIELD"]


@np.errstate(over="ignore", invalid="ignore")
def apply(strip: Strip, refs: dict, options: dict, prepared: None) -> dict[str, int]:
    """Flatten the strip's image in place, in float32.

    Parameters
    ----------
    strip : rtools.exposure.frame.Strip
        Its image changes; ``var_flat`` is added where the options ask for it.
    refs : dict
        ``refs["flat"]`` with ``data``, ``err`` and ``dq``, (rows, columns) of the strip inside the border.
    options : dict
        Options of the step; `var_flat` is read.
    prepared : None
        Not used.

    Returns
    -------
    dict of str to int
        ``without flat``: pixels that are divided by 1.
    """
    image, flat = given(strip.image), refs["flat"]
    response = np.array(flat["data"], dtype=np.float32)
    dq = np.array(flat["dq"], dtype=np.uint32)
    dq[~((response > 0) & (response < np.inf))] |= np.uint32(NO_FLAT_FIELD)
    unknown = (dq & np.uint32(NO_FLAT_FIELD)) != 0
    response[unknown] = 1
    square = response * response
    for name in ("data", "dumo", "err"):
        image[name] /= response
    for name in ("var_poisson", "var_rnoise"):
        if name in image:
            image[name] /= square
    if options["var_flat"]:
        error = np.asarray(flat["err"], dtype=np.float32)
        image["var_flat"] = image["data"] * image["data"] / square * (error * error)
        image["err"] = np.sqrt(image["err"] * image["err"] + image["var_flat"])
    image["dq"] |= dq
    return {"without flat": int(np.count_nonzero(unknown))}


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
        Level and text; empty where every pixel has a flat.
    """
    lost = counts["without flat"]
    return [("info", f"no flat for {lost} pixels: divided by 1, NO_FLAT_FIELD")] if lost else []


STEP = ImageStep(
    name="flat",
    after="photom",
    chains=("imaging", "wavefront"),
    cal_step="flat_field",
    memory="0.8 GiB for a full frame of 9 resultants, mapped input included (-j 2).",
    suffix="flat",
    summary="Divide by the flat field.",
    description=(
        "data, err and dumo are divided by the flat f, the variances by f². Where f is NaN, infinite, not positive or "
        "flagged NO_FLAT_FIELD, f = 1 and the pixel is flagged NO_FLAT_FIELD (which does not imply DO_NOT_USE). All DQ "
        "bits of the flat are added. With --var-flat the uncertainty s of the flat gives var_flat = data² s² / f², "
        "from the flattened data, and err² grows by it."
    ),
    examples=("rt-flat X_photom.asdf", "rt-flat X_photom.asdf --var-flat"),
    options=(
        Option("var-flat", False, "Propagate the uncertainty of the flat: var_flat and err.", peer="include_var_flat"),
    ),
    references=(Reference("flat", trimmed=("data", "err", "dq"), may_misfit=True),),
    peer="flatfield",
    apply=apply,
    report=report,
)  # fmt: skip
