"""The guide star: which of the sources it is, where its windows are."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.errors import UsageError
from rtools.simulate import spectra
from rtools.simulate.guide import assumed
from rtools.simulate.scene import Sources
from rtools.simulate.seen import Seen
from rtools.simulate.streams import generator
from rtools.wfi.frame import BORDER
from rtools.wfi.guide import GUIDE_TABLES, GuideTable

if TYPE_CHECKING:
    from rtools.simulate.request import SimulationRequest

__all__ = ["GuideStar", "brightened", "corner_of", "edge_offset", "find_star", "tracking_table", "with_star"]


class GuideStar(NamedTuple):
    """What is guided on.

    Attributes
    ----------
    source : int or None
        Index of the source; None where the window is on nothing.
    x, y : float
        The star, or the edge of its spectrum; the middle of the window where there is none. Pixels of the full frame.
    centre : (float, float)
        Where windows are centred; the star, unless a window was asked for.
    """

    source: int | None
    x: float
    y: float
    centre: tuple[float, float]


def tracking_table(spectroscopic: bool) -> GuideTable:
    """The readout table of tracking, whose rows and columns are the window's.

    Parameters
    ----------
    spectroscopic : bool
        Whether the element disperses.

    Returns
    -------
    rtools.wfi.guide.GuideTable
        WIM_TRACK or WSM_TRACK.
    """
    return GUIDE_TABLES[4 if spectroscopic else 1]


def corner_of(x: float, y: float, table: GuideTable, size: int) -> tuple[int, int]:
    """First pixel of a window that is centred as well as whole pixels and the frame allow.

    Parameters
    ----------
    x, y : float
        Pixels of the full frame.
    table : rtools.wfi.guide.GuideTable
        Its rows and columns.
    size : int
        Rows and columns of the frame.

    Returns
    -------
    (int, int)
        Column and row; the window keeps clear of the border.
    """
    start = np.rint([x - (table.columns - 1) / 2, y - (table.rows - 1) / 2])
    last = np.array([size - BORDER - table.columns, size - BORDER - table.rows])
    column, row = np.clip(start, BORDER, last).astype(int)
    return int(column), int(row)


def edge_offset(element: str) -> int:
    """Rows from a source to the blue edge of its spectrum, the first row with half of the light of the brightest.

    Parameters
    ----------
    element : str
        ``GRISM`` or ``PRISM``.

    Returns
    -------
    int
        For a flat spectrum; below it there is taken to be nothing.
    """
    offset, wavelength, width = spectra.dispersion(element)
    rate = spectra.trace_rate(np.ones((1, offset.size)), element, wavelength, width)[0]
    return int(offset[np.argmax(rate >= rate.max() / 2)])


def find_star(request: SimulationRequest, found: Seen | None, gain: float, peak: float) -> GuideStar:
    """Where the guide window is.

    Parameters
    ----------
    request : rtools.simulate.request.SimulationRequest
        Its `guide_window`: ``auto``, or the first pixel.
    found : Seen or None
        The sources; None without a sky.
    gain : float
        Typical electron/DN.
    peak : float
        Largest share of a star's light in one pixel.

    Returns
    -------
    GuideStar
        The brightest star that a tracked pair does not saturate; a place that is drawn if there is none. Where the
        window is given: the brightest star in it.

    Raises
    ------
    UsageError
        Dithers are larger than the frame, or take a given window out of it.
    """
    table = tracking_table(request.dispersed)
    fixed = None if isinstance(request.guide_window, str | None) else request.guide_window
    low, last = _room(request, table)
    rng = generator(*request.stream, "guide window")
    drawn, phase = rng.integers(low, last, endpoint=True), rng.uniform(-0.5, 0.5, 2)
    place = drawn if fixed is None else fixed
    middle = float(place[0] + (table.columns - 1) / 2), float(place[1] + (table.rows - 1) / 2)
    # A star that is put there is anywhere in its pixel.
    empty = GuideStar(None, float(middle[0] + phase[0]), float(middle[1] + phase[1]), middle)
    if found is None:
        return empty
    x, y = found.x + BORDER, found.y + BORDER
    if request.dispersed:
        y = y + edge_offset(request.element)
    # No row of a spectrum comes near the limit.
    electrons = np.zeros(len(x)) if request.dispersed else found.rate * gain * peak * table.signal_s
    corner = np.stack([x - (table.columns - 1) / 2, y - (table.rows - 1) / 2], -1)
    if fixed is None:
        fits = np.all((corner >= low) & (corner <= last), axis=1) & (electrons < assumed.PEAK_E)
    else:
        fits = np.all(np.abs(corner - fixed) <= (table.columns / 2, table.rows / 2), axis=1)
    fits &= found.stars.sersic == 0
    if not fits.any():
        return empty
    best = int(np.argmax(np.where(fits, found.rate, -1)))
    star = float(x[best]), float(y[best])
    return GuideStar(best, *star, star if fixed is None else middle)


def _room(request, table):
    """First pixels of the first exposure's window with which all windows keep clear of the border."""
    guide = request.guide
    shifts = [(0.0, 0.0)] if guide is None else [guide.shift(index) for index in range(guide.exposures)]
    least, most = np.floor(np.min(shifts, axis=0)).astype(int), np.ceil(np.max(shifts, axis=0)).astype(int)
    low = BORDER - least
    last = request.size - BORDER - np.array([table.columns, table.rows]) - most
    if np.any(low > last):
        raise UsageError("--dither: the windows do not fit into the frame")
    return low, last


def brightened(found: Seen, index: int, magnitude: float) -> Seen:
    """The sources with one of another magnitude.

    Parameters
    ----------
    found : Seen
        Not changed.
    index : int
        Of the source.
    magnitude : float
        AB in the element; of a dispersed star in the band of drawn magnitudes.

    Returns
    -------
    Seen
        With its light in proportion.
    """
    fainter = magnitude - found.magnitude[index]
    factor = np.ones(len(found.x))
    factor[index] = 10 ** (-0.4 * fainter)
    more = np.zeros(len(found.x))
    more[index] = fainter
    stars = replace(found.stars, magnitude=found.stars.magnitude + more)
    trace = None if found.trace is None else found.trace * factor[:, None]
    return found._replace(stars=stars, magnitude=found.magnitude + more, rate=found.rate * factor, trace=trace)


def with_star(found: Seen, star: Seen) -> Seen:
    """The sources and one more.

    Parameters
    ----------
    found, star : Seen
        Of the same element.

    Returns
    -------
    Seen
        The new one is the last.
    """
    kinds = [field.name for field in fields(Sources)]
    both = {kind: np.append(getattr(found.stars, kind), getattr(star.stars, kind)) for kind in kinds}
    trace = None if found.trace is None or star.trace is None else np.concatenate([found.trace, star.trace])
    columns = {key: np.append(getattr(found, key), getattr(star, key)) for key in ("x", "y", "magnitude", "rate")}
    return found._replace(stars=Sources(**both), trace=trace, **columns)
