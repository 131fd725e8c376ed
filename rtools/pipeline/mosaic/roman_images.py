"""Images of Roman on the way to a mosaic: which of them show the sky, and what their metadata say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rtools.errors import InputError
from rtools.mosaic.drizzle.flux import conversion
from rtools.mosaic.grid.footprint import footprint
from rtools.products.io import Product, open_product
from rtools.products.schema import profiles
from rtools.wfi import metadata
from rtools.wfi.exposure_types import SKY_IMAGE_TYPES
from rtools.wfi.instrument import SPECTRAL_ELEMENTS

__all__ = [
    "check_times",
    "element_of",
    "factor_of",
    "open_image",
    "outline_of",
    "profile_of",
    "wcs_of",
    "why_left_out",
]


def open_image(path: str | Path) -> Product:
    """Open an image.

    Parameters
    ----------
    path : str or Path
        Its file.

    Raises
    ------
    InputError
        It is none.
    """
    return open_product(path, ("l2_image",))


def why_left_out(meta: Mapping[str, Any]) -> str:
    """Why an image cannot be part of a mosaic.

    Parameters
    ----------
    meta : dict
        Its metadata.

    Returns
    -------
    str
        The exposure type, where that is none of images of the sky, or the spectral element; empty if it can be part.
    """
    kind = str(metadata.get(meta, "exposure.type"))
    element = str(metadata.get(meta, "instrument.optical_element")).upper()
    return kind if kind not in SKY_IMAGE_TYPES else element if element in SPECTRAL_ELEMENTS else ""


def element_of(meta: Mapping[str, Any]) -> str:
    """Optical element of an image.

    Parameters
    ----------
    meta : dict
        Its metadata.
    """
    return meta["instrument"]["optical_element"]


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
        A time is missing, or none.
    """
    metadata.require(meta, "exposure.start_time", "exposure.end_time", path=path)


def wcs_of(product: Product) -> Any:
    """Where the pixels of an image are on the sky.

    Parameters
    ----------
    product : rtools.products.io.Product
        The image.

    Returns
    -------
    gwcs.WCS

    Raises
    ------
    InputError
        It has no coordinates.
    """
    if product.meta.get("wcs") is None:
        raise InputError("no WCS", mend="run rt-assignwcs first", path=product.path)
    return product.node("meta.wcs")


def factor_of(meta: dict[str, Any]) -> float | None:
    """What data are to be multiplied by, so that they are in MJy/sr.

    Parameters
    ----------
    meta : dict
        Of an image; afterwards it says that this was done.

    Returns
    -------
    float or None
        MJy/sr per DN/s; None where it was done before.

    Raises
    ------
    InputError
        The file has no conversion.
    """
    steps = meta.setdefault("cal_step", {})
    if steps.get("flux") == "COMPLETE":
        return None
    factor = conversion(meta.get("photometry"))
    steps["flux"] = "COMPLETE"
    return factor


def outline_of(meta: Mapping[str, Any], wcs: Any, shape: Sequence[int]) -> np.ndarray:
    """Positions round an image, which the grid that covers all images is made of.

    Parameters
    ----------
    meta : mapping
        Metadata of the image.
    wcs : gwcs.WCS
        Of its pixels.
    shape : (int, int)
        Rows and columns.

    Returns
    -------
    ndarray float64 (n, 2)
        Right ascension and declination, degrees.
    """
    return np.stack(footprint(wcs, shape), axis=1)


def profile_of(asked: str | None, products: Sequence[Any]) -> tuple[str, list[str]]:
    """Schema generation of what is made of products.

    Parameters
    ----------
    asked, products
        As `rtools.products.schema.profiles.kept` takes them.

    Returns
    -------
    (str, list of str)
        The profile, and what is to be said of it.
    """
    return profiles.kept(asked, products)
