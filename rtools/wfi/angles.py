"""Angles as text: read from sexagesimal, and written so."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

__all__ = ["NO_ANGLE", "degrees_of", "sexagesimal"]

NO_ANGLE = (ValueError, TypeError, IndexError, ArithmeticError)
"""What astropy raises of a text that is no angle; arithmetic fails of hours with hundreds of digits."""


def degrees_of(text: str | Sequence[str], *, hours: bool = False) -> Any:
    """Degrees of angles that are written in sexagesimal, with or without units.

    Parameters
    ----------
    text : str or sequence of str
        ``18:00:24.5``, ``18 00 24.5``, ``18h00m24.5s``, ``-66d01m12s``; 24 hours, 60 minutes and 60 seconds are what
        they are worth.
    hours : bool
        Where a text says no unit, it is in hours.

    Returns
    -------
    float or ndarray float64
        Degrees.

    Raises
    ------
    ValueError, TypeError, IndexError, ArithmeticError
        One is no angle (`NO_ANGLE`).
    """
    from astropy.coordinates import Angle
    from astropy.utils.exceptions import AstropyWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)  # of 24 h and 60 s, which are right
        found = Angle(text, "hourangle" if hours else "deg").deg
    return float(found) if isinstance(text, str) else np.asarray(found, np.float64)


def sexagesimal(degrees: ArrayLike, *, hours: bool, places: int) -> np.ndarray:
    """Angles as text: hours of right ascensions, or degrees of declinations with their signs.

    They are rounded before they are cut into parts, so that no second is 60 and no hour is 24.

    Parameters
    ----------
    degrees : array_like
        Degrees.
    hours : bool
        Hours, from 0 to below 24; else degrees from -90 to 90, with a sign.
    places : int
        Of the seconds, behind the point.

    Returns
    -------
    ndarray of str
        ``18:00:24.5000``, ``+66:01:12.000``; empty where there is no number.
    """
    degrees = np.atleast_1d(np.asarray(degrees, np.float64))
    unit = 3600 * 10**places
    return np.array([_text(one / 15 if hours else one, unit, places, hours=hours) for one in degrees.tolist()], str)


def _text(value, unit, places, *, hours):
    """One angle; `unit` is the number of last places in an hour, or in a degree."""
    if not np.isfinite(value):
        return ""
    steps = round(value * unit)
    sign = "" if hours else ("-" if steps < 0 else "+")
    steps = steps % (24 * unit) if hours else abs(steps)
    whole, rest = divmod(steps, unit)
    minutes, seconds = divmod(rest, unit // 60)
    second, part = divmod(seconds, 10**places)
    return f"{sign}{whole:02d}:{minutes:02d}:{second:02d}" + (f".{part:0{places}d}" if places else "")
