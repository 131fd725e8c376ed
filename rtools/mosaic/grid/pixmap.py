"""The map from the pixels of a member to those of a mosaic, kept as a few nodes.

The WCS is asked at nodes every 256 pixels only; between them the map is a polynomial of degree 5 in either axis, one
for each square of pixels, through the 6 by 6 nearest nodes. The error is measured between the nodes, and they are put
closer until it is small. The map that is kept has nodes every 64 pixels: its squares are units of work.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.wfi.gwcs_frames import box_of

__all__ = ["LARGEST_ERROR", "ORDER", "STEP", "PixMap", "exact_map", "pixel_map"]

LARGEST_ERROR = 1e-4
"""Pixels of the mosaic."""

STEP = 64
"""Pixels between the nodes of the map that is kept; fewer for small images."""

SPARSE = 256
"""Pixels between the nodes at which the WCS is asked at first."""

OFF_NODES = 0.41, 0.57
"""Where in a cell the error is measured (x, y), in units of its side."""

ORDER = 6
"""Nodes along either axis that a polynomial goes through."""

SPREAD = np.linspace(0, 1, 5)
"""Where in a cell its extent is looked at, in units of its side."""


class PixMap(NamedTuple):
    """Where the pixels of a member lie on a mosaic.

    Attributes
    ----------
    nodes_x, nodes_y : ndarray float64 (rows, columns)
        Output position of the nodes; NaN where there is none (on the other half of the sky, say).
    step : int
        Input pixels from node to node.
    shape : (int, int)
        Rows and columns of the input.
    cells : ndarray float64 (2, rows - 1, columns - 1, 6, 6)
        Polynomials of x and y between the nodes: coefficients of v^a u^b, u and v from 0 to 1 across a cell. NaN where
        a node nearby is.
    boxes : ndarray float64 (rows - 1, columns - 1, 4)
        x and y between which each cell lies (x0, x1, y0, y1), a pixel generously.
    bounds : (int, int, int, int)
        First and last column, first and last row with a valid WCS.
    error : float
        Largest error found between the nodes, output pixels.
    """

    nodes_x: np.ndarray
    nodes_y: np.ndarray
    step: int
    shape: tuple[int, int]
    cells: np.ndarray
    boxes: np.ndarray
    bounds: tuple[int, int, int, int]
    error: float

    def evaluate(self, rows: slice = slice(None), columns: slice = slice(None)) -> tuple[np.ndarray, np.ndarray]:
        """Output x and y (float64) of a rectangle of input pixels; slices without a step."""
        from rtools.mosaic.grid._pixmap_kernels import evaluate

        first, last, _ = rows.indices(self.shape[0])
        left, right, _ = columns.indices(self.shape[1])
        x, y = np.empty((2, max(last - first, 0), max(right - left, 0)))
        evaluate(self.cells, self.step, (first, left), x, y)
        return x, y


def pixel_map(
    wcs: Callable[..., Any],
    shape: Sequence[int],
    to_pixel: Callable[..., Any],
    largest_error: float = LARGEST_ERROR,
    *,
    known: dict[Any, Any] | None = None,
) -> PixMap:
    """Make the map of a member.

    Parameters
    ----------
    wcs : callable
        Pixel x, y of the member to right ascension and declination (degrees): a gwcs, or any function of arrays.
    shape : (int, int)
        Rows and columns of the member.
    to_pixel : callable
        Right ascension and declination to x, y of the mosaic: `Grid.to_pixel`.
    largest_error : float
        Output pixels; nodes are put closer until the error is below, at most every second pixel.
    known : dict, optional
        Keeps the sky positions of nodes: they are the same for every mosaic.

    Returns
    -------
    PixMap

    Raises
    ------
    InputError
        The WCS is too rough for that.
    """
    bounds = _bounds(wcs, shape)
    forward = _forward(wcs, to_pixel, {} if known is None else known)
    sparse = SPARSE
    while sparse > 2 and min(shape) < ORDER * sparse:
        sparse //= 2
    while True:
        found = _map_at(forward, shape, sparse, bounds)
        if found.error <= largest_error:
            return found
        if sparse == 2:
            raise InputError(f"its WCS is not smooth: the map is wrong by {found.error:.2g} pixel between its nodes")
        sparse //= 2


def exact_map(wcs: Callable[..., Any], shape: Sequence[int], to_pixel: Callable[..., Any]) -> PixMap:
    """The map of a small image that asks for the place of every corner of a pixel.

    For coordinates that are not smooth from pixel to pixel, as wavelengths between points of a table. Between the
    corners the map is bilinear. It takes 600 bytes a pixel.

    Parameters
    ----------
    wcs, shape, to_pixel
        As `pixel_map` takes them; a wcs may give more coordinates, all of which `to_pixel` takes.

    Returns
    -------
    PixMap
    """
    forward = _forward(wcs, to_pixel, {})
    rows, columns = shape
    nodes = np.stack(forward(*np.meshgrid(np.arange(columns + 1) - 0.5, np.arange(rows + 1) - 0.5)))
    corner, right, up, far = nodes[:, :-1, :-1], nodes[:, :-1, 1:], nodes[:, 1:, :-1], nodes[:, 1:, 1:]
    cells = np.zeros((2, rows, columns, ORDER, ORDER))
    cells[..., 0, 0], cells[..., 0, 1], cells[..., 1, 0] = corner, right - corner, up - corner
    cells[..., 1, 1] = far - right - up + corner
    boxes = _boxes(cells)
    return PixMap(nodes[0], nodes[1], 1, (rows, columns), cells, boxes, (0, columns - 1, 0, rows - 1), 0.0)


def _forward(wcs, to_pixel, known):
    """Member pixel to mosaic pixel; a gwcs without its bounding box."""
    options = {"with_bounding_box": False} if hasattr(wcs, "bounding_box") else {}

    def forward(x, y):
        nodes = x.tobytes() + y.tobytes()
        if nodes not in known:
            known[nodes] = wcs(x, y, **options)
        return to_pixel(*known[nodes])

    return forward


def _bounds(wcs, shape):
    """First and last column and row inside the bounding box."""
    rows, columns = shape
    box = (-np.inf, np.inf), (-np.inf, np.inf)
    if getattr(wcs, "bounding_box", None) is not None:
        box = box_of(wcs)
    limits = []
    for (low, high), size in zip(box, (columns, rows), strict=True):
        limits += [int(np.ceil(max(low, 0))), int(np.floor(min(high, size - 1)))]
    return tuple(limits)


def _map_at(forward, shape, sparse, bounds):
    """A map for which the WCS is asked every `sparse` pixels, from -0.5 on; and its error."""
    count = [max(-(-size // sparse), ORDER - 1) for size in shape]
    x, y = (sparse * np.arange(cells + 1) - 0.5 for cells in reversed(count))
    step = min(sparse, STEP)
    nodes = np.stack(forward(*np.meshgrid(x, y)))
    rows, columns = (_between(cells, sparse // step) for cells in count)
    nodes = _product(rows, columns, nodes)
    cells = _polynomials(nodes)
    return PixMap(
        nodes[0], nodes[1], step, tuple(shape), cells, _boxes(cells), bounds, _error(forward, cells, step, shape)
    )


def _polynomials(nodes):
    """The polynomial of each cell: ndarray (2, rows, columns, ORDER, ORDER)."""
    rows, columns = (size - 1 for size in nodes.shape[1:])
    cells = _product(_interpolation(rows), _interpolation(columns), nodes)
    return np.ascontiguousarray(cells.reshape(2, rows, ORDER, columns, ORDER).swapaxes(2, 3))


def _product(rows, columns, nodes):
    """Matrices applied to rows and columns of both arrays of nodes; NaN where a node that counts is."""
    known = np.isfinite(nodes).all(axis=0)
    result = rows @ np.where(known, nodes, 0) @ columns.T
    if not known.all():
        lost = (rows != 0).astype(float) @ ~known @ (columns != 0).astype(float).T
        result[:, lost > 0] = np.nan
    return result


def _between(count, parts):
    """Matrix from values at nodes to values at nodes `parts` times as dense."""
    powers = np.vander(np.arange(parts) / parts, ORDER, increasing=True)
    dense = powers @ _interpolation(count).reshape(count, ORDER, count + 1)
    last = np.eye(count + 1)[-1:]
    return np.concatenate([dense.reshape(count * parts, count + 1), last])


@cache
def _interpolation(count):
    """Matrix (cells · ORDER, nodes): from the values at nodes to the coefficients of each cell's polynomial."""
    matrix = np.zeros((count, ORDER, count + 1))
    for cell in range(count):
        first = min(max(cell - ORDER // 2 + 1, 0), count + 1 - ORDER)
        places = np.arange(first, first + ORDER)
        matrix[cell][:, places] = np.linalg.inv(np.vander(places - cell, increasing=True).astype(float))
    return matrix.reshape(count * ORDER, count + 1)


def _values(cells, u, v):
    """The polynomials of every cell at (v, u): ndarray (2, rows, columns, len(v), len(u))."""
    powers_u, powers_v = (np.vander(part, ORDER, increasing=True) for part in (u, v))
    return powers_v @ cells @ powers_u.T


def _error(forward, cells, step, shape):
    """Largest distance of the map from the WCS, at one place in every cell."""
    (u, v), (rows, columns) = OFF_NODES, cells.shape[1:3]
    x, y = step * (np.arange(columns) + u) - 0.5, step * (np.arange(rows) + v) - 0.5
    x, y = x[x <= shape[1] - 0.5], y[y <= shape[0] - 0.5]
    found = _values(cells[:, : len(y), : len(x)], np.array([u]), np.array([v]))[..., 0, 0]
    off = np.hypot(*(found - np.stack(forward(*np.meshgrid(x, y)))))
    return float(np.max(off, where=np.isfinite(off), initial=0.0))


def _boxes(cells):
    """Extent of every cell, with a margin for what lies between the places looked at."""
    values = _values(cells, SPREAD, SPREAD).reshape(*cells.shape[:3], -1)
    low, high = values.min(axis=-1), values.max(axis=-1)
    margin = 0.1 * (high - low) + 1
    return np.ascontiguousarray(
        np.stack([low - margin, high + margin], axis=-1).transpose(1, 2, 0, 3).reshape(*low.shape[1:], 4)
    )
