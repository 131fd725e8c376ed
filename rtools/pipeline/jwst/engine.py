"""The engine: a block of rows goes through all steps of a run on one thread, and only its results are kept.

A block has all groups of all integrations, because jumps are looked for in all of them. Rows beyond it at either end,
the halo, are computed with it and thrown away, so that its pixels do not depend on where it was cut. Height of blocks
and number of threads change nothing in the results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from rtools.declare import Step
from rtools.exposure.jwst.block import RampBlock
from rtools.exposure.jwst.fit import FittedRates
from rtools.exposure.jwst.images import RatePlanes

__all__ = [
    "BlockCut",
    "BlockReference",
    "BlockStep",
    "Keep",
    "carry_image",
    "carry_ramp",
    "halo_of",
    "height_for",
    "spans",
]

BYTES_OF_SAMPLE = 18
"""Memory of one group of one pixel while its block is worked on: raw, float32 twice, flags, marks, copies."""

BYTES_OF_RATE = 64
"""Memory of one integration of one pixel: planes of the rates, twice, and those of the image."""

SMALLEST = 8
"""Rows of a block, at least."""


class BlockReference(Protocol):
    """A reference of which blocks are cut."""

    def block(self, rows: slice, columns: slice) -> dict[str, np.ndarray]:
        """Its arrays for a part of the image, by their names in the data model; flags are JWST's bits."""


Keep = Callable[[str, slice, Any], None]
"""``keep(what, rows, block)`` takes what a step made of the rows of a block: a `RampBlock` or `RatePlanes`."""


@dataclass(frozen=True)
class BlockStep:
    """A step that works on blocks.

    Attributes
    ----------
    step : Step
        Its declaration.
    options : mapping of str to object
        Values of its options.
    prepared : object
        What its `prepare` gave.
    references : tuple of str
        Types of references that it gets.
    """

    step: Step
    options: Mapping[str, Any]
    prepared: Any = None
    references: tuple[str, ...] = ()

    def apply(self, part: RampBlock | RatePlanes, refs: Mapping[str, Any]) -> Any:
        """Do the step on a part of a ramp or an image, which changes; a fit gives rates."""
        if self.step.apply is None:
            raise ValueError(f"{self.step.name} does nothing with pixels")
        return self.step.apply(part, refs, dict(self.options), self.prepared)


@dataclass
class BlockCut:
    """References of one block, each cut once.

    Attributes
    ----------
    sources : mapping of str to BlockReference
        By type.
    rows, columns : slice
        The block.
    found : dict
        What was cut already.
    """

    sources: Mapping[str, BlockReference]
    rows: slice
    columns: slice
    found: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)

    def of(self, types: Sequence[str]) -> dict[str, dict[str, np.ndarray]]:
        """Arrays of some types."""
        for kind in types:
            if kind not in self.found and kind in self.sources:
                self.found[kind] = self.sources[kind].block(self.rows, self.columns)
        return {kind: self.found[kind] for kind in types if kind in self.found}


def halo_of(steps: Sequence[BlockStep]) -> int:
    """Rows beyond a block that its results depend on.

    Parameters
    ----------
    steps : sequence of BlockStep
        In order.

    Returns
    -------
    int
        The sum of what each needs.
    """
    return sum(one.step.halo(dict(one.options)) for one in steps if one.step.halo is not None)


def height_for(shape: tuple[int, int, int, int], halo: int, budget: int) -> int:
    """Rows of a block that takes about so much memory.

    Parameters
    ----------
    shape : tuple of int
        (integrations, groups, rows, columns).
    halo : int
        From `halo_of`.
    budget : int
        Bytes.

    Returns
    -------
    int
        `SMALLEST` at least, all rows at most.
    """
    integrations, groups, rows, columns = shape
    row = columns * integrations * (groups * BYTES_OF_SAMPLE + BYTES_OF_RATE)
    return min(max(budget // row - 2 * halo, SMALLEST), rows)


def spans(rows: int, height: int) -> Iterator[slice]:
    """Blocks of rows, one behind the other."""
    for start in range(0, rows, height):
        yield slice(start, min(start + height, rows))


def carry_ramp(
    read: Callable[[slice], RampBlock],
    steps: Sequence[BlockStep],
    sources: Mapping[str, BlockReference],
    rows: slice,
    total: int,
    keep: Keep,
) -> None:
    """Take the ramps of a block through steps, and keep what each of them made of its own rows.

    Parameters
    ----------
    read : callable
        ``read(rows)`` gives the block with its halo.
    steps : sequence of BlockStep
        From ramp to ramp, the fit last if there is one.
    sources : mapping of str to BlockReference
        References by type.
    rows : slice
        Rows of the block.
    total : int
        Rows of the image.
    keep : Keep
        Called with the suffix of each step, and with ``rate`` and ``rateints`` for the fit.
    """
    halo = halo_of(steps)
    outer = slice(max(rows.start - halo, 0), min(rows.stop + halo, total))
    inner = slice(rows.start - outer.start, rows.stop - outer.start)
    block = read(outer)
    cut = BlockCut(sources, outer, block.columns)
    for one in steps:
        refs = cut.of(one.references)
        if one.step.fits_ramp:
            rates = one.apply(block, refs)
            for what, planes in _images_of(rates, inner).items():
                keep(what, rows, planes)
            return
        one.apply(block, refs)
        keep(one.step.suffix, rows, _inner(block, inner, rows))


def _inner(block, inner, rows):
    """The block without its halo; views."""
    zero = None if block.zeroframe is None else block.zeroframe[:, inner]
    return RampBlock(
        block.data[:, :, inner], block.groupdq[:, :, inner], block.pixeldq[inner], rows, block.columns, zero
    )


def _images_of(rates: FittedRates, inner: slice) -> dict[str, RatePlanes]:
    """Rates of all integrations together, and of each, as images without halo."""
    one, photons, reading, error = (np.ascontiguousarray(plane[inner]) for plane in rates.planes)
    each = [np.ascontiguousarray(plane[:, inner]) for plane in rates.each]
    return {
        "rate": RatePlanes(one, error, np.ascontiguousarray(rates.dq[inner]), photons, reading),
        "rateints": RatePlanes(each[0], each[3], np.ascontiguousarray(rates.each_dq[:, inner]), each[1], each[2]),
    }


def carry_image(
    image: RatePlanes,
    steps: Sequence[BlockStep],
    sources: Mapping[str, BlockReference],
    place: tuple[slice, slice],
    keep: Keep,
) -> None:
    """Take rows of an image, or of all integrations, through steps on images.

    Parameters
    ----------
    image : RatePlanes
        Changed.
    steps : sequence of BlockStep
        In order.
    sources : mapping of str to BlockReference
        References by type.
    place : (slice, slice)
        Rows and columns of the image that these are.
    keep : Keep
        Called with the suffix of each step.
    """
    cut = BlockCut(sources, *place)
    for one in steps:
        one.apply(image, cut.of(one.references))
        keep(one.step.suffix, place[0], image)
