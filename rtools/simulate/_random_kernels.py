"""Random numbers inside compiled kernels: uniform, normal, Poisson from a 64-bit state in a one-element array.

SplitMix64 (Steele et al. 2014, OOPSLA); normals by the ziggurat of Marsaglia & Tsang (2000) with 256 layers in
Doornik's form; Poisson by inversion, or from a normal with the third moment corrected.
"""

import math

import numpy as np

from rtools.compiled import njit

__all__ = ["normal", "poisson", "poisson_of", "uniform"]

LAYERS = 256
TAIL = 3.6541528853610088
LAYER_AREA = 0.00492867323399

POISSON_BY_INVERSION = 10.0
"""Means below this are drawn exactly; above, the skewness-corrected normal has the first three moments of Poisson."""

MOST = 128
RECIPROCAL = np.concatenate([[0.0], 1.0 / np.arange(1, MOST + 1)])

GAMMA = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
TO_UNIT = 1.0 / (1 << 53)


def _layers():
    """Right edges of the ziggurat's layers, and the ratio of each to the one before."""
    edges = np.zeros(LAYERS + 1)
    edges[0] = LAYER_AREA / math.exp(-0.5 * TAIL**2)
    edges[1] = TAIL
    for i in range(2, LAYERS):
        edges[i] = math.sqrt(-2 * math.log(LAYER_AREA / edges[i - 1] + math.exp(-0.5 * edges[i - 1] ** 2)))
    return edges, edges[1:] / edges[:-1]


EDGES, RATIOS = _layers()


@njit(nogil=True, cache=True, inline="always")
def _bits(state):
    state[0] += GAMMA
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * MIX_1
    z = (z ^ (z >> np.uint64(27))) * MIX_2
    return z ^ (z >> np.uint64(31))


@njit(nogil=True, cache=True)
def uniform(state):
    """Uniform on [0, 1), 53 bits."""
    return (_bits(state) >> np.uint64(11)) * TO_UNIT


@njit(nogil=True, cache=True)
def normal(state):
    """Standard normal."""
    while True:
        bits = _bits(state)
        layer = np.int64(bits & np.uint64(LAYERS - 1))
        u = 2.0 * (bits >> np.uint64(11)) * TO_UNIT - 1.0
        if abs(u) < RATIOS[layer]:
            return u * EDGES[layer]
        if layer == 0:
            return _tail(state, u)
        x = u * EDGES[layer]
        lower = math.exp(-0.5 * (EDGES[layer] ** 2 - x * x))
        upper = math.exp(-0.5 * (EDGES[layer + 1] ** 2 - x * x))
        if upper + uniform(state) * (lower - upper) < 1.0:
            return x


@njit(nogil=True, cache=True)
def _tail(state, sign):
    """Beyond the last layer: Marsaglia's method."""
    while True:
        x = math.log(1.0 - uniform(state)) / TAIL
        y = math.log(1.0 - uniform(state))
        if -2.0 * y >= x * x:
            return x - TAIL if sign < 0 else TAIL - x


@njit(nogil=True, cache=True)
def poisson(state, mean):
    """Poisson deviate, as a float."""
    if not mean > 0.0:
        return 0.0
    if mean < POISSON_BY_INVERSION:
        return _inverted(state, mean, math.exp(-mean))
    return _cornish_fisher(state, mean)


@njit(nogil=True, cache=True)
def poisson_of(state, mean, none):
    """Poisson deviate, as a float, where the probability of none, exp(-mean), is known already."""
    if not mean > 0.0:
        return 0.0
    return _inverted(state, mean, none) if mean < POISSON_BY_INVERSION else _cornish_fisher(state, mean)


@njit(nogil=True, cache=True, inline="always")
def _inverted(state, mean, none):
    """Of a small mean, by inversion."""
    term = none
    left = uniform(state) - term
    k = 0
    while left >= 0.0 and k < MOST:
        k += 1
        term *= mean * RECIPROCAL[k]
        left -= term
    return float(k)


@njit(nogil=True, cache=True, inline="always")
def _cornish_fisher(state, mean):
    """Of a large mean, from a normal deviate."""
    # Cornish-Fisher: (z² - 1)/6 gives the skewness; its variance 1/18 and that of rounding 1/12 are taken off.
    z = normal(state)
    value = mean + math.sqrt(mean - 5.0 / 36.0) * z + (z * z - 1.0) / 6.0
    return max(math.floor(value + 0.5), 0.0)
