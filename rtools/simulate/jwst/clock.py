"""When a simulated exposure of JWST was taken: integrations and groups, also at the barycentre of the solar system.

A frame of reset stands before each integration. The telescope is at the second Lagrange point of Earth and Sun; its
halo orbit is left out, which moves times at the barycentre by up to 3 s. The metadata say where it is taken to be.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.wfi.barycentre import Ephemeris, barycentric_mjd, light_delay
from rtools.wfi.times import JD_OF_MJD_0, MJD_OF_1970, TT_MINUS_UTC_DAYS, mjd_of
from rtools.wfi.units import AU_KM, DAY_S, L2_FACTOR

if TYPE_CHECKING:
    from rtools.simulate.jwst.request import JwstRequest
    from rtools.simulate.jwst.view import JwstView

__all__ = ["Clock", "clock_of", "group_table", "int_times", "iso"]

DAY_ZERO = datetime(2000, 1, 1)
"""From which GROUP counts days."""

COMPLETE = "Normal Completion"


class Clock(NamedTuple):
    """Times of an exposure, Modified Julian Dates, UTC.

    Attributes
    ----------
    starts, ends : ndarray float64 (integrations,)
        Of the integrations: the reset, and the last frame.
    groups : ndarray float64 (integrations, groups)
        Ends of the last frames of groups.
    """

    starts: np.ndarray
    ends: np.ndarray
    groups: np.ndarray

    @property
    def middle(self) -> float:
        """Of the exposure."""
        return float(self.starts[0] + self.ends[-1]) / 2


def clock_of(request: JwstRequest) -> Clock:
    """Times of an exposure.

    Parameters
    ----------
    request : rtools.simulate.jwst.request.JwstRequest
        What is simulated.

    Returns
    -------
    Clock
    """
    frame, pattern = request.frame_time, request.pattern
    start, every = mjd_of(request.date), (request.integration_time + frame) / DAY_S
    starts = start + every * np.arange(request.integrations)
    last = np.array([pattern.frames(group)[-1] + 1 for group in range(request.groups)])
    return Clock(starts, starts + request.integration_time / DAY_S, starts[:, None] + last * frame / DAY_S)


def int_times(clock: Clock, view: JwstView) -> np.ndarray:
    """Rows of INT_TIMES.

    Parameters
    ----------
    clock : Clock
        Times.
    view : rtools.simulate.jwst.view.JwstView
        Where it looks, and from where.

    Returns
    -------
    ndarray, structured (integrations,)
        Number, then begin, middle and end in UTC, and the same at the barycentre in TDB; Modified Julian Dates.
    """
    utc = [clock.starts, (clock.starts + clock.ends) / 2, clock.ends]
    fields = [f"int_{part}_{scale}" for scale in ("MJD_UTC", "BJD_TDB") for part in ("start", "mid", "end")]
    rows = np.zeros(len(clock.starts), [("integration_number", "i4"), *((name, "f8") for name in fields)])
    rows["integration_number"] = np.arange(len(rows)) + 1
    for name, values in zip(fields, [*utc, *(barycentric(times, view) for times in utc)], strict=True):
        rows[name] = values
    return rows


def barycentric(times: np.ndarray, view: JwstView) -> np.ndarray:
    """Times (MJD, UTC) at the barycentre (MJD, TDB), of light from where the exposure looks."""
    position, velocity = view.ephemeris
    where = Ephemeris(view.moment, tuple(position), tuple(velocity))
    return barycentric_mjd(times, view.wcsinfo["ra_ref"], view.wcsinfo["dec_ref"], where)


def heliocentric_delay(view: JwstView) -> float:
    """Seconds after which a wave front passes the Sun."""
    import erfa

    place = erfa.epv00(JD_OF_MJD_0, view.moment + TT_MINUS_UTC_DAYS)[0]["p"] * AU_KM * L2_FACTOR
    return float(light_delay(place, view.wcsinfo["ra_ref"], view.wcsinfo["dec_ref"]))


def group_table(request: JwstRequest, clock: Clock, view: JwstView) -> np.ndarray:
    """Rows of GROUP.

    Parameters
    ----------
    request : rtools.simulate.jwst.request.JwstRequest
        What is simulated.
    clock : Clock
        Times.
    view : rtools.simulate.jwst.view.JwstView
        Where it looks, and from where.

    Returns
    -------
    ndarray, structured (integrations * groups,)
    """
    ends = clock.groups.ravel()
    days = ends - (DAY_ZERO - datetime(1970, 1, 1)).days - MJD_OF_1970
    whole = np.floor(days)
    milliseconds = (days - whole) * DAY_S * 1000
    columns = {
        "integration_number": (np.repeat(np.arange(request.integrations), request.groups) + 1, "i4"),
        "group_number": (np.tile(np.arange(request.groups), request.integrations) + 1, "i2"),
        "end_day": (whole, "i2"),
        "end_milliseconds": (np.floor(milliseconds), "i4"),
        "end_submilliseconds": (np.floor(milliseconds % 1 * 1000), "i2"),
        "group_end_time": ([iso(end, "microseconds") for end in ends], "S26"),
        "number_of_columns": (request.part.columns, "i2"),
        "number_of_rows": (request.part.rows, "i2"),
        "number_of_gaps": (0, "i2"),
        "completion_code_number": (0, "i2"),
        "completion_code_text": (COMPLETE, "S36"),
        "bary_end_time": (barycentric(ends, view), "f8"),
        "helio_end_time": (ends + heliocentric_delay(view) / DAY_S, "f8"),
    }
    rows = np.zeros(len(ends), [(name, kind) for name, (_, kind) in columns.items()])
    for name, (values, _) in columns.items():
        rows[name] = values
    return rows


def iso(mjd: float, precision: str = "milliseconds") -> str:
    """A Modified Julian Date (UTC) as ``YYYY-MM-DDThh:mm:ss.sss``.

    Parameters
    ----------
    mjd : float
        Days.
    precision : str
        ``milliseconds`` or ``microseconds``.

    Returns
    -------
    str
    """
    moment = datetime(1970, 1, 1) + timedelta(days=float(mjd) - MJD_OF_1970)
    if precision == "milliseconds":
        moment += timedelta(microseconds=500)
    return moment.isoformat(timespec=precision)
