"""Which way two files are compared: as products of Roman, as products of JWST, or as catalogs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from rtools.errors import InputError, UsageError
from rtools.products.edit.catalog_comparison import CatalogDifferences, compare_catalogs
from rtools.products.edit.comparison import compare_products
from rtools.products.edit.jwst_comparison import compare_jwst
from rtools.products.forms import is_asdf
from rtools.products.io import open_product
from rtools.products.io.foreign import is_jwst
from rtools.products.opening import open_any

__all__ = ["FileDifferences", "compare_files"]


class FileDifferences(NamedTuple):
    """What differs between two files.

    Attributes
    ----------
    metadata, arrays : list of dict
        As `rtools.products.edit.comparison.compare_products` gives them.
    what : str
        ``array`` or ``column``: what `arrays` are of.
    mission : str
        Whose names the flags have.
    catalogs : CatalogDifferences or None
        Of catalogs, with their tables and which rows belong together.
    """

    metadata: list[dict[str, Any]]
    arrays: list[dict[str, Any]]
    what: str
    mission: str
    catalogs: CatalogDifferences | None = None


def compare_files(
    first: str | Path, second: str | Path, *, matching: dict[str, Any] | None = None, **settings: Any
) -> FileDifferences:
    """Compare two files.

    Parameters
    ----------
    first, second : str or Path
        ASDF files, FITS files of JWST, or catalogs of any form that `rt-table` reads.
    matching : dict, optional
        Of catalogs, ``match`` and ``radius`` as `rtools.products.edit.catalog_comparison.compare_catalogs` takes them.
    **settings
        As `rtools.products.edit.comparison.compare_products`.

    Returns
    -------
    FileDifferences

    Raises
    ------
    InputError
        One cannot be read, or they are not of the same mission.
    UsageError
        `matching` says how rows are matched, but these are no catalogs.
    """
    if any(is_jwst(path) or is_asdf(path) for path in (first, second)) and matching:
        raise UsageError("--match and --radius are about catalogs", path=first)
    if any(map(is_jwst, (first, second))):
        return _compare_jwst(first, second, settings)
    if any(map(is_asdf, (first, second))):
        with open_product(first, others=True) as one, open_product(second, others=True) as two:
            return FileDifferences(*compare_products(one, two, **settings), "array", "roman")
    found = compare_catalogs(first, second, **settings, **(matching or {}))
    return FileDifferences(found.metadata, found.columns, "column", "roman", found)


def _compare_jwst(first, second, settings):
    with open_any(first, others=True) as one, open_any(second, others=True) as two:
        for mine, other in ((one, two), (two, one)):
            if mine.mission != "jwst":
                raise InputError(f"is not a product of JWST, as {other.path} is", path=mine.path)
            if mine.form != "fits":
                raise InputError(f"is a table in ECSV, but {other.path} is FITS", path=mine.path)
        return FileDifferences(*compare_jwst(one, two, **settings), "array", "jwst")
