"""Compiled half-light radii: the circle that holds half of the Kron flux, by Brent's method.

Brent (1973, Algorithms for Minimization without Derivatives, chapter 4): bisection, made faster by straight lines and
by inverse quadratics wherever these do not leave the bracket.
"""

import math

import numpy as np

from rtools.catalog.measure._pixel_kernels import TOO_MANY, box_around, is_usable
from rtools.compiled import njit
from rtools.work.overlap import overlap_circle

__all__ = ["find_half_light"]

LEAST_RADIUS = 0.1
"""Pixels: where the search begins."""

SHORTER = 0.1
"""Where the largest radius does not hold half of the flux, the search ends this share of it earlier."""

BRENT_STEPS = 100
ABSOLUTE, RELATIVE = 1e-12, 1e-15
"""Tolerance of the radius, pixels, and its share of the radius."""


@njit(cache=True, nogil=True)
def find_half_light(pixels, labels, ellipses, kron, out, first, last):
    """Radius of the circle with half the Kron flux, for the sources [first, last).

    Parameters
    ----------
    pixels : SourcePixels
        The images.
    labels : ndarray int32 (n,)
        Of the sources.
    ellipses : Ellipses
        Only the centres are used.
    kron : rtools.catalog.measure.shapes.Kron
        Flux of each source; its `reach`, pixels, is the largest radius.
    out : ndarray float64 (n,)
        Receives the radii, pixels; NaN where there is none.
    first, last : int
        Which sources.
    """
    for i in range(first, last):
        out[i] = np.nan
        x, y, flux, most = ellipses.x[i], ellipses.y[i], kron.flux[i], kron.reach[i]
        if not np.isfinite(x + y + flux + most) or flux == 0 or most > TOO_MANY:
            continue
        box = box_around(x, y, most, most, pixels.data.shape)
        if not box.sane or box.y0 > box.y1 or box.x0 > box.x1:
            continue
        rows = _sum_rows(pixels, labels[i], box)
        upper = most
        while upper > LEAST_RADIUS and np.isnan(out[i]):
            out[i] = _find_radius(rows, (box.x0, box.y0), (x, y), 0.5 * flux, (LEAST_RADIUS, upper))
            upper -= SHORTER * most


@njit(cache=True, nogil=True)
def _sum_rows(pixels, label, box):
    """Sums along the rows of a box: element [j, k] sums the first k pixels of row j. Pixels of no use count as 0."""
    data, mask, labels = pixels.data, pixels.mask, pixels.labels
    rows = np.zeros((box.y1 - box.y0 + 1, box.x1 - box.x0 + 2))
    for j in range(box.y0, box.y1 + 1):
        for k in range(box.x0, box.x1 + 1):
            usable = is_usable(data[j, k], mask[j, k], labels[j, k], label)
            value = np.float64(data[j, k]) if usable else 0.0
            rows[j - box.y0, k - box.x0 + 1] = rows[j - box.y0, k - box.x0] + value
    return rows


@njit(cache=True, nogil=True)
def _sum_circle(rows, corner, centre, r):
    """Sum in a circle, from the sums along the rows of the box at `corner`: only pixels at its edge are looked at."""
    x, y = centre
    left, low = corner
    height, width = rows.shape[0], rows.shape[1] - 1
    total = 0.0
    for j in range(max(math.floor(y - r + 0.5) - low, 0), min(math.floor(y + r + 0.5) - low, height - 1) + 1):
        dy = j + low - y
        near, far = max(abs(dy) - 0.5, 0.0), abs(dy) + 0.5
        if near >= r:
            continue
        outer = math.sqrt(r * r - near * near)
        inner = math.sqrt(r * r - far * far) if far < r else -1.0
        k0 = max(math.floor(x - outer + 0.5) - left, 0)
        k1 = min(math.floor(x + outer + 0.5) - left, width - 1)
        # Pixels full0 ... full1 are wholly inside, by their edges.
        full0 = max(math.ceil(x - inner + 0.5) - left, k0)
        full1 = min(math.floor(x + inner - 0.5) - left, k1)
        if full0 > full1:
            full0, full1 = k1 + 1, k1
        for k in range(k0, full0):
            total += (rows[j, k + 1] - rows[j, k]) * overlap_circle(k + left - x, dy, r)
        total += rows[j, full1 + 1] - rows[j, full0]
        for k in range(full1 + 1, k1 + 1):
            total += (rows[j, k + 1] - rows[j, k]) * overlap_circle(k + left - x, dy, r)
    return total


@njit(cache=True, nogil=True)
def _find_radius(rows, corner, centre, target, limits):
    """Radius within `limits` at which `_sum_circle` is `target`; NaN if the ends have the same sign.

    Brent's symbols: b is the best value, c the other end of the bracket, a the value before b; `step` is his d and
    `before` his e, the step before it; `half` is his m, the step of a bisection. The new step is p / q.
    """
    a, b = limits
    fa, fb = 1 - _sum_circle(rows, corner, centre, a) / target, 1 - _sum_circle(rows, corner, centre, b) / target
    if not fa * fb <= 0:
        return np.nan
    c, fc = a, fa
    step = before = b - a
    for _ in range(BRENT_STEPS):
        if fb * fc > 0:
            c, fc = a, fa
            step = before = b - a
        if abs(fc) < abs(fb):
            a, b, c = b, c, b
            fa, fb, fc = fb, fc, fb
        tolerance = ABSOLUTE + RELATIVE * abs(b)
        half = 0.5 * (c - b)
        if abs(half) <= tolerance or fb == 0:
            break
        if abs(before) < tolerance or abs(fa) <= abs(fb):
            step = before = half
        else:
            s = fb / fa
            if a == c:  # two points: a line
                p, q = 2 * half * s, 1 - s
            else:  # three: x as a quadratic of f
                q, r = fa / fc, fb / fc
                p = s * (2 * half * q * (q - r) - (b - a) * (r - 1))
                q = (q - 1) * (r - 1) * (s - 1)
            if p > 0:
                q = -q
            p = abs(p)
            # Inside the bracket by a quarter, and shorter than half of the step before the last: else bisect.
            if 2 * p < min(3 * half * q - abs(tolerance * q), abs(before * q)):
                before, step = step, p / q
            else:
                step = before = half
        a, fa = b, fb
        b += step if abs(step) > tolerance else math.copysign(tolerance, half)
        fb = 1 - _sum_circle(rows, corner, centre, b) / target
    return b
