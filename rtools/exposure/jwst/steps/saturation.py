"""Saturation: flag groups from which on a pixel is full, its neighbours, and groups below the floor."""

from __future__ import annotations

import numpy as np

from rtools.declare import Option, RampStep, Reference
from rtools.exposure.jwst.block import RampBlock
from rtools.exposure.jwst.exposure import RampExposure
from rtools.exposure.jwst.saturation import SaturationSettings, flag_saturation
from rtools.jwst.dq import PIXEL_FLAGS

__all__ = ["STEP", "apply", "halo", "prepare"]

NO_CHECK = np.uint32(PIXEL_FLAGS["NO_SAT_CHECK"])


def prepare(exposure: RampExposure, options: dict) -> SaturationSettings:
    """How saturation is flagged in this exposure.

    Parameters
    ----------
    exposure : RampExposure
        Its timing says how many frames are averaged.
    options : dict
        ``grow``, ``use_frames``.
    """
    return SaturationSettings(exposure.timing.frames, options["grow"], options["use_frames"])


def halo(options: dict) -> int:
    """Rows beyond a block that its flags depend on: neighbours are flagged, twice over."""
    return 2 * options["grow"]


def apply(block: RampBlock, refs: dict, options: dict, prepared: SaturationSettings) -> None:
    """Flag saturated groups.

    Parameters
    ----------
    block : RampBlock
        Its flags change, and first frames that are full or below the floor become zero.
    refs : dict
        ``refs["saturation"]`` holds `data` (DN) and `dq`; ``refs["superbias"]``, where there is one, `data` (DN).
    options : dict
        Not used here.
    prepared : SaturationSettings
        From `prepare`.
    """
    reference = refs["saturation"]
    threshold, flags = reference["data"], reference["dq"]
    unknown = np.isnan(threshold)
    flags = flags | np.where(unknown, NO_CHECK, np.uint32(0))
    threshold = np.where((flags & NO_CHECK) > 0, np.float32(np.inf), threshold)
    bias = np.zeros_like(threshold)
    if refs.get("superbias") is not None:
        bias = np.nan_to_num(refs["superbias"]["data"])
    flag_saturation(block.data, block.groupdq, threshold, bias, prepared)
    block.pixeldq |= flags
    if block.zeroframe is not None:
        block.zeroframe[(block.zeroframe >= threshold) | (block.zeroframe <= 0)] = 0


STEP = RampStep(
    name="saturation",
    mission="jwst",
    after="dqinit",
    cal_step="saturation",
    suffix="saturation",
    summary="Flag saturated groups.",
    examples=("rt-saturation X_dq_init.fits --grow 0",),
    description=(
        "A group at the threshold or above is SATURATED, and so are all that follow and, in each of these groups, "
        "the pixels around. A group at zero or below is AD_FLOOR and DO_NOT_USE. Where several frames are averaged, a "
        "group in front of a saturated one is DO_NOT_USE if it is so high that its last frames were saturated, and the "
        "second group where a cosmic ray saturated some of its frames."
    ),
    options=(
        Option("grow", 1, "Flag so many pixels to each side of a saturated one.", minimum=0, peer="n_pix_grow_sat"),
        Option("use-frames", True, "Look at groups that are partly saturated.", peer="use_readpatt"),
    ),
    references=(
        Reference("saturation", planes=("data", "dq")),
        Reference("superbias", planes=("data",), absent="skip", optional=True),
    ),
    prepare=prepare,
    halo=halo,
    apply=apply,
)
