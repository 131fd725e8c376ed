"""One catalog in numbers: counts by magnitude, how complete it may be, its star sequence, errors by magnitude."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.wfi.units import NJY_MAGNITUDE
from rtools.work.statistics import MAD_TO_SIGMA

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["SourceQuality", "magnitudes", "measure_sources"]

BIN = 0.5
"""Magnitudes of a bin of the counts."""

RISING = 6
"""Bins before the peak of the counts through which the line goes."""

LEAST = 40
"""Sources without which no completeness is estimated."""

FAINTEST, SMALLEST = 60.0, 1e-6
"""Magnitudes, and errors of magnitudes, beyond which a number is no source's."""

BRIGHT = 30.0
"""S/N above which a point source belongs to the star sequence."""

SNR = 5.0

FEWEST = 5
"""Sources without which no depth, and stars without which no scatter is told."""


class SourceQuality(NamedTuple):
    """What a catalog is like.

    Attributes
    ----------
    sources : int
        Rows.
    edges : ndarray float64 (bins + 1,)
        Magnitudes between which sources are counted; two at least where there are any.
    counts : ndarray int64 (bins,)
        Sources between them.
    slope : tuple of float or None
        a and b of the line log10(counts) = a + b magnitude through the bins that are complete.
    complete_50 : float
        Magnitude beyond which fewer than half are found of what that line promises: an estimate. NaN if unknown.
    depth : float
        Magnitude at which a point source has S/N 5, by the errors of all of them. NaN if unknown.
    stars : int
        Bright point sources.
    star_size : float
        Median of their sizes, in the unit of the sizes. NaN without any.
    star_scatter : float
        Scatter of these over their median. NaN with fewer than five.
    flagged : float
        Share of rows that have a warning or a flag; NaN where the catalog has none.
    """

    sources: int
    edges: np.ndarray
    counts: np.ndarray
    slope: tuple[float, float] | None
    complete_50: float
    depth: float
    stars: int
    star_size: float
    star_scatter: float
    flagged: float


def magnitudes(flux: ArrayLike, error: ArrayLike, *, njy: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """AB magnitudes of flux densities, and their errors.

    Parameters
    ----------
    flux, error : array_like of float (n,)
        Of the sources, in one unit.
    njy : float
        nJy in that unit.

    Returns
    -------
    magnitude, magnitude_error : ndarray float64 (n,)
        NaN where the flux is not positive, the error not known, or either is none that a source can have.
    """
    with np.errstate(all="ignore"):
        flux, error = np.asarray(flux, float) * njy, np.asarray(error, float) * njy
        light = np.where(flux > 0, flux, np.nan)
        magnitude, magnitude_error = NJY_MAGNITUDE - 2.5 * np.log10(light), 2.5 / np.log(10) * error / light
        known = (np.abs(magnitude) < FAINTEST) & (magnitude_error > SMALLEST) & (magnitude_error < 1 / SMALLEST)
    return np.where(known, magnitude, np.nan), np.where(known, magnitude_error, np.nan)


def measure_sources(
    magnitude: np.ndarray,
    error: np.ndarray,
    *,
    size: np.ndarray | None = None,
    extended: np.ndarray | None = None,
    flagged: np.ndarray | None = None,
) -> SourceQuality:
    """Measure a catalog.

    Parameters
    ----------
    magnitude, error : ndarray float64 (n,)
        Of each source; NaN where it has none.
    size : ndarray float (n,), optional
        Half-light radius, or another size.
    extended : ndarray of bool (n,), optional
        Whether a source is no point; all are points by default.
    flagged : ndarray of bool (n,), optional
        Whether a source has a warning or a flag.

    Returns
    -------
    SourceQuality
    """
    known = np.isfinite(magnitude) & np.isfinite(error)
    edges, counts = _counts(magnitude[known])
    slope, half = _completeness(edges, counts)
    point = known if extended is None else known & ~extended
    star = point & (error * BRIGHT < 2.5 / np.log(10))
    if flagged is not None and np.any(star & ~flagged):
        star &= ~flagged
    width = np.zeros(0) if size is None else size[star & np.isfinite(size)]
    middle = float(np.median(width)) if width.size else np.nan
    scatter = MAD_TO_SIGMA * float(np.median(np.abs(width - middle))) / middle if len(width) >= FEWEST else np.nan
    share = float(np.mean(flagged)) if flagged is not None and flagged.size else np.nan
    fitted = point if np.count_nonzero(point) >= FEWEST else known
    depth = _depth(magnitude[fitted], error[fitted])
    stars = int(np.count_nonzero(star))
    return SourceQuality(len(magnitude), edges, counts, slope, half, depth, stars, middle, scatter, share)


def _counts(magnitude):
    """Edges of bins that hold all magnitudes, and the number in each."""
    if not magnitude.size:
        return np.zeros(0), np.zeros(0, np.int64)
    low, high = np.floor(magnitude.min() / BIN), np.floor(magnitude.max() / BIN) + 1
    edges = BIN * np.arange(low, high + 1)
    return edges, np.histogram(magnitude, edges)[0]


def _completeness(edges, counts):
    """The line through the logarithms of the counts that rise, and where counts fall to half of it.

    It goes through bins of the three magnitudes before the peak count, each counted by its number, from the first that
    has sources on. The peak itself is left out, because incompleteness begins before counts fall.
    """
    if counts.sum() < LEAST:
        return None, np.nan
    centres, peak = (edges[1:] + edges[:-1]) / 2, int(np.argmax(counts))
    used = slice(max(int(np.argmax(counts > 0)), peak - 1 - RISING), max(0, peak - 1))
    known = np.maximum(counts[used], 0.5)
    if len(known) < 3:
        return None, np.nan
    slope, start = np.polyfit(centres[used], np.log10(known), 1, w=np.sqrt(known))
    if slope <= 0:
        return None, np.nan
    share = counts / 10 ** (start + slope * centres)
    below = np.flatnonzero(share[peak:] < 0.5)
    if not below.size:
        return (float(start), float(slope)), np.nan
    last = peak + int(below[0])
    before, after = share[last - 1], share[last]
    part = (before - 0.5) / (before - after) if before > 0.5 else 0.0
    return (float(start), float(slope)), float(centres[last - 1] + part * BIN)


def _depth(magnitude, error):
    """Magnitude of S/N 5: the variance of a flux is that of the sky, and a share of the flux for its photons.

    Both follow from a straight line through variances against fluxes, each counted by its own size; where the line
    promises no noise without light, the variance is that of the faint quarter.
    """
    if magnitude.size < FEWEST:
        return np.nan
    light = 10 ** (-0.4 * (magnitude - magnitude.max()))
    variance = (light * error * np.log(10) / 2.5) ** 2
    used = np.ones(light.size, bool)
    for _pass in range(3):  # blends and flagged pixels have larger errors
        photons, sky = np.polyfit(light[used], variance[used], 1, w=1 / variance[used])
        near = variance < 2 * (sky + photons * light)
        if np.count_nonzero(used & near) < FEWEST or np.array_equal(near, used):
            break
        used = near
    if sky <= 0 or photons < 0:
        photons, sky = 0.0, float(np.median(variance[light <= np.quantile(light, 0.25)]))
    half = SNR**2 * photons / 2
    faintest = half + np.hypot(half, SNR * np.sqrt(sky))
    return float(magnitude.max() - 2.5 * np.log10(faintest))
