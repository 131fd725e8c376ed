"""Pictures of guide windows: stacks, montages, movies."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from rtools.guide import Montage, Stack

__all__ = ["MovieFrame", "plot_montage", "plot_stack", "save_movie"]

LARGEST = 480
"""Pixels of the longer side of a movie, about."""

COLOURS = 200
"""Of a movie; GIF has no more than 256."""

FRAME_MS = 80
"""Milliseconds that a frame of a movie is shown."""


class MovieFrame(NamedTuple):
    """One picture of a movie.

    Attributes
    ----------
    image : ndarray float32 (rows, columns)
        Electrons; NaN outside of the window.
    mark : tuple of float or None
        x, y of the star in the picture.
    dropped : bool
        Whether the pair is not used.
    """

    image: NDArray[np.float32]
    mark: tuple[float, float] | None
    dropped: bool


def _stretched(values: NDArray[np.float32], limits: tuple[float, float]) -> NDArray[np.float64]:
    """Values from 0 to 1 by an inverse hyperbolic sine, which shows star and sky alike."""
    low, high = limits
    soft = max((high - low) / 50, 1e-9)
    return np.clip(np.arcsinh((values - low) / soft) / np.arcsinh((high - low) / soft), 0, 1)


def _limits(values: NDArray[np.float32]) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = (float(one) for one in np.percentile(finite, (1, 99.9)))
    return (low, high) if high > low else (low, low + 1)


def plot_stack(stack: Stack, title: str) -> Figure:
    """A stack beside its error.

    Parameters
    ----------
    stack : rtools.guide.Stack
        What to draw.
    title : str
        Above it.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.4), layout="constrained")
    x, y = stack.lower
    rows, columns = stack.image.shape
    extent = (x - 0.5, x + columns - 0.5, y - 0.5, y + rows - 0.5)
    low, high = _limits(stack.image)
    error = np.sqrt(stack.variance)
    panels = [(stack.image, "electron", "asinh", (low, high)), (error, "error [electron]", "linear", _limits(error))]
    for axes, (plane, label, norm, limits) in zip(figure.subplots(1, 2), panels, strict=True):
        drawn = axes.imshow(plane, origin="lower", cmap="inferno", norm=norm, extent=extent, interpolation="nearest")
        drawn.set_clim(*limits)
        figure.colorbar(drawn, ax=axes, label=label, shrink=0.85)
        axes.set(xlabel="x [pixel]", ylabel="y [pixel]")
    figure.suptitle(title, fontsize=10)
    return figure


def plot_montage(montage: Montage, labels: list[str], dropped: list[bool], title: str) -> Figure:
    """Images side by side, with their numbers; those that are not used are framed.

    Parameters
    ----------
    montage : rtools.guide.Montage
        The images.
    labels : list of str
        Of each.
    dropped : list of bool
        Whether it is not used.
    title : str
        Above all.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    rows, columns = montage.image.shape
    figure = Figure(figsize=(min(max(columns / 16, 5), 16), min(max(rows / 16, 4), 16)), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(
        _stretched(montage.image, _limits(montage.image)), origin="lower", cmap="inferno", interpolation="nearest"
    )
    side = montage.corners[1][0] - montage.corners[0][0] if len(montage.corners) > 1 else columns
    for (x, y), label, left_out in zip(montage.corners.tolist(), labels, dropped, strict=True):
        axes.text(x, y, label, color="white", fontsize=6, va="bottom")
        if left_out:
            axes.add_patch(Rectangle((x - 0.5, y - 0.5), side - 1, side - 1, fill=False, color="tab:red", lw=1.2))
    axes.set_axis_off()
    axes.set_title(title, fontsize=10)
    return figure


def save_movie(file: BinaryIO, frames: list[MovieFrame]) -> None:
    """Write a movie as GIF.

    Parameters
    ----------
    file : file object
        Open for writing bytes.
    frames : list of MovieFrame
        In the order of time; all of one size.
    """
    from matplotlib import colormaps
    from PIL import Image, ImageDraw

    limits = _limits(np.stack([frame.image for frame in frames]))
    rows, columns = frames[0].image.shape
    zoom = max(LARGEST // max(rows, columns), 1)
    pictures = []
    for frame in frames:
        shades = _stretched(np.nan_to_num(frame.image, nan=limits[0]), limits)
        colours = (colormaps["inferno"](shades[::-1])[..., :3] * 255).astype(np.uint8)
        picture = Image.fromarray(colours).resize((columns * zoom, rows * zoom), Image.Resampling.NEAREST)
        draw = ImageDraw.Draw(picture)
        if frame.mark is not None and np.isfinite(frame.mark).all():
            x, y = (frame.mark[0] + 0.5) * zoom, (rows - frame.mark[1] - 0.5) * zoom
            draw.ellipse((x - zoom, y - zoom, x + zoom, y + zoom), outline=(80, 255, 80), width=max(zoom // 10, 1))
        if frame.dropped:
            draw.rectangle((0, 0, columns * zoom - 1, rows * zoom - 1), outline=(255, 60, 60), width=max(zoom // 4, 2))
        pictures.append(picture.quantize(COLOURS))
    pictures[0].save(file, format="GIF", save_all=True, append_images=pictures[1:], duration=FRAME_MS, loop=0)
