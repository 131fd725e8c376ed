"""What a file is and what happened to it, as plain data and as lines of text. Headers only.

`describe` reads a file of any kind and returns plain data; `tree_lines`, `history_lines` and `log_lines` make text of
them, `rtools.show.info_screen` the screen.
"""

import json
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rtools.errors import InputError
from rtools.products.forms import embedded, form_of, read_json
from rtools.products.io import foreign
from rtools.products.io.arrays import ArrayInfo, dtype_of, unwrap
from rtools.products.schema import keys, layout, nodes
from rtools.products.schema.history import built_in_types
from rtools.wfi.fill import FILL_NUMBER, FILL_STRING, NOT_APPLICABLE

__all__ = ["NOTHING", "cut", "describe", "history_lines", "log_lines", "plain", "tree_lines"]

NOTHING = (None, "", FILL_STRING, NOT_APPLICABLE, FILL_NUMBER, str(FILL_NUMBER))
"""Values that stand for something unknown."""


def describe(path: str | Path, step_order: Callable[[], Sequence[str]] = tuple) -> dict[str, Any]:
    """Everything that is shown of a file.

    Parameters
    ----------
    path : str or Path
        A file of any form that has metadata.
    step_order : callable
        Keys of `meta.cal_step` in the order of the chain, asked for where a file of Roman has steps.

    Returns
    -------
    dict
        ``file``, ``bytes``, ``form`` (asdf, fits, parquet, ecsv, json), ``kind``, ``mission`` (roman, jwst; where it is
        known), ``tag``, ``profile``, ``written_by``, ``steps`` (list of ``{step, status}``), ``references`` (type to
        name), ``built_in`` (types of references of the built-in instrument that it or what it is made of was calibrated
        with), ``arrays`` (list), ``columns`` and ``rows`` of a catalog, ``products`` of an association, ``guiding`` (a
        `GuideSummary` or `FaceSummary`) or ``guiding_problem`` of guide windows and FACE, ``history``, ``logs``,
        ``tree``. Of files of JWST also what `rtools.show.info_jwst.describe_fits` adds.

    Raises
    ------
    InputError
        It cannot be read.
    """
    form = form_of(path)
    told: dict[str, Any] = {"file": str(path), "bytes": os.stat(path).st_size, "form": form, "kind": None}
    told |= {"asdf": _asdf, "fits": _fits, "json": _json}.get(form, _catalog)(path, form)
    meta = told["tree"].get("meta") or {}
    if "steps" not in told:
        told["steps"] = _steps(meta.get("cal_step"), step_order)
        told["references"] = _references(meta.get("ref_file"))
    told["built_in"] = built_in_types(meta, told.get("history") or ())
    logs = meta.get("cal_logs")
    told.setdefault("logs", [str(line) for line in logs] if isinstance(logs, list) else [])
    return told


def _asdf(path, _form):
    from rtools.products.io import open_product

    with open_product(path, others=True) as product:
        described = layout.arrays(_kind(product), product.profile)
        arrays = [_array(name, info, described.get(name)) for name, info in product.arrays.items()]
        told = _product(product) | {"arrays": arrays} | _guiding(product)
        return told | (_jwst_reference(product.tree.get("meta")) if product.kind == "other" else {})


def _jwst_reference(meta):
    """Of a reference file of JWST in ASDF or JSON what it is; nothing of any other."""
    if not isinstance(meta, dict) or meta.get("telescope") != "JWST" or not isinstance(meta.get("reftype"), str):
        return {}
    return {"mission": "jwst", "kind": f"reference/{meta['reftype'].lower()}"}


def _guiding(product):
    """The summary of a guide-window or FACE file, or why there is none; nothing for other products."""
    if product.kind not in ("l1_gw", "l1_face", "other"):
        return {}
    from rtools.products import guide

    kind = guide.kind_of_product(product)
    if kind is None or guide.is_old(product):
        return {}
    try:
        if product.kind == "other":
            product, _remarks = guide.open_as(product.path, kind, kind)
        if kind == "gw":
            return {"guiding": guide.summarise_guide(guide.read_guide(product)[0])}
        return {"guiding": guide.summarise_face(guide.read_face(product)[0])}
    except InputError as error:
        return {"guiding_problem": error.message}


def _fits(path, form):
    """A file of JWST, a product that rt-fits wrote, or a FITS table."""
    if foreign.is_jwst(path):
        from rtools.show.info_jwst import describe_fits

        return describe_fits(path)
    with embedded(path) as product:
        if product is None:
            return _catalog(path, form)
        images: dict[str, Any] = {}
        whole = product.tree
        described = layout.arrays(_kind(product), product.profile)
        product.tree = _without_images(whole, "", images)
        arrays = [_image(name, node, described.get(name)) for name, node in images.items()]
        arrays += [_array(name, info, described.get(name)) for name, info in product.arrays.items()]
        return _product(product) | {"arrays": arrays, "tree": whole}


def _without_images(node, path, found):
    """A tree without the nodes that stand for image extensions, which are `found`."""
    if not isinstance(node, dict) or nodes.is_foreign(node):
        return node
    kept = {}
    for key, child in node.items():
        name = f"{path}.{key}" if path else str(key)
        inner = unwrap(child)[0]
        if inner is not None and isinstance(inner.get("source"), str):
            found[name] = child
        else:
            kept[key] = _without_images(child, name, found)
    return kept


def _image(name, node, described):
    """An array that is an image extension of a FITS file, as `_array` tells it."""
    inner: Any
    inner, unit = unwrap(node)
    info = ArrayInfo(tuple(inner["shape"]), dtype_of(inner["datatype"]), unit=unit)
    told = _array(name, info, described)
    return told | {"compression": "none", "extension": inner["source"].removeprefix("fits:")}


def _kind(product):
    return f"reference/{product.reftype}" if product.reftype else product.kind


def _product(product):
    library = product.about.get("asdf_library") or {}
    return {
        "kind": _kind(product),
        "mission": None if product.kind in layout.facts()["others"] else "roman",
        "tag": product.tag.rpartition("/tags/")[2],
        "profile": product.profile if layout.is_product(product.kind) else None,
        "written_by": " ".join(str(library[key]) for key in ("name", "version") if key in library),
        "history": [keys.bare(entry) for entry in _entries(product.about.get("history"))],
        "tree": product.tree,
    }


def _entries(history):
    if isinstance(history, dict):
        history = history.get("entries")
    return history if isinstance(history, list) else []


def _array(name, info, described):
    unit = info.unit or (described.unit if described else None)
    inline = info.block is None
    return {
        "name": name,
        "dtype": "structured" if info.dtype.names else info.dtype.name,
        "shape": list(info.shape),
        "unit": unit if unit is None or isinstance(unit, str) else ", ".join(map(str, unit)),
        "compression": "inline" if inline else info.compression or "none",
        "bytes": info.nbytes,
        "stored": info.nbytes if inline else info.block.used,
    }


def _catalog(path, form):
    from rtools.products.tables.metadata import read_table

    table = read_table(path, form)
    return {
        "kind": table.kind or "table",
        "mission": "roman" if table.kind else None,
        "rows": table.rows,
        "columns": [vars(column) for column in table.columns],
        "compression": table.compression or "none",
        "history": table.history,
        "tree": table.tree,
    } | (_jwst_table(table) if form == "ecsv" else {})


def _jwst_table(table):
    from rtools.show.info_jwst import table_facts

    return table_facts(table)


def _json(path, _form):
    """An association, or a JSON reference file of JWST."""
    tree = read_json(path)
    if reference := _jwst_reference(tree):
        return reference | {"tree": tree}
    products = tree.get("products")
    if not isinstance(products, list) or not all(isinstance(product, dict) for product in products):
        raise InputError("a JSON file that is not an association: products are missing", path=path)
    listed = [{"name": product.get("name"), "members": _members(product)} for product in products]
    return {"kind": "association", "products": listed, "tree": tree}


def _members(product):
    """Members of a product of an association, as far as they are that."""
    found = product.get("members")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _steps(recorded, order):
    recorded = recorded if isinstance(recorded, dict) else {}
    order = order() if recorded else ()
    ordered = [key for key in order if key in recorded] + [key for key in recorded if key not in order]
    return [{"step": key, "status": str(recorded[key])} for key in ordered]


def _references(recorded):
    flat: dict[str, Any] = {}
    for kind, name in (keys.bare(recorded) if isinstance(recorded, dict) else {}).items():
        flat |= {f"{kind}.{key}": value for key, value in name.items()} if isinstance(name, dict) else {kind: name}
    return {kind: name for kind, name in flat.items() if name not in NOTHING}


def plain(told: Mapping[str, Any], *, tree: bool = False, history: bool = False, logs: bool = False) -> dict[str, Any]:
    """What `describe` tells as data for JSON.

    Parameters
    ----------
    told : mapping
        As `describe` makes it.
    tree : bool
        Give the whole tree, too, its tags taken off.
    history : bool
        Give the entries of the history, not only how many there are.
    logs : bool
        Give the lines of the logs, not only how many there are.

    Returns
    -------
    dict
        As `describe` tells it, but ``history`` and ``logs`` are numbers where they are not asked for, and ``guiding``
        is a dict.
    """
    made = {key: value for key, value in told.items() if key not in ("tree", "history", "logs")}
    if "guiding" in made:
        made["guiding"] = asdict(made["guiding"])
    made["history"] = told.get("history", []) if history else len(told.get("history", []))
    made["logs"] = told["logs"] if logs else len(told["logs"])
    return made | ({"tree": keys.bare(told["tree"])} if tree else {})


def tree_lines(told: Mapping[str, Any], width: int | None = None) -> list[str]:
    """The whole tree, a line for each item; arrays and WCS are named only.

    Parameters
    ----------
    told : mapping
        As `describe` makes it.
    width : int, optional
        Columns at which lines are cut, 40 at least; none are cut by default.

    Returns
    -------
    list of str
        Indented; columns of a catalog at the end.
    """
    lines: list[str] = []
    _branch(told["tree"], "", lines)
    for column in told.get("columns") or []:
        words = (column["dtype"], column["unit"], column["description"])
        lines.append(f"column {column['name']}: {', '.join(word for word in words if word)}")
    return [cut(line, max(width, 40)) for line in lines] if width else lines


def _branch(node, indent, lines):
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for name, child in items:
        short = leaf(child)
        lines.append(f"{indent}{name}:" + (f" {short}" if short is not None else ""))
        if short is None:
            _branch(child, indent + "  ", lines)


def leaf(node):
    """A node in one line, or None for one that is better entered."""
    if nodes.is_array(node):
        shape, dtype = node.get("shape") or [], node.get("datatype", "inline")
        return f"{dtype if isinstance(dtype, str) else 'structured'} ({', '.join(map(str, shape))})"
    if nodes.is_foreign(node) and isinstance(node, dict) and not isinstance(keys.bare(node), str):
        tag = getattr(node, "tag", None) or ""
        if "/quantity-" in tag:
            return f"{leaf(node.get('value'))} {node.get('unit')}"
        return f"<{tag.rpartition('/')[2]}>"
    value = keys.bare(node)
    if isinstance(value, dict):
        return None if value else "{}"
    if isinstance(value, list):
        long = any(isinstance(one, dict) or (isinstance(one, str) and len(one) > 60) for one in value)
        return None if long else json.dumps(value, ensure_ascii=False, default=str)
    return " ".join(value.split()) if isinstance(value, str) else json.dumps(value, default=str)


def history_lines(told: Mapping[str, Any]) -> list[str]:
    """What was done to the file, oldest first.

    Parameters
    ----------
    told : mapping
        As `describe` makes it.

    Returns
    -------
    list of str
        A line for each entry, and indented ones for its command, parameters and references.
    """
    lines = []
    for entry in told.get("history") or []:
        entry = entry if isinstance(entry, dict) else {"description": str(entry)}
        lines.append(f"{str(entry.get('time', ''))[:19]}  {entry.get('description', '')}")
        if entry.get("tool") and entry.get("arguments"):
            lines.append(f"    $ {entry['tool']} {shlex.join(map(str, entry['arguments']))}")
        lines += [f"    {key}: {value}" for key, value in (entry.get("parameters") or {}).items()]
        for kind, reference in (entry.get("references") or {}).items():
            reference = reference if isinstance(reference, dict) else {"name": reference}
            words = (str(reference[key]) for key in ("name", "checksum") if reference.get(key))
            lines.append(f"    {kind} reference: {' '.join(words)}")
    return lines


def log_lines(told: Mapping[str, Any]) -> list[str]:
    """Lines of `meta.cal_logs`.

    Parameters
    ----------
    told : mapping
        As `describe` makes it.

    Returns
    -------
    list of str
        White space in a line is single blanks.
    """
    return [" ".join(line.split()) for line in told["logs"]]


def cut(text: str, width: int) -> str:
    """A line cut to a width, with a mark where something is missing.

    Parameters
    ----------
    text : str
        The line.
    width : int
        Its columns at most.

    Returns
    -------
    str
        The same text where it fits.
    """
    return text if len(text) <= width else text[: max(0, width - 2)] + " …"
