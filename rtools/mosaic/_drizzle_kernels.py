"""Compiled drizzling of a member into a band of output rows.

A band is (rows, columns, lanes) in float32. Lane 0 is Σω, lane 1 Σω·data, the others Σω·σ of one variance each: what
one input pixel gives to one output pixel is one small vector. Input pixels come in the order of the map's cells, and in
a cell row by row, so what an output pixel sums up does not depend on how the output is cut into bands.
"""

import numpy as np
from numba import njit

from rtools.mosaic._pixmap_kernels import ORDER, row

__all__ = ["GAUSSIAN", "LANCZOS", "POINT", "TURBO", "centred", "square"]

POINT, TURBO, GAUSSIAN, LANCZOS = 0, 1, 2, 3

NEGLIGIBLE = 1e-12
"""Overlap (output pixels) that is rounding, not area."""


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
    """Square roots of the variances of a row's pixels: (columns, lanes - 2)."""
    (rnoise, poisson, flat), sources, added = planes
    for lane in range(sources.size):
        more = added[lane]
        for i in range(sigma.shape[0]):
            x = first + i
            value = rnoise[j, x] if sources[lane] == 0 else (poisson[j, x] if sources[lane] == 1 else flat[j, x])
            sigma[i, lane] = np.sqrt(value + more)


@njit(nogil=True, cache=True, error_model="numpy")
def _extent(corner, i):
    """First and last output pixel that a square may touch."""
    a, b, c, d = corner[0], corner[1], corner[2], corner[3]
    low = min(min(a[i], b[i]), min(c[i], d[i]))
    high = max(max(a[i], b[i]), max(c[i], d[i]))
    return low, high


@njit(nogil=True, cache=True, error_model="numpy")
def _edge(start, end, cover):
    """Add the area between an edge and the far right to the pixels it passes: `cover` sums up along u to coverage."""
    (ua, va), (ub, vb) = start, end
    sign = 1.0
    if vb < va:
        ua, va, ub, vb, sign = ub, vb, ua, va, -1.0
    if vb == va:
        return
    slope = (ub - ua) / (vb - va)
    r = int(va)
    u, v = ua, va
    while v < vb:
        top = min(vb, r + 1.0)
        to = ub if top == vb else ua + (top - va) * slope
        low, high = min(u, to), max(u, to)
        height = sign * (top - v)
        c, last = int(low), int(high)
        if c == last:
            part = height * (c + 1 - 0.5 * (low + high))
            cover[r, c] += part
            cover[r, c + 1] += height - part
        else:
            density = height / (high - low)
            x = low
            while c <= last:
                right = min(high, c + 1.0)
                piece = (right - x) * density
                part = piece * (c + 1 - 0.5 * (x + right))
                cover[r, c] += part
                cover[r, c + 1] += piece - part
                x = right
                c += 1
        u, v = to, top
        r += 1


@njit(nogil=True, cache=True, error_model="numpy")
def _coverage(corner, i, first, cover):
    """Put the area of a square in each output pixel into `cover` (as `_edge` does); its whole area."""
    xs, ys = corner[0], corner[1]
    ox, oy = 0.5 - first[1], 0.5 - first[0]
    for e in range(4):
        n = (e + 1) & 3
        _edge((xs[e, i] + ox, ys[e, i] + oy), (xs[n, i] + ox, ys[n, i] + oy), cover)
    return 0.5 * ((xs[1, i] - xs[3, i]) * (ys[0, i] - ys[2, i]) - (xs[0, i] - xs[2, i]) * (ys[1, i] - ys[3, i]))


@njit(nogil=True, cache=True, error_model="numpy")
def _rectangle(corner, i, place, size):
    """First row and column, rows and columns of the output that a square may touch; no rows if it misses the band."""
    low, high = _extent(corner[1], i)
    # NaN fails too
    if not ((high > place[0] - 0.5) & (low < place[0] + size[0] - 0.5)):
        return 0, 0, 0, 0
    left, right = _extent(corner[0], i)
    if not ((right > place[1] - 0.5) & (left < place[1] + size[1] - 0.5)):
        return 0, 0, 0, 0
    iy, ix = int(np.floor(low + 0.5)), int(np.floor(left + 0.5))
    return iy, ix, int(np.floor(high + 0.5)) - iy + 1, int(np.floor(right + 0.5)) - ix + 1


@njit(nogil=True, cache=True, error_model="numpy", inline="always")  # as a call it would cost a sixth of the time
def _pour(band, first, cover, area, values):
    """Spread a pixel over its part of the band, by its coverage there, which is cleared.

    Parameters
    ----------
    band : float32 (rows, columns, lanes)
    first : (int, int, int, int)
        Row and column of the band where the square's rectangle begins, and its size.
    cover : float64
        What `_coverage` left there.
    area : float
        Of the square.
    values : tuple
        (weight, what it gives to each lane, tuple of as many zeros as lanes).
    """
    row, column, rows, columns = first
    weight, part, lanes = values
    for r in range(rows):
        inside = (row + r >= 0) & (row + r < band.shape[0])
        total = 0.0
        for c in range(columns):
            total += cover[r, c]
            cover[r, c] = 0.0
            here = column + c
            overlap = total / area
            if inside & (here >= 0) & (here < band.shape[1]) & (overlap * abs(area) > NEGLIGIBLE):
                omega = np.float32(overlap * weight)
                for lane in range(len(lanes)):
                    band[row + r, here, lane] += omega * part[lane]
        cover[r, columns] = 0.0
        cover[r, columns + 1] = 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _row_of_squares(band, place, pixels, corner, room):
    """Drizzle some pixels of a row; returns `cover`, which may have had to grow.

    `pixels` are (weight, data, σ (columns, lanes - 2)); `room` is (cover, part, pixels wanted, a zero for each lane).
    """
    weight, data, sigma = pixels
    cover, part, wanted, lanes = room
    for i in range(weight.size):
        if weight[i] == 0:
            continue
        iy, ix, ny, nx = _rectangle(corner, i, place, band.shape)
        if ny == 0 or (wanted.size and not _any(wanted, (iy - place[0], ix - place[1]), (ny, nx))):
            continue
        if ny > cover.shape[0] or nx + 2 > cover.shape[1]:
            cover = np.zeros((ny + 8, nx + 10))
        area = _coverage(corner, i, (iy, ix), cover)
        part[0] = 1
        part[1] = data[i]
        for lane in range(2, len(lanes)):
            part[lane] = sigma[i, lane - 2]
        _pour(band, (iy - place[0], ix - place[1], ny, nx), cover, area, (weight[i], part, lanes))
    return cover


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
        (weight, data, variances (tuple of 3), source of each variance lane, what to add to the variance).
    options : tuple
        (half the side of a square in input pixels, uint8 (rows, columns): pixels wanted, or of size 0: all, a tuple of
        as many zeros as lanes: so their number is known when compiling).
    """
    cells, boxes, step, bounds = pixmap
    weight, data, variances, sources, added = planes
    h, wanted, lanes = options
    scratch = np.empty(ORDER)
    centres = np.empty((step + 2, 2, step + 2))
    corners = np.empty((2, 4, step))
    sigmas = np.empty((step, max(len(lanes) - 2, 1)), np.float32)
    cover = np.zeros((8, 10))
    part = np.empty(len(lanes), np.float32)
    for cy in range(cells.shape[1]):
        rows = max(cy * step, bounds[2]), min(cy * step + step, bounds[3] + 1)
        for cx in range(cells.shape[2]):
            columns = max(cx * step, bounds[0]), min(cx * step + step, bounds[1] + 1)
            width = columns[1] - columns[0]
            if rows[0] >= rows[1] or width <= 0 or not _reaches(boxes[cy, cx], place, band.shape, 1.0, wanted):
                continue
            _positions(cells, (cy, cx, step), (rows, columns, bounds), centres, scratch)
            corner, sigma = corners[:, :, :width], sigmas[:width]
            for j in range(rows[0], rows[1]):
                _corners(centres, j - rows[0], h, corner)
                if len(lanes) > 2:
                    _sigma((variances, sources, added), j, columns[0], sigma)
                pixels = weight[j, columns[0] : columns[1]], data[j, columns[0] : columns[1]], sigma
                cover = _row_of_squares(band, place, pixels, corner, (cover, part, wanted, lanes))


@njit(nogil=True, cache=True, error_model="numpy")
def _share(kind, offset, shape):
    """What a pixel gives to one at an offset (output pixels) along one axis; the product of both axes counts.

    `shape` is (reach, factor, exponent, table): see `rtools.mosaic.drizzle`.
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
        (kind, (reach, factor, exponent, table), uint8 (rows, columns): pixels wanted, or of size 0: all).
    """
    cells, boxes, step, bounds = pixmap
    weight, data, variances, sources, added = planes
    kind, shape, wanted = options
    reach = shape[0]
    y0, x0 = place
    height, columns_out, lanes = band.shape
    scratch = np.empty(ORDER)
    centres = np.empty((step + 2, 2, step + 2))
    sigmas = np.empty((step, max(lanes - 2, 1)), np.float32)
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
                _sigma((variances, sources, added), j, columns[0], sigmas[:width])
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
                            band[r, c, 0] += omega
                            band[r, c, 1] += omega * value
                            for lane in range(lanes - 2):
                                band[r, c, lane + 2] += omega * sigmas[i, lane]
