"""Files of any kind: which form a file has, what stands in its tree, and its history.

Of an ASDF file only the header is read, without asdf and numpy.
"""

import json
from contextlib import contextmanager

from rtools.errors import InputError
from rtools.products.schema import keys

__all__ = ["embedded", "form_of", "history_of", "is_asdf", "read_json", "read_tree"]

MARKS = {b"#ASDF": "asdf", b"PAR1": "parquet", b"# %ECSV": "ecsv", b"SIMPLE  =": "fits"}
"""First bytes of the forms of files that have metadata; JSON begins with a brace."""


def form_of(path):
    """``asdf``, ``parquet``, ``ecsv``, ``fits`` or ``json``, by the first bytes.

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


def is_asdf(path):
    """Whether a file begins as ASDF does; raises as `form_of` for one that cannot be read."""
    return _first_bytes(path).startswith(b"#ASDF")


def _first_bytes(path):
    try:
        with open(path, "rb") as file:
            head = file.read(512)
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else (error.strerror or str(error)).lower()
        raise InputError(reason, path=path) from None
    if not head:
        raise InputError("an empty file", path=path)
    return head


def read_tree(path):
    """What a file says below ``roman`` (a file that is not a Roman product: all of it), as read from its header.

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


def history_of(path):
    """What was done to a file, as it says itself: entries, oldest first; none where it has no history.

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
def embedded(path):
    """The product in a FITS file of rt-fits, whose arrays that are images have string sources; None without one."""
    from rtools.products.fits import read as fits_read

    with fits_read.open_fits(path) as hdus:
        if "ASDF" not in hdus:
            yield None
            return
        with fits_read.embedded(path, hdus) as product:
            yield product


def read_json(path):
    """The object of a JSON file."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except OSError as error:
        raise InputError((error.strerror or str(error)).lower(), path=path) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON ({' '.join(str(error).split())})", path=path) from None
    if not isinstance(content, dict):
        raise InputError("a JSON file without an object", path=path)
    return content
