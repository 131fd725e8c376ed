"""Compiled fit of the edge of a spectrum in each pair.

The spectrum lies along y, and begins or ends at y. The template is T = Q(i - x) S(j - y): Q is the cross-section of the
trace, and S(v) = ½ (1 ± erf(v / (√2 σ))) (1 + a v) the light along it.
"""

import math
from typing import NamedTuple

import numpy as np

from rtools.compiled import njit
from rtools.guide._fit_kernels import (
    APART,
    CONVERGED,
    ROUNDS,
    STEPS,
    B,
    F,
    X,
    Y,
    begin,
    mask_hits,
    scratch_for_fit,
    sum_equations,
    take_step,
    weigh,
    write_fit,
)
from rtools.guide._psf_kernels import place_basis

__all__ = ["EdgeTemplate", "find_edge", "fit_edges", "render_edge"]

HALF_TRACE = 2
"""Columns on each side of the brightest that tell where the edge is."""


class EdgeTemplate(NamedTuple):
    """What is the same in all pairs.

    Attributes
    ----------
    section : ndarray float64 (n,)
        Cubic B-spline coefficients of the cross-section.
    step : int
        Samples per pixel.
    origin : float
        Sample on which a trace at x = 0 is centred.
    sign : float
        1 where there is light above the edge, at larger y; -1 where there is light below.
    sigma, slope : float
        Width of the edge, pixels, and relative slope a of the light along the trace, per pixel.
    """

    section: np.ndarray
    step: int
    origin: float
    sign: float
    sigma: float
    slope: float


@njit(nogil=True, cache=True, error_model="numpy")
def render_edge(template, x, y, light):
    """T, ∂T/∂x and ∂T/∂y for all pixels of a window.

    Parameters
    ----------
    template : EdgeTemplate
        Made for this window.
    x, y : float
        Middle of the trace, and place of the edge.
    light : float64 (3 or more, rows, columns)
        Receives them.
    """
    basis = np.empty((3, 4))
    first = place_basis(template.origin, template.step, x, basis)
    rows, columns = light.shape[1], light.shape[2]
    across = np.zeros((2, columns))
    for i in range(columns):
        for tap in range(4):
            sample = template.section[first + template.step * i + tap]
            across[0, i] += basis[0, tap] * sample
            across[1, i] += basis[1, tap] * sample
    for j in range(rows):
        v = j - y
        lit = 0.5 * (1 + template.sign * math.erf(v / (math.sqrt(2.0) * template.sigma)))
        steep = math.exp(-0.5 * (v / template.sigma) ** 2) / (math.sqrt(2 * math.pi) * template.sigma)
        along = lit * (1 + template.slope * v)
        rise = template.sign * steep * (1 + template.slope * v) + lit * template.slope
        for i in range(columns):
            light[0, j, i] = across[0, i] * along
            light[1, j, i] = across[1, i] * along
            light[2, j, i] = -across[0, i] * rise


@njit(nogil=True, cache=True, error_model="numpy")
def find_edge(image, used, sign, state):
    """Where a fit begins: the brightest columns, and as much of them as is lit.

    Parameters
    ----------
    image : float64 (rows, columns)
        Electrons.
    used : bool (rows, columns)
        Pixels that count.
    sign : float
        Of the template.
    state : float64 (4,)
        Receives F, B, x, y.
    """
    rows, columns = image.shape
    values, count = np.empty(rows * columns), 0
    for j in range(rows):
        for i in range(columns):
            if used[j, i]:
                values[count] = image[j, i]
                count += 1
    background = np.median(values[:count]) if count else 0.0
    total = np.zeros(columns)
    for j in range(rows):
        for i in range(columns):
            total[i] += image[j, i] - background if used[j, i] else 0.0
    peak = int(np.argmax(total))
    low, high = max(peak - HALF_TRACE, 0), min(peak + HALF_TRACE + 1, columns)
    lines = np.zeros(rows)
    for j in range(rows):
        for i in range(low, high):
            lines[j] += image[j, i] - background if used[j, i] else 0.0
    weight, moment = 0.0, 0.0
    for i in range(low, high):
        weight += max(total[i], 0.0)
        moment += max(total[i], 0.0) * i
    third = max(rows // 4, 1)
    lit_lines = lines[rows - third :] if sign > 0 else lines[:third]
    flux = max(float(np.mean(lit_lines)), 1.0)
    lit = min(max(np.sum(lines) / flux, 0.0), float(rows))
    state[F], state[B], state[X] = flux, background, moment / weight if weight > 0 else float(peak)
    state[Y] = rows - 0.5 - lit if sign > 0 else lit - 0.5


@njit(nogil=True, cache=True, error_model="numpy")
def _improve(variance, template, s):
    """Gauss-Newton from the state in the scratch; whether it ended at an edge in the window."""
    for _ in range(STEPS):
        render_edge(template, s.state[X], s.state[Y], s.light)
        length = take_step(variance, s)
        if length == APART:
            return False
        if length < CONVERGED:
            return True
    return False


@njit(nogil=True, cache=True, error_model="numpy")
def fit_edges(pairs, template, starts, table, first, last):
    """Fit pairs [first, last), each into its row of a table (`rtools.guide.measured`).

    Parameters
    ----------
    pairs : tuple
        Images float32 (n, rows, columns), masks bool (n, rows, columns), variance of the reads float32 (rows,
        columns).
    template : EdgeTemplate
        Made for the window.
    starts : float64 (n, 4)
        F, B, x, y to begin from, where hits are masked by it at once. NaN: begin where there is most light.
    table : float64 (n, COLUMNS)
        Receives the results; NaN where nothing is found.
    first, last : int
        Pairs.
    """
    images, masked, variance = pairs
    s = scratch_for_fit(*variance.shape)
    for k in range(first, last):
        row = table[k]
        row[:] = np.nan
        begin(k, images, masked, starts[k], s)
        if np.isnan(s.state[F]):
            find_edge(s.image, s.used, template.sign, s.state)
        else:
            render_edge(template, s.state[X], s.state[Y], s.light)
            mask_hits(k, masked, variance, s)
        found = False
        for _ in range(ROUNDS):
            found = _improve(variance, template, s)
            if not found:
                break
            render_edge(template, s.state[X], s.state[Y], s.light)
            if not mask_hits(k, masked, variance, s):
                break
        if found:
            weigh(variance, s)
            sum_equations(s)
            found = write_fit(row, s)
        row[11] = found
