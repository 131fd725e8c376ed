"""The two-point search for jumps in a block of ramps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtools.exposure.jwst.block import RampBlock

__all__ = ["JumpSettings", "find_jumps"]

MANY = 100
"""Integrations from which on differences are compared across them."""

ENOUGH = 10
"""Differences from which on each is compared with the median once."""


class JumpSettings(NamedTuple):
    """How jumps are looked for.

    Attributes
    ----------
    levels : tuple of float
        Thresholds in standard deviations: for four differences or more, three, two.
    spread : tuple of float
        Jumps between these many standard deviations are flagged in the four neighbours, too; equal: none.
    after : tuple of (float, int)
        Heights in DN, and numbers of groups behind such a jump that are flagged with it.
    """

    levels: tuple[float, float, float] = (4.0, 5.0, 6.0)
    spread: tuple[float, float] = (10.0, 1000.0)
    after: tuple[tuple[float, int], ...] = ()


def find_jumps(block: RampBlock, noise: np.ndarray, frames: int, usable: int, settings: JumpSettings) -> None:
    """Flag jumps in a block, in place.

    A difference d between neighbouring groups is compared with m, the median of all of the pixel: |d - m| over
    sqrt(|m| + r²/frames), in electron. Flags in the first and last row of the block are right only where these are
    rims of the detector.

    Parameters
    ----------
    block : RampBlock
        `groupdq` gets JUMP_DET in the group behind each jump.
    noise : ndarray float32 (2, rows, columns)
        Gain in electron/DN, and noise of a correlated double sample in DN. Where the gain is none, nothing is flagged.
    frames : int
        Frames that are averaged in a group.
    usable : int
        Groups that are not left out in all pixels.
    settings : JumpSettings
        How.
    """
    from rtools.exposure.jwst import _jump_kernels as kernels

    gain = np.where(noise[0] > 0, noise[0], np.float32(np.nan))
    variance = (noise[1] * gain) ** 2 / np.float32(frames)
    search = kernels.REPEATED if usable - 1 < ENOUGH else kernels.ONCE
    if block.data.shape[0] >= MANY:
        search = kernels.ACROSS
    spread = settings.spread if settings.spread[0] < settings.spread[1] else (np.inf, np.inf)
    marks = np.zeros_like(block.groupdq)
    kernels.find_jumps(
        block.data, block.groupdq, gain, variance, np.array(settings.levels), np.array(spread),
        np.array(settings.after, float).reshape(-1, 2), marks, search,
    )  # fmt: skip
    kernels.flag_marks(block.groupdq, marks, 0, block.groupdq.shape[2])
