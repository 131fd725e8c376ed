"""Metadata blocks of products: complete ones for a new product, and what every written file says of itself."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rtools import __version__
from rtools.errors import InputError
from rtools.products.schema import history, layout, nodes
from rtools.wfi import metadata
from rtools.wfi.fill import FILL_NUMBER, FILL_STRING
from rtools.wfi.instrument import NAME

__all__ = ["complete", "initial_cal_step", "stamp_file"]

NEVER_INVENTED = ("time", "array", "object", "gwcs", "table")
"""Types of fields that have no fill value: who writes a file without them must stop."""

WRITTEN = ("filename", "file_date", "model_type", "calibration_software_name", "calibration_software_version")
"""Set by `stamp_file` on every write."""

_ABSENT = object()

PRODUCT_TYPES = {"l1_uncal": "l1", "ramp": "ramp", "l2_image": "l2", "wcs": "wcs", "l1_gw": "gw", "l1_face": "face"}


def initial_cal_step(recorded: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Every cal_step key, INCOMPLETE where nothing is recorded; the sixteen are written in every profile.

    Parameters
    ----------
    recorded : mapping, optional
        What `meta.cal_step` says already, key to status; it wins.

    Returns
    -------
    dict of str to str
        A new mapping of key to status.
    """
    keys = layout.facts()["cal_step"]["l2"]["2.1.0"]
    return dict.fromkeys(keys, "INCOMPLETE") | {key: str(value) for key, value in (recorded or {}).items()}


def complete(kind: str, meta: Mapping[str, Any], profile: str = layout.DEFAULT_PROFILE) -> dict[str, Any]:
    """Fill values for whatever the schema of a product requires and `meta` does not say.

    Strings ``?``, numbers -999999, booleans false, references ``N/A``, cal_step INCOMPLETE, nullable fields null.
    Times, read pattern and WCS are never made up, nor is a value with a closed list of words.

    Parameters
    ----------
    kind : str
        As in `rtools.products.schema.layout`.
    meta : mapping
        Below ``meta``, as far as it is known; not changed.
    profile : str
        Whose keys are to be there.

    Returns
    -------
    dict
        A new, complete tree.

    Raises
    ------
    InputError
        Something is missing that cannot be filled.
    """
    filled = _copy(meta)
    defaults = _defaults()
    absent = []
    for _block, under, needed in layout.blocks(kind):
        if under and needed:
            filled.setdefault(under, {})
    for field in layout.fields(kind, profile):
        if not field.required or _present(filled, field.path):
            continue
        if field.path in defaults:
            metadata.put(filled, field.path, defaults[field.path])
            continue
        fill = _fill(field)
        if fill is _ABSENT:
            absent.append(field.path)
        else:
            metadata.put(filled, field.path, fill)
    absent = [name for name in absent if name not in WRITTEN]
    if absent:
        raise InputError(f"metadata missing: {', '.join(f'meta.{name}' for name in absent)}")
    return filled


def _defaults():
    written = layout.facts()["writer_defaults"]
    return {
        "origin": written["origin"],
        "telescope": written["telescope"],
        "coordinates.reference_frame": written["coordinates.reference_frame"],
        "exposure.data_problem": None,
        "instrument.name": NAME,
        "background.method": written["background"]["method"],
    }


def _fill(field):
    types = field.type.split("|")
    if field.path.startswith("ref_file.") and ".crds." not in field.path:
        return "N/A"
    if field.path.startswith("cal_step."):
        return "INCOMPLETE"
    if "null" in types:
        return None
    if "enum" in field.rule or types[0] in NEVER_INVENTED:
        return _ABSENT
    return {"string": FILL_STRING, "boolean": False}.get(types[0], FILL_NUMBER)


def _present(meta, path):
    *blocks, last = path.split(".")
    parent = metadata.get(meta, ".".join(blocks), {}) if blocks else meta
    return isinstance(parent, dict) and last in parent


def stamp_file(kind: str, meta: Mapping[str, Any], path: str | Path) -> dict[str, Any]:
    """What a file says of itself: `filename`, `file_date`, `model_type`, `product_type`, `calibration_software_*`.

    Reference files have none of them.

    Parameters
    ----------
    kind : str
        As in `rtools.products.schema.layout`.
    meta : mapping
        Below ``meta``; not changed.
    path : str or Path
        The file that will have it; only its name is used.

    Returns
    -------
    dict
        A new mapping: `meta` with these keys set.
    """
    if kind.startswith("reference/"):
        return dict(meta)
    return dict(meta) | {
        "filename": nodes.readable(Path(path).name),
        "file_date": nodes.time(history.stamp()),
        "model_type": layout.model(kind),
        "product_type": PRODUCT_TYPES.get(kind) or meta.get("product_type") or FILL_STRING,
        "calibration_software_name": layout.facts()["writer_defaults"]["calibration_software_name"],
        "calibration_software_version": __version__,
    }


def _copy(node):
    return {key: _copy(value) for key, value in node.items()} if type(node) is dict else node
