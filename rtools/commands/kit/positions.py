"""Positions as tools take them: ``--at X,Y``, ``--sky RA,DEC``, lists of either, and tables.

A tool takes the options with `at`, `sky` and `table`, or all of them with `positions`, and hands on what it was given
to `read_positions`. `pixels_of` makes pixels of an opened product of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click

from rtools.commands.kit.inputs import local_path
from rtools.commands.kit.lists import lines_of
from rtools.errors import InputError, UsageError, about

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from rtools.products.io.face import ProductFace

__all__ = ["Positions", "at", "pixels_of", "positions", "read_positions", "sky", "sky_option", "table"]

at = click.option(
    "--at",
    multiple=True,
    allow_from_autoenv=False,
    metavar="X,Y",
    help="A place in pixels of the file, from 0, centres whole; repeatable; @FILE or @- is a list.",
)


def sky_option(*aliases: str) -> Callable[..., Any]:
    """The option ``--sky``.

    Parameters
    ----------
    *aliases : str
        Further words for it.

    Returns
    -------
    callable
        Decorates a command, which is called with `sky`.
    """
    return click.option(
        "--sky",
        *aliases,
        "sky",
        multiple=True,
        allow_from_autoenv=False,
        metavar="RA,DEC",
        help="A position in degrees, or sexagesimal with RA in hours; repeatable; @FILE or @- is a list.",
    )


sky = sky_option()

table = click.option(
    "--table",
    allow_from_autoenv=False,
    metavar="FILE",
    help="The positions of a table: a catalog of any form with columns of RA and Dec.",
)


def positions(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command with the three options that say positions.

    Parameters
    ----------
    function : callable
        The command; it is called with `at`, `sky` and `table`.

    Returns
    -------
    callable
        The command with the options.
    """
    return at(sky(table(function)))


class Positions(NamedTuple):
    """Positions that were asked for.

    Attributes
    ----------
    frame : str
        ``sky`` or ``pixel``.
    first, second : ndarray float64
        Right ascension and declination in degrees, or x and y in pixels of the file, from 0.
    names : tuple of str
        How each is called: its name in a list or a table, else as it was typed; empty where a row has none.
    ids : ndarray
        The same as the table has them, to join on; masked where a row has none.
    id_name : str
        The column of the ids in the table, ``label``; ``position`` where there is no table.
    """

    frame: str
    first: np.ndarray
    second: np.ndarray
    names: tuple[str, ...]
    ids: np.ndarray
    id_name: str

    def __len__(self) -> int:
        return len(self.first)  # not the number of fields


IDS = ("source_id", "label", "id", "designation", "name", "number")
"""Columns that name the rows of a table, in small letters; the first that is there is taken."""


def read_positions(at: Sequence[str] = (), sky: Sequence[str] = (), table: str | None = None) -> Positions | None:
    """The positions that options say.

    Parameters
    ----------
    at, sky : sequence of str
        As they are typed, or ``@FILE``.
    table : str, optional
        A table.

    Returns
    -------
    Positions or None
        None where nothing is given.

    Raises
    ------
    UsageError
        More than one kind is given, a text is no position, or a list is empty.
    InputError
        A list or the table cannot be read, or the table has no positions.
    """
    given = [word for word, value in (("--at", at), ("--sky", sky), ("--table", table)) if value]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} do not go together", mend="give positions in one way")
    if table:
        return _of_table(table)
    if not given:
        return None
    import numpy as np

    from rtools.astrometry.positions import parse_pixel, parse_position

    parse = parse_pixel if at else parse_position
    texts, named = zip(*_texts(at or sky, given[0]), strict=True)
    names = tuple(name or text for text, name in zip(texts, named, strict=True))
    names = names if len(set(names)) == len(names) else texts  # a third column that is no name
    first, second = np.array([parse(text) for text in texts]).T
    return Positions("pixel" if at else "sky", first, second, names, np.array(names), "position")


def _texts(words, option):
    """Positions as text with their names, those of lists among them."""
    from rtools.astrometry.positions import split_line, split_pixels

    split = split_pixels if option == "--at" else split_line
    found: list[tuple[str, str]] = []
    for word in words:
        found += [split(line) for line in lines_of(word[1:])] if word.startswith("@") else [(word, "")]
    if not found:
        raise UsageError(f"the list of {option} is empty")
    return found


def _of_table(path):
    """Positions of the rows of a table."""
    import numpy as np

    from rtools.products.tables import read_catalog
    from rtools.products.tables.positions import read_positions as positions_of

    rows = read_catalog(local_path(path))
    with about(path):
        ra, dec, _names = positions_of(rows)
        if not len(rows):
            raise InputError("the table has no rows")
    column = next((rows.colnames[names.index(one)] for names in [[name.lower() for name in rows.colnames]]
                   for one in IDS if one in names), None)  # fmt: skip
    ids = np.arange(1, len(rows) + 1) if column is None else np.ma.asanyarray(rows[column])
    ids = ids.view(np.ma.MaskedArray) if np.ma.is_masked(ids) else np.asarray(ids)
    names = tuple("" if one is None else str(one) for one in ids.tolist())  # None where a value is masked
    return Positions("sky", ra, dec, names, ids, column or "row")


def pixels_of(positions: Positions, product: ProductFace, wcs: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """Positions as pixels of an opened product.

    Parameters
    ----------
    positions : Positions
        Of `read_positions`.
    product : rtools.products.io.ProductFace
        Opened; its coordinates are looked for beside it where it has none.
    wcs : optional
        The coordinates of its pixels, where they are known.

    Returns
    -------
    x, y : ndarray float64
        Pixels of the file, from 0, centres whole; beyond the edges, too. NaN where a position has no pixel.

    Raises
    ------
    InputError
        The product has no place on the sky, and positions on the sky are asked for.
    """
    if positions.frame == "pixel":
        return positions.first, positions.second
    from rtools.astrometry.pixels import sky_to_pixels
    from rtools.products.edit.wcs import load_wcs

    return sky_to_pixels(load_wcs(product) if wcs is None else wcs, positions.first, positions.second)
