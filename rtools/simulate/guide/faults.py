"""What goes wrong in an acquisition: resets of the detector, and faults that are planted to be found.

Faults are in the exposure in the middle, behind its reset, so that those around it show whether they stay as they were.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.simulate.guide.timeline import Cycles, Timeline
from rtools.simulate.guide.windows import Spoiled

__all__ = ["Faults", "no_faults", "plant"]

PLACES = {"reset": (0.15, 1), "sce": (0.25, 2), "bind": (0.35, 2), "late": (0.45, 8), "lost": (0.6, 24)}
"""Where in the exposure each begins, as a share of its pairs, and how many pairs it takes; apart from 64 pairs on."""


class Faults(NamedTuple):
    """Pairs of a stage that are not as they should be, each ndarray bool (n,).

    Attributes
    ----------
    reset_impacted : ndarray
        Their rows are reset between pedestal and signal.
    lost : ndarray
        The star is not in the window.
    sce : ndarray
        The electronics fail.
    low, high : ndarray
        The pedestal and the signal are bound.
    missing : ndarray
        They are not sent down: the next pair comes late.
    """

    reset_impacted: NDArray[np.bool_]
    lost: NDArray[np.bool_]
    sce: NDArray[np.bool_]
    low: NDArray[np.bool_]
    high: NDArray[np.bool_]
    missing: NDArray[np.bool_]

    @property
    def spoiled(self) -> Spoiled:
        """What the pixels show."""
        return Spoiled(self.reset_impacted, self.sce, self.low, self.high)

    def words(self) -> list[str]:
        """What was done to each pair, with commas between."""
        named = {"reset": self.reset_impacted, "lost": self.lost, "sce": self.sce}
        named |= {"min_bind": self.low, "max_bind": self.high}
        return [",".join(name for name, mask in named.items() if mask[i]) for i in range(len(self.lost))]


def no_faults(stage: Cycles) -> Faults:
    """A stage in which nothing goes wrong.

    Parameters
    ----------
    stage : Cycles
        Its pairs.

    Returns
    -------
    Faults
        All False.
    """
    return Faults(*(np.zeros(len(stage), bool) for _ in Faults._fields))


def plant(timeline: Timeline, kinds: tuple[str, ...], impacted: NDArray[np.bool_]) -> Faults:
    """Faults of the tracking.

    Parameters
    ----------
    timeline : Timeline
        Its exposures.
    kinds : tuple of str
        Of `rtools.simulate.guide.request.FAULTS`.
    impacted : ndarray bool (n,)
        Pairs of the reset reads whose rows are reset.

    Returns
    -------
    Faults
        Those, and what was asked for.
    """
    track = timeline.track
    faults = no_faults(track)
    faults.reset_impacted[:] = impacted
    middle = timeline.exposures[(len(timeline.exposures) - 1) // 2].number
    pairs = np.flatnonzero((track.mapping == middle) & ~track.resetting)
    for kind in kinds:
        place, count = PLACES[kind]
        begin = int(place * len(pairs))
        chosen = pairs[begin : begin + count]
        if kind == "bind":
            faults.low[chosen[:1]] = True
            faults.high[chosen[1:]] = True
        else:
            named = {"reset": faults.reset_impacted, "sce": faults.sce, "lost": faults.lost, "late": faults.missing}
            named[kind][chosen] = True
    return faults
