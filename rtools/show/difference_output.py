"""The difference of two images in files: a picture of A, B and what is between them, or arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.products.schema import history
from rtools.products.schema.nodes import readable
from rtools.show.image import ShownPlane, load_image, named_array
from rtools.show.image_pairs import BLOCK, ImagePair, SharedArray, pair_in, rows_of_pair, shared_array
from rtools.show.plot import colour_map, extent_of
from rtools.show.stretch import deepest, find_limits, normalisation, shrink

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rtools.products.io.face import ProductFace

__all__ = ["plot_difference", "shared_image", "write_difference"]

SIDE = 1000
"""Pixels of an image are put together until its longer side has no more than about so many."""

SIGMAS = 5.0
"""Differences that have the deepest colours, in units of the error."""


def shared_image(first: ProductFace, second: ProductFace, array: str | None = None) -> SharedArray:
    """The images whose difference is written.

    Parameters
    ----------
    first, second : rtools.products.io.ProductFace
        Opened.
    array : str, optional
        Name of the array, ``data`` by default.

    Returns
    -------
    SharedArray
        Of two axes.

    Raises
    ------
    InputError
        There is no such array in both, or it is no image of one size.
    """
    name = named_array(first, array or "data")
    shared = shared_array(first, second, name)
    if shared is None or len(shared.shape) != 2:
        raise InputError(f"-o: the array {name} is no image of one size in both", path=first.path)
    return shared


def write_difference(
    file: BinaryIO, shared: SharedArray, about: dict[str, Any], inputs: Sequence[str], path: str | Path
) -> None:
    """Write the difference as ASDF, which says what made it; some rows are in memory at a time.

    Parameters
    ----------
    file : binary file
        Open for writing.
    shared : SharedArray
        The images.
    about : dict
        What they are: a, b, array.
    inputs : sequence of str
        The two files, as they were typed.
    path : str or Path
        Where the difference will appear.

    Notes
    -----
    ``roman.data`` is B - A, ``roman.sigma`` the same in units of the errors where there are some, ``roman.dq`` the
    flags of both together, and ``roman.meta`` says what they are of.
    """
    from rtools.products.io.arrays import array_node
    from rtools.products.io.recording import recorded
    from rtools.products.io.staging import serialise, write_file

    entry = history.entry("rt-diff", parameters=about, inputs=inputs)
    said = about | {"error_of": shared.error_of or None, "unit": shared.unit or None}
    meta, entries = recorded(said, [entry], path)
    makers: dict[str, Callable[[ImagePair], np.ndarray]] = {"data": _difference}
    if shared.error:
        makers["sigma"] = _sigmas
    if shared.flags:
        makers["dq"] = _flags
    kinds = {name: make(pair_in(shared, slice(0, 1))).dtype for name, make in makers.items()}
    sources = [_RowBytes(shared, kinds[name], make) for name, make in makers.items()]
    nodes = {name: array_node(np.broadcast_to(np.zeros((), kinds[name]), shared.shape), number)
             for number, name in enumerate(makers)}  # fmt: skip
    head, inner, blocks = serialise({"meta": meta, **nodes}, None, entries, sources)
    write_file(file, head, inner, blocks, compression="lz4")


class _RowBytes:
    """The bytes of an array that is made of two images when it is written, some rows at a time."""

    compression: str | None = "lz4"

    def __init__(self, shared: SharedArray, dtype: np.dtype, make: Callable[[ImagePair], np.ndarray]) -> None:
        rows, columns = shared.shape
        self.nbytes = rows * columns * dtype.itemsize
        self._rows = max(1, BLOCK // columns)
        self._size = self._rows * columns * dtype.itemsize
        self._make = lambda part: make(pair_in(shared, part)).astype(dtype.newbyteorder("<")).tobytes()
        self._kept = -1, b""

    def __getitem__(self, span: slice) -> bytes | memoryview:
        start, stop, _step = span.indices(self.nbytes)
        pieces = []
        while start < stop:
            number, first = divmod(start, self._size)
            pieces.append(self._block(number)[first : first + stop - start])
            start += len(pieces[-1])
        return b"".join(pieces)

    def _block(self, number):
        if self._kept[0] != number:
            self._kept = number, self._make(slice(number * self._rows, (number + 1) * self._rows))
        return self._kept[1]


def _difference(pair):
    with np.errstate(invalid="ignore", over="ignore"):
        return np.subtract(pair.two, pair.one, dtype=np.float32)


def _sigmas(pair):
    """The difference in units of the error; NaN where there is none."""
    error = pair.err.astype(np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(error > 0, _difference(pair) / error, np.nan).astype(np.float32)


def _flags(pair):
    return pair.flags


class _Drawn(NamedTuple):
    """What a picture shows of two images, averaged to its size.

    Attributes
    ----------
    images : list of ShownPlane
        A and B: names, units and titles; their data are those of a block of rows.
    shown : list of ndarray
        A and B.
    gap : ndarray
        Of each block of pixels the difference that is farthest from zero.
    """

    images: list[ShownPlane]
    shown: list[np.ndarray]
    gap: np.ndarray


def plot_difference(first: ProductFace, second: ProductFace, array: str | None = None) -> Figure:
    """A figure with A, B and their difference beside each other.

    Parameters
    ----------
    first, second : rtools.products.io.ProductFace
        Opened.
    array : str, optional
        As `shared_image` takes it.

    Returns
    -------
    matplotlib.figure.Figure
        A and B have one scale. The difference is in units of the error where there is one; of pixels that share a dot
        of the picture the one that differs most is shown, so that a single pixel is not lost.
    """
    from matplotlib.figure import Figure

    shared = shared_image(first, second, array)
    factor = max(1, -(-max(shared.shape) // SIDE))
    drawn = _averaged(shared, factor)
    name, (rows, columns) = drawn.images[0].name, shared.shape
    figure = Figure(figsize=(15, max(2.5, 4.6 * min(rows / columns, 2) + 1.2)), layout="constrained")
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    norm = normalisation(*find_limits(drawn.shown[0], None, "asinh"), "asinh")
    extent = extent_of(shared.shape, factor)
    for axes, letter, image, values in zip(panels, "AB", drawn.images, drawn.shown, strict=False):
        seen = _show(axes, np.clip(values, norm.vmin, norm.vmax), extent, norm=norm, cmap=colour_map("inferno"))
        axes.set_title(readable(f"{letter}: {image.title}"), fontsize=8)
    figure.colorbar(seen, ax=panels[1], label=drawn.images[0].unit or name, shrink=0.8)
    deep = SIGMAS if shared.error else deepest(drawn.gap)
    seen = _show(panels[2], drawn.gap, extent, vmin=-deep, vmax=deep, cmap=colour_map("RdBu_r"))
    panels[2].set_title(f"B - A, {name}", fontsize=8)
    label = f"sigma of {shared.error_of}" if shared.error else shared.unit or "B - A"
    figure.colorbar(seen, ax=panels[2], label=label, shrink=0.8)
    for axes in panels:
        axes.set(xlim=(-0.5, columns - 0.5), ylim=(-0.5, rows - 0.5), xlabel="x [pixel]")
    panels[0].set_ylabel("y [pixel]")
    return figure


def _averaged(shared, factor):
    """What is drawn, made of some rows at a time; pixels that are bad in A or B have no difference."""
    shown: tuple[list, list, list] = ([], [], [])
    for rows, pair in rows_of_pair(shared, factor):
        images = [
            load_image(product, array=shared.name, section=f":,{rows.start}:{rows.stop}") for product in shared.products
        ]
        gap = _sigmas(pair) if shared.error else _difference(pair)
        gap[np.isnan(images[0].data) | np.isnan(images[1].data)] = np.nan
        for parts, values in zip(shown, [shrink(image.data, factor) for image in images], strict=False):
            parts.append(values)
        shown[2].append(_extremes(gap, factor))
    one, two, gap = (np.concatenate(parts) for parts in shown)
    return _Drawn(images, [one, two], gap)


def _extremes(gap, factor):
    """Of each block the value that is farthest from zero."""
    high, low = shrink(gap, factor, highest=True), -shrink(-gap, factor, highest=True)
    return np.where(np.abs(low) > np.abs(high), low, high)


def _show(axes, values, extent, **settings):
    if "norm" in settings:
        settings["norm"].clip = False  # it would draw what is not a number as the highest value
    return axes.imshow(values, origin="lower", extent=extent, interpolation="nearest", **settings)
