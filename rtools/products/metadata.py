"""Metadata of products: complete blocks for a new one, what every written file says of itself, what must be there."""

from datetime import UTC
from pathlib import Path

from rtools import __version__
from rtools.errors import InputError
from rtools.products import history, layout, nodes, times
from rtools.products.quantities import problem

__all__ = [
    "cal_step",
    "complete",
    "exposure_mjd",
    "get",
    "missing",
    "mjd_of",
    "put",
    "refuse_impossible",
    "require",
    "stamp_file",
    "usable",
]

NEVER_INVENTED = ("time", "array", "object", "gwcs", "table")
"""Types of fields that have no fill value: who writes a file without them must stop."""

WRITTEN = ("filename", "file_date", "model_type", "calibration_software_name", "calibration_software_version")
"""Set by `stamp_file` on every write."""

MJD_OF_1970 = 40587

_ABSENT = object()

PRODUCT_TYPES = {"l1_uncal": "l1", "ramp": "ramp", "l2_image": "l2", "wcs": "wcs", "l1_gw": "gw", "l1_face": "face"}


def get(meta, path, default=None):
    """Value at a dotted path below ``meta``, or `default`."""
    for key in path.split("."):
        if not isinstance(meta, dict) or key not in meta:
            return default
        meta = meta[key]
    return meta


def put(meta, path, value):
    """Set a value at a dotted path, making the blocks on the way."""
    *blocks, last = path.split(".")
    for key in blocks:
        meta = meta.setdefault(key, {})
    meta[last] = value


def missing(meta, *paths):
    """Dotted paths that are absent or null."""
    return [path for path in paths if get(meta, path) is None]


def require(meta, *paths, path=None):
    """Refuse metadata in which something is absent or null, or cannot be (`rtools.products.quantities`).

    Parameters
    ----------
    meta : dict
    *paths : str
        Dotted, below ``meta``: ``exposure.read_pattern``.
    path : str or os.PathLike, optional
        The file, for the message.

    Raises
    ------
    InputError
        Names all that is missing, else what cannot be, with its value.
    """
    absent = missing(meta, *dict.fromkeys(paths))
    if absent:
        raise InputError(f"metadata missing: {', '.join(f'meta.{name}' for name in absent)}", path=path)
    refuse_impossible(meta, *paths, path=path)


def refuse_impossible(meta, *paths, path=None):
    """As `require`, of what may be absent or null."""
    values = {name: get(meta, name) for name in paths}
    found = [problem(name, value) for name, value in values.items() if value is not None]
    found = [line for line in found if line]
    if found:
        raise InputError("; ".join(found), mend="rt-set sets it", path=path)


def usable(meta, path, log=None, otherwise="it is not used"):
    """A value that can be computed with; None where it is absent, null, or cannot be.

    Parameters
    ----------
    meta : dict
    path : str
        Dotted, below ``meta``; one of `rtools.products.quantities.QUANTITIES`.
    log : callable, optional
        ``log(level, text)`` is told of a value that cannot be.
    otherwise : str
        What is done without it, for the log.
    """
    value = get(meta, path)
    found = None if value is None else problem(path, value)
    if found and log:
        log("warning", f"{found}: {otherwise}")
    return None if found else value


def exposure_mjd(meta):
    """Start and end of an exposure, Modified Julian Dates (UTC).

    Raises
    ------
    InputError
        They are missing or no times.
    """
    keys = "exposure.start_time", "exposure.end_time"
    require(meta, *keys)
    start, end = (mjd_of(get(meta, key)) for key in keys)
    return start, end


def mjd_of(time):
    """Modified Julian Date of an ISO time, UTC, or of a time node; ValueError if it is none."""
    moment = times.moment_of(nodes.iso(time))
    return MJD_OF_1970 + moment.replace(tzinfo=UTC).timestamp() / 86400


def cal_step(recorded=None):
    """Every cal_step key, INCOMPLETE where nothing is recorded; the sixteen are written in every profile."""
    keys = layout.facts()["cal_step"]["l2"]["2.1.0"]
    return dict.fromkeys(keys, "INCOMPLETE") | {key: str(value) for key, value in (recorded or {}).items()}


def complete(kind, meta, profile=layout.DEFAULT_PROFILE):
    """Fill values for whatever the schema of a product requires and `meta` does not say.

    Strings ``?``, numbers -999999, booleans false, references ``N/A``, cal_step INCOMPLETE, nullable fields null.
    Times, read pattern and WCS are never made up, nor is a value with a closed list of words.

    Parameters
    ----------
    kind : str
        As in `rtools.products.layout`.
    meta : dict
        Not changed.
    profile : str

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
            put(filled, field.path, defaults[field.path])
            continue
        fill = _fill(field)
        if fill is _ABSENT:
            absent.append(field.path)
        else:
            put(filled, field.path, fill)
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
        "instrument.name": "WFI",
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
    return {"string": nodes.FILL_STRING, "boolean": False}.get(types[0], nodes.FILL_NUMBER)


def _present(meta, path):
    *blocks, last = path.split(".")
    parent = get(meta, ".".join(blocks), {}) if blocks else meta
    return isinstance(parent, dict) and last in parent


def stamp_file(kind, meta, path):
    """What a file says of itself: `filename`, `file_date`, `model_type`, `product_type`, `calibration_software_*`.

    Reference files have none of them. Returns a new dict.
    """
    if kind.startswith("reference/"):
        return dict(meta)
    return dict(meta) | {
        "filename": nodes.readable(Path(path).name),
        "file_date": nodes.time(history.stamp()),
        "model_type": layout.model(kind),
        "product_type": PRODUCT_TYPES.get(kind) or meta.get("product_type") or nodes.FILL_STRING,
        "calibration_software_name": layout.facts()["writer_defaults"]["calibration_software_name"],
        "calibration_software_version": __version__,
    }


def _copy(node):
    return {key: _copy(value) for key, value in node.items()} if type(node) is dict else node
