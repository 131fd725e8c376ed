"""What a file of JWST is and what happened to it, in the same form as `rtools.show.info.describe`. Headers only."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from rtools.jwst import SUFFIXES, Making, kind_of_columns, making_of, product_layout, steps_in_order
from rtools.products.jwst import JwstHdu, JwstProduct, model_state, model_tree, open_jwst, read_column
from rtools.products.tables.metadata import Table
from rtools.wfi.fill import NOT_APPLICABLE
from rtools.wfi.metadata import get

__all__ = ["describe_fits", "table_facts"]

SPECTRA = {"EXTRACT1D": "WAVELENGTH", "COMBINE1D": "WAVELENGTH", "OI_WAVELENGTH": "EFF_WAVE", "WCS-TABLE": "wavelength"}
"""EXTNAME of tables with wavelengths, and the column that has them."""

UNITS = {"OI_WAVELENGTH": "m", "WCS-TABLE": "um"}
"""Of wavelengths in tables that need not say it."""

NAMED = re.compile(r"jw\d{5}(?:(-)|\d{6}_)")
"""How names of products begin: those of several exposures have a hyphen after the programme."""

ONE_TABLE = ("x1d", "x1dints", "c1d")
"""Kinds whose data are tables of one sort; of the others tables go with images, or several sorts belong together."""


def describe_fits(path: str | Path) -> dict[str, Any]:
    """Everything that is shown of a FITS file of JWST.

    Parameters
    ----------
    path : str or Path
        A product, a reference file, or another FITS file with ``TELESCOP = 'JWST'``.

    Returns
    -------
    dict
        As `rtools.show.info.describe` has it, but for what that adds to every file. In addition ``mission``, ``title``,
        ``stage``, ``maker`` and ``model`` (what it is), ``tables`` (a list as ``arrays``, with ``rows`` and
        ``columns``), ``spectra`` (extension, rows, slit, source, order and range of wavelengths), ``slits`` (of sets of
        images) and ``asdf`` (a `ModelState` as a dict). ``layout`` of an array or table is ``required``, ``optional``
        or None where such a product has none.

    Raises
    ------
    InputError
        It cannot be read.
    """
    product = open_jwst(path, others=True)
    primary = product.hdus[0].values
    tree = model_tree(product)
    tables = [_table(product, hdu) for hdu in product.hdus if hdu.is_table and hdu.name != "ASDF"]
    told = _identity(product.kind, _of_exposure(product)) | {
        "model": primary.get("DATAMODL"),
        "written_by": _software(primary),
        "arrays": [_array(product, name) for name in product.arrays],
        "tables": tables,
        "spectra": [_spectrum(product, hdu) for hdu in product.hdus if hdu.name in SPECTRA],
        "slits": _slits(product),
        "asdf": model_state(product)._asdict(),
        "steps": _steps(get(tree, "meta.cal_step")),
        "references": _references(get(tree, "meta.ref_file")),
        "history": product.history,
        "logs": _logs(tree.get("cal_logs")),
        "tree": tree,
    }
    if product.kind in ONE_TABLE:
        main = [one for one in tables if one["name"] in SPECTRA]
        told |= {"rows": sum(one["rows"] for one in main), "columns": main[0]["columns"] if main else []}
        told["compression"] = "none"
    return told


def table_facts(table: Table) -> dict[str, Any]:
    """What the columns of an ECSV table say of a product of JWST.

    Parameters
    ----------
    table : rtools.products.tables.metadata.Table
        As it was read.

    Returns
    -------
    dict
        ``mission``, ``kind``, ``title``, ``stage`` and ``maker``; empty for any other table.
    """
    kind = None if table.kind else kind_of_columns(column.name for column in table.columns)
    return _identity(kind, of_exposure=False) if kind else {}


def _identity(kind, of_exposure):
    known = making_of(kind, of_exposure=of_exposure) if kind in SUFFIXES else Making(None, None, None)
    return {"mission": "jwst", "kind": kind, **known._asdict()}


def _of_exposure(product):
    """Whether a product is of one exposure: its name says it, the name that it had, or what was done to it."""
    primary = product.hdus[0].values
    for name in (product.path.name, str(primary.get("FILENAME") or "")):
        if found := NAMED.match(name):
            return found[1] is None
    combined = primary.get("NDRIZ", 1)
    return "S_OUTLIR" not in primary and not (isinstance(combined, int) and combined > 1)


def _software(primary):
    version = str(primary.get("CAL_VER") or "").strip()
    return version if not version or version[:1].isalpha() else f"jwst {version}"


def _layout_of(kind, name):
    """Whether a product must have an HDU, may have it, or has none such (None, as for all that are no products)."""
    found = product_layout(kind).hdu(name) if kind in SUFFIXES else None
    return None if found is None else "optional" if found.optional else "required"


def _array(product: JwstProduct, name: str) -> dict[str, Any]:
    info, hdu = product.arrays[name], product.hdu(name)
    return {
        "name": name,
        "dtype": info.dtype.name,
        "shape": list(info.shape),
        "unit": info.unit,
        "compression": "none",
        "bytes": info.nbytes,
        "stored": hdu.size,
        "extension": f"{hdu.name},{hdu.version}",
        "hdu": hdu.number,
        "layout": _layout_of(product.kind, hdu.name),
    }


def _table(product: JwstProduct, hdu: JwstHdu) -> dict[str, Any]:
    return {
        "name": hdu.name,
        "rows": hdu.rows,
        "columns": [vars(column) for column in hdu.columns],
        "bytes": hdu.size,
        "extension": f"{hdu.name},{hdu.version}",
        "hdu": hdu.number,
        "layout": _layout_of(product.kind, hdu.name),
    }


def _spectrum(product: JwstProduct, hdu: JwstHdu) -> dict[str, Any]:
    """Of which source and order a table is, and from which wavelength to which; of integrations the first is read."""
    column = SPECTRA[hdu.name]
    first = slice(1) if product.kind == "x1dints" else slice(None)
    waves = read_column(product.path, hdu, column, first)
    good = waves[np.isfinite(waves) & (waves > 0)] if waves is not None else ()
    unit = next((one.unit for one in hdu.columns if one.name.upper() == column.upper()), None) or UNITS.get(hdu.name)
    return _source(hdu) | {
        "rows": hdu.rows,
        "wavelengths": [float(np.min(good)), float(np.max(good))] if len(good) else None,
        "unit": unit,
    }


def _source(hdu: JwstHdu) -> dict[str, Any]:
    return {
        "extension": f"{hdu.name},{hdu.version}",
        "slit": hdu.values.get("SLTNAME"),
        "source": hdu.values.get("SOURCEID"),
        "source_type": hdu.values.get("SRCTYPE"),
        "order": hdu.values.get("SPORDER"),
    }


def _slits(product):
    """Slits, sources or orders whose images a file holds in sets, one for each; none where it holds one set."""
    images = [hdu for hdu in product.hdus if hdu.name == "SCI"]
    return [_source(hdu) for hdu in images] if len(images) > 1 else []


def _steps(recorded):
    recorded = recorded if isinstance(recorded, dict) else {}
    return [{"step": name, "status": str(recorded[name])} for name in steps_in_order(recorded)]


def _references(recorded):
    """Type to name of each reference that was used; not the context."""
    blocks = recorded.items() if isinstance(recorded, dict) else ()
    named = {kind: block.get("name") for kind, block in blocks if isinstance(block, dict) and kind != "crds"}
    return {kind: name for kind, name in named.items() if name not in (None, "", NOT_APPLICABLE)}


def _logs(recorded):
    """Lines of the logs: of each step or pipeline one after another."""
    parts = recorded.values() if isinstance(recorded, dict) else [recorded] if recorded else []
    lines = [part.splitlines() if isinstance(part, str) else part for part in parts]
    return [str(line) for part in lines if isinstance(part, list) for line in part]
