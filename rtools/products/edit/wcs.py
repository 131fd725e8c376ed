"""World coordinate systems that files hold, found beside a product."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtools.errors import InputError
from rtools.jwst.kinds import ON_DETECTOR
from rtools.products import names
from rtools.products.edit.section import frame_of, shift_between
from rtools.products.io import open_product
from rtools.products.opening import open_any
from rtools.wfi.frame import BORDER
from rtools.wfi.gwcs_frames import level1_wcs, shifted_wcs

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace

__all__ = ["load_wcs"]


def load_wcs(product: ProductFace, path: str | Path | None = None) -> Any:
    """World coordinate system of a product's own pixels.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened; where it holds no WCS its path says where to look for one.
    path : str, optional
        A ``_wcs`` file, or an image of the same pointing; by default what the product holds, else the ``_wcs`` beside
        it. Of JWST an image of the same detector and pointing.

    Returns
    -------
    gwcs.WCS or rtools.products.jwst.sky.ImageSky
        The latter has its calls alone, for a JWST product whose header is all there is, and for a cube.

    Raises
    ------
    InputError
        There is none, or it is that of a spectrum.
    """
    if product.mission == "jwst":
        return _of_jwst(product, path)
    if path is None:
        if isinstance(product.meta.get("wcs"), dict):
            return product.node("meta.wcs")
        path = Path(product.path).with_name(f"{names.split_suffix(product.path)[0]}_wcs.asdf")
        if not path.exists():
            raise InputError("has no WCS", mend=f"give --wcs FILE; {path.name} is not there", path=product.path)
    with open_product(path, ("wcs", "l2_image")) as holder:
        key = "meta.wcs" if holder.kind == "l2_image" else "wcs_l2"
        try:
            wcs = holder.node(key)
        except KeyError:
            wcs = None
        x, y = shift_between(product, holder)
    if wcs is None:
        raise InputError(f"has no {key}", path=path)
    if frame_of(product) == "l1":
        wcs, x, y = level1_wcs(wcs), x + BORDER, y + BORDER
    return wcs if (x, y) == (0, 0) else shifted_wcs(wcs, x, y)


def _of_jwst(product, path):
    """The product's own, or that of another file, moved to where the product's pixels begin."""
    from rtools.products.jwst import moved_sky, sky_of

    if path is None:
        return sky_of(product)
    with open_any(path) as holder:
        if holder.mission != "jwst":
            raise InputError("not a JWST product, which the image is", path=path)
        _refuse_other_pixels(product, holder)
        wcs, (x, y) = sky_of(holder), shift_between(product, holder)
    return wcs if (x, y) == (0, 0) else moved_sky(wcs, x, y)


def _refuse_other_pixels(product, holder):
    """Refuse a WCS of JWST whose pixels are not those of the product: of a mosaic, or of another detector."""
    if product.kind not in ON_DETECTOR:
        return
    own, other = ((one.meta.get("instrument") or {}).get("detector") for one in (product, holder))
    if holder.kind not in ON_DETECTOR:
        raise InputError(f"its pixels are those of the {holder.kind}, not of a detector", path=holder.path)
    if None not in (own, other) and own != other:
        raise InputError(f"its pixels are those of {other}, not of {own}", path=holder.path)
