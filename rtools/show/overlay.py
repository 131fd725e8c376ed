"""What lies over an image: the sky, sources of a catalog, outlines of segments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError, about
from rtools.products.edit.section import cutout_of, origin_of, shift_between
from rtools.products.opening import open_any
from rtools.products.tables.column_names import missing_positions, sky_columns
from rtools.products.tables.files import read_catalog
from rtools.products.tables.positions import read_positions
from rtools.show.columns import column_values
from rtools.wfi.sphere import signed_turn
from rtools.wfi.units import DEGREE_ARCSEC
from rtools.work import Work

if TYPE_CHECKING:
    from astropy.table import Table

    from rtools.products.io.face import ProductFace
    from rtools.show.image import ShownPlane

__all__ = ["CLASSES", "classes_of", "compass", "load_classed", "load_outlines", "load_sources"]

CLASSES = ("point", "extended", "flagged")
"""Kinds of sources that have different marks."""

FLAGS = ("warning_flags", "image_flags")
"""Columns whose flags make a source a flagged one; others tell of a PSF that did not fit."""

PIXELS = (("x_centroid", "y_centroid"), ("xcentroid", "ycentroid"), ("x", "y"), ("X", "Y"))


def compass(wcs: Any, x: float, y: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Directions of north and east in pixels, and the scale at a place.

    Parameters
    ----------
    wcs : gwcs.WCS
        Pixels to degrees.
    x, y : float
        The pixel.

    Returns
    -------
    (ndarray (2,), ndarray (2,), float)
        North and east as unit vectors (x, y), and arcsec per pixel.

    Raises
    ------
    InputError
        The WCS gives no position there.
    """
    ra, dec = (np.asarray(part, float) for part in wcs([x, x + 1, x], [y, y, y + 1], with_bounding_box=False))
    if not np.all(np.isfinite([ra, dec])):
        raise InputError("the WCS gives no sky position in this region")
    east = signed_turn(np.diff(ra[[0, 1, 0, 2]])[::2])
    jacobian = np.array([east * np.cos(np.radians(dec[0])), dec[1:] - dec[0]])
    back = np.linalg.inv(jacobian)
    scale = np.sqrt(abs(np.linalg.det(jacobian))) * DEGREE_ARCSEC
    return back[:, 1] / np.hypot(*back[:, 1]), back[:, 0] / np.hypot(*back[:, 0]), float(scale)


def load_sources(path: str | Path, product: ProductFace, *, wcs: Any = None) -> np.ndarray:
    """Positions of a catalog's sources in pixels of a product.

    Parameters
    ----------
    path : str
        Parquet, ECSV, FITS, CSV …
    product : rtools.products.io.ProductFace
        What the sources are shown on.
    wcs : gwcs.WCS, optional
        Positions on the sky are used where there is one and the catalog has them; else its pixels, which are those of
        a whole L2 image, or of a mosaic.

    Returns
    -------
    ndarray
        x and y; NaN for positions that are not known.

    Raises
    ------
    InputError
        No table, or no positions in it.
    """
    return load_classed(path, product, wcs=wcs)[0]


def load_classed(path: str | Path, product: ProductFace, *, wcs: Any = None) -> tuple[np.ndarray, np.ndarray | None]:
    """Positions of a catalog's sources in pixels of a product, and what kind of source each is.

    Parameters
    ----------
    path, product, wcs
        As `load_sources` takes them.

    Returns
    -------
    (ndarray, ndarray of int or None)
        x and y; and the number of each source in `CLASSES`, None where the catalog does not tell points from extended
        sources and has no flags.

    Raises
    ------
    InputError
        No table, or no positions in it.
    """
    table = read_catalog(path)
    return _positions(table, path, product, wcs), classes_of(table)


def _positions(table, path, product, wcs):
    names = set(table.colnames)
    sky = sky_columns(table.colnames)
    pixels = next((pair for pair in PIXELS if set(pair) <= names), None)
    if sky and wcs is not None:
        with about(path):
            ra, dec, _columns = read_positions(table)
        x, y = wcs.invert(ra, dec, with_bounding_box=False)
        return np.array([x, y], float)
    if pixels:
        origin = np.array(origin_of(product))[:, None]
        return np.array([column_values(table, name) for name in pixels]) - origin
    if sky:
        raise InputError("its positions need a WCS, which the image has not", mend="give --wcs FILE", path=path)
    with about(path):
        raise missing_positions(table.colnames, "no positions", mend="call them ra and dec, or x and y in pixels")


def classes_of(table: Table) -> np.ndarray | None:
    """What kind each source of a catalog is. A flagged source may be of either kind, but counts as flagged.

    Parameters
    ----------
    table : astropy.table.Table
        A catalog.

    Returns
    -------
    ndarray of int or None
        The number of each source in `CLASSES`; None where the catalog does not tell points from extended sources and
        has no flags.
    """
    flags = [name for name in FLAGS if name in table.colnames]
    if "is_extended" not in table.colnames and not flags:
        return None
    found = np.zeros(len(table), int)
    if "is_extended" in table.colnames:
        found[column_values(table, "is_extended") == 1] = 1
    for name in flags:
        found[np.nan_to_num(column_values(table, name)) != 0] = 2
    return found


def load_outlines(path: str | Path, product: ProductFace, image: ShownPlane) -> np.ndarray:
    """Pixels at the edge of a segment, in the region that is shown.

    Parameters
    ----------
    path : str
        A ``_segm`` file.
    product : rtools.products.io.ProductFace
        What is shown.
    image : rtools.show.image.ShownPlane
        The region of it.

    Returns
    -------
    ndarray of bool, like the image

    Raises
    ------
    InputError
        It is not a segmentation map of such a frame.
    """
    with open_any(path) as segments:
        if "segm" not in segments.kind:
            raise InputError("not a segmentation map (_segm)", path=path)
        found, (dx, dy) = segments.arrays["data"].shape, shift_between(product, segments)
        whole = not (cutout_of(product) or cutout_of(segments))
        if whole and tuple(length - 2 * dx for length in found) != image.frame:  # dx is the border
            sizes = " and ".join(f"{columns} x {rows}" for rows, columns in (found, image.frame))
            raise InputError(f"segmentation map and image are of different size: {sizes} pixels", path=path)
        rows, columns = image.data.shape
        top, left = image.y + dy, image.x + dx
        labels = np.zeros((rows, columns), segments.arrays["data"].dtype.newbyteorder("="))
        y1, y2 = max(top, 0), min(top + rows, found[0])
        x1, x2 = max(left, 0), min(left + columns, found[1])
        if y1 < y2 and x1 < x2:
            with Work(2) as work:
                part = segments.rows("data", y1, y2, work)[:, x1:x2]
            labels[y1 - top : y2 - top, x1 - left : x2 - left] = part
    return _edges(labels)


def _edges(labels):
    """Pixels of a segment that have a neighbour of another one, or of none."""
    edge = np.zeros(labels.shape, bool)
    for here, there in (
        (np.s_[1:], np.s_[:-1]),
        (np.s_[:-1], np.s_[1:]),
        (np.s_[:, 1:], np.s_[:, :-1]),
        (np.s_[:, :-1], np.s_[:, 1:]),
    ):
        edge[here] |= labels[here] != labels[there]
    return edge & (labels > 0)
