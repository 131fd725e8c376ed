"""Pairs of a stage in pieces that fit into memory: their flags, and their differences in electrons."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.errors import InputError
from rtools.guide import Difference, PairFlags, Pairs, take_difference
from rtools.pipeline.guide.instrument import GuideInstrument
from rtools.pipeline.guide.request import GuideRequest

if TYPE_CHECKING:
    from rtools.products.guide import GuideStage

__all__ = ["Piece", "difference_of", "flags_of", "pieces_of"]

READS = (2, 2)
"""Readings of pedestal and signal where the table of the stage is not known."""

PAIR_BYTES = 40
"""Bytes for each pixel of a pair at work: both resultants, the difference, masks, and what the fit needs."""


class Piece(NamedTuple):
    """Consecutive pairs of one exposure and one place of the window.

    Attributes
    ----------
    pairs : ndarray int (n,)
        Their numbers in the stage.
    lower : tuple of int
        Column and row of the window's first pixel.
    """

    pairs: NDArray[np.int64]
    lower: tuple[int, int]


def flags_of(stage: GuideStage, pairs: NDArray[np.int64]) -> PairFlags:
    """What a file says of some pairs.

    Parameters
    ----------
    stage : rtools.products.guide.GuideStage
        One of its stages.
    pairs : ndarray int (n,)
        Their numbers.

    Returns
    -------
    rtools.guide.PairFlags
    """
    lower = np.zeros((stage.pairs, 2), np.int32) if stage.lower is None else stage.lower
    return PairFlags(
        stage.reset_impacted[pairs],
        stage.reset_read[pairs],
        stage.sce_status[pairs],
        stage.resultant_err[pairs],
        stage.min_bind[pairs],
        stage.max_bind[pairs],
        lower[pairs],
        stage.exposure[pairs],
        np.isfinite(stage.downlinked().x)[pairs],
    )


def pieces_of(stage: GuideStage, request: GuideRequest) -> Iterator[Piece]:
    """Pairs that are asked for, in pieces that fit into memory and have one exposure and one place of the window each.

    Parameters
    ----------
    stage : rtools.products.guide.GuideStage
        A stage of the file.
    request : GuideRequest
        Its exposures, and its memory.

    Yields
    ------
    Piece
        In the order of time.

    Notes
    -----
    What is found of an exposure is the same whatever went wrong in others, and whichever are asked for.
    """
    if stage.shape is None or stage.lower is None or not stage.pairs:
        return
    wanted = np.isin(stage.exposure, list(request.exposures)) if request.exposures else np.ones(stage.pairs, bool)
    chosen = np.flatnonzero(wanted)
    if not chosen.size:
        return
    most = max(int(request.max_memory * 2**30 / (PAIR_BYTES * stage.shape[0] * stage.shape[1])), 1)
    lower = stage.lower[chosen]
    breaks = (np.diff(chosen) > 1) | (np.diff(lower, axis=0) != 0).any(axis=1) | (np.diff(stage.exposure[chosen]) != 0)
    for run in np.split(chosen, np.flatnonzero(breaks) + 1):
        for first in range(0, len(run), most):
            part = run[first : first + most]
            x, y = stage.lower[part[0]]
            yield Piece(part, (int(x), int(y)))


def difference_of(
    stage: GuideStage,
    piece: Piece,
    instrument: GuideInstrument,
    request: GuideRequest,
    *,
    kappa: float | None = None,
) -> Difference:
    """Difference images of a piece.

    Parameters
    ----------
    stage : rtools.products.guide.GuideStage
        A stage of the file.
    piece : Piece
        Some of its pairs.
    instrument : GuideInstrument
        References.
    request : GuideRequest
        How the reference output is used.
    kappa : float, optional
        Share of the reference output to subtract, where it is known from other pairs.

    Returns
    -------
    rtools.guide.Difference

    Raises
    ------
    InputError
        The pixels are damaged, or one of the resultants is missing.
    """
    first, last = int(piece.pairs[0]), int(piece.pairs[-1]) + 1
    span = slice(first, last)
    pairs = Pairs(
        stage.pedestals(first, last),
        stage.signals(first, last),
        stage.offsets[span],
        stage.min_bind[span],
        stage.max_bind[span],
        stage.amp33_pedestals(first, last) if request.amp33 != "none" else None,
        stage.amp33_signals(first, last) if request.amp33 != "none" else None,
    )
    if pairs.pedestal.shape != pairs.signal.shape:
        raise InputError("pedestals and signals have different windows", path=stage.product.path)
    reads = (stage.table.pedestal, stage.table.signal) if stage.table else READS
    rows, columns = pairs.signal.shape[1:]
    readout = instrument.readout_at(piece.lower, (rows, columns), reads)
    without = pairs.amp33_pedestal is None or pairs.amp33_signal is None
    amp33 = "none" if without else request.amp33
    return take_difference(pairs, readout, amp33=amp33, kappa=kappa, good=_good(stage, span))


def _good(stage, span):
    """Pairs that the file says nothing bad of."""
    either = (stage.sce_status | stage.resultant_err | stage.min_bind | stage.max_bind)[span].any(axis=1)
    return ~(either | stage.reset_impacted[span])
