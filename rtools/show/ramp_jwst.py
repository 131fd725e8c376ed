"""The groups of one pixel of a JWST ramp, integration by integration, with the rate that was fitted to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError, OutsideError
from rtools.products import names
from rtools.products.edit.section import shift_between
from rtools.products.opening import open_any
from rtools.show.beside import ramps_beside
from rtools.show.names import shown_name
from rtools.show.pixel_ramp import JUMP, PixelRamp, add_lines, draw_straight
from rtools.show.units import unit_of

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace
    from rtools.products.jwst import JwstProduct

__all__ = ["group_times", "load_groups"]


IMAGES = ("rate", "rateints", "cal", "calints", "crf", "crfints")
"""Kinds of images that keep the pixels of the ramp that they were made of."""


def load_groups(
    product: JwstProduct,
    x: int,
    y: int,
    *,
    integration: int | None = None,
    rate: str | Path | None = None,
) -> list[PixelRamp]:
    """Read a pixel's groups, and the line from its image of rates.

    Parameters
    ----------
    product : JwstProduct
        An uncal or a ramp, opened; of an image the ramp that lies beside it is read.
    x, y : int
        In pixels of the product, from 0.
    integration : int, optional
        From the end where negative; all by default.
    rate : str, optional
        Image whose rate is drawn; by default the ``_rateints`` or the ``_rate`` beside the product, the first that has
        one, else a straight line through the unflagged groups.

    Returns
    -------
    list of PixelRamp
        One for each integration. Raw data have no flags; they are those of the ``_ramp`` beside it.

    Raises
    ------
    InputError
        The product is no ramp and has none beside it, the pixel lies outside, or there is no such integration.
    """
    if product.kind in IMAGES and (path := next(ramps_beside(product), None)) is not None:
        with open_any(path) as beside:
            dx, dy = shift_between(product, beside)
            return load_groups(beside, x + dx, y + dy, integration=integration, rate=rate)  # type: ignore[arg-type]
    integrations, groups = _checked(product, x, y)[:2]
    chosen = range(integrations)
    if integration is not None:
        if not -integrations <= integration < integrations:
            raise InputError(f"--integration {integration}: there are {integrations}", path=product.path)
        chosen = range(integration % integrations, integration % integrations + 1)
    values = _pixel(product, "data", x, y).astype(float)
    flags, pixel_flags, holder = _flags(product, (x, y), (integrations, groups))
    times, found = group_times(product, groups), _rates(product, (x, y), integrations, rate)
    title = f"{shown_name(product)}  pixel {x},{y}" + f"  flags of {holder}" * bool(holder)
    ramps = []
    for number in chosen:
        one = PixelRamp(title, unit_of(product, "data"), times, values[number], flags[number], pixel_flags)
        one.word, one.since, one.label = "group", "the start of the integration", f"integration {number}"
        one.group_bits = product.flag_bits("groupdq") or {}
        one.pixel_bits = product.flag_bits("pixeldq") or {}
        one.jumps = np.nonzero(one.flags & JUMP)[0].tolist()
        _add_line(one, found, number)
        if len(chosen) == 1 and integrations > 1:
            one.title += f"  integration {number} of {integrations}"
        ramps.append(one)
    return ramps


def _flags(product, pixel, shape):
    """Flags of the groups and of the pixel; of raw data those of the ramp beside it, whose name comes third."""
    if product.has("groupdq"):
        return *_flags_of(product, *pixel), ""
    beside = Path(product.path).with_name(f"{names.split_suffix(product.path)[0]}_ramp.fits")
    if beside.exists():
        with open_any(beside) as ramp:
            same = ramp.has("groupdq") and ramp.arrays["groupdq"].shape == product.arrays["data"].shape
            if same and shift_between(product, ramp) == (0, 0):
                return *_flags_of(ramp, *pixel), beside.name
    return np.zeros(shape, np.uint8), 0, ""


def _flags_of(ramp, x, y):
    groups = _pixel(ramp, "groupdq", x, y).astype(np.uint8)
    return groups, int(_pixel(ramp, "pixeldq", x, y)) if ramp.has("pixeldq") else 0


def _checked(product, x, y):
    """The shape of the ramp."""
    if product.kind not in ("uncal", "ramp"):
        stem = names.split_suffix(product.path)[0]
        wanted = f"--at takes a ramp, or an image with its ramp beside it: {stem}_uncal.fits"
        raise InputError(f"has no groups (it is {product.kind})", mend=wanted, path=product.path)
    shape: tuple[int, ...] = product.arrays["data"].shape if product.has("data") else ()
    if len(shape) != 4:
        raise InputError("the array data is not a ramp", path=product.path)
    if not (0 <= x < shape[3] and 0 <= y < shape[2]):
        raise OutsideError(f"pixel {x},{y} is outside of the {shape[3]} x {shape[2]} pixels", path=product.path)
    return shape


def group_times(product: JwstProduct, groups: int) -> np.ndarray:
    """Mean time of the frames of each group since the start of an integration.

    Frames end at TFRAME, 2 TFRAME …; a group begins (NFRAMES + GROUPGAP) frames after the one before it, and the
    first after DRPFRMS1 frames that are dropped.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    groups : int
        How many there are.

    Returns
    -------
    ndarray float64 (groups,)
        s.

    Raises
    ------
    InputError
        The header does not say TGROUP, or TFRAME.
    """
    exposure: dict[str, Any] = product.meta.get("exposure") or {}
    frames, gap = exposure.get("nframes") or 1, exposure.get("groupgap") or 0
    if "frame_time" in exposure:
        frame = float(exposure["frame_time"])
        group = float(exposure.get("group_time", (frames + gap) * frame))
    elif "group_time" in exposure:
        group = float(exposure["group_time"])
        frame = group / (frames + gap)
    else:
        raise InputError("does not say when its groups were read", mend="TGROUP or TFRAME is expected",
                         path=product.path)  # fmt: skip
    dropped = exposure.get("drop_frames1") or 0
    return np.arange(groups) * group + frame * (dropped + (frames + 1) / 2)


def _pixel(product: ProductFace, name: str, x: int, y: int) -> np.ndarray:
    """All values of one pixel."""
    return product.section(name, slice(y, y + 1), slice(x, x + 1))[..., 0, 0]


class _Rates(NamedTuple):
    """Rates of the pixel by integration, its flags, where they are from; and why there are none."""

    values: np.ndarray
    flags: np.ndarray
    source: str
    reason: str


def _rates(product, pixel, count, path):
    """The rates of a given image, else of the first of those beside the product that has any."""
    stem = names.split_suffix(product.path)[0]
    beside = (Path(product.path).with_name(f"{stem}_{suffix}.fits") for suffix in ("rateints", "rate"))
    paths = [name for name in beside if name.exists()] if path is None else [Path(path)]
    reasons = []
    for name in paths:
        with open_any(name) as image:
            values, flags, reason = _read_rates(product, image, pixel, count)
        if not reason:
            return _Rates(values, flags, name.name, "")
        reasons.append(f"{name.name} {reason}")
    values, flags, reason = _nothing(count, "; ".join(reasons) or "no _rateints or _rate beside it")
    return _Rates(values, flags, "", reason)


def _nothing(count, reason):
    return np.full(count, np.nan), np.zeros(count, np.uint32), reason


def _read_rates(product, image, pixel, count):
    """Rates and flags by integration, and why there are none."""
    if image.mission != product.mission:
        raise InputError("not an image of JWST", path=image.path)
    shape: tuple[int, ...] = image.arrays["data"].shape if image.has("data") else ()
    if len(shape) not in (2, 3):
        raise InputError(f"has no rates (it is {image.kind})", path=image.path)
    (x, y), (dx, dy) = pixel, shift_between(product, image)
    x, y = x + dx, y + dy
    if not (0 <= y < shape[-2] and 0 <= x < shape[-1]):
        return _nothing(count, "has no such pixel")
    if len(shape) == 3 and shape[0] != count:
        return _nothing(count, f"is of {shape[0]} integrations, not of {count}")
    values = np.broadcast_to(_pixel(image, "data", x, y).astype(float), (count,))
    if not np.isfinite(values).any():
        return _nothing(count, "has no rate here")
    unit = unit_of(image, "data")
    if unit != "DN/s":
        return _nothing(count, f"is in {unit}, not in DN/s")
    flags = _pixel(image, "dq", x, y) if image.has("dq") else np.uint32(0)
    return values, np.broadcast_to(flags, (count,)), ""


def _add_line(ramp, rates, number):
    if np.isfinite(rates.values[number]):
        ramp.rate, ramp.source = float(rates.values[number]), rates.source
        ramp.pixel_flags |= int(rates.flags[number])
        add_lines(ramp)
    else:
        draw_straight(ramp, rates.reason or f"{rates.source} has no rate here")
