"""What is said of copies: the size and the place of their cache, the seconds that a server has for an answer.

The environment counts more than a configuration file, whose values a command hands over with `configured`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from rtools.errors import RtoolsError

__all__ = ["GS_ANON", "S3_ANON", "SETTINGS", "RemoteSetting", "configure", "said", "size_in_bytes", "wording"]

S3_ANON, GS_ANON = "RT_S3_ANON", "RT_GS_ANON"
"""Variables that say whether files of a bucket are asked for without a name; ``[remote]`` has none of them."""

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class RemoteSetting(NamedTuple):
    """A setting.

    Attributes
    ----------
    variable : str
        Its name in the environment.
    default : str or float or None
        Its value where nothing is said of it; None stands for a place that is found.
    parse : callable
        Gives the value of what is said; it raises ValueError where that is none.
    wanted : str
        What a value has to be, as it is told to somebody whose value is none.
    """

    variable: str
    default: str | float | None
    parse: Callable[[str], Any]
    wanted: str


def size_in_bytes(text: str) -> int:
    """A number of bytes.

    Parameters
    ----------
    text : str
        A number, perhaps with K, M, G or T, as in ``20G``, ``20GB`` or ``20GiB``; all are powers of 1024.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    ValueError
        The text is no size.
    """
    plain = text.strip().upper().removesuffix("IB").removesuffix("B")
    number, unit = (plain[:-1], plain[-1]) if plain[-1:] in UNITS and plain else (plain, "")
    size = float(number) * UNITS[unit]
    if not (math.isfinite(size) and size >= 0):
        raise ValueError(text)
    return int(size)


def _seconds(text):
    seconds = float(text)
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(text)
    return seconds


def _directory(text):
    return os.path.abspath(os.path.expanduser(text))


SETTINGS: dict[str, RemoteSetting] = {
    "cache-size": RemoteSetting("RT_CACHE_SIZE", "10G", size_in_bytes, "a size is a number with K, M, G or T"),
    "cache-dir": RemoteSetting("RT_CACHE_DIR", None, _directory, "the name of a directory is needed"),
    "timeout": RemoteSetting("RT_REMOTE_TIMEOUT", 15.0, _seconds, "a number of seconds is needed"),
}
"""Settings by the keys of the table ``[remote]`` of a configuration file."""

_configured: dict[str, str | float] = {}


def configure(values: Mapping[str, str | float]) -> None:
    """Take values of a configuration file as those that count where the environment says nothing.

    Parameters
    ----------
    values : mapping of str to (str or float)
        Key of `SETTINGS` to what is said; an empty mapping forgets what was said before.
    """
    _configured.clear()
    _configured.update(values)
    if "cache-dir" in values:
        _configured["cache-dir"] = _directory(str(values["cache-dir"]))


def wording(key: str) -> tuple[str | float | None, str]:
    """What is said of a setting, and where.

    Parameters
    ----------
    key : str
        One of `SETTINGS`.

    Returns
    -------
    (str or float or None, {"environment", "configuration", "default"})
        The value as it was written. An empty variable of the environment says nothing.
    """
    setting = SETTINGS[key]
    if text := os.environ.get(setting.variable, "").strip():
        return text, "environment"
    if key in _configured:
        return _configured[key], "configuration"
    return setting.default, "default"


def said(key: str) -> Any:
    """The value of a setting that counts.

    Parameters
    ----------
    key : str
        One of `SETTINGS`.

    Returns
    -------
    int, float, str or None
        As `RemoteSetting.parse` gives it; None where nothing is said and there is no default.

    Raises
    ------
    RtoolsError
        What is said is no such value.
    """
    setting, (text, origin) = SETTINGS[key], wording(key)
    if text is None:
        return None
    try:
        return setting.parse(str(text))
    except (ValueError, OverflowError):
        name = setting.variable if origin == "environment" else f"[remote] {key}"
        raise RtoolsError(f"{name}={text}: {setting.wanted}") from None
