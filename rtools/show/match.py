"""A figure of matched positions: offsets, and how far apart the pairs are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rtools.astrometry.crossmatch import MatchedPairs
    from rtools.astrometry.offsets import Residuals

__all__ = ["plot_match"]

MANY = 3000
"""Pairs above which points are drawn as a density."""

POINT, MARK, CHANCE = "#1f5fa8", "#d03020", "0.45"


def plot_match(
    pairs: MatchedPairs,
    offsets: tuple[np.ndarray, np.ndarray],
    found: Residuals,
    *,
    radius: float,
    chance: float,
    title: str,
) -> Figure:
    """Offsets of the second list from the first, and separations of the pairs.

    Parameters
    ----------
    pairs : rtools.astrometry.crossmatch.MatchedPairs
        With positions, one at least.
    offsets : tuple of ndarray
        East and north, arcsec, as `rtools.astrometry.offsets.common_offsets` gives them.
    found : rtools.astrometry.crossmatch.Residuals
        Of them.
    radius : float
        Within which pairs were looked for, arcsec.
    chance : float
        Pairs that are expected by chance within the radius; NaN where that is not known.
    title : str
        Above the figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, 4.9), layout="constrained")
    plane, apart = figure.subplots(1, 2)
    _draw_offsets(plane, offsets, found)
    bins = np.linspace(0, radius, 41)
    apart.hist(pairs.separation, bins=bins, color=POINT, alpha=0.75, label=f"{len(pairs.separation)} pairs")
    if np.isfinite(chance):
        expected = chance * np.diff(bins**2) / radius**2
        apart.stairs(expected, bins, color=CHANCE, linestyle="--", label=f"{chance:.3g} expected by chance")
    apart.set(xlabel="separation [arcsec]", ylabel="pairs", xlim=(0, radius), yscale="log", ylim=(0.3, None))
    apart.legend(fontsize=9, frameon=False)
    figure.suptitle(title, fontsize=10)
    return figure


def _draw_offsets(axes, offsets, found):
    """Offsets east (to the left, as on the sky) and north in mas, with median and scatter."""
    east, north = 1000 * offsets[0], 1000 * offsets[1]
    # most pairs are seen well, a few far ones are at the edge
    reach = 1.1 * float(max(np.percentile(np.abs(np.concatenate([east, north])), 98), 1e-3))
    if len(east) > MANY:
        shown = axes.hexbin(east, north, gridsize=60, extent=(-reach, reach, -reach, reach), bins="log", cmap="Blues")
        shown.set_linewidth(0.1)
    else:
        axes.plot(east, north, ".", color=POINT, markersize=4, alpha=0.6, markeredgewidth=0)
    axes.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    axes.axvline(0, color="0.8", linewidth=0.8, zorder=0)
    few = not np.isfinite(found.east_scatter)
    spread = {} if few else {"xerr": found.east_scatter, "yerr": found.north_scatter, "capsize": 3}
    label = "median" if few else "median and scatter"
    axes.errorbar(found.east, found.north, fmt="+", color=MARK, label=label, **spread)
    axes.set(xlim=(reach, -reach), ylim=(-reach, reach), aspect="equal")
    axes.set(xlabel="east [mas]", ylabel="north [mas]")
    scatters = ("", "") if few else (f" (scatter {found.east_scatter:.2f})", f" ({found.north_scatter:.2f})")
    east_text = f"{found.east:+.2f} mas east{scatters[0]}"
    axes.set_title(f"{east_text}, {found.north:+.2f} north{scatters[1]}", fontsize=9)
    axes.legend(fontsize=9, frameon=False, loc="lower right")
