"""What a file says of one of its pixels: values, flags, jumps, place, and the source whose segment it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import OutsideError, RtoolsError
from rtools.products.edit.flags import flag_arrays
from rtools.products.edit.section import frame_of, origin_of, shift_between
from rtools.products.opening import open_any
from rtools.show.beside import file_beside, ramps_beside
from rtools.show.units import unit_of
from rtools.wfi import dq
from rtools.wfi.frame import BORDER

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace

__all__ = ["PixelFacts", "frame_numbers", "pixel_facts", "pixel_words", "pixels_shape"]

RAW = ("l1_uncal", "ramp", "uncal")
"""Kinds of products that are ramps themselves."""


@dataclass
class PixelFacts:
    """One pixel of one file.

    Attributes
    ----------
    x, y : int
        In pixels of the file, from 0.
    numbers : dict of str to (int, int)
        The same pixel by frame: ``l1`` with the border of reference pixels and ``l2`` without, of Roman; of JWST
        ``detector``, from 1, as SUBSTRT1 counts.
    sky : (float, float) or None
        Right ascension and declination of its centre, degrees; None where nothing says it.
    flags : dict of str to int
        Array of flags to its value here; those of groups are all groups' together.
    bits : dict of str to (mapping of str to int)
        Names of the bits of these arrays.
    values : dict of str to list of float
        Array to its values here, one for each plane.
    units : dict of str to str
        Units of the arrays that have any.
    jumps : list of dict
        ``resultant`` and ``time`` (s since the begin of the exposure), of JWST ``integration`` and ``group``.
    jumps_from : str
        Who says them; empty where nobody does.
    source : dict
        ``label``, and of the catalog beside it ``ra`` and ``dec``; empty where there is no segment.
    """

    x: int
    y: int
    numbers: dict[str, tuple[int, int]]
    sky: tuple[float, float] | None = None
    flags: dict[str, int] = field(default_factory=dict)
    bits: dict[str, Any] = field(default_factory=dict)
    values: dict[str, list[float]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    jumps: list[dict[str, float]] = field(default_factory=list)
    jumps_from: str = ""
    source: dict[str, Any] = field(default_factory=dict)

    def names(self, array: str) -> list[str]:
        """Names of the flags of an array that are set."""
        return dq.names(self.flags[array], self.bits[array])


def pixel_facts(product: ProductFace, x: int, y: int, wcs: Any = None) -> PixelFacts:
    """What a file says of a pixel.

    Parameters
    ----------
    product : ProductFace
        Opened.
    x, y : int
        In pixels of the file, from 0.
    wcs : optional
        The coordinates of the file's pixels, where it has any.

    Returns
    -------
    PixelFacts

    Raises
    ------
    OutsideError
        The file has no pixels, or not this one.
    """
    shape = pixels_shape(product)
    if not (0 <= x < shape[1] and 0 <= y < shape[0]):
        raise OutsideError(f"pixel {x},{y} is outside of the {shape[1]} x {shape[0]} pixels", path=product.path)
    facts = PixelFacts(x, y, frame_numbers(product, x, y))
    if wcs is not None:
        from rtools.astrometry.pixels import pixels_to_sky

        ra, dec = (float(value) for value in pixels_to_sky(wcs, x, y))
        facts.sky = (ra, dec) if np.isfinite([ra, dec]).all() else None
    flagged = flag_arrays(product)
    for name, info in product.arrays.items():
        if info.shape[-2:] == shape and info.dtype.kind in "iufb":
            _add_array(facts, product, name, flagged)
    _add_jumps(facts, product)
    _add_source(facts, product)
    return facts


def pixels_shape(product: ProductFace) -> tuple[int, int]:
    """Rows and columns of the pixels of a file.

    Parameters
    ----------
    product : ProductFace
        Opened.

    Returns
    -------
    (int, int)

    Raises
    ------
    InputError
        It has no pixels.
    """
    from rtools.products.edit.cutout import image_shape

    return image_shape(product)


def frame_numbers(product: ProductFace, x: int, y: int) -> dict[str, tuple[int, int]]:
    """A pixel's numbers in the frames of its detector.

    Parameters
    ----------
    product : ProductFace
        Opened.
    x, y : int
        Column and row in the file, from 0.

    Returns
    -------
    dict of str to (int, int)
        Column and row by frame: ``l1`` with the border of reference pixels and ``l2`` without, of Roman; ``detector``
        of JWST, from 1. Empty where neither applies.
    """
    if product.mission == "jwst":
        column, row = origin_of(product)
        return {"detector": (x + column + 1, y + row + 1)} if product.meta.get("subarray") else {}
    if frame_of(product) is None:
        return {}
    column, row = origin_of(product)
    return {"l1": (x + column + BORDER, y + row + BORDER), "l2": (x + column, y + row)}


def pixel_words(product: ProductFace, x: int, y: int) -> str:
    """A pixel in words, with its numbers in the frames of its detector where these are others.

    Parameters
    ----------
    product : ProductFace
        Opened.
    x, y : int
        Column and row in the file, from 0.

    Returns
    -------
    str
        ``pixel 104,204  L2 100,200``.
    """
    others = frame_numbers(product, x, y).items()
    return "  ".join([f"pixel {x},{y}", *(f"{frame.upper()} {a},{b}" for frame, (a, b) in others if (a, b) != (x, y))])


def _add_array(facts, product, name, flagged):
    found = product.section(name, slice(facts.y, facts.y + 1), slice(facts.x, facts.x + 1))[..., 0, 0]
    if name in flagged:
        facts.flags[name] = int(np.bitwise_or.reduce(np.ravel(found), initial=0))
        facts.bits[name] = product.flag_bits(name)
        return
    facts.values[name] = np.ravel(found).astype(float).tolist()
    if unit := unit_of(product, name):
        facts.units[name] = unit


def _add_jumps(facts, product):
    """Jumps that the file says itself: a list of them, or flags of resultants and groups."""
    from rtools.products.schema.flag_tables import tables_of_mission

    jump = tables_of_mission(product.mission)["groupdq"]["JUMP_DET"]
    if product.has("jump_indices"):
        found = product.array("jump_indices")
        numbers = found[(found[:, 1] == facts.y) & (found[:, 2] == facts.x), 0].tolist()
        facts.jumps, facts.jumps_from = [{"resultant": int(one)} for one in sorted(numbers)], "jump_indices"
    elif product.has("groupdq"):
        flags = product.section("groupdq", slice(facts.y, facts.y + 1), slice(facts.x, facts.x + 1))[..., 0, 0]
        places = np.argwhere(flags & jump)
        words = ("integration", "group") if flags.ndim == 2 else ("resultant",)
        facts.jumps = [dict(zip(words, map(int, place), strict=True)) for place in places]
        facts.jumps_from = "groupdq"
    elif product.kind not in RAW and (ramp := next(ramps_beside(product), None)) is not None:
        with open_any(ramp) as beside:
            if beside.has("groupdq"):
                dx, dy = shift_between(product, beside)
                there = PixelFacts(facts.x + dx, facts.y + dy, {})
                _add_jumps(there, beside)
                facts.jumps, facts.jumps_from = there.jumps, ramp.name
        return
    _add_times(facts, product)


def _add_times(facts, product):
    """When the resultants, or groups, were read in which the signal jumped."""
    if not facts.jumps:
        return
    if product.mission == "jwst":
        from rtools.show.ramp_jwst import group_times

        times = group_times(product, max(jump["group"] for jump in facts.jumps) + 1)
        key = "group"
    else:
        from rtools.exposure.rampfit.timing import resultant_timing

        exposure, key = product.meta.get("exposure") or {}, "resultant"
        if not (exposure.get("read_pattern") and exposure.get("frame_time")):
            return
        times = resultant_timing(exposure["read_pattern"], exposure["frame_time"]).mean
    for jump in facts.jumps:
        if jump[key] < len(times):
            jump["time"] = float(times[jump[key]])


def _add_source(facts, product):
    """The source whose segment the pixel belongs to, of the segmentation beside the file, and of its catalog."""
    segments = file_beside(product, "segm.fits" if product.mission == "jwst" else "segm.asdf")
    if segments is None or product.kind in RAW:
        return
    try:
        with open_any(segments) as segm:
            dx, dy = shift_between(product, segm)
            x, y = facts.x + dx, facts.y + dy
            rows, columns = segm.arrays["data"].shape[-2:]
            if not (0 <= x < columns and 0 <= y < rows):
                return
            label = int(segm.section("data", slice(y, y + 1), slice(x, x + 1))[..., 0, 0])
    except (RtoolsError, KeyError):
        return
    if label:
        facts.source = {"label": label, "segments": segments.name, **_catalog_row(product, label)}


def _catalog_row(product, label):
    """What the catalog beside a file says of the place of a source."""
    from rtools.products.tables import read_catalog

    endings = ("cat.ecsv",) if product.mission == "jwst" else ("cat.parquet", "cat.ecsv")
    path = next((found for ending in endings if (found := file_beside(product, ending))), None)
    if path is None:
        return {}
    try:
        rows = read_catalog(path, wanted=lambda name: name in ("label", "ra", "dec", "sky_centroid"))
    except RtoolsError:
        return {}
    if not {"label", "ra", "dec"} <= set(rows.colnames):
        return {}
    which = np.flatnonzero(np.asarray(rows["label"]) == label)
    return {key: float(rows[key][which[0]]) for key in ("ra", "dec")} if len(which) else {}
