"""Compiled sums over segments: light, centre, second moments (docs/algorithms/measurement.md, centre and shape)."""

import numpy as np

from rtools.compiled import njit

__all__ = ["measure_moments", "sum_segments"]


@njit(cache=True, nogil=True)
def sum_segments(pixels, segments, out, first, last):
    """Sum of the data, of err², and number of the good pixels of the segments [first, last).

    Parameters
    ----------
    pixels : SourcePixels
        The images.
    segments : rtools.catalog.detect.segments.Segments
        Labels and boxes.
    out : ndarray float64 (n, 3)
        Receives the three, for each segment.
    first, last : int
        Which segments.
    """
    data, err, mask, labels = pixels.data, pixels.err, pixels.mask, pixels.labels
    for i in range(first, last):
        label = segments.ids[i]
        flux, variance, count = 0.0, 0.0, 0
        for y in range(segments.ymin[i], segments.ymax[i] + 1):
            for x in range(segments.xmin[i], segments.xmax[i] + 1):
                if labels[y, x] == label and not mask[y, x] and np.isfinite(data[y, x]):
                    flux += data[y, x]
                    variance += np.float64(err[y, x]) ** 2
                    count += 1
        out[i, 0], out[i, 1], out[i, 2] = flux, variance, count


@njit(cache=True, nogil=True)
def measure_moments(pixels, segments, out, first, last):
    """Centre, second central moments and covariance of the centre of the segments [first, last).

    Parameters
    ----------
    pixels : SourcePixels
        Moments are taken of `data`; pixels that are masked, not finite or negative count as 0.
    segments : rtools.catalog.detect.segments.Segments
        Labels and boxes.
    out : ndarray float64 (n, 8)
        Receives x, y, xx, xy, yy, Var x, Var y, Cov xy for each segment; NaN where the sum of the data is 0.
    first, last : int
        Which segments.
    """
    for i in range(first, last):
        total, x_mean, y_mean = _find_centre(pixels, segments, i)
        if total == 0:
            out[i] = np.nan
            continue
        out[i, 0], out[i, 1] = x_mean + segments.xmin[i], y_mean + segments.ymin[i]
        _add_second_moments(pixels, segments, i, (total, x_mean, y_mean), out[i])


@njit(cache=True, nogil=True)
def _find_centre(pixels, segments, i):
    """Sum of the data of a segment, and its centre (x, y) from the corner of its box; small numbers lose no digits."""
    image, mask, labels, label = pixels.data, pixels.mask, pixels.labels, segments.ids[i]
    y0, x0 = segments.ymin[i], segments.xmin[i]
    total, sum_x, sum_y = 0.0, 0.0, 0.0
    for y in range(y0, segments.ymax[i] + 1):
        for x in range(x0, segments.xmax[i] + 1):
            value = np.float64(image[y, x])
            if labels[y, x] == label and not mask[y, x] and value > 0 and value < np.inf:
                total += value
                sum_x += value * (x - x0)
                sum_y += value * (y - y0)
    if total == 0:
        return 0.0, np.nan, np.nan
    return total, sum_x / total, sum_y / total


@njit(cache=True, nogil=True)
def _add_second_moments(pixels, segments, i, centre, out):
    """Second central moments, and the covariance Σ E² (r - c)(r - c)' / (Σ S)² of the centre of independent pixels."""
    image, err, mask, labels, label = pixels.data, pixels.err, pixels.mask, pixels.labels, segments.ids[i]
    total, x_mean, y_mean = centre
    y0, x0 = segments.ymin[i], segments.xmin[i]
    xx, xy, yy = 0.0, 0.0, 0.0
    var_x, cov, var_y = 0.0, 0.0, 0.0
    for y in range(y0, segments.ymax[i] + 1):
        for x in range(x0, segments.xmax[i] + 1):
            value = np.float64(image[y, x])
            if labels[y, x] == label and not mask[y, x] and value >= 0 and value < np.inf:
                dx, dy = x - x0 - x_mean, y - y0 - y_mean
                xx += value * dx * dx
                xy += value * dx * dy
                yy += value * dy * dy
                variance = np.float64(err[y, x]) ** 2
                var_x += variance * dx * dx
                cov += variance * dx * dy
                var_y += variance * dy * dy
    out[2], out[3], out[4] = xx / total, xy / total, yy / total
    out[5], out[6], out[7] = var_x / total**2, var_y / total**2, cov / total**2
