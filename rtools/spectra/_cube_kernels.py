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
        start, stop = max(int(np.floor(low + 0.5)), 0), min(int(np.floor(high + 0.5)), planes - 1)
        if not stop >= start:
            continue
        quad = corners[i]
        left, right = max(int(np.floor(quad[:, 0].min() + 0.5)), 0), int(np.floor(quad[:, 0].max() + 0.5))
        bottom, top = max(int(np.floor(quad[:, 1].min() + 0.5)), 0), int(np.floor(quad[:, 1].max() + 0.5))
        for j in range(bottom, min(top, rows - 1) + 1):
            for k in range(left, min(right, columns - 1) + 1):
                area = _shared_area(quad, k, j, work)
                if area <= TOUCHING:
                    continue
                for m in range(start, stop + 1):
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
        for m in range(max(int(np.ceil(z - depth)), 0), min(int(np.floor(z + depth)), planes - 1) + 1):
            for j in range(max(int(np.ceil(y - radius)), 0), min(int(np.floor(y + radius)), rows - 1) + 1):
                for k in range(max(int(np.ceil(x - radius)), 0), min(int(np.floor(x + radius)), columns - 1) + 1):
                    across = (k - x) ** 2 + (j - y) ** 2
                    if across <= radius**2:
                        weight = np.exp(-(across + (m - z) ** 2) / scale)
                        _add(sums, (m, j, k), values[i, 0], values[i, 1], weight)
