"""World coordinate systems moved between the pixel frames of a detector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtools.wfi.frame import BORDER

if TYPE_CHECKING:
    from gwcs import WCS

__all__ = ["box_of", "level1_wcs", "shifted_wcs"]


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
    box = None
    if wcs.bounding_box is not None:
        (x0, x1), (y0, y1) = box_of(wcs)
        box = (x0, x1 + 2 * BORDER), (y0, y1 + 2 * BORDER)
    return shifted_wcs(wcs, -BORDER, -BORDER, box)


def shifted_wcs(wcs: WCS, x: int, y: int, box: Box | None = None) -> WCS:
    """The same system for an image whose first pixel is another one.

    Parameters
    ----------
    wcs : gwcs.WCS
        Not changed.
    x, y : int
        The pixel that becomes 0, 0.
    box : tuple, optional
        Bounding box ((x0, x1), (y0, y1)) in the new pixels; by default the old one, moved.

    Returns
    -------
    gwcs.WCS
        A shift by `x` and `y` stands before its first transform.
    """
    from astropy.modeling.models import Shift

    if box is None and wcs.bounding_box is not None:
        (x0, x1), (y0, y1) = box_of(wcs)
        box = (x0 - x, x1 - x), (y0 - y, y1 - y)
    shifted = wcs.__class__(wcs.pipeline)
    shifted.insert_transform(shifted.available_frames[0], Shift(float(x)) & Shift(float(y)), after=True)
    if box is not None:
        shifted.bounding_box = box
    return shifted


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
    box = wcs.bounding_box
    intervals = box.bounding_box(order="F") if hasattr(box, "bounding_box") else box
    (x0, x1), (y0, y1) = (tuple(float(getattr(edge, "value", edge)) for edge in interval) for interval in intervals)
    return (x0, x1), (y0, y1)
