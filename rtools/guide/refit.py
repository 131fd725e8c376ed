"""Fits of many pairs, of which those that went astray are begun again where the star was before.

A hit of a cosmic ray can be brighter than the star, and take the first guess to itself. So a pair is fitted again if
its fit fails, finds no star (F < 5 errors), or has lost more than others: χ² and 36 for each masked pixel together
exceed the median of all pairs by 6 √(2 n), n the pixels. This fit begins at the median of the last 25 good pairs, with
the hits masked that it shows. The one of the two that lost less stands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtools.guide.difference import Difference
from rtools.guide.measured import COLUMNS
from rtools.work.loops import in_chunks
from rtools.work.work import Work

__all__ = ["FAINTEST", "RUN", "fit_twice"]

RUN = 25
"""Pairs of a running median."""

FAINTEST = 5.0
"""Flux in units of its error below which there is no star."""

UNUSUAL = 6.0
"""Sigma of χ² by which a fit is worse than others, so that it is tried again."""

START = (5, 7, 0, 1)
"""Columns of a table of results that a fit begins from: F, B, x, y."""

FLUX, FLUX_ERR, CHI2, MASKED, FITTED = 5, 6, 9, 10, 11


def fit_twice(kernel: Callable[..., None], model: Any, difference: Difference, work: Work) -> NDArray[np.float64]:
    """Fit a model to each pair, and again where that went astray.

    Parameters
    ----------
    kernel : callable
        ``kernel((images, masked, variance), model, starts, table, first, last)`` fits pairs [first, last) from their
        rows of starts, F, B, x and y, NaN for none, and writes their rows of the table.
    model : named tuple
        What the kernel takes.
    difference : Difference
        Images of n pairs.
    work : Work
        Its threads share the pairs.

    Returns
    -------
    ndarray float64 (n, COLUMNS)
        The table of what was found (`rtools.guide.measured`).
    """
    images = np.ascontiguousarray(difference.images, np.float32)
    masked, variance = np.ascontiguousarray(difference.masked), np.ascontiguousarray(difference.variance, np.float32)
    table, starts = np.empty((len(images), COLUMNS)), np.full((len(images), 4), np.nan)
    in_chunks(work, len(images), kernel, (images, masked, variance), model, starts, table)
    lost = _lost(table, variance.size)
    again, starts = _second_starts(table, lost, variance.size)
    if len(again):
        second = np.empty((len(again), COLUMNS))
        in_chunks(work, len(again), kernel, (images[again], masked[again], variance), model, starts, second)
        better = _lost(second, variance.size) < lost[again]
        table[again[better]] = second[better]
    return table


def _lost(table, pixels):
    """χ² and what masked pixels count; infinite where a fit failed."""
    from rtools.guide._fit_kernels import HIT

    lost = table[:, CHI2] * (pixels - table[:, MASKED] - 4) + HIT * table[:, MASKED]
    return np.where(table[:, FITTED] == 1, lost, np.inf)


def _second_starts(table, lost, pixels):
    """Pairs that are to be fitted again, and the F, B, x, y to begin from: medians of the last good pairs before them.

    Those before the first 25 good pairs begin from the median of these.
    """
    fitted = np.isfinite(lost)
    with np.errstate(invalid="ignore"):
        bright = table[:, FLUX] > FAINTEST * table[:, FLUX_ERR]
    usual = np.median(lost[fitted]) if fitted.any() else 0.0
    good = bright & (lost <= usual + UNUSUAL * np.sqrt(2 * pixels))
    again, places = np.flatnonzero(~good), np.flatnonzero(good)
    if not len(again) or not len(places):
        return again[:0], np.empty((0, 4))
    values = table[good][:, START]
    last = np.maximum(np.searchsorted(places, again), min(RUN, len(places)))
    ends, which = np.unique(last, return_inverse=True)
    medians = np.array([np.median(values[max(end - RUN, 0) : end], axis=0) for end in ends])
    return again, np.ascontiguousarray(medians[which])
