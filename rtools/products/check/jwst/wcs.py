"""W1, what headers alone say: matrix, distortion; and the systems of an image, for those who can judge them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.findings import Finding, error, info, warning
from rtools.products.check.jwst.pieces import image_of, meta_value
from rtools.products.edit.section import part_of_image
from rtools.products.jwst.product import JwstProduct
from rtools.products.jwst.sky import header_sky

__all__ = ["SkySystems", "check_cards", "is_image_on_sky", "systems_of"]

KINDS = ("cal", "calints", "crf", "crfints", "i2d", "psfsub")
"""Products from the assignment of coordinates on."""

IMAGING = re.compile(r".*_(IMAGE|TSIMAGE|CORON|AMI|LYOT|4QPM|DFLAT|TACQ|TACONFIRM)")
"""EXP_TYPE of images of the sky without dispersion."""


class SkySystems(NamedTuple):
    """World coordinates that an image has.

    Attributes
    ----------
    header : rtools.products.jwst.sky.ImageSky or None
        Of the header of SCI, distortion included.
    gwcs : gwcs.WCS or None
        Of the tree.
    corners : ndarray float64 (n, 2) or None
        Right ascension and declination of the corners of S_REGION, degrees.
    shape : tuple of int
        Rows and columns of the image.
    part : (slice, slice) or None
        Rows and columns that are no filling, of a cutout that has such.
    """

    header: Any
    gwcs: Any
    corners: np.ndarray | None
    shape: tuple[int, int]
    part: tuple[slice, slice] | None = None


def is_image_on_sky(product: JwstProduct) -> bool:
    """Whether W1 can be asked of a file.

    Parameters
    ----------
    product : JwstProduct
        Opened.

    Returns
    -------
    bool
    """
    if product.kind not in KINDS or image_of(product, "SCI") is None:
        return False
    return bool(IMAGING.fullmatch(str(meta_value(product, "EXP_TYPE"))))


def check_cards(product: JwstProduct, _layout: Any) -> Iterator[Finding]:
    """W1: one matrix, and distortion where CTYPE says so.

    Parameters
    ----------
    product : JwstProduct
        Opened.

    Yields
    ------
    Finding
        Warnings; a remark where SCI has no WCS.
    """
    science = image_of(product, "SCI")
    if not is_image_on_sky(product) or science is None:
        return
    header = science.values
    if "CTYPE1" not in header:
        yield info("W1", "SCI", "its header has no WCS")
        return
    matrices = [name for name in ("CD", "PC") if any(f"{name}{i}_{j}" in header for i in (1, 2) for j in (1, 2))]
    if len(matrices) != 1:
        told = "both CD and PC" if matrices else "neither CD nor PC"
        yield warning("W1", "SCI", f"{told}: one of them is the matrix")
    distorted = [str(header.get(f"CTYPE{axis}", "")).strip().endswith("-SIP") for axis in (1, 2)]
    orders = [f"{letter}_ORDER" in header for letter in "AB"]
    if len({*distorted, *orders}) > 1:
        types = f"{header.get('CTYPE1')}, {header.get('CTYPE2')}"
        has = " and ".join(f"{letter}_ORDER" for letter, one in zip("AB", orders, strict=True) if one) or "no A_ORDER"
        yield warning("W1", "SCI", f"CTYPE is {types}, with {has}")


def systems_of(product: JwstProduct) -> tuple[SkySystems | None, list[Finding]]:
    """The systems of an image.

    Parameters
    ----------
    product : JwstProduct
        Opened.

    Returns
    -------
    (SkySystems or None, list of Finding)
        None where W1 does not apply; and why a system cannot be read.
    """
    science = image_of(product, "SCI")
    if science is None or not is_image_on_sky(product) or "CTYPE1" not in science.values:
        return None, []
    found: list[Finding] = []
    header, gwcs = _header_system(science, found), _tree_system(product, found)
    region = _corners(str(meta_value(product, "S_REGION") or ""), found)
    return SkySystems(header, gwcs, region, (science.shape[-2], science.shape[-1]), part_of_image(product)), found


def _header_system(science, found):
    try:
        return header_sky(science.values, science.shape[-2:])
    except Exception as problem:  # what wcslib says of wrong cards has many types
        found.append(warning("W1", "SCI", f"its WCS cannot be read ({' '.join(str(problem).split())[:200]})"))
        return None


def _tree_system(product, found):
    """The gwcs of an image; None where there is none, or one that leads elsewhere than from pixels to the sky."""
    try:
        wcs = product.node("meta.wcs")
    except KeyError:
        return None
    except InputError as problem:
        found.append(info("W1", "meta.wcs", f"not compared: {problem.message}"))
        return None
    transform = wcs.forward_transform
    if (transform.n_inputs, transform.n_outputs) != (2, 2):
        return None
    try:
        wcs.backward_transform  # noqa: B018  it is made here
    except NotImplementedError as problem:
        found.append(
            error("W1", "meta.wcs", f"it does not lead back to pixels ({' '.join(str(problem).split())[:100]})")
        )
        return None
    return wcs


def _corners(region, found):
    words = re.fullmatch(r"\s*POLYGON\s+ICRS\s+(?P<numbers>.*)", region, re.IGNORECASE | re.DOTALL)
    if not region:
        return None
    try:
        numbers = np.array(words["numbers"].split() if words else [], float)
    except ValueError:
        numbers = np.array([])
    if numbers.size < 6 or numbers.size % 2:
        found.append(warning("W1", "S_REGION", "not a polygon of right ascensions and declinations"))
        return None
    return numbers.reshape(-1, 2)
