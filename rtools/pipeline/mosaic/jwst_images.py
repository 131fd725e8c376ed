"""Images of JWST on the way to a mosaic: which of them show the sky, and what their metadata say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rtools.errors import InputError
from rtools.jwst.kinds import described
from rtools.jwst.modes import has_coordinates
from rtools.mosaic.grid.footprint import footprint
from rtools.mosaic.grid.scale import native_scale
from rtools.pipeline.mosaic.jwst_planes import MeanOfIntegrations
from rtools.products.jwst import JwstProduct, open_jwst, sky_of
from rtools.wfi import metadata

__all__ = [
    "KINDS",
    "check_times",
    "element_of",
    "factor_of",
    "group_of",
    "open_image",
    "outline_of",
    "profile_of",
    "scale_at",
    "wcs_of",
    "why_left_out",
]

KINDS = ("cal", "crf", "psfsub")
"""Suffixes of images that a mosaic is made of."""

OF_INTEGRATIONS = ("psfsub",)
"""Those of them that have several integrations, whose mean is taken."""

UNIT = "MJy/sr"

REGION = re.compile(r"POLYGON\s+ICRS\s+(.*)", re.IGNORECASE | re.DOTALL)

EXPOSURE = ("program_number", "observation_number", "visit_number", "visit_group", "sequence_id", "activity_id",
            "exposure_number")  # fmt: skip
"""Of meta.observation, what all detectors of one exposure have in common."""


def open_image(path: str | Path) -> JwstProduct:
    """Open an image.

    Parameters
    ----------
    path : str or Path
        Its file.

    Raises
    ------
    InputError
        It is none, or not calibrated yet.
    """
    product = open_jwst(path)
    if product.kind not in KINDS:
        mend = "rt-run calibrates rates and raw ramps" if product.kind in ("uncal", "ramp", "rate") else None
        what = described(product.hdus[0].values if product.hdus else {}, product.kind)
        raise InputError(f"{what}: wanted {', '.join(KINDS)}", mend=mend, path=path)
    if product.kind in OF_INTEGRATIONS:
        return MeanOfIntegrations.of(product)
    if product.arrays["data"].shape != product.arrays["data"].shape[-2:]:
        raise InputError("of several integrations: a mosaic is made of images", path=path)
    return product


def why_left_out(meta: Mapping[str, Any]) -> str:
    """Why an image cannot be part of a mosaic.

    Parameters
    ----------
    meta : dict
        Its metadata.

    Returns
    -------
    str
        The exposure type, where that is none of images of the sky; empty if it can be part.
    """
    kind = str(metadata.get(meta, "exposure.type"))
    return "" if has_coordinates(kind) else kind


def element_of(meta: Mapping[str, Any]) -> str:
    """Filter and pupil of an image, as far as it has them.

    Parameters
    ----------
    meta : dict
        Its metadata.
    """
    instrument = meta.get("instrument") or {}
    return " ".join(str(instrument[key]) for key in ("name", "filter", "pupil") if instrument.get(key))


def check_times(meta: Mapping[str, Any], path: str | Path) -> None:
    """Refuse an image that does not say when it was exposed.

    Parameters
    ----------
    meta : mapping
        Its metadata.
    path : str or Path
        Its file.

    Raises
    ------
    InputError
        EXPSTART or EXPEND is missing, or no number.
    """
    for key, keyword in (("start_time", "EXPSTART"), ("end_time", "EXPEND")):
        value = metadata.get(meta, f"exposure.{key}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
            raise InputError(f"no {keyword}" if value is None else f"{keyword} is {value!r}", path=path)


def factor_of(meta: dict[str, Any]) -> None:
    """Nothing: calibrated images are in MJy/sr.

    Parameters
    ----------
    meta : dict
        Of an image.

    Raises
    ------
    InputError
        This one is in another unit.
    """
    unit = str(meta.get("bunit_data") or UNIT)
    if unit.replace(" ", "").lower() != UNIT.lower():
        raise InputError(f"its data are in {unit}, not in {UNIT}", mend="rt-photom makes them so")


def group_of(meta: Mapping[str, Any], number: int, given: str | None = None) -> str:
    """Name of the exposure that an image belongs to: all detectors of one exposure share it.

    Parameters
    ----------
    meta : mapping
        Metadata of the image.
    number : int
        Of the member, from 0; stands in where nothing is known.
    given : str, optional
        What the association says.

    Returns
    -------
    str
        `given`, else program, observation, visit, activity and exposure.
    """
    told = meta.get("observation") or {}
    parts = [str(told[key]) for key in EXPOSURE if told.get(key) is not None]
    return given or ("_".join(parts) if len(parts) == len(EXPOSURE) else f"exposure{number + 1:04d}")


def outline_of(meta: Mapping[str, Any], wcs: Any, shape: Sequence[int]) -> np.ndarray:
    """Positions round an image: the corners in S_REGION, as the mission's pipeline takes them.

    Parameters
    ----------
    meta : mapping
        Metadata of the image.
    wcs : gwcs.WCS or rtools.products.jwst.ImageSky
        Of its pixels; stands in where there is no S_REGION.
    shape : (int, int)
        Rows and columns.

    Returns
    -------
    ndarray float64 (n, 2)
        Right ascension and declination, degrees.
    """
    found = REGION.fullmatch(str(metadata.get(meta, "wcsinfo.s_region") or "").strip())
    try:
        numbers = np.array(found[1].split(), float) if found else np.empty(0)
    except ValueError:
        numbers = np.empty(0)
    if numbers.size >= 6 and numbers.size % 2 == 0 and np.isfinite(numbers).all():
        return numbers.reshape(-1, 2)
    return np.stack(footprint(wcs, shape, points=1), axis=1)


def scale_at(wcs: Any, position: tuple[float, float] | None) -> float:
    """Pixel scale of an image, degrees: square root of the product of the angles of a step in x and of one in y.

    These angles are some 1e-7 rad, so rounding shows in the tenth digit. Pixel and angles are found as the mission's
    pipeline finds them, so that headers agree to the last digit.

    Parameters
    ----------
    wcs : gwcs.WCS or rtools.products.jwst.ImageSky
        Of the image.
    position : (float, float) or None
        Right ascension and declination where it is taken; by default the middle of the image.

    Returns
    -------
    float
        Degrees.
    """
    from astropy.coordinates import SkyCoord

    if position is None or not hasattr(wcs, "backward_transform"):
        return native_scale(wcs, position)
    try:
        x, y = (float(part) for part in wcs.backward_transform(*position))
    except NotImplementedError:
        return native_scale(wcs, position)
    ra, dec = wcs(np.array([x, x + 1, x]), np.array([y, y, y + 1]), with_bounding_box=False)
    places = SkyCoord(ra, dec, unit="deg")
    across, up = places[0].separation(places[1:]).deg
    return float(np.sqrt(across * up))


def wcs_of(product: JwstProduct) -> Any:
    """Where the pixels of an image are on the sky.

    Parameters
    ----------
    product : JwstProduct
        The image.

    Returns
    -------
    gwcs.WCS or rtools.products.jwst.ImageSky

    Raises
    ------
    InputError
        It has no coordinates.
    """
    return sky_of(product)


def profile_of(asked: str | None, products: Sequence[Any]) -> tuple[str, list[str]]:
    """Schema generation of what is made of products: there are none of JWST.

    Parameters
    ----------
    asked : str or None
        What ``--profile`` says, which is about Roman.
    products : sequence
        The images.
    """
    return "", []
