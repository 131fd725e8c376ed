"""Pictures of a report: PNG in data URIs, row 0 at the bottom, few colours so that they are small."""

from __future__ import annotations

import base64
import io

import numpy as np

from rtools.show.stretch import find_limits, normalisation
from rtools.show.terminal import colour_table

__all__ = ["count_uri", "image_uri", "segments_uri"]

SHADES = 31
"""Colours of a picture; one more is for pixels of which nothing is known, and transparent."""

LABELS = 12
"""Colours of sources."""


def image_uri(data: np.ndarray, *, stretch: str = "asinh", cmap: str = "inferno") -> str:
    """An image as a picture.

    Parameters
    ----------
    data : ndarray float (rows, columns)
        NaN where nothing is known.
    stretch : str
        One of `rtools.show.stretch.STRETCHES`.
    cmap : str
        Colour map of matplotlib.

    Returns
    -------
    str
        Its data URI.
    """
    low, high = find_limits(data, None, stretch)
    shade = np.ma.filled(normalisation(low, high, stretch)(np.where(np.isfinite(data), data, low)), 0.0)
    return _shaded(shade, np.isfinite(data), cmap)


def count_uri(data: np.ndarray, *, cmap: str = "viridis") -> str:
    """Numbers from 0 on as a picture: depths, weights.

    Parameters
    ----------
    data : ndarray float (rows, columns)
        NaN where nothing is known.
    cmap : str
        Colour map of matplotlib.

    Returns
    -------
    str
        Its data URI.
    """
    known = np.isfinite(data)
    highest = float(data[known].max()) if known.any() else 1.0
    return _shaded(np.clip(np.where(known, data, 0) / (highest if highest > 0 else 1.0), 0, 1), known, cmap)


def _shaded(shade, known, cmap):
    """Values from 0 to 1 in the colours of a map."""
    number = np.where(known, np.round(shade * (SHADES - 1)), SHADES).astype(np.uint8)
    colours = colour_table(cmap)[np.linspace(0, 255, SHADES).astype(int)]
    return _png(number, np.vstack([colours, [[127, 127, 127]]]), SHADES)


def segments_uri(labels: np.ndarray) -> str:
    """A segmentation map as a picture to be laid over its image: transparent where there is no source.

    Parameters
    ----------
    labels : ndarray of int (rows, columns)
        0 where there is no source.

    Returns
    -------
    str
        Its data URI.
    """
    number = np.where(labels > 0, 1 + (labels.astype(np.uint64) * 7) % LABELS, 0).astype(np.uint8)
    hues = colour_table("hsv")[np.linspace(0, 230, LABELS).astype(int)]
    return _png(number, np.vstack([[[0, 0, 0]], hues]), 0)


def _png(number, colours, transparent):
    """Numbers of colours as PNG."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(number[::-1]), "P")
    image.putpalette(np.asarray(colours, np.uint8).tobytes())
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True, transparency=transparent)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
