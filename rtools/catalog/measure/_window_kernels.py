"""Compiled windowed centres: first moments under a round Gaussian that follows the source.

As in SExtractor (Bertin & Arnouts 1996, A&AS 117, 393; windowed parameters in its manual): the window has the width
of a Gaussian source with the same half-light radius, and the centre c moves by twice the first moment,
c <- c + 2 Σ w D (r - c) / Σ w D. Twice, because a Gaussian under a window of its own width is half as far off.
"""

import math

import numpy as np

from rtools.catalog.measure._pixel_kernels import TOO_MANY, box_around, is_usable
from rtools.compiled import njit

__all__ = ["find_windowed_centres"]

ROUNDS = 16
"""Steps of the centre, at most."""

STILL = 1e-4
"""Pixels: a shorter step is the last one."""

REACH = 4.0
"""Sigmas at which the window is cut off."""

LEAST_RADIUS = 0.5
"""Pixels: what a half-light radius counts for at least. A narrower window would see one pixel."""

FWHM_TO_SIGMA = 2 * math.sqrt(2 * math.log(2.0))
"""By which a full width at half maximum is divided. That of a Gaussian is twice its half-light radius."""


@njit(cache=True, nogil=True)
def find_windowed_centres(pixels, labels, ellipses, radius, out, first, last):
    """Centres under a Gaussian window for the sources [first, last).

    Parameters
    ----------
    pixels : SourcePixels
        The images.
    labels : ndarray int32 (n,)
        Of the sources.
    ellipses : Ellipses
        Where the search begins, and which it may not leave.
    radius : ndarray float64 (n,)
        Half-light radii, pixels.
    out : ndarray float64 (n, 6)
        Receives x, y, Var x, Var y, Cov xy, and whether x, y is the windowed centre (1) or the isophotal one in its
        place (0).
    first, last : int
        Which sources.
    """
    shape = pixels.data.shape
    sums, squares = np.empty(6), np.empty(3)
    for i in range(first, last):
        out[i] = np.nan
        if not np.isfinite(ellipses.x[i] + ellipses.y[i] + radius[i]):
            continue
        sigma = 2 * max(radius[i], LEAST_RADIUS) / FWHM_TO_SIGMA
        if (2 * REACH * sigma + 3) ** 2 > max(shape[0] * shape[1], TOO_MANY):  # no window for a source
            out[i, 0], out[i, 1], out[i, 5] = ellipses.x[i], ellipses.y[i], 0.0
            continue
        x, y = _follow(pixels, labels[i], (ellipses.x[i], ellipses.y[i]), sigma, (sums[:3], squares))
        if not _is_within(ellipses, i, x, y):
            out[i, 0], out[i, 1], out[i, 5] = ellipses.x[i], ellipses.y[i], 0.0
            continue
        _sum_window(pixels, labels[i], (x, y), sigma, sums, squares)
        out[i, 0], out[i, 1], out[i, 5] = x, y, 1.0
        out[i, 2], out[i, 3], out[i, 4] = _propagate(sums, squares, sigma)


@njit(cache=True, nogil=True)
def _follow(pixels, label, start, sigma, memory):
    """Move the window until it stands still; returns its centre."""
    x, y = start
    sums, squares = memory
    for _ in range(ROUNDS):
        _sum_window(pixels, label, (x, y), sigma, sums, squares)
        dx, dy = (sums[1] / sums[0], sums[2] / sums[0]) if sums[0] != 0 else (np.nan, np.nan)
        x, y = x + 2 * dx, y + 2 * dy
        if not (math.hypot(dx, dy) > STILL and abs(x) < TOO_MANY and abs(y) < TOO_MANY):
            break
    return x, y


@njit(cache=True, nogil=True)
def _is_within(ellipses, i, x, y):
    """Whether a place is in the ellipse of a source; never where it is NaN."""
    dx, dy = x - ellipses.x[i], y - ellipses.y[i]
    return ellipses.cxx[i] * dx * dx + ellipses.cxy[i] * dx * dy + ellipses.cyy[i] * dy * dy <= 1


@njit(cache=True, nogil=True)
def _sum_window(pixels, label, centre, sigma, sums, squares):
    """Sums under a Gaussian about a centre.

    `sums` receives Σ w D times 1, dx, dy, and, if it has 6 elements, dx², dxdy, dy²; `squares` (3,) then Σ w² E² times
    dx², dxdy, dy².
    """
    data, err, mask, labels = pixels.data, pixels.err, pixels.mask, pixels.labels
    x, y = centre
    reach = REACH * sigma
    box = box_around(x, y, reach, reach, data.shape)
    across = np.empty(max(box.x1 - box.x0 + 1, 0))
    for k in range(across.size):
        across[k] = math.exp(-0.5 * ((k + box.x0 - x) / sigma) ** 2)
    sums[:], squares[:] = 0.0, 0.0
    for j in range(box.y0, box.y1 + 1):
        dy = j - y
        along = math.exp(-0.5 * (dy / sigma) ** 2)
        for i in range(across.size):
            k = i + box.x0
            dx = k - x
            if dx * dx + dy * dy > reach * reach or not is_usable(data[j, k], mask[j, k], labels[j, k], label):
                continue
            weight = along * across[i]
            value = weight * data[j, k]
            sums[0] += value
            sums[1] += value * dx
            sums[2] += value * dy
            if sums.size > 3:
                variance = (weight * err[j, k]) ** 2
                sums[3] += value * dx * dx
                sums[4] += value * dx * dy
                sums[5] += value * dy * dy
                squares[0] += variance * dx * dx
                squares[1] += variance * dx * dy
                squares[2] += variance * dy * dy


@njit(cache=True, nogil=True)
def _propagate(sums, squares, sigma):
    """Var x, Var y, Cov xy of the place where the first moments under the window vanish: A⁻¹ V A⁻ᵀ.

    Noise moves the first moments, by V = Σ w² E² dd'; the centre follows until they vanish again. Moving it by dc
    changes them by -A dc, A = Σ w D (1 - dd'/sigma²), d being the way from the centre. For a source as wide as the
    window the answer is the doubled step of the iteration.
    """
    total = sums[0]
    xx, xy, yy = 1 - sums[3] / total / sigma**2, -sums[4] / total / sigma**2, 1 - sums[5] / total / sigma**2
    determinant = xx * yy - xy * xy
    if not (determinant > 0 and xx > 0):
        xx, xy, yy, determinant = 0.5, 0.0, 0.5, 0.25
    gxx, gxy, gyy = yy / determinant / total, -xy / determinant / total, xx / determinant / total
    vxx, vxy, vyy = squares
    var_x = gxx * gxx * vxx + 2 * gxx * gxy * vxy + gxy * gxy * vyy
    var_y = gxy * gxy * vxx + 2 * gxy * gyy * vxy + gyy * gyy * vyy
    cov = gxx * gxy * vxx + (gxx * gyy + gxy * gxy) * vxy + gxy * gyy * vyy
    return var_x, var_y, cov
