"""Lines of the screen about a file: texts beside their labels, what metadata say, what is unknown left out."""

import os
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rtools.products.schema.history import BUILT_IN
from rtools.show.info import NOTHING, cut

__all__ = [
    "amount",
    "corners",
    "file_name",
    "history_row",
    "labelled",
    "labelled_texts",
    "named_column",
    "pairs",
    "said",
]

LABEL, INDENT, GAP = 13, 2, 3
"""Columns: of a label, before it, between the columns of a table."""


def labelled_texts(rows: Iterable[tuple[str, str]], width: int) -> list[str]:
    """Texts beside their labels, broken at the width.

    Parameters
    ----------
    rows : iterable of (str, str)
        Label and text; an empty text is left out.
    width : int
        Columns of a line.

    Returns
    -------
    list of str
    """
    lines = []
    for label, text in rows:
        if text:
            lines += textwrap.wrap(
                text,
                max(width, 40),
                initial_indent=f"  {label:{LABEL}s}",
                subsequent_indent=" " * (LABEL + 2),
                break_on_hyphens=False,
            )
    return lines


def file_name(reference: str) -> str:
    """A reference without its directories; one of the built-in set says so.

    Parameters
    ----------
    reference : str
        As metadata have it.

    Returns
    -------
    str
    """
    return reference if reference.startswith(BUILT_IN) else os.path.basename(reference) or reference


def said(block: Mapping[str, Any], **forms: str) -> str:
    """What a block of metadata says, without what is unknown.

    Parameters
    ----------
    block : mapping
        Keys and values.
    **forms : str
        Of each key the text that it is said in, as `str.format` takes it.

    Returns
    -------
    str
        With commas between items.
    """
    said = []
    for key, form in forms.items():
        value = block.get(key)
        if value in NOTHING or isinstance(value, dict | list):
            continue
        try:
            said.append(form.format(value))
        except (TypeError, ValueError):  # a catalog of unknown model has strings only
            said.append(f"{key} {value}")
    return ", ".join(said)


def named_column(column: Mapping[str, Any]) -> str:
    """Name of a column, with its unit in brackets where it has one.

    Parameters
    ----------
    column : mapping
        ``name`` and ``unit``.

    Returns
    -------
    str
    """
    return f"{column['name']} [{column['unit']}]" if column["unit"] else column["name"]


def corners(text: object) -> str:
    """Corners of a region, where it is a polygon.

    Parameters
    ----------
    text : object
        As S_REGION has it.

    Returns
    -------
    str
        Anything else as it is.
    """
    words = str(text or "").split()
    numbers = words[2:]
    if words[:1] != ["POLYGON"] or len(numbers) % 2:
        return "" if text in NOTHING else str(text)
    try:
        listed = [(float(ra), float(dec)) for ra, dec in zip(numbers[::2], numbers[1::2], strict=True)]
    except ValueError:
        return str(text)
    return ", ".join(f"{ra:.5f} {dec:.5f}" for ra, dec in listed)


def history_row(history: Sequence[Any] | None) -> str:
    """How many entries a history has, and the last one.

    Parameters
    ----------
    history : sequence of dict or None
        Oldest first.

    Returns
    -------
    str
        Empty without entries.
    """
    if not history:
        return ""
    last = history[-1] if isinstance(history[-1], dict) else {"description": history[-1]}
    entries = "1 entry" if len(history) == 1 else f"{len(history)} entries"
    time = str(last.get("time") or "")[:19]
    return " ".join(word for word in (f"{entries}; last", time, str(last.get("description", ""))) if word)


def pairs(label: str, pairs: Sequence[tuple[str, str]], width: int) -> list[str]:
    """Names and what is said of them, in order down the columns of a table as wide as there is room for.

    Parameters
    ----------
    label : str
        Beside the first line.
    pairs : sequence of (str, str)
        Name and text.
    width : int
        Columns of a line.

    Returns
    -------
    list of str
    """
    if not pairs:
        return []
    wide = max(len(name) for name, _text in pairs)
    cells = [f"{name:{wide}s} {text}" for name, text in pairs]
    cell = max(map(len, cells)) + GAP
    columns = max(1, (max(width, 40) - LABEL - INDENT + GAP) // cell)
    height = -(-len(cells) // columns)
    return labelled(
        label, ["".join(text.ljust(cell) for text in cells[row::height]).rstrip() for row in range(height)], width
    )


def labelled(label: str, lines: Sequence[str], width: int, *, aside: bool = True) -> list[str]:
    """Lines cut at the width, beside a label or below it.

    Parameters
    ----------
    label : str
        Of all the lines.
    lines : sequence of str
        Whole ones.
    width : int
        Columns of a line.
    aside : bool
        Beside the label, else below it.

    Returns
    -------
    list of str
    """
    if not lines:
        return []
    if not aside:
        return [f"  {label}", *(cut(f"    {line}", max(width, 40)) for line in lines)]
    room = max(width, 40) - LABEL - INDENT
    return [f"  {'' if place else label:{LABEL}s}{cut(line, room)}" for place, line in enumerate(lines)]


def amount(nbytes: int) -> str:
    """A number of bytes in words, decimal units.

    Parameters
    ----------
    nbytes : int
        The number.

    Returns
    -------
    str
    """
    if nbytes < 1000:
        return f"{nbytes} B"
    power = min(3, (len(str(nbytes)) - 1) // 3)
    return f"{nbytes / 1000**power:.1f} {('kB', 'MB', 'GB')[power - 1]}"
