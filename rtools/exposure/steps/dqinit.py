"""From raw integers to a ramp: data quality planes, and the encoding of the data undone.

It turns uint16 into float32, adds the reference read that was subtracted on board, removes the encoding offset, and
starts the pixel flags from the mask reference and the guide window. It must not run twice on the same data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rtools.declare import Option, RampStep, Reference
from rtools.exposure.frame import Exposure, Strip, View, given
from rtools.wfi import metadata
from rtools.wfi.dq import PIXEL
from rtools.wfi.fill import FILL_NUMBER
from rtools.wfi.frame import BORDER

__all__ = ["STEP", "Start", "apply", "guide_boxes", "prepare", "ramp_meta"]

DO_NOT_USE = PIXEL["DO_NOT_USE"]
GW_AFFECTED_DATA = PIXEL["GW_AFFECTED_DATA"]

WINDOW = ("window_xstart", "window_xstop", "window_ystart", "window_ystop")
"""Keys of `meta.guide_star`: pixels of the full frame, stop exclusive."""


@dataclass
class Start:
    """What every strip of an exposure needs.

    Attributes
    ----------
    offset : int
        DN to subtract.
    boxes : list of (slice, slice, int)
        Rows, columns and the bits to set there in pixeldq, in full-frame pixels.
    borders : dict of str to ndarray
        The exposure's border arrays; each strip fills its columns.
    """

    offset: int = 0
    boxes: list[tuple[slice, slice, int]] = field(default_factory=list)
    borders: dict[str, np.ndarray] = field(default_factory=dict)


def prepare(exposure: Exposure, view: View, refs: dict, options: dict) -> Start:
    """Restore amp33, make room for the borders, find the guide window.

    Parameters
    ----------
    exposure : rtools.exposure.frame.Exposure
        Its `amp33`, `reference_amp33` and `borders` change; offset and guide window are read from its metadata.
    view : rtools.exposure.frame.View
        Not used.
    refs : dict
        Not used.
    options : dict
        Options of the step; `expand_gw` is read.

    Returns
    -------
    Start
        What `apply` needs.
    """
    meta = exposure.meta
    offset = 0
    # A ramp whose dq_init is SKIPPED has been through all of this step but the mask.
    if exposure.raw or (meta.get("cal_step") or {}).get("dq_init") != "SKIPPED":
        offset = int(meta["instrument"].get("data_encoding_offset") or 0)
    _restore_amp33(exposure, offset)
    exposure.borders.update(_borders(exposure.shape))
    boxes = guide_boxes(_guide_window(exposure), exposure.shape[1:], options["expand_gw"])
    return Start(offset, boxes, exposure.borders)


def _restore_amp33(exposure, offset):
    """Add the reference read of amp33 and subtract the offset, without wrapping at 65536."""
    extra = exposure.reference_amp33
    exposure.reference_amp33 = None
    if exposure.amp33 is None or (extra is None and not offset):
        return
    total = exposure.amp33.astype(np.int32) - offset
    if extra is not None:
        total += extra
    exposure.amp33 = np.clip(total, 0, 65535).astype(np.uint16)


def _borders(shape):
    """Border arrays of zeros for data (DN) and flags."""
    groups, rows, columns = shape
    sizes = {"left": (rows, BORDER), "right": (rows, BORDER), "top": (BORDER, columns), "bottom": (BORDER, columns)}
    made = {}
    for side, size in sizes.items():
        made[f"border_ref_pix_{side}"] = np.zeros((groups, *size), np.float32)
        made[f"dq_border_ref_pix_{side}"] = np.zeros(size, np.uint32)
    return made


def _guide_window(exposure):
    """What `meta.guide_star` says of the window; nothing, and a warning, where that cannot be."""
    stated = exposure.meta.get("guide_star") or {}
    window = {key: stated.get(key) for key in WINDOW}
    if all(value in (None, FILL_NUMBER) for value in window.values()):
        exposure.log("info", "no guide window in meta.guide_star")
        return {}

    def log(level, text):
        exposure.log(level, f"dqinit: {text}")

    for key in WINDOW:
        window[key] = metadata.usable(exposure.meta, f"guide_star.{key}", log, "no guide window is flagged")
    for axis in "xy":
        start, stop = window[f"window_{axis}start"], window[f"window_{axis}stop"]
        if start is not None and stop is not None and stop <= start:
            log(
                "warning", f"meta.guide_star.window_{axis}stop is {stop}, not above {start}: no guide window is flagged"
            )
            return {}
    return window


def guide_boxes(
    guide_star: Mapping[str, Any], shape: tuple[int, int], expand: int = 0
) -> list[tuple[slice, slice, int]]:
    """Where the guide window touches a frame.

    Parameters
    ----------
    guide_star : mapping of str to object
        `meta.guide_star` with window_{x,y}{start,stop} in full-frame pixels, stop exclusive.
    shape : tuple of int
        (rows, columns) of the frame.
    expand : int
        Pixels to add on every side of the window proper.

    Returns
    -------
    list of (slice, slice, int)
        Rows, columns and bits: its columns from top to bottom, and the window. Empty where there is no window or it
        begins outside the frame.
    """
    corners = [int(guide_star[key]) for key in WINDOW if guide_star.get(key) is not None]
    if len(corners) < len(WINDOW):
        return []
    x0, x1, y0, y1 = corners
    rows, columns = shape
    if not (0 <= x0 < columns and 0 <= y0 < rows):
        return []
    columns_read = slice(x0, min(max(x1, 0), columns))
    x = slice(max(x0 - expand, 0), min(max(x1 + expand, 0), columns))
    y = slice(max(y0 - expand, 0), min(max(y1 + expand, 0), rows))
    return [(slice(0, rows), columns_read, GW_AFFECTED_DATA), (y, x, GW_AFFECTED_DATA | DO_NOT_USE)]


def apply(strip: Strip, refs: dict, options: dict, prepared: Start) -> None:
    """Make a ramp strip of a raw one, in place, and copy its part of the borders.

    Parameters
    ----------
    strip : rtools.exposure.frame.Strip
        Its data become float32 DN, its flags are begun, its reference read is used up.
    refs : dict
        ``refs["mask"]["dq"]``, (rows, columns) of the strip; without a mask only the guide window is flagged.
    options : dict
        Not used.
    prepared : Start
        What `prepare` returned; its borders are filled.
    """
    raw = given(strip.data)
    if strip.pixeldq is None:
        strip.pixeldq = np.zeros(raw.shape[1:], np.uint32)
    if strip.groupdq is None:
        strip.groupdq = np.zeros(raw.shape, np.uint8)
    strip.data = np.asarray(raw, dtype=np.float32)
    if strip.reference_read is not None:
        strip.data += strip.reference_read.astype(np.float32)
        strip.reference_read = None
    if prepared.offset:
        strip.data -= np.float32(prepared.offset)
    for rows, columns, bits in prepared.boxes:
        first, last = max(columns.start, strip.start), min(columns.stop, strip.stop)
        if first < last:
            strip.pixeldq[rows, first - strip.start : last - strip.start] |= np.uint32(bits)
    if "mask" in refs:
        strip.pixeldq |= refs["mask"]["dq"]
    _copy_borders(strip, prepared.borders)


def _copy_borders(strip, borders):
    """Fill the strip's columns of the border arrays; top is rows 0 … 3."""
    frame = slice(strip.start, strip.stop)
    for side, rows in (("top", slice(None, BORDER)), ("bottom", slice(-BORDER, None))):
        borders[f"border_ref_pix_{side}"][..., frame] = strip.data[:, rows]
        borders[f"dq_border_ref_pix_{side}"][:, frame] = strip.pixeldq[rows]
    for side, first in (("left", 0), ("right", strip.frame_columns - BORDER)):
        low, high = max(strip.start, first), min(strip.stop, first + BORDER)
        if low < high:
            here, there = slice(low - strip.start, high - strip.start), slice(low - first, high - first)
            borders[f"border_ref_pix_{side}"][..., there] = strip.data[..., here]
            borders[f"dq_border_ref_pix_{side}"][:, there] = strip.pixeldq[:, here]


def ramp_meta(meta: dict[str, Any]) -> dict[str, Any]:
    """Metadata of a ramp from those of a raw product: `exposure.data_problem` is a string or null there.

    Parameters
    ----------
    meta : dict of str to object
        The tree below ``roman.meta``; not changed.

    Returns
    -------
    dict of str to object
        The same with an `exposure` of its own.
    """
    exposure = dict(meta["exposure"])
    problem = exposure.get("data_problem")
    if isinstance(problem, bool | np.bool_):
        exposure["data_problem"] = "True" if problem else None
    return {**meta, "exposure": exposure}


STEP = RampStep(
    name="dqinit",
    cal_step="dq_init",
    memory="0.6 GiB for a full frame of 9 resultants, mapped input included (-j 2).",
    suffix="dqinit",
    summary="Make a ramp of raw data and start its data quality planes.",
    description=(
        "data become float32; the reference read is added and the encoding offset subtracted (also in amp33, in wide "
        "integers, clipped to 0…65535). groupdq starts from resultantdq, pixeldq from the mask reference; all columns "
        "of the guide window get GW_AFFECTED_DATA, the window itself also DO_NOT_USE. The four borders of reference "
        "pixels are copied. Without a mask all this is still done, and the status is SKIPPED."
    ),
    examples=("rt-dqinit X_uncal.asdf", "rt-dqinit X_uncal.asdf --expand-gw 2 --ref mask=mymask.asdf"),
    options=(
        Option(
            "expand-gw", 0, "Enlarge the guide window on every side, in pixels.", minimum=0, peer="expand_gw_flagging"
        ),
    ),
    references=(Reference("mask", planes=("dq",), may_misfit=True),),
    metadata_if_any=("instrument.data_encoding_offset",),
    runs_without_reference=True,
    once=True,
    takes_raw=True,
    prepare=prepare,
    apply=apply,
)
