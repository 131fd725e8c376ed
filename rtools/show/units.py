"""Units of arrays as one reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtools.products.schema import layout

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace

__all__ = ["unit_of"]

UNITS = {
    "DN / s": "DN/s",
    "DN2 / s2": "(DN/s)²",
    "MJy.sr**-1": "MJy/sr",
    "MJy**2.sr**-2": "(MJy/sr)²",
    "electron / s": "electron/s",
    "(DN/s)^2": "(DN/s)²",
    "(MJy/sr)^2": "(MJy/sr)²",
}
"""Units of the schemas as one reads them."""


def unit_of(product: ProductFace, name: str) -> str:
    """Unit of an array as text, empty where there is none.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened.
    name : str
        Dotted path of the array.

    Returns
    -------
    str
        As one reads it, such as ``DN/s``.
    """
    info = product.arrays.get(name)
    unit = info.unit if info is not None else None
    if not unit:
        unit = (_of_jwst if product.mission == "jwst" else _of_roman)(product, name)
    unit = (unit or "").partition(" (")[0]  # without a remark
    return UNITS.get(unit, unit)


def _of_roman(product: Any, name: str) -> str | None:
    """What the schema says; some units are others after the step flux."""
    kind = f"reference/{product.reftype}" if product.reftype else product.kind
    known = layout.arrays(kind, product.profile).get(name)
    unit = known.unit if known else None
    if isinstance(unit, list):
        return unit[product.kind == "l2_image" and (product.meta.get("cal_step") or {}).get("flux") == "COMPLETE"]
    return unit


def _of_jwst(product: Any, name: str) -> str | None:
    """What the layout says where it says one unit; of variances the square of the image's, which alone has BUNIT."""
    from rtools.jwst import SUFFIXES, product_layout

    before, _dot, last = name.rpartition(".")
    if last.startswith("var_"):
        base = unit_of(product, f"{before}.data" if before else "data")
        return (f"({base})²" if "/" in base else f"{base}²") if base else None
    if product.kind not in SUFFIXES or name not in product.arrays:  # references say no units but their own
        return None
    known = product_layout(product.kind).hdu(product.hdu(name).name)
    unit = known.unit.partition(" (")[0] if known and known.unit else ""
    return unit if " " not in unit else None
