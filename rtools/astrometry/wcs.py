"""The world coordinate system of an exposure, as a gwcs object.

Pixels are 0-based, whole numbers at pixel centres, in the frame without reference pixels. Frames: detector (pixel),
v2v3 (arcsec), v2v3vacorr (arcsec, after velocity aberration), world (ICRS).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rtools.wfi.gwcs_frames import box_of, level1_wcs
from rtools.wfi.units import DEGREE_ARCSEC

__all__ = [
    "Pointing",
    "aberration_transform",
    "build_wcs",
    "footprint",
    "level1_wcs",
    "sky_transform",
]


class Pointing(NamedTuple):
    """Where a reference point of the focal plane is on the sky; names as in `meta.wcsinfo`.

    Attributes
    ----------
    v2_ref, v3_ref : float
        arcsec.
    ra_ref, dec_ref : float
        Degrees, ICRS.
    roll_ref : float
        Position angle of the V3 axis at the reference point, degrees east of north.
    """

    v2_ref: float
    v3_ref: float
    ra_ref: float
    dec_ref: float
    roll_ref: float


def build_wcs(distortion: Any, pointing: Pointing, scale: float | None, shape: tuple[int, int]) -> Any:
    """Chain distortion, velocity aberration and pointing.

    Parameters
    ----------
    distortion : astropy.modeling.Model
        Pixel (x, y) to V2, V3 in arcsec; not changed. Its bounding box is taken over if it has one.
    pointing : Pointing
        Where the reference point of the focal plane is on the sky.
    scale : float or None
        `velocity_aberration.scale_factor`, positive; None is 1.
    shape : tuple of int
        (rows, columns) of the image.

    Returns
    -------
    gwcs.WCS
        Outside its bounding box it gives NaN.
    """
    from astropy import coordinates, units
    from gwcs import WCS, coordinate_frames

    def plane(name, axes=None, unit=units.arcsec):
        return coordinate_frames.Frame2D(name=name, axes_order=(0, 1), unit=(unit, unit), axes_names=axes)

    first = distortion.copy()
    first.inputs, first.outputs = ("x", "y"), ("v2", "v3")
    middle = aberration_transform(scale, pointing.v2_ref, pointing.v3_ref)
    middle.inputs = middle.outputs = ("v2", "v3")
    last = sky_transform(pointing)
    last.inputs, last.outputs = ("v2", "v3"), ("ra", "dec")
    wcs = WCS(
        [
            (plane("detector", unit=units.pix), first),
            (plane("v2v3", ("v2", "v3")), middle),
            (plane("v2v3vacorr", ("v2", "v3")), last),
            (coordinate_frames.CelestialFrame(reference_frame=coordinates.ICRS(), name="world"), None),
        ]
    )
    wcs.bounding_box = _bounding_box(distortion, shape)
    return wcs


def _bounding_box(distortion, shape):
    """((x0, x1), (y0, y1)) in pixels: that of the distortion, else the edges of the image."""
    try:
        return distortion.bounding_box.bounding_box(order="F")
    except NotImplementedError:
        rows, columns = shape
        return (-0.5, columns - 0.5), (-0.5, rows - 0.5)


def aberration_transform(scale: float | None, v2_ref: float, v3_ref: float) -> Any:
    """Differential velocity aberration: v' = s v + (1 - s) v_ref on either axis.

    Parameters
    ----------
    scale : float or None
        s, the scale factor of the velocity aberration; None is 1.
    v2_ref, v3_ref : float
        The point that stays where it is, arcsec.

    Returns
    -------
    astropy.modeling.Model
        V2, V3 to the same, arcsec; the identity where s is 1.
    """
    from astropy.modeling.models import Identity, Scale, Shift

    if scale is None or scale == 1:
        return Identity(2)
    stretch = Scale(scale, name="dva_scale_v2") & Scale(scale, name="dva_scale_v3")
    if v2_ref == 0 and v3_ref == 0:
        return stretch
    shift = Shift((1 - scale) * v2_ref, name="dva_v2_shift") & Shift((1 - scale) * v3_ref, name="dva_v3_shift")
    transform = stretch | shift
    transform.name = "DVA_Correction"
    return transform


def sky_transform(pointing: Pointing) -> Any:
    """V2, V3 in arcsec to right ascension and declination in degrees.

    Rz(-ra) Ry(dec) Rx(roll) Ry(-v3_ref) Rz(v2_ref) applied to the unit vector of (V2, V3).

    Parameters
    ----------
    pointing : Pointing
        Where the reference point of the focal plane is on the sky.

    Returns
    -------
    astropy.modeling.Model
        With an inverse.
    """
    from astropy.modeling.models import RotationSequence3D, Scale
    from gwcs.geometry import CartesianToSpherical, SphericalToCartesian

    v2, v3 = pointing.v2_ref / DEGREE_ARCSEC, pointing.v3_ref / DEGREE_ARCSEC
    angles = np.array([v2, -v3, pointing.roll_ref, pointing.dec_ref, -pointing.ra_ref])
    transform = (
        Scale(1 / DEGREE_ARCSEC) & Scale(1 / DEGREE_ARCSEC)
        | SphericalToCartesian(wrap_lon_at=180)
        | RotationSequence3D(angles, axes_order="zyxyz")
        | CartesianToSpherical(wrap_lon_at=360)
    )
    transform.name = "v23tosky"
    return transform


def footprint(wcs: Any) -> np.ndarray:
    """Sky positions of the corners of the bounding box.

    Parameters
    ----------
    wcs : gwcs.WCS
        With a bounding box.

    Returns
    -------
    ndarray float64, (4, 2)
        Right ascension (0 … 360) and declination in degrees at (x0, y0), (x0, y1), (x1, y1), (x1, y0).
    """
    (x0, x1), (y0, y1) = box_of(wcs)
    ra, dec = wcs(np.array([x0, x0, x1, x1]), np.array([y0, y1, y1, y0]), with_bounding_box=False)
    return np.stack([np.where(ra < 0, ra + 360, ra), dec], axis=1)
