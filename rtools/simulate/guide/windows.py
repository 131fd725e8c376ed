"""The pixels of guide windows: light, charge, electronics, as raw resultants.

Light is the star at the places that it takes in a pair, its bright neighbours with it, and all else at rest. The ePSF
holds inter-pixel capacitance. What it holds of jitter is taken out, because the motion is put in. Pixels respond alike:
the flat is left out, so that counts times the gain are the electrons of the star. The rest is the electronics of raw
exposures (`rtools.simulate._ramp_kernels`), with two resultants after each reset of the window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.simulate.guide import assumed
from rtools.simulate.guide.readout import (
    LARGEST,
    NO_HITS,
    Charge,
    Electronics,
    WindowPixels,
    pedestals,
    read_amp33,
    read_window,
    row_noise,
)
from rtools.simulate.guide.timeline import Cycles
from rtools.simulate.rays import window_rays
from rtools.simulate.reads import schedule
from rtools.simulate.streams import generator

if TYPE_CHECKING:
    from rtools.work import Work

__all__ = ["Resultants", "Spoiled", "WindowLight", "read_stage"]

CHUNK = 1024
"""Pairs that are made together; each chunk has random numbers of its own, so that threads do not matter."""


class WindowLight(NamedTuple):
    """What shines on a box.

    Attributes
    ----------
    still : ndarray float32 (rows, columns)
        All that does not move, electron/s.
    x, y, rate : ndarray float64 (m,)
        Sources that move: from the guide star, pixels, and electron/s. The guide star is the first.
    spline : (ndarray float64 (ny, nx), int) or None
        B-spline coefficients of the ePSF without jitter, and its samples per pixel.
    section : (ndarray float64 (k,), int, float) or None
        Of a spectrum in its place: samples of the cross-section, samples per pixel, width of the edge.
    """

    still: NDArray[np.float32]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    rate: NDArray[np.float64]
    spline: tuple[NDArray[np.float64], int] | None = None
    section: tuple[NDArray[np.float64], int, float] | None = None


class Resultants(NamedTuple):
    """What is sent down of a stage.

    Attributes
    ----------
    pedestal, signal, amp33_pedestal, amp33_signal : ndarray uint16 (n, rows, columns)
        DN.
    min_bind, max_bind : ndarray uint8 (n, 2)
        Whether values were raised to 0, or lowered to 65535, in pedestal and signal.
    hits : ndarray float64 (n,)
        Electrons of cosmic rays in the window.
    """

    pedestal: NDArray[np.uint16]
    signal: NDArray[np.uint16]
    amp33_pedestal: NDArray[np.uint16]
    amp33_signal: NDArray[np.uint16]
    min_bind: NDArray[np.uint8]
    max_bind: NDArray[np.uint8]
    hits: NDArray[np.float64]


class Spoiled(NamedTuple):
    """Pairs that are not as they should be, each ndarray bool (n,).

    Attributes
    ----------
    reset : ndarray
        Their rows are reset between pedestal and signal.
    sce : ndarray
        The electronics fail.
    low, high : ndarray
        Values below 0, or beyond what 16 bits hold.
    """

    reset: NDArray[np.bool_]
    sce: NDArray[np.bool_]
    low: NDArray[np.bool_]
    high: NDArray[np.bool_]


def read_stage(
    stage: Cycles,
    corners: NDArray[np.int64],
    places: tuple[NDArray[np.float64], NDArray[np.float64]],
    *,
    light: WindowLight,
    pixels: WindowPixels,
    spoiled: Spoiled,
    stream: tuple[object, ...],
    rays: bool = True,
    work: Work,
) -> Resultants:
    """Simulate the resultants of a stage.

    Parameters
    ----------
    stage : Cycles
        How and when its window is read.
    corners : ndarray int64 (n, 2)
        First column and row of the window of each pair, full frame.
    places : (ndarray float64 (n, k), ndarray float64 (n, k))
        x and y of the star during each pair, pixels of the full frame.
    light : WindowLight
        What shines.
    pixels : WindowPixels
        The detector.
    spoiled : Spoiled
        Pairs that go wrong.
    stream : tuple
        What the random numbers are keyed by.
    rays : bool
        Whether there are cosmic rays.
    work : rtools.work.Work
        Its threads make chunks of pairs.

    Returns
    -------
    Resultants
        All pairs.
    """
    table = stage.table
    shape = (len(stage), table.rows, table.columns)
    arrays = np.empty((4, *shape), np.uint16)
    bound = np.zeros((2, len(stage), 2), np.uint8)
    hits = window_rays(shape[1:], len(stage) if rays else 0, table.signal_s, *stream)
    electronics = Electronics(pixels, schedule(_pattern(table)), table.window_s)

    def one(first):
        part = slice(first, min(first + CHUNK, len(stage)))
        rates = _rates(corners[part], [axis[part] for axis in places], light, pixels, shape[1:])
        own = Spoiled(*(mask[part] for mask in spoiled))
        dn, common = _expose(rates, corners[part], electronics, _hits_of(hits, part), (*stream, first))
        _spoil(dn, own, corners[part], electronics, (*stream, first, "spoiled"))
        dn += assumed.OFFSET_DN
        bound[0][part] = (dn < 0).any(axis=(2, 3)).T
        bound[1][part] = (dn > LARGEST).any(axis=(2, 3)).T
        reference = read_amp33(common, shape[2], electronics, (*stream, first)) + assumed.OFFSET_DN
        for array, values in zip(arrays, (*dn, *reference), strict=True):
            array[part] = np.clip(values, 0, LARGEST)

    work.map(one, range(0, len(stage), CHUNK))
    electrons = np.bincount(hits["pair"], hits["electrons"], minlength=len(stage)).astype(float)
    pedestal, signal, amp33_pedestal, amp33_signal = arrays
    return Resultants(pedestal, signal, amp33_pedestal, amp33_signal, bound[0], bound[1], electrons)


def _pattern(table):
    """When pedestal and signal are read, in units of the time of one reading since the reset."""
    science = table.science_s / table.window_s
    pedestal = np.arange(1, table.pedestal + 1, dtype=float)
    signal = table.pedestal + science + table.skipped + np.arange(1, table.signal + 1)
    return [pedestal, signal]


def _hits_of(hits, part):
    """Hits of some pairs, whose numbers begin with 0."""
    own = slice(*np.searchsorted(hits["pair"], [part.start, part.stop]))
    found = {key: values[own] for key, values in hits.items()}
    return found | {"pair": found["pair"] - part.start}


def _rates(corners, places, light, pixels, shape):
    """Electrons per second in each pixel, float32 (n, rows, columns)."""
    from rtools.simulate.guide import _window_kernels

    rows, columns = shape
    x, y = (axis - corners[:, which, None] for which, axis in enumerate(places))
    out = np.empty((len(corners), rows, columns), np.float32)
    for corner, which in _alike(corners):
        out[which] = _cut(light.still + pixels.dark, corner, pixels.box, shape)
    for dx, dy, rate in zip(light.x, light.y, light.rate, strict=True):
        if light.spline is not None:
            _window_kernels.add_moving(out, x + dx, y + dy, rate, light.spline)
        elif light.section is not None:
            _window_kernels.add_moving_edge(out, x + dx, y + dy, rate, light.section)
    for corner, which in _alike(corners):
        out[which] *= ~_cut(pixels.dead, corner, pixels.box, shape)
    return np.maximum(out, 0, out=out)


def _alike(corners):
    """Each place of the window, and which pairs have it there."""
    found, inverse = np.unique(corners, axis=0, return_inverse=True)
    for index, corner in enumerate(found):
        yield corner, np.flatnonzero(inverse.ravel() == index)


def _cut(plane, corner, box, shape):
    """A window out of a plane of a box."""
    column, row = corner[0] - box.x0, corner[1] - box.y0
    return plane[..., row : row + shape[0], column : column + shape[1]]


def _expose(rates, corners, electronics, hits, key):
    """Pedestal and signal in DN, float32 (2, n, rows, columns), and the noise that rows have in common, DN."""
    count, rows, columns = rates.shape
    pedestal = pedestals(rates.shape, key)
    common = row_noise((count, rows), electronics, key)
    dn = np.repeat(common[..., None], columns, axis=3)
    for corner, which in _alike(corners):
        own = np.isin(hits["pair"], which)
        here = {name: values[own] for name, values in hits.items()}
        here["pair"] = np.searchsorted(which, here["pair"])
        charge = Charge(rates[which], pedestal[which], here)
        dn[:, which] = read_window(dn[:, which], charge, corner, electronics, key)
    return dn, common


def _spoil(dn, spoiled, corners, electronics, key):
    """What happens to single pairs, in place."""
    for corner, which in _alike(corners):
        wiped = which[spoiled.reset[which]]
        if wiped.size:
            shape = (len(wiped), *dn.shape[2:])
            level = pedestals(shape, (*key, "reset")) - np.float32(assumed.RESET_DRAIN_E)
            dark = Charge(np.zeros(shape, np.float32), level, NO_HITS)
            none = np.zeros((2, *shape), np.float32)
            dn[1, wiped] = read_window(none, dark, corner, electronics, (*key, "reset"))[1]
    rng = generator(*key, "sce")
    wild = np.flatnonzero(spoiled.sce)
    dn[:, wild] = rng.integers(0, LARGEST, dn[:, wild].shape) - assumed.OFFSET_DN
    dn[:, spoiled.low] -= assumed.BIND_LOW_DN
    dn[1, spoiled.high] += assumed.BIND_HIGH_DN
