"""JSON as its standard has it: numbers that are not finite are null, any name of a file is text that can be printed."""

import json
import math
from functools import partial
from typing import Any

__all__ = ["json_text"]


def json_text(value: Any, *, indent: int | None = None, ascii_only: bool = True) -> str:
    """A value as JSON.

    Parameters
    ----------
    value : object
        Plain: dict, list, str, number, bool, None.
    indent : int, optional
        Columns of one level; by default all is on one line.
    ascii_only : bool
        Write every other letter as its number.

    Returns
    -------
    str
        NaN and infinities, which JSON does not have, are null. Bytes of a file's name that are not letters are
        ``\\udcNN``, of which Python's reader makes the same name again.
    """
    dumped = partial(json.dumps, indent=indent, ensure_ascii=ascii_only, allow_nan=False)
    try:
        text = dumped(value)
    except ValueError:
        text = dumped(_finite(value))
    return text if ascii_only else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _finite(node):
    """The same without numbers that are not finite."""
    if isinstance(node, dict):
        return {key: _finite(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_finite(value) for value in node]
    return None if isinstance(node, float) and not math.isfinite(node) else node
