"""Mosaics of a report: depth, weight, and the images that they are made of."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from rtools.pipeline.report.findings import MemberFindings, MosaicFindings
from rtools.pipeline.report.identity import text_at
from rtools.pipeline.report.images import block_of, rows_of_bands, unit_of_image
from rtools.quality import ImageQuality, measure_mosaic
from rtools.wfi.metadata import get

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace

__all__ = ["MOSAICS", "mosaic_findings", "mosaic_values"]

MOSAICS = ("l3_coadd", "i2d")

CONTEXTS, WEIGHTS = ("context", "con"), ("weight", "wht")

SKY = re.compile(r"(?P<name>.+): sky level (?P<level>\S+)")
OUTLIERS = re.compile(r"(?P<name>.+): (?P<count>\d{1,12}) outliers?")

SETTINGS = {
    "pixfrac": ("resample.pixfrac", "resample.pixel_fraction"),
    "pixel scale ratio": ("resample.pixel_scale_ratio",),
    "weights": ("resample.weight_type",),
    "good bits": ("resample.good_bits",),
    "pointings": ("resample.pointings", "resample.pointings"),
    "skycell": ("wcsinfo.skycell_name",),
}
"""How a mosaic was made, and where its metadata say it."""


def mosaic_findings(product: ProductFace, logs: Iterable[tuple[str, str]], side: int) -> MosaicFindings | None:
    """What a mosaic is like; None where it does not say which images lie in its pixels.

    Parameters
    ----------
    product : ProductFace
        Opened.
    logs : iterable of (str, str)
        Level and text of each line of its log.
    side : int
        Pixels of the longer side of its pictures, at most.

    Returns
    -------
    MosaicFindings or None
    """
    shape = product.arrays["data"].shape[-2:]
    context = next((name for name in CONTEXTS if product.has(name)), None)
    if context is None or product.arrays[context].shape[-2:] != shape or product.arrays[context].dtype.kind not in "iu":
        return None
    weight = next((name for name in WEIGHTS if product.has(name) and product.arrays[name].shape == shape), None)
    block = block_of(product, side)
    quality = measure_mosaic(_bands(product, context, weight, block), block=block)
    settings = {name: text_at(product.meta, *paths) for name, paths in SETTINGS.items()}
    return MosaicFindings(
        quality,
        _members(product.meta, logs),
        unit_of_image(product),
        {key: one for key, one in settings.items() if one},
    )


def _bands(product, context, weight, block) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    shape = product.arrays[context].shape
    for rows in rows_of_bands(shape[-2], shape[-1], block):
        bits = product.section(context, rows, slice(None)).reshape(-1, rows.stop - rows.start, shape[-1])
        yield bits, None if weight is None else product.section(weight, rows, slice(None))


def _members(meta, logs):
    """Images of a mosaic, with what its log says of them."""
    listed = get(meta, "resample.members")
    names = map(str, listed) if isinstance(listed, list) else ()
    found: dict[str, dict[str, str]] = {os.path.basename(name): {} for name in names}
    for _level, text in logs:
        for key, pattern in (("sky", SKY), ("outliers", OUTLIERS)):
            if match := pattern.fullmatch(text):
                found.setdefault(os.path.basename(match["name"]), {})[key] = match[2]
    return tuple(
        MemberFindings(name, told.get("sky", ""), int(told["outliers"]) if "outliers" in told else None)
        for name, told in found.items()
    )


def mosaic_values(found: MosaicFindings, quality: ImageQuality) -> dict[str, float]:
    """Numbers of a mosaic, by the keys of `rtools.quality.METRICS`.

    Parameters
    ----------
    found : MosaicFindings
        Of the mosaic.
    quality : rtools.quality.ImageQuality
        Of its image.

    Returns
    -------
    dict of str to float
        What is not known is not in it.
    """
    values = {
        "sky": quality.sky,
        "noise": quality.noise,
        "depth": found.quality.depth,
        "empty": 100 * found.quality.empty,
        "shallow": 100 * found.quality.shallow,
    }
    return {key: value for key, value in values.items() if np.isfinite(value)}
