"""The two-point search for jumps in a block of ramps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtools.exposure.jwst.block import RampBlock
from rtools.exposure.rampfit.network import middle_of, rank_network

__all__ = ["JumpSettings", "find_jumps"]

MANY = 100
"""Integrations from which on differences are compared across them."""

ENOUGH = 10
"""Differences from which on each is compared with the median once."""

LONGEST = 100
"""Differences of a pixel up to which those of many pixels are put in order side by side."""


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
    marks = np.zeros_like(block.groupdq)
    terms = _terms(block.data.shape[0], block.data.shape[1] - 1, usable, settings)
    kernels.find_jumps((block.data, block.groupdq), (gain, variance), terms, marks)
    kernels.flag_marks(block.groupdq, marks, 0, block.groupdq.shape[2])


def _terms(integrations, per, usable, settings):
    """What the compiled search takes; `per` is the number of differences of an integration."""
    from rtools.exposure.jwst import _jump_kernels as kernels

    levels, count = np.array(settings.levels, float), integrations * per
    spread = settings.spread if settings.spread[0] < settings.spread[1] else (np.inf, np.inf)
    search = kernels.REPEATED if usable - 1 < ENOUGH else kernels.ONCE
    search = kernels.ACROSS if integrations >= MANY else search
    middle, level, network = (0, 0), levels[0], np.zeros((0, 2), np.int64)
    if search != kernels.ACROSS and 1 < count <= LONGEST:
        if search == kernels.REPEATED:  # the largest does not count
            middle, level = (middle_of(count - 1), levels[0]) if count > 3 else ((count - 2,) * 2, levels[4 - count])
        else:
            middle = middle_of(count)
        network = rank_network(count, (0, *middle, count - 1))
    after = np.array(settings.after, float).reshape(-1, 2)
    return kernels.JumpTerms(
        search, levels, np.array(spread, float), after, search == kernels.REPEATED, float(level), network, middle
    )
