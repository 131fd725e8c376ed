"""Background exposures of a JWST exposure: which fit it, and their blocks on its pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rtools.errors import InputError, UsageError, with_article
from rtools.exposure.jwst.images import RatePlanes
from rtools.jwst import modes
from rtools.products.jwst import JwstProduct, open_jwst

__all__ = ["BackgroundBlocks", "open_backgrounds"]

SAME = ("instrument.name", "instrument.detector", "instrument.filter", "instrument.pupil", "instrument.grating")
"""Metadata that a background has as its target has them, where both do."""

KINDS = ("rate", "rateints")


def open_backgrounds(
    target: JwstProduct, paths: Sequence[str | Path], ramps: Mapping[str, str]
) -> tuple[JwstProduct, ...]:
    """Open exposures that show the background of another.

    Parameters
    ----------
    target : JwstProduct
        The exposure that loses it.
    paths : sequence of str or Path
        Their files.
    ramps : mapping of str to str
        Files that are not there yet, and the ramps that they will be made of, which are opened instead.

    Returns
    -------
    tuple of JwstProduct

    Raises
    ------
    InputError
        The target is calibrated already, or its background is made in another way; a background is no rate, is of
        another detector, optical element or unit, or covers nothing of the target.
    UsageError
        One is the target itself.
    """
    kind = str(target.meta["exposure"].get("type"))
    if kind in modes.SCALED_BACKGROUND:
        raise InputError(f"{kind}: its background is scaled from a template, which is not done here", path=target.path)
    if target.kind in ("cal", "calints"):
        raise InputError(f"is {with_article(target.kind)}, wanted {' or '.join(KINDS)}", path=target.path)
    found = []
    for path in paths:
        file = ramps.get(str(path), path)
        if Path(file).exists() and Path(file).samefile(target.path):
            raise UsageError("is the target and a background of it", path=path)
        found.append(open_jwst(file))
        if file == path:
            _refuse_other_kind(target, found[-1])
        _refuse_misfit(target, found[-1])
    return tuple(found)


def _refuse_other_kind(target, product):
    if product.kind not in KINDS:
        raise InputError(f"is {with_article(product.kind)}, wanted {' or '.join(KINDS)}", path=product.path)
    own, other = (one.arrays["data"].unit for one in (target, product))
    if target.kind in (*KINDS, "bsub", "bsubints") and own and other and own != other:
        raise InputError(f"in {other}, and {target.path} is in {own}", path=product.path)


def _refuse_misfit(target, product):
    for key in SAME:
        part, name = key.split(".")
        own, other = ((one.meta.get(part) or {}).get(name) for one in (target, product))
        if None not in (own, other) and own != other:
            raise InputError(f"its {key} is {other}, that of {target.path} is {own}", path=product.path)
    if not all(_overlap(*spans) for spans in _spans(target, product)):
        raise InputError(f"covers no pixel of {target.path}", path=product.path)


def _corner(product):
    """First row and column on the detector, from 0."""
    place = product.meta.get("subarray") or {}
    y, x = (place.get(key) for key in ("ystart", "xstart"))
    return (0 if y is None else int(y) - 1), (0 if x is None else int(x) - 1)


def _spans(target, product):
    """Rows, then columns, of both on the detector: ((start, stop), (start, stop))."""
    starts = zip(_corner(target), _corner(product), strict=True)
    sizes = zip(target.arrays["data"].shape[-2:], product.arrays["data"].shape[-2:], strict=True)
    return [
        ((own, own + size), (other, other + length)) for (own, other), (size, length) in zip(starts, sizes, strict=True)
    ]


COPIES = 16
"""Planes of four bytes for each image of which a clipped mean is taken."""


def _overlap(own, other):
    return max(own[0], other[0]) < min(own[1], other[1])


class BackgroundBlocks:
    """Background exposures of which the engine cuts blocks; a `rtools.pipeline.jwst.engine.BlockReference`.

    Parameters
    ----------
    target : JwstProduct
        Whose pixels the blocks are on.
    exposures : sequence of JwstProduct
        As `open_backgrounds` gives them.
    """

    def __init__(self, target: JwstProduct, exposures: Sequence[JwstProduct]):
        self.exposures = tuple(exposures)
        self._places = [_spans(target, one) for one in exposures]

    is_plane = True

    @property
    def planes(self) -> int:
        """Planes of pixels that take as much memory as the mean of all exposures does."""
        shapes = [one.arrays["data"].shape for one in self.exposures]
        return COPIES * sum(shape[0] if len(shape) == 3 else 1 for shape in shapes)

    def block(self, rows: slice, columns: slice) -> dict[str, Any]:
        """``exposures``: planes of each on a part of the target, not a number where it has no pixels."""
        made = [_part(one, spans, rows, columns) for one, spans in zip(self.exposures, self._places, strict=True)]
        return {"exposures": made}


def _part(product, spans, *part):
    """Planes of one exposure on rows and columns of the target."""
    read, put = [], []
    for (own, other), wanted in zip(spans, part, strict=True):
        start, stop, _step = wanted.indices(own[1] - own[0])
        first, last = max(own[0] + start, other[0]), min(own[0] + stop, other[1])
        last = max(first, last)
        read.append(slice(first - other[0], last - other[0]))
        put.append(slice(first - own[0] - start, last - own[0] - start))
    shape = tuple(len(range(*wanted.indices(own[1] - own[0]))) for (own, _), wanted in zip(spans, part, strict=True))
    lead = product.arrays["data"].shape[:-2]
    planes = {}
    for name, void in (("data", np.float32(np.nan)), ("err", np.float32(0)), ("dq", np.uint32(0))):
        planes[name] = np.full((*lead, *shape), void)
        if all(one.stop > one.start for one in read):
            planes[name][..., put[0], put[1]] = product.section(name, *read)
    none = np.zeros(0, np.float32)
    return RatePlanes(planes["data"], planes["err"], planes["dq"], none, none)
