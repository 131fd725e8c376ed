"""Compiled parts that all kernels of drizzling share: which pixels of a member are looked at, and where they lie.

A member is gone through cell by cell of its pixel map (`rtools.mosaic.grid.pixmap`), and in a cell row by row. So what
an output pixel sums up does not depend on how the output is cut into bands.
"""

from typing import NamedTuple

import numpy as np

from rtools.compiled import njit
from rtools.mosaic.grid._pixmap_kernels import ORDER, evaluate_row

__all__ = [
    "Cells",
    "Patch",
    "Pixels",
    "Rectangle",
    "Row",
    "Variances",
    "Window",
    "is_any_wanted",
    "is_reached",
    "locate_pixels",
    "new_centres",
    "patch_of",
    "row_misses",
    "take_roots",
]


class Variances(NamedTuple):
    """The variances of a member, and what the lanes of the mosaic's variances are made of.

    Attributes
    ----------
    read_noise, poisson, flat : ndarray float32 (rows, columns)
        Any array stands for one that is absent.
    sources : ndarray int64 (lanes - 2,)
        Which of them each lane of a variance is made of: 0, 1 or 2.
    added : ndarray float32 (lanes - 2,)
        What is added to it.
    """

    read_noise: np.ndarray
    poisson: np.ndarray
    flat: np.ndarray
    sources: np.ndarray
    added: np.ndarray


class Pixels(NamedTuple):
    """The pixels of a member, (rows, columns): weight and data float32, dq uint32; and their `Variances`."""

    weight: np.ndarray
    data: np.ndarray
    dq: np.ndarray
    variances: Variances


class Row(NamedTuple):
    """Pixels of one row of a member: weight, data float32 (n,), DQ uint32 (n,), σ float32 (lanes - 2, n)."""

    weight: np.ndarray
    data: np.ndarray
    dq: np.ndarray
    sigma: np.ndarray


class Window(NamedTuple):
    """A rectangle of pixels of the mosaic: row and column of the first, numbers of rows and columns."""

    row: int
    column: int
    height: int
    width: int


class Rectangle(NamedTuple):
    """What is drizzled into.

    Attributes
    ----------
    window : Window
        Its place in the mosaic.
    lanes : ndarray float32 (rows, columns, 2 + variances)
        Sums, added to. Lane 0 is Σω, lane 1 Σω·data, the others Σω·σ of one variance each: what one input pixel gives
        to one output pixel is one small vector.
    hit : ndarray uint8 (rows, columns), or of size 0
        Set where a contribution was positive.
    flags : ndarray uint32 (rows, columns), or of size 0
        Receives the DQ of all pixels that contribute, joined bit by bit.
    wanted : ndarray uint8 (rows, columns), or of size 0 for all
        Output pixels that matter: input pixels that touch none of them may be passed over.
    """

    window: Window
    lanes: np.ndarray
    hit: np.ndarray
    flags: np.ndarray
    wanted: np.ndarray


class Cells(NamedTuple):
    """What is needed of an `rtools.mosaic.grid.pixmap.PixMap`, which says what each of these is."""

    cells: np.ndarray
    boxes: np.ndarray
    step: int
    bounds: tuple


class Patch(NamedTuple):
    """The pixels with a valid WCS of one cell of a pixel map.

    Attributes
    ----------
    y, x : int
        Row and column of the cell.
    top, bottom : int
        First row of pixels, and the one behind the last.
    left, right : int
        Likewise, columns.
    """

    y: int
    x: int
    top: int
    bottom: int
    left: int
    right: int


@njit(nogil=True, cache=True, error_model="numpy")
def patch_of(bounds, step, y, x):
    """The `Patch` of a cell: within the first and last column and row with a valid WCS; it may be empty."""
    left, right = max(x * step, bounds[0]), min(x * step + step, bounds[1] + 1)
    return Patch(y, x, max(y * step, bounds[2]), min(y * step + step, bounds[3] + 1), left, right)


@njit(nogil=True, cache=True, error_model="numpy")
def is_any_wanted(wanted, first, count):
    """Whether any pixel is wanted of a rectangle: its first row and column, its numbers of rows and columns."""
    for y in range(max(first[0], 0), min(first[0] + count[0], wanted.shape[0])):
        for x in range(max(first[1], 0), min(first[1] + count[1], wanted.shape[1])):
            if wanted[y, x]:
                return True
    return False


@njit(nogil=True, cache=True, error_model="numpy")
def is_reached(box, window, wanted, margin):
    """Whether a cell's box, grown by a margin, meets a window of the mosaic, and a pixel of it that is wanted."""
    meets = (
        (box[0] - margin < window.column + window.width - 0.5)
        & (box[1] + margin > window.column - 0.5)
        & (box[2] - margin < window.row + window.height - 0.5)
        & (box[3] + margin > window.row - 0.5)
    )
    if not meets or not wanted.size:
        return meets
    left, bottom = int(box[0] - margin) - 1, int(box[2] - margin) - 1
    right, top = int(box[1] + margin) + 1, int(box[3] + margin) + 1
    return is_any_wanted(wanted, (bottom - window.row, left - window.column), (top - bottom + 1, right - left + 1))


@njit(nogil=True, cache=True, error_model="numpy")
def new_centres(step):
    """Room for the positions of a patch's pixels and of a rim of one pixel: (rows + 2, 2, columns + 2), x and y."""
    return np.empty((step + 2, 2, step + 2))


@njit(nogil=True, cache=True, error_model="numpy")
def locate_pixels(cells, step, bounds, patch, centres):
    """Fill `centres` with the output positions of a patch's pixels and of a rim of one pixel.

    The rim gives the corners of the outer pixels. Beyond the valid pixels of the member the map goes on linearly.
    """
    height, width = patch.bottom - patch.top + 2, patch.right - patch.left + 2
    scratch = np.empty(ORDER)
    u = (patch.left - 1 - patch.x * step + 0.5) / step, 1.0 / step
    for j in range(height):
        v = (patch.top - 1 + j - patch.y * step + 0.5) / step
        for k in range(2):
            line = centres[j, k, :width]
            evaluate_row(cells[k, patch.y, patch.x], v, u, line, scratch)
            if patch.left == bounds[0] and bounds[1] > bounds[0]:
                line[0] = 2 * line[1] - line[2]
            if patch.right - 1 == bounds[1] and bounds[1] > bounds[0]:
                line[width - 1] = 2 * line[width - 2] - line[width - 3]
    if bounds[3] > bounds[2]:
        for k in range(2):
            for i in range(width):
                if patch.top == bounds[2]:
                    centres[0, k, i] = 2 * centres[1, k, i] - centres[2, k, i]
                if patch.bottom - 1 == bounds[3]:
                    centres[height - 1, k, i] = 2 * centres[height - 2, k, i] - centres[height - 3, k, i]


@njit(nogil=True, cache=True, error_model="numpy")
def row_misses(window, centres, j, reach):
    """Whether a row of a patch's pixels is above or below a window, by its ends; `reach` is how far they spread.

    In a cell a row is straight to a fraction of a pixel; NaN misses nothing.
    """
    line, following = centres[j + 1, 1], centres[j + 2, 1]
    first, last = line[0], line[line.size - 1]
    margin = 2 + reach + abs(line[1] - first) + abs(following[0] - first)
    return (min(first, last) - margin > window.row + window.height) | (max(first, last) + margin < window.row)


@njit(nogil=True, cache=True, error_model="numpy")
def take_roots(variances, j, first, sigma):
    """Square roots of the variances of a row's pixels, from column `first` on: `sigma` (lanes - 2, columns)."""
    last = first + sigma.shape[1]
    for lane in range(variances.sources.size):
        source, more, line = variances.read_noise, variances.added[lane], sigma[lane]
        if variances.sources[lane] == 1:
            source = variances.poisson
        elif variances.sources[lane] == 2:
            source = variances.flat
        values = source[j, first:last]
        for i in range(line.size):
            line[i] = np.sqrt(values[i] + more)
