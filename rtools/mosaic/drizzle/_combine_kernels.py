"""Compiled sums over the members of a mosaic."""

import numpy as np

from rtools.compiled import njit

__all__ = ["add_image", "add_totals", "finish"]


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
        (lanes float32 (rows, columns, 2 + variances), hit uint8, present uint8 (variances,), flags uint32).
    place : (int, int)
        Row and column of the band's first pixel.
    totals : tuple
        (data, weight, context, sums, share, missing, dq), as in `variance.Totals`; dq may be of size 0.
    member : tuple
        (plane and bit (uint32) of the context, share of its variances; 0: 1 over the resampled read-noise variance,
        the first of them).
    wanted : uint8 (rows, columns), or of size 0 for all
    """
    lanes, hit, present, flags = band
    data, weight, context, sums, shares, missing, dq = totals
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
            if flags.size:
                dq[row, column] |= flags[y, x]
            if not present.size:
                continue
            share, inverse = exposure, 1 / w
            if exposure == 0:
                sigma = lanes[y, x, 2] * inverse
                share = 1 / (sigma * sigma)
                if not share < np.inf:
                    continue
            shares[row, column] += share
            for k in range(present.size):
                sigma = lanes[y, x, 2 + k] * inverse
                variance = sigma * sigma
                if present[k] and variance < np.inf:
                    sums[k, row, column] += variance * share * share
                else:
                    missing[k, row, column] += share


@njit(nogil=True, cache=True, error_model="numpy")
def finish(totals, ratio, in_err):
    """Turn sums into results in place: NaN where there is nothing, sums into variances, shares into err.

    Parameters
    ----------
    totals : tuple
        (data, weight, sums, share, missing).
    ratio : float
        Output pixel scale over input pixel scale.
    in_err : uint8 (variances,)
        Which variances count in err, the root of their sum.
    """
    data, weight, sums, shares, missing = totals
    for y in range(data.shape[0]):
        for x in range(data.shape[1]):
            if weight[y, x] == 0:
                data[y, x] = np.nan
            total, some = 0.0, False
            for k in range(in_err.size):
                share = np.float64(shares[y, x] - missing[k, y, x])
                variance = np.float32(sums[k, y, x] / (ratio * ratio) / share / share if share > 0 else np.nan)
                sums[k, y, x] = variance
                if in_err[k] and variance == variance:
                    total += variance
                    some = True
            if in_err.size:
                shares[y, x] = np.sqrt(total) if some else np.nan
