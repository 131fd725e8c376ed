"""Compiled parts of PSF photometry: Levenberg–Marquardt fits of x, y and flux of all sources of a piece together.

A source has a region of 5 × 5 pixels, numbered 0 … 24 row by row. A piece is a list of sources, `order[starts[g] :
starts[g + 1]]`; its data are the regions of its sources one after the other.
"""

import math

import numpy as np

from rtools.compiled import njit

__all__ = ["PAD", "SIDE", "fit_pieces", "light_of_others", "model_variance"]

SIDE = 5
PIXELS = SIDE * SIDE
TAPS = 4
WIDTH = TAPS * SIDE

PAD = 2
"""Mirrored coefficients around the stamps, for the spline's taps beyond the edge."""

STEPS = 200
CONVERGED = 1e-10
"""A step is the last one when 1 + chi-square falls by less than this share."""

LARGEST_MOVE = 1.0
"""Pixels a source may go in one step."""

FLAG_NOT_CONVERGED = 8
FLAG_NO_COVARIANCE = 16


@njit(nogil=True, cache=True, error_model="numpy")
def _basis(t, value, slope):
    """Cubic B-spline of the samples -1, 0, 1, 2 at a position t in [0, 1) after sample 0, and its derivative."""
    s = 1 - t
    value[0], value[3] = s * s * s / 6, t * t * t / 6
    value[1] = (3 * t * t * t - 6 * t * t + 4) / 6
    value[2] = 1 - value[0] - value[1] - value[3]
    slope[0], slope[3] = -s * s / 2, t * t / 2
    slope[1] = (3 * t * t - 4 * t) / 2
    slope[2] = -slope[0] - slope[1] - slope[3]


@njit(nogil=True, cache=True, error_model="numpy")
def _inside(start, step, n):
    """Which of the five samples start + step · j lie in [0, n - 1]: first, and one after the last."""
    first = 0
    while first < SIDE and start + step * first < 0:
        first += 1
    last = SIDE
    while last > first and start + step * (last - 1) > n - 1:
        last -= 1
    return first, last


@njit(nogil=True, cache=True, error_model="numpy")
def _light(psf, weights, place, corner, out, work):
    """Light of a star of flux 1 in a region, and its derivatives by x and y of the star.

    Parameters
    ----------
    psf : tuple
        B-spline coefficients float64 (k, ny + 2 PAD, nx + 2 PAD), samples per pixel.
    weights : float64 (k,)
    place : float64 (2 or more,)
        x, y of the star.
    corner : int64 (2,)
        x, y of the region's first pixel.
    out : float64 (3, 25)
    work : tuple
        `_work`.
    """
    splines, oversample = psf
    taps, lines, across, across_slope, along, along_slope = work
    ny, nx = splines.shape[1] - 2 * PAD, splines.shape[2] - 2 * PAD
    start_x = oversample * (corner[0] - place[0]) + 0.5 * (nx - 1)
    start_y = oversample * (corner[1] - place[1]) + 0.5 * (ny - 1)
    out[:] = 0
    first_x, last_x = _inside(start_x, oversample, nx)
    first_y, last_y = _inside(start_y, oversample, ny)
    if first_x == last_x or first_y == last_y:
        return
    ix, iy = math.floor(start_x), math.floor(start_y)
    _basis(start_x - ix, across, across_slope)
    _basis(start_y - iy, along, along_slope)
    # One pixel is a whole number of samples: all pixels of the region share the place between samples.
    taps[:] = 0
    for k in range(weights.size):
        if weights[k] == 0:
            continue
        for j in range(first_y, last_y):
            for b in range(TAPS):
                row = splines[k, iy + oversample * j + b + PAD - 1]
                for i in range(first_x, last_x):
                    for a in range(TAPS):
                        taps[TAPS * j + b, TAPS * i + a] += weights[k] * row[ix + oversample * i + a + PAD - 1]
    for row in range(TAPS * first_y, TAPS * last_y):
        for i in range(first_x, last_x):
            value, slope = 0.0, 0.0
            for a in range(TAPS):
                value += across[a] * taps[row, TAPS * i + a]
                slope += across_slope[a] * taps[row, TAPS * i + a]
            lines[0, row, i], lines[1, row, i] = value, slope
    for j in range(first_y, last_y):
        for i in range(first_x, last_x):
            for b in range(TAPS):
                value = lines[0, TAPS * j + b, i]
                out[0, SIDE * j + i] += along[b] * value
                out[1, SIDE * j + i] -= oversample * along[b] * lines[1, TAPS * j + b, i]
                out[2, SIDE * j + i] -= oversample * along_slope[b] * value


@njit(nogil=True, cache=True, error_model="numpy")
def _work():
    return (
        np.empty((WIDTH, WIDTH)),
        np.empty((2, WIDTH, SIDE)),
        np.empty(TAPS),
        np.empty(TAPS),
        np.empty(TAPS),
        np.empty(TAPS),
    )


@njit(nogil=True, cache=True, error_model="numpy")
def _equations(piece, regions, psf, sources, fitted, normal, gradient, light, chi, work):
    """Normal equations of a piece for parameters `fitted` (n, 3): chi-square; fills normal, gradient and each chi."""
    data, others, inverse = regions
    corners, weights = sources
    n = piece.size
    normal[: 3 * n, : 3 * n] = 0
    gradient[: 3 * n] = 0
    row = np.empty(3 * n)
    for s in range(n):
        region = piece[s]
        for k in range(n):
            _light(psf, weights[piece[k]], fitted[k], corners[region], light[k], work)
        chi[s] = 0
        for p in range(PIXELS):
            weight = inverse[s, p]
            if weight == 0:
                continue
            residual = data[region, p] - others[region, p]
            for k in range(n):
                flux = fitted[k, 2]
                residual -= flux * light[k, 0, p]
                row[3 * k] = flux * light[k, 1, p]
                row[3 * k + 1] = flux * light[k, 2, p]
                row[3 * k + 2] = light[k, 0, p]
            chi[s] += weight * residual * residual
            for a in range(3 * n):
                scaled = weight * row[a]
                gradient[a] += scaled * residual
                for b in range(a + 1):
                    normal[a, b] += scaled * row[b]
    total = 0.0
    for s in range(n):
        total += chi[s]
    return total


@njit(nogil=True, cache=True, error_model="numpy")
def _cholesky(matrix, size):
    """Lower triangle to its Cholesky factor in place; False if it is not positive definite."""
    for a in range(size):
        for b in range(a + 1):
            total = matrix[a, b]
            for c in range(b):
                total -= matrix[a, c] * matrix[b, c]
            if a == b:
                if not total > 1e-14 * matrix[a, a]:
                    return False
                matrix[a, a] = math.sqrt(total)
            else:
                matrix[a, b] = total / matrix[b, b]
    return True


@njit(nogil=True, cache=True, error_model="numpy")
def _solve(factor, size, right, out):
    for a in range(size):
        total = right[a]
        for b in range(a):
            total -= factor[a, b] * out[b]
        out[a] = total / factor[a, a]
    for a in range(size - 1, -1, -1):
        total = out[a]
        for b in range(a + 1, size):
            total -= factor[b, a] * out[b]
        out[a] = total / factor[a, a]


@njit(nogil=True, cache=True, error_model="numpy")
def _variances(factor, size, out, cross):
    """Diagonal of the inverse, from the Cholesky factor; `cross[s]`: its element of x and y of source s."""
    column, previous = np.empty(size), np.empty(size)
    for c in range(size):
        total = 0.0
        for a in range(c, size):
            value = 1.0 if a == c else 0.0
            for b in range(c, a):
                value -= factor[a, b] * column[b]
            column[a] = value / factor[a, a]
        # (L L')^-1 = L'^-1 L^-1: the diagonal is the sum of squares of the columns of L^-1.
        for a in range(c, size):
            total += column[a] * column[a]
        out[c] = total
        if c % 3 == 1:
            cross[c // 3] = 0.0
            for a in range(c, size):
                cross[c // 3] += column[a] * previous[a]
        column, previous = previous, column


@njit(nogil=True, cache=True, error_model="numpy")
def _step(normal, gradient, damping, size, factor, step):
    """Solve the damped equations; True if all sources may go that far."""
    for a in range(size):
        for b in range(a):
            factor[a, b] = normal[a, b]
        factor[a, a] = max(normal[a, a] * (1 + damping), 1e-300)
    if not _cholesky(factor, size):
        return False
    _solve(factor, size, gradient, step)
    longest = 0.0
    for a in range(0, size, 3):
        longest = max(longest, abs(step[a]), abs(step[a + 1]))
    return longest < LARGEST_MOVE


@njit(nogil=True, cache=True, error_model="numpy")
def _minimise(piece, regions, psf, sources, fitted, spare, work):
    """Levenberg–Marquardt; `fitted` becomes the solution, the first of `spare` its normal matrix. True if converged."""
    normal, gradient, chi, trial_normal, trial_gradient, trial_chi, factor, step, light = spare
    size = 3 * piece.size
    total = _equations(piece, regions, psf, sources, fitted, normal, gradient, light, chi, work)
    trial = fitted.copy()
    damping = 1e-3
    for _ in range(STEPS):
        while damping < 1e12 and not _step(normal, gradient, damping, size, factor, step):
            damping = max(10 * damping, 1e-6)
        if damping >= 1e12:
            return False
        expected = 0.0
        for a in range(size):
            expected += step[a] * gradient[a]
            trial[a // 3, a % 3] = fitted[a // 3, a % 3] + step[a]
        last = expected < CONVERGED * (1 + total) and damping < 1
        trial_total = _equations(
            piece, regions, psf, sources, trial, trial_normal, trial_gradient, light, trial_chi, work
        )
        if trial_total <= total:
            total = trial_total
            fitted[:] = trial
            normal[:size, :size] = trial_normal[:size, :size]
            gradient[:size] = trial_gradient[:size]
            chi[: piece.size] = trial_chi[: piece.size]
            damping *= 0.1
        else:
            damping = max(10 * damping, 1e-6)
        if last:
            return True
    return False


@njit(nogil=True, cache=True, error_model="numpy")
def _shared(piece, corners, s, p):
    """How many regions of a piece have pixel p of the region of its source s."""
    x = corners[piece[s], 0] + p % SIDE
    y = corners[piece[s], 1] + p // SIDE
    count = 0
    for k in range(piece.size):
        corner = corners[piece[k]]
        count += 0 <= x - corner[0] < SIDE and 0 <= y - corner[1] < SIDE
    return count


@njit(nogil=True, cache=True, error_model="numpy")
def fit_pieces(order, starts, images, psf, sources, fitted, results, once):
    """Fit pieces one by one.

    Parameters
    ----------
    order : int64
        Sources.
    starts : int64 (pieces + 1,)
    images : tuple
        Data and light of other sources float64 (n, 25), variance float64 (n, 25), inf where a pixel is not to be used.
    psf : tuple
        See `_light`.
    sources : tuple
        Corners of the regions int64 (n, 2), weights of the stamps float64 (n, k).
    fitted : float64 (n, 3)
        x, y, flux: start values, then the solution.
    results : tuple
        Receives errors and the covariance of x and y float64 (n, 4), reduced chi-square float64 (n,), flags int32 (n,).
    once : bool
        Pixels in several regions of a piece count once, not once for each.
    """
    data, others, variance = images
    errors, gof, flags = results
    largest = 0
    for g in range(starts.size - 1):
        largest = max(largest, starts[g + 1] - starts[g])
    size = 3 * largest
    spare = (
        np.empty((size, size)), np.empty(size), np.empty(largest),
        np.empty((size, size)), np.empty(size), np.empty(largest),
        np.empty((size, size)), np.empty(size), np.empty((largest, 3, PIXELS)),
    )  # fmt: skip
    work = _work()
    inverse = np.empty((largest, PIXELS))
    solution, cross = np.empty(size), np.empty(largest)
    for g in range(starts.size - 1):
        piece = order[starts[g] : starts[g + 1]]
        n = piece.size
        start = np.empty((n, 3))
        for s in range(n):
            start[s] = fitted[piece[s]]
            for p in range(PIXELS):
                inverse[s, p] = 1 / variance[piece[s], p]
                if once and n > 1 and inverse[s, p] > 0:
                    inverse[s, p] /= _shared(piece, sources[0], s, p)
        regions = (data, others, inverse)
        converged = _minimise(piece, regions, psf, sources, start, spare, work)
        normal, light = spare[0], spare[8]
        known = _cholesky(normal, 3 * n)
        if known:
            _variances(normal, 3 * n, solution, cross)
        for s in range(n):
            source = piece[s]
            fitted[source] = start[s]
            flags[source] &= ~np.int32(FLAG_NOT_CONVERGED | FLAG_NO_COVARIANCE)
            if not converged:
                flags[source] |= np.int32(FLAG_NOT_CONVERGED)
            if not known:
                flags[source] |= np.int32(FLAG_NO_COVARIANCE)
            for a in range(3):
                errors[source, a] = math.sqrt(solution[3 * s + a]) if known else math.nan
            errors[source, 3] = cross[s] if known else math.nan
            gof[source] = _goodness(piece, s, images, psf, sources, fitted, start, light, work)


@njit(nogil=True, cache=True, error_model="numpy")
def _goodness(piece, s, images, psf, sources, fitted, start, light, work):
    """Reduced chi-square of a source's own region, every pixel counted once."""
    data, others, variance = images
    region = piece[s]
    for k in range(piece.size):
        _light(psf, sources[1][piece[k]], start[k], sources[0][region], light[k], work)
    chi, count = 0.0, 0
    for p in range(PIXELS):
        if variance[region, p] < math.inf:
            residual = data[region, p] - others[region, p]
            for k in range(piece.size):
                residual -= start[k, 2] * light[k, 0, p]
            chi += residual * residual / variance[region, p]
            count += 1
    return chi / (count - 3) if count > 3 else math.nan


@njit(nogil=True, cache=True, error_model="numpy")
def model_variance(order, starts, images, psf, sources, fitted, photons, out):
    """Variance of every pixel as the fitted model has it.

    Parameters
    ----------
    order, starts, images, psf, sources, fitted
        See `fit_pieces`.
    photons : tuple of float64 (n, 25)
        Variance that is not of the light, background, variance per unit of light.
    out : float64 (n, 25)
    """
    _data, others, variance = images
    dark, background, per_light = photons
    light = np.empty((3, PIXELS))
    work = _work()
    for g in range(starts.size - 1):
        piece = order[starts[g] : starts[g + 1]]
        for s in range(piece.size):
            region = piece[s]
            for p in range(PIXELS):
                out[region, p] = background[region, p] + others[region, p]
            for k in range(piece.size):
                source = piece[k]
                _light(psf, sources[1][source], fitted[source], sources[0][region], light, work)
                for p in range(PIXELS):
                    out[region, p] += fitted[source, 2] * light[0, p]
            for p in range(PIXELS):
                modelled = dark[region, p] + per_light[region, p] * max(out[region, p], 0.0)
                out[region, p] = max(modelled, 1e-4 * variance[region, p])


@njit(nogil=True, cache=True, error_model="numpy")
def light_of_others(pieces, neighbours, images, psf, sources, fitted, envelope, rings, out):
    """Light, in the regions of a piece, of the sources of its group that are not in it.

    Parameters
    ----------
    pieces : tuple
        Sources of the piece int64, number of each source's piece int64 (n,).
    neighbours : int64
        All sources of the group in the order of their regions' x.
    images, psf, sources, fitted
        See `fit_pieces`.
    envelope : float64
        `Psf.envelope`: light that is a thousandth of the noise is left out.
    rings : tuple of int
        Only sources at distances first <= d < last pixels from the region's middle pixel, along x or y.
    out : float64 (n, 25)
    """
    piece, piece_of = pieces
    corners, weights = sources
    first, last = rings
    light = np.empty((3, PIXELS))
    work = _work()
    for region in piece:
        corner = corners[region]
        out[region] = 0
        faint = 1e-3 * math.sqrt(images[2][region].min())
        low, high = 0, neighbours.size
        while low < high:
            middle = (low + high) // 2
            if corners[neighbours[middle], 0] <= corner[0] - last:
                low = middle + 1
            else:
                high = middle
        for j in range(low, neighbours.size):
            source = neighbours[j]
            if corners[source, 0] >= corner[0] + last:
                break
            # By where the regions are, not the fits: a source is either near or far for all sweeps.
            away = max(abs(corners[source, 0] - corner[0]), abs(corners[source, 1] - corner[1]))
            if away < first or away >= last or piece_of[source] == piece_of[region]:
                continue
            ring = min(max(away - SIDE, 0), envelope.size - 1)
            if abs(fitted[source, 2]) * envelope[ring] < faint:
                continue
            _light(psf, weights[source], fitted[source], corner, light, work)
            for p in range(PIXELS):
                out[region, p] += fitted[source, 2] * light[0, p]
