"""Compiled drizzling of a member into a band of output rows.

A band is (rows, columns, lanes) in float32. Lane 0 is Σω, lane 1 Σω·data, the others Σω·σ of one variance each: what
one input pixel gives to one output pixel is one small vector. Input pixels come in the order of the map's cells, and in
a cell row by row, so what an output pixel sums up does not depend on how the output is cut into bands.
"""

import numpy as np

from rtools.compiled import njit
from rtools.mosaic.grid._pixmap_kernels import ORDER, row

__all__ = ["GAUSSIAN", "LANCZOS", "POINT", "TURBO", "centred", "square"]

POINT, TURBO, GAUSSIAN, LANCZOS = 0, 1, 2, 3

NEGLIGIBLE = 1e-12
"""Overlap (output pixels) that is rounding, not area."""

FLAT, THIN = 1e-30, 1e-9
"""Rise and half width of edges (output pixels) below which they count as horizontal or vertical."""


@njit(nogil=True, cache=True, error_model="numpy")
def _any(wanted, first, count):
    """Whether any pixel of a rectangle is wanted."""
    for y in range(max(first[0], 0), min(first[0] + count[0], wanted.shape[0])):
        for x in range(max(first[1], 0), min(first[1] + count[1], wanted.shape[1])):
            if wanted[y, x]:
                return True
    return False


@njit(nogil=True, cache=True, error_model="numpy")
def _reaches(box, place, size, margin, wanted):
    """Whether a cell's box, grown by a margin, meets the band, and a pixel of it that is wanted."""
    y0, x0 = place
    meets = (
        (box[0] - margin < x0 + size[1] - 0.5)
        & (box[1] + margin > x0 - 0.5)
        & (box[2] - margin < y0 + size[0] - 0.5)
        & (box[3] + margin > y0 - 0.5)
    )
    if not meets or not wanted.size:
        return meets
    left, bottom = int(box[0] - margin) - 1, int(box[2] - margin) - 1
    right, top = int(box[1] + margin) + 1, int(box[3] + margin) + 1
    return _any(wanted, (bottom - y0, left - x0), (top - bottom + 1, right - left + 1))


@njit(nogil=True, cache=True, error_model="numpy")
def _positions(cells, where, frame, centres, scratch):
    """Output positions of a cell's pixels and of a rim of one pixel: centres (rows + 2, 2, columns + 2).

    Beyond the valid pixels of the member the map goes on linearly.
    """
    cy, cx, step = where
    rows, columns, bounds = frame
    height, width = rows[1] - rows[0] + 2, columns[1] - columns[0] + 2
    u = (columns[0] - 1 - cx * step + 0.5) / step
    for j in range(height):
        v = (rows[0] - 1 + j - cy * step + 0.5) / step
        for k in range(2):
            line = centres[j, k, :width]
            row(cells[k, cy, cx], v, u, 1.0 / step, line, scratch)
            if columns[0] == bounds[0] and bounds[1] > bounds[0]:
                line[0] = 2 * line[1] - line[2]
            if columns[1] - 1 == bounds[1] and bounds[1] > bounds[0]:
                line[width - 1] = 2 * line[width - 2] - line[width - 3]
    if bounds[3] > bounds[2]:
        for k in range(2):
            for i in range(width):
                if rows[0] == bounds[2]:
                    centres[0, k, i] = 2 * centres[1, k, i] - centres[2, k, i]
                if rows[1] - 1 == bounds[3]:
                    centres[height - 1, k, i] = 2 * centres[height - 2, k, i] - centres[height - 3, k, i]


@njit(nogil=True, cache=True, error_model="numpy")
def _misses(centres, j, place, height, reach):
    """Whether a row of a cell's pixels is above or below a band, by its ends; `reach` is how far they spread.

    In a cell a row is straight to a fraction of a pixel; NaN misses nothing.
    """
    line, following = centres[j + 1, 1], centres[j + 2, 1]
    first, last = line[0], line[line.size - 1]
    margin = 2 + reach + abs(line[1] - first) + abs(following[0] - first)
    return (min(first, last) - margin > place[0] + height) | (max(first, last) + margin < place[0])


@njit(nogil=True, cache=True, error_model="numpy")
def _corners(centres, j, h, corner):
    """Corners of a row's pixels, bilinear between centres: (-h, +h), (+h, +h), (+h, -h), (-h, -h).

    `corner` is (2, 4, columns).
    """
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
def _sigma(planes, j, first, sigma):
    """Square roots of the variances of a row's pixels: (lanes - 2, columns)."""
    (rnoise, poisson, flat), sources, added = planes
    last = first + sigma.shape[1]
    for lane in range(sources.size):
        source, more, line = rnoise, added[lane], sigma[lane]
        if sources[lane] == 1:
            source = poisson
        elif sources[lane] == 2:
            source = flat
        values = source[j, first:last]
        for i in range(line.size):
            line[i] = np.sqrt(values[i] + more)


@njit(nogil=True, cache=True, error_model="numpy")
def _select(weight, corner, band, wanted, picked):
    """Pick the pixels of a row that count, and put their squares beside each other.

    Parameters
    ----------
    weight : float32 (n,)
    corner : float64 (2, 4, n)
    band : tuple
        (row, column, rows, columns) of the output.
    wanted : uint8 (rows, columns), or of size 0 for all
    picked : tuple
        Receives numbers of pixels, rows and columns of the output with which their squares begin, squares (8, n): x and
        y of the corners, from the outer corner of that output pixel on.

    Returns
    -------
    count, reach : int
        Pixels picked; output pixels that the largest square needs in a row or column.
    """
    number, first, squares = picked
    y0, x0, height, width = band
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
        if wanted.size and not _any(wanted, (iy - y0, ix - x0), (size, size)):
            continue
        number[count], first[0, count], first[1, count] = i, iy - y0, ix - x0
        for e in range(4):
            squares[e, count] = corner[0, e, i] - ix + 0.5
            squares[4 + e, count] = corner[1, e, i] - iy + 0.5
        reach = max(reach, size)
        count += 1
    return count, reach


@njit(nogil=True, cache=True, error_model="numpy")
def _below(squares, count, reach, lines, areas):
    """Area of each square at v < 1, 2, … and u < 1, 2, …: `areas` (rows · columns, n).

    It is the sum over the edges of the integral of min(u, c) over v, as far as v is below r.
    """
    slope, left, right, rise = lines[0, :count], lines[1, :count], lines[2, :count], lines[3, :count]
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
                    low, high = left[i], right[i]
                    cut = min(max(limit, low), high)
                    share = (cut - low) / (high - low)
                    area[i] += rise[i] * (limit + share * (0.5 * (cut + low) - limit))


@njit(nogil=True, cache=True, error_model="numpy")
def _shares(areas, size, scale):
    """Make of the sums of `_below` what each output pixel gets: its overlap times the `scale` of the square."""
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


@njit(nogil=True, cache=True, error_model="numpy")
def _row_of_squares(band, place, pixels, corner, room):
    """Drizzle some pixels of a row; returns `areas`, which may have had to grow.

    `pixels` are (weight, data, σ (lanes - 2, columns), DQ); `room` is (areas, lines, picked, part, pixels wanted, a
    zero for each lane, DQ of the output).
    """
    weight, data, sigma, dq = pixels
    areas, lines, picked, part, wanted, lanes, flags = room
    number, first, squares = picked
    height, width = band.shape[0], band.shape[1]
    count, reach = _select(weight, corner, (place[0], place[1], height, width), wanted, picked)
    if count == 0:
        return areas
    if reach * reach > areas.shape[0]:
        areas = np.empty((reach * reach, areas.shape[1]))
    _below(squares, count, reach, lines, areas)
    scale = lines[0]
    for i in range(count):
        scale[i] = weight[number[i]] / areas[reach * reach - 1, i]
    _shares(areas, (count, reach), scale)
    for k in range(count):
        i, row, column = number[k], first[0, k], first[1, k]
        part[0] = 1
        part[1] = data[i]
        for lane in range(2, len(lanes)):
            part[lane] = sigma[lane - 2, i]
        for r in range(max(0, -row), min(reach, height - row)):
            for c in range(max(0, -column), min(reach, width - column)):
                omega = np.float32(areas[r * reach + c, k])
                if omega != 0:
                    for lane in range(len(lanes)):
                        band[row + r, column + c, lane] += omega * part[lane]
    if flags.size:
        _flag_squares(flags, dq, (number[:count], first), areas, reach)
    return areas


@njit(nogil=True, cache=True, error_model="numpy")
def _flag_squares(flags, dq, picked, areas, reach):
    """Put the DQ of the pixels of a row into all output pixels that get a share of them."""
    number, first = picked
    height, width = flags.shape
    for k in range(number.size):
        row, column = first[0, k], first[1, k]
        for r in range(max(0, -row), min(reach, height - row)):
            for c in range(max(0, -column), min(reach, width - column)):
                if np.float32(areas[r * reach + c, k]) != 0:
                    flags[row + r, column + c] |= dq[number[k]]


@njit(nogil=True, cache=True, error_model="numpy")
def square(band, place, pixmap, planes, options):
    """Drizzle the pixels of a member as squares.

    Parameters
    ----------
    band : float32 (rows, columns, lanes)
        Added to.
    place : (int, int)
        Output row and column of the band's first pixel.
    pixmap : tuple
        (cells, boxes, step, bounds).
    planes : tuple
        (weight, data, variances (tuple of 3), source of each variance lane, what to add to the variance, DQ).
    options : tuple
        (half the side of a square in input pixels, uint8 (rows, columns): pixels wanted, or of size 0: all, uint32
        (rows, columns): receives the DQ, or of size 0, a tuple of as many zeros as lanes: so their number is known when
        compiling).
    """
    cells, boxes, step, bounds = pixmap
    weight, data, variances, sources, added, dq = planes
    h, wanted, flags, lanes = options
    scratch = np.empty(ORDER)
    centres = np.empty((step + 2, 2, step + 2))
    corners = np.empty((2, 4, step))
    sigmas = np.empty((max(len(lanes) - 2, 1), step), np.float32)
    areas, lines = np.empty((16, step)), np.empty((4, step))
    picked = np.empty(step, np.int64), np.empty((2, step), np.int64), np.empty((8, step))
    part = np.empty(len(lanes), np.float32)
    for cy in range(cells.shape[1]):
        rows = max(cy * step, bounds[2]), min(cy * step + step, bounds[3] + 1)
        for cx in range(cells.shape[2]):
            columns = max(cx * step, bounds[0]), min(cx * step + step, bounds[1] + 1)
            width = columns[1] - columns[0]
            if rows[0] >= rows[1] or width <= 0 or not _reaches(boxes[cy, cx], place, band.shape, 1.0, wanted):
                continue
            _positions(cells, (cy, cx, step), (rows, columns, bounds), centres, scratch)
            corner, sigma = corners[:, :, :width], sigmas[:, :width]
            for j in range(rows[0], rows[1]):
                if _misses(centres[:, :, : width + 2], j - rows[0], place, band.shape[0], 0.0):
                    continue
                _corners(centres, j - rows[0], h, corner)
                if len(lanes) > 2:
                    _sigma((variances, sources, added), j, columns[0], sigma)
                first, last = columns
                pixels = weight[j, first:last], data[j, first:last], sigma, dq[j, first:last]
                areas = _row_of_squares(band, place, pixels, corner, (areas, lines, picked, part, wanted, lanes, flags))


@njit(nogil=True, cache=True, error_model="numpy")
def _share(kind, offset, shape):
    """What a pixel gives to one at an offset (output pixels) along one axis; the product of both axes counts.

    `shape` is (reach, factor, exponent, table): see `rtools.mosaic.drizzle.drizzle`.
    """
    reach, factor, exponent, table = shape
    if kind == POINT:
        return 1.0
    if kind == TURBO:
        return factor * max(min(offset + reach, 0.5) - max(offset - reach, -0.5), 0.0)
    if kind == GAUSSIAN:
        return factor * np.exp(-exponent * offset * offset)
    place = int(abs(offset) * exponent + 0.5)
    return table[place] if place < table.size else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def centred(band, hit, place, pixmap, planes, options):
    """Drizzle the pixels of a member as spots about their centres.

    Parameters
    ----------
    band, place, pixmap, planes
        As the square kernels take them.
    hit : uint8 (rows, columns)
        Set where a contribution was positive; or of size 0.
    options : tuple
        (kind, (reach, factor, exponent, table), uint8 (rows, columns): pixels wanted, or of size 0: all, uint32 (rows,
        columns): receives the DQ, or of size 0).
    """
    cells, boxes, step, bounds = pixmap
    weight, data, variances, sources, added, dq = planes
    kind, shape, wanted, flags = options
    reach = shape[0]
    y0, x0 = place
    height, columns_out, lanes = band.shape
    scratch = np.empty(ORDER)
    centres = np.empty((step + 2, 2, step + 2))
    sigmas = np.empty((max(lanes - 2, 1), step), np.float32)
    for cy in range(cells.shape[1]):
        rows = max(cy * step, bounds[2]), min(cy * step + step, bounds[3] + 1)
        for cx in range(cells.shape[2]):
            columns = max(cx * step, bounds[0]), min(cx * step + step, bounds[1] + 1)
            width = columns[1] - columns[0]
            if rows[0] >= rows[1] or width <= 0:
                continue
            if not _reaches(boxes[cy, cx], place, band.shape, reach + 1, wanted):
                continue
            _positions(cells, (cy, cx, step), (rows, columns, bounds), centres, scratch)
            for j in range(rows[0], rows[1]):
                if _misses(centres[:, :, : width + 2], j - rows[0], place, height, reach):
                    continue
                _sigma((variances, sources, added), j, columns[0], sigmas[:, :width])
                for i in range(width):
                    w = weight[j, columns[0] + i]
                    x, y = centres[j - rows[0] + 1, 0, i + 1] - x0, centres[j - rows[0] + 1, 1, i + 1] - y0
                    if w == 0 or not ((y + reach > -1) & (y - reach < height)):
                        continue
                    if not ((x + reach > -1) & (x - reach < columns_out)):
                        continue
                    bottom, top = int(np.floor(y - reach + 0.5)), int(np.floor(y + reach + 0.5))
                    left, right = int(np.floor(x - reach + 0.5)), int(np.floor(x + reach + 0.5))
                    if wanted.size and not _any(wanted, (bottom, left), (top - bottom + 1, right - left + 1)):
                        continue
                    value = data[j, columns[0] + i]
                    for r in range(max(bottom, 0), min(top + 1, height)):
                        along = _share(kind, r - y, shape)
                        for c in range(max(left, 0), min(right + 1, columns_out)):
                            omega = np.float32(along * _share(kind, c - x, shape) * w)
                            if hit.size and omega > 0:
                                hit[r, c] = 1
                            if flags.size and omega != 0:
                                flags[r, c] |= dq[j, columns[0] + i]
                            band[r, c, 0] += omega
                            band[r, c, 1] += omega * value
                            for lane in range(lanes - 2):
                                band[r, c, lane + 2] += omega * sigmas[lane, i]
