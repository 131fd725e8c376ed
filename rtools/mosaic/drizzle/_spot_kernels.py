"""Compiled drizzling of a member's pixels as spots about their centres: point, turbo, gaussian and lanczos kernels.

A spot is a product of two profiles, one along each axis of the output. The formulas of the profiles, and where they
come from, are in `rtools.mosaic.drizzle.drizzle`.
"""

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

__all__ = ["GAUSSIAN", "LANCZOS", "POINT", "TURBO", "drizzle_spots"]

POINT, TURBO, GAUSSIAN, LANCZOS = 0, 1, 2, 3


@njit(nogil=True, cache=True, error_model="numpy")
def drizzle_spots(rectangle, pixmap, pixels, kind, profile):
    """Drizzle the pixels of a member as spots about their centres.

    Parameters
    ----------
    rectangle : Rectangle
        Added to.
    pixmap : Cells
        Where the pixels of the member lie in the mosaic.
    pixels : Pixels
        The member.
    kind : int
        `POINT`, `TURBO`, `GAUSSIAN` or `LANCZOS`.
    profile : rtools.mosaic.drizzle.drizzle.Profile
        Of the spot along one axis.
    """
    cells, boxes, step, bounds = pixmap.cells, pixmap.boxes, pixmap.step, pixmap.bounds
    window, wanted = rectangle.window, rectangle.wanted
    centres, across = new_centres(step), np.empty(int(2 * profile.reach) + 3)
    sigmas = np.empty((max(rectangle.lanes.shape[2] - 2, 1), step), np.float32)
    for y in range(cells.shape[1]):
        for x in range(cells.shape[2]):
            patch = patch_of(bounds, step, y, x)
            left, right, width = patch.left, patch.right, patch.right - patch.left
            if patch.top >= patch.bottom or width <= 0:
                continue
            if not is_reached(boxes[y, x], window, wanted, profile.reach + 1):
                continue
            locate_pixels(cells, step, bounds, patch, centres)
            places, sigma = centres[:, :, : width + 2], sigmas[:, :width]
            for j in range(patch.top, patch.bottom):
                if row_misses(window, places, j - patch.top, profile.reach):
                    continue
                take_roots(pixels.variances, j, left, sigma)
                row = Row(pixels.weight[j, left:right], pixels.data[j, left:right], pixels.dq[j, left:right], sigma)
                _add_row(rectangle, row, places[j - patch.top + 1], (kind, profile), across)


# Inlined: the compiler then knows that σ and `across` are memory of their own, which no store to the lanes can change.
@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _add_row(rectangle, row, places, shape, across):
    """Add the spots of a row's pixels; `places` (2, n + 2) are x and y in the mosaic, of a pixel on either side too."""
    lanes, hit, flags, wanted = rectangle.lanes, rectangle.hit, rectangle.flags, rectangle.wanted
    kind, profile = shape
    height, width = lanes.shape[0], lanes.shape[1]
    for i in range(row.weight.size):
        w = row.weight[i]
        x, y = places[0, i + 1] - rectangle.window.column, places[1, i + 1] - rectangle.window.row
        if w == 0 or not (_meets(y, profile.reach, height) & _meets(x, profile.reach, width)):
            continue
        bottom, top = _ends(y, profile.reach)
        left, right = _ends(x, profile.reach)
        if wanted.size and not is_any_wanted(wanted, (bottom, left), (top - bottom + 1, right - left + 1)):
            continue
        value = row.data[i]
        for c in range(max(left, 0), min(right + 1, width)):
            across[c - left] = _share(kind, c - x, profile)
        for r in range(max(bottom, 0), min(top + 1, height)):
            along = _share(kind, r - y, profile)
            for c in range(max(left, 0), min(right + 1, width)):
                omega = np.float32(along * across[c - left] * w)
                if hit.size and omega > 0:
                    hit[r, c] = 1
                if flags.size and omega != 0:
                    flags[r, c] |= row.dq[i]
                lanes[r, c, 0] += omega
                lanes[r, c, 1] += omega * value
                for lane in range(lanes.shape[2] - 2):
                    lanes[r, c, lane + 2] += omega * row.sigma[lane, i]


@njit(nogil=True, cache=True, error_model="numpy")
def _meets(middle, reach, size):
    """Whether a spot that reaches so far from its middle can meet the pixels 0 … size - 1; NaN meets none."""
    return (middle + reach > -1) & (middle - reach < size)


@njit(nogil=True, cache=True, error_model="numpy")
def _ends(middle, reach):
    """First and last output pixel of a spot along one axis."""
    return int(np.floor(middle - reach + 0.5)), int(np.floor(middle + reach + 0.5))


@njit(nogil=True, cache=True, error_model="numpy")
def _share(kind, offset, profile):
    """What a pixel gives to one at an offset (output pixels) along one axis; the product of both axes counts."""
    if kind == POINT:
        return 1.0
    if kind == TURBO:
        reach = profile.reach
        return profile.factor * max(min(offset + reach, 0.5) - max(offset - reach, -0.5), 0.0)
    if kind == GAUSSIAN:
        return profile.factor * np.exp(-profile.exponent * offset * offset)
    place = int(abs(offset) * profile.exponent + 0.5)
    return profile.table[place] if place < profile.table.size else 0.0
