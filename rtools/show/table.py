"""Tables of text: aligned on a terminal, in as many panels as its width asks for; tab-separated in a pipe."""

import shutil
import sys

__all__ = ["aligned", "print_table"]


def print_table(head, rows, *, labels=1, title=None):
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


def aligned(head, rows, *, labels=None, width=0):
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
    columns = list(zip(*([head] if head else []), *rows, strict=True))
    labels = len(columns) if labels is None else labels
    widths = [max(map(len, column)) for column in columns]
    lines, first = [], labels
    while True:
        stop = first + 1
        room = width - sum(widths[:labels]) - 2 * labels
        while stop < len(columns) and sum(widths[first : stop + 1]) + 2 * (stop - first) <= room:
            stop += 1
        for row in zip(*columns, strict=True):
            words = [text.ljust(size) for text, size in zip(row[:labels], widths[:labels], strict=True)]
            words += [text.rjust(size) for text, size in zip(row[first:stop], widths[first:stop], strict=True)]
            lines.append("  ".join(words).rstrip())
        if stop >= len(columns):
            return lines
        lines.append("")
        first = stop
