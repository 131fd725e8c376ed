"""Outliers: what one exposure shows and the median of all exposures does not.

Each exposure is drizzled by itself; of these images, poorly covered pixels left out, the median is taken, carried
back to each detector (blotted) and compared with what the detector saw. Everything here works on some rows at a time,
on any thread, with the same result for any division into rows.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from rtools.wfi import metadata
from rtools.wfi.dq import PIXEL
from rtools.work import ALONE

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
    "mask_low_weight",
    "median_of",
    "rows_of",
    "weight_threshold",
]

BITS = np.uint32(PIXEL["DO_NOT_USE"] | PIXEL["OUTLIER"])
"""What an outlier is flagged with: DO_NOT_USE and OUTLIER."""

HALO = 2
"""Rows beyond those that are flagged which their flags depend on: a neighbour, and that one's neighbours."""

SHIFT = 12
"""Bits of a weight that are not told apart in counting: bins are 5e-4 of the weight wide or less."""

STRIPS = 2
"""Parts of an image whose weights are counted at the same time; more take longer, each has its own table."""

ROWS = 256
"""Rows that are copied together where memory must be in one piece."""

WIDTH = 256
"""Pixels of a row whose values are sorted together."""

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

    snr: tuple = (5.0, 4.0)
    scale: tuple = (1.2, 0.7)


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
    def of(cls, kernel):
        """That of a `rtools.mosaic.drizzle.drizzle.Kernel`."""
        if kernel.profile is None:
            return cls(kernel.pixfrac / 2, MARGIN)
        reach = kernel.profile.reach
        return cls(0.0, reach + (1.0 if reach else MARGIN))  # how its ends are rounded is the kernel's own matter


def level_of(background, otherwise=0.0):
    """Sky that is still in a member's data.

    Parameters
    ----------
    background : dict or None
        `meta.background`.
    otherwise : float
        Where it does not say; a level that was subtracted, is null or cannot be says nothing.
    """
    level = metadata.usable({"background": background}, "background.level")
    known = level is not None and not background.get("subtracted")
    return float(level) if known else float(otherwise)


def weight_threshold(weight, maskpt=0.7, *, work=ALONE):
    """Weight below which a pixel of a drizzled exposure has no say in the median.

    Parameters
    ----------
    weight : ndarray float32 (rows, columns), or an iterable of such parts
    maskpt : float
        Share of the mean of the weights that are finite and not 0, clipped at three standard deviations about their
        median in at most five rounds.
    work : rtools.work.Work
        Its threads share the strips of one array.

    Returns
    -------
    float
        NaN if there are no weights. Weights in one of 2²⁰ bins count as their mean, so it is good to 1e-5.
    """
    if isinstance(weight, np.ndarray):
        height = -(-len(weight) // STRIPS) or 1
        found = work.map(lambda first: _counted([weight[first : first + height]]), range(0, len(weight), height))
    else:
        found = [_counted(weight)]
    bins, place = np.unique(np.concatenate([part[0] for part in found]), return_inverse=True)
    if not bins.size:
        return float("nan")
    counts, offsets = np.zeros((2, bins.size), np.int64)
    np.add.at(counts, place, np.concatenate([part[1] for part in found]))
    np.add.at(offsets, place, np.concatenate([part[2] for part in found]))
    start, step = _values(bins)
    return float(maskpt * _clipped_mean(start + step * (offsets / counts), counts))


def _counted(parts):
    """Bins that weights fall into, how many in each, and the sums of the bits left out."""
    from rtools.mosaic.outlier._outlier_kernels import count_weights

    counts, offsets = np.zeros((2, 1 << (32 - SHIFT)), np.int64)
    for part in parts:
        for first in range(0, len(part), ROWS):
            lines = np.ascontiguousarray(part[first : first + ROWS], np.float32)
            count_weights(lines.view(np.uint32), np.uint32(SHIFT), counts, offsets)
    bins = np.flatnonzero(counts)
    return bins, counts[bins], offsets[bins]


def _values(bins):
    """First weight of each bin, and the weight that the last of the bits left out is worth."""
    keys = bins.astype(np.uint32) << np.uint32(SHIFT)
    both = np.stack([keys, keys + np.uint32(1)])
    words = np.where(both >> np.uint32(31), both ^ np.uint32(1 << 31), ~both)
    first, second = words.view(np.float32).astype(np.float64)
    return first, second - first


def _clipped_mean(values, counts, sigma=3, rounds=5):
    """Mean of values that occur so often, those far from the median left out."""
    for _ in range(rounds):
        upto = np.cumsum(counts)
        middle = np.searchsorted(upto, [(upto[-1] - 1) // 2, upto[-1] // 2], side="right")
        median, mean = values[middle].mean(), np.average(values, weights=counts)
        spread = np.sqrt(np.average((values - mean) ** 2, weights=counts))
        kept = abs(values - median) <= sigma * spread
        if kept.all():
            break
        values, counts = values[kept], counts[kept]
    return np.average(values, weights=counts)


def mask_low_weight(image, weight, threshold):
    """Put NaN where the weight is below a threshold; with the threshold NaN nothing is masked."""
    image[weight < np.float32(threshold)] = np.nan


def median_of(planes, out=None):
    """Median over exposures, pixel by pixel.

    Parameters
    ----------
    planes : ndarray float32 (n, rows, columns)
        NaN where an exposure has nothing to say.
    out : ndarray float32 (rows, columns), optional

    Returns
    -------
    ndarray float32 (rows, columns)
        Where two exposures have a value it is the lower one: of two values the median is the mean, and would make
        both outliers. NaN where none has.
    """
    from rtools.mosaic.outlier._outlier_kernels import medians

    planes = np.ascontiguousarray(planes, np.float32)
    number = len(planes)
    out = np.empty(planes.shape[1:], np.float32) if out is None else out
    medians(planes, _network(number), np.empty((number, WIDTH), np.float32), np.empty(WIDTH, np.int32), out)
    return out


@cache
def _network(number):
    """Pairs of places that, exchanged in turn where they are out of order, sort any values (Batcher's merge)."""
    pairs, run = [], 1
    while run < number:
        gap = run
        while gap:
            for start in range(gap % run, number - gap, 2 * gap):
                ends = range(start, min(start + gap, number - gap))
                pairs += [(low, low + gap) for low in ends if low // (2 * run) == (low + gap) // (2 * run)]
            gap //= 2
        run *= 2
    return np.array(pairs, np.int64).reshape(-1, 2)


def rows_of(y, height):
    """First and last row, exclusive, of an image of this height that `blot` looks at for places `y`."""
    y = np.asarray(y, np.float32)  # as `blot` takes it
    inside = y[(y >= 0) & (y < height)]
    if not inside.size:
        return 0, 0
    return int(inside.min()), min(height, int(inside.max()) + 2)


def blot(image, x, y, *, first=0, height=None, fill=np.nan):
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
    """
    from rtools.mosaic.outlier import _outlier_kernels as kernels

    height = len(image) if height is None else height
    start, stop = rows_of(y, height) if len(image) < height else (0, 0)
    if start < stop and (start < first or stop > first + len(image)):
        raise ValueError(f"rows {start}:{stop} are needed, {first}:{first + len(image)} are there")
    out = np.empty(x.shape, np.float32)
    kernels.blot(kernels.ImageRows(image, first, height), x, y, np.float32(fill), out)
    return out


def flag_rows(member, pixmap, median, rows, *, limits=OutlierLimits(), fill=np.nan, touched=None):  # noqa: B008
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
    limits : OutlierLimits
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


def flag_stack(data, err, median, limit=5.0):
    """Outliers of one of several images of the same pixels: further than so many errors from their median.

    Parameters
    ----------
    data, err, median : ndarray float32 (rows, columns)
    limit : float

    Returns
    -------
    ndarray bool (rows, columns)
    """
    from rtools.mosaic.outlier import _outlier_kernels as kernels

    out = np.empty(data.shape, bool)
    kernels.flag_stack(data, err, median, np.float32(limit), out)
    return out


def mark_touched(flagged, x, y, reach, plane):
    """Mark output pixels that flagged input pixels have a share in, and few others.

    Parameters
    ----------
    flagged : ndarray bool (rows, columns)
    x, y : ndarray float64 (rows, columns)
        Places of the input pixels in the output; at least two rows and columns.
    reach : Reach
    plane : ndarray uint8
        Of the output; set to 1 where touched. Any number of threads may share it.
    """
    from rtools.mosaic.outlier import _outlier_kernels as kernels

    kernels.mark(flagged, x, y, (float(reach.own), float(reach.more)), plane)
