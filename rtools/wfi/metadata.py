"""Metadata of an exposure or a mosaic as the steps read it: values by their dotted keys, and whether they can be."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from rtools.errors import InputError
from rtools.wfi.quantities import problem
from rtools.wfi.times import mjd_of

__all__ = [
    "exposure_mjd",
    "get",
    "middle_mjd",
    "missing",
    "put",
    "refuse_impossible",
    "require",
    "usable",
]


def get(meta: Any, path: str, default: Any = None) -> Any:
    """Value at a dotted path below ``meta``.

    Parameters
    ----------
    meta : dict
        Metadata of an exposure or a mosaic. What is not a dictionary has nothing below it.
    path : str
        Keys with dots between them: ``exposure.read_pattern``.
    default : object
        What is given where a key on the path is absent; a null that the file has stays None.

    Returns
    -------
    object
        As the file has it.
    """
    for key in path.split("."):
        if not isinstance(meta, dict) or key not in meta:
            return default
        meta = meta[key]
    return meta


def put(meta: dict[str, Any], path: str, value: Any) -> None:
    """Set a value at a dotted path, making the blocks on the way.

    Parameters
    ----------
    meta : dict
        Changed.
    path : str
        As in `get`; what stands at its earlier keys must be dictionaries.
    value : object
        What is set.
    """
    *blocks, last = path.split(".")
    for key in blocks:
        meta = meta.setdefault(key, {})
    meta[last] = value


def missing(meta: Mapping[str, Any], *paths: str) -> list[str]:
    """Dotted paths that are absent or null.

    Parameters
    ----------
    meta : dict
        Metadata of an exposure or a mosaic.
    *paths : str
        As in `get`.

    Returns
    -------
    list of str
        Those of the paths, in their order.
    """
    return [path for path in paths if get(meta, path) is None]


def require(meta: Mapping[str, Any], *paths: str, path: str | os.PathLike | None = None) -> None:
    """Refuse metadata in which something is absent or null, or cannot be (`rtools.wfi.quantities`).

    Parameters
    ----------
    meta : dict
        Metadata of an exposure.
    *paths : str
        Dotted, below ``meta``: ``exposure.read_pattern``.
    path : str or os.PathLike, optional
        The file, for the message.

    Raises
    ------
    InputError
        Names all that is missing, else what cannot be, with its value.
    """
    absent = missing(meta, *dict.fromkeys(paths))
    if absent:
        raise InputError(f"metadata missing: {', '.join(f'meta.{name}' for name in absent)}", path=path)
    refuse_impossible(meta, *paths, path=path)


def refuse_impossible(meta: Mapping[str, Any], *paths: str, path: str | os.PathLike | None = None) -> None:
    """As `require`, of what may be absent or null.

    Parameters
    ----------
    meta : dict
        Metadata of an exposure or a mosaic.
    *paths : str
        Dotted, below ``meta``; a path of which `rtools.wfi.quantities` knows nothing may say anything.
    path : str or os.PathLike, optional
        The file, for the message.

    Raises
    ------
    InputError
        Names all values that cannot be.
    """
    values = {name: get(meta, name) for name in paths}
    found = [line for name, value in values.items() if value is not None and (line := problem(name, value))]
    if found:
        raise InputError("; ".join(found), mend="rt-set sets it", path=path)


def usable(
    meta: Mapping[str, Any],
    path: str,
    log: Callable[[str, str], None] | None = None,
    otherwise: str = "it is not used",
) -> Any:
    """A value that can be computed with; None where it is absent, null, or cannot be.

    Parameters
    ----------
    meta : dict
        Metadata of an exposure.
    path : str
        Dotted, below ``meta``; one of `rtools.wfi.quantities.QUANTITIES`.
    log : callable, optional
        ``log(level, text)`` is told of a value that cannot be.
    otherwise : str
        What is done without it, for the log.

    Returns
    -------
    object or None
        The value as the file has it.
    """
    value = get(meta, path)
    found = None if value is None else problem(path, value)
    if found and log:
        log("warning", f"{found}: {otherwise}")
    return None if found else value


def exposure_mjd(meta: Mapping[str, Any]) -> tuple[float, float]:
    """Start and end of an exposure.

    Parameters
    ----------
    meta : dict
        Its metadata: `exposure.start_time` and `exposure.end_time` are read.

    Returns
    -------
    start, end : float
        Modified Julian Dates, UTC.

    Raises
    ------
    InputError
        They are missing or no times.
    """
    keys = "exposure.start_time", "exposure.end_time"
    require(meta, *keys)
    start, end = (mjd_of(get(meta, key)) for key in keys)
    return start, end


def middle_mjd(meta: Mapping[str, Any]) -> float:
    """Middle of an exposure, or the mean time of a mosaic, as it says it, else half way between begin and end.

    Parameters
    ----------
    meta : dict
        Metadata of a product of either mission.

    Returns
    -------
    float
        Modified Julian Date, UTC; NaN where the metadata say no time.
    """
    for key in ("exposure.mid_time", "coadd_info.time_mean"):
        moment = _mjd(get(meta, key))
        if math.isfinite(moment):
            return moment
    for section, keys in (("exposure", ("start_time", "end_time")), ("coadd_info", ("time_first", "time_last"))):
        moments = [_mjd(get(meta, f"{section}.{key}")) for key in keys]
        if all(map(math.isfinite, moments)):
            return math.fsum(moments) / 2
    return math.nan


def _mjd(time):
    """Modified Julian Date of a time in the form of either mission; NaN for what is none."""
    with suppress(InputError, ValueError, TypeError, OverflowError):
        if time is not None and not isinstance(time, bool):
            return float(time) if isinstance(time, int | float) else mjd_of(time)
    return math.nan
