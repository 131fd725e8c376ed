"""Data quality: flag the pixels that the mask says are bad."""

from __future__ import annotations

import numpy as np

from rtools.declare import RampStep, Reference
from rtools.exposure.jwst.block import RampBlock
from rtools.jwst.dq import PIXEL_FLAGS

__all__ = ["STEP", "apply"]

DO_NOT_USE = np.uint32(PIXEL_FLAGS["DO_NOT_USE"])


def apply(block: RampBlock, refs: dict, options: dict, prepared: None) -> None:
    """Add the mask to the flags of pixels; groups of pixels that are not to be used are not to be used.

    Parameters
    ----------
    block : RampBlock
        Its flags change.
    refs : dict
        ``refs["mask"]`` holds `dq`.
    options : dict
        Not used.
    prepared : None
        Not used.
    """
    mask = refs["mask"]["dq"]
    block.pixeldq |= mask
    block.groupdq |= (mask & DO_NOT_USE).astype(np.uint8)


STEP = RampStep(
    name="dqinit",
    mission="jwst",
    after="groupscale",
    cal_step="dq_init",
    suffix="dq_init",
    peer="dq_init",
    summary="Flag bad pixels.",
    examples=("rt-dqinit X_uncal.fits",),
    description=(
        "The bits of the mask, which its table DQ_DEF names, become flags of the pixels. Groups of pixels that are "
        "DO_NOT_USE get that flag. Reference pixels come flagged with the mask."
    ),
    references=(Reference("mask", planes=("dq",)),),
    takes_raw=True,
    apply=apply,
)
