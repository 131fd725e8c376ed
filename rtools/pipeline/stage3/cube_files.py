"""Where pixels of slices lie on the sky and in wavelength: by the gwcs of a file, or by a file of maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.jwst.instrument import cube_facts
from rtools.spectra.cube_building import PixelCloud

if TYPE_CHECKING:
    from rtools.products.jwst import JwstProduct

__all__ = ["cloud_of", "joined"]

BAD = np.uint32(PIXEL_FLAGS["DO_NOT_USE"] | PIXEL_FLAGS["NON_SCIENCE"])

CORNERS = ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))
"""Of a pixel, in order around it."""

SLICER = "alpha_beta"
"""The frame of a gwcs in which MIRI's slices lie: along a slice, across the slices, arcsec."""


def cloud_of(product: JwstProduct, map_file: str | None, channel: str | None) -> PixelCloud:
    """Pixels of an exposure that can be used, with their places.

    Parameters
    ----------
    product : JwstProduct
        ``cal`` or ``crf``.
    map_file : str or None
        A FITS file with the places; without it the gwcs of the exposure says them.
    channel : str or None
        Of MIRI's spectrometer: the width of its slices.

    Returns
    -------
    PixelCloud

    Raises
    ------
    InputError
        Nothing says where the pixels lie, or no pixel of it can be used.
    """
    data, err = (np.asarray(product.array(name), np.float64) for name in ("data", "err"))
    if data.ndim != 2:
        raise InputError("of several integrations: a cube is made of images", path=product.path)
    good = np.isfinite(data) & np.isfinite(err)
    if product.has("dq"):
        good &= product.array("dq") & BAD == 0
    if map_file is not None:
        places = _of_map(map_file, data.shape)
    else:
        places = _of_gwcs(product, np.nonzero(good), channel)
    if map_file is not None:
        places = {name: values[good] for name, values in places.items()}
    known = np.logical_and.reduce([np.isfinite(values).reshape(len(values), -1).all(axis=1)
                                   for values in places.values()])  # fmt: skip
    if not known.any():
        raise InputError("no pixel has a position, a wavelength and a value", path=product.path)
    return PixelCloud(
        **{name: values[known] for name, values in places.items()}, flux=data[good][known], error=err[good][known]
    )


def joined(clouds: list[PixelCloud], low: float, high: float) -> PixelCloud:
    """Pixels of several exposures between two wavelengths.

    Parameters
    ----------
    clouds : list of PixelCloud
        One for each exposure.
    low, high : float
        Micrometres.

    Returns
    -------
    PixelCloud
    """
    from dataclasses import fields

    parts = {one.name: np.concatenate([getattr(cloud, one.name) for cloud in clouds]) for one in fields(PixelCloud)}
    inside = (parts["wavelength"] >= low) & (parts["wavelength"] <= high)
    return PixelCloud(**{name: values[inside] for name, values in parts.items()})


def _of_map(path, shape):
    """Places of all pixels, by the names of `PixelCloud`."""
    from astropy.io import fits

    names = ("RA", "DEC", "LAMBDA", "DLAMBDA", *(f"{axis}{corner}" for axis in ("RA", "DEC") for corner in "1234"))
    try:
        with fits.open(path) as hdus:
            missing = [name for name in names if name not in hdus]
            if missing:
                raise InputError(f"a map of pixels needs the extension {missing[0]}", path=path)
            found = {name: np.asarray(hdus[name].data, np.float64) for name in names}
    except OSError as error:
        raise InputError(f"no map of pixels ({str(error).lower()})", path=path) from None
    for name, values in found.items():
        if values.shape != shape:
            raise InputError(f"{name} is {values.shape}, and the exposure {shape}", path=path)
    corners = {axis: np.stack([found[f"{axis}{corner}"] for corner in "1234"], axis=-1) for axis in ("RA", "DEC")}
    return {
        "ra": found["RA"],
        "dec": found["DEC"],
        "wavelength": found["LAMBDA"],
        "corner_ra": corners["RA"],
        "corner_dec": corners["DEC"],
        "depth": found["DLAMBDA"],
    }


def _of_gwcs(product, pixels, channel):
    """Places of some pixels (rows, columns)."""
    try:
        wcs = product.node("meta.wcs")
    except KeyError:
        raise InputError("has no gwcs: where its pixels lie is not known", mend="--map names a file that says it",
                         path=product.path) from None  # fmt: skip
    if wcs.output_frame.naxes != 3:
        raise InputError("its gwcs has no wavelengths", path=product.path)
    y, x = pixels
    ra, dec, wavelength = _called(wcs, x, y)
    depth = _depth(wcs, x, y, product)
    if SLICER in wcs.available_frames:
        corners = _of_slices(wcs, x, y, cube_facts(channel or "1").slice_width)
    else:
        found = [_called(wcs, x + dx, y + dy)[:2] for dx, dy in CORNERS]
        corners = tuple(np.stack([one[axis] for one in found], axis=-1) for axis in (0, 1))
    return {"ra": ra, "dec": dec, "wavelength": wavelength, "corner_ra": corners[0], "corner_dec": corners[1],
            "depth": depth}  # fmt: skip


def _called(wcs: Any, x: Any, y: Any) -> list[np.ndarray]:
    return [np.asarray(values, np.float64) for values in wcs(x, y, with_bounding_box=False)]


def _depth(wcs, x, y, product):
    """Extent of pixels in wavelength: half the difference of the wavelengths of their neighbours along dispersion."""
    along = product.meta.get("wcsinfo", {}).get("dispersion_direction")
    dx, dy = (1.0, 0.0) if along == 1 else (0.0, 1.0)
    before, behind = (_called(wcs, x + sign * dx / 2, y + sign * dy / 2)[2] for sign in (-1, 1))
    return np.abs(behind - before)


SMALL = 0.1
"""Part of a pixel over which a slope is measured: half a pixel away another slice may begin."""


def _of_slices(wcs, x, y, width):
    """Corners in slices: half a pixel to either side along a slice, and the edges of the slice across it."""
    to_slicer, to_sky = wcs.get_transform("detector", SLICER), wcs.get_transform(SLICER, wcs.output_frame)
    alpha, beta, *rest = (np.asarray(values) for values in to_slicer(x, y))
    before, behind = (np.asarray(to_slicer(x + shift, y)[0]) for shift in (-SMALL, SMALL))
    half = (behind - before) / (4 * SMALL)
    turns = ((-half, -1), (half, -1), (half, 1), (-half, 1))
    found = [to_sky(alpha + side, beta + sign * width / 2, *rest)[:2] for side, sign in turns]
    return tuple(np.stack([np.asarray(one[axis], np.float64) for one in found], axis=-1) for axis in (0, 1))
