"""Compiled inner part of the ramps: one readout channel, pixel by pixel through all resultants.

Electrons: the increment Y of a resultant is one Poisson deviate; given Y, the electrons seen by the mean of the reads
are Y w plus Gaussian noise of variance Y v, with w and v the mean and variance of the weights that arrival times have
in that mean (`rtools.simulate.reads.schedule`). Means, variances and covariances of all resultants are those of
read-by-read accumulation.

Response: a pixel shows the m with P(m) = level, P its linearity polynomial, and the converter adds its own
non-linearity. What the chain corrects is so undone here.

White noise: the sum of N reads, each floored to an integer, is the sum of the signal plus N(0, N σ²) minus N/2, rounded
(a floored Gaussian with σ of more than about one unit is that within 1e-4), so one deviate serves N reads.
"""

import math
from typing import NamedTuple

import numpy as np

from rtools.compiled import njit
from rtools.simulate._random_kernels import normal, poisson

__all__ = ["Channel", "Hits", "accumulate"]

SMOOTH_DN = 50.0
"""Below this span of a resultant's reads its mean is transformed as one: the curvature then matters by 1e-4 DN."""

GENTLE_DN = 5000.0
"""Below this span the mean of many reads is that of three nodes, within 1e-3 DN."""

LARGEST = 65535.0
"""DN that an integer of 16 bits can hold."""

STEPS = 12
"""Of Newton's method, at most."""

STEEP_ENOUGH = 0.1
"""A slope of P from which on a pixel's noise is divided by it; below, the polynomial is not a response."""

CLOSE_ENOUGH = 1.0
"""DN: the last step. What is wrong after a Newton step is its square times the curvature, 1e-6 per DN."""


PLANES = 8
RATE, GAIN, NOISE, FULL, DECAY, TRANSIENT, PEDESTAL, ACTIVE = range(PLANES)
"""Planes of a `Channel`: electrons per read; electrons per DN; white noise of a linearised read, DN; level at which the
pixel stops rising, DN; dark decay, DN; addition to resultant 0, DN; pedestal, electrons; not 0 if light-sensitive."""


class Channel(NamedTuple):
    """One readout channel of a detector.

    Attributes
    ----------
    planes : ndarray float32 (PLANES, rows, columns)
        `RATE`, `GAIN` and so on.
    coeffs : ndarray float32 (n, rows, columns)
        Linearity polynomial P, ascending: true = P(measured + inl).
    inl : ndarray float32 (65536,)
        To be added to P⁻¹(true) at integer DN.
    """

    planes: np.ndarray
    coeffs: np.ndarray
    inl: np.ndarray


class Hits(NamedTuple):
    """Cosmic rays, sorted by row.

    Attributes
    ----------
    first : ndarray int64 (rows + 1,)
        The first of each row.
    column, read : ndarray int64 (n,)
        `read` is the number of the first read that sees the hit.
    electrons : ndarray float64 (n,)
    """

    first: np.ndarray
    column: np.ndarray
    read: np.ndarray
    electrons: np.ndarray


class Pixel(NamedTuple):
    """One pixel of a `Channel`, its pedestal in DN; `top` is P(full), `sigma` the noise of one read as measured."""

    rate: float
    gain: float
    pedestal: float
    full: float
    top: float
    sigma: float
    decay: float
    transient: float


class Nodes(NamedTuple):
    """The quadrature over the reads of resultant `g`: its first `length` nodes; arrays as in a `Schedule`."""

    places: np.ndarray
    weights: np.ndarray
    g: int
    length: int


class Reads(NamedTuple):
    """The reads of resultant `g`, `length` of them, and the rays of a row; arrays as in a `Schedule` and in `Hits`."""

    relative: np.ndarray
    numbers: np.ndarray
    g: int
    length: int
    hit_column: np.ndarray
    hit_read: np.ndarray
    hit_electrons: np.ndarray


@njit(nogil=True, cache=True, error_model="numpy")
def _evaluate(w, coeffs, place):
    """P(w) of a pixel, by Horner's scheme."""
    y, x = place
    value = 0.0
    for k in range(coeffs.shape[0] - 1, -1, -1):
        value = value * w + coeffs[k, y, x]
    return value


@njit(nogil=True, cache=True, error_model="numpy")
def _invert(target, start, coeffs, place):
    """Solve P(w) = target by Newton's method; returns w and the slope there."""
    y, x = place
    w, slope = start, 1.0
    top = coeffs.shape[0] - 1
    for _ in range(STEPS):
        value = float(coeffs[top, y, x])
        slope = 0.0
        for k in range(top - 1, -1, -1):
            slope = slope * w + value
            value = value * w + coeffs[k, y, x]
        if slope == 0.0:
            return target, 1.0
        change = (value - target) / slope
        w -= change
        if abs(change) < CLOSE_ENOUGH:
            return w, slope
    return (w if abs(w) < 2.0 * LARGEST else target), 1.0


# The parts that work on one read or one pixel are inlined, and w, slope and level are three variables, for speed.
@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _measure(w, inl, full):
    """DN of one read that shows w: what the converter gives, and the pixel can show at most.

    The converter's non-linearity is undone in the chain; here it is done.
    """
    index = min(max(np.int64(w + 0.5), 0), inl.size - 1)
    return min(w + inl[index], full)


@njit(nogil=True, cache=True, error_model="numpy")
def accumulate(out, state, channel, schedule, hits):
    """Fill one channel of all resultants with integers.

    Parameters
    ----------
    out : float32 (G, rows, columns)
        Holds correlated noise, DN; receives the floor of the mean of the floored reads, DN, not yet clipped to what an
        integer can hold.
    state : uint64 (1,)
        Of the random numbers.
    channel : Channel
        What the pixels are.
    schedule : rtools.simulate.reads.Schedule
        What there is of each resultant.
    hits : Hits
        Cosmic rays.

    Raises
    ------
    ZeroDivisionError
        A gain is 0.
    """
    planes, coeffs, inl, resultants = channel.planes, channel.coeffs, channel.inl, schedule.resultants
    nodes, node_weights = schedule.nodes, schedule.node_weights
    relative, numbers = schedule.relative, schedule.numbers
    columns, reads, electrons = hits.column, hits.read, hits.electrons
    is_hit = np.zeros(out.shape[2], np.bool_)
    for y in range(out.shape[1]):
        first, last = hits.first[y], hits.first[y + 1]
        is_hit[:] = False
        for h in range(first, last):
            is_hit[columns[h]] = True
        for x in range(out.shape[2]):
            active = planes[ACTIVE, y, x] != 0.0
            # w is the DN shown at the level `before`, where P has this slope: where the next level is sought from.
            pixel, w, slope = _prepare(planes, coeffs, (y, x), active)
            before, collected = pixel.pedestal, 0.0
            for g in range(resultants.size):
                each = resultants[g]
                if active:
                    increment = poisson(state, pixel.rate * each.span)
                    mean = collected + increment * each.weight
                    if each.variance > 0.0 and increment > 0.0:
                        mean += math.sqrt(increment * each.variance) * normal(state)
                    collected += increment
                    level, reach = pixel.pedestal + mean / pixel.gain, pixel.rate * each.extent / pixel.gain
                    gentle = level + reach < pixel.top and not is_hit[x]
                    if gentle and reach < SMOOTH_DN:
                        w, slope = _invert(level, w + (level - before) / slope, coeffs, (y, x))
                        before = level
                        total = each.reads * _measure(w, inl, pixel.full)
                    elif gentle and reach < GENTLE_DN:
                        some = Nodes(nodes, node_weights, g, each.nodes)
                        total, (w, slope, before) = _sum_nodes(
                            mean, (w, slope, before), pixel, (coeffs, inl, (y, x)), some
                        )
                    else:
                        rays = first, (last if is_hit[x] else first)
                        every = Reads(relative, numbers, g, each.reads, columns, reads, electrons)
                        total, (w, slope, before) = _sum_reads(
                            mean, (w, slope, before), pixel, (coeffs, inl, (y, x)), (every, rays)
                        )
                    total += each.reads * pixel.decay * each.decay
                    if g == 0:
                        total += each.reads * pixel.transient
                else:
                    total = each.reads * pixel.pedestal
                total += each.reads * out[g, y, x] + each.root * pixel.sigma * normal(state)
                out[g, y, x] = _average(total, each.reads)


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _average(total, n):
    """Floor of the mean of n floored reads, of the sum of which this is the total without flooring."""
    return math.floor(math.floor(total - 0.5 * n + 0.5) / n)


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _prepare(planes, coeffs, place, active):
    """A pixel, and where the response of one that sees light begins."""
    y, x = place
    if planes[GAIN, y, x] == 0.0:
        raise ZeroDivisionError("a gain of 0")
    full = np.float64(planes[FULL, y, x])
    pedestal = np.float64(planes[PEDESTAL, y, x] / planes[GAIN, y, x])
    w, slope = pedestal, 1.0
    if active:
        w, slope = _invert(pedestal, pedestal, coeffs, place)
    # The read noise that the chain is told is that of linearised reads; at the pedestal it is so here.
    noise = np.float64(planes[NOISE, y, x])
    pixel = Pixel(
        rate=np.float64(planes[RATE, y, x]),
        gain=np.float64(planes[GAIN, y, x]),
        pedestal=pedestal,
        full=full,
        top=_evaluate(full, coeffs, place),
        sigma=noise / slope if slope > STEEP_ENOUGH else noise,
        decay=np.float64(planes[DECAY, y, x]),
        transient=np.float64(planes[TRANSIENT, y, x]),
    )
    return pixel, w, slope


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _sum_nodes(mean, start, pixel, response, nodes):
    """Sum of the reads of a resultant, by the nodes of its quadrature; and where the last is: w, slope, level."""
    coeffs, inl, place = response
    w, slope, before = start
    total = 0.0
    for k in range(nodes.length):
        level = pixel.pedestal + (mean + pixel.rate * nodes.places[nodes.g, k]) / pixel.gain
        w, slope = _invert(level, w + (level - before) / slope, coeffs, place)
        before = level
        total += nodes.weights[nodes.g, k] * _measure(w, inl, pixel.full)
    return total, (w, slope, before)


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _sum_reads(mean, start, pixel, response, reads_and_rays):
    """Sum of the reads of a resultant, one by one, with cosmic rays and saturation; and where the last is."""
    coeffs, inl, place = response
    w, slope, before = start
    reads, (first, last) = reads_and_rays
    total = 0.0
    for k in range(reads.length):
        level = mean + pixel.rate * reads.relative[reads.g, k]
        for h in range(first, last):
            if reads.hit_column[h] == place[1] and reads.hit_read[h] <= reads.numbers[reads.g, k]:
                level += reads.hit_electrons[h]
        level = pixel.pedestal + level / pixel.gain
        if level >= pixel.top:
            total += pixel.full
        else:
            w, slope = _invert(level, w + (level - before) / slope, coeffs, place)
            before = level
            total += _measure(w, inl, pixel.full)
    return total, (w, slope, before)
