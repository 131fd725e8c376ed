"""What every JWST product holds: typed access to products.json.

The table follows the documentation of the JWST products, and says of each item where it is from. Axes in it are in the
order of FITS; here shapes are in the order of NumPy, slowest first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rtools.errors import UsageError

__all__ = ["SEVERAL_TABLES", "SUFFIXES", "ColumnLayout", "HduLayout", "ProductLayout", "facts", "product_layout"]

SUFFIXES = (
    "uncal", "ramp", "rate", "rateints", "bsub", "bsubints", "cal", "calints", "crf", "crfints", "i2d", "s2d", "s3d",
    "x1d", "x1dints", "c1d", "cat", "segm", "phot", "whtlt", "psfstack", "psfalign", "psfsub", "ami-oi", "amimulti-oi",
    "amilg", "aminorm-oi",
)  # fmt: skip
"""Suffixes of the products, which are the names of their kinds, in the order in which they are made."""

AXIS = re.compile(r"(?P<symbol>[a-z_]+)(?:/(?P<divisor>\d+))?")
"""An axis: a symbol, perhaps divided by a number (``ncols/4``)."""


SEVERAL_TABLES = ("x1d", "x1dints", "c1d")
"""Products whose table comes once for each source, order or exposure, or, in older releases, integration."""


@dataclass(frozen=True)
class ColumnLayout:
    """One column of a table.

    Attributes
    ----------
    name : str
        As TTYPE has it.
    dtype : str
        As numpy names it; ``bool`` for a logical one, ``S16`` for 16 characters, ``SkyCoord`` for two columns.
    cell : tuple of int or str
        Shape of one cell, slowest first; symbols for lengths that the file decides; empty for a single value.
    unit : str or None
        As TUNIT has it.
    """

    name: str
    dtype: str
    cell: tuple[int | str, ...]
    unit: str | None


@dataclass(frozen=True)
class HduLayout:
    """One HDU after the primary one.

    Attributes
    ----------
    name : str
        Its EXTNAME.
    is_table : bool
        A binary table; an image otherwise.
    dtypes : tuple of str
        Types that an image may have, the preferred one first; none for a table.
    shapes : tuple of tuple
        Shapes that an image may have, slowest axis first, the preferred one first: symbols or quotients of them.
    unit : str or None
        Of an image; in words where it is not one unit.
    optional : bool
        Whether a file may lack it.
    columns : tuple of ColumnLayout
        Of a table whose columns are known.
    rows : int or str or None
        Of a table: their number, or what it is in words.
    """

    name: str
    is_table: bool
    dtypes: tuple[str, ...]
    shapes: tuple[tuple[str, ...], ...]
    unit: str | None
    optional: bool
    columns: tuple[ColumnLayout, ...]
    rows: int | str | None

    def shape(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The preferred shape with numbers for its symbols.

        Parameters
        ----------
        sizes : mapping of str to int
            Number for each symbol: ``ncols``, ``nrows``, ``ngroups``, ``nints``, ``nplanes``, ``nwaves``, ``npsfs``.

        Returns
        -------
        tuple of int
            Slowest axis first; a quotient is rounded down.
        """
        found = [AXIS.fullmatch(axis) for axis in self.shapes[0]]
        return tuple(sizes[one["symbol"]] // int(one["divisor"] or 1) for one in found if one)


@dataclass(frozen=True)
class ProductLayout:
    """One product.

    Attributes
    ----------
    suffix : str
        Of its file names, and the name of its kind.
    title : str
        What it is, in words.
    form : str
        ``fits`` or ``ecsv``.
    stages : tuple of int
        Of the pipeline, where it is made.
    models : tuple of str
        What DATAMODL may say; none for ECSV.
    hdus : tuple of HduLayout
        After the primary one, which has no data; none for ECSV.
    columns : tuple of ColumnLayout
        Of an ECSV table.
    repeats : bool
        Whether its HDUs may come in several sets, EXTVER 1 to N, one for each source, slit, order or exposure.
    variants : mapping of str to tuple of ColumnLayout
        Further columns that tables of some modes have.
    """

    suffix: str
    title: str
    form: str
    stages: tuple[int, ...]
    models: tuple[str, ...]
    hdus: tuple[HduLayout, ...]
    columns: tuple[ColumnLayout, ...]
    repeats: bool
    variants: Mapping[str, tuple[ColumnLayout, ...]]

    @property
    def required(self) -> tuple[str, ...]:
        """EXTNAMEs that no file lacks."""
        return tuple(hdu.name for hdu in self.hdus if not hdu.optional)

    def hdu(self, name: str) -> HduLayout | None:
        """The HDU of a name, None where the layout has none.

        Parameters
        ----------
        name : str
            An EXTNAME.
        """
        return next((hdu for hdu in self.hdus if hdu.name == name), None)


@cache
def facts() -> dict[str, Any]:
    """products.json as it is.

    Returns
    -------
    dict
        The parsed file, read once; not to be changed.
    """
    return json.loads(Path(__file__).with_name("products.json").read_text(encoding="utf-8"))


@cache
def product_layout(suffix: str) -> ProductLayout:
    """The layout of a product.

    Parameters
    ----------
    suffix : str
        One of `SUFFIXES`.

    Returns
    -------
    ProductLayout

    Raises
    ------
    UsageError
        There is no such product.
    """
    if suffix not in SUFFIXES:
        raise UsageError(f"no JWST product is called {suffix}", mend=f"there are {' '.join(SUFFIXES)}")
    entry = facts()[suffix]
    form = "ecsv" if entry["format"].startswith("ECSV") else "fits"
    variants = entry.get("variants", {})
    return ProductLayout(
        suffix,
        entry["title"],
        form,
        tuple(int(digit) for digit in re.findall(r"\d", str(entry["producer"]["stage"]))),
        tuple(re.findall(r"\b\w+Model\b", _models(entry["datamodel_seed"]))),
        tuple(_hdu(one) for one in entry["hdus"] or () if one["hdu_type"] != "primary"),
        tuple(_column(one) for one in entry.get("table", {}).get("columns", ())),
        "multi_extver" in entry,
        {mode: tuple(_column(one) for one in told["extra_columns"]) for mode, told in variants.items()},
    )


def _models(text):
    """What the table says of data models, without what other model can read the file."""
    return re.sub(r"\(readable as [^)]*\)", "", text)


def _hdu(entry):
    image = entry["hdu_type"] == "IMAGE"
    shapes = [entry.get("dims_fits") or entry.get("dims"), entry.get("dims_alt")] if image else []
    dtypes = [entry["dtype"], entry.get("dtype_current")] if image else []
    return HduLayout(
        entry["extname"],
        not image,
        tuple(dtype for dtype in dtypes if dtype),
        tuple(tuple(reversed(axes)) for axes in shapes if axes),
        entry.get("unit"),
        entry["optional"],
        tuple(_column(one) for one in entry.get("columns") or ()),
        entry.get("rows"),
    )


def _column(entry):
    """A column: ``float64[44]``, ``ascii16``, ``logical (…)``, or a type beside ``cell: vector``."""
    told = str(entry["dtype"]).partition(" ")[0]
    base, _, length = told.rstrip("]").partition("[")
    cell = (int(length) if length.isdigit() else length,) if length else ()
    if entry.get("cell") == "vector":
        cell = ("nwaves",)
    base = {"int": "int32", "logical": "bool"}.get(base, base)
    return ColumnLayout(entry["name"], re.sub(r"^ascii(\d+)$", r"S\1", base), cell, entry["unit"])
