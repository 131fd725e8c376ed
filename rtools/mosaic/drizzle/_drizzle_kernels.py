"""Compiled drizzling of a member's pixels as squares: each output pixel gets the share of a square that overlaps it.

The drop of a pixel is a square of side pixfrac in the member's pixels, a quadrilateral in the mosaic's (Fruchter & Hook
2002, PASP 114, 144). An output pixel gets ω = w a / A, with w the weight of the input pixel, a the area of overlap and
A the area of the whole quadrilateral, so that the weights given away add up to w. Their sums are what the paper's
running means of value and weight are made of; its factor s² is left out, as data are surface brightness.

Areas are found for a row of pixels at a time, in loops without branches that become vector instructions.
"""

from typing import NamedTuple

import numpy as np

from rtools.compiled import njit
from rtools.mosaic.drizzle._cell_kernels import (
    Row,
    is_any_wanted,
    is_reached,
    locate_pixels,
    new_centres,
    patch_of,
    row_misses,
    take_roots,
)

__all__ = ["drizzle_squares"]

NEGLIGIBLE = 1e-12
"""Overlap (output pixels) that is rounding, not area."""

FLAT, THIN = 1e-30, 1e-9
"""Rise and half width of edges (output pixels) below which they count as horizontal or vertical."""

USUAL_REACH = 4
"""Output pixels along a side of the largest square that room is made for at first."""


class Picked(NamedTuple):
    """The pixels of a row that count, their squares beside each other.

    Attributes
    ----------
    number : ndarray int64 (n,)
        Which pixels of the row they are.
    first : ndarray int64 (2, n)
        Row and column of the rectangle with which the square of each begins.
    corners : ndarray float64 (8, n)
        u (along x) of the four corners, then v (along y), from the outer corner of that output pixel on.
    """

    number: np.ndarray
    first: np.ndarray
    corners: np.ndarray


class Room(NamedTuple):
    """Memory for a row, used again for each.

    Attributes
    ----------
    picked : Picked
    edges : ndarray float64 (4, n)
    values : ndarray float32 (lanes,)
        What one pixel gives to each lane with a share of 1.
    """

    picked: Picked
    edges: np.ndarray
    values: np.ndarray


@njit(nogil=True, cache=True, error_model="numpy")
def drizzle_squares(rectangle, pixmap, pixels, half, lanes):
    """Drizzle the pixels of a member as squares.

    Parameters
    ----------
    rectangle : Rectangle
        Added to.
    pixmap : Cells
        Where the pixels of the member lie in the mosaic.
    pixels : Pixels
        The member.
    half : float
        Half the side of a square, in input pixels: pixfrac / 2.
    lanes : tuple of int
        As many zeros as the rectangle has lanes: their number is known when this is compiled, and loops over lanes are
        unrolled.
    """
    cells, boxes, step, bounds = pixmap.cells, pixmap.boxes, pixmap.step, pixmap.bounds
    window, wanted = rectangle.window, rectangle.wanted
    centres, corners = new_centres(step), np.empty((2, 4, step))
    sigmas = np.empty((max(len(lanes) - 2, 1), step), np.float32)
    areas = np.empty((USUAL_REACH * USUAL_REACH, step))
    picked = Picked(np.empty(step, np.int64), np.empty((2, step), np.int64), np.empty((8, step)))
    room = Room(picked, np.empty((4, step)), np.empty(len(lanes), np.float32))
    for y in range(cells.shape[1]):
        for x in range(cells.shape[2]):
            patch = patch_of(bounds, step, y, x)
            left, right, width = patch.left, patch.right, patch.right - patch.left
            if patch.top >= patch.bottom or width <= 0 or not is_reached(boxes[y, x], window, wanted, 1.0):
                continue
            locate_pixels(cells, step, bounds, patch, centres)
            sigma, corner = sigmas[:, :width], corners[:, :, :width]
            for j in range(patch.top, patch.bottom):
                if row_misses(window, centres[:, :, : width + 2], j - patch.top, 0.0):
                    continue
                _find_corners(centres, j - patch.top, half, corner)
                if len(lanes) > 2:
                    take_roots(pixels.variances, j, left, sigma)
                row = Row(pixels.weight[j, left:right], pixels.data[j, left:right], pixels.dq[j, left:right], sigma)
                areas = _drizzle_row(rectangle, row, corner, (room, areas), lanes)


@njit(nogil=True, cache=True, error_model="numpy")
def _find_corners(centres, j, h, corner):
    """Corners of a row's squares, bilinear between centres: (-h, +h), (+h, +h), (+h, -h), (-h, -h) of the centre."""
    a, b, c = (1 - h) * (1 - h), h * (1 - h), h * h
    for k in range(2):
        before, here, after = centres[j, k], centres[j + 1, k], centres[j + 2, k]
        for i in range(corner.shape[2]):
            middle = a * here[i + 1]
            left, right = b * here[i], b * here[i + 2]
            up, down = b * after[i + 1], b * before[i + 1]
            corner[k, 0, i] = middle + left + up + c * after[i]
            corner[k, 1, i] = middle + right + up + c * after[i + 2]
            corner[k, 2, i] = middle + right + down + c * before[i + 2]
            corner[k, 3, i] = middle + left + down + c * before[i]


@njit(nogil=True, cache=True, error_model="numpy")
def _drizzle_row(rectangle, row, corner, room_and_areas, lanes):
    """Drizzle the pixels of a row of which these are the corners; returns the areas, which may have had to grow."""
    room, areas = room_and_areas
    picked = room.picked
    count, reach = _pick(rectangle.window, rectangle.wanted, row.weight, corner, picked)
    if count == 0:
        return areas
    if reach * reach > areas.shape[0]:
        areas = np.empty((reach * reach, areas.shape[1]))
    _sum_edges(picked.corners, count, reach, room.edges, areas)
    scale = room.edges[0]
    for i in range(count):
        scale[i] = row.weight[picked.number[i]] / areas[reach * reach - 1, i]  # the last area is that of the square
    _take_shares(areas, (count, reach), scale)
    _add_row(rectangle.lanes, row, room, (areas, count, reach), lanes)
    if rectangle.flags.size:
        _flag_row(rectangle.flags, row.dq, picked, (areas, count, reach))
    return areas


@njit(nogil=True, cache=True, error_model="numpy")
def _pick(window, wanted, weight, corner, picked):
    """Pick the pixels of a row that count, and put their squares beside each other in `picked`.

    Returns
    -------
    count, reach : int
        Pixels picked; output pixels that the largest square needs in a row or column.
    """
    number, first, squares = picked.number, picked.first, picked.corners
    y0, x0, height, width = window.row, window.column, window.height, window.width
    count, reach = 0, 1
    for i in range(weight.size):
        low_x = min(min(corner[0, 0, i], corner[0, 1, i]), min(corner[0, 2, i], corner[0, 3, i]))
        high_x = max(max(corner[0, 0, i], corner[0, 1, i]), max(corner[0, 2, i], corner[0, 3, i]))
        low_y = min(min(corner[1, 0, i], corner[1, 1, i]), min(corner[1, 2, i], corner[1, 3, i]))
        high_y = max(max(corner[1, 0, i], corner[1, 1, i]), max(corner[1, 2, i], corner[1, 3, i]))
        # NaN fails too
        meets = (high_y > y0 - 0.5) & (low_y < y0 + height - 0.5) & (high_x > x0 - 0.5) & (low_x < x0 + width - 0.5)
        if not meets or weight[i] == 0:
            continue
        iy, ix = int(np.floor(low_y + 0.5)), int(np.floor(low_x + 0.5))
        size = max(int(np.floor(high_y + 0.5)) - iy, int(np.floor(high_x + 0.5)) - ix) + 1
        if wanted.size and not is_any_wanted(wanted, (iy - y0, ix - x0), (size, size)):
            continue
        number[count], first[0, count], first[1, count] = i, iy - y0, ix - x0
        for e in range(4):
            squares[e, count] = corner[0, e, i] - ix + 0.5
            squares[4 + e, count] = corner[1, e, i] - iy + 0.5
        reach = max(reach, size)
        count += 1
    return count, reach


@njit(nogil=True, cache=True, error_model="numpy")
def _sum_edges(squares, count, reach, edges, areas):
    """Area of each square at v < r and u < c, for r, c = 1, 2, … reach: `areas` (rows · columns, n).

    By Green's theorem it is the integral of min(u, c) dv round the square, as far as v is below r: a sum over the four
    edges. `edges` holds of one edge of each square: du/dv, the least and largest u of the part below r, its rise in v.
    """
    slope, left, right, rise = edges[0, :count], edges[1, :count], edges[2, :count], edges[3, :count]
    areas[: reach * reach, :count] = 0
    for e in range(4):
        ua, va = squares[e, :count], squares[4 + e, :count]
        ub, vb = squares[(e + 1) & 3, :count], squares[4 + ((e + 1) & 3), :count]
        for i in range(count):
            high = vb[i] - va[i]
            slope[i] = (ub[i] - ua[i]) / (high if abs(high) > FLAT else FLAT)
        for r in range(reach):
            for i in range(count):
                start, end = min(va[i], r + 1.0), min(vb[i], r + 1.0)
                least, most = min(ua[i], ub[i]), max(ua[i], ub[i])
                one = min(max(ua[i] + (start - va[i]) * slope[i], least), most)
                other = min(max(ub[i] + (end - vb[i]) * slope[i], least), most)
                middle, half = 0.5 * (one + other), max(0.5 * abs(one - other), THIN)
                left[i], right[i], rise[i] = middle - half, middle + half, end - start
            for c in range(reach):
                area, limit = areas[r * reach + c, :count], c + 1.0
                for i in range(count):
                    # u goes evenly from low to high: `share` of the way it is below c, and counts with its mean
                    low, high = left[i], right[i]
                    cut = min(max(limit, low), high)
                    share = (cut - low) / (high - low)
                    area[i] += rise[i] * (limit + share * (0.5 * (cut + low) - limit))


@njit(nogil=True, cache=True, error_model="numpy")
def _take_shares(areas, size, scale):
    """Make of the sums of `_sum_edges` what each output pixel gets: its overlap times the `scale` of the square.

    The overlap with the pixel of row r and column c is A(r, c) - A(r, c-1) - A(r-1, c) + A(r-1, c-1).
    """
    count, reach = size
    for r in range(reach - 1, -1, -1):
        for c in range(reach - 1, -1, -1):
            area, before = areas[r * reach + c, :count], areas[r * reach + c - 1, :count]
            if c:
                for i in range(count):
                    area[i] -= before[i]
    for r in range(reach - 1, -1, -1):
        for c in range(reach):
            area, before = areas[r * reach + c, :count], areas[(r - 1) * reach + c, :count]
            for i in range(count):
                piece = area[i] - before[i] if r else area[i]
                area[i] = piece * scale[i] if abs(piece) > NEGLIGIBLE else 0.0


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _add_row(band, row, room, shares, lanes):
    """Add what the picked pixels of a row give to each output pixel; `shares` are (areas, count, reach)."""
    areas, count, reach = shares
    number, first, values = room.picked.number, room.picked.first, room.values
    data, sigma = row.data, row.sigma
    height, width = band.shape[0], band.shape[1]
    for k in range(count):
        i, top, left = number[k], first[0, k], first[1, k]
        values[0] = 1
        values[1] = data[i]
        for lane in range(2, len(lanes)):
            values[lane] = sigma[lane - 2, i]
        for r in range(max(0, -top), min(reach, height - top)):
            for c in range(max(0, -left), min(reach, width - left)):
                omega = np.float32(areas[r * reach + c, k])
                if omega != 0:
                    for lane in range(len(lanes)):
                        band[top + r, left + c, lane] += omega * values[lane]


@njit(nogil=True, cache=True, error_model="numpy")
def _flag_row(flags, dq, picked, shares):
    """Put the DQ of the picked pixels of a row into all output pixels that get a share of them."""
    areas, count, reach = shares
    height, width = flags.shape
    for k in range(count):
        top, left = picked.first[0, k], picked.first[1, k]
        for r in range(max(0, -top), min(reach, height - top)):
            for c in range(max(0, -left), min(reach, width - left)):
                if np.float32(areas[r * reach + c, k]) != 0:
                    flags[top + r, left + c] |= dq[picked.number[k]]
