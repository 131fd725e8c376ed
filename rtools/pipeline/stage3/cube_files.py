"""Where pixels of slices lie on the sky and in wavelength: by the gwcs of a file, or by a file of maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

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

SMALL = 0.1
"""Part of a pixel over which a slope is measured: half a pixel away another slice may begin, or the detector end."""


class Slicer(NamedTuple):
    """The frame of a gwcs in which slices lie side by side.

    Attributes
    ----------
    frame : str
        Its name.
    along, across : int
        Which of its coordinates is along a slice, and which across the slices.
    detector : int
        Axis of the detector along a slice: 0 for x, 1 for y; the wavelength changes along the other one.
    """

    frame: str
    along: int
    across: int
    detector: int


ALIKE = 100
"""Places across slices that differ by less than such a part of the whole are those of one; NIRSpec has 30 slices."""

SLICERS = (Slicer("alpha_beta", 0, 1, 0), Slicer("slicer", 1, 0, 1))
"""Of MIRI's spectrometer, in arcsec; of NIRSpec, in metres."""


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
    known = np.logical_and.reduce([np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
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
    if wcs.forward_transform.n_inputs != 2:
        raise InputError("its gwcs wants the number of a slice: coordinates for all slices together are wanted",
                         mend="run assign_wcs there once more, as it is today", path=product.path)  # fmt: skip
    y, x = pixels
    ra, dec, wavelength = _called(wcs, x, y)[:3]
    slicer = next((one for one in SLICERS if one.frame in wcs.available_frames), None)
    if slicer is None:
        along = 0 if product.meta.get("wcsinfo", {}).get("dispersion_direction") == 1 else 1
        found = [_called(wcs, x + dx, y + dy)[:2] for dx, dy in CORNERS]
        corners = tuple(np.stack([one[axis] for one in found], axis=-1) for axis in (0, 1))
    else:
        along = 1 - slicer.detector
        width = cube_facts(channel).slice_width if channel else None
        corners = _of_slices(wcs, x, y, slicer, width)
    depth = _slope(lambda x, y: _called(wcs, x, y)[2], x, y, along)
    return {"ra": ra, "dec": dec, "wavelength": wavelength, "corner_ra": corners[0], "corner_dec": corners[1],
            "depth": np.abs(depth)}  # fmt: skip


def _called(wcs: Any, x: Any, y: Any) -> list[np.ndarray]:
    return [np.asarray(values, np.float64) for values in wcs(x, y, with_bounding_box=False)]


def _slope(function, x, y, axis):
    """How much a function of x and y changes from pixel to pixel along an axis."""
    dx, dy = (SMALL, 0.0) if axis == 0 else (0.0, SMALL)
    before, behind = (np.asarray(function(x + sign * dx, y + sign * dy), np.float64) for sign in (-1, 1))
    return (behind - before) / (2 * SMALL)


def _of_slices(wcs, x, y, slicer, width):
    """Corners in slices: half a pixel to either side along a slice, and the edges of the slice across it."""
    to_slicer = wcs.get_transform(wcs.input_frame, slicer.frame)
    to_sky = wcs.get_transform(slicer.frame, wcs.output_frame)
    places = [np.asarray(values, np.float64) for values in to_slicer(x, y)]
    half = _slope(lambda x, y: to_slicer(x, y)[slicer.along], x, y, slicer.detector) / 2
    width = _pitch(places[slicer.across]) if width is None else width
    found = []
    for side, edge in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        corner = list(places)
        corner[slicer.along] = corner[slicer.along] + side * half
        corner[slicer.across] = corner[slicer.across] + edge * width / 2
        found.append(to_sky(*corner)[:2])
    return tuple(np.stack([np.asarray(one[axis], np.float64) for one in found], axis=-1) for axis in (0, 1))


def _pitch(across):
    """From slice to slice, by the pixels' places across them: in a slice these are alike."""
    places = np.unique(across[np.isfinite(across)])
    apart = np.diff(places) > np.ptp(places) / ALIKE if len(places) else np.zeros(0, bool)
    if not apart.any():
        raise InputError("its pixels lie in one slice, whose width is not known")
    slices = np.split(places, np.flatnonzero(apart) + 1)
    return float(np.median(np.diff([one.mean() for one in slices])))
