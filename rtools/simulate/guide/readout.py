"""The electronics of guide windows: two resultants after each reset, by the loops of raw exposures.

Windows at one place of the detector are one tall frame to these loops (`rtools.simulate._ramp_kernels.accumulate`):
Poisson electrons, non-linearity, noise of each read, the converter's floor, the mean of reads, and its floor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.simulate import assumed as numbers
from rtools.simulate.guide import assumed
from rtools.simulate.reads import Schedule
from rtools.simulate.references import ReferencePlanes
from rtools.simulate.streams import generator, state
from rtools.wfi.frame import CHANNEL

if TYPE_CHECKING:
    from rtools.reference.source import References
    from rtools.simulate.request import SimulationRequest
    from rtools.work import Work

__all__ = [
    "LARGEST",
    "NO_HITS",
    "Box",
    "Charge",
    "Electronics",
    "WindowPixels",
    "pedestals",
    "pixels_of",
    "read_amp33",
    "read_window",
    "row_noise",
]

LARGEST = 65535
"""DN that 16 bits hold."""

NO_HITS = {key: np.zeros(0, np.int64) for key in ("pair", "row", "column")} | {"electrons": np.zeros(0)}
"""No cosmic rays."""


class Box(NamedTuple):
    """A part of the full frame: first column and row, and those after the last."""

    x0: int
    y0: int
    x1: int
    y1: int


class WindowPixels(NamedTuple):
    """The detector in a box.

    Attributes
    ----------
    box : Box
        Where it is.
    gain, noise, full : ndarray float32 (rows, columns)
        electron/DN; white noise of a read, DN; DN at which a pixel stops rising.
    coeffs : ndarray float32 (n, rows, columns)
        Linearity polynomial, ascending.
    dark : ndarray float32 (rows, columns)
        electron/s.
    dead : ndarray bool (rows, columns)
        Pixels without signal.
    inl : dict of int to ndarray float32 (65536,)
        By channel, from `rtools.simulate.ramps.inverse_inl`.
    typical : (float, float)
        Gain and noise of a usual pixel.
    """

    box: Box
    gain: NDArray[np.float32]
    noise: NDArray[np.float32]
    full: NDArray[np.float32]
    coeffs: NDArray[np.float32]
    dark: NDArray[np.float32]
    dead: NDArray[np.bool_]
    inl: dict[int, NDArray[np.float32]]
    typical: tuple[float, float]


class Electronics(NamedTuple):
    """How windows are read.

    Attributes
    ----------
    pixels : WindowPixels
        The detector.
    reads : rtools.simulate.reads.Schedule
        Pedestal and signal, in units of the time of one reading since the reset.
    unit : float
        That time, seconds.
    """

    pixels: WindowPixels
    reads: Schedule
    unit: float


class Charge(NamedTuple):
    """What collects in windows at one place.

    Attributes
    ----------
    rates : ndarray float32 (n, rows, columns)
        electron/s.
    pedestal : ndarray float32 (n, rows, columns)
        Electrons after the reset.
    hits : dict of ndarray
        Cosmic rays between pedestal and signal: ``pair``, ``row``, ``column``, ``electrons``, in this order.
    """

    rates: NDArray[np.float32]
    pedestal: NDArray[np.float32]
    hits: dict[str, NDArray]


def pixels_of(
    box: Box, request: SimulationRequest, references: References, typical: tuple[float, float], work: Work
) -> WindowPixels:
    """The detector in a box, from the references.

    Parameters
    ----------
    box : Box
        Where.
    request : rtools.simulate.request.SimulationRequest
        What is simulated.
    references : mapping of str to ReferenceSource or None
        References.
    typical : (float, float)
        Gain and noise that stand in for values that are none.
    work : rtools.work.Work
        Its threads decode or draw.

    Returns
    -------
    WindowPixels
        Of all the channels that the box touches.
    """
    first, last = box.x0 // CHANNEL, (box.x1 - 1) // CHANNEL
    planes = ReferencePlanes(references, request, first * CHANNEL, (last + 1) * CHANNEL, work)
    parts, inl = [], {}
    for channel in range(first, last + 1):
        detector, _flat, dark, dead = planes.channel(channel, references, typical)
        cut = slice(max(box.x0 - channel * CHANNEL, 0), min(box.x1 - channel * CHANNEL, CHANNEL))
        whole = (detector.gain, detector.noise, detector.full, detector.coeffs, dark, dead)
        parts.append([plane[..., box.y0 : box.y1, cut] for plane in whole])
        inl[channel] = detector.inl
    gain, noise, full, coeffs, dark, dead = (np.concatenate(group, axis=-1) for group in zip(*parts, strict=True))
    return WindowPixels(box, gain, noise, full, coeffs, np.maximum(dark, 0) * gain, dead, inl, typical)


def pedestals(shape: tuple[int, ...], key: tuple[object, ...]) -> NDArray[np.float32]:
    """Electrons in pixels after resets.

    Parameters
    ----------
    shape : tuple of int
        Pairs, rows, columns.
    key : tuple
        What the random numbers are keyed by.

    Returns
    -------
    ndarray float32
        Of this shape; they scatter anew with each reset (kTC noise).
    """
    draw = generator(*key, "pedestal").standard_normal(shape, np.float32)
    return draw * np.float32(numbers.PEDESTAL_SCATTER_E) + np.float32(numbers.PEDESTAL_E)


def row_noise(shape: tuple[int, int], electronics: Electronics, key: tuple[object, ...]) -> NDArray[np.float32]:
    """Noise that the pixels of a row and the reference output have in common.

    Parameters
    ----------
    shape : (int, int)
        Pairs and rows.
    electronics : Electronics
        How they are read.
    key : tuple
        What the random numbers are keyed by.

    Returns
    -------
    ndarray float32, (2, pairs, rows)
        DN, in pedestal and signal.
    """
    draw = generator(*key, "rows").standard_normal((2, *shape), np.float32)
    scale = assumed.ROW_NOISE_E / electronics.pixels.typical[0] / electronics.reads.resultants["root"]
    return draw * scale.astype(np.float32)[:, None, None]


def read_window(
    noise: NDArray[np.float32],
    charge: Charge,
    corner: NDArray[np.int64],
    electronics: Electronics,
    key: tuple[object, ...],
) -> NDArray[np.float32]:
    """Pedestal and signal of windows at one place.

    Parameters
    ----------
    noise : ndarray float32 (2, n, rows, columns)
        DN that are added to pedestal and signal before they are rounded.
    charge : Charge
        What collects in them.
    corner : ndarray int64 (2,)
        Their first column and row, full frame.
    electronics : Electronics
        How they are read.
    key : tuple
        What the random numbers are keyed by.

    Returns
    -------
    ndarray float32, (2, n, rows, columns)
        Whole DN, not clipped to 16 bits.
    """
    from rtools.simulate._ramp_kernels import accumulate

    out = np.empty_like(noise)
    x, y = (int(value) for value in corner)
    columns = noise.shape[3]
    for channel in range(x // CHANNEL, (x + columns - 1) // CHANNEL + 1):
        low, high = max(channel * CHANNEL - x, 0), min((channel + 1) * CHANNEL - x, columns)
        tall = np.array(noise[..., low:high]).reshape(2, -1, high - low)
        pixels = _tall_pixels(charge, (x, y), (low, high), channel, electronics)
        hits = _tall_hits(charge.hits, noise.shape[2], (low, high), len(tall[0]), electronics)
        accumulate(tall, state(*key, "windows", x, y, channel), pixels, electronics.reads, hits)
        out[..., low:high] = tall.reshape(*noise.shape[:3], high - low)
    return out


def _tall_pixels(charge, corner, columns, channel, electronics):
    """Some columns of windows above one another, as the compiled loops take them."""
    from rtools.simulate import _ramp_kernels as k

    pixels, (low, high) = electronics.pixels, columns
    count, rows, _all = charge.rates.shape
    x, y = corner[0] - pixels.box.x0, corner[1] - pixels.box.y0
    cut = np.s_[..., y : y + rows, x + low : x + high]
    planes = np.zeros((k.PLANES, count, rows, high - low), np.float32)
    planes[k.GAIN], planes[k.NOISE], planes[k.FULL] = pixels.gain[cut], pixels.noise[cut], pixels.full[cut]
    planes[k.RATE] = charge.rates[..., low:high] * np.float32(electronics.unit)
    planes[k.PEDESTAL] = charge.pedestal[..., low:high]
    planes[k.ACTIVE] = 1
    coeffs = np.tile(pixels.coeffs[cut], (1, count, 1))
    return k.Channel(planes.reshape(k.PLANES, -1, high - low), coeffs, pixels.inl[channel])


def _tall_hits(hits, rows, columns, height, electronics):
    """Cosmic rays of these columns, by row of the tall frame; the signal sees them, the pedestal does not."""
    from rtools.simulate._ramp_kernels import Hits

    low, high = columns
    own = np.flatnonzero((hits["column"] >= low) & (hits["column"] < high))
    row = hits["pair"][own] * rows + hits["row"][own]
    first = np.searchsorted(row, np.arange(height + 1)).astype(np.int64)
    after = int(electronics.reads.numbers[0].max()) + 1
    seen = np.full(len(own), after, np.int64)
    return Hits(first, hits["column"][own] - low, seen, hits["electrons"][own].astype(np.float64))


def read_amp33(
    common: NDArray[np.float32], columns: int, electronics: Electronics, key: tuple[object, ...]
) -> NDArray[np.float32]:
    """The reference output beside windows.

    Parameters
    ----------
    common : ndarray float32 (2, n, rows)
        From `row_noise`.
    columns : int
        Of the window.
    electronics : Electronics
        How it is read.
    key : tuple
        What the random numbers are keyed by.

    Returns
    -------
    ndarray float32, (2, n, rows, columns)
        Whole DN of pedestal and signal.
    """
    gain, sigma = electronics.pixels.typical
    rng = generator(*key, "amp33")
    shape = (*common.shape, columns)
    level = numbers.PEDESTAL_E + numbers.PEDESTAL_SCATTER_E * rng.standard_normal(shape[1:], np.float32)
    white = rng.standard_normal(shape, np.float32) * np.float32(sigma * assumed.AMP33_NOISE)
    reads = electronics.reads.resultants["reads"].astype(np.float32)[:, None, None, None]
    total = reads * (level / np.float32(gain) + common[..., None]) + np.sqrt(reads) * white
    return np.floor(np.floor(total - 0.5 * reads + 0.5) / reads)
