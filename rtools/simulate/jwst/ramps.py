"""Ramps of JWST's near-infrared detectors: what the electronics make of electrons per second.

The order is that of light and electronics: photons and dark current by Poisson's law between reads, cosmic rays, charge
seen by neighbours, what the reset leaves, non-linearity, the full well, bias, offsets of outputs and of odd and even
columns with a slow drift, read noise, the converter, the mean of the frames of a group.

Memory: 2 bytes for each pixel of each group and integration, and the planes of a `JwstPixels`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.jwst.order import read_out_order
from rtools.simulate.jwst import assumed
from rtools.simulate.rays import cosmic_rays
from rtools.simulate.streams import generator, state
from rtools.work import ALONE

if TYPE_CHECKING:
    from rtools.jwst.readout import ReadoutPattern
    from rtools.work import Work

__all__ = ["JwstPixels", "JwstReading", "draw_hits", "read_out"]

ROWS = 64
"""Rows of a block; each is done by one thread."""

BLOCKS = 64
"""Blocks at a time where an integration has fewer."""


class JwstPixels(NamedTuple):
    """The pixels that are read, in the frame that files have; planes (rows, columns).

    Attributes
    ----------
    gain : ndarray float32
        electron/DN.
    noise : ndarray float32
        Of one read, DN.
    full : ndarray float32
        Level at which the pixel stops rising, DN.
    bias : ndarray float32
        What a read shows without charge, DN.
    offset : ndarray float32
        What reference pixels take away: of outputs, and of odd and even columns, DN.
    live : ndarray bool
        Pixels that collect charge.
    coeffs : ndarray float32 (n, rows, columns)
        Linearity polynomial, ascending: DN of the charge by DN above the bias.
    kernel : ndarray float64 (3, 3)
        What a pixel shows of the charge in itself and around it.
    reset : float
        Scatter of the charge that the reset leaves, DN.
    axes : (int, int)
        FASTAXIS and SLOWAXIS.
    outputs : int
        NOUTPUTS.
    has_border : bool
        Whether there are reference pixels, which see the drift.
    """

    gain: np.ndarray
    noise: np.ndarray
    full: np.ndarray
    bias: np.ndarray
    offset: np.ndarray
    live: np.ndarray
    coeffs: np.ndarray
    kernel: np.ndarray
    reset: float
    axes: tuple[int, int]
    outputs: int
    has_border: bool

    def turned(self, array: np.ndarray) -> np.ndarray:
        """An array in the order in which its pixels are read, and one in that order back; a view."""
        return read_out_order(array, *self.axes)


class JwstReading(NamedTuple):
    """How an exposure is read.

    Attributes
    ----------
    pattern : rtools.jwst.readout.ReadoutPattern
        How frames become groups.
    groups, integrations : int
        NGROUPS and NINTS.
    frame_time : float
        TFRAME, seconds.
    stream : tuple
        What the random numbers are keyed by.
    """

    pattern: ReadoutPattern
    groups: int
    integrations: int
    frame_time: float
    stream: tuple[object, ...]

    @property
    def frames(self) -> np.ndarray:
        """Numbers of the frames that are kept, from 0 at the first after the reset; int64 (groups, NFRAMES)."""
        return np.array([list(self.pattern.frames(group)) for group in range(self.groups)])

    @property
    def intervals(self) -> np.ndarray:
        """Frames in which charge is collected before each that is kept; int64 (groups, NFRAMES)."""
        frames = self.frames
        return np.diff(frames.ravel(), prepend=-1).reshape(frames.shape)


def read_out(
    rates: Callable[[int], np.ndarray],
    detector: JwstPixels,
    reading: JwstReading,
    *,
    hits: dict[str, np.ndarray] | None = None,
    work: Work = ALONE,
) -> np.ndarray:
    """Groups of an exposure.

    Parameters
    ----------
    rates : callable
        Number of an integration, from 0, to electrons per second, float32 (rows, columns), dark current included.
    detector : JwstPixels
        What the pixels are.
    reading : JwstReading
        How they are read.
    hits : dict of ndarray, optional
        From `draw_hits`.
    work : rtools.work.Work
        Threads; the result does not depend on them.

    Returns
    -------
    ndarray uint16 (integrations, groups, rows, columns)
        DN.
    """
    data = np.empty((reading.integrations, reading.groups, *detector.gain.shape), np.uint16)
    fixed = _fixed_planes(detector)
    rows = fixed[0].shape[0] - 2
    starts = range(0, rows, ROWS)
    together = max(1, BLOCKS // len(starts))
    for first in range(0, reading.integrations, together):
        numbers = range(first, min(first + together, reading.integrations))
        light = {number: _padded(detector.turned(rates(number))) for number in numbers}

        def one(task, light=light):
            number, start = task
            block = _block(detector, fixed, light[number], (start, min(start + ROWS, rows)))
            out = _read_block(block, detector, reading, (number, start), hits)
            detector.turned(data[number])[:, start : start + ROWS] = out

        work.map(one, [(number, start) for number in numbers for start in starts])
    return data


def draw_hits(detector: JwstPixels, reading: JwstReading, *, times: float = 1.0) -> dict[str, np.ndarray]:
    """Cosmic rays of an exposure.

    Parameters
    ----------
    detector : JwstPixels
        What the pixels are.
    reading : JwstReading
        How they are read.
    times : float
        How many times the usual rate.

    Returns
    -------
    dict of ndarray
        ``integration``, ``row``, ``column`` (in the order of reading), ``read`` (of those that are kept, from 0, the
        first that sees it), ``group``, ``y``, ``x`` (in the frame of files) int64, ``electrons`` float64; by
        integration, row and read.
    """
    live = detector.turned(detector.live)
    place = detector.turned(np.arange(live.size, dtype=np.int64).reshape(detector.live.shape))
    frames = reading.frames.ravel() + 1
    numbers = {**assumed.RAYS, "per_cm2_s": assumed.RAYS["per_cm2_s"] * times}
    parts: list[dict[str, np.ndarray]] = []
    for number in range(reading.integrations):
        found = cosmic_rays(live.shape, int(frames[-1]), reading.frame_time, *reading.stream, number,
                            numbers=numbers, border=0)  # fmt: skip
        keep = live[found["row"], found["column"]]
        part = {key: values[keep] for key, values in found.items()}
        part["read"] = np.searchsorted(frames, part["read"])
        part["integration"] = np.full(part["read"].shape, number)
        order = np.lexsort((part["column"], part["read"], part["row"]))
        parts.append({key: values[order] for key, values in part.items()})
    hits = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    hits["y"], hits["x"] = np.unravel_index(place[hits["row"], hits["column"]], detector.live.shape)
    hits["group"] = hits["read"] // reading.frames.shape[1]
    return hits


def _fixed_planes(detector):
    """Planes that all integrations share, in the order of reading with a row of nothing at both ends."""
    planes = detector.gain, detector.noise, detector.full, detector.bias, detector.live.astype(np.float32)
    return [_padded(detector.turned(plane)) for plane in planes]


def _padded(plane):
    out = np.zeros((plane.shape[0] + 2, plane.shape[1]), np.float32)
    out[1:-1] = plane
    return out


def _block(detector, fixed, light, rows):
    """The rows of a detector that one thread does."""
    from rtools.simulate.jwst import _ramp_kernels as kernels

    start, stop = rows
    planes = np.stack([plane[start : stop + 2] for plane in (light, *fixed)])
    coeffs = np.ascontiguousarray(np.moveaxis(detector.turned(detector.coeffs)[:, start:stop], 0, -1), np.float32)
    return kernels.RowBlock(planes, coeffs, np.asarray(detector.kernel, float), float(detector.reset))


def _read_block(block, detector, reading, place, hits):
    """Groups of one block of one integration, float32 (groups, rows, columns)."""
    from rtools.simulate.jwst import _ramp_kernels as kernels

    number, start = place
    stop = start + len(block.coeffs)
    out = np.empty((reading.groups, stop - start, block.coeffs.shape[1]), np.float32)
    out[:] = detector.turned(detector.offset)[start:stop]
    if detector.has_border:
        _add_drift(out, detector, reading, place)
    streams = np.array(
        [
            [state(*reading.stream, what, number, row) for row in range(start - 1, stop + 1)]
            for what in ("photons", "noise")
        ]
    )
    timing = reading.intervals, float(reading.frame_time)
    kernels.accumulate(out, streams, block, timing, _hits_of(hits, number, (start, stop)))
    return out


def _hits_of(hits, number, rows):
    """Hits of the rows of a block and of those beside it."""
    from rtools.simulate.jwst import _ramp_kernels as kernels

    start, stop = rows
    every = np.arange(start - 1, stop + 2)
    if hits is None or len(hits["row"]) == 0:
        none = np.zeros(0, np.int64)
        return kernels.RowHits(np.zeros(len(every), np.int64), none, none, np.zeros(0))
    low, high = np.searchsorted(hits["integration"], (number, number + 1))
    own = low + np.searchsorted(hits["row"][low:high], every)
    span = slice(own[0], own[-1])
    return kernels.RowHits(own - own[0], hits["column"][span], hits["read"][span], hits["electrons"][span])


def _add_drift(out, detector, reading, place):
    """Add the slow drift along the rows, and of each output from group to group; the same whatever is read when.

    With one output the chain takes one number from each group, so there is no drift along the rows then.
    """
    number, start = place
    rows = detector.turned(detector.gain).shape[0]
    rng = generator(*reading.stream, "drift", number)
    nodes = np.arange(0, rows + assumed.DRIFT_ROWS, assumed.DRIFT_ROWS)
    slow = assumed.DRIFT_DN if detector.outputs > 1 else 0.0
    heights = slow * rng.standard_normal((reading.groups, len(nodes)))
    steps = assumed.OUTPUT_DRIFT_DN * rng.standard_normal((reading.groups, detector.outputs))
    here = np.arange(start, start + out.shape[1])
    width = -(-out.shape[2] // detector.outputs)
    for g in range(reading.groups):
        out[g] += np.interp(here, nodes, heights[g])[:, None] + np.repeat(steps[g], width)[: out.shape[2]]
