"""A JWST product that did not exist: arrays, tables and metadata become a file as the mission writes it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rtools import __version__
from rtools.errors import UsageError
from rtools.jwst.kinds import kind_of_columns
from rtools.jwst.layout import product_layout
from rtools.jwst.models import MEMBERS, node_of_hdu
from rtools.products.fits import pixel_types
from rtools.products.fits.hdu_headers import image_header
from rtools.products.fits.keywords import ascii_text
from rtools.products.io import Stage
from rtools.products.jwst.agreement import card_into_tree, leaves, set_card, set_values
from rtools.products.jwst.assembly import (
    FilePart,
    array_node,
    headers_hash,
    image_part,
    table_part,
    tree_part,
    write_parts,
)
from rtools.products.jwst.content import AsdfContent
from rtools.products.jwst.demands import NewHdu, fitting_hdus, fitting_table
from rtools.products.jwst.oifits import oifits_meta
from rtools.products.jwst.past import add_history, settled
from rtools.products.schema.history import stamp

__all__ = ["new_part", "new_parts", "parts_of_new", "stage_new"]

FIRST = ("date", "filename", "calibration_software_version", "model_type", "telescope", "origin", "program")
"""Metadata whose keywords come first in the primary header."""

GROUPS = ("observation", "visit", "target", "instrument", "exposure", "subarray", "ref_file", "cal_step")
"""Groups of metadata in the order of their keywords; others come between the last three and those before them."""


def stage_new(
    path: str | Path,
    kind: str,
    meta: Mapping[str, Any],
    hdus: Iterable[NewHdu],
    *,
    tree: Mapping[str, Any] | None = None,
    history: Sequence[Mapping[str, Any] | str] = (),
    without: Collection[str] = (),
) -> Stage:
    """Write a new JWST product to a temporary file next to its place.

    Keywords and tree say the same, and the tree knows the hash of the headers, so that stdatamodels trusts it. Of
    itself the file says DATE, FILENAME, DATAMODL, TELESCOP and CAL_VER. Big arrays are written piece by piece.

    Parameters
    ----------
    path : str or Path
        The file to be, ``.fits``, or ``.ecsv`` for the kinds that are tables.
    kind : str
        One of `rtools.jwst.SUFFIXES`.
    meta : mapping
        Metadata as below ``meta`` in the data model, nested, of plain values: ``{"exposure": {"type": "NRC_IMAGE"}}``.
        What has a keyword (`rtools.jwst.keywords`) becomes a card of the HDU that has it, where the file has that
        HDU; the rest is in the tree alone. ``model_type`` chooses among the data models of the kind, and BUNIT of SCI
        and ERR are ``bunit_data`` and ``bunit_err``. An ECSV table keeps ``meta`` as it is.
    hdus : iterable of NewHdu
        Without the primary one and that of the tree; in any order. An ECSV product has one, whose name says nothing.
    tree : mapping, optional
        Further nodes, nested: ``{"meta": {"wcs": gwcs}}``, ``{"slits": [{"name": "S1"}]}``. Values may be plain,
        arrays, or what asdf can write. Those that have a keyword become cards, too.
    history : sequence of mapping or str
        What was done, oldest first: entries of `rtools.products.schema.history.entry`, or descriptions.
    without : collection of str
        EXTNAMEs that the product lacks because what it is made of lacks them, although its layout needs them.

    Returns
    -------
    rtools.products.io.Stage
        To be committed or discarded.

    Raises
    ------
    UsageError
        No such kind; an HDU or a column is missing, of another type, or has other axes than the layout says; metadata
        of another type than the data model has.
    RtoolsError
        The file cannot be written.
    """
    layout, given = product_layout(kind), list(hdus)
    if layout.form == "ecsv":
        return _stage_table(path, layout, meta, given, history)
    parts = parts_of_new(path, kind, meta, given, tree=tree, history=history, without=without)
    stage = Stage(path)
    with stage.open() as file:
        write_parts(file, parts)
    return stage


def parts_of_new(
    path: str | Path,
    kind: str,
    meta: Mapping[str, Any],
    hdus: Iterable[NewHdu],
    *,
    tree: Mapping[str, Any] | None = None,
    history: Sequence[Mapping[str, Any] | str] = (),
    without: Collection[str] = (),
) -> list[FilePart]:
    """All HDUs of a new FITS product, complete, before anything is written.

    Parameters
    ----------
    path, kind, meta, hdus, tree, history, without
        As `stage_new` takes them.

    Returns
    -------
    list of FilePart
        In the order of the file.

    Raises
    ------
    UsageError
        As `stage_new`.
    """
    layout, given = product_layout(kind), list(hdus)
    told = _told(layout, meta, given, Path(path).name)
    return new_parts(
        told, [*_primary(given), *fitting_hdus(layout, given, without)], tree or {}, settled(history, path)
    )


def _primary(hdus):
    """What is for the primary header."""
    return [one for one in hdus if one.name == "PRIMARY"]


def new_parts(
    meta: Mapping[str, Any], hdus: Sequence[NewHdu], tree: Mapping[str, Any], history: Sequence[Mapping[str, Any] | str]
) -> list[FilePart]:
    """All HDUs of a new file, headers and tree complete.

    Parameters
    ----------
    meta : mapping
        Nested metadata with all that the file says of itself; ``model_type`` among them.
    hdus : sequence of NewHdu
        As `fitting_hdus` gives them; ``PRIMARY`` may be among them.
    tree, history
        As `stage_new` takes them.

    Returns
    -------
    list of FilePart
        In the order of the file.

    Raises
    ------
    UsageError
        Metadata are of another type than the data model has.
    """
    from astropy.io import fits

    model, content = meta["model_type"], AsdfContent()
    primary = FilePart.of_header("PRIMARY", fits.PrimaryHDU().header)
    drafts = [primary, *(new_part(one) for one in hdus if one.name != "PRIMARY")]
    headers = {(part.name, part.version): part.header for part in drafts}
    content.put("_fits_hash", "0" * 64)
    set_values(content, model, headers, [*sorted(leaves(meta, "meta"), key=_rank), *leaves(tree)])
    for one in hdus:
        for keyword, value in one.cards.items():
            set_card(headers[one.name, one.version], keyword.upper(), value)
            card_into_tree(content, model, (one.name, one.version), (keyword.upper(), value, ""))
    add_history(content, primary.header, history)
    for part in drafts[1:]:
        content.put(node_of_hdu(model, part.name, part.version), array_node(part))
    content.put("_fits_hash", headers_hash(drafts))
    return [*drafts, tree_part(content.to_bytes())]


def new_part(one: NewHdu) -> FilePart:
    """An HDU with the header that its data need, without further cards.

    Parameters
    ----------
    one : NewHdu
        With an array of a type that FITS has, or a table.

    Returns
    -------
    FilePart
    """
    if one.is_table:
        return table_part(one.name, one.version, one.data, one.units)
    dtype = one.data.dtype.newbyteorder("=")
    flipped = dtype.name in pixel_types.ZEROS
    header = image_header(one.name, dtype, one.data.shape, flipped=flipped, version=one.version)
    if one.unit:
        header["BUNIT"] = ascii_text(one.unit)
    return image_part(one.name, one.version, header, one.data, flipped=flipped)


def _told(layout, meta, hdus, filename):
    """Metadata with what the file says of itself."""
    model = meta.get("model_type") or _model(layout, hdus)
    if model not in layout.models:
        raise UsageError(f"{layout.suffix} is of the data model {' or '.join(layout.models)}, not {model}")
    of_file = {
        "date": stamp(),
        "filename": filename,
        "calibration_software_version": f"rtools {__version__}",
        "model_type": model,
        "telescope": "JWST",
    }
    tables = [one.name for one in hdus if one.name.startswith("OI_")]
    if tables:
        of_file["oifits"] = oifits_meta(meta, tables) | dict(meta.get("oifits") or {})
        of_file["origin"] = meta.get("origin") or "rtools"  # OIFITS asks who made the file
    units = {f"bunit_{node}": _unit(layout, name, hdus) for name, node in (("SCI", "data"), ("ERR", "err"))}
    return {key: value for key, value in units.items() if value} | dict(meta) | of_file


def _model(layout, hdus):
    """The data model that a product has by default: that of lists where there are several sets."""
    several = any(one.version > 1 for one in hdus)
    axes = [np.ndim(one.data) for one in hdus if one.name == "SCI"]
    if layout.models[0] == "QuadModel" and axes == [3]:
        return layout.models[1]
    return next((model for model in layout.models if several and model in MEMBERS), layout.models[0])


def _unit(layout, name, hdus):
    """The unit of an image: as it is given, or the only one that the layout knows."""
    given = [one for one in hdus if (one.name, one.version) == (name, 1)]
    known = layout.hdu(name)
    if not given or known is None or known.is_table:
        return None
    single = known.unit if known.unit and " " not in known.unit else None
    return given[0].unit or single


def _rank(leaf):
    """Where the keyword of a value stands in its header."""
    parts = leaf[0].split(".")[1:]
    if parts[0] in FIRST:
        return FIRST.index(parts[0]), ""
    place = GROUPS.index(parts[0]) if parts[0] in GROUPS else len(GROUPS) - 2.5
    name = ".".join(parts)
    return len(FIRST) + place, name.replace("wcsaxes", "")  # WCSAXES comes before all others of the WCS (FITS 4.0, 8.1)


def _stage_table(path, layout, meta, hdus, history):
    from rtools.products.tables.files import stage_catalog

    if len(hdus) != 1:
        raise UsageError(f"{layout.suffix} has one table")
    table = fitting_table(layout.suffix, hdus[0].data, layout.columns, hdus[0].units, partly=True)
    if kind_of_columns(table.colnames) != layout.suffix:
        raise UsageError(f"{layout.suffix} has none of the columns by which it is known")
    table.meta = {**meta, "date": stamp(), "filename": Path(path).name}
    if history:
        entries = [one if isinstance(one, str) else dict(one) for one in settled(history, path)]
        if isinstance(entries[-1], dict) and "job" in entries[-1]:
            table.meta["rtools.job"] = json.dumps(entries[-1].pop("job"))
        table.meta["history"] = [one if isinstance(one, str) else json.dumps(one) for one in entries]
    return stage_catalog(path, _with_positions(table), "ecsv")


def _with_positions(table):
    """The table with one column for each pair of angles on the sky, as the mission's pipeline reads it."""
    from astropy.coordinates import SkyCoord
    from astropy.table import Table

    columns, colnames = {}, table.colnames
    for key in colnames:
        name, _dot, part = key.rpartition(".")
        if part == "ra" and f"{name}.dec" in colnames:
            columns[name] = SkyCoord(table[key], table[f"{name}.dec"], unit="deg")
        elif not (part == "dec" and f"{name}.ra" in colnames):
            columns[key] = table[key]
    return Table(columns, meta=table.meta, copy=False)
