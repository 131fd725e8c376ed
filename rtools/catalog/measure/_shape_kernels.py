"""Compiled parts of what a source's own ellipse gives: Kron aperture, half-light radius, windowed centre."""

import math

import numpy as np

from rtools.catalog.measure._overlap_kernels import circle, ellipse
from rtools.compiled import njit

__all__ = ["half_light", "kron_flux", "kron_radius", "windowed"]

KRON_REACH = 6.0  # the Kron radius is measured within 6 ellipses
LEAST_KRON = 1.4
LEAST_RADIUS = 0.1  # pixels, where the search for the half-light radius begins
ROUNDS = 16
STILL = 1e-4  # pixels
TOO_MANY = 1_000_000


@njit(cache=True, nogil=True)
def _usable(planes, y, x, label):
    """Good, and no other source's."""
    data, _, mask, labels = planes
    owner = labels[y, x]
    return (owner == 0 or owner == label) and not mask[y, x] and np.isfinite(data[y, x])


@njit(cache=True, nogil=True)
def _dark(planes, bounds, label):
    """Whether all of a segment is masked."""
    data, _, mask, labels = planes
    for y in range(bounds[0], bounds[1] + 1):
        for x in range(bounds[2], bounds[3] + 1):
            if labels[y, x] == label and not mask[y, x] and np.isfinite(data[y, x]):
                return False
    return True


@njit(cache=True, nogil=True)
def _box(x, y, width, height, shape):
    """Pixels touched by the box of half sizes about (x, y): (y0, y1, x0, x1), ends inside, and whether it is sane."""
    x0, x1 = math.floor(x - width + 0.5), math.floor(x + width + 0.5)
    y0, y1 = math.floor(y - height + 0.5), math.floor(y + height + 0.5)
    sane = (x1 - x0 + 1) * (y1 - y0 + 1) <= max(shape[0] * shape[1], TOO_MANY)
    return max(y0, 0), min(y1, shape[0] - 1), max(x0, 0), min(x1, shape[1] - 1), sane


@njit(cache=True, nogil=True)
def _extent(a, b, cos, sin):
    """Half width and half height of the box around an ellipse."""
    return math.hypot(a * cos, b * sin), math.hypot(a * sin, b * cos)


@njit(cache=True, nogil=True)
def kron_radius(planes, segments, shapes, out, first, last):
    """First moment of the elliptical radius for the sources [first, last).

    Parameters
    ----------
    planes : tuple
        (data float32, err float32, mask bool, labels int32).
    segments : tuple
        (labels int32 (n,), ymin, ymax, xmin, xmax int32 (n, 4)).
    shapes : ndarray float64 (n, 8)
        x, y, a, b, angle in radians, cxx, cxy, cyy; pixels.
    out : ndarray float64 (n,)
        Not less than 1.4; NaN where it is more than 6 or there is nothing to measure.
    """
    data = planes[0]
    ids, bounds = segments
    for i in range(first, last):
        out[i] = np.nan
        x, y, a, b, angle, cxx, cxy, cyy = shapes[i]
        if not np.isfinite(x + y + a + b + angle) or _dark(planes, bounds[i], ids[i]):
            continue
        width, height = _extent(KRON_REACH * a, KRON_REACH * b, math.cos(angle), math.sin(angle))
        if not (width < TOO_MANY and height < TOO_MANY):
            continue
        y0, y1, x0, x1, sane = _box(x, y, width, height, data.shape)
        if not sane or y0 > y1 or x0 > x1:
            continue
        total, moment = 0.0, 0.0
        for j in range(y0, y1 + 1):
            dy = j - y
            for k in range(x0, x1 + 1):
                dx = k - x
                radius2 = cxx * dx * dx + cxy * dx * dy + cyy * dy * dy
                if math.sqrt(max(radius2, 0.0)) <= KRON_REACH and _usable(planes, j, k, ids[i]):
                    total += data[j, k]
                    moment += data[j, k] * math.sqrt(max(radius2, 0.0))
        if moment <= 0 or total <= 0:
            out[i] = LEAST_KRON
        elif moment / total <= KRON_REACH:
            out[i] = max(moment / total, LEAST_KRON)


@njit(cache=True, nogil=True)
def kron_flux(planes, segments, shapes, scale, out, first, last):
    """Flux and variance in the ellipses `scale` float64 (n,) times (a, b); `out` float64 (n, 2), the rest as above.

    Errors of pixels are independent: a pixel of which the ellipse has the share w adds w² of its variance.
    """
    data, err = planes[0], planes[1]
    ids, bounds = segments
    for i in range(first, last):
        out[i] = np.nan
        x, y, a, b, angle = shapes[i, 0], shapes[i, 1], shapes[i, 2], shapes[i, 3], shapes[i, 4]
        a, b = a * scale[i], b * scale[i]
        if not np.isfinite(x + y + a + b + angle) or not b > 0 or _dark(planes, bounds[i], ids[i]):
            continue
        cos, sin = math.cos(angle), math.sin(angle)
        width, height = _extent(a, b, cos, sin)
        if not (width < TOO_MANY and height < TOO_MANY):
            continue
        y0, y1, x0, x1, sane = _box(x, y, width, height, data.shape)
        if not sane:
            continue
        flux, variance, any_pixel = 0.0, 0.0, False
        for j in range(y0, y1 + 1):
            for k in range(x0, x1 + 1):
                weight = ellipse(k - x, j - y, a, b, (cos, sin))
                if weight > 0 and _usable(planes, j, k, ids[i]):
                    flux += weight * data[j, k]
                    variance += (weight * np.float64(err[j, k])) ** 2
                    any_pixel = True
        if any_pixel:
            out[i, 0], out[i, 1] = flux, variance


@njit(cache=True, nogil=True)
def _within(rows, corner, centre, r):
    """Sum in a circle from sums along rows: `rows[j, k]` sums the first k pixels of row j of the cutout at `corner`."""
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
            total += (rows[j, k + 1] - rows[j, k]) * circle(k + left - x, dy, r)
        total += rows[j, full1 + 1] - rows[j, full0]
        for k in range(full1 + 1, k1 + 1):
            total += (rows[j, k + 1] - rows[j, k]) * circle(k + left - x, dy, r)
    return total


@njit(cache=True, nogil=True)
def _root(rows, corner, centre, target, limits):
    """Radius within `limits` at which `_within` is `target`, by Brent's method; NaN if the ends have the same sign."""
    a, b = limits
    fa, fb = 1 - _within(rows, corner, centre, a) / target, 1 - _within(rows, corner, centre, b) / target
    if not fa * fb <= 0:
        return np.nan
    c, fc = a, fa
    step = before = b - a
    for _ in range(100):
        if fb * fc > 0:
            c, fc = a, fa
            step = before = b - a
        if abs(fc) < abs(fb):
            a, b, c = b, c, b
            fa, fb, fc = fb, fc, fb
        tolerance = 1e-12 + 1e-15 * abs(b)
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
            if 2 * p < min(3 * half * q - abs(tolerance * q), abs(before * q)):
                before, step = step, p / q
            else:
                step = before = half
        a, fa = b, fb
        b += step if abs(step) > tolerance else math.copysign(tolerance, half)
        fb = 1 - _within(rows, corner, centre, b) / target
    return b


@njit(cache=True, nogil=True)
def half_light(planes, segments, shapes, kron, out, first, last):
    """Radius of the circle with half the Kron flux, for the sources [first, last).

    `kron` float64 (n, 2): Kron flux, and the largest radius, pixels. `out` float64 (n,). The rest as `kron_radius`.
    """
    data = planes[0]
    ids = segments[0]
    for i in range(first, last):
        out[i] = np.nan
        x, y = shapes[i, 0], shapes[i, 1]
        flux, most = kron[i]
        if not np.isfinite(x + y + flux + most) or flux == 0 or most > TOO_MANY:
            continue
        y0, y1, x0, x1, sane = _box(x, y, most, most, data.shape)
        if not sane or y0 > y1 or x0 > x1:
            continue
        rows = np.zeros((y1 - y0 + 1, x1 - x0 + 2))
        for j in range(y0, y1 + 1):
            for k in range(x0, x1 + 1):
                value = np.float64(data[j, k]) if _usable(planes, j, k, ids[i]) else 0.0
                rows[j - y0, k - x0 + 1] = rows[j - y0, k - x0] + value
        upper = most
        while upper > LEAST_RADIUS and np.isnan(out[i]):
            out[i] = _root(rows, (x0, y0), (x, y), 0.5 * flux, (LEAST_RADIUS, upper))
            upper -= 0.1 * most


@njit(cache=True, nogil=True)
def _window(planes, label, centre, sigma, sums, squares):
    """Sums under a Gaussian within 4 sigma of a centre.

    `sums` receives Σ w D times 1, dx, dy, and, if it has 6 elements, dx², dxdy, dy²; `squares` (3,) then Σ w² E² times
    dx², dxdy, dy².
    """
    data, err = planes[0], planes[1]
    x, y = centre
    reach = 4 * sigma
    y0, y1, x0, x1, _ = _box(x, y, reach, reach, data.shape)
    across = np.empty(max(x1 - x0 + 1, 0))
    for k in range(across.size):
        across[k] = math.exp(-0.5 * ((k + x0 - x) / sigma) ** 2)
    sums[:], squares[:] = 0.0, 0.0
    for j in range(y0, y1 + 1):
        dy = j - y
        along = math.exp(-0.5 * (dy / sigma) ** 2)
        for k in range(across.size):
            dx = k + x0 - x
            if dx * dx + dy * dy > reach * reach or not _usable(planes, j, k + x0, label):
                continue
            weight = along * across[k]
            value = weight * data[j, k + x0]
            sums[0] += value
            sums[1] += value * dx
            sums[2] += value * dy
            if sums.size > 3:
                variance = (weight * err[j, k + x0]) ** 2
                sums[3] += value * dx * dx
                sums[4] += value * dx * dy
                sums[5] += value * dy * dy
                squares[0] += variance * dx * dx
                squares[1] += variance * dx * dy
                squares[2] += variance * dy * dy


@njit(cache=True, nogil=True)
def _covariance(sums, squares, sigma):
    """Var x, Var y, Cov xy of the place where the first moments under the window vanish.

    Noise moves the first moments; the centre follows until they vanish again. Moving it by dc changes them by
    Σ w D (dd'/sigma² - 1) dc, d being the way from the centre. For a source as wide as the window the answer is the
    doubled step of the iteration.
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


@njit(cache=True, nogil=True)
def windowed(planes, segments, shapes, radius, out, first, last):
    """Centres under a Gaussian window for the sources [first, last).

    Parameters
    ----------
    planes, segments, shapes
        As for `kron_radius`.
    radius : ndarray float64 (n,)
        Half-light radius, pixels.
    out : ndarray float64 (n, 6)
        x, y, Var x, Var y, Cov xy, and whether x, y is the windowed centre (1) or the isophotal one in its place (0).
    """
    shape = planes[0].shape
    ids = segments[0]
    sums, squares = np.empty(6), np.empty(3)
    for i in range(first, last):
        out[i] = np.nan
        x, y, cxx, cxy, cyy = shapes[i, 0], shapes[i, 1], shapes[i, 5], shapes[i, 6], shapes[i, 7]
        if not np.isfinite(x + y + radius[i]):
            continue
        sigma = 2 * max(radius[i], 0.5) / (2 * math.sqrt(2 * math.log(2.0)))
        if (8 * sigma + 3) ** 2 > max(shape[0] * shape[1], TOO_MANY):  # no window for a source
            out[i, 0], out[i, 1], out[i, 5] = x, y, 0.0
            continue
        for _ in range(ROUNDS):
            _window(planes, ids[i], (x, y), sigma, sums[:3], squares)
            dx, dy = (sums[1] / sums[0], sums[2] / sums[0]) if sums[0] != 0 else (np.nan, np.nan)
            x, y = x + 2 * dx, y + 2 * dy
            if not (math.hypot(dx, dy) > STILL and abs(x) < TOO_MANY and abs(y) < TOO_MANY):
                break
        dx, dy = x - shapes[i, 0], y - shapes[i, 1]
        if not cxx * dx * dx + cxy * dx * dy + cyy * dy * dy <= 1:
            out[i, 0], out[i, 1], out[i, 5] = shapes[i, 0], shapes[i, 1], 0.0
            continue
        _window(planes, ids[i], (x, y), sigma, sums, squares)
        out[i, 0], out[i, 1], out[i, 5] = x, y, 1.0
        out[i, 2], out[i, 3], out[i, 4] = _covariance(sums, squares, sigma)
