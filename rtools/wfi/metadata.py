"""Metadata of an exposure or a mosaic as the steps read it: values by their dotted keys, and whether they can be."""

from rtools.errors import InputError
from rtools.wfi.quantities import problem
from rtools.wfi.times import mjd_of

__all__ = [
    "exposure_mjd",
    "get",
    "missing",
    "put",
    "refuse_impossible",
    "require",
    "usable",
]


def get(meta, path, default=None):
    """Value at a dotted path below ``meta``, or `default`."""
    for key in path.split("."):
        if not isinstance(meta, dict) or key not in meta:
            return default
        meta = meta[key]
    return meta


def put(meta, path, value):
    """Set a value at a dotted path, making the blocks on the way."""
    *blocks, last = path.split(".")
    for key in blocks:
        meta = meta.setdefault(key, {})
    meta[last] = value


def missing(meta, *paths):
    """Dotted paths that are absent or null."""
    return [path for path in paths if get(meta, path) is None]


def require(meta, *paths, path=None):
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


def refuse_impossible(meta, *paths, path=None):
    """As `require`, of what may be absent or null."""
    values = {name: get(meta, name) for name in paths}
    found = [problem(name, value) for name, value in values.items() if value is not None]
    found = [line for line in found if line]
    if found:
        raise InputError("; ".join(found), mend="rt-set sets it", path=path)


def usable(meta, path, log=None, otherwise="it is not used"):
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
    """
    value = get(meta, path)
    found = None if value is None else problem(path, value)
    if found and log:
        log("warning", f"{found}: {otherwise}")
    return None if found else value


def exposure_mjd(meta):
    """Start and end of an exposure, Modified Julian Dates (UTC).

    Raises
    ------
    InputError
        They are missing or no times.
    """
    keys = "exposure.start_time", "exposure.end_time"
    require(meta, *keys)
    start, end = (mjd_of(get(meta, key)) for key in keys)
    return start, end
