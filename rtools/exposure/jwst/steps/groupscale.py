"""Group scale: correct groups whose frames were divided on board by another number than that of the frames."""

from __future__ import annotations

import numpy as np

from rtools.declare import NotApplicable, RampStep
from rtools.exposure.jwst.block import RampBlock
from rtools.exposure.jwst.exposure import RampExposure

__all__ = ["STEP", "apply", "prepare"]


def prepare(exposure: RampExposure, options: dict) -> np.float32 | NotApplicable:
    """The factor FRMDIVSR / NFRAMES.

    Parameters
    ----------
    exposure : RampExposure
        Its metadata say both.
    options : dict
        Not used.
    """
    divisor = exposure.meta["exposure"].get("frame_divisor")
    frames = exposure.timing.frames
    if divisor is None or divisor == frames:
        return NotApplicable("groups were divided by the number of their frames")
    return np.float32(divisor / frames)


def apply(block: RampBlock, refs: dict, options: dict, prepared: np.float32) -> None:
    """Multiply all groups.

    Parameters
    ----------
    block : RampBlock
        Its data change.
    refs, options : dict
        Not used.
    prepared : float32
        The factor.
    """
    block.data *= prepared


STEP = RampStep(
    name="groupscale",
    mission="jwst",
    cal_step="group_scale",
    suffix="group_scale",
    peer="group_scale",
    summary="Rescale groups that were averaged on board by a power of two.",
    examples=("rt-groupscale X_uncal.fits", "rt-groupscale jw*_uncal.fits --outdir scaled"),
    description=(
        "The frames of a group are added on board and divided by FRMDIVSR, which is a power of two. Where that is not "
        "NFRAMES, all groups are multiplied by FRMDIVSR / NFRAMES."
    ),
    prepare=prepare,
    apply=apply,
)
