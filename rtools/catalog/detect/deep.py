"""Deep detection: a PSF-matched filter on the error-weighted image, thresholded in true significance.

Four things make the significance true:

- err follows the measured rate, so a pixel that is low by chance claims a small error and pulls the sum down. The part
  of err² that goes with the data is found by regression and taken from the smoothed image instead.
- The map is divided by its own scatter in boxes: noise is correlated (inter-pixel capacitance, 1/f), and errors are
  estimates.
- What is left of scatter that belongs to columns and rows (the ends of readout channels, 1/f) is divided out, too.
- The median of the map in boxes is subtracted: halos and unresolved sources must not be detected.

Sources are the peaks of the map. Segments reach down to `GROW`, are split where two peaks rise significantly above the
saddle between them, and are measured on the same smoothed image as in the normal mode.
"""

import numpy as np

from rtools.catalog.detect.background import estimate
from rtools.catalog.detect.deblend import deblend
from rtools.catalog.detect.detect import detect
from rtools.catalog.detect.smooth import gaussian_kernel, smooth
from rtools.work import ALONE, Work

__all__ = ["detect_deep", "significance"]

BROADENING = 0.12
"""Share of each stamp pixel that goes to either neighbour, along both axes: sources lie anywhere on their pixel
(rms 0.29) and most faint ones are small galaxies (rms 0.4)."""

CORE = 0.999
"""Share of the filter's signal-to-noise that its cut-out must keep."""

BOX = 256
"""Boxes of the map's median and scatter, pixels."""

FAINT = 3.0
BRIGHT = 5.0
"""In units of err: pixels below the first belong to the regression of err² on the data; above the second, err is used
as it is."""

LEAST = 0.25
"""Of the mean err² of faint pixels, kept after the exchange."""

SAMPLED_ROWS = 1024
"""Rows, at most, that the regression looks at."""

GROW = 1.5
"""Significance down to which segments reach."""

RISE = 3.0
"""Significance by which a peak must rise above the saddle to a higher one."""

CONTRAST = 0.003
"""Share of a segment's summed significance that a peak must have above the saddle; lumps in the rings of bright stars
have less."""

FWHM = 2.0
"""Of the Gaussian that smooths the detection image, pixels."""

ROWS = 128


def significance(
    data: np.ndarray, err: np.ndarray, mask: np.ndarray, stamp: np.ndarray, *, work: Work = ALONE
) -> np.ndarray:
    """Significance of a small source at every pixel.

    Parameters
    ----------
    data : ndarray float32 (ny, nx)
        Background subtracted.
    err : ndarray float32 (ny, nx)
        Errors of the pixels, same unit.
    mask : ndarray bool (ny, nx)
        Pixels that cannot be used.
    stamp : ndarray float64 (k, k)
        The PSF in native pixels, centred, k odd.
    work : rtools.work.Work
        The result does not depend on its threads.

    Returns
    -------
    ndarray float32 (ny, nx)
        Scatter 1 where there is only noise; 0 where masked. Of the negative image, it is the negative map.
    """
    from rtools.catalog.detect._deep_kernels import filter_rows

    data, err = np.ascontiguousarray(data, np.float32), np.ascontiguousarray(err, np.float32)
    mask = mask | ~np.isfinite(data) | ~(err > 0) | ~np.isfinite(err)
    error = _steady(data, err, mask, work)
    matched = _filter(stamp)
    found = np.empty_like(data)
    starts = range(0, len(data), ROWS)

    def fill(first):
        filter_rows(data, error, mask, matched, (first, min(first + ROWS, len(data))), found)

    work.map(fill, starts)
    return _normalised(found, mask, work)


def detect_deep(
    data: np.ndarray,
    err: np.ndarray,
    mask: np.ndarray,
    stamp: np.ndarray,
    *,
    threshold: float = 4.25,
    npixels: int = 5,
    work: Work = ALONE,
) -> tuple[np.ndarray, int]:
    """Find sources that are significant as a whole, not pixel by pixel.

    Parameters
    ----------
    data, err, mask, stamp, work
        As for `significance`.
    threshold : float
        Significance of a peak.
    npixels : int
        Pixels that a segment must have, and a peak above the saddle where segments are split.

    Returns
    -------
    labels : ndarray int32 (ny, nx)
        0 for background.
    n : int
        Number of sources.
    """
    from rtools.catalog.detect._deep_kernels import find_peaks

    found = significance(data, err, mask, stamp, work=work)
    labels, n = detect(found, min(GROW, threshold), mask, npixels)
    peak = np.zeros(n + 1, np.float32)
    find_peaks(found, labels, peak)
    high = peak > threshold
    labels = np.where(high, np.cumsum(high, dtype=np.int32), np.int32(0))[labels]
    limits = {"contrast": CONTRAST, "rise": RISE, "floor": threshold}
    return deblend(labels, found, npixels, **limits, work=work)


def _filter(stamp):
    """The stamp, broadened and cut to its core."""
    from scipy.ndimage import convolve1d

    taps = [BROADENING, 1 - 2 * BROADENING, BROADENING]
    broad = np.pad(np.asarray(stamp, float), 1)
    for axis in (0, 1):
        broad = convolve1d(broad, taps, axis=axis, mode="constant")
    middle = len(broad) // 2
    for reach in range(1, middle + 1):
        core = broad[middle - reach : middle + reach + 1, middle - reach : middle + reach + 1]
        if np.sum(core**2) >= CORE**2 * np.sum(broad**2):
            break
    return np.ascontiguousarray(core)


def _steady(data, err, mask, work):
    """err without the share of each pixel's own noise in it."""
    rows = slice(None, None, -(-len(data) // SAMPLED_ROWS))
    faint = ~mask[rows] & (np.abs(data[rows]) < FAINT * err[rows])
    values, squares = data[rows][faint].astype(float), err[rows][faint].astype(float) ** 2
    if len(values) < 2 or np.ptp(values) == 0:
        return err
    centred = values - values.mean()
    slope = np.float32(np.sum(centred * squares) / np.sum(centred**2))
    # A negative image has a negative slope, and the same errors.
    upright = data if slope > 0 else -data
    smoothed = np.maximum(smooth(upright, mask, gaussian_kernel(FWHM), work=work), 0)
    square = err * err
    quiet = square + abs(slope) * (smoothed - upright)
    # A pixel that is much lower than its neighbours must not give an error of zero.
    quiet = np.maximum(quiet, np.float32(LEAST * squares.mean()))
    quiet = np.sqrt(np.where(upright < BRIGHT * err, quiet, square))
    return np.where(mask, np.float32(1), quiet)


def _normalised(found, mask, work):
    """The map less its median, over its scatter: in boxes, then by column and row."""
    from rtools.catalog.detect._deep_kernels import add_scatter

    local = estimate(found, mask, BOX, work=work)
    with np.errstate(divide="ignore", invalid="ignore"):
        found -= local.level
        found /= np.where(local.rms > 0, local.rms, np.float32(np.inf))
    columns, rows = np.zeros((2, found.shape[1])), np.zeros((2, found.shape[0]))
    add_scatter(found, mask, 3.0, columns, rows)
    if columns[0].sum() > 0:
        found /= _relative(columns).astype(np.float32)
        found /= _relative(rows).astype(np.float32)[:, None]
    found[mask] = 0
    return found


def _relative(sums):
    """Scatter of each line over that of all; 1 where too few pixels tell."""
    typical = sums[0].sum() / sums[1].sum()
    enough = sums[1] >= BOX
    return np.where(enough, np.divide(sums[0], sums[1], where=enough, out=np.ones_like(sums[0])) / typical, 1.0)
