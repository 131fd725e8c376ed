"""World coordinate systems that files hold: found beside a product, and moved between the frames of a detector."""

from pathlib import Path

from rtools.errors import InputError
from rtools.products import names, reader
from rtools.products.section import BORDER, frame_of, shift_between

__all__ = ["BORDER", "box_of", "level1_wcs", "load_wcs", "shifted_wcs"]


def load_wcs(product, path=None):
    """World coordinate system of a product's own pixels.

    Parameters
    ----------
    product : rtools.products.reader.Product
    path : str, optional
        A ``_wcs`` file, or an image of the same pointing; by default what the product holds, else the ``_wcs`` beside
        it.

    Returns
    -------
    gwcs.WCS

    Raises
    ------
    InputError
        There is none.
    """
    if path is None:
        if isinstance(product.tree["meta"].get("wcs"), dict):
            return product.node("meta.wcs")
        path = Path(product.path).with_name(f"{names.split_suffix(product.path)[0]}_wcs.asdf")
        if not path.exists():
            raise InputError("has no WCS", mend=f"give --wcs FILE; {path.name} is not there", path=product.path)
    with reader.open_product(path, ("wcs", "l2_image")) as holder:
        key = "meta.wcs" if holder.kind == "l2_image" else "wcs_l2"
        try:
            wcs = holder.node(key)
        except KeyError:
            wcs = None
        x, y = shift_between(product, holder)
    if wcs is None:
        raise InputError(f"has no {key}", path=path)
    if frame_of(product) == "l1":
        wcs, x, y = level1_wcs(wcs), x + BORDER, y + BORDER
    return wcs if (x, y) == (0, 0) else shifted_wcs(wcs, x, y)


def level1_wcs(wcs):
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


def shifted_wcs(wcs, x, y, box=None):
    """The same system for an image whose first pixel is another one.

    Parameters
    ----------
    wcs : gwcs.WCS
        Not changed.
    x, y : int
        The pixel that becomes 0, 0.
    box : tuple, optional
        Bounding box in the new pixels; by default the old one, moved.

    Returns
    -------
    gwcs.WCS
    """
    from astropy.modeling.models import Shift

    if box is None and wcs.bounding_box is not None:
        box = tuple((low - first, high - first) for (low, high), first in zip(box_of(wcs), (x, y), strict=True))
    shifted = wcs.__class__(wcs.pipeline)
    shifted.insert_transform(shifted.available_frames[0], Shift(float(x)) & Shift(float(y)), after=True)
    if box is not None:
        shifted.bounding_box = box
    return shifted


def box_of(wcs):
    """Bounding box of a gwcs that has one: ((x0, x1), (y0, y1)) as plain floats."""
    box = wcs.bounding_box
    intervals = box.bounding_box(order="F") if hasattr(box, "bounding_box") else box
    return tuple(tuple(float(getattr(edge, "value", edge)) for edge in interval) for interval in intervals)
