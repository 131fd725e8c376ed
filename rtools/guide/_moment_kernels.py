"""Compiled moments: the brightest place of a window, and the centre of the light in a box about it.

A pixel counts with the share of its area that lies in the box, as if all its light were in its centre.
"""

import numpy as np

from rtools.compiled import njit

__all__ = ["MOMENTS", "SUMS", "box_moments", "measure_pairs"]

HALF_BOX = 2.5
"""Half of the side of the box, pixels."""

PASSES = 5
"""Times that the box is centred."""

MEDIAN_LOSS = np.pi / 2
"""Variance of a median in units of that of a mean."""

SUMS = 13
"""Numbers that are summed over the box."""

MOMENTS = 11
"""Numbers that `box_moments` gives."""


@njit(nogil=True, cache=True, error_model="numpy")
def _ring_median(image, used, values):
    """Median of the outermost pixels that are used, and how many they are; 0 without one."""
    rows, columns = image.shape
    n = 0
    for j in range(rows):
        step = 1 if j in (0, rows - 1) else max(columns - 1, 1)
        for i in range(0, columns, step):
            if used[j, i]:
                values[n] = image[j, i]
                n += 1
    return (np.median(values[:n]) if n else 0.0), n


@njit(nogil=True, cache=True, error_model="numpy")
def _peak(image, used, background):
    """The pixel about which 3 × 3 pixels have most light; those that are not used have none."""
    rows, columns = image.shape
    light, sums = np.zeros((rows + 2, columns)), np.empty(columns)
    for j in range(rows):
        for i in range(columns):
            light[j + 1, i] = image[j, i] - background if used[j, i] else 0.0
    best, at_x, at_y = -np.inf, 0, 0
    for j in range(rows):
        for i in range(columns):
            sums[i] = light[j, i] + light[j + 1, i] + light[j + 2, i]
        for i in range(columns):
            total = sums[i] + (sums[i - 1] if i > 0 else 0.0) + (sums[i + 1] if i < columns - 1 else 0.0)
            if total > best:
                best, at_x, at_y = total, i, j
    return float(at_x), float(at_y), best


@njit(nogil=True, cache=True, error_model="numpy")
def _share(pixel, centre):
    """Share of a pixel in the box, along one axis."""
    return min(max(min(pixel + 0.5, centre + HALF_BOX) - max(pixel - 0.5, centre - HALF_BOX), 0.0), 1.0)


@njit(nogil=True, cache=True, error_model="numpy")
def _share_slope(pixel, centre):
    """How the share of a pixel grows when the box moves on: 1 at its end, -1 at its beginning."""
    if pixel - 0.5 < centre + HALF_BOX < pixel + 0.5:
        return 1.0
    return -1.0 if pixel - 0.5 < centre - HALF_BOX < pixel + 0.5 else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _sum_box(image, used, variance, centre, sums):
    """Light in a box, its moments about the centre, and the variances by which noise moves the first.

    `centre` is (x, y, background). `sums` receives Σl, Σlx, Σly, Σlxx, Σlyy, Σlxy, Σv, Σvxx, Σvyy, Σvxy, derivatives of
    Σlx by x and of Σly by y that the edges of the box make, and the area.
    """
    rows, columns = image.shape
    x, y, background = centre
    sums[:] = 0
    for j in range(max(int(y) - 2, 0), min(int(y) + 4, rows)):
        for i in range(max(int(x) - 2, 0), min(int(x) + 4, columns)):
            if not used[j, i]:
                continue
            share = _share(j, y) * _share(i, x)
            light = image[j, i] - background
            noise = share * share * (variance[j, i] + max(image[j, i], 0.0))
            dx, dy = i - x, j - y
            sums[10] += _share_slope(i, x) * _share(j, y) * light * dx
            sums[11] += _share_slope(j, y) * _share(i, x) * light * dy
            sums[12] += share
            light *= share
            sums[0] += light
            sums[1] += light * dx
            sums[2] += light * dy
            sums[3] += light * dx * dx
            sums[4] += light * dy * dy
            sums[5] += light * dx * dy
            sums[6] += noise
            sums[7] += noise * dx * dx
            sums[8] += noise * dy * dy
            sums[9] += noise * dx * dy


@njit(nogil=True, cache=True, error_model="numpy")
def box_moments(image, used, variance, scratch, found):
    """Background, peak and moments of a window.

    Parameters
    ----------
    image : float64 (rows, columns)
        Electrons.
    used : bool (rows, columns)
        Pixels that count.
    variance : float32 (rows, columns)
        Of the reads, electrons².
    scratch : float64 (2 rows + 2 columns + 13,)
        Memory.
    found : float64 (MOMENTS,)
        Receives x, y, flux, background; second moments xx, yy, xy of the image, about its centre; covariance xx, yy,
        xy of the centre by noise; variance of the flux.

    Returns
    -------
    bool
        Whether the light is positive and its centre lies in the window. If not, x and y are those of the peak, and the
        flux is that of the 3 × 3 pixels about it, at least 1.
    """
    rows, columns = image.shape
    background, ring = _ring_median(image, used, scratch)
    x, y, light = _peak(image, used, background)
    sums = scratch[:SUMS]
    found[:] = np.nan
    found[0], found[1], found[2], found[3] = x, y, max(light, 1.0), background
    shift_x, shift_y = 0.0, 0.0
    for _ in range(PASSES):
        x, y = x + shift_x, y + shift_y
        if not (-0.5 <= x <= columns - 0.5 and -0.5 <= y <= rows - 0.5):
            return False
        _sum_box(image, used, variance, (x, y, background), sums)
        if not sums[0] > 0:
            return False
        shift_x, shift_y = sums[1] / sums[0], sums[2] / sums[0]
    flux = sums[0]
    found[0], found[1], found[2] = x + shift_x, y + shift_y, flux
    found[4] = sums[3] / flux - shift_x * shift_x
    found[5] = sums[4] / flux - shift_y * shift_y
    found[6] = sums[5] / flux - shift_x * shift_y
    # The box follows the light: what moves the centre moves the box, and that moves the centre again.
    gain_x, gain_y = flux - sums[10], flux - sums[11]
    found[7], found[8], found[9] = sums[7] / gain_x**2, sums[8] / gain_y**2, sums[9] / (gain_x * gain_y)
    found[10] = sums[6] + sums[12] ** 2 * MEDIAN_LOSS * (variance[0, 0] + max(background, 0.0)) / max(ring, 1)
    return True


@njit(nogil=True, cache=True, error_model="numpy")
def measure_pairs(images, masked, variance, table, first, last):
    """Moments of pairs [first, last) into their rows of a table (`rtools.guide.measured`)."""
    rows, columns = images.shape[1:]
    image, used = np.empty((rows, columns)), np.empty((rows, columns), np.bool_)
    scratch, found = np.empty(2 * (rows + columns) + SUMS), np.empty(MOMENTS)
    for k in range(first, last):
        lost = 0
        for j in range(rows):
            for i in range(columns):
                image[j, i] = images[k, j, i]
                used[j, i] = not masked[k, j, i]
                lost += masked[k, j, i]
        row = table[k]
        row[:] = np.nan
        row[10], row[11] = lost, box_moments(image, used, variance, scratch, found)
        if row[11] == 1:
            row[0], row[1] = found[0], found[1]
            row[2:5] = found[7:10]
            row[5], row[6], row[7] = found[2], np.sqrt(found[10]), found[3]
            row[12:15] = found[4:7]
