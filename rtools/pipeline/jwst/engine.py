"""The engine: a block of pixels goes through all steps of a run on one thread, and only its results are kept.

A block has all groups of all integrations, because jumps are looked for in all of them. It has whole rows, unless there
are so many integrations that these need too much memory. Pixels beyond it at every side, the halo, are computed with it
and thrown away, so that its own do not depend on where it was cut. The size of blocks and the number of threads change
nothing in the results.
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
    "LAST",
    "BlockCut",
    "BlockReference",
    "BlockStep",
    "Keep",
    "Place",
    "blocks_for",
    "bytes_of",
    "carry_image",
    "carry_ramp",
    "halo_of",
    "spans",
]

BYTES_OF_SAMPLE = 11
"""Memory of one group of one pixel while its block is worked on: float32, flags, and either again or marks."""

BYTES_OF_RATE = 64
"""Memory of one integration of one pixel: planes of the rates, twice, and those of the image."""

SMALLEST = 8
"""Rows of a block, at least; and columns, where it does not have all."""

TALLEST = 120
"""Rows of a block, at most: threads are busy to the end, and most of it stays in their caches."""

LAST = "last"
"""What there is behind all steps on ramps, which may have been none."""

Place = tuple[slice, slice]
"""Rows and columns of an image."""


class BlockReference(Protocol):
    """A reference of which blocks are cut."""

    @property
    def is_plane(self) -> bool:
        """Whether its arrays have the pixels of an image."""

    @property
    def planes(self) -> int:
        """Planes of the pixels of an image that it has, of four bytes a pixel."""

    def block(self, rows: slice, columns: slice) -> dict[str, np.ndarray]:
        """Its arrays for a part of the image, by their names in the data model; flags are JWST's bits."""


Keep = Callable[[str, Place, Any], None]
"""``keep(what, place, block)`` takes what a step made of the pixels of a block: a `RampBlock` or `RatePlanes`."""


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

    def of(self, types: Sequence[str], place: Place | None = None) -> dict[str, dict[str, np.ndarray]]:
        """Arrays of some types, for the whole block or for a part of it."""
        for kind in types:
            if kind not in self.found and kind in self.sources:
                self.found[kind] = self.sources[kind].block(self.rows, self.columns)
        there = {kind: self.found[kind] for kind in types if kind in self.found}
        if place in (None, (self.rows, self.columns)):
            return there
        part = (..., *map(_shifted, place, (self.rows.start, self.columns.start)))
        return {
            kind: {name: np.ascontiguousarray(one[part]) for name, one in arrays.items()}
            if self.sources[kind].is_plane
            else arrays
            for kind, arrays in there.items()
        }


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


def blocks_for(shape: tuple[int, int, int, int], halo: int, budget: int, planes: int = 0) -> list[Place]:
    """Blocks that take about so much memory each, and together are the image.

    Parameters
    ----------
    shape : tuple of int
        (integrations, groups, rows, columns).
    halo : int
        From `halo_of`.
    budget : int
        Bytes.
    planes : int
        Planes of references, of four bytes a pixel.

    Returns
    -------
    list of (slice, slice)
        Row by row, and in these from left to right.
    """
    rows, columns = shape[2:]
    pixels = budget // _bytes_of_pixel(shape, planes)
    height, width = min(pixels // columns - 2 * halo, TALLEST), columns
    if height < min(SMALLEST, rows):
        height = min(SMALLEST, rows)
        width = min(max(pixels // (height + 2 * halo) - 2 * halo, SMALLEST), columns)
    even = [-(-size // -(-size // most)) for size, most in ((rows, height), (columns, width))]
    return [(part, across) for part in spans(rows, even[0]) for across in spans(columns, even[1])]


def bytes_of(shape: tuple[int, int, int, int], place: Place, halo: int, planes: int = 0) -> int:
    """Memory of a block while it is worked on.

    Parameters
    ----------
    shape, halo, planes
        As `blocks_for` takes them.
    place : (slice, slice)
        The block.

    Returns
    -------
    int
        Bytes.
    """
    sizes = [min(one.stop + halo, size) - max(one.start - halo, 0) for one, size in zip(place, shape[2:], strict=True)]
    return sizes[0] * sizes[1] * _bytes_of_pixel(shape, planes)


def _bytes_of_pixel(shape, planes):
    integrations, groups = shape[:2]
    return integrations * (groups * BYTES_OF_SAMPLE + BYTES_OF_RATE) + 4 * planes


def spans(size: int, most: int) -> Iterator[slice]:
    """Parts of an axis, one behind the other."""
    for start in range(0, size, most):
        yield slice(start, min(start + most, size))


def carry_ramp(
    read: Callable[[slice, slice], RampBlock],
    steps: Sequence[BlockStep],
    sources: Mapping[str, BlockReference],
    place: Place,
    keep: Keep,
) -> None:
    """Take the ramps of a block through steps, and keep what each of them made of its own pixels.

    Parameters
    ----------
    read : callable
        ``read(rows, columns)`` gives the block with its halo, as far as the image goes.
    steps : sequence of BlockStep
        From ramp to ramp, the fit last if there is one.
    sources : mapping of str to BlockReference
        References by type.
    place : (slice, slice)
        Rows and columns of the block.
    keep : Keep
        Called with the suffix of each step, and with ``rate`` and ``rateints`` for the fit; without a fit with `LAST`
        at the end, too.
    """
    halo = halo_of(steps)
    rows, columns = (slice(max(one.start - halo, 0), one.stop + halo) for one in place)
    block = read(rows, columns)
    cut = BlockCut(sources, block.rows, block.columns)
    for number, one in enumerate(steps):
        block = _trimmed(block, place, halo_of(steps[number:]))
        refs = cut.of(one.references, (block.rows, block.columns))
        if one.step.fits_ramp:
            rates = one.apply(block, refs)
            for what, planes in _images_of(rates).items():
                keep(what, place, planes)
            return
        one.apply(block, refs)
        keep(one.step.suffix, place, _inner(block, place))
    keep(LAST, place, _inner(block, place))


def _trimmed(block, place, halo):
    """The block with so much halo as steps still need."""
    wanted = tuple(
        slice(max(own.start - halo, there.start), min(own.stop + halo, there.stop))
        for own, there in zip(place, (block.rows, block.columns), strict=True)
    )
    if wanted == (block.rows, block.columns):
        return block
    block = _inner(block, wanted)
    for name in ("data", "groupdq", "pixeldq", "zeroframe", "dark_rate"):
        if (one := getattr(block, name)) is not None:
            setattr(block, name, np.ascontiguousarray(one))
    return block


def _shifted(part, start):
    return slice(part.start - start, part.stop - start)


def _inner(block, place):
    """The pixels of a block at a place of the image; views."""
    rows, columns = place
    part = (..., _shifted(rows, block.rows.start), _shifted(columns, block.columns.start))
    zero, dark = (None if one is None else one[part] for one in (block.zeroframe, block.dark_rate))
    return RampBlock(block.data[part], block.groupdq[part], block.pixeldq[part], rows, columns, zero, dark, block.begin)


def _images_of(rates: FittedRates) -> dict[str, RatePlanes]:
    """Rates of all integrations together, and of each, as images."""
    one, photons, reading, error = rates.planes
    each = rates.each
    return {
        "rate": RatePlanes(one, error, rates.dq, photons, reading),
        "rateints": RatePlanes(each[0], each[3], rates.each_dq, each[1], each[2]),
    }


def carry_image(
    image: RatePlanes,
    steps: Sequence[BlockStep],
    sources: Mapping[str, BlockReference],
    place: Place,
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
        if one.step.works_on_strips:  # else it is about metadata alone
            one.apply(image, cut.of(one.references))
        keep(one.step.suffix, place, image)
