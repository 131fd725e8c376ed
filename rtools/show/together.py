"""Pictures of several images on one grid: in colour, and one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.show import plot
from rtools.show.aligned import align_images, system_of
from rtools.show.colour import lupton_colours
from rtools.show.stretch import deepest, find_limits, normalisation
from rtools.show.terminal import colour_table
from rtools.show.view import load_overlays, load_shown
from rtools.show.wishes import IMAGE, Wishes, meant

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

    from rtools.products.io.face import ProductFace
    from rtools.show.image import ShownPlane

__all__ = ["blinking_frames", "plot_colours"]

FRAME_SIDE = 1000
"""Dots along the longer side of an animation; small images are magnified to about so many."""

GREY = 90
"""Shade of pixels of which nothing is known."""


class _Sources(NamedTuple):
    """Images that are laid on each other.

    Attributes
    ----------
    images : iterator of ShownPlane
        What is shown of each, read when it is taken. A section is that of the first; the others follow the sky.
    titles : list of str
        Names of those that have been taken.
    systems : list
        Where each is on the sky; None for all where one says nothing of it.
    first : ShownPlane
        The first of them.
    """

    images: Iterator[ShownPlane]
    titles: list[str]
    systems: list[Any]
    first: ShownPlane


def _load(products, wishes, tell):
    systems = [system_of(product) for product in products]
    on_sky = all(system is not None for system in systems)
    if not on_sky:
        tell("note", "not all images have world coordinates: they are laid on each other pixel by pixel")
        systems = [None] * len(systems)
    titles: list[str] = []

    def load(number):
        product = products[number]
        own = meant(product, wishes, IMAGE[product.mission])
        own = replace(own, section=None, frame=None) if number and on_sky else own
        image = load_shown(product, own, tell)
        if image.kind != "image":
            raise InputError(f"the array {image.name} holds {image.kind}, no values", path=product.path)
        titles.append(image.title)
        return image

    first = load(0)
    return _Sources(chain([first], map(load, range(1, len(products)))), titles, systems, first)


def plot_colours(
    products: Sequence[ProductFace],
    wishes: Wishes,
    tell: Callable[[str, str], None],
    scales: Sequence[float] | None = None,
) -> Figure:
    """A picture in colour of three images.

    Parameters
    ----------
    products : sequence of rtools.products.io.ProductFace
        Red, green and blue, opened. The picture has the pixels of the first.
    wishes : rtools.show.wishes.Wishes
        What is asked for; catalog, grid and compass are those of the first image.
    tell : callable
        Takes level and text of a message.
    scales : sequence of float, optional
        As `rtools.show.colour.lupton_colours` takes them.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        The images do not lie on each other.
    """
    found = _load(products, wishes, tell)
    aligned = align_images(found.images, found.systems, plot.SIDE)
    colours = lupton_colours(aligned.planes, scales)
    first = found.first
    title = wishes.title if wishes.title is not None else _colour_title(products, found.titles)
    over = load_overlays(products[0], first, wishes, tell)
    return plot.plot_image(first, **over, colours=colours, title=title, grid=wishes.grid, bare=wishes.bare)


def _colour_title(products, titles):
    """The optical elements of the three, or the names of the files."""
    names = []
    for product, title in zip(products, titles, strict=True):
        instrument = product.meta.get("instrument") or {}
        names.append(str(instrument.get("optical_element") or instrument.get("filter") or title))
    return "  ".join(f"{colour} {name}" for colour, name in zip(("red", "green", "blue"), names, strict=True))


def blinking_frames(
    products: Sequence[ProductFace], wishes: Wishes, tell: Callable[[str, str], None], *, difference: bool = False
) -> list[Image]:
    """Images one after the other, on the pixels of the first and with one scale.

    Parameters
    ----------
    products : sequence of rtools.products.io.ProductFace
        Opened.
    wishes : rtools.show.wishes.Wishes
        What is asked for; the names of the files stand in the frames unless it is bare.
    tell : callable
        Takes level and text of a message.
    difference : bool
        Behind them a frame shows by how much the last differs from the first, brighter where it is larger.

    Returns
    -------
    list of PIL.Image.Image
        Frames of one size.

    Raises
    ------
    InputError
        The images do not lie on each other.
    """
    found = _load(products, wishes, tell)
    planes = align_images(found.images, found.systems, FRAME_SIDE).planes
    norm = normalisation(*find_limits(planes[0], wishes.limits, wishes.stretch), wishes.stretch)
    frames = [_frame(plane, norm, wishes.cmap) for plane in planes]
    names = list(found.titles)
    if difference:
        gap = planes[-1] - planes[0]
        deep = deepest(gap)
        frames.append(_frame(gap, normalisation(-deep, deep, "linear"), "RdBu_r"))
        names.append(f"{names[-1]} - {names[0]}")
    return frames if wishes.bare else [_named(frame, name) for frame, name in zip(frames, names, strict=True)]


def _frame(plane: np.ndarray, norm: Any, cmap: str) -> Image:
    from PIL import Image

    known = np.isfinite(plane)
    shade = np.ma.filled(norm(np.where(known, plane, norm.vmin)), 0.0)
    colours = colour_table(cmap)[(np.clip(shade, 0, 1) * 255).round().astype(np.uint8)]
    colours[~known] = GREY
    times = max(1, FRAME_SIDE // max(plane.shape))
    image = Image.fromarray(np.ascontiguousarray(colours[::-1]))
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)


def _named(frame: Image, name: str) -> Image:
    """A frame with a line of text below it."""
    from PIL import Image, ImageDraw

    made = Image.new("RGB", (frame.width, frame.height + 20), "black")
    made.paste(frame, (0, 0))
    ImageDraw.Draw(made).text((6, frame.height + 4), name, fill="white")
    return made
