"""Outliers: what one exposure shows and the median of all exposures does not.

Each exposure is drizzled by itself; of these images, poorly covered pixels left out, the median is taken, carried
back to each detector (blotted) and compared with what the detector saw. Everything here works on some rows at a time,
on any thread, with the same result for any division into rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.wfi import metadata
from rtools.wfi.dq import PIXEL

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rtools.mosaic.drizzle.drizzle import Kernel
    from rtools.mosaic.grid.pixmap import PixMap

__all__ = [
    "BITS",
    "HALO",
    "InspectedImage",
    "OutlierLimits",
    "Reach",
    "blot",
    "flag_rows",
    "flag_stack",
    "level_of",
    "mark_touched",
    "rows_of",
]

BITS = np.uint32(PIXEL["DO_NOT_USE"] | PIXEL["OUTLIER"])
"""What an outlier is flagged with: DO_NOT_USE and OUTLIER."""

HALO = 2
"""Rows beyond those that are flagged which their flags depend on: a neighbour, and that one's neighbours."""


MARGIN = 0.01
"""Output pixels by which `mark_touched` is too generous, so that rounding does not matter."""


class OutlierLimits(NamedTuple):
    """How far from the median is too far: a times the error + b times the steepest step of the median.

    Attributes
    ----------
    snr : (float, float)
        a, of the outliers and of their neighbours.
    scale : (float, float)
        b, likewise.
    """

    snr: tuple[float, float] = (5.0, 4.0)
    scale: tuple[float, float] = (1.2, 0.7)


class InspectedImage(NamedTuple):
    """What is looked at of an exposure of one detector.

    Attributes
    ----------
    data, err : ndarray float32 (rows, columns)
    level : float
        Sky that is still in `data`.
    used : ndarray bool (rows, columns) or None
        Pixels that are in the mosaic; only these leave a trace when they are flagged. All by default.
    """

    data: np.ndarray
    err: np.ndarray
    level: float = 0.0
    used: np.ndarray | None = None


class Reach(NamedTuple):
    """How far an input pixel reaches in the output: half widths in input pixels and, added, in output pixels."""

    own: float
    more: float

    @classmethod
    def of(cls, kernel: Kernel) -> Reach:
        """That of a `rtools.mosaic.drizzle.drizzle.Kernel`."""
        if kernel.profile is None:
            return cls(kernel.pixfrac / 2, MARGIN)
        reach = kernel.profile.reach
        return cls(0.0, reach + (1.0 if reach else MARGIN))  # how its ends are rounded is the kernel's own matter


def level_of(background: Mapping[str, Any] | None, otherwise: float = 0.0) -> float:
    """Sky that is still in a member's data.

    Parameters
    ----------
    background : mapping or None
        `meta.background`.
    otherwise : float
        Where it does not say; a level that was subtracted, is null or cannot be says nothing.

    Returns
    -------
    float
        In units of the data.
    """
    level = metadata.usable({"background": background}, "background.level")
    if level is None or background is None or background.get("subtracted"):
        return float(otherwise)
    return float(level)


def rows_of(y: ArrayLike, height: int) -> tuple[int, int]:
    """Rows of an image that `blot` looks at.

    Parameters
    ----------
    y : array_like
        Places in the image, as `blot` takes them.
    height : int
        Rows of the image.

    Returns
    -------
    (int, int)
        First row and the one behind the last; 0, 0 for none.
    """
    y = np.asarray(y, np.float32)  # as `blot` takes it
    inside = y[(y >= 0) & (y < height)]
    if not inside.size:
        return 0, 0
    return int(inside.min()), min(height, int(inside.max()) + 2)


def blot(
    image: np.ndarray, x: np.ndarray, y: np.ndarray, *, first: int = 0, height: int | None = None, fill: float = np.nan
) -> np.ndarray:
    """An image as the pixels of a detector would see it: bilinear, surface brightness kept.

    Parameters
    ----------
    image : ndarray float32 (rows, columns)
        All of it, or the rows that `rows_of` names.
    x, y : ndarray float64
        Places of the detector's pixels in the whole image.
    first : int
        Row of the whole image that `image` begins with.
    height : int, optional
        Rows of the whole image.
    fill : float
        Where there is no image.

    Returns
    -------
    ndarray float32
        NaN where one of the four pixels around is NaN.

    Raises
    ------
    ValueError
        Rows that are needed are not in `image`.
    """
    from rtools.mosaic.outlier import _outlier_kernels as kernels

    height = len(image) if height is None else height
    start, stop = rows_of(y, height) if len(image) < height else (0, 0)
    if start < stop and (start < first or stop > first + len(image)):
        raise ValueError(f"rows {start}:{stop} are needed, {first}:{first + len(image)} are there")
    out = np.empty(x.shape, np.float32)
    kernels.blot(kernels.ImageRows(image, first, height), x, y, np.float32(fill), out)
    return out


def flag_rows(
    member: InspectedImage,
    pixmap: PixMap,
    median: Any,
    rows: slice,
    *,
    limits: OutlierLimits = OutlierLimits(),  # noqa: B008
    fill: float = np.nan,
    touched: tuple[np.ndarray, Reach] | None = None,
) -> np.ndarray:
    """Outliers in some rows of a detector.

    Parameters
    ----------
    member : InspectedImage
        The whole detector.
    pixmap : rtools.mosaic.grid.pixmap.PixMap
        From the detector's pixels to those of `median`.
    median : ndarray float32 (rows, columns)
        Of the exposures, in the output's pixels; or what has such a `shape` and gives rows for a slice.
    rows : slice
        Of the detector.
    limits : OutlierLimits
        How far from the median is too far.
    fill : float
        Of the blotted median where there is none.
    touched : (ndarray uint8, Reach), optional
        Plane of the output in which the pixels are marked that these outliers touch.

    Returns
    -------
    ndarray bool (rows.stop - rows.start, columns)
    """
    from rtools.mosaic.outlier import _outlier_kernels as kernels

    height, width = member.data.shape
    found = np.zeros((rows.stop - rows.start, width), bool)
    around = slice(max(0, rows.start - HALO), min(height, rows.stop + HALO))
    columns = _overlap(pixmap, around, median.shape) if np.isnan(fill) else slice(0, width)
    if columns.start >= columns.stop:
        return found
    x, y = _places(pixmap, around, columns)
    blotted = _blot_from(median, x, y, fill)
    marks = np.empty(blotted.shape, np.uint8)
    far = member.level, limits.snr[0], limits.scale[0], limits.snr[1], limits.scale[1]
    data, err = member.data[around, columns], member.err[around, columns]
    kernels.flag(data, err, blotted, kernels.Thresholds(*map(np.float32, far)), marks)
    inner = slice(rows.start - around.start, rows.stop - around.start)
    found[:, columns] = (marks[inner] & 4) != 0
    if touched is not None:
        plane, reach = touched
        lost = np.zeros(marks.shape, bool)
        lost[inner] = (found if member.used is None else found & member.used[rows])[:, columns]
        mark_touched(lost, x, y, reach, plane)
    return found


def _overlap(pixmap, rows, shape):
    """Columns of an input in some rows outside which nothing falls on an output of this shape."""
    step, (left, right, _, _) = pixmap.step, pixmap.bounds
    boxes = pixmap.boxes[rows.start // step : rows.stop // step + 1]
    low_x, high_x, low_y, high_y = np.moveaxis(boxes, -1, 0)
    near = (high_x >= 0) & (low_x < shape[1]) & (high_y >= 0) & (low_y < shape[0])
    cells = np.flatnonzero(near.any(axis=0))
    if not cells.size:
        return slice(0, 0)
    return slice(max(int(cells[0]) * step - 1, left), min(int(cells[-1] + 1) * step + 1, right + 1))


def _places(pixmap, rows, columns):
    """Output x and y of input pixels, NaN in rows and columns where the WCS is not valid."""
    x, y = pixmap.evaluate(rows, columns)
    left, right, bottom, top = pixmap.bounds
    x[: max(0, bottom - rows.start)] = x[max(0, top + 1 - rows.start) :] = np.nan
    x[:, : max(0, left - columns.start)] = x[:, max(0, right + 1 - columns.start) :] = np.nan
    return x, y


def _blot_from(median, x, y, fill):
    if isinstance(median, np.ndarray):
        return blot(median, x, y, fill=fill)
    first, last = rows_of(y, median.shape[0])
    return blot(median[first:last], x, y, first=first, height=median.shape[0], fill=fill)


def flag_stack(data: np.ndarray, err: np.ndarray, median: np.ndarray, limit: float = 5.0) -> np.ndarray:
    """Outliers of one of several images of the same pixels: further than so many errors from their median.

    Parameters
    ----------
    data, err, median : ndarray float32 (rows, columns)
        The image, its errors, and the median of all images.
    limit : float
        Errors by which a pixel may be away from the median.

    Returns
    -------
    ndarray bool (rows, columns)
    """
    from rtools.mosaic.outlier import _outlier_kernels as kernels

    out = np.empty(data.shape, bool)
    kernels.flag_stack(data, err, median, np.float32(limit), out)
    return out


def mark_touched(flagged: np.ndarray, x: np.ndarray, y: np.ndarray, reach: Reach, plane: np.ndarray) -> None:
    """Mark output pixels that flagged input pixels have a share in, and few others.

    Parameters
    ----------
    flagged : ndarray bool (rows, columns)
        Input pixels that are flagged.
    x, y : ndarray float64 (rows, columns)
        Places of the input pixels in the output; at least two rows and columns.
    reach : Reach
        How far an input pixel reaches in the output.
    plane : ndarray uint8
        Of the output; set to 1 where touched. Any number of threads may share it.
    """
    from rtools.mosaic.outlier import _outlier_kernels as kernels

    kernels.mark(flagged, x, y, (float(reach.own), float(reach.more)), plane)
