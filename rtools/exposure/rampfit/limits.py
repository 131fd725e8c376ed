"""Limits from which on the likelihood fit takes differences for jumps."""

from __future__ import annotations

import math

import numpy as np

from rtools.exposure.rampfit._arguments import JumpLimits
from rtools.exposure.rampfit.timing import Timing

__all__ = ["jump_limits"]


def jump_limits(threshold: float, timing: Timing) -> JumpLimits:
    """Limits of the search for jumps (docs/algorithms/jumps.md).

    The first limit is threshold^2; the second has the same chance for two degrees of freedom,
    ``-2 ln erfc(threshold / sqrt 2)``. Three differences leave too little to tell which is wrong, unless all resultants
    are single reads.

    Parameters
    ----------
    threshold : float
        In standard deviations of a normal distribution.
    timing : Timing
        Times of the resultants; tells how many differences there are, and whether resultants are single reads.

    Returns
    -------
    JumpLimits
        Drop of chi-square for one and for two differences, and the usable differences with which a search begins.
    """
    one = threshold**2
    chance = math.erfc(threshold / math.sqrt(2))
    two = -2 * math.log(chance) if chance > 0 else one + 10
    if timing.interval.size < 3:
        return JumpLimits(one, two, timing.interval.size + 1)  # more than there are: nothing is searched
    return JumpLimits(one, two, 3 if np.all(timing.reads == 1) else 4)
