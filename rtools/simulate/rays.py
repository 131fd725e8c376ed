"""Cosmic rays: straight tracks through the detector, anywhere, in any direction, at any time of the exposure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rtools.simulate import assumed
from rtools.simulate.streams import generator
from rtools.wfi.frame import BORDER

__all__ = ["cosmic_rays", "window_rays"]


def cosmic_rays(
    shape: tuple[int, int],
    last_read: int,
    frame_time: float,
    *stream: object,
    numbers: Mapping[str, Any] = assumed.RAYS,
    border: int = BORDER,
) -> dict[str, np.ndarray]:
    """Draw the hits of an exposure.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the frame, border included.
    last_read : int
        Reads of the exposure; hits arrive between the reset, one frame before the first, and the last.
    frame_time : float
        Seconds per read.
    *stream
        What the random numbers are keyed by.
    numbers : mapping of str to object
        As `assumed.RAYS`.
    border : int
        Rows and columns at each edge that collect no charge.

    Returns
    -------
    dict of ndarray
        ``row``, ``column`` (full frame), ``read`` (the first that sees it) int64, ``electrons`` float64; in order of
        row, column, read. Light-sensitive pixels only.

    Notes
    -----
    A track loses dE/dx per length, of the distribution of Moyal (1955, Phil. Mag. 46, 263); a pixel on it gains
    dE/dx · pixel / (eV per electron) · sqrt(d² + l²) electrons (Poisson), l its path in the pixel's plane and d the
    depth, in pixels.
    """
    from rtools.simulate._ray_kernels import Tracks, walk

    rng = generator(*stream, "cosmic rays")
    rows, columns = shape
    rate = numbers["per_cm2_s"] * numbers["area_cm2"] * rows * columns / numbers["pixels"]
    count = rng.poisson(rate * frame_time * last_read)
    x, y = rng.uniform(-0.5, columns - 0.5, count), rng.uniform(-0.5, rows - 0.5, count)
    angle = rng.uniform(0, 2 * np.pi, count)
    length = _lengths(rng.random(count), numbers)
    loss = _losses(rng, count, numbers)
    read = np.ceil(rng.random(count) * last_read).astype(np.int64)
    track, row, column, path = walk(Tracks(x, y, angle, length / numbers["pixel_um"]), shape)
    electrons = _electrons(rng, loss[track], path, numbers)
    read = np.maximum(read[track], 1)
    inside = (row >= border) & (row < rows - border) & (column >= border) & (column < columns - border)
    keep = np.flatnonzero(inside & (electrons > 0))
    keep = keep[np.lexsort((read[keep], column[keep], row[keep]))]
    return {"row": row[keep], "column": column[keep], "read": read[keep], "electrons": electrons[keep]}


def window_rays(shape: tuple[int, int], pairs: int, duration: float, *stream: object) -> dict[str, np.ndarray]:
    """Draw the hits of a small window that is reset and read again and again.

    Parameters
    ----------
    shape : (int, int)
        Its rows and columns.
    pairs : int
        How often it is read.
    duration : float
        Seconds in which it collects charge each time.
    *stream
        What the random numbers are keyed by.

    Returns
    -------
    dict of ndarray
        ``pair``, ``row``, ``column`` int64, ``electrons`` float64; in this order.

    Notes
    -----
    Tracks begin in the window: what comes from the sides is made up for by what leaves through them.
    """
    from rtools.simulate._ray_kernels import Tracks, walk

    rng, numbers = generator(*stream, "cosmic rays"), assumed.RAYS
    rows, columns = shape
    rate = numbers["per_cm2_s"] * numbers["area_cm2"] * rows * columns / numbers["pixels"]
    count = rng.poisson(rate * duration * pairs)
    pair = rng.integers(0, max(pairs, 1), count)
    x, y = rng.uniform(-0.5, columns - 0.5, count), rng.uniform(-0.5, rows - 0.5, count)
    angle, length = rng.uniform(0, 2 * np.pi, count), _lengths(rng.random(count), numbers)
    loss = _losses(rng, count, numbers)
    track, row, column, path = walk(Tracks(x, y, angle, length / numbers["pixel_um"]), shape)
    electrons = _electrons(rng, loss[track], path, numbers)
    order = np.lexsort((column, row, pair[track]))
    found = {"pair": pair[track], "row": row, "column": column, "electrons": electrons}
    return {key: values[order] for key, values in found.items()}


def _electrons(rng, loss, path, numbers):
    """What pixels gain along paths, pixels, with losses in eV/µm."""
    per_pixel = loss * numbers["pixel_um"] / numbers["ev_per_electron"]
    return rng.poisson(per_pixel * np.hypot(numbers["depth_pixels"], path)).astype(float)


def _lengths(uniform, numbers):
    """Deviates of p ∝ L^slope between the limits, micron."""
    power = numbers["length_slope"] + 1
    low, high = (limit**power for limit in numbers["length_um"])
    return (low + (high - low) * uniform) ** (1 / power)


def _losses(rng, count, numbers):
    """Moyal deviates in eV/µm: z = -ln n² with n normal; those outside the range are drawn again."""
    location, scale = numbers["loss_ev_um"]
    low, high = numbers["loss_range_ev_um"]
    losses = np.full(count, np.nan)
    while (wrong := np.flatnonzero(~((losses >= low) & (losses <= high)))).size:
        losses[wrong] = location - scale * np.log(rng.standard_normal(wrong.size) ** 2)
    return losses
