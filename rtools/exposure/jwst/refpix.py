"""Reference pixels of JWST's detectors: what they say of offsets of amplifiers and of rows.

Detectors are read along rows ("fast") and from row to row ("slow"); images may be turned against that, as FASTAXIS and
SLOWAXIS say: 1 for x, 2 for y, negative where it runs down. Of MIRI four amplifiers take turns from column to column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rtools.exposure.jwst.block import RampBlock
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.jwst.instrument import REFERENCE_WIDTH

__all__ = [
    "AnyOffsets",
    "DetectorReadout",
    "InterleavedOffsets",
    "ReferenceOffsets",
    "ReferenceSettings",
    "joined",
    "measure_offsets",
    "subtract_offsets",
]

REFERENCE, DO_NOT_USE = PIXEL_FLAGS["REFERENCE_PIXEL"], PIXEL_FLAGS["DO_NOT_USE"]


class DetectorReadout(NamedTuple):
    """How a detector is read.

    Attributes
    ----------
    fast, slow : int
        FASTAXIS and SLOWAXIS.
    outputs : int
        NOUTPUTS, amplifiers that share a row.
    interleaved : bool
        They take turns from column to column, as MIRI's do.
    """

    fast: int
    slow: int
    outputs: int
    interleaved: bool = False


class ReferenceSettings(NamedTuple):
    """What is done with the reference pixels.

    Attributes
    ----------
    odd_even : bool
        Odd and even columns have offsets of their own.
    sides : bool
        The pixels at the sides give an offset of each row.
    length : int
        Rows over which these are smoothed, odd.
    gain : float
        Share of that offset which is subtracted.
    sigmas : float
        Clipping of the means.
    odd_even_rows : bool
        Of amplifiers that take turns, odd and even rows have offsets of their own.
    """

    odd_even: bool = True
    sides: bool = True
    length: int = 11
    gain: float = 1.0
    sigmas: float = 3.0
    odd_even_rows: bool = True


@dataclass
class ReferenceOffsets:
    """What is to be subtracted from each group.

    Attributes
    ----------
    first, second : ndarray float32 (integrations, groups, columns or rows)
        Offsets of amplifiers, subtracted first, and of detector rows; along x or y as `transposed` says.
    transposed : bool
        Offsets of amplifiers are along y, those of detector rows along x; else the other way round.
    """

    first: np.ndarray
    second: np.ndarray
    transposed: bool


@dataclass
class InterleavedOffsets:
    """What is to be subtracted from each group where amplifiers take turns from column to column.

    Attributes
    ----------
    table : ndarray float32 (integrations, groups, 2, amplifiers)
        Offsets of even and odd rows, counted from 0, and of columns by their remainder.
    """

    table: np.ndarray


AnyOffsets = ReferenceOffsets | InterleavedOffsets


def measure_offsets(
    edges: tuple[RampBlock, RampBlock, RampBlock, RampBlock], readout: DetectorReadout, settings: ReferenceSettings
) -> AnyOffsets | None:
    """Offsets of every group from the reference pixels.

    Of several amplifiers: means of the rows at both ends, whose mean is the offset of the amplifier's columns; then the
    running medians of the columns at both sides, whose mean is the offset of the row. Of one amplifier: the mean of all
    reference pixels of a column's parity. Of amplifiers that take turns: the mean of the means of its column on either
    side, of odd and even rows apart, of what has changed since the first group.

    Parameters
    ----------
    edges : four RampBlock
        The image's first and last `REFERENCE_WIDTH` rows, and its first and last columns; the bias subtracted.
    readout : DetectorReadout
        How the detector is read.
    settings : ReferenceSettings
        How offsets are measured.

    Returns
    -------
    ReferenceOffsets, InterleavedOffsets or None
        None where the image has no reference pixels that can be used.
    """
    if readout.interleaved:
        return _measure_interleaved(edges[2:], settings)
    pixels = [edge.data for edge in edges]
    usable = [(edge.pixeldq & (REFERENCE | DO_NOT_USE)) == REFERENCE for edge in edges]
    turned, transposed = _turned(pixels, readout), abs(readout.fast) == 2
    good = [plane.copy() for plane in _turned(usable, readout)]
    if not any(plane.any() for plane in good):
        return None
    integrations, groups = pixels[0].shape[:2]
    first = np.zeros((integrations, groups, turned[0].shape[-1]), np.float32)
    second = np.zeros((integrations, groups, turned[2].shape[-2]), np.float32)
    for i in range(integrations):
        for g in range(groups):
            planes = [np.ascontiguousarray(plane[i, g]) for plane in turned]
            if readout.outputs == 1:
                first[i, g] = _of_one_amplifier(planes, good, settings)
            else:
                first[i, g], second[i, g] = _of_amplifiers(planes, good, readout.outputs, settings)
    if readout.fast < 0:
        first = first[..., ::-1]
    if readout.slow < 0:
        second = second[..., ::-1]
    return ReferenceOffsets(np.ascontiguousarray(first), np.ascontiguousarray(second), transposed)


def _measure_interleaved(sides, settings):
    """Offsets of amplifiers that take turns, from the columns at both sides."""
    from rtools.exposure.jwst import _reference_kernels as kernels

    good = [(side.pixeldq & DO_NOT_USE) == 0 for side in sides]
    if not any(mask.any() for mask in good):
        return None
    integrations, groups = sides[0].data.shape[:2]
    table = np.zeros((integrations, groups, 2, REFERENCE_WIDTH), np.float32)
    parities = (slice(0, None, 2), slice(1, None, 2)) if settings.odd_even_rows else (slice(None),)
    for i, g in np.ndindex(integrations, groups):
        if g == 0:
            continue
        changes = [side.data[i, g] - side.data[i, 0] for side in sides]
        for parity, rows in enumerate(parities):
            means = [
                kernels.average_columns(change[rows], ~mask[rows], 1, settings.sigmas, True)[:, 0]
                for change, mask in zip(changes, good, strict=True)
            ]
            table[i, g, parity] = np.nan_to_num(_mean_of_both(*means))
    if not settings.odd_even_rows:
        table[:, :, 1] = table[:, :, 0]
    return InterleavedOffsets(table)


def joined(parts: Sequence[AnyOffsets]) -> AnyOffsets:
    """Offsets of integrations that follow each other, as those of all of them.

    Parameters
    ----------
    parts : sequence of ReferenceOffsets or of InterleavedOffsets
        One at least.

    Returns
    -------
    ReferenceOffsets or InterleavedOffsets
    """
    if isinstance(parts[0], InterleavedOffsets):
        return InterleavedOffsets(np.concatenate([one.table for one in parts]))  # type: ignore[union-attr]
    first, second = (np.concatenate([getattr(one, name) for one in parts]) for name in ("first", "second"))
    return ReferenceOffsets(first, second, parts[0].transposed)


def _turned(edges, readout):
    """The four edges in the order of reading: first and last rows, first and last columns."""
    bottom, top, left, right = edges
    if abs(readout.fast) == 2:
        bottom, top, left, right = (edge.swapaxes(-1, -2) for edge in (left, right, bottom, top))
    if readout.fast < 0:
        bottom, top, left, right = (edge[..., ::-1] for edge in (bottom, top, right, left))
    if readout.slow < 0:
        bottom, top, left, right = (edge[..., ::-1, :] for edge in (top, bottom, left, right))
    return bottom, top, left, right


def _of_amplifiers(planes, good, outputs, settings):
    """Offsets along a row and from row to row, of a detector of several amplifiers."""
    from rtools.exposure.jwst import _reference_kernels as kernels

    bottom, top, left, right = planes
    width = -(-bottom.shape[1] // outputs)
    means = [
        kernels.average_columns(edge, ~mask, width, settings.sigmas, not settings.odd_even)
        for edge, mask in ((bottom, good[0]), (top, good[1]))
    ]
    offsets = np.nan_to_num(_mean_of_both(*means))
    column = np.arange(bottom.shape[1])
    along = offsets[column // width, column % 2].astype(np.float32)
    if not settings.sides:
        return along, 0
    first, last = slice(None, REFERENCE_WIDTH), slice(-REFERENCE_WIDTH, None)
    sides = [
        kernels.run_median((edge - along[part]).astype(np.float32), ~mask, settings.length // 2)
        for edge, mask, part in ((left, good[2], first), (right, good[3], last))
    ]
    return along, np.nan_to_num(_mean_of_both(*sides)).astype(np.float32) * np.float32(settings.gain)


def _mean_of_both(one, two):
    """Their mean, or that which is a number."""
    return np.where(np.isnan(one), two, np.where(np.isnan(two), one, 0.5 * (one + two)))


def _of_one_amplifier(planes, good, settings):
    """Offsets of even and odd columns from all reference pixels, each counted once."""
    from rtools.exposure.jwst import _reference_kernels as kernels

    bottom, top, left, right = planes
    rows, columns = left.shape[0], bottom.shape[1]
    there, pixels = np.zeros((rows, columns), bool), np.zeros((rows, columns), np.float32)
    for plane, mask, at in (
        (bottom, good[0], np.s_[:REFERENCE_WIDTH, :]),
        (top, good[1], np.s_[-REFERENCE_WIDTH:, :]),
        (left, good[2], np.s_[:, :REFERENCE_WIDTH]),
        (right, good[3], np.s_[:, -REFERENCE_WIDTH:]),
    ):
        there[at] |= mask
        pixels[at] = plane
    means = kernels.average_columns(pixels, ~there, columns, settings.sigmas, not settings.odd_even)
    return np.nan_to_num(means[0])[np.arange(columns) % 2]


def subtract_offsets(block: RampBlock, offsets: AnyOffsets) -> None:
    """Subtract what `measure_offsets` found from a block, in place.

    Parameters
    ----------
    block : RampBlock
        Its data change.
    offsets : ReferenceOffsets or InterleavedOffsets
        Of the whole image.
    """
    if isinstance(offsets, InterleavedOffsets):
        for y in range(2):
            for x in range(REFERENCE_WIDTH):
                rows = slice((y - block.rows.start) % 2, None, 2)
                columns = slice((x - block.columns.start) % REFERENCE_WIDTH, None, REFERENCE_WIDTH)
                block.data[..., rows, columns] -= offsets.table[..., y, x, None, None]
        return
    first, second = (offsets.first, block.columns), (offsets.second, block.rows)
    if offsets.transposed:
        first, second = (offsets.first, block.rows), (offsets.second, block.columns)
    for number, (values, part) in enumerate((first, second)):
        along_rows = (number == 0) == offsets.transposed
        cut = values[..., part]
        block.data -= cut[..., :, None] if along_rows else cut[..., None, :]
