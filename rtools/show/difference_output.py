"""The difference of two images in files: a picture of A, B and what is between them, or arrays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from rtools.errors import InputError
from rtools.products.schema import history
from rtools.products.schema.nodes import readable
from rtools.show.differences import ImagePair, pair_of_images
from rtools.show.image import load_image, named_array
from rtools.show.plot import GREY
from rtools.show.stretch import find_limits, normalisation, shrink
from rtools.show.terminal import colour_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rtools.products.io.face import ProductFace

__all__ = ["image_pair", "plot_difference", "write_difference"]

SIDE = 1000
"""Pixels of an image are put together until its longer side has no more than about so many."""

SIGMAS = 5.0
"""Differences that have the deepest colours, in units of the error."""


def image_pair(first: ProductFace, second: ProductFace, array: str | None = None) -> ImagePair:
    """The images whose difference is written.

    Parameters
    ----------
    first, second : rtools.products.io.ProductFace
        Opened.
    array : str, optional
        Name of the array, ``data`` by default.

    Returns
    -------
    ImagePair
        Whole images, of two axes.

    Raises
    ------
    InputError
        There is no such array in both, or it is no image of one size.
    """
    name = named_array(first, array or "data")
    pair = pair_of_images(first, second, name)
    if pair is None or pair.one.ndim != 2:
        raise InputError(f"-o: the array {name} is no image of one size in both", path=first.path)
    return pair


def write_difference(
    file: BinaryIO, pair: ImagePair, about: dict[str, Any], inputs: Sequence[str], path: str | Path
) -> None:
    """Write the difference as ASDF, which says what made it.

    Parameters
    ----------
    file : binary file
        Open for writing.
    pair : ImagePair
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
    from rtools.products.io.recording import recorded
    from rtools.products.io.staging import serialise, write_file

    entry = history.entry("rt-diff", parameters=about, inputs=inputs)
    said = about | {"error_of": pair.error_of or None, "unit": pair.unit or None}
    meta, entries = recorded(said, [entry], path)
    tree: dict[str, Any] = {"meta": meta, "data": _difference(pair)}
    if pair.err is not None:
        tree["sigma"] = _sigmas(pair)
    if pair.flags is not None:
        tree["dq"] = pair.flags
    head, inner, sources = serialise(tree, None, entries)
    write_file(file, head, inner, sources, compression="lz4")


def _difference(pair):
    with np.errstate(invalid="ignore", over="ignore"):
        return np.subtract(pair.two, pair.one, dtype=np.float32)


def _sigmas(pair):
    """The difference in units of the error; NaN where there is none."""
    error = pair.err.astype(np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(error > 0, _difference(pair) / error, np.nan).astype(np.float32)


def plot_difference(first: ProductFace, second: ProductFace, array: str | None = None) -> Figure:
    """A figure with A, B and their difference beside each other.

    Parameters
    ----------
    first, second : rtools.products.io.ProductFace
        Opened.
    array : str, optional
        As `image_pair` takes it.

    Returns
    -------
    matplotlib.figure.Figure
        A and B have one scale. The difference is in units of the error where there is one; of pixels that share a dot
        of the picture the one that differs most is shown, so that a single pixel is not lost.
    """
    from matplotlib.figure import Figure

    pair = image_pair(first, second, array)
    images = [load_image(product, array=named_array(product, array or "data")) for product in (first, second)]
    gap, label = _gap(pair, np.isnan(images[0].data) | np.isnan(images[1].data))
    factor = max(1, -(-max(gap.shape) // SIDE))
    tall = gap.shape[0] / gap.shape[1]
    figure = Figure(figsize=(15, max(2.5, 4.6 * min(tall, 2) + 1.2)), layout="constrained")
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    shown = [shrink(image.data, factor) for image in images]
    norm = normalisation(*find_limits(shown[0], None, "asinh"), "asinh")
    extent = _extent(gap.shape, factor)
    for axes, letter, image, values in zip(panels, "AB", images, shown, strict=False):
        drawn = _show(axes, np.clip(values, norm.vmin, norm.vmax), extent, norm=norm, cmap=_colours("inferno"))
        axes.set_title(readable(f"{letter}: {image.title}"), fontsize=8)
    figure.colorbar(drawn, ax=panels[1], label=images[0].unit or images[0].name, shrink=0.8)
    deep = SIGMAS if pair.err is not None else _deepest(gap)
    drawn = _show(panels[2], _extremes(gap, factor), extent, vmin=-deep, vmax=deep, cmap=_colours("RdBu_r"))
    panels[2].set_title(f"B - A, {images[0].name}", fontsize=8)
    figure.colorbar(drawn, ax=panels[2], label=label, shrink=0.8)
    for axes in panels:
        axes.set(xlim=(-0.5, gap.shape[1] - 0.5), ylim=(-0.5, gap.shape[0] - 0.5), xlabel="x [pixel]")
    panels[0].set_ylabel("y [pixel]")
    return figure


def _gap(pair, bad):
    """The difference as it is drawn, NaN where a pixel is bad in A or B, and what it is."""
    if pair.err is not None:
        gap, label = _sigmas(pair), f"sigma of {pair.error_of}"
    else:
        gap, label = _difference(pair), pair.unit or "B - A"
    gap[bad] = np.nan
    return gap, label


def _deepest(gap):
    """The difference that has the deepest colour where there are no errors: one percent is beyond it."""
    finite = np.abs(gap[np.isfinite(gap)])
    return float(np.percentile(finite, 99)) or float(finite.max()) or 1.0 if finite.size else 1.0


def _extremes(gap, factor):
    """Of each block the value that is farthest from zero."""
    high, low = shrink(gap, factor, highest=True), -shrink(-gap, factor, highest=True)
    return np.where(np.abs(low) > np.abs(high), low, high)


def _extent(shape, factor):
    rows, columns = (-(-length // factor) * factor for length in shape)
    return -0.5, columns - 0.5, -0.5, rows - 0.5


def _colours(name):
    from matplotlib.colors import ListedColormap

    return ListedColormap(colour_table(name) / 255).with_extremes(bad=GREY)


def _show(axes, values, extent, **settings):
    if "norm" in settings:
        settings["norm"].clip = False  # it would draw what is not a number as the highest value
    return axes.imshow(values, origin="lower", extent=extent, interpolation="nearest", **settings)
