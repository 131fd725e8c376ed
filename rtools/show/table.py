"""Tables of text: aligned on a terminal, in as many panels as its width asks for; tab-separated in a pipe.

Every tool that prints a table prints it here. On a terminal, columns may have styles of rich, and a last column of
sentences is folded.
"""

import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

__all__ = ["TextColumn", "aligned", "print_columns", "print_table"]

GAP = "  "
"""Between columns."""

LEAST = 20
"""Characters of a folded column: narrower than this it is not folded, and the terminal breaks its lines."""


class TextColumn(NamedTuple):
    """A column of a table on a terminal.

    Attributes
    ----------
    texts : sequence of str
        A cell for each row.
    heads : sequence of str
        Lines above it, as many as those of the other columns.
    right : bool
        Whether its texts stand to the right, as numbers do.
    styles : sequence of str
        Style of rich for each row; empty for none.
    """

    texts: Sequence[str]
    heads: Sequence[str] = ()
    right: bool = False
    styles: Sequence[str] = ()


def print_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, labels: int | None = 1, title: str | None = None
) -> None:
    """Print a table on standard output.

    Parameters
    ----------
    head : sequence of str
        Names of the columns; printed on a terminal only. Empty for a table without them.
    rows : sequence of sequence of str
        The cells.
    labels : int or None
        First columns that are repeated in each panel, to the left; the others are numbers, to the right. None for a
        table of texts, whose columns are all to the left, in one panel.
    title : str, optional
        A line above it on a terminal; the first field of each line in a pipe.
    """
    if not sys.stdout.isatty():
        lead = () if title is None else (title,)
        sys.stdout.writelines("\t".join((*lead, *row)) + "\n" for row in rows)
        return
    if title is not None:
        print(title)
    for line in aligned(head, rows, labels=labels, width=shutil.get_terminal_size().columns):
        print(line)


def print_columns(columns: Sequence[TextColumn], *, labels: int | None = 1, fold: bool = False) -> None:
    """Print columns on a terminal with their styles; the first line of their heads is bold, the others are dim.

    Parameters
    ----------
    columns : sequence of TextColumn
        All with as many texts.
    labels : int or None
        First columns that are repeated in each panel; None for one panel.
    fold : bool
        Break the texts of the last column so that no line is wider than the terminal.
    """
    from rich.console import Console
    from rich.text import Text

    screen = Console(highlight=False, color_system=None if os.environ.get("NO_COLOR") else "auto")
    if fold and columns:
        columns = _folded(columns, screen.width)
    lines = [Text.assemble(*line) for line in _lines(columns, labels, screen.width) if line]
    for line in lines:
        line.rstrip()
    if lines:  # at once: a bar of progress makes way for them once
        screen.print(Text("\n").join(lines), soft_wrap=True)


def aligned(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, labels: int | None = None, width: int = 0
) -> list[str]:
    """Lines of a table as a terminal gets it.

    Parameters
    ----------
    head, rows, labels
        As `print_table` takes them.
    width : int
        Characters of a line. Panels are no wider, if one number fits beside the labels.

    Returns
    -------
    list of str
    """
    heads: list[tuple[str, ...]] = [(name,) for name in head] or [()] * len(rows[0] if rows else ())
    texts = list(zip(*rows, strict=True)) or [()] * len(heads)
    beside = len(heads) if labels is None else labels
    columns = [TextColumn(*both, number >= beside) for number, both in enumerate(zip(texts, heads, strict=True))]
    return ["".join(text for text, _style in line).rstrip() for line in _lines(columns, labels, width)]


def _lines(columns: Sequence[TextColumn], labels: int | None, width: int) -> Iterator[list[tuple[str, str]]]:
    """Lines of panels, an empty one between them: pairs of text and style."""
    beside = len(columns) if labels is None else labels
    widths = [max(map(_cells, (*column.heads, *column.texts)), default=0) for column in columns]
    first = beside
    while True:
        stop = first + 1
        room = width - sum(widths[:beside]) - len(GAP) * beside
        while stop < len(columns) and sum(widths[first : stop + 1]) + len(GAP) * (stop - first) <= room:
            stop += 1
        shown = [*range(min(beside, len(columns))), *range(first, min(stop, len(columns)))]
        yield from _panel([columns[number] for number in shown], [widths[number] for number in shown])
        if stop >= len(columns):
            return
        yield []
        first = stop


def _panel(columns, widths):
    """Lines of columns beside each other."""
    for number in range(max((len(column.heads) for column in columns), default=0)):
        style = "dim" if number else "bold"
        yield _line([(column.heads[number], style, column.right) for column in columns], widths)
    for number in range(max((len(column.texts) for column in columns), default=0)):
        cells = [(column.texts[number], column.styles[number] if column.styles else "", column.right)
                 for column in columns]  # fmt: skip
        yield _line(cells, widths)


def _line(cells, widths):
    parts = []
    for (text, style, right), width in zip(cells, widths, strict=True):
        blank = " " * (width - _cells(text))
        parts += [(blank, ""), (text, style)] if right else [(text, style), (blank, "")]
        parts.append((GAP, ""))
    return parts[:-1]


def _folded(columns, width):
    """Columns of which the last is broken into lines that fit beside the others."""
    *others, last = columns
    room = width - sum(max(map(_cells, column.texts), default=0) + len(GAP) for column in others)
    if room < LEAST:
        return columns
    pieces = [textwrap.wrap(text, room) or [""] for text in last.texts]

    def spread(values, fill):
        return [
            line for value, parts in zip(values, pieces, strict=True) for line in (value, *[fill] * (len(parts) - 1))
        ]

    made = [column._replace(texts=spread(column.texts, ""), styles=column.styles and spread(column.styles, ""))
            for column in others]  # fmt: skip
    return [*made, last._replace(texts=[line for parts in pieces for line in parts])]


def _cells(text: str) -> int:
    """Cells of a terminal that a text takes: letters of East Asia take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
