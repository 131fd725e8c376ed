"""Superbias: subtract the level of each pixel after a reset."""

from __future__ import annotations

from rtools.declare import RampStep, Reference
from rtools.exposure.jwst.block import RampBlock

__all__ = ["STEP", "apply"]


def apply(block: RampBlock, refs: dict, options: dict, prepared: None) -> None:
    """Subtract the bias from all groups and first frames; a bias that is not a number counts as zero.

    Parameters
    ----------
    block : RampBlock
        Its data and `pixeldq` change.
    refs : dict
        ``refs["superbias"]`` holds `data` (DN) and `dq`.
    options : dict
        Not used.
    prepared : None
        Not used.
    """
    from rtools.exposure.jwst import _group_kernels as kernels

    reference = refs["superbias"]
    kernels.subtract(block.data, reference["data"])
    if block.zeroframe is not None:
        kernels.subtract(block.zeroframe[:, None], reference["data"])
    block.pixeldq |= reference["dq"]


STEP = RampStep(
    name="superbias",
    mission="jwst",
    after="reset",
    cal_step="superbias",
    suffix="superbias",
    summary="Subtract the superbias.",
    examples=("rt-superbias X_saturation.fits", "rt-superbias X_saturation.fits --refdir refs"),
    description="The bias of each pixel is subtracted from all groups. Its flags join those of the pixels.",
    references=(Reference("superbias", planes=("data", "dq")),),
    apply=apply,
)
