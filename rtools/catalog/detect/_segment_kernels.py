"""Compiled parts of what is asked of segments: boxes, sums, moments."""

import numpy as np

from rtools.compiled import njit

__all__ = ["boxes", "moments", "sums"]


@njit(cache=True, nogil=True)
def boxes(labels, ids, table):
    """Widen the boxes `table` int32 (n, 4) of ymin, ymax, xmin, xmax of `ids` (n,), rising, by the pixels of `labels`.

    Every label above 0 is among `ids`.
    """
    last, k = 0, 0
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            label = labels[y, x]
            if label > 0:
                if label != last:
                    last, k = label, label - 1
                    if k >= len(ids) or ids[k] != label:  # there are gaps
                        k = np.searchsorted(ids, label)
                table[k, 0] = min(table[k, 0], y)
                table[k, 1] = max(table[k, 1], y)
                table[k, 2] = min(table[k, 2], x)
                table[k, 3] = max(table[k, 3], x)


@njit(cache=True, nogil=True)
def sums(planes, ids, bounds, out, first, last):
    """Sum of the data, of err², and number of the usable pixels of the segments [first, last).

    Parameters
    ----------
    planes : tuple
        (data float32, err float32, mask bool, labels int32).
    ids : ndarray int32 (n,)
    bounds : ndarray int32 (n, 4)
        ymin, ymax, xmin, xmax.
    out : ndarray float64 (n, 3)
    """
    data, err, mask, labels = planes
    for i in range(first, last):
        flux, variance, count = 0.0, 0.0, 0
        for y in range(bounds[i, 0], bounds[i, 1] + 1):
            for x in range(bounds[i, 2], bounds[i, 3] + 1):
                if labels[y, x] == ids[i] and not mask[y, x] and np.isfinite(data[y, x]):
                    flux += data[y, x]
                    variance += np.float64(err[y, x]) ** 2
                    count += 1
        out[i, 0], out[i, 1], out[i, 2] = flux, variance, count


@njit(cache=True, nogil=True)
def moments(planes, ids, bounds, out, first, last):
    """Centre, second central moments and covariance of the centre of the segments [first, last).

    `planes`, `ids`, `bounds` as for `sums`, the data being the image whose moments are taken; pixels that are masked,
    not finite or negative count as 0. `out` float64 (n, 8): x, y, xx, xy, yy, Var x, Var y, Cov xy.
    """
    image, err, mask, labels = planes
    for i in range(first, last):
        y0, y1, x0, x1 = bounds[i]
        total, sum_x, sum_y = 0.0, 0.0, 0.0
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                value = np.float64(image[y, x])
                if labels[y, x] == ids[i] and not mask[y, x] and value > 0 and value < np.inf:
                    total += value
                    sum_x += value * (x - x0)
                    sum_y += value * (y - y0)
        if total == 0:
            out[i] = np.nan
            continue
        x_mean, y_mean = sum_x / total, sum_y / total
        xx, xy, yy = 0.0, 0.0, 0.0
        var_x, cov, var_y = 0.0, 0.0, 0.0
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                value = np.float64(image[y, x])
                if labels[y, x] == ids[i] and not mask[y, x] and value >= 0 and value < np.inf:
                    dx, dy = x - x0 - x_mean, y - y0 - y_mean
                    xx += value * dx * dx
                    xy += value * dx * dy
                    yy += value * dy * dy
                    variance = np.float64(err[y, x]) ** 2
                    var_x += variance * dx * dx
                    cov += variance * dx * dy
                    var_y += variance * dy * dy
        out[i, 0], out[i, 1] = x_mean + x0, y_mean + y0
        out[i, 2], out[i, 3], out[i, 4] = xx / total, xy / total, yy / total
        out[i, 5], out[i, 6], out[i, 7] = var_x / total**2, var_y / total**2, cov / total**2
