"""From rates to raw resultants: one readout channel of a detector, as the electronics deliver it.

Works strip by strip (128 columns), each with random streams of its own, so that the result does not depend on the
number of threads. Memory per strip: about 80 bytes per pixel and 10 per pixel and resultant.
"""

from dataclasses import dataclass

import numpy as np

from rtools.reference import nominal
from rtools.simulate import assumed, noise
from rtools.simulate.streams import generator, state
from rtools.wfi.frame import BORDER, CHANNEL

__all__ = ["Detector", "Schedule", "common_series", "encode", "inverse_inl", "read_out", "read_out_amp33", "schedule"]

LARGEST = 65535
AMP33 = 32
"""The reference output's place in the order of channels."""


@dataclass(frozen=True)
class Schedule:
    """What the kernels need of a read pattern: see `_ramp_kernels.accumulate`, argument `times`."""

    reads: np.ndarray
    span: np.ndarray
    weight: np.ndarray
    variance: np.ndarray
    relative: np.ndarray
    numbers: np.ndarray
    node_counts: np.ndarray
    nodes: np.ndarray
    node_weights: np.ndarray

    def times(self, decay):
        """The kernel's tuple, with the decay factor of each resultant."""
        decay = np.zeros(self.reads.size) if decay is None else np.asarray(decay, float)
        return (
            *(self.reads, self.span, self.weight, self.variance, self.relative, self.numbers),
            *(self.node_counts, self.nodes, self.node_weights, decay),
        )


def schedule(read_pattern):
    """The `Schedule` of a read pattern, for electrons that arrive uniformly in time from read 0 on.

    Of the electrons that arrive between the last read of resultant i - 1 and the last of i, one that comes before the
    k-th of N reads (k = 1 … N) is in N + 1 - k of them: its weight in the mean is (N + 1 - k) / N, with probability
    equal to the k-th gap over the sum of gaps. `weight` and `variance` are mean and variance of that.
    """
    most = max(len(reads) for reads in read_pattern)
    count = len(read_pattern)
    relative, numbers = np.zeros((count, most)), np.zeros((count, most), np.int64)
    nodes, node_weights, node_counts = np.zeros((count, most)), np.zeros((count, most)), np.zeros(count, np.int64)
    span, weight, variance = np.zeros(count), np.zeros(count), np.zeros(count)
    previous = 0
    for i, reads in enumerate(read_pattern):
        reads = np.asarray(reads)
        gaps = np.diff(reads, prepend=previous)
        previous = reads[-1]
        span[i] = gaps.sum()
        weights = 1 - np.arange(reads.size) / reads.size
        share = gaps / span[i] if span[i] else np.zeros(reads.size)
        weight[i] = share @ weights
        variance[i] = max(share @ weights**2 - weight[i] ** 2, 0.0) if reads.size > 1 else 0.0
        relative[i, : reads.size] = reads - reads.mean()
        numbers[i, : reads.size] = reads
        places, weights = _quadrature(reads)
        node_counts[i] = places.size
        nodes[i, : places.size], node_weights[i, : places.size] = places, weights
    reads = np.array([len(reads) for reads in read_pattern], np.int64)
    return Schedule(reads, span, weight, variance, relative, numbers, node_counts, nodes, node_weights)


def _quadrature(reads):
    """Nodes (reads from the mean) and weights with which a sum over reads is taken.

    Evenly spaced reads, four or more: the three nodes 0, ±a with the second and fourth moments of the reads, exact for
    polynomials of degree 5; otherwise the reads themselves.
    """
    offset = reads - reads.mean()
    if reads.size < 4 or np.ptp(np.diff(reads)):
        return offset, np.ones(reads.size)
    second, fourth = np.mean(offset**2), np.mean(offset**4)
    outer = second**2 / (2 * fourth)
    weights = np.array([outer, 1 - 2 * outer, outer])
    return np.sqrt(fourth / second) * np.array([-1.0, 0.0, 1.0]), reads.size * weights


@dataclass
class Detector:
    """One channel of the detector; arrays (rows, 128) float32.

    Attributes
    ----------
    gain : ndarray
        electron/DN.
    noise : ndarray
        White noise of one read, DN.
    full : ndarray
        DN at which the pixel stops rising.
    coeffs : ndarray (n, rows, 128)
        Linearity polynomial, ascending.
    inl : ndarray (65536,)
        From `inverse_inl`.
    decay : ndarray
        exp(-t / τ) of the read time, or 0.
    decay_factors : ndarray (G,) or None
    transient : ndarray or None
        DN in the first read.
    """

    gain: np.ndarray
    noise: np.ndarray
    full: np.ndarray
    coeffs: np.ndarray
    inl: np.ndarray
    decay: np.ndarray | None = None
    decay_factors: np.ndarray | None = None
    transient: np.ndarray | None = None


def inverse_inl(value, correction):
    """Solution of v + inl(v) = w as an addition to w, at w = 0 … 65535.

    Parameters
    ----------
    value, correction : ndarray or None
        Abscissae and correction of a channel, DN; None for none.

    Returns
    -------
    ndarray float32, (65536,)
    """
    grid = np.arange(LARGEST + 1, dtype=float)
    if value is None or correction is None:
        return np.zeros(grid.size, np.float32)
    addition = np.zeros(grid.size)
    for _ in range(4):  # each iteration gains the slope of the correction, about 1e-3
        addition = -np.interp(grid + addition, np.asarray(value, float), np.asarray(correction, float))
    return addition.astype(np.float32)


def common_series(stream, read_pattern, rows):
    """1/f noise common to all channels and amp33, DN; float32 (G, 140 rows)."""
    return np.stack(
        [
            noise.pink_series(generator(*stream, "common noise", g), rows, noise.channel_rms(len(reads))[2])
            for g, reads in enumerate(read_pattern)
        ]
    )


def read_out(
    electrons, detector, stream, *, channel, channels, read_pattern, common, pink=None, hits=None, reference=False
):
    """Simulate one channel.

    Parameters
    ----------
    electrons : ndarray float32 (rows, 128)
        Electrons per read.
    detector : Detector
    stream : tuple
        What the random numbers are keyed by: (seed, root name).
    channel, channels : int
        Which channel, of how many.
    read_pattern : list of list of int
    common : ndarray float32 (G, 140 rows)
        From `common_series`; one more row at the end with a reference read.
    pink : float, optional
        1/f noise of the channel, electrons rms per frame, instead of the assumed one.
    hits : tuple of ndarray, optional
        Cosmic rays of this channel: (row, column within it, read, electrons).
    reference : bool
        Also give a read before the exposure.

    Returns
    -------
    resultants : ndarray float32 (G, rows, 128)
        Integers, not clipped.
    reference_read : ndarray float32 (rows, 128) or None
    """
    from rtools.simulate._ramp_kernels import accumulate

    rows = electrons.shape[0]
    active = _light_sensitive(rows, channel, channels)
    planes = np.zeros((8, rows, CHANNEL), np.float32)
    planes[0] = np.where(active, np.maximum(electrons, 0), 0)
    planes[1] = detector.gain
    planes[2] = np.where(active, detector.noise, detector.noise * nominal.REFERENCE_PIXEL_NOISE)
    planes[3] = detector.full
    if detector.decay is not None:
        planes[4] = detector.decay
    if detector.transient is not None:
        planes[5] = detector.transient / len(read_pattern[0])
    planes[6] = _pedestal(stream, channel, rows)
    planes[7] = active
    coeffs = np.ascontiguousarray(detector.coeffs, np.float32)
    out = np.empty((len(read_pattern), rows, CHANNEL), np.float32)
    series = _channel_noise(stream, channel, read_pattern, rows, pink) + noise.image_of(
        common[: len(read_pattern)], channel
    )
    times = schedule(read_pattern).times(detector.decay_factors)
    accumulate(out, state(*stream, "ramp", channel), planes, coeffs, detector.inl, times, series, _by_row(hits, rows))
    if not reference:
        return out, None
    planes[5] = 0
    before = np.empty((1, rows, CHANNEL), np.float32)
    series = _channel_noise((*stream, "reference"), channel, [[0]], rows, pink) + noise.image_of(common[-1:], channel)
    accumulate(
        before,
        state(*stream, "reference ramp", channel),
        planes,
        coeffs,
        detector.inl,
        schedule([[0]]).times(None),
        series,
        _by_row(None, rows),
    )
    return out, before[0]


def read_out_amp33(typical, stream, *, rows, read_pattern, common, pink=None, reference=False):
    """The reference output, a channel of its own without light; as `read_out`.

    Parameters
    ----------
    typical : tuple of float
        Gain (electron/DN) and noise (DN per read) of the light-sensitive pixels.
    """
    gain, sigma = typical
    shape = (rows, CHANNEL)
    rng = generator(*stream, "amp33")
    pedestal = _pedestal(stream, AMP33, rows) / np.float32(gain)
    sigma *= nominal.REFERENCE_PIXEL_NOISE
    patterns = [*read_pattern, [0]] if reference else read_pattern
    out = _channel_noise(stream, AMP33, patterns, rows, pink) + noise.image_of(common[: len(patterns)], AMP33)
    for g, reads in enumerate(patterns):
        n = len(reads)
        total = n * (pedestal + out[g]) + rng.standard_normal(shape) * sigma * np.sqrt(n)
        out[g] = np.floor(np.floor(total - 0.5 * n + 0.5) / n)
    return (out[:-1], out[-1]) if reference else (out, None)


def encode(resultants, reference_read, offset):
    """What is sent down: resultants less the reference read plus the offset, clipped to uint16."""
    if reference_read is not None:
        resultants = resultants - np.clip(reference_read, 0, LARGEST)
    return np.clip(resultants + np.float32(offset), 0, LARGEST).astype(np.uint16)


def _light_sensitive(rows, channel, channels):
    active = np.zeros((rows, CHANNEL), bool)
    first = BORDER if channel == 0 else 0
    last = CHANNEL - BORDER if channel == channels - 1 else CHANNEL
    active[BORDER : rows - BORDER, first:last] = True
    return active


def _pedestal(stream, channel, rows):
    draw = generator(*stream, "pedestal", channel).standard_normal((rows, CHANNEL), dtype=np.float32)
    draw *= np.float32(assumed.PEDESTAL_SCATTER_E)
    draw += np.float32(assumed.PEDESTAL_E)
    return draw


def _channel_noise(stream, channel, read_pattern, rows, pink):
    """1/f and alternating-column noise of a channel, DN; float32 (G, rows, 128)."""
    out = np.empty((len(read_pattern), rows, CHANNEL), np.float32)
    for g, reads in enumerate(read_pattern):
        own, alternating, _common = noise.channel_rms(len(reads), pink)
        series = noise.pink_series(generator(*stream, "pink noise", channel, g), rows, own, alternating)
        out[g] = noise.image_of(series, channel)
    return out


def _by_row(hits, rows):
    """Hits sorted by row, with the place of each row's first; what the kernel takes."""
    row, column, read, electrons = hits if hits is not None else np.zeros((4, 0))
    order = np.argsort(row, kind="stable")
    first = np.searchsorted(np.asarray(row)[order], np.arange(rows + 1)).astype(np.int64)
    return (
        first,
        np.asarray(column)[order].astype(np.int64),
        np.asarray(read)[order].astype(np.int64),
        np.asarray(electrons)[order].astype(np.float64),
    )
