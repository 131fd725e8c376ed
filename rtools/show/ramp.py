"""The resultants of one pixel: values, flags, jumps and the fitted line, as text and as a figure."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError
from rtools.exposure.rampfit.timing import resultant_timing
from rtools.products import names
from rtools.products.edit.section import shift_between
from rtools.products.io import open_product
from rtools.products.schema.nodes import readable
from rtools.show.image import unit_of
from rtools.wfi import dq, metadata
from rtools.wfi.frame import BORDER
from rtools.work import Work

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rtools.products.io.product import Product
    from rtools.show.terminal import Style

__all__ = ["PixelRamp", "draw_ramp", "load_ramp", "plot_ramp"]

JUMP = dq.GROUP["JUMP_DET"]


@dataclass
class PixelRamp:
    """One pixel's resultants.

    Attributes
    ----------
    title, unit : str
    times : ndarray float64 (n,)
        Mean time of the reads of each resultant, s.
    values : ndarray float64 (n,)
    flags : ndarray uint8 (n,)
        Group flags.
    pixel_flags : int
        Flags of the pixel.
    jumps : list of int
        Resultants before which the signal jumps.
    rate : float
        Slope of the line, per second; NaN where there is none.
    source : str
        Where the rate comes from.
    lines : list of (ndarray, ndarray)
        Times and values of the line's parts, one between jumps.
    """

    title: str
    unit: str
    times: np.ndarray
    values: np.ndarray
    flags: np.ndarray
    pixel_flags: int = 0
    jumps: list[int] = field(default_factory=list)
    rate: float = np.nan
    source: str = ""
    lines: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    @property
    def bad(self) -> np.ndarray:
        """Resultants that no line can go through: flagged, but for those that begin after a jump."""
        return ((self.flags & ~np.uint8(JUMP)) != 0) | ~np.isfinite(self.values)

    def words(self, number: int) -> str:
        """Flags of a resultant as text."""
        flagged = dq.names(int(self.flags[number]), dq.GROUP)
        jumped = ["JUMP_DET"] * (number in self.jumps and "JUMP_DET" not in flagged)
        return "|".join([*flagged, *jumped])


def load_ramp(
    product: Product,
    x: int,
    y: int,
    *,
    frame: str | None = None,
    rate: str | Path | None = None,
    called: str | None = None,
) -> PixelRamp:
    """Read a pixel's resultants, and the line from its image.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Raw exposure or ramp.
    x, y : int
        In pixels of the product, or of `frame`.
    frame : str, optional
        Frame that x and y count in; by default the pixels of the product.
    rate : str, optional
        Image whose rate is drawn; by default the ``_cal`` or the ``_rampfit`` beside the product, the first that has
        one, else a straight line through the unflagged resultants.
    called : str, optional
        What the picture calls the file, if not by its name.

    Returns
    -------
    PixelRamp

    Raises
    ------
    InputError
        The product is not a ramp, or the pixel lies outside.
    """
    if product.kind not in ("l1_uncal", "ramp"):
        stem = names.split_suffix(product.path)[0] if product.kind == "l2_image" else ""
        message = f"has no resultants (it is {product.reftype or product.kind})"
        wanted = f"--ramp takes {stem}_uncal.asdf, or its ramp {stem}_dqinit.asdf … {stem}_linearity.asdf"
        raise InputError(message, mend=wanted if stem else "--ramp takes a raw exposure or a ramp", path=product.path)
    metadata.require(product.meta, "exposure.read_pattern", "exposure.frame_time", path=product.path)
    x, y = (value + BORDER * (frame == "l2") for value in (x, y))
    shape = product.arrays["data"].shape if product.has("data") else ()
    if len(shape) != 3:
        raise InputError("the array data is not a ramp", path=product.path)
    if not (0 <= x < shape[2] and 0 <= y < shape[1]):
        raise InputError(f"pixel {x},{y} is outside of the {shape[2]} x {shape[1]} pixels", path=product.path)
    exposure = product.meta["exposure"]
    ramp = PixelRamp(
        title=f"{called or Path(product.path).name}  pixel {x},{y}",
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
            _add_lines(ramp)
            return
        reasons.append(f"{name.name} {reason}")
    _straight(ramp, "; ".join(reasons) or "no _cal or _rampfit beside it")


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


def _add_lines(ramp):
    """Lines of the rate, between jumps each at the level of the resultants there."""
    good = ~ramp.bad
    edges = [0, *[jump for jump in ramp.jumps if jump], len(ramp.values)]
    for first, last in pairwise(edges):
        inside = first + np.flatnonzero(good[first:last])
        if len(inside):
            level = ramp.values[inside].mean() - ramp.rate * ramp.times[inside].mean()
            ends = _ends(ramp, inside, first, last)
            ramp.lines.append((ends, level + ramp.rate * ends))


def _ends(ramp, inside, first, last):
    """Times where a line begins and ends: no more than one resultant beyond those that it goes through."""
    return ramp.times[[max(inside[0] - 1, first), min(inside[-1] + 1, last - 1)]]


def _straight(ramp, reason):
    """A straight line through the resultants without any flag."""
    good = ~ramp.bad & (ramp.flags == 0)
    good[[jump for jump in ramp.jumps if jump < len(good)]] = False
    ramp.source = f"straight line through {np.count_nonzero(good)} unflagged resultants; {reason}"
    if np.count_nonzero(good) < 2:
        return
    ramp.rate, level = (float(value) for value in np.polyfit(ramp.times[good], ramp.values[good], 1))
    ends = _ends(ramp, np.flatnonzero(good), 0, len(good))
    ramp.lines = [(ends, level + ramp.rate * ends)]


def _caption(ramp):
    """The line, and the pixel's flags, in words."""
    rate = f"{ramp.rate:.6g} {ramp.unit}/s" if np.isfinite(ramp.rate) else "no line"
    flags = "|".join(dq.names(ramp.pixel_flags)) or "none"
    return f"line: {rate} ({ramp.source})", f"pixel flags: {flags}"


def draw_ramp(ramp: PixelRamp, style: Style, *, height: int = 16) -> list[str]:
    """Lines of text: the ramp over time, then a table of its resultants.

    Parameters
    ----------
    ramp : PixelRamp
        What is drawn.
    style : rtools.show.terminal.Style
        How wide it may be, and of which characters.
    height : int
        Lines of the plot.

    Returns
    -------
    list of str
        Title, plot, axis, key, caption and table.
    """
    width = min(style.columns, 100) - 12
    marks = ("●", "○", "·", "│") if style.unicode else ("*", "o", ".", "|")
    shown = [ramp.values[np.isfinite(ramp.values)], *(values for _times, values in ramp.lines)]
    low, high = min(map(np.min, shown), default=0), max(map(np.max, shown), default=1)
    span, length = (high - low) or 1, (np.ptp(ramp.times) or 1)
    grid = np.full((height, width), " ")

    def put(times, values, mark):
        column = np.round((times - ramp.times[0]) / length * (width - 1)).astype(int)
        line = np.round((np.asarray(values) - low) / span * (height - 1)).astype(int)
        grid[line, column] = mark

    for jump in ramp.jumps:
        middle = (ramp.times[jump] + ramp.times[max(jump - 1, 0)]) / 2
        put(np.full(height, middle), np.linspace(low, high, height), marks[3])
    for ends, values in ramp.lines:
        along = np.linspace(0, 1, 2 * width)
        put(ends[0] + along * np.ptp(ends), values[0] + along * (values[1] - values[0]), marks[2])
    for which, mark in ((~ramp.bad, marks[0]), (ramp.bad & np.isfinite(ramp.values), marks[1])):
        put(ramp.times[which], ramp.values[which], mark)
    labels = {height - 1: f"{high:.5g}", 0: f"{low:.5g}"}
    plot = [f"{labels.get(line, ''):>10}  " + "".join(grid[line]).rstrip() for line in range(height - 1, -1, -1)]
    first, last = f"{ramp.times[0]:.5g} s", f"{ramp.times[-1]:.5g} s"
    axis = " " * 12 + first + last.rjust(width - len(first))
    key = f"{marks[0]} resultant  {marks[1]} flagged  {marks[3]} jump  {marks[2]} line"
    return [f"{ramp.title}  [{ramp.unit}]", *plot, axis, key, *_caption(ramp), "", *_table(ramp)]


def _table(ramp):
    yield f"{'resultant':>9} {'time/s':>10} {'value/' + ramp.unit:>12}  flags"
    for number, (time, value) in enumerate(zip(ramp.times, ramp.values, strict=True)):
        yield f"{number:>9} {time:>10.2f} {value:>12.6g}  {ramp.words(number)}".rstrip()


def plot_ramp(ramp: PixelRamp, title: str | None = None) -> Figure:
    """A figure of the ramp, flagged resultants with their flags, and of what the line leaves.

    Parameters
    ----------
    ramp : PixelRamp
        What is drawn.
    title : str, optional
        Instead of the file and the pixel.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 6), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    good, bad = ~ramp.bad, ramp.bad
    for number, (ends, values) in enumerate(ramp.lines):
        label = f"{ramp.rate:.5g} {ramp.unit}/s, {_wrapped(ramp.source)}" if number == 0 else None
        top.plot(ends, values, color="tab:orange", lw=1.8, zorder=2, label=label)
    top.plot(ramp.times[good], ramp.values[good], "o", color="tab:blue", ms=7, zorder=3, label="resultant")
    if bad.any():
        top.plot(ramp.times[bad], ramp.values[bad], "o", mfc="white", mec="tab:red", ms=7, zorder=3, label="flagged")
    middle = (np.nanmin(ramp.values) + np.nanmax(ramp.values)) / 2
    for number in np.nonzero(ramp.flags & ~np.uint8(JUMP))[0].tolist():
        low = ramp.values[number] < middle  # the words go where there is room
        place = {"va": "bottom" if low else "top", "xytext": (0, 9 if low else -9), "textcoords": "offset points"}
        look = {"ha": "center", "fontsize": 7, "color": "tab:red", "rotation": 90}
        top.annotate(ramp.words(number).replace("|", "\n"), (ramp.times[number], ramp.values[number]), **place, **look)
    for number, jump in enumerate(ramp.jumps):
        middle = (ramp.times[jump] + ramp.times[max(jump - 1, 0)]) / 2
        for axes in (top, bottom):
            axes.axvline(middle, color="tab:purple", ls="--", lw=1.2, zorder=1,
                         label="jump" if number == 0 and axes is top else None)  # fmt: skip
    top.legend(frameon=False, fontsize=9)
    top.set(ylabel=f"signal [{ramp.unit}]", title=readable(title if title is not None else ramp.title))
    top.title.set_fontsize(10)
    top.margins(y=0.12)
    for ends, values in ramp.lines:
        inside = good & (ramp.times >= ends[0]) & (ramp.times <= ends[1])
        line = np.interp(ramp.times[inside], ends, values)
        bottom.plot(ramp.times[inside], ramp.values[inside] - line, "o", color="tab:blue", ms=5)
    bottom.axhline(0, color="tab:orange", lw=1.5, zorder=1)
    bottom.set(xlabel="time since the start of the exposure [s]", ylabel=f"minus line [{ramp.unit}]")
    for axes in (top, bottom):
        axes.grid(alpha=0.25)
    flags = "|".join(dq.names(ramp.pixel_flags))
    if flags:
        figure.text(0.995, 0.005, f"pixel: {flags}", ha="right", va="bottom", fontsize=7, color="0.4")
    return figure


def _wrapped(text):
    from textwrap import fill

    return fill(text, 60)
