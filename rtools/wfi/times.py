"""Times in the forms that the ASDF standard has: calendar, day of the year, epochs, and numbers in several scales."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from rtools.errors import InputError
from rtools.wfi.units import DAY_S

__all__ = [
    "JD_OF_MJD_0",
    "MJD_OF_1970",
    "MJD_OF_J2000",
    "TT_MINUS_UTC_DAYS",
    "is_time_mapping",
    "iso_time",
    "mjd_of",
    "moment_of",
    "offline",
    "utc_moment",
    "utc_of_mapping",
    "utc_of_text",
]

CALENDAR = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?)?")
OFFSET = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+)([+-]\d\d:?\d\d)")
DAY_OF_YEAR = re.compile(r"\d{4}:\d{3}(:\d\d){0,3}(\.\d+)?")
EPOCH = re.compile(r"[BJ]\d{4}(\.\d*)?")

MJD_OF_1970 = 40587
"""Modified Julian Date of the epoch from which systems count seconds."""

JD_OF_MJD_0 = 2400000.5
"""Julian Date at which the Modified Julian Date is 0."""

MJD_OF_J2000 = 51544.5
"""Modified Julian Date (TT) of the epoch J2000."""

TT_MINUS_UTC_DAYS = 69.184 / DAY_S
"""Terrestrial Time less UTC since 2017: 37 leap seconds and 32.184 s."""

LEAP = ":60"
"""Begin of the seconds of a time in a leap second."""

COUNTS = {"utime": ("unix", 283_996_800.0), "tai_seconds": ("unix_tai", -378_691_200.0)}
"""Counts of seconds that astropy calls otherwise: from 1979-01-01 without leap seconds, from 1958-01-01 TAI."""


def utc_of_text(text: str) -> str:
    """A time as text in the form of the calendar.

    Parameters
    ----------
    text : str
        Calendar, ``2027:001:00:00:00``, ``J2027.0`` or ``B1950.0``: in UTC, as the ASDF standard says.

    Returns
    -------
    str
        ``YYYY-MM-DDThh:mm:ss.sss``, UTC; what is in none of the forms as it is.

    Raises
    ------
    InputError
        It has the form of a time, and there is no such time.
    """
    plain = str(text).strip().replace(" ", "T").removesuffix("Z")
    if CALENDAR.fullmatch(plain):
        return plain
    if DAY_OF_YEAR.fullmatch(plain):
        return _converted(plain, "yday", "utc")
    if EPOCH.fullmatch(plain):
        return _converted(plain, "jyear_str" if plain[0] == "J" else "byear_str", "utc")
    if OFFSET.fullmatch(plain):
        try:
            return _iso(datetime.fromisoformat(plain))
        except (ValueError, OverflowError):
            return plain
    return plain


def _iso(moment):
    """A moment in UTC, which it is in where it has no time zone."""
    moment = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return moment.isoformat(timespec="milliseconds")


def utc_of_mapping(node: Mapping[str, Any]) -> str:
    """The long form of a time as text in the form of the calendar.

    Parameters
    ----------
    node : mapping
        value, a text or a number; format and scale, UTC by default. A text without format is in any of its forms; a
        number without is a Julian date.

    Returns
    -------
    str
        ``YYYY-MM-DDThh:mm:ss.sss``, UTC.

    Raises
    ------
    InputError
        There is no such format, scale or time.
    """
    value, scale = node["value"], str(node.get("scale") or "utc").lower()
    form = str(node.get("format") or ("" if isinstance(value, str) else node.get("base_format") or "jd"))
    if isinstance(value, str):
        if form in ("byear", "jyear"):
            value = value if value[:1] in "BJ" else f"{form[0].upper()}{value}"
        text = value.strip().replace(" ", "T").removesuffix("Z")
        if scale == "utc":
            return utc_of_text(text)
        named = next((name for name, pattern in _TEXTS.items() if pattern.fullmatch(text)), None)
        if named is None:
            raise InputError(f"{value!r:.60} is not a valid time")
        return _converted(text, {"B": "byear_str", "J": "jyear_str"}.get(text[0], named), scale)
    form, begin = COUNTS.get(form, (form, 0.0))
    return _converted(value + begin, form, scale)


_TEXTS = {"isot": CALENDAR, "yday": DAY_OF_YEAR, "epoch": EPOCH}


def _converted(value, form, scale):
    """A time of astropy's format and scale, in UTC."""
    import warnings

    from astropy.time import Time

    try:
        with offline(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a leap second that is not known yet, a year far away
            return str(Time(value, format=form, scale=scale).utc.isot)
    except Exception as error:  # the tables of the Earth's rotation raise errors of their own
        raise InputError(f"{value!r:.60} is not a valid time of format {form} and scale {scale}") from error


@contextmanager
def offline() -> Iterator[None]:
    """UT1 comes from the tables that are installed, while the context lasts."""
    from astropy.utils import iers

    with iers.conf.set_temp("auto_download", False), iers.conf.set_temp("iers_degraded_accuracy", "ignore"):
        yield


def moment_of(text: str) -> datetime:
    """A time to compute with.

    Parameters
    ----------
    text : str
        ``YYYY-MM-DDThh:mm:ss.sss``, UTC (`rtools.products.schema.nodes.iso`).

    Returns
    -------
    datetime.datetime
        Without time zone. A leap second is the second after it, as clocks of computers have it.

    Raises
    ------
    ValueError
        It is not a valid time.
    """
    if text[16:19] != LEAP:
        return datetime.fromisoformat(text)
    return datetime.fromisoformat(f"{text[:16]}:59{text[19:]}") + timedelta(seconds=1)


def utc_moment(text: str) -> datetime:
    """A time in any of the forms of `utc_of_text`, to compute with.

    Parameters
    ----------
    text : str
        UTC where it says no offset from it; ``Z``, ``+01:00`` or ``+0100`` is taken into account.

    Returns
    -------
    datetime.datetime
        UTC, without time zone.

    Raises
    ------
    ValueError
        It is not a valid time.
    """
    try:
        found = moment_of(utc_of_text(text))
        return found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)
    except (InputError, OverflowError) as error:
        raise ValueError(str(error)) from None


def iso_time(value: Any) -> str:
    """ISO string of a time in any form that ASDF and Roman files use.

    Parameters
    ----------
    value : str, TaggedStr, mapping or astropy.time.Time
        A mapping is ``{value, format, base_format, scale}``.

    Returns
    -------
    str
        ``YYYY-MM-DDThh:mm:ss.sss``, UTC; a text that is not a valid time at all as it is.

    Raises
    ------
    InputError
        It is not a valid time.
    """
    if isinstance(value, str):
        return utc_of_text(value)
    if is_time_mapping(value):
        return utc_of_mapping(value)
    if isinstance(value, datetime):
        return _iso(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if hasattr(value, "isot"):
        return str(value.utc.isot)
    raise InputError(f"{value!r:.60} is not a valid time")


def is_time_mapping(node: Any) -> bool:
    """Whether a node is the long form of a single time.

    Parameters
    ----------
    node : object
        Any node of a tree.

    Returns
    -------
    bool
        True for a dictionary whose ``value`` is a text or a number; False for one with an array of times.
    """
    value = node.get("value") if isinstance(node, dict) else None
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def mjd_of(time: Any) -> float:
    """Modified Julian Date of a time.

    Parameters
    ----------
    time : str, mapping or astropy.time.Time
        An ISO time, UTC, or anything else that `iso_time` takes.

    Returns
    -------
    float
        Days, UTC.

    Raises
    ------
    ValueError
        It is not a valid time.
    InputError
        It has the form of a time, and there is no such time; or it is neither text nor time.
    """
    moment = moment_of(iso_time(time))
    return MJD_OF_1970 + moment.replace(tzinfo=UTC).timestamp() / DAY_S
