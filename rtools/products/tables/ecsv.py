"""ECSV tables of any writer: their header is YAML in which some writers put tags of Python and of numpy.

No tag makes anything run here: astropy takes those that it knows and has trust in, and a header with any other one is
read again as plain values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from rtools.products.schema.yamltext import load_bounded
from rtools.products.tables.metadata import PlainLoader

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable

__all__ = ["ecsv_table", "plain_values"]

PIECES = "__serialized_columns__"
"""Key under which astropy tells of which columns it makes one object; as they stand they are plain columns."""


def ecsv_table(text: str) -> AstropyTable:
    """The table of an ECSV text.

    Parameters
    ----------
    text : str
        The whole file, with a line end at least.

    Returns
    -------
    astropy.table.Table
        As astropy makes it; where it does not know a tag, of plain columns and with plain metadata.

    Raises
    ------
    ValueError
        It is no ECSV. astropy raises others, too.
    """
    from astropy.table import Table

    try:
        return Table.read(text, format="ascii.ecsv")
    except (yaml.YAMLError, ValueError, TypeError, KeyError):
        if "!" not in text:
            raise
        return Table.read(_without_tags(text), format="ascii.ecsv")


def _without_tags(text):
    """The text with a header of plain YAML."""
    lines = text.splitlines(keepends=True)
    count = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    head = load_bounded("".join(line[1:].removeprefix(" ") for line in lines[1:count]), PlainLoader)
    meta = plain_values(head.get("meta") or {})
    head["meta"] = {key: value for key, value in meta.items() if key != PIECES}
    made = yaml.safe_dump(head, sort_keys=False, width=float("inf"), allow_unicode=True)
    return lines[0] + "# ---\n" + "".join(f"# {line}\n" for line in made.splitlines()) + "".join(lines[count:])


def plain_values(value: Any) -> Any:
    """Metadata of a table as plain values, which need no tag in YAML.

    Parameters
    ----------
    value : object
        Any value; mappings and sequences may be nested.

    Returns
    -------
    object
        Tuples, sets and arrays are lists, numbers of numpy those of Python, bytes text; what else is no plain value is
        its text.
    """
    if isinstance(value, dict):
        return {str(key): plain_values(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain_values(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_values(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str | bool | int | float | None):
        return value
    return str(value)
