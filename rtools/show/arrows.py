"""Arrows on an image, much longer than what they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["draw_arrows"]

LEAST = 1e-3
"""Moves smaller than this, in any unit that is drawn, are those of rounding, and stay points."""


def draw_arrows(axes: Any, places: np.ndarray, moves: np.ndarray, unit: str, colour: str = "white") -> None:
    """Draw arrows much longer than what they stand for, and how long one of a round number is.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Those of an image.
    places, moves : ndarray (n, 2)
        Where arrows begin, in pixels; and what they stand for.
    unit : str
        Of the moves.
    colour : str
        Of the arrows.
    """
    lengths = np.hypot(*moves.T)
    longest = float(np.percentile(lengths[np.isfinite(lengths)], 95)) if np.isfinite(lengths).any() else 0.0
    longest = longest if longest > LEAST else 1.0
    unit_length = 10.0 ** np.floor(np.log10(longest))
    told = next(unit_length * one for one in (5, 2, 1) if unit_length * one <= longest)
    side = abs(np.subtract(*axes.get_xlim()))
    drawn = axes.quiver(*places.T, *moves.T, color=colour, angles="xy", scale_units="xy", width=0.003,
                        scale=longest / (0.075 * side))  # fmt: skip
    axes.quiverkey(drawn, 0.93, -0.065, told, f"{told:g} {unit}", labelpos="W", coordinates="axes", color="0.2",
                   labelcolor="0.2")  # fmt: skip
