"""Images of several products on the pixels of the first one, small enough for a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.products.edit.wcs import load_wcs
from rtools.show.stretch import shrink
from rtools.wfi.sphere import separation

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace
    from rtools.show.image import ShownPlane

__all__ = ["AlignedImages", "align_images", "sample", "system_of", "transfer"]

NODES = 33
"""Places along each axis where both world coordinate systems are asked; between them a spline is within 0.01 pixel."""


class AlignedImages(NamedTuple):
    """Images on one grid.

    Attributes
    ----------
    planes : list of ndarray float32, (rows, columns)
        NaN where an image knows nothing.
    factor : int
        Pixels of the first image along each side of a pixel of the grid.
    """

    planes: list[np.ndarray]
    factor: int


def system_of(product: ProductFace) -> Any:
    """World coordinates of a product's pixels.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened.

    Returns
    -------
    gwcs.WCS or None
        None where it has none.
    """
    try:
        return load_wcs(product)
    except InputError:
        return None


def align_images(images: Iterable[ShownPlane], systems: Sequence[Any], side: int) -> AlignedImages:
    """Put images on the pixels of the first.

    Parameters
    ----------
    images : iterable of rtools.show.image.ShownPlane
        What is shown of each product; they are taken one after the other, and only the first is kept.
    systems : sequence of gwcs.WCS or None
        As `system_of` gives them.
    side : int
        Pixels are averaged until the longer side of the first has no more than about so many.

    Returns
    -------
    AlignedImages
        Images without world coordinates are laid on each other pixel by pixel, if they are of one shape.

    Raises
    ------
    InputError
        One of them has no world coordinates and is of another shape, or lies elsewhere on the sky.
    """
    images = iter(images)
    first = next(images)
    factor = max(1, -(-max(first.data.shape) // side))
    planes = [shrink(first.data, factor)]
    for image, system in zip(images, systems[1:], strict=True):
        if systems[0] is None or system is None:
            if image.data.shape != first.data.shape:
                raise InputError(f"{image.title} has no world coordinates, and is not of the first image's shape")
            planes.append(shrink(image.data, factor))
            continue
        own = max(1, round(factor * _ratio(systems[0], system, first, image)))
        x, y = transfer(systems[0], system, _centres(first, factor))
        found = sample(shrink(image.data, own), (x - image.x + 0.5) / own - 0.5, (y - image.y + 0.5) / own - 0.5)
        if not np.isfinite(found).any():
            raise InputError(f"{image.title} lies elsewhere on the sky than {first.title}")
        planes.append(found)
    return AlignedImages(planes, factor)


def _centres(image, factor):
    """Columns and rows of the middles of blocks, in pixels of the file."""
    rows, columns = (np.arange(-(-length // factor)) * factor + (factor - 1) / 2 for length in image.data.shape)
    return columns + image.x, rows + image.y


def _ratio(first, second, image, other):
    """Pixels of the second system beside one of the first, in the middle of both images."""
    scales = []
    for system, shown in ((first, image), (second, other)):
        y, x = (start + length / 2 for start, length in zip((shown.y, shown.x), shown.data.shape, strict=True))
        ra, dec = (np.asarray(part, float) for part in system([x, x + 1], [y, y], with_bounding_box=False))
        scales.append(float(separation(ra[0], dec[0], ra[1], dec[1])))
    return scales[0] / scales[1] if scales[1] > 0 else 1.0


def transfer(
    first: Callable[..., Any], second: Any, places: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Where the pixels of one image are in another.

    Parameters
    ----------
    first, second : gwcs.WCS
        World coordinates of both; the second is inverted.
    places : (ndarray, ndarray)
        Columns and rows in the first, each in ascending order.

    Returns
    -------
    (ndarray, ndarray)
        x and y in the second, of as many rows and columns as `places` has.
    """
    from scipy.interpolate import RectBivariateSpline

    columns, rows = places
    nodes = [np.linspace(axis[0], axis[-1] + (axis[-1] == axis[0]), NODES) for axis in (columns, rows)]
    ra, dec = first(*np.meshgrid(*nodes), with_bounding_box=False)
    x, y = (np.asarray(part, float) for part in second.invert(ra, dec, with_bounding_box=False))
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        nothing = np.full((len(rows), len(columns)), np.nan)
        return nothing, nothing
    return tuple(RectBivariateSpline(nodes[1], nodes[0], part)(rows, columns) for part in (x, y))  # type: ignore[return-value]


def sample(data: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Values of an image between its pixels, by linear interpolation.

    Parameters
    ----------
    data : ndarray (rows, columns)
        NaN where nothing is known.
    x, y : ndarray
        Columns and rows.

    Returns
    -------
    ndarray float32
        Like `x`. What is not known has no weight; NaN where what is known has less than half.
    """
    from scipy.ndimage import map_coordinates

    known = np.isfinite(data)
    places = np.nan_to_num(np.array([y, x]), nan=-1e9)
    weight = map_coordinates(known.astype(np.float32), places, order=1, cval=0.0)
    total = map_coordinates(np.where(known, data, 0).astype(np.float32), places, order=1, cval=0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weight >= 0.5, total / weight, np.nan).astype(np.float32)
