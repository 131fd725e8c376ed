"""Compiled sums over the members of a mosaic.

The value of an output pixel is the weighted mean of Fruchter & Hook (2002, PASP 114, 144), brought up to date member by
member: W' = W + ω, I' = (I W + ω d) / W', in float64, kept in float32. Variances: `rtools.mosaic.drizzle.variance`.
"""

from typing import NamedTuple

import numpy as np

from rtools.compiled import njit

__all__ = ["BandArrays", "Membership", "Sums", "add_image", "add_totals", "finish"]


class BandArrays(NamedTuple):
    """What a member gives to a band of the mosaic.

    Attributes
    ----------
    lanes : ndarray float32 (rows, columns, 2 + variances)
        Σω, Σω·data, Σω·σ of each variance.
    hit : ndarray uint8 (rows, columns), or of size 0 where that is wherever Σω > 0
        Where a contribution was positive.
    present : ndarray uint8 (variances,)
        0 for those that the member lacks.
    flags : ndarray uint32 (rows, columns), or of size 0
        DQ.
    """

    lanes: np.ndarray
    hit: np.ndarray
    present: np.ndarray
    flags: np.ndarray


class Membership(NamedTuple):
    """How a member is counted.

    Attributes
    ----------
    plane : int
        Of the context.
    bit : uint32
        In that plane.
    share : float
        Of its variances; 0: 1 over the resampled read-noise variance, which is the first of them.
    """

    plane: int
    bit: np.uint32
    share: float


class Sums(NamedTuple):
    """The arrays of `rtools.mosaic.drizzle.variance.Totals`, which says what each is; dq may be of size 0."""

    data: np.ndarray
    weight: np.ndarray
    context: np.ndarray
    sums: np.ndarray
    share: np.ndarray
    missing: np.ndarray
    dq: np.ndarray


@njit(nogil=True, cache=True, error_model="numpy")
def _update_mean(lanes, here, there, image, weight):
    """Bring the weighted mean and the weight of a pixel up to date."""
    w, old = np.float64(lanes[here][0]), np.float64(weight[there])
    total = old + w
    image[there] = lanes[here][1] / w if old == 0 else (image[there] * old + lanes[here][1]) / total
    weight[there] = total


@njit(nogil=True, cache=True, error_model="numpy")
def add_image(lanes, place, image, weight):
    """Add a band to the weighted mean of an image.

    Parameters
    ----------
    lanes : float32 (rows, columns, 2 or more)
        Σω and Σω·data of the band.
    place : (int, int)
        Row and column of the image where the band begins.
    image, weight : float32 (rows, columns)
        The mean and the sum of weights; changed.
    """
    for y in range(lanes.shape[0]):
        for x in range(lanes.shape[1]):
            if lanes[y, x, 0] != 0:
                _update_mean(lanes, (y, x), (place[0] + y, place[1] + x), image, weight)


@njit(nogil=True, cache=True, error_model="numpy")
def add_totals(band, place, totals, member, wanted):
    """Add a member's band to the totals.

    Parameters
    ----------
    band : BandArrays
        What the member gives.
    place : (int, int)
        Row and column of the band's first pixel.
    totals : Sums
        Changed.
    member : Membership
        How the member is counted.
    wanted : uint8 (rows, columns), or of size 0 for all
        Pixels of the band that are added.
    """
    # Fields are taken out once: each access in the loop would count references.
    lanes, hit, present, flags = band.lanes, band.hit, band.present, band.flags
    data, weight, context, dq = totals.data, totals.weight, totals.context, totals.dq
    sums, shares, missing = totals.sums, totals.share, totals.missing
    for y in range(lanes.shape[0]):
        for x in range(lanes.shape[1]):
            w = np.float64(lanes[y, x, 0])
            if w == 0 or (wanted.size and not wanted[y, x]):
                continue
            row, column = place[0] + y, place[1] + x
            _update_mean(lanes, (y, x), (row, column), data, weight)
            if hit[y, x] if hit.size else w > 0:
                context[member.plane, row, column] |= member.bit
            if flags.size:
                dq[row, column] |= flags[y, x]
            if not present.size:
                continue
            share, inverse = member.share, 1 / w
            if share == 0:
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
    totals : Sums
        Changed.
    ratio : float
        Output pixel scale over input pixel scale.
    in_err : uint8 (variances,)
        Which variances count in err, the root of their sum.
    """
    data, weight, sums, shares, missing = totals.data, totals.weight, totals.sums, totals.share, totals.missing
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
