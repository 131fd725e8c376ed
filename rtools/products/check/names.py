"""What a file is called: against the archive's grammar, the kind of product, and what the metadata say."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rtools.errors import with_article
from rtools.findings import Finding, error, info, warning
from rtools.products import names
from rtools.products.schema import layout
from rtools.products.schema.nodes import readable
from rtools.wfi.fill import FILL_STRING

__all__ = ["check_name"]

WHERE = "file name"

MEANT = re.compile(r"r\d{5,}|roman_wfi_", re.IGNORECASE)
"""How names begin that are meant to be those of the archive."""


def check_name(path: str | Path, kind: str, meta: Mapping[str, Any]) -> list[Finding]:
    """Findings about a file name.

    Parameters
    ----------
    path : str or Path
        The file; only its name is looked at.
    kind : str
        Of the product; ``catalog`` or ``reference`` for any of these.
    meta : mapping
        Below ``roman.meta``.

    Returns
    -------
    list of Finding
    """
    base = os.path.basename(path)
    suffix = names.split_suffix(base)[1]
    known = ("cat",) if kind == "catalog" else () if kind == "reference" else layout.suffixes(kind)
    if suffix is not None and known and suffix not in known:  # X_flat.asdf may be the reference itself
        wanted = f"{with_article(kind)} is called {' or '.join(f'_{word}' for word in known)}"
        return [error("name", WHERE, f"the suffix is _{suffix}, but {wanted}")]
    if kind == "reference":
        return list(_filename(base, meta))
    try:
        name = names.parse(base, forms=("name",), mission="roman")
    except names.InvalidName as problem:
        about = info("name", WHERE, "not a name of the archive")
        if MEANT.match(base):
            about = warning("name", WHERE, f"not a name of the archive: {problem.message}")
        return [*_filename(base, meta), about]
    return [
        *(warning("name", WHERE, remark) for remark in names.remarks(name)),
        *(_disagreement(line) for line in names.disagreements(name, meta)),
    ]


def _filename(base, meta):
    """The name that the file gives itself, where the base name has no grammar."""
    stated = meta.get("filename")
    if stated not in (None, "", FILL_STRING, readable(base)):
        yield warning("name", "meta.filename", f"{stated}, but the file is {base}")


def _disagreement(line):
    where, _, message = line.partition(" is ")
    return warning("name", where, message)
