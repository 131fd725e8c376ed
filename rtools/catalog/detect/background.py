"""Sky and noise of an image: clipped statistics in boxes, enlarged to maps by splines."""

from typing import NamedTuple

import numpy as np

from rtools.work import ALONE, Work
from rtools.work.statistics import MAD_TO_SIGMA

__all__ = ["Background", "estimate"]

CLIP = 3.0
CLIP_PASSES = 5

GOOD_SHARE = 0.9
"""A box counts if more than this share of a full box is left after clipping."""

NEAREST = 10
"""Boxes from which one that does not count is filled."""

SIGN = np.uint32(1 << 31)

LEAF = 10
"""Points in a leaf of the tree that finds them: decides between boxes at the same distance, as photutils does."""

ROWS = 256
"""Rows of the maps that are made at a time."""


class Background(NamedTuple):
    """What `estimate` found.

    Attributes
    ----------
    level, rms : ndarray float32 (ny, nx)
        In units of the data; 0 where masked.
    mesh_level, mesh_rms : ndarray float64 (boxes in y, boxes in x)
        One value a box, filled and filtered.
    fallback : bool
        No box had enough good pixels: one box for the whole image.
    """

    level: np.ndarray
    rms: np.ndarray
    mesh_level: np.ndarray
    mesh_rms: np.ndarray
    fallback: bool


def estimate(data: np.ndarray, mask: np.ndarray, boxsize: int, *, work: Work = ALONE) -> Background:
    """Background and noise of an image.

    Parameters
    ----------
    data : ndarray float32 (ny, nx)
        The image.
    mask : ndarray bool, same shape
        True for pixels that are not looked at. So are values that are not finite.
    boxsize : int
        Side of a box in pixels; at most the side of the image is used. Boxes that stick out over the last row or
        column need as many good pixels as the others.
    work : rtools.work.Work
        The result does not depend on its threads.

    Returns
    -------
    Background
        Zero everywhere if no pixel is good.
    """
    data, mask = np.ascontiguousarray(data, np.float32), np.ascontiguousarray(mask, bool)
    box = tuple(min(int(boxsize), side) for side in data.shape)
    level, rms = _meshes(data, mask, box, work, least=GOOD_SHARE * box[0] * box[1])
    fallback = bool(np.isnan(level).all())
    if fallback:
        box = data.shape
        level, rms = _meshes(data, mask, box, work, least=0)
    if np.isnan(level).all():
        level, rms = np.zeros((1, 1)), np.zeros((1, 1))
    level, rms = _filtered(_filled(level)), _filtered(_filled(rms))
    level_map, rms_map = (_enlarged(mesh, box, mask, work) for mesh in (level, rms))
    return Background(level_map, rms_map, level, rms, fallback)


def _meshes(data, mask, box, work, *, least):
    """Median and standard deviation of every box; NaN for boxes with too few good pixels."""
    ny, nx = data.shape
    corners = [(y, x) for y in range(0, ny, box[0]) for x in range(0, nx, box[1])]

    def statistics(corner):
        part = tuple(slice(first, first + side) for first, side in zip(corner, box, strict=True))
        return _clipped(data[part], mask[part], least)

    found = np.array(work.map(statistics, corners))
    shape = -(-ny // box[0]), -(-nx // box[1])
    return found[:, 0].reshape(shape), found[:, 1].reshape(shape)


def _clipped(data, mask, least):
    """Median and standard deviation of the good values after clipping.

    The values are sorted once: what survives is always a range of them.
    """
    values = _sorted(data, mask)
    for _ in range(CLIP_PASSES):
        if len(values) <= least:
            return np.nan, np.nan
        centre = _middle(values)
        reach = CLIP * MAD_TO_SIGMA * _median_distance(values, centre)
        first = np.searchsorted(values, np.float64(centre - reach))
        last = np.searchsorted(values, np.float64(centre + reach), side="right")
        if last - first == len(values):
            break
        values = values[first:last]
    if len(values) <= least:
        return np.nan, np.nan
    return _middle(values), float(np.std(values, dtype=np.float64))


def _sorted(data, mask):
    """The finite unmasked values of an image in their order."""
    from rtools.catalog.detect._background_kernels import sort_good

    keys, scratch = np.empty(data.size, np.uint32), np.empty(data.size, np.uint32)
    keys = keys[: sort_good(data, data.view(np.uint32), mask, keys, scratch)]
    return np.where(keys & SIGN, keys ^ SIGN, ~keys).view(np.float32)


def _middle(values):
    """Median of sorted values."""
    n = len(values)
    return (float(values[(n - 1) // 2]) + float(values[n // 2])) / 2


def _median_distance(values, centre):
    """Median of |values - centre|, of sorted values."""
    n = len(values)
    return (_distance(values, centre, (n - 1) // 2) + _distance(values, centre, n // 2)) / 2


def _distance(values, centre, rank):
    """Distance from the centre of the value with this rank in the order of distances.

    The rank + 1 nearest values are a range; its start is found by bisection.
    """
    low, high = 0, len(values) - rank - 1
    while low < high:
        start = (low + high) // 2
        if centre - float(values[start]) > float(values[start + rank + 1]) - centre:
            low = start + 1
        else:
            high = start
    return max(centre - float(values[low]), float(values[low + rank]) - centre)


def _filled(mesh):
    """Missing values replaced by the mean of the nearest ones, weighted by 1 / distance."""
    missing = np.isnan(mesh)
    if not missing.any():
        return mesh
    from scipy.spatial import cKDTree

    known = np.argwhere(~missing)
    tree = cKDTree(known, leafsize=LEAF)
    distance, nearest = tree.query(np.argwhere(missing), k=np.arange(1, min(NEAREST, len(known)) + 1))
    filled = mesh.copy()
    filled[missing] = np.sum(mesh[~missing][nearest] / distance, axis=1) / np.sum(1 / distance, axis=1)
    return filled


def _filtered(mesh):
    """Median of each 3 x 3 neighbourhood, without what lies outside."""
    padded = np.pad(mesh, 1, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    return np.nanmedian(windows, axis=(2, 3))


def _enlarged(mesh, box, mask, work):
    """The mesh as a map of the image, values within those of the mesh; 0 where masked."""
    from rtools.catalog.detect._background_kernels import enlarge

    shape = mask.shape
    image = np.empty(shape, np.float32)
    along_y, along_x = (_spline(n, side, length) for n, side, length in zip(mesh.shape, box, shape, strict=True))
    columns = np.ascontiguousarray(mesh @ along_x.T)

    def fill(first):
        rows = slice(first, first + ROWS)
        enlarge(along_y[rows], columns, (mesh.min(), mesh.max()), mask[rows], image[rows])

    work.map(fill, range(0, shape[0], ROWS))
    return image


def _spline(n, side, length):
    """Matrix (length, n) that enlarges n values, centres of cells `side` wide, by a cubic spline."""
    from scipy.ndimage import zoom

    return zoom(np.eye(n), (side, 1), order=3, mode="reflect", grid_mode=True)[:length]
