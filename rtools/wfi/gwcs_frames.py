"""World coordinate systems moved between the pixel frames of a detector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtools.wfi.frame import BORDER

if TYPE_CHECKING:
    from gwcs import WCS

__all__ = ["box_of", "inputs_of", "intervals_of", "level1_wcs", "shifted_wcs"]


Box = tuple[tuple[float, float], tuple[float, float]]


def level1_wcs(wcs: WCS) -> WCS:
    """The same system for pixels of a level 1 frame, which has a border of 4 reference pixels.

    Parameters
    ----------
    wcs : gwcs.WCS
        Of the trimmed image; not changed.

    Returns
    -------
    gwcs.WCS
        Shifts of -4 stand before its first transform, and its bounding box is 8 pixels larger.
    """
    box: tuple[tuple[float, float], ...] | None = None
    if wcs.bounding_box is not None:
        (x0, x1), (y0, y1), *others = intervals_of(wcs)
        box = (x0, x1 + 2 * BORDER), (y0, y1 + 2 * BORDER), *others
    return shifted_wcs(wcs, -BORDER, -BORDER, box)


def shifted_wcs(wcs: WCS, x: int, y: int, box: tuple[tuple[float, float], ...] | None = None) -> WCS:
    """The same system for an image whose first pixel is another one.

    Parameters
    ----------
    wcs : gwcs.WCS
        Not changed.
    x, y : int
        The pixel that becomes 0, 0.
    box : tuple, optional
        Bounding box ((x0, x1), (y0, y1)) in the new pixels, of a cube with the interval of its planes; by default the
        old one, moved.

    Returns
    -------
    gwcs.WCS
        A shift by `x` and `y` stands before its first transform; planes of a cube keep their numbers.
    """
    from astropy.modeling.models import Identity, Shift

    if box is None and wcs.bounding_box is not None:
        (x0, x1), (y0, y1), *others = intervals_of(wcs)
        box = (x0 - x, x1 - x), (y0 - y, y1 - y), *others
    shift, further = Shift(float(x)) & Shift(float(y)), inputs_of(wcs) - 2
    shifted = wcs.__class__(wcs.pipeline)
    shifted.insert_transform(shifted.available_frames[0], shift & Identity(further) if further else shift, after=True)
    if box is not None:
        shifted.bounding_box = box
    return shifted


def inputs_of(wcs: WCS) -> int:
    """How many numbers a pixel has for a gwcs: 2 of an image, 3 of a cube.

    Parameters
    ----------
    wcs : gwcs.WCS
        With a transform at least.

    Returns
    -------
    int
    """
    return int(wcs.pipeline[0].transform.n_inputs)


def box_of(wcs: WCS) -> Box:
    """Bounding box of a gwcs that has one.

    Parameters
    ----------
    wcs : gwcs.WCS
        Its `bounding_box` is not None.

    Returns
    -------
    tuple of two tuple of float
        ((x0, x1), (y0, y1)): the edges along x and along y, pixels, without units.
    """
    x, y, *_others = intervals_of(wcs)
    return x, y


def intervals_of(wcs: WCS) -> tuple[tuple[float, float], ...]:
    """Edges of the bounding box of a gwcs that has one, along each number that a pixel has; for a cube three.

    Parameters
    ----------
    wcs : gwcs.WCS
        Its `bounding_box` is not None.

    Returns
    -------
    tuple of tuple of float
        (x0, x1), (y0, y1) …, pixels, without units.
    """
    box = wcs.bounding_box
    intervals = box.bounding_box(order="F") if hasattr(box, "bounding_box") else box
    edges = (tuple(float(getattr(edge, "value", edge)) for edge in interval) for interval in intervals)
    return tuple((low, high) for low, high in edges)
