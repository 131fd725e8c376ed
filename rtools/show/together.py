"""Pictures of several images on one grid: in colour, and one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

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

__all__ = ["blinking_frames", "plot_colours"]

FRAME_SIDE = 1000
"""Dots along the longer side of an animation; small images are magnified to about so many."""

GREY = 90
"""Shade of pixels of which nothing is known."""


def _load(products, wishes, tell):
    """What is shown of each, and where it is on the sky. A section is that of the first; the others follow the sky."""
    systems = [system_of(product) for product in products]
    on_sky = all(system is not None for system in systems)
    images = []
    for number, product in enumerate(products):
        own = meant(product, wishes, IMAGE[product.mission])
        own = replace(own, section=None, frame=None) if number and on_sky else own
        images.append(load_shown(product, own, tell, None))
        if images[-1].kind != "image":
            raise InputError(f"the array {images[-1].name} holds {images[-1].kind}, no values", path=product.path)
    if not on_sky:
        tell("note", "not all images have world coordinates: they are laid on each other pixel by pixel")
        systems = [None] * len(systems)
    return images, systems


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
    images, systems = _load(products, wishes, tell)
    aligned = align_images(images, systems, plot.SIDE)
    colours = lupton_colours(aligned.planes, scales)
    first = images[0]
    title = wishes.title if wishes.title is not None else _colour_title(products, images)
    over = load_overlays(products[0], first, wishes, tell)
    return plot.plot_image(first, **over, colours=colours, title=title, grid=wishes.grid, bare=wishes.bare)


def _colour_title(products, images):
    """The optical elements of the three, or the names of the files."""
    names = []
    for product, image in zip(products, images, strict=True):
        instrument = product.meta.get("instrument") or {}
        names.append(str(instrument.get("optical_element") or instrument.get("filter") or image.title))
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
    images, systems = _load(products, wishes, tell)
    planes = align_images(images, systems, FRAME_SIDE).planes
    norm = normalisation(*find_limits(planes[0], wishes.limits, wishes.stretch), wishes.stretch)
    frames = [_frame(plane, norm, wishes.cmap) for plane in planes]
    names = [image.title for image in images]
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
