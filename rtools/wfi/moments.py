"""Many times at once: lists of UTC times as arrays to compute with, leap seconds included.

Guide windows keep ten thousand times and more as text. An object for each of them would take seconds to make.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.errors import InputError
from rtools.wfi.times import COUNTS, MJD_OF_1970, iso_time, offline
from rtools.wfi.units import DAY_S

__all__ = ["Moments", "elapsed", "mjd", "moments_of", "moments_of_mjd", "moments_of_numbers", "texts_of"]

LONGEST = 40
"""Characters of a text that can be a time; nanoseconds need 29."""

ZERO = ord("0")
SEPARATORS = {4: "-", 7: "-", 10: "T", 13: ":", 16: ":"}
DIGITS = (0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18)
POINT = 19
"""Place of the decimal point in ``YYYY-MM-DDThh:mm:ss.sss``."""


class Moments(NamedTuple):
    """Times in UTC.

    Attributes
    ----------
    day : ndarray int64, (n)
        Modified Julian Date of the day; 0 where there is no time.
    second : ndarray float64, (n)
        Seconds since the day began, up to 86401 in a leap second; NaN where there is no time.
    """

    day: NDArray[np.int64]
    second: NDArray[np.float64]


def moments_of(times: Sequence[Any]) -> Moments:
    """Times of a list, in any of the forms of `rtools.wfi.times.iso_time`.

    Parameters
    ----------
    times : sequence of str, mapping, astropy.time.Time or None
        Ten thousand texts ``YYYY-MM-DDThh:mm:ss.sss`` take some milliseconds; other forms are read one by one.

    Returns
    -------
    Moments
        As many; None, ``NaT`` and an empty text are not a time.

    Raises
    ------
    InputError
        One is not a valid time.
    """
    texts = ["" if time is None else time if isinstance(time, str) else iso_time(time) for time in times]
    found, good = _read(texts)
    odd = np.flatnonzero(~good)
    if odd.size:
        again, right = _read([_whole(texts[place]) for place in odd])
        if not right.all():
            raise InputError(f"{texts[odd[np.argmin(right)]]!r:.60} is not a valid time")
        found.day[odd], found.second[odd] = again
    return found


def moments_of_numbers(values: NDArray[Any], form: str, scale: str) -> Moments:
    """Times that are numbers, or texts of another scale than UTC.

    Parameters
    ----------
    values : ndarray, (n)
        Numbers or texts.
    form, scale : str
        Format of the ASDF standard or astropy, and scale.

    Returns
    -------
    Moments

    Raises
    ------
    InputError
        There is no such format, scale or time.
    """
    import warnings

    from astropy.time import Time

    form, begin = COUNTS.get(form, (form, 0.0))
    try:
        with offline(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a leap second that is not known yet, a year far away
            values = values + begin if values.dtype.kind in "iuf" else values
            told = Time(values, format=form, scale=scale, precision=9).utc.isot
    except Exception as error:  # the tables of the Earth's rotation raise errors of their own
        raise InputError(f"no valid times of format {form} and scale {scale}") from error
    return moments_of(told.tolist())


def _whole(text):
    """A text in the form of the calendar, down to the second."""
    text = iso_time(text)
    return text + {10: "T00:00:00", 16: ":00"}.get(len(text), "")


def _read(texts):
    """Moments of texts of the usual form, and which texts are of it; those without a time are."""
    count = len(texts)
    if not count:
        return Moments(np.zeros(0, np.int64), np.zeros(0)), np.zeros(0, bool)
    characters = np.array(texts, f"U{LONGEST}").view(np.uint32).reshape(count, LONGEST)
    empty = (characters[:, 0] == 0) | np.isin(texts, ("NaT", "None"))
    digits = characters.astype(np.int64) - ZERO
    is_digit = (digits >= 0) & (digits <= 9)
    good = is_digit[:, DIGITS].all(axis=1)
    for place, mark in SEPARATORS.items():
        good &= (characters[:, place] == ord(mark)) | ((mark == "T") & (characters[:, place] == ord(" ")))
    fraction, complete = _fraction(characters, digits, is_digit)
    good &= complete
    day, second, possible = _count(np.where(good[:, None], digits, 0), good)
    good &= possible
    day[~good] = 0
    return Moments(day, np.where(good, second + fraction, np.nan)), good | empty


def _fraction(characters, digits, is_digit):
    """Fractions of a second, and whether nothing else follows the seconds."""
    follows = characters[:, POINT + 1 :] != 0
    numbers = is_digit[:, POINT + 1 :]
    end = characters[:, POINT]
    complete = (follows <= numbers).all(axis=1) & ((end == ord(".")) | ((end == 0) & ~follows.any(axis=1)))
    places = 10.0 ** -np.arange(1, numbers.shape[1] + 1)
    return np.where(numbers, digits[:, POINT + 1 :], 0) @ places, complete


def _count(digits, good):
    """Day (MJD) and whole seconds of it from the digits, and whether there is such a time."""

    def number(*places):
        return digits[:, places] @ 10 ** np.arange(len(places))[::-1]

    year, month, date = number(0, 1, 2, 3), number(5, 6), number(8, 9)
    hour, minute, second = number(11, 12), number(14, 15), number(17, 18)
    first = ((year - 1970) * 12 + month - 1).astype("M8[M]")
    length = (first + 1).astype("M8[D]").astype(np.int64) - first.astype("M8[D]").astype(np.int64)
    leap = (second == 60) & (hour == 23) & (minute == 59)
    possible = good & (month >= 1) & (month <= 12) & (date >= 1) & (date <= length)
    possible &= (hour < 24) & (minute < 60) & ((second < 60) | leap)
    day = first.astype("M8[D]").astype(np.int64) + date - 1 + MJD_OF_1970
    return day, (hour * 60 + minute) * 60.0 + second, possible


def mjd(moments: Moments) -> NDArray[np.float64]:
    """Modified Julian Dates.

    Parameters
    ----------
    moments : Moments
        UTC.

    Returns
    -------
    ndarray float64, (n)
        UTC; a leap second is the second after it, as in `rtools.wfi.times.mjd_of`. NaN where there is no time.
    """
    return moments.day + moments.second / DAY_S


def moments_of_mjd(days: NDArray[np.floating]) -> Moments:
    """Times that are Modified Julian Dates (UTC); the inverse of `mjd`, but in a leap second.

    Parameters
    ----------
    days : ndarray, (n)
        NaN is not a time.

    Returns
    -------
    Moments
        To the millisecond, which such dates keep.
    """
    counted = np.rint(np.nan_to_num(days) * DAY_S * 1000).astype(np.int64)
    day, rest = np.divmod(counted, DAY_S * 1000)
    return Moments(day, np.where(np.isfinite(days), rest / 1000, np.nan))


def elapsed(moments: Moments, since: Moments) -> NDArray[np.float64]:
    """Seconds from one time to others, leap seconds counted.

    Parameters
    ----------
    moments : Moments
        UTC.
    since : Moments
        One time, or as many.

    Returns
    -------
    ndarray float64, (n)
        To the nanosecond; NaN where there is no time. A leap second that is newer than the installed table counts where
        a time lies in it.
    """
    told = [each.day[each.second >= DAY_S] + 1 for each in (moments, since)]
    steps = np.unique(np.concatenate([_leap_days(), *told]))
    leaps = np.searchsorted(steps, moments.day, "right") - np.searchsorted(steps, since.day, "right")
    seconds: NDArray[np.float64] = (moments.day - since.day) * DAY_S + (moments.second - since.second) + leaps
    return seconds.round(9)


def texts_of(moments: Moments) -> list[str | None]:
    """Times as text.

    Parameters
    ----------
    moments : Moments
        UTC.

    Returns
    -------
    list of (str or None)
        ``YYYY-MM-DDThh:mm:ss.sss``, with six decimals where three are not enough; None where there is no time.
    """
    return [None if np.isnan(second) else _text(int(day), float(second)) for day, second in zip(*moments, strict=True)]


def _text(day, second):
    millionths = round(second * 1_000_000)
    if millionths >= (DAY_S + (second >= DAY_S)) * 1_000_000:  # rounded up to the next day
        day, millionths = day + 1, 0
    whole, rest = divmod(millionths, 1_000_000)
    minute = min(whole // 60, DAY_S // 60 - 1)  # a leap second belongs to the last minute
    fraction = f"{rest:06d}" if rest % 1000 else f"{rest // 1000:03d}"
    date = np.datetime64(day - MJD_OF_1970, "D")
    return f"{date}T{minute // 60:02d}:{minute % 60:02d}:{whole - 60 * minute:02d}.{fraction}"


@cache
def _leap_days():
    """MJD of the days that began after a leap second."""
    import erfa

    table = erfa.leap_seconds.get()
    table = table[table["tai_utc"] > 10]  # TAI was 10 s ahead when leap seconds began in 1972
    first = ((table["year"] - 1970) * 12 + table["month"] - 1).astype("M8[M]").astype("M8[D]")
    return first.astype(np.int64) + MJD_OF_1970
