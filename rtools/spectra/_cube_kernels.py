"""Compiled sums of a cube: pixels of slices as quadrilaterals with a depth in wavelength, or as a cloud of points."""

import numpy as np

from rtools.compiled import njit

__all__ = ["add_boxes", "add_points"]

FLUX, WEIGHT, VARIANCE, COUNT = 0, 1, 2, 3
"""Planes of the sums."""

TOUCHING = 1e-9
"""What shares less than this part of a voxel only touches it, within rounding."""


@njit(nogil=True, cache=True, error_model="numpy")
def _clip(corners, count, axis, limit, sign, out):
    """Corners of a convex polygon on one side of a line (Sutherland & Hodgman 1974); how many there are."""
    kept = 0
    for k in range(count):
        here, there = corners[k], corners[(k + 1) % count]
        inside, follows = sign * (here[axis] - limit) >= 0, sign * (there[axis] - limit) >= 0
        if inside:
            out[kept, 0], out[kept, 1] = here[0], here[1]
            kept += 1
        if inside != follows:
            share = (limit - here[axis]) / (there[axis] - here[axis])
            out[kept, 0] = here[0] + share * (there[0] - here[0])
            out[kept, 1] = here[1] + share * (there[1] - here[1])
            kept += 1
    return kept


@njit(nogil=True, cache=True, error_model="numpy")
def _area(corners, count):
    """Area of a polygon (Gauss's formula)."""
    total = 0.0
    for k in range(count):
        n = (k + 1) % count
        total += corners[k, 0] * corners[n, 1] - corners[n, 0] * corners[k, 1]
    return abs(total) / 2


@njit(nogil=True, cache=True, error_model="numpy")
def _shared_area(quad, x, y, work):
    """Area that a quadrilateral shares with the square of side 1 about (x, y)."""
    one, two = work[0], work[1]
    one[:4] = quad
    count = _clip(one, 4, 0, x - 0.5, 1.0, two)
    count = _clip(two, count, 0, x + 0.5, -1.0, one)
    count = _clip(one, count, 1, y - 0.5, 1.0, two)
    count = _clip(two, count, 1, y + 0.5, -1.0, one)
    return _area(one, count)


@njit(nogil=True, cache=True, error_model="numpy")
def _add(sums, place, flux, sigma, weight):
    """Add a pixel to a voxel."""
    m, j, k = place
    sums[FLUX, m, j, k] += weight * flux
    sums[WEIGHT, m, j, k] += weight
    sums[VARIANCE, m, j, k] += (weight * sigma) ** 2
    sums[COUNT, m, j, k] += 1


@njit(nogil=True, cache=True, error_model="numpy")
def _reached(low, high, count):
    """Whole numbers from low to high, among those below a count: the first, and the one behind the last."""
    return max(int(np.ceil(low)), 0), min(int(np.floor(high)), count - 1) + 1


@njit(nogil=True, cache=True, error_model="numpy")
def add_boxes(sums, first, corners, depths, values):
    """Add pixels by the volume that they share with voxels.

    Parameters
    ----------
    sums : ndarray of float64
        (4, planes, rows, columns), added to.
    first : int
        Number of the first of these planes in the cube.
    corners : ndarray of float64
        (pixels, 4, 2) x and y of the corners, in spaxels, in order around the pixel.
    depths : ndarray of float64
        (pixels, 2) ends in wavelength, in planes; plane m reaches from m - 0.5 to m + 0.5.
    values : ndarray of float64
        (pixels, 2) flux and its error.
    """
    planes, rows, columns = sums.shape[1:]
    work = np.empty((2, 12, 2))
    for i in range(len(corners)):
        low, high = depths[i, 0] - first, depths[i, 1] - first
        start, stop = _reached(low - 0.5, high + 0.5, planes)
        if start >= stop:
            continue
        quad = corners[i]
        left, right = _reached(quad[:, 0].min() - 0.5, quad[:, 0].max() + 0.5, columns)
        bottom, top = _reached(quad[:, 1].min() - 0.5, quad[:, 1].max() + 0.5, rows)
        for j in range(bottom, top):
            for k in range(left, right):
                area = _shared_area(quad, k, j, work)
                if area <= TOUCHING:
                    continue
                for m in range(start, stop):
                    overlap = min(high, m + 0.5) - max(low, m - 0.5)
                    if overlap > TOUCHING:
                        _add(sums, (m, j, k), values[i, 0], values[i, 1], area * overlap)


@njit(nogil=True, cache=True, error_model="numpy")
def add_points(sums, first, centres, reach, values):
    """Add pixels to voxels near their centres, with weights that fall off exponentially with the squared distance.

    Parameters
    ----------
    sums : ndarray of float64
        (4, planes, rows, columns), added to.
    first : int
        Number of the first of these planes in the cube.
    centres : ndarray of float64
        (pixels, 3) x, y in spaxels and wavelength in planes.
    reach : tuple of float
        Radius on the sky in spaxels, half the depth in planes, and the scale of the weight: exp(-d²/scale) with d in
        voxels.
    values : ndarray of float64
        (pixels, 2) flux and its error.
    """
    planes, rows, columns = sums.shape[1:]
    radius, depth, scale = reach
    for i in range(len(centres)):
        x, y, z = centres[i, 0], centres[i, 1], centres[i, 2] - first
        start, stop = _reached(z - depth, z + depth, planes)
        bottom, top = _reached(y - radius, y + radius, rows)
        left, right = _reached(x - radius, x + radius, columns)
        for m in range(start, stop):
            for j in range(bottom, top):
                for k in range(left, right):
                    across = (k - x) ** 2 + (j - y) ** 2
                    if across <= radius**2:
                        weight = np.exp(-(across + (m - z) ** 2) / scale)
                        _add(sums, (m, j, k), values[i, 0], values[i, 1], weight)
