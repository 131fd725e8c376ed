"""Reset anomaly of MIRI: subtract what the first groups of an integration still have of its reset."""

from __future__ import annotations

import numpy as np

from rtools.declare import RampStep, Reference
from rtools.exposure.jwst.block import RampBlock

__all__ = ["STEP", "apply"]


def apply(block: RampBlock, refs: dict, options: dict, prepared: None) -> None:
    """Subtract the reference of each integration; the last one serves those behind it.

    Parameters
    ----------
    block : RampBlock
        Its data and `pixeldq` change.
    refs : dict
        ``refs["reset"]`` holds `data` (integrations, groups, rows, columns) in DN, and `dq`.
    options : dict
        Not used.
    prepared : None
        Not used.
    """
    from rtools.exposure.jwst import _group_kernels as kernels

    ramps = refs["reset"]["data"]
    for number in range(block.data.shape[0]):
        kernels.subtract_ramp(block.data[number : number + 1], ramps[min(block.begin + number, len(ramps) - 1)])
    flags = refs["reset"]["dq"]
    block.pixeldq |= np.bitwise_or.reduce(flags, axis=tuple(range(flags.ndim - 2)))


STEP = RampStep(
    name="reset",
    mission="jwst",
    after="lastframe",
    cal_step="reset",
    suffix="reset",
    chains=("miri",),
    summary="Subtract the reset anomaly of MIRI.",
    examples=("rt-reset X_lastframe.fits", "rt-reset X_lastframe.fits --ref reset=anomaly.fits"),
    description=(
        "What the first groups of an integration still have of the reset is subtracted, as far as the reference has "
        "groups. Each of the first integrations has one of its own."
    ),
    references=(Reference("reset", planes=("data", "dq")),),
    apply=apply,
)
