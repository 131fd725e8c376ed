"""Catalogs as text: panels of columns on a terminal, tab-separated lines in a pipe, plain values for JSON."""

import os
import sys

import numpy as np

__all__ = ["plain_rows", "print_catalog"]

ROWS = 20
"""Rows that a terminal gets unless more are asked for."""

GAP = 2


def print_catalog(table, title, *, rows=None, note=None):
    """Print a catalog on standard output.

    Parameters
    ----------
    table : astropy.table.Table
    title : str
        Line above it on a terminal.
    rows : int, optional
        That were asked for; on a terminal some, else all by default.
    note : callable, optional
        Takes a text if there are more rows than are shown.
    """
    if not sys.stdout.isatty():
        sys.stdout.write("\t".join(table.colnames) + "\n")
        columns = [[_exact(value) for value in table[name]] for name in table.colnames]
        sys.stdout.writelines("\t".join(row) + "\n" for row in zip(*columns, strict=True))
        return
    from rich.console import Console

    shown = table if rows is not None else table[:ROWS]
    screen = Console(highlight=False, color_system=None if os.environ.get("NO_COLOR") else "auto")
    screen.print(f"{title}: {len(table)} rows, {len(table.colnames)} columns", markup=False, soft_wrap=True)
    for panel in _panels(shown, screen.width):
        screen.print(panel)
    if len(shown) < len(table) and note is not None:
        note(f"the first {len(shown)} of {len(table)} rows; --head says how many")


def _panels(table, width):
    """Tables no wider than the terminal, each led by the first column."""
    from rich.table import Table as RichTable

    columns = [_Column(table, name) for name in table.colnames]
    first, rest = columns[:1], columns[1:]
    while first:
        panel, room = [*first], width - first[0].width
        while rest and (len(panel) == 1 or rest[0].width + GAP <= room):
            room -= rest[0].width + GAP
            panel.append(rest.pop(0))
        made = RichTable(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold")
        for column in panel:
            made.add_column(column.head, justify=column.justify, no_wrap=True)
        for row in zip(*(column.texts for column in panel), strict=True):
            made.add_row(*row)
        yield made
        if not rest:
            return


class _Column:
    """Texts of a column, its head of two lines, and how wide they are."""

    def __init__(self, table, name):
        from rich.text import Text

        column = table[name]
        texts = [_short(value, column.unit) for value in column]
        lines = name, "" if column.unit is None else str(column.unit)
        self.width = max(map(len, (*texts, *lines)))
        self.head = Text("\n".join(lines))
        self.head.stylize("dim", len(name))
        self.texts = [Text(text) for text in texts]
        self.justify = "right" if column.dtype.kind in "iuf" else "left"


def _short(value, unit):
    if isinstance(value, np.floating | float):
        return f"{value:.6f}" if str(unit) == "deg" else f"{value:.5g}"
    return _exact(value)


def _exact(value):
    """A value so that it reads back as it is."""
    if value is np.ma.masked:
        return ""
    if isinstance(value, np.ndarray):
        return " ".join(map(str, value.tolist()))
    return str(value).replace("\t", " ").replace("\n", " ")


def plain_rows(table):
    """Rows as dicts of plain values; None for what is not known."""
    columns = [_plain_values(table[name]) for name in table.colnames]
    return [dict(zip(table.colnames, row, strict=True)) for row in zip(*columns, strict=True)]


def _plain_values(column):
    values = column.astype(str).tolist() if column.dtype.kind == "c" else column.tolist()
    if column.dtype.kind == "f" and column.ndim == 1:
        return [float(str(one)) if np.isfinite(one) else None for one in np.asarray(column)]
    return values
