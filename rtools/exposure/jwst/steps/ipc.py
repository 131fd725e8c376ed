"""Crosstalk: put charge that a pixel lent its neighbours back where it belongs."""

from __future__ import annotations

import numpy as np

from rtools.declare import RampStep, Reference
from rtools.exposure.jwst.block import RampBlock
from rtools.jwst.dq import PIXEL_FLAGS

__all__ = ["STEP", "apply", "halo"]

REFERENCE = np.uint32(PIXEL_FLAGS["REFERENCE_PIXEL"])


def halo(options: dict) -> int:
    """Rows beyond a block that it depends on: half a kernel."""
    return 2


def apply(block: RampBlock, refs: dict, options: dict, prepared: None) -> None:
    """Convolve every group with the kernel.

    Parameters
    ----------
    block : RampBlock
        Its data change.
    refs : dict
        ``refs["ipc"]`` holds `data`: (rows, columns) of one kernel, or (rows, columns, …) of one for each pixel.
    options : dict
        Not used.
    prepared : None
        Not used.
    """
    from rtools.exposure.jwst import _group_kernels as kernels

    kernel = refs["ipc"]["data"].astype(np.float64)
    kernel = kernel if kernel.ndim == 4 else kernel[:, :, None, None]
    made = np.empty_like(block.data)
    kernels.convolve(block.data, made, kernel, (block.pixeldq & REFERENCE) > 0)
    block.data = made


STEP = RampStep(
    name="ipc",
    mission="jwst",
    after="saturation",
    cal_step="ipc",
    suffix="ipc",
    summary="Correct the crosstalk between neighbouring pixels.",
    examples=("rt-ipc X_saturation.fits", "rt-ipc X_saturation.fits --ref ipc=kernel.fits -o X_ipc.fits"),
    description=(
        "Each group is convolved with the kernel of the reference, which is one for all pixels or one for each. "
        "Nothing lies beyond the edge. Reference pixels are neither used nor changed. rt-run leaves this step "
        "out unless it is asked for by --with ipc."
    ),
    references=(Reference("ipc", planes=("data",)),),
    halo=halo,
    apply=apply,
)
