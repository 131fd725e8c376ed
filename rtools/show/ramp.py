"""The resultants of one pixel: values, flags, jumps and the fitted line; for text and figure of them see below."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError, OutsideError
from rtools.exposure.rampfit.timing import resultant_timing
from rtools.products import names
from rtools.products.edit.section import shift_between
from rtools.products.io import open_product
from rtools.show.beside import ramps_beside
from rtools.show.names import shown_name
from rtools.show.pixel import pixel_words
from rtools.show.pixel_ramp import JUMP, PixelRamp, add_lines, draw_straight
from rtools.show.ramp_drawing import draw_ramp, plot_ramp
from rtools.show.units import unit_of
from rtools.wfi import metadata
from rtools.wfi.frame import BORDER
from rtools.work import Work

if TYPE_CHECKING:
    from rtools.products.io.product import Product

__all__ = ["PixelRamp", "draw_ramp", "load_ramp", "plot_ramp"]


def load_ramp(
    product: Product,
    x: int,
    y: int,
    *,
    frame: str | None = None,
    rate: str | Path | None = None,
) -> PixelRamp:
    """Read a pixel's resultants, and the line from its image.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Raw exposure or ramp; of an image the ramp that lies beside it is read (`rtools.show.beside.ramps_beside`), and
        the rate is that of the image.
    x, y : int
        In pixels of the product, or of `frame`.
    frame : str, optional
        Frame that x and y count in; by default the pixels of the product.
    rate : str, optional
        Image whose rate is drawn; by default the ``_cal`` or the ``_rampfit`` beside the product, the first that has
        one, else a straight line through the unflagged resultants.

    Returns
    -------
    PixelRamp

    Raises
    ------
    InputError
        The product is no ramp and has none beside it, or the pixel lies outside.
    """
    if product.kind == "l2_image" and (path := next(ramps_beside(product), None)) is not None:
        with open_product(path, ("l1_uncal", "ramp")) as beside:
            (dx, dy), margin = shift_between(product, beside), BORDER * (frame == "l1")
            return load_ramp(beside, x + dx - margin, y + dy - margin, rate=rate or product.path)
    if product.kind not in ("l1_uncal", "ramp"):
        stem = names.split_suffix(product.path)[0] if product.kind == "l2_image" else ""
        message = f"has no resultants (it is {product.reftype or product.kind})"
        wanted = f"its ramp is not beside it: {stem}_uncal.asdf, or {stem}_dqinit.asdf … {stem}_linearity.asdf"
        raise InputError(message, mend=wanted if stem else "--ramp takes a raw exposure or a ramp", path=product.path)
    metadata.require(product.meta, "exposure.read_pattern", "exposure.frame_time", path=product.path)
    x, y = (value + BORDER * (frame == "l2") for value in (x, y))
    shape = product.arrays["data"].shape if product.has("data") else ()
    if len(shape) != 3:
        raise InputError("the array data is not a ramp", path=product.path)
    if not (0 <= x < shape[2] and 0 <= y < shape[1]):
        raise OutsideError(f"pixel {x},{y} is outside of the {shape[2]} x {shape[1]} pixels", path=product.path)
    exposure = product.meta["exposure"]
    ramp = PixelRamp(
        title=f"{shown_name(product)}  {pixel_words(product, x, y)}",
        unit=unit_of(product, "data"),
        times=resultant_timing(exposure["read_pattern"], exposure["frame_time"]).mean,
        values=_pixel(product, "data", x, y).astype(float),
        flags=np.zeros(shape[0], np.uint8),
    )
    if len(ramp.times) != len(ramp.values):
        raise InputError(f"{len(ramp.values)} resultants, {len(ramp.times)} in its read pattern", path=product.path)
    for name in ("groupdq", "resultantdq"):
        if product.has(name):
            ramp.flags |= _pixel(product, name, x, y).astype(np.uint8)
    if product.has("pixeldq"):
        ramp.pixel_flags = int(_pixel(product, "pixeldq", x, y))
    ramp.jumps = np.nonzero(ramp.flags & JUMP)[0].tolist()
    _add_rate(ramp, product, x, y, rate)
    return ramp


def _pixel(product, name, x, y):
    """All values of one pixel; of a compressed array one column is kept while it is decoded."""
    if product.arrays[name].compression == "":
        return np.array(product.array(name, part=True)[..., y, x])
    with Work(2) as work:
        return product.columns(name, x, x + 1, work)[..., y, 0]


def _add_rate(ramp, product, x, y, path):
    """The line of a given image, else of the first of those beside the product that has a rate, else a straight one."""
    stem = names.split_suffix(product.path)[0]
    beside = (Path(product.path).with_name(f"{stem}_{suffix}.asdf") for suffix in ("cal", "rampfit"))
    paths = [name for name in beside if name.exists()] if path is None else [Path(path)]
    reasons = []
    for name in paths:
        with open_product(name, ("l2_image",)) as image:
            dx, dy = shift_between(product, image)
            reason = _read_rate(ramp, image, x + dx, y + dy)
        if reason is None:
            ramp.source = name.name
            add_lines(ramp)
            return
        reasons.append(f"{name.name} {reason}")
    draw_straight(ramp, "; ".join(reasons) or "no _cal or _rampfit beside it")


def _read_rate(ramp, image, x, y):
    """Rate, flags and jumps of a pixel of an image; returns why there is no rate, or None."""
    rows, columns = image.arrays["data"].shape if image.has("data") else (0, 0)
    if not (0 <= x < columns and 0 <= y < rows):
        return "has no such pixel"
    if image.has("jump_indices"):
        found = image.array("jump_indices")
        ramp.jumps = sorted({*ramp.jumps, *found[(found[:, 1] == y) & (found[:, 2] == x), 0].tolist()})
    if image.has("dq"):
        ramp.pixel_flags |= int(image.rows("dq", y, y + 1)[0, x])
    rate, unit = float(image.rows("data", y, y + 1)[0, x]), unit_of(image, "data")
    if not np.isfinite(rate):
        return "has no rate here"
    if unit != "DN/s":
        return f"is in {unit}, not in DN/s"
    ramp.rate = rate
    return None
