"""Series of images in files of JWST: segments in the order of time, integrations by blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.pipeline.stage3.making import refuse_other
from rtools.products.jwst import IntegrationTimes, first_integration, integration_times

if TYPE_CHECKING:
    from rtools.products.jwst import JwstProduct
    from rtools.work import Work

__all__ = ["ImageSeries", "SeriesBlock", "refuse_other_exposures", "segments_in_order"]

BLOCK = 2**23
"""Bytes of the values of a block of integrations, as they are stored."""

OF_EXPOSURE = (
    "observation.program_number", "observation.observation_number", "observation.visit_number",
    "observation.visit_group", "observation.activity_id", "observation.exposure_number", "exposure.type",
    "instrument.name", "instrument.detector", "instrument.filter",
)  # fmt: skip
"""In what segments of one exposure agree."""


class SeriesBlock(NamedTuple):
    """Some integrations of a segment.

    Attributes
    ----------
    product : JwstProduct
        The segment.
    first, stop : int
        The first of them in it, and the one behind the last.
    place : slice
        Where they are among all integrations of the series.
    """

    product: JwstProduct
    first: int
    stop: int
    place: slice


@dataclass(frozen=True)
class ImageSeries:
    """Integrations of all segments.

    Attributes
    ----------
    products : tuple of JwstProduct
        Segments in the order of time.
    scale : float or ndarray (rows, columns)
        Makes the unit of the output of the unit of the file.
    """

    products: tuple[JwstProduct, ...]
    scale: Any = 1.0

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.products[0].arrays["data"].shape[-2:]
        return rows, columns

    @property
    def starts(self) -> tuple[int, ...]:
        """Number of integrations before each segment, and at last of all."""
        return tuple(np.cumsum([0, *(product.arrays["data"].shape[0] for product in self.products)]).tolist())

    def times(self) -> IntegrationTimes:
        """When the integrations were, of all segments."""
        parts = [integration_times(product, product.arrays["data"].shape[0]) for product in self.products]
        return IntegrationTimes(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def planes(
        self, block: SeriesBlock, rows: slice = slice(None), columns: slice = slice(None)
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values, errors, and whether they can be used: finite, without DO_NOT_USE.

        Parameters
        ----------
        block : SeriesBlock
            Which integrations.
        rows, columns : slice
            Which pixels.

        Returns
        -------
        ndarray of float64, ndarray of float64, ndarray of bool
            (integrations, rows, columns).
        """
        part = (slice(block.first, block.stop), rows, columns)
        data, err, dq = (block.product.pixels(name, part=part) for name in ("data", "err", "dq"))
        usable = np.isfinite(data) & (dq & np.uint32(PIXEL_FLAGS["DO_NOT_USE"]) == 0)
        scale = self.scale[rows, columns] if isinstance(self.scale, np.ndarray) else self.scale
        usable &= np.isfinite(scale)
        return data * np.float64(1.0) * scale, err * np.float64(1.0) * scale, usable

    def map(self, work: Work, function: Callable[[SeriesBlock], Any]) -> list[Any]:
        """Call a function with each block; its results in the order of time.

        Parameters
        ----------
        work : rtools.work.Work
            Its threads share the blocks.
        function : callable
            Takes a `SeriesBlock`.
        """
        return work.map(function, list(self._blocks()))

    def _blocks(self) -> Iterator[SeriesBlock]:
        for product, before in zip(self.products, self.starts, strict=False):
            number = product.arrays["data"].shape[0]
            size = max(1, BLOCK // max(1, 4 * self.shape[0] * self.shape[1]))
            for first in range(0, number, size):
                stop = min(first + size, number)
                yield SeriesBlock(product, first, stop, slice(before + first, before + stop))


def refuse_other_exposures(products: Sequence[JwstProduct]) -> None:
    """Refuse files that are not segments of one exposure.

    Parameters
    ----------
    products : sequence of JwstProduct
        One or several; files that they are made of say the same.

    Raises
    ------
    InputError
        They are of several exposures.
    """
    refuse_other(products, *OF_EXPOSURE)


def segments_in_order(products: Sequence[JwstProduct]) -> tuple[JwstProduct, ...]:
    """Segments of one exposure in the order of time.

    Parameters
    ----------
    products : sequence of JwstProduct
        One or several.

    Returns
    -------
    tuple of JwstProduct

    Raises
    ------
    InputError
        One has no series of images or another unit, or two have the same integrations.
    """
    for product in products:
        for name in ("data", "err", "dq"):
            if not product.has(name) or len(product.arrays[name].shape) != 3:
                raise InputError(f"has no {name} of integrations of one image", path=product.path)
            if product.arrays[name].shape != product.arrays["data"].shape:
                raise InputError(f"its {name} has another shape than its data", path=product.path)
    refuse_other(products, "bunit_data")
    ordered = sorted(products, key=first_integration)
    stop = 0
    for number, product in enumerate(ordered):
        if product.arrays["data"].shape[-2:] != ordered[0].arrays["data"].shape[-2:]:
            raise InputError(f"its images have another shape than those of {ordered[0].path}", path=product.path)
        if number and first_integration(product) < stop:
            raise InputError(f"has integrations that {ordered[number - 1].path} has, too", path=product.path)
        stop = first_integration(product) + product.arrays["data"].shape[0]
    return tuple(ordered)
