"""Compiled sums over the members of a mosaic."""

import numpy as np
from numba import njit

__all__ = ["add_image", "add_totals", "exposure_times", "finish"]

READ_NOISE = np.int64(0)


@njit(nogil=True, cache=True, error_model="numpy")
def _mean(lanes, here, there, image, weight):
    """Bring the weighted mean and the weight of a pixel up to date."""
    w, old = np.float64(lanes[here][0]), np.float64(weight[there])
    total = old + w
    image[there] = lanes[here][1] / w if old == 0 else (image[there] * old + lanes[here][1]) / total
    weight[there] = total


@njit(nogil=True, cache=True, error_model="numpy")
def add_image(lanes, place, image, weight):
    """Add a band whose first pixel is image[place] to a weighted mean and its weight, float32 (rows, columns)."""
    for y in range(lanes.shape[0]):
        for x in range(lanes.shape[1]):
            if lanes[y, x, 0] != 0:
                _mean(lanes, (y, x), (place[0] + y, place[1] + x), image, weight)


@njit(nogil=True, cache=True, error_model="numpy")
def add_totals(band, place, totals, member, wanted):
    """Add a member's band to the totals.

    Parameters
    ----------
    band : tuple
        (lanes float32 (rows, columns, 2 + variances), hit uint8, present uint8 (variances,)).
    place : (int, int)
        Row and column of the band's first pixel.
    totals : tuple
        (data, weight, context, sums, weights), as in `rtools.mosaic.variance.Totals`.
    member : tuple
        (plane and bit (uint32) of the context, share of its variances; 0: 1 over the resampled read-noise variance,
        the first of them).
    wanted : uint8 (rows, columns), or of size 0 for all
    """
    lanes, hit, present = band
    data, weight, context, sums, weights = totals
    plane, bit, exposure = member
    for y in range(lanes.shape[0]):
        for x in range(lanes.shape[1]):
            w = np.float64(lanes[y, x, 0])
            if w == 0 or (wanted.size and not wanted[y, x]):
                continue
            row, column = place[0] + y, place[1] + x
            _mean(lanes, (y, x), (row, column), data, weight)
            if hit[y, x] if hit.size else w > 0:
                context[plane, row, column] |= bit
            if not present.size:
                continue
            share = exposure
            if exposure == 0:
                sigma = lanes[y, x, 2] / w
                share = 1 / (sigma * sigma)
                if not share < np.inf:
                    continue
            for k in range(present.size):
                sigma = lanes[y, x, 2 + k] / w
                variance = sigma * sigma
                if present[k] and variance < np.inf:
                    sums[k, row, column] += variance * share * share
                    weights[k, row, column] += share


@njit(nogil=True, cache=True, error_model="numpy")
def finish(totals, ratio, in_err, err):
    """Turn sums into results in place: NaN where there is nothing, sums into variances, their root sum into err.

    Parameters
    ----------
    totals : tuple
        (data, weight, sums, weights).
    ratio : float
        Output pixel scale over input pixel scale.
    in_err : uint8 (variances,)
        Which variances count in err.
    err : float32 (rows, columns)
    """
    data, weight, sums, weights = totals
    for y in range(data.shape[0]):
        for x in range(data.shape[1]):
            if weight[y, x] == 0:
                data[y, x] = np.nan
            total, some = 0.0, False
            for k in range(in_err.size):
                share = np.float64(weights[k, y, x])
                variance = np.float32(sums[k, y, x] / (ratio * ratio) / share / share if share > 0 else np.nan)
                sums[k, y, x] = variance
                if in_err[k] and variance == variance:
                    total += variance
                    some = True
            err[y, x] = np.sqrt(total) if some else np.nan


@njit(nogil=True, cache=True, error_model="numpy")
def exposure_times(context, times):
    """Largest, sum and number of the positive exposure times of a context's pixels: Σ times over the bits set."""
    largest, total, count = np.float32(0), 0.0, 0
    for y in range(context.shape[1]):
        for x in range(context.shape[2]):
            time = np.float32(0)
            for plane in range(context.shape[0]):
                bits = context[plane, y, x]
                index = 32 * plane
                while bits:
                    if bits & np.uint32(1):
                        time += times[index]
                    bits >>= np.uint32(1)
                    index += 1
            if time > 0:
                largest = max(largest, time)
                total += time
                count += 1
    return largest, total, count
