"""Linearity: make groups proportional to the charge."""

from __future__ import annotations

import numpy as np

from rtools.declare import RampStep, Reference
from rtools.exposure.jwst.block import RampBlock
from rtools.jwst.dq import PIXEL_FLAGS

__all__ = ["STEP", "apply"]

NO_CORRECTION = np.uint32(PIXEL_FLAGS["NO_LIN_CORR"])


def apply(block: RampBlock, refs: dict, options: dict, prepared: None) -> None:
    """Evaluate the polynomial of each pixel; saturated groups and pixels without a correction keep their values.

    Parameters
    ----------
    block : RampBlock
        Its data and `pixeldq` change.
    refs : dict
        ``refs["linearity"]`` holds `coeffs` (powers, rows, columns) and `dq`.
    options : dict
        Not used.
    prepared : None
        Not used.
    """
    from rtools.exposure.jwst import _group_kernels as kernels

    coefficients, flags = refs["linearity"]["coeffs"], refs["linearity"]["dq"]
    bad = np.isnan(coefficients).any(axis=0) | (coefficients[1] == 0)
    flags = flags | np.where(bad, NO_CORRECTION, np.uint32(0))
    left = (flags & NO_CORRECTION) > 0
    kernels.linearise(block.data, block.groupdq, coefficients, left)
    block.pixeldq |= flags
    if block.zeroframe is not None:
        frames = block.zeroframe[:, None]
        kernels.linearise(frames, np.zeros(frames.shape, np.uint8), coefficients, left)


STEP = RampStep(
    name="linearity",
    mission="jwst",
    after="refpix",
    cal_step="linearity",
    suffix="linearity",
    summary="Correct the non-linearity.",
    examples=("rt-linearity X_refpix.fits",),
    description=(
        "Every group becomes the value of the pixel's polynomial. Groups that are SATURATED keep theirs. A pixel whose "
        "coefficients are not numbers, or whose linear one is zero, is NO_LIN_CORR and keeps its values."
    ),
    references=(Reference("linearity", planes=("coeffs", "dq")),),
    apply=apply,
)
