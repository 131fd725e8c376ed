"""Images of a report: read in bands of rows, measured, and made small."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.jwst.modes import has_coordinates
from rtools.pipeline.report.findings import ExposureFindings, Pictures
from rtools.pipeline.report.identity import number_at, text_at
from rtools.products.edit.section import read_plane
from rtools.quality import BandOfRows, ImageQuality, measure_image
from rtools.reference.nominal import GAIN
from rtools.wfi.exposure_types import SKY_IMAGE_TYPES, reading_of
from rtools.wfi.instrument import FILTERS

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace

__all__ = [
    "RATES",
    "exposure_findings",
    "exposure_values",
    "image_array",
    "picture_side",
    "pictures_of",
    "quality_of",
    "unit_of_image",
]

RAMPS = ("l1_uncal", "ramp", "uncal")
"""Kinds whose numbers are no rates: of jumps, noise and sky nothing is said."""

RATES = ("l2_image", "rate", "rateints", "bsub", "bsubints", "cal", "calints", "crf", "crfints")
"""Kinds of exposures whose pixels are fitted."""

BAND_PIXELS = 1 << 21
"""Pixels that are in memory at a time, about."""

FEW = 8
"""Rows of a band in which the noise is measured."""

LAG = {"l3_coadd": 4, "i2d": 4}
"""Distance of pixels whose differences tell the noise: in mosaics neighbours share light."""

PICTURE_BYTES = 9 << 20
"""Of all pictures of a report together, about."""

PIXEL_BYTES = 0.9
"""Of a pixel of a picture as text, about."""

SIDES = (48, 224)
"""Least and largest side of a picture."""


def picture_side(count: int) -> int:
    """Pixels of the longer side of the pictures of a report: two of each product shall not be too much together.

    Parameters
    ----------
    count : int
        Of the products.

    Returns
    -------
    int
    """
    return int(np.clip((PICTURE_BYTES / (2 * PIXEL_BYTES * max(1, count))) ** 0.5, *SIDES))


def image_array(product: ProductFace) -> str | None:
    """The array of a product that is its image; None where it has none."""
    info = product.arrays.get("data")
    usable = info is not None and len(info.shape) >= 2 and 0 not in info.shape and info.dtype.kind in "fiu"
    return "data" if usable else None


def quality_of(product: ProductFace, side: int) -> ImageQuality:
    """Measure the image of a product: its last plane, where it is a cube.

    Parameters
    ----------
    product : ProductFace
        Opened; it has an array ``data``.
    side : int
        Pixels of the longer side of the picture, at most.

    Returns
    -------
    rtools.quality.ImageQuality
    """
    flags = _flags_of(product)
    table = product.flag_bits(flags) or {} if flags else {}
    bands = _bands(product, flags, block_of(product, side))
    unusable = table.get("DO_NOT_USE", 0)
    return measure_image(bands, table, block=block_of(product, side), unusable=unusable, lag=LAG.get(product.kind, 1))


def block_of(product: ProductFace, side: int) -> int:
    """Pixels of the image along each side of one of its picture."""
    return max(1, -(-max(product.arrays["data"].shape[-2:]) // side))


def rows_of_bands(height: int, width: int, block: int) -> Iterator[slice]:
    """Bands of rows, each of a multiple of `block` but for the last."""
    step = max(1, BAND_PIXELS // max(1, width) // block) * block
    for start in range(0, height, step):
        yield slice(start, min(start + step, height))


def _flags_of(product):
    """The array of flags of the image."""
    shape = product.arrays["data"].shape[-2:]
    for name in ("dq", "pixeldq"):
        if product.has(name) and product.arrays[name].shape[-2:] == shape:
            return name
    return None


def _last_plane(product, name):
    """Number of the last plane of an array, counted through all leading axes."""
    return int(np.prod(product.arrays[name].shape[:-2])) - 1


def _bands(product, flags, block):
    shape = product.arrays["data"].shape
    has_err = product.has("err") and product.arrays["err"].shape == shape
    for rows in rows_of_bands(shape[-2], shape[-1], block):
        few = slice(rows.start, min(rows.stop, rows.start + FEW if shape[-2] > 512 else rows.stop))
        yield BandOfRows(
            _read(product, "data", rows),
            _read(product, flags, rows) if flags else None,
            _read(product, "err", few).astype(np.float32) if has_err else None,
        )


def _read(product, name, rows):
    shape = product.arrays[name].shape
    if len(shape) > 3 and product.mission == "roman":
        return np.array(product.array(name, part=True).reshape(-1, *shape[-2:])[-1, rows])
    return read_plane(product, name, _last_plane(product, name), rows)


def pictures_of(product: ProductFace, quality: ImageQuality, side: int, segments: ProductFace | None) -> Pictures:
    """Small pictures of an image, with those of its segmentation map.

    Parameters
    ----------
    product : ProductFace
        Of the image.
    quality : rtools.quality.ImageQuality
        Has the picture of the whole.
    side : int
        Pixels of the longer side, at most.
    segments : ProductFace or None
        The segmentation map, of the shape of the image.

    Returns
    -------
    Pictures
    """
    block = block_of(product, side)
    if block == 1:
        return Pictures(quality.picture, 1, None, _labels(segments, slice(None), slice(None)) if segments else None)
    height, width = product.arrays["data"].shape[-2:]
    rows, columns = _middle(height, side), _middle(width, side)
    if not segments:
        return Pictures(quality.picture, block)
    cut = np.asarray(_read(product, "data", rows)[:, columns], np.float32).copy()
    flags = _flags_of(product)
    if flags:
        dq = _read(product, flags, rows)[:, columns]
        cut[(dq & dq.dtype.type((product.flag_bits(flags) or {}).get("DO_NOT_USE", 0))) != 0] = np.nan
    return Pictures(quality.picture, block, cut, _labels(segments, rows, columns))


def _middle(length, side):
    start = max(0, (length - side) // 2)
    return slice(start, min(length, start + side))


def _labels(segments, rows, columns):
    return read_plane(segments, "data", 0, rows)[:, columns].copy()  # not a part of what was read


def unit_of_image(product: ProductFace) -> str:
    """Unit of the pixels of an image, as its file or its steps say."""
    unit = product.arrays["data"].unit
    if unit:
        return str(unit)
    if product.mission == "jwst":
        return text_at(product.meta, "bunit_data")
    if product.kind == "l3_coadd":
        return "MJy/sr"
    if product.kind == "l2_image":
        return "MJy/sr" if text_at(product.meta, "cal_step.flux") == "COMPLETE" else "DN/s"
    return "DN"


def exposure_findings(product: ProductFace, quality: ImageQuality) -> ExposureFindings:
    """What an exposure is like.

    Parameters
    ----------
    product : ProductFace
        Opened.
    quality : rtools.quality.ImageQuality
        Of its image.

    Returns
    -------
    ExposureFindings
    """
    meta = product.meta
    reads, name, integrations = _reads_of_roman(meta) if product.mission == "roman" else _reads_of_jwst(meta)
    return ExposureFindings(
        quality.pixels, quality.flags, unit_of_image(product), reads, name, integrations,
        number_at(meta, "exposure.frame_time"),
    )  # fmt: skip


MOST_READS = 5000
"""Resultants or groups of which a pattern is drawn: a file that says more is not believed."""


def _reads_of_roman(meta):
    pattern = meta.get("exposure", {}).get("read_pattern") if isinstance(meta.get("exposure"), dict) else None
    found = []
    for reads in pattern[:MOST_READS] if isinstance(pattern, list) else ():
        if isinstance(reads, list) and reads and all(isinstance(one, int) for one in reads):
            found.append((min(reads), max(reads)))
    return tuple(found), text_at(meta, "exposure.ma_table_name"), 1


def _reads_of_jwst(meta):
    """Groups of one integration, in frames from 1; frames of a group are read together, gaps between groups dropped."""
    ngroups, nframes, gap, nints = (
        number_at(meta, f"exposure.{key}") for key in ("ngroups", "nframes", "groupgap", "nints")
    )
    if not 1 <= ngroups <= MOST_READS:
        return (), text_at(meta, "exposure.readpatt"), 1
    nframes, gap = (int(value) if value == value and value >= 0 else 0 for value in (nframes, gap))
    nframes = max(1, nframes)
    step = nframes + gap
    reads = tuple((1 + number * step, number * step + nframes) for number in range(int(ngroups)))
    return reads, text_at(meta, "exposure.readpatt"), int(nints) if nints == nints else 1


def exposure_values(
    product: ProductFace, quality: ImageQuality, found: ExposureFindings, exposure_time: float
) -> dict[str, float]:
    """Numbers of an exposure, by the keys of `rtools.quality.METRICS`.

    Parameters
    ----------
    product : ProductFace
        Opened.
    quality : rtools.quality.ImageQuality
        Of its image.
    found : ExposureFindings
        Of the same.
    exposure_time : float
        Seconds; NaN where the file does not say.

    Returns
    -------
    dict of str to float
        What is not known is not in it.
    """
    values = {"good_fraction": 100 * quality.good / max(1, quality.pixels)}
    if product.kind in RAMPS:
        return values
    sky = number_at(product.meta, "statistics.image_median") if product.mission == "roman" else float("nan")
    sky = sky if sky == sky else quality.sky
    values |= {"sky": sky, "noise": quality.noise}
    if _is_imaging(product):
        values["noise_ratio"] = quality.noise_ratio
    values |= {"sky_ratio": _sky_ratio(product.meta, sky, found.unit)} if product.mission == "roman" else {}
    for key, flag in (("jump_fraction", "JUMP_DET"), ("saturated_fraction", "SATURATED")):
        values[key] = 100 * found.flags.get(flag, 0) / max(1, quality.pixels)
    if exposure_time > 0:
        values["jump_rate"] = values["jump_fraction"] * 1000 / exposure_time
    return {key: value for key, value in values.items() if np.isfinite(value)}


def _is_imaging(product):
    """Whether neighbours differ by their noise: in spectra they differ by the light, too."""
    kind = text_at(product.meta, "exposure.type")
    return has_coordinates(kind) if product.mission == "jwst" else reading_of(kind) == "imaging"


def _sky_ratio(meta: Mapping[str, Any], sky: float, unit: str) -> float:
    """The sky of a Roman image over the least that its filter sees; NaN where nothing is known."""
    band = FILTERS.get(text_at(meta, "instrument.optical_element"))
    subtracted = meta.get("background")
    if band is None or unit.replace(" ", "") != "DN/s" or text_at(meta, "exposure.type") not in SKY_IMAGE_TYPES:
        return float("nan")
    if isinstance(subtracted, dict) and subtracted.get("subtracted"):
        return float("nan")
    return sky * GAIN / (band.zodiacal + band.thermal)
