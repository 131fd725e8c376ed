"""The samples of one pixel along a ramp, and the lines that go through them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from rtools.wfi import dq

__all__ = ["JUMP", "PixelRamp", "add_lines", "draw_straight"]

JUMP = dq.GROUP["JUMP_DET"]
"""Both missions have this bit."""


@dataclass
class PixelRamp:
    """One pixel's resultants, or the groups of one integration.

    Attributes
    ----------
    title, unit : str
    times : ndarray float64 (n,)
        Mean time of the reads of each resultant, s.
    values : ndarray float64 (n,)
    flags : ndarray uint8 (n,)
        Group flags.
    pixel_flags : int
        Flags of the pixel.
    jumps : list of int
        Resultants before which the signal jumps.
    rate : float
        Slope of the line, per second; NaN where there is none.
    source : str
        Where the rate comes from.
    lines : list of (ndarray, ndarray)
        Times and values of the line's parts, one between jumps.
    word : str
        What a sample is called: ``resultant``, ``group``.
    since : str
        When the times begin.
    label : str
        What tells the ramp from others of the pixel.
    group_bits, pixel_bits : mapping of str to int
        Names of flags.
    """

    title: str
    unit: str
    times: np.ndarray
    values: np.ndarray
    flags: np.ndarray
    pixel_flags: int = 0
    jumps: list[int] = field(default_factory=list)
    rate: float = np.nan
    source: str = ""
    lines: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    word: str = "resultant"
    since: str = "the start of the exposure"
    label: str = ""
    group_bits: Mapping[str, int] = field(default_factory=lambda: dq.GROUP)
    pixel_bits: Mapping[str, int] = field(default_factory=lambda: dq.PIXEL)

    @property
    def bad(self) -> np.ndarray:
        """Resultants that no line can go through: flagged, but for those that begin after a jump."""
        return ((self.flags & ~np.uint8(JUMP)) != 0) | ~np.isfinite(self.values)

    def words(self, number: int) -> str:
        """Flags of a resultant as text."""
        flagged = dq.names(int(self.flags[number]), self.group_bits)
        jumped = ["JUMP_DET"] * (number in self.jumps and "JUMP_DET" not in flagged)
        return "|".join([*flagged, *jumped])


def add_lines(ramp: PixelRamp) -> None:
    """Add lines of the rate, between jumps each at the level of the resultants there.

    Parameters
    ----------
    ramp : PixelRamp
        With a rate; its lines are added.
    """
    good = ~ramp.bad
    edges = [0, *[jump for jump in ramp.jumps if jump], len(ramp.values)]
    for first, last in pairwise(edges):
        inside = first + np.flatnonzero(good[first:last])
        if len(inside):
            level = ramp.values[inside].mean() - ramp.rate * ramp.times[inside].mean()
            ends = _ends(ramp, inside, first, last)
            ramp.lines.append((ends, level + ramp.rate * ends))


def _ends(ramp, inside, first, last):
    """Times where a line begins and ends: no more than one resultant beyond those that it goes through."""
    return ramp.times[[max(inside[0] - 1, first), min(inside[-1] + 1, last - 1)]]


def draw_straight(ramp: PixelRamp, reason: str) -> None:
    """Add a straight line through the resultants without any flag.

    Parameters
    ----------
    ramp : PixelRamp
        Its rate, source and lines are set.
    reason : str
        Why there is no other line.
    """
    good = ~ramp.bad & (ramp.flags == 0)
    good[[jump for jump in ramp.jumps if jump < len(good)]] = False
    ramp.source = f"straight line through {np.count_nonzero(good)} unflagged {ramp.word}s; {reason}"
    if np.count_nonzero(good) < 2:
        return
    ramp.rate, level = (float(value) for value in np.polyfit(ramp.times[good], ramp.values[good], 1))
    ends = _ends(ramp, np.flatnonzero(good), 0, len(good))
    ramp.lines = [(ends, level + ramp.rate * ends)]
