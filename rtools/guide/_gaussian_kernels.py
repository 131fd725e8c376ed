"""Compiled fit of a Gaussian of free widths, integrated over the pixels, to the star in each pair.

T = ¼ [erf((i - x + ½) / (√2 σ_x)) - erf((i - x - ½) / (√2 σ_x))] times the same along y. The unknowns are F, B, x, y,
σ_x and σ_y. Steps are damped as by Levenberg and Marquardt: N + λ diag N takes the place of the normal matrix N, and λ
shrinks when a step succeeds and grows when it does not. Weights are renewed with each step that succeeds.
"""

import math

import numpy as np

from rtools.compiled import njit
from rtools.guide._fit_kernels import CONVERGED, HIT, ROUNDS, B, F, X, Y, begin, scratch_for_fit, weigh
from rtools.guide._solve_kernels import invert

__all__ = ["FREE", "find_star", "fit_gaussians"]

FREE = 6
SX, SY = 4, 5
"""Places of the widths, behind those of F, B, x and y."""

TRIES = 100
LEAST, MOST = 0.15, 100.0
"""Widths that are allowed, pixels."""

BRIGHT = 0.4
"""Share of the largest light of 3 × 3 pixels from which pixels tell where the star is."""


@njit(nogil=True, cache=True, error_model="numpy")
def _fill_cells(centre, sigma, cells):
    """Shares of a Gaussian in the pixels of an axis, and their derivatives by the centre and by the width."""
    for i in range(cells.shape[1]):
        low, high = (i - 0.5 - centre) / sigma, (i + 0.5 - centre) / sigma
        steep_low = math.exp(-0.5 * low * low) / (math.sqrt(2 * math.pi) * sigma)
        steep_high = math.exp(-0.5 * high * high) / (math.sqrt(2 * math.pi) * sigma)
        cells[0, i] = 0.5 * (math.erf(high / math.sqrt(2.0)) - math.erf(low / math.sqrt(2.0)))
        cells[1, i] = steep_low - steep_high
        cells[2, i] = low * steep_low - high * steep_high


@njit(nogil=True, cache=True, error_model="numpy")
def _render(state, light, across, up):
    """T and its derivatives by x, y, σ_x and σ_y."""
    _fill_cells(state[X], state[SX], across)
    _fill_cells(state[Y], state[SY], up)
    for j in range(light.shape[1]):
        for i in range(light.shape[2]):
            light[0, j, i] = up[0, j] * across[0, i]
            light[1, j, i] = up[0, j] * across[1, i]
            light[2, j, i] = up[1, j] * across[0, i]
            light[3, j, i] = up[0, j] * across[2, i]
            light[4, j, i] = up[2, j] * across[0, i]


@njit(nogil=True, cache=True, error_model="numpy")
def find_star(image, used, state):
    """Where a fit begins: background of the outermost pixels, centre of the bright ones, width by peak and sum.

    Parameters
    ----------
    image : float64 (rows, columns)
        Electrons.
    used : bool (rows, columns)
        Pixels that count.
    state : float64 (6,)
        Receives F, B, x, y and the widths.
    """
    rows, columns = image.shape
    ring, count = np.empty(rows * columns), 0
    for j in range(rows):
        for i in range(columns):
            if (j in (0, rows - 1) or i in (0, columns - 1)) and used[j, i]:
                ring[count] = image[j, i]
                count += 1
    background = np.median(ring[:count]) if count else 0.0
    smooth = np.zeros((rows, columns))
    flux = 0.0
    for j in range(rows):
        for i in range(columns):
            if used[j, i]:
                flux += image[j, i] - background
            seen = 0
            for b in range(max(j - 1, 0), min(j + 2, rows)):
                for a in range(max(i - 1, 0), min(i + 2, columns)):
                    if used[b, a]:
                        smooth[j, i] += image[b, a] - background
                        seen += 1
            smooth[j, i] /= max(seen, 1)
    peak = smooth.max()
    weight, moment_x, moment_y = 0.0, 0.0, 0.0
    for j in range(rows):
        for i in range(columns):
            if smooth[j, i] >= BRIGHT * peak:
                weight += smooth[j, i]
                moment_x += smooth[j, i] * i
                moment_y += smooth[j, i] * j
    flux = max(flux, 1.0)
    sigma = math.sqrt(flux / (2 * math.pi * max(peak, 1e-3)))
    state[F], state[B] = flux, background
    state[X] = moment_x / weight if weight > 0 else 0.5 * (columns - 1)
    state[Y] = moment_y / weight if weight > 0 else 0.5 * (rows - 1)
    state[SX] = state[SY] = min(max(sigma, 0.5), 0.25 * min(rows, columns))


@njit(nogil=True, cache=True, error_model="numpy")
def _sum_equations(s, flux, normal, sums):
    """Normal matrix and right-hand side of all unknowns, and χ², with the weights in the scratch."""
    rows, columns = s.image.shape
    normal[:], sums[:] = 0.0, 0.0
    terms = np.empty(FREE)
    chi2 = 0.0
    for j in range(rows):
        for i in range(columns):
            if not s.used[j, i]:
                continue
            terms[F], terms[B], terms[X], terms[Y] = (
                s.light[0, j, i],
                1.0,
                flux * s.light[1, j, i],
                flux * s.light[2, j, i],
            )
            terms[SX], terms[SY] = flux * s.light[3, j, i], flux * s.light[4, j, i]
            chi2 += s.residual[j, i] * s.residual[j, i] / s.weight[j, i]
            for a in range(FREE):
                sums[a] += s.residual[j, i] * terms[a]
                weighted = s.weight[j, i] * terms[a]
                for b in range(a + 1):
                    normal[a, b] += weighted * terms[b]
    for a in range(FREE):
        for b in range(a):
            normal[b, a] = normal[a, b]
    return chi2


@njit(nogil=True, cache=True, error_model="numpy")
def _is_sound(state, rows, columns):
    """Whether the star lies in the window and its widths are such."""
    inside = -1 < state[X] < columns and -1 < state[Y] < rows
    return inside and LEAST < state[SX] < MOST and LEAST < state[SY] < MOST and np.isfinite(state[F] + state[B])


@njit(nogil=True, cache=True, error_model="numpy")
def _chi2_at(state, s, across, up):
    """χ² at other values with the weights of the last state; they are rendered."""
    _render(state, s.light, across, up)
    chi2 = 0.0
    rows, columns = s.image.shape
    for j in range(rows):
        for i in range(columns):
            residual = s.image[j, i] - state[F] * s.light[0, j, i] - state[B]
            chi2 += s.weight[j, i] * residual * residual
    return chi2


@njit(nogil=True, cache=True, error_model="numpy")
def _improve(variance, s, state, equations):
    """Damped Gauss-Newton from the state; whether it ended at a star in the window, where all is rendered."""
    normal, sums, inverse, across, up = equations
    rows, columns = s.image.shape
    damping, trial, damped = 1e-3, np.empty(FREE), np.empty((FREE, FREE))
    _render(state, s.light, across, up)
    s.state[:] = state[:4]
    weigh(variance, s)
    chi2 = _sum_equations(s, state[F], normal, sums)
    for _ in range(TRIES):
        damped[:] = normal
        for a in range(FREE):
            damped[a, a] *= 1 + damping
        if not invert(damped, inverse):
            return False
        trial[:] = inverse @ sums
        length = trial @ sums
        trial += state
        sound = _is_sound(trial, rows, columns)
        if sound and _chi2_at(trial, s, across, up) <= chi2 * (1 + 1e-9):
            state[:] = trial
            s.state[:] = state[:4]
            weigh(variance, s)
            chi2 = _sum_equations(s, state[F], normal, sums)
            damping = max(damping / 10, 1e-9)
            if length < CONVERGED:
                return True
        elif damping > 1e9:
            return False
        else:
            damping *= 10
    return False


@njit(nogil=True, cache=True, error_model="numpy")
def _mask_hits(k, masked, variance, s, model_error):
    """Use what is not masked and lies near the model; pixels of which the use has changed."""
    rows, columns = s.image.shape
    changed, allowed = 0, (model_error * s.state[F] * s.light[0].max()) ** 2
    for j in range(rows):
        for i in range(columns):
            model = s.state[F] * s.light[0, j, i] + s.state[B]
            residual = s.image[j, i] - model
            near = residual * residual <= HIT * (variance[j, i] + max(model, 0.0) + allowed)
            use = near and not masked[k, j, i]
            changed += use != s.used[j, i]
            s.used[j, i] = use
    return changed


@njit(nogil=True, cache=True, error_model="numpy")
def fit_gaussians(pairs, model_error, starts, table, first, last):
    """Fit pairs [first, last), each into its row of a table (`rtools.guide.measured`).

    Parameters
    ----------
    pairs : tuple
        Images float32 (n, rows, columns), masks bool (n, rows, columns), variance of the reads float32 (rows,
        columns).
    model_error : float
        Share of the brightest pixel by which a Gaussian may be wrong in any pixel before that is a hit.
    starts : float64 (n, 4)
        F, B, x, y to begin from, where hits are masked by it at once. NaN: begin where there is most light.
    table : float64 (n, COLUMNS)
        Receives the results; NaN where nothing is found.
    first, last : int
        Pairs.
    """
    images, masked, variance = pairs
    rows, columns = variance.shape
    s = scratch_for_fit(rows, columns)
    state, across, up = np.empty(FREE), np.empty((3, columns)), np.empty((3, rows))
    normal, sums, inverse = np.empty((FREE, FREE)), np.empty(FREE), np.empty((FREE, FREE))
    equations = (normal, sums, inverse, across, up)
    for k in range(first, last):
        row = table[k]
        row[:] = np.nan
        begin(k, images, masked, starts[k], s)
        find_star(s.image, s.used, state)
        if not np.isnan(starts[k, F]):
            state[:4] = starts[k]
            s.state[:] = state[:4]
            _render(state, s.light, across, up)
            _mask_hits(k, masked, variance, s, model_error)
        found = False
        for _ in range(ROUNDS):
            found = _improve(variance, s, state, equations)
            if not found or not _mask_hits(k, masked, variance, s, model_error):
                break
        if found:
            weigh(variance, s)
            chi2 = _sum_equations(s, state[F], normal, sums)
            found = invert(normal, inverse)
            used = np.sum(s.used)
            row[0], row[1], row[5], row[7] = state[X], state[Y], state[F], state[B]
            row[2], row[3], row[4], row[6] = inverse[X, X], inverse[Y, Y], inverse[X, Y], math.sqrt(inverse[F, F])
            row[9], row[10] = chi2 / max(used - FREE, 1), rows * columns - used
            row[12], row[13], row[14] = state[SX] ** 2, state[SY] ** 2, 0.0
        row[11] = found
