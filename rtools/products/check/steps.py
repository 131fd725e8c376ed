"""Whether `meta.cal_step` is true: what a step that is COMPLETE must have left in name, unit, references and arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtools.findings import Finding, error, info, warning
from rtools.products.schema import layout
from rtools.wfi import metadata
from rtools.wfi.fill import FILL_STRING, NOT_APPLICABLE
from rtools.wfi.instrument import ELEMENTS, FILTERS, TRANSIENT_DETECTOR, ZEROTH_ORDER

if TYPE_CHECKING:
    from rtools.products.io.product import Product

__all__ = ["check_fit", "check_steps"]

UNNAMED = (None, "", NOT_APPLICABLE, FILL_STRING, "none")
"""What `meta.ref_file` says where there is no file."""

OPTIONAL = ("integralnonlinearity", "apcorr", "epsf")
"""References without which their step still does its work."""

REPEATABLE = ("assign_wcs", "photom", "source_catalog", "tweakreg")
"""Steps that may run again after later ones."""

METADATA_ONLY = ("assign_wcs", "photom")
"""Steps that may come at any time, because they change no pixel."""

LAST_PIXEL_STEP = "flat_field"

OLD_KEYS = {"inverselinearity": "inverse_linearity"}

NO_CONVERSION = (*(element for element in ELEMENTS if element not in FILTERS), ZEROTH_ORDER)
"""Optical elements whose images have no conversion to surface brightness."""

SURFACE_BRIGHTNESS = "MJy/sr"


def check_steps(product: Product, suffix: str | None) -> list[Finding]:
    """Findings about `meta.cal_step`.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened; its arrays are known, not read.
    suffix : str or None
        Suffix of the file name, as it is written now.

    Returns
    -------
    list of Finding
    """
    recorded = product.meta.get("cal_step")
    if not isinstance(recorded, dict):
        return _nothing_recorded(product)
    status = {key: str(value) for key, value in recorded.items()}
    if product.kind == "l1_uncal":
        done = [key for key, value in status.items() if value == "COMPLETE"]
        return [error("steps", _key(key), "COMPLETE, but these are raw data") for key in done]
    if product.kind == "l3_coadd":
        return [*_suffix(status, suffix), *_unit(product, status, suffix)]
    if product.kind not in ("ramp", "l2_image"):
        return []
    about_kind = list(_kind(product, status))
    if product.kind == "ramp":  # what is said of later steps is wrong, and that is all there is to it
        status = {key: value for key, value in status.items() if key not in _image_steps()}
    return [
        *about_kind,
        *_suffix(status, suffix),
        *_order(status, suffix),
        *_unit(product, status, suffix),
        *_references(product, status),
        *_traces(product, status),
        *(info("steps", _key(key), "FAILED") for key, value in status.items() if value == "FAILED"),
    ]


def _key(step):
    return f"meta.cal_step.{step}"


def _nothing_recorded(product):
    if product.kind == "l2_image":  # in a ramp and a mosaic the schema misses it
        return [warning("steps", "meta.cal_step", "missing: nothing is said of what was done")]
    return []


def _chain():
    """Rows of the steps in order: cal_step key, kind that the step leaves, unit, references."""
    return [row for row in layout.facts()["intermediates"] if row["cal_step"]]


def _image_steps():
    """Keys of the ramp fit and of everything after it."""
    return [row["cal_step"] for row in _chain() if row["product"] != "ramp"]


def _suffix(status, suffix):
    """The step that a name is called for has been here, and none that comes later."""
    rows = _chain()
    keys = [row["cal_step"] for row in rows]
    mine = next((row["cal_step"] for row in rows if row["suffix"] == suffix), None)
    if mine is None:
        return
    if status.get(mine, "INCOMPLETE") == "INCOMPLETE":
        yield error("steps", _key(mine), f"INCOMPLETE, but the name says _{suffix}")
        return
    if mine in REPEATABLE:
        return
    for key in keys[keys.index(mine) + 1 :]:
        if status.get(key) == "COMPLETE" and key not in REPEATABLE:
            yield warning("steps", _key(key), f"COMPLETE, but comes after the step that the name says, _{suffix}")
            return


def _kind(product, status):
    """Ramps have not been fitted, images have."""
    if product.kind == "ramp":
        for key in _image_steps():
            if status.get(key) == "COMPLETE":
                yield error("steps", _key(key), "COMPLETE, but the arrays are those of a ramp")
        if status.get("dq_init") == "INCOMPLETE":
            yield warning("steps", _key("dq_init"), "INCOMPLETE, but the arrays are those of a ramp")
    elif status.get("ramp_fit") in (None, "INCOMPLETE", "N/A"):
        said = status.get("ramp_fit", "missing")
        yield warning("steps", _key("ramp_fit"), f"{said}, but the arrays are those of a fitted image")


def _order(status, suffix):
    """No pixel step has been left out without a word."""
    keys = [row["cal_step"] for row in _chain()]
    keys = keys[: keys.index(LAST_PIXEL_STEP) + 1]
    done = [place for place, key in enumerate(keys) if status.get(key) == "COMPLETE"]
    last = len(keys) if suffix == "cal" else max(done, default=-1)
    for key in keys[: last if done else 0]:
        left_out = status.get(key) == "INCOMPLETE" and (suffix == "cal" or key not in METADATA_ONLY)
        if left_out and key not in ("dq_init", "ramp_fit"):  # `_kind` speaks of these
            what = "the name says _cal" if suffix == "cal" else f"{keys[last]} is COMPLETE"
            yield warning("steps", _key(key), f"INCOMPLETE, but {what}")


def _unit(product, status, suffix):
    """MJy/sr, by the array's own unit or by what the suffix means, and flux COMPLETE go together."""
    data = product.arrays.get("data")
    unit = "".join((getattr(data, "unit", None) or "").split())
    from_suffix = next((row["unit"] for row in layout.facts()["intermediates"] if row["suffix"] == suffix), "")
    if product.kind == "ramp":
        if unit and "/" in unit:
            yield error("layout", "data", f"the unit of a ramp is DN, not {data.unit}")
        return
    flux = status.get("flux")
    if unit:
        what, calibrated = f"the unit of data is {data.unit}", unit == SURFACE_BRIGHTNESS
    elif from_suffix:
        what, calibrated = f"a _{suffix} is in {from_suffix}", from_suffix == SURFACE_BRIGHTNESS
    else:
        return
    if suffix == "flux" and flux in (None, "INCOMPLETE"):
        return  # said by `_suffix`
    if calibrated != (flux == "COMPLETE"):
        made = warning if product.kind == "l3_coadd" else error  # romancal: INCOMPLETE where members differ
        yield made("steps", _key("flux"), f"{flux or 'missing'}, but {what}")


def _references(product, status):
    """A step that needed a reference names it."""
    named = product.meta.get("ref_file")
    if not isinstance(named, dict):
        return
    known = {field.path for field in layout.fields(product.kind, product.profile)}
    for row in _chain():
        if status.get(row["cal_step"]) != "COMPLETE":
            continue
        for reftype in row["references"]:
            found = [named[key] for key in (reftype, OLD_KEYS.get(reftype)) if key in named]
            if reftype in OPTIONAL or (not found and f"ref_file.{reftype}" not in known):
                continue
            if all(_unnamed(value) for value in found):
                said = repr(found[0]) if found else "missing"
                yield error("steps", f"meta.ref_file.{reftype}", f"{said}, but {row['cal_step']} is COMPLETE")


def _unnamed(value):
    return value is None or str(value).strip() in UNNAMED


def _traces(product, status):
    """What steps leave in metadata and arrays."""
    meta = product.meta
    instrument = meta.get("instrument") or {}
    for key in ("assign_wcs", "tweakreg"):
        if product.kind == "l2_image" and status.get(key) == "COMPLETE" and meta.get("wcs") is None:
            yield error("steps", _key(key), "COMPLETE, but there is no meta.wcs")
    element = str(instrument.get("optical_element")).upper()
    conversion = metadata.get(meta, "photometry.conversion_megajanskys")
    if status.get("photom") == "COMPLETE" and element not in NO_CONVERSION and product.kind == "l2_image":
        if conversion is None or conversion <= 0:
            message = f"COMPLETE, but meta.photometry.conversion_megajanskys is {conversion}"
            yield error("steps", _key("photom"), message)
    elif status.get("flux") == "COMPLETE" and not conversion:
        yield error("steps", _key("flux"), "COMPLETE, but there is no meta.photometry.conversion_megajanskys")
    detector = str(instrument.get("detector")).upper()
    transient = status.get("wfi18_transient")
    if transient == "COMPLETE" and detector != TRANSIENT_DETECTOR:
        yield error("steps", _key("wfi18_transient"), f"COMPLETE, but the detector is {detector}")
    if transient == "N/A" and detector == TRANSIENT_DETECTOR:
        yield warning("steps", _key("wfi18_transient"), f"N/A, but the detector is {TRANSIENT_DETECTOR}")


def check_fit(product: Product) -> list[Finding]:
    """Whether a ramp fit that is COMPLETE has left uncertainties in the image; reads the array.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened.

    Returns
    -------
    list of rtools.findings.Finding
        At most one error.
    """
    status = (product.meta.get("cal_step") or {}).get("ramp_fit")
    if status != "COMPLETE" or not product.has("err"):
        return []
    if (product.array("err") > 0).any():
        return []
    return [error("steps", _key("ramp_fit"), "COMPLETE, but err is positive nowhere")]
