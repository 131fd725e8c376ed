"""Files of any kind: which form a file has, what stands in its tree, and its history.

Of an ASDF file only the header is read, without asdf and numpy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtools.errors import InputError
from rtools.products.schema import keys
from rtools.products.schema.yamltext import bounded
from rtools.remote import parts

if TYPE_CHECKING:
    from rtools.products.io.product import Product

__all__ = ["embedded", "form_of", "history_of", "is_asdf", "read_json", "read_tree"]

MARKS = {b"#ASDF": "asdf", b"PAR1": "parquet", b"# %ECSV": "ecsv", b"SIMPLE  =": "fits"}
"""First bytes of the forms of files that have metadata; JSON begins with a brace."""


def form_of(path: str | Path) -> str:
    """``asdf``, ``parquet``, ``ecsv``, ``fits`` or ``json``, by the first bytes.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    str
        The word.

    Raises
    ------
    InputError
        Missing, a directory, unreadable, empty, or none of these.
    """
    head = _first_bytes(path)
    for mark, form in MARKS.items():
        if head.startswith(mark):
            return form
    if head.lstrip()[:1] == b"{":
        return "json"
    table = b"<VOTABLE" in head or str(path).lower().endswith(".csv")
    raise InputError(
        "neither ASDF, parquet, ECSV, FITS nor JSON", mend="rt-table prints tables" if table else None, path=path
    )


def is_asdf(path: str | Path) -> bool:
    """Whether a file begins as ASDF does.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    bool
        False for a file of any other form.

    Raises
    ------
    InputError
        Missing, a directory, unreadable or empty.
    """
    return _first_bytes(path).startswith(b"#ASDF")


def _first_bytes(path):
    try:
        with parts.open_parts(path) as file:
            head = file.read(512)
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else (error.strerror or str(error)).lower()
        raise InputError(reason, path=path) from None
    if not head:
        raise InputError("an empty file", path=path)
    return head


def read_tree(path: str | Path) -> dict[str, Any]:
    """What a file says below ``roman`` (a file that is not a Roman product: all of it), as read from its header.

    Parameters
    ----------
    path : str or Path
        A file of any form that has metadata.

    Returns
    -------
    dict
        Nodes keep their tags; `bare` takes them off.

    Raises
    ------
    InputError
        The file is damaged or has no metadata.
    """
    form = form_of(path)
    if form == "json":
        return read_json(path)
    if form == "fits":
        with embedded(path) as product:
            if product is not None:
                return product.tree
    if form != "asdf":
        from rtools.products.tables.metadata import read_table

        return read_table(path, form).tree
    from rtools.products.io.header import read_header

    tree = read_header(path)[0]
    return tree["roman"] if isinstance(tree.get("roman"), dict) else tree


def history_of(path: str | Path) -> list[dict[str, Any]]:
    """What was done to a file, as it says itself: entries, oldest first; none where it has no history.

    Parameters
    ----------
    path : str or Path
        An ASDF file, or a parquet or ECSV catalog.

    Returns
    -------
    list of dict
        Plain values.

    Raises
    ------
    InputError
        The file is damaged, or of a form that has no history.
    """
    form = form_of(path)
    if form == "asdf":
        from rtools.products.io.header import read_header

        told = read_header(path)[1].get("history") or {}
        return keys.bare(told.get("entries") or [] if isinstance(told, dict) else told)
    if form in ("parquet", "ecsv"):
        from rtools.products.tables.metadata import read_table

        return read_table(path, form).history
    raise InputError("a file without a history", path=path)


@contextmanager
def embedded(path: str | Path) -> Iterator[Product | None]:
    """The product in a FITS file of rt-fits; None for a FITS file without one.

    Parameters
    ----------
    path : str or Path
        The FITS file.

    Returns
    -------
    Product or None
        Opened while the context lasts; its arrays that are images have string sources.

    Raises
    ------
    InputError
        It is not FITS, or damaged.
    """
    from rtools.products.fits import read as fits_read

    with fits_read.open_fits(path) as hdus:
        if "ASDF" not in hdus:
            yield None
            return
        with fits_read.embedded(path, hdus) as product:
            yield product


def read_json(path: str | Path) -> dict[str, Any]:
    """The object of a JSON file.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict
        The object.

    Raises
    ------
    InputError
        It cannot be read, is not JSON, or holds no object.
    """
    try:
        with open(path, encoding="utf-8") as file:
            content = bounded(json.load(file))
    except OSError as error:
        raise InputError((error.strerror or str(error)).lower(), path=path) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON ({' '.join(str(error).split())})", path=path) from None
    if not isinstance(content, dict):
        raise InputError("a JSON file without an object", path=path)
    return content
