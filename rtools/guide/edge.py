"""Guiding on a spectrum: the middle of its trace, and the place of one of its ends.

The spectrum lies along y, and wavelengths rise with y. The model of a pixel is m = F Q(i - x) S(j - y) + B. Q is the
cross-section of the trace, and S(v) = ½ (1 ± erf(v / (√2 σ))) (1 + a v): + for light above the edge, - for light below.
σ and a are of the disperser and of the star; they are fitted once, to the median of many pairs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.errors import InputError
from rtools.guide.difference import Difference
from rtools.guide.measured import COLUMNS, Centroids, centroids_of
from rtools.guide.psf import GuidePsf, cut_around_middle
from rtools.guide.refit import fit_twice
from rtools.wfi.guide import EDGES
from rtools.work.work import ALONE, Work

__all__ = ["CrossSection", "EdgeShape", "fit_edge", "fit_edge_shape", "section_of"]

STACKED = 256
"""Pairs of which the shape of the edge is found."""

WIDTHS = (0.1, 20.0)
"""Least and largest width of an edge, pixels."""


class CrossSection(NamedTuple):
    """The share of a trace's light in a pixel of a row, as a function of the pixel's place less the trace's.

    Attributes
    ----------
    coefficients : ndarray float64 (n,)
        Cubic B-spline coefficients of the samples; the trace is at the middle.
    oversample : int
        Samples per pixel.
    """

    coefficients: NDArray[np.float64]
    oversample: int


class EdgeShape(NamedTuple):
    """How light begins or ends along a trace.

    Attributes
    ----------
    sign : int
        1: there is light above the edge, at larger y; -1: below.
    sigma : float
        Width of the edge, pixels: the Gaussian of which the edge is the integral.
    slope : float
        Relative slope of the light at the edge, per pixel.
    """

    sign: int
    sigma: float
    slope: float


def section_of(psf: GuidePsf) -> CrossSection:
    """The cross-section of a trace along y, by the PSF of a filter.

    Parameters
    ----------
    psf : GuidePsf
        Of a filter near the wavelength of the edge; there is none for a disperser.

    Returns
    -------
    CrossSection
        Sums of the PSF along y.
    """
    return CrossSection(psf.coefficients.sum(axis=0) / psf.oversample, psf.oversample)


def fit_edge(
    difference: Difference,
    section: CrossSection,
    *,
    edge: str | None = None,
    shape: EdgeShape | None = None,
    work: Work = ALONE,
) -> Centroids:
    """Middle of the trace and place of the edge in each pair.

    Parameters
    ----------
    difference : Difference
        Images of n pairs.
    section : CrossSection
        Of the trace.
    edge : str, optional
        Which end it is: ``blue`` or ``red``. With another word or none, the images tell on which side light is.
    shape : EdgeShape, optional
        Of the edge. By default it is fitted to the median of 256 pairs in the middle (`fit_edge_shape`).
    work : Work
        Its threads share the pairs.

    Returns
    -------
    Centroids
        x is the middle of the trace, y the place of the edge. `flux` is F: electrons a pair and pixel along the trace,
        as they are at the edge without it. There is no flux in an aperture and no width.

    Raises
    ------
    InputError
        No shape of an edge can be fitted to the pairs.

    Notes
    -----
    Weights, iterations and hits of cosmic rays are as in `fit_psf`. The fit begins at the brightest columns, and at a
    length of the trace that has the light of its brightest rows.
    """
    from rtools.guide._edge_kernels import fit_edges

    if not len(difference.images):
        return centroids_of(np.empty((0, COLUMNS)))
    shape = shape or fit_edge_shape(difference, section, edge=edge)
    template = _template(section, shape, difference.variance.shape)
    return centroids_of(fit_twice(fit_edges, template, difference, work))


def _template(section, shape, window):
    """What the kernels take."""
    from rtools.guide._edge_kernels import EdgeTemplate

    values, origin = cut_around_middle(section.coefficients, section.oversample, window[1])
    numbers = float(shape.sign), float(shape.sigma), float(shape.slope)
    return EdgeTemplate(np.ascontiguousarray(values), section.oversample, origin, *numbers)


def fit_edge_shape(difference: Difference, section: CrossSection, *, edge: str | None = None) -> EdgeShape:
    """The shape of the edge, by the median of 256 pairs in the middle.

    Parameters
    ----------
    difference : Difference
        Images of pairs in which the star stands still.
    section : CrossSection
        Of the trace.
    edge : str, optional
        Which end it is: ``blue`` or ``red``. With another word or none, both sides are tried.

    Returns
    -------
    EdgeShape
        What F, B, x, y, σ and a fit best, weighted by the noise of a pair.

    Raises
    ------
    InputError
        There is no pair, or the fit finds no edge in the window.
    """
    n = len(difference.images)
    if not n:
        raise InputError("there is no pair to find the edge of the spectrum in")
    chosen = slice(max((n - STACKED) // 2, 0), max((n - STACKED) // 2, 0) + STACKED)
    masked = difference.masked[chosen]
    used = ~masked.all(axis=0)
    values = np.where(masked & used, np.nan, difference.images[chosen])
    image = np.where(used, np.nanmedian(values, axis=0), 0.0)
    error = np.sqrt(difference.variance + np.maximum(image, 0.0))
    sign = EDGES.get(str(edge).lower())
    fits = [_fit_shape(image, used, error, section, side) for side in ((1, -1) if sign is None else (sign,))]
    cost, shape = min(fits, key=lambda fit: fit[0])
    if not np.isfinite(cost):
        raise InputError("no edge of a spectrum is found in the windows")
    return shape


def _fit_shape(image, used, error, section, sign):
    """χ² of the best fit with light on one side, and the shape; infinite where that lies outside."""
    from scipy.optimize import least_squares

    from rtools.guide._edge_kernels import find_edge, render_edge

    state, light = np.empty(4), np.empty((3, *image.shape))
    find_edge(image, used, float(sign), state)
    rows, columns = image.shape

    def residuals(numbers):
        flux, background, x, y, sigma, slope = numbers
        render_edge(_template(section, EdgeShape(sign, sigma, slope), image.shape), x, y, light)
        return (np.where(used, image - flux * light[0] - background, 0.0) / error).ravel()

    low = [0.0, -np.inf, -0.5, -0.5, WIDTHS[0], -0.5]
    high = [np.inf, np.inf, columns - 0.5, rows - 0.5, WIDTHS[1], 0.5]
    begin = np.clip([*state, 1.0, 0.0], np.add(low, 1e-3), np.subtract(high, 1e-3))
    found = least_squares(residuals, begin, bounds=(low, high), x_scale=[max(state[0], 1.0), 1.0, 0.1, 0.1, 0.1, 0.01])
    _flux, _background, _x, y, sigma, slope = found.x
    inside = found.success and 0 < y < rows - 1 and sigma < WIDTHS[1] / 2
    return (float(2 * found.cost) if inside else np.inf), EdgeShape(sign, float(sigma), float(slope))
