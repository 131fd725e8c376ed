"""What was done to a product: entries of the ASDF history, and lines of `meta.cal_logs`."""

import sys
from datetime import UTC, datetime

from rtools import __version__
from rtools.products.nodes import readable

__all__ = ["entry", "log_line", "stamp"]


def stamp(moment=None):
    """``YYYY-MM-DDThh:mm:ss.mmm`` of a moment, UTC; of now by default."""
    moment = moment or datetime.now(UTC)
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")


def log_line(level, text, *, logger="step"):
    """A line of `meta.cal_logs`: ``TIMEZ :: rtools.LOGGER :: LEVEL :: text``."""
    return f"{stamp()}Z :: rtools.{logger} :: {level.upper()} :: {' '.join(str(text).split())}"


def entry(tool, *, parameters=None, references=None, inputs=(), arguments=None):
    """An entry of the ASDF history.

    Parameters
    ----------
    tool : str
        ``rt-run``.
    parameters : dict, optional
        Options and their values, as they were used.
    references : dict, optional
        Type to a source (with `label` and `checksum`), or to such a dict, or to a string.
    inputs : iterable of str or Path
        Names of the input files.
    arguments : list of str, optional
        The command line without the tool; this process's by default.

    Returns
    -------
    dict
    """
    inputs = [str(name) for name in inputs]
    arguments = [str(word) for word in (sys.argv[1:] if arguments is None else arguments)]
    made = {
        "description": f"{tool} (rtools {__version__})" + (f" on {', '.join(inputs)}" if inputs else ""),
        "time": stamp(),
        "software": {"name": "rtools", "version": __version__},
        "tool": tool,
        "arguments": arguments,
        "parameters": _plain(parameters or {}),
        "references": {kind: _reference(source) for kind, source in (references or {}).items()},
        "inputs": inputs,
    }
    return _readable(made)


def _readable(value):
    """Texts that any file can hold: names of files are bytes."""
    if isinstance(value, dict):
        return {key: _readable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_readable(one) for one in value]
    return readable(value) if isinstance(value, str) else value


def _reference(source):
    if isinstance(source, str):
        return {"name": source}
    if isinstance(source, dict):
        return _plain(source)
    return {"name": str(source.label), "checksum": str(source.checksum)}


def _plain(value):
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    if hasattr(value, "item") and not getattr(value, "shape", ()):
        return value.item()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
