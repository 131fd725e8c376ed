"""Sky levels of exposures that overlap: one constant for each, so that they agree where they see the same sky.

Two ways to compare exposures: by small cells of the sky, with sources left out, in which each exposure is reduced once
(`rtools.mosaic.sky.cells`; work and memory grow with their number); or pair by pair (`rtools.mosaic.sky.pairs`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.wfi import metadata
from rtools.work.statistics import MAD_TO_SIGMA

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rtools.mosaic.sky.cells import SkyCells

__all__ = [
    "Levels",
    "background",
    "check_background",
    "match_cells",
    "match_pairs",
    "sky_levels",
]

ROUNDS = 12
"""Of the robust fit, at most; it ends when no level moves by `ENOUGH` of its error."""

ENOUGH = 1e-3

OUTLYING = 2.5
"""Residuals above this times the robust scatter weigh less, by the square of how much they are above."""


class Levels(NamedTuple):
    """Sky levels of exposures, in their order.

    Attributes
    ----------
    level : ndarray float64 (n,)
        In units of the data; NaN where there is none.
    error : ndarray float64 (n,)
        Standard error relative to the mean of its group, from the scatter of the cells; NaN where not known.
    group : ndarray int (n,)
        Exposures with the same number are connected by overlaps; -1 for those that overlap with none.
    """

    level: np.ndarray
    error: np.ndarray
    group: np.ndarray


def sky_levels(
    matched: Levels | None, whole: ArrayLike | None, method: str, *, match_down: bool = True, anchor: int | None = None
) -> Levels:
    """Levels by one of the four methods.

    Parameters
    ----------
    matched : Levels or None
        From `match_cells` or `match_pairs`; not needed for ``local`` and ``global``.
    whole : array_like of float or None
        Statistic of each whole exposure, NaN for none; not needed for ``match``.
    method : str
        One of `rtools.mosaic.steps.skymatch.METHODS`.
    match_down : bool
        The lowest of the matched levels becomes 0, else the highest.
    anchor : int, optional
        With ``match``: this exposure (a mosaic that others join) has level 0 instead, and those that are not connected
        with it have none.

    Returns
    -------
    Levels
    """
    if "match" not in method:
        whole = np.array(whole, float)
        level = whole if method == "local" else np.where(np.isfinite(whole), _least(whole), np.nan)
        return Levels(level, np.full(len(level), np.nan), np.full(len(level), -1))
    if matched is None:
        raise ValueError(f"{method} needs matched levels")
    level = matched.level
    if anchor is not None:
        connected = (matched.group == matched.group[anchor]) & (matched.group >= 0)
        level = np.where(connected, level - level[anchor], np.nan)
    else:
        level = level - (_least(level) if match_down else -_least(-level))
    if method == "global+match":
        whole = np.array(whole, float)
        level = np.where(np.isfinite(level), level, 0.0)
        level = np.where(np.isfinite(whole), level + _least(whole - level), np.nan)
    return matched._replace(level=level)


def _least(values):
    return np.min(values, initial=np.inf, where=np.isfinite(values))


def match_cells(exposures: Sequence[SkyCells]) -> Levels:
    """Levels that make exposures agree in the cells that they share.

    With a brightness for each cell and a level for each exposure, the weighted squares of what is left of the cells'
    values are least. Outlying values weigh less.

    Parameters
    ----------
    exposures : sequence of rtools.mosaic.sky.cells.SkyCells
        Cells of each exposure, with the same statistic.

    Returns
    -------
    Levels
        Of each connected group the mean is 0.
    """
    member, cell, value, weight = _shared(exposures)
    count = len(exposures)
    level, error, used = np.zeros(count), np.zeros(count), weight
    for _ in range(ROUNDS):
        normal, right = _normal(member, cell, value, used, count)
        inverse = np.linalg.pinv(normal, rcond=1e-12, hermitian=True)
        before, level = level, inverse @ right
        misfit = _misfit(value - level[member], cell, weight)
        scatter = MAD_TO_SIGMA * np.median(np.abs(misfit)) if len(misfit) else 0.0
        if not scatter > 0:
            break
        error = scatter * np.sqrt(np.maximum(np.diag(inverse), 0))
        if np.all(np.abs(level - before) <= ENOUGH * error):
            break
        used = weight / np.maximum(1, np.abs(misfit) / (OUTLYING * scatter)) ** 2
    group = _groups(normal)
    alone = group < 0
    return Levels(np.where(alone, np.nan, level), np.where(alone, np.nan, error), group)


def _shared(exposures):
    """Exposure, cell, value and weight for each entry in a cell that several exposures have."""
    empty = np.empty(0)
    sizes = [len(each.cells) for each in exposures]
    cells = np.concatenate([empty.astype(np.int64), *(each.cells for each in exposures)])
    value = np.concatenate([empty, *(each.level for each in exposures)])
    spread = np.concatenate([empty, *(each.spread for each in exposures)])
    pixels = np.concatenate([empty, *(each.count for each in exposures)])
    member = np.repeat(np.arange(len(exposures)), sizes)
    _, cell, times = np.unique(cells, return_inverse=True, return_counts=True)
    shared = times[cell] > 1
    # A tenth of the usual scatter is added, lest a few flat cells have all the weight.
    usual = np.median(spread) if len(spread) else 0.0
    weight = pixels / (spread**2 + (0.01 * usual**2 if usual > 0 else 1.0))
    _, cell = np.unique(cell[shared], return_inverse=True)
    return member[shared], cell, value[shared], weight[shared]


def _normal(member, cell, value, weight, count):
    """Normal equations for the levels, the brightness of the cells eliminated."""
    from scipy.sparse import csr_array

    total = np.bincount(cell, weight)
    mean = np.bincount(cell, weight * value) / total
    table = csr_array((weight, (cell, member)), shape=(len(total), count))
    coupling = (table.T @ (csr_array((weight / total[cell], (cell, member)), shape=table.shape))).toarray()
    normal = np.diag(np.bincount(member, weight, count)) - (coupling + coupling.T) / 2
    return normal, np.bincount(member, weight * (value - mean[cell]), count)


def _misfit(value, cell, weight):
    """Differences from the mean of their cell, in units of their errors by the weights."""
    total = np.bincount(cell, weight)
    mean = np.bincount(cell, weight * value) / total
    return (value - mean[cell]) / np.sqrt(np.maximum(1 / weight - 1 / total[cell], 1e-12 / weight))


def _groups(normal):
    """Number of the connected group of each exposure; -1 for one that is alone."""
    from scipy.sparse.csgraph import connected_components

    linked = (normal != 0) & ~np.eye(len(normal), dtype=bool)
    group = connected_components(linked, directed=False)[1]
    return np.where(linked.any(axis=1), group, -1)


def match_pairs(values: ArrayLike, pixels: ArrayLike) -> Levels:
    """Levels from the sky values of overlaps, pair by pair.

    The sum of the squares of the remaining differences, each times the number of pixels of its overlap, is least.

    Parameters
    ----------
    values : array_like (n, n)
        Sky value of exposure i where j overlaps it; NaN for none.
    pixels : array_like (n, n)
        Pixels that it is of.

    Returns
    -------
    Levels
        Of each connected group the mean is 0; no errors.
    """
    values, pixels = np.asarray(values, float), np.asarray(pixels, float)
    known = np.isfinite(values) & (pixels > 0)
    first, second = np.nonzero(np.triu(known & known.T, 1))
    weight = (pixels[first, second] + pixels[second, first]) / 2
    rows = np.zeros((len(first), len(values)))
    order = np.arange(len(first))
    rows[order, first], rows[order, second] = weight, -weight
    step = weight * (values[first, second] - values[second, first])
    level = np.linalg.pinv(rows, rcond=1e-12) @ step
    group = _groups(rows.T @ rows)
    return Levels(np.where(group < 0, np.nan, level), np.full(len(level), np.nan), group)


def check_background(meta: Mapping[str, Any], subtract: bool) -> None:
    """Refuse a member whose background says what a mosaic cannot go on from.

    Parameters
    ----------
    meta : mapping
        Below ``meta`` of the product.
    subtract : bool
        The sky is to be taken off the data.

    Raises
    ------
    InputError
        A sky was subtracted already that is not known, or, with `subtract`, any.
    """
    found = meta.get("background") or {}
    if not found.get("subtracted"):
        return
    if metadata.usable(meta, "background.level") is None:
        raise InputError("meta.background says that a sky was subtracted, but not which")
    if subtract:
        raise InputError("its sky has been subtracted", mend="leave out --subtract")


def background(level: float, method: str, *, subtract: bool = False) -> tuple[dict[str, Any], str]:
    """`meta.background` and the status of the step for a level.

    Parameters
    ----------
    level : float
        NaN for none.
    method : str
        One of `rtools.mosaic.steps.skymatch.METHODS`.
    subtract : bool
        It was taken off the data.

    Returns
    -------
    (dict, str)
        `meta.background`, and what `meta.cal_step.skymatch` says.
    """
    known = bool(np.isfinite(level))
    block = {"level": float(level) if known else 0.0, "method": method, "subtracted": bool(subtract)}
    return block, "COMPLETE" if known else "SKIPPED"
