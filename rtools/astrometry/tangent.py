"""The tangent plane in which a WCS is corrected, and a linear correction put into a gwcs.

The plane touches the sphere of V2, V3 at the pointing's reference point, its axes turned by `roll_ref`; coordinates are
arcsec. A corrected WCS has a frame v2v3corr after v2v3vacorr (v2v3 where there is none); coordinates in the plane are
those after the correction that it has already, so that a second one composes with the first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.wfi.sphere import angles_to_vectors
from rtools.wfi.units import DEGREE_ARCSEC, RADIAN_ARCSEC

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rtools.astrometry.wcs import Pointing

__all__ = ["CORRECTED", "TangentPlane", "corrected_wcs", "linear_map", "pixel_to_plane", "plane_of", "plane_to_sky"]

CORRECTED = "v2v3corr"
NAME = "Roman V2-V3 tangent-plane linear correction. v1"


class TangentPlane(NamedTuple):
    """Tangent plane of one WCS.

    Attributes
    ----------
    angles : tuple of float
        V2 and V3 of the tangent point and the roll, degrees.
    rotation : ndarray (3, 3)
        Unit vector of V2, V3 to the axes (out of the plane, y, z).
    detector : callable
        Pixel to V2, V3 [arcsec] as the sky transform takes them.
    sky : callable
        V2, V3 to right ascension and declination, with an `inverse`.
    """

    angles: tuple[float, float, float]
    rotation: np.ndarray
    detector: Callable[..., Any]
    sky: Any

    def from_v23(self, v2: ArrayLike, v3: ArrayLike) -> np.ndarray:
        """Plane coordinates (arcsec) of V2, V3 (arcsec)."""
        lon, lat = np.asarray(v2, float) / RADIAN_ARCSEC, np.asarray(v3, float) / RADIAN_ARCSEC
        out, y, z = np.tensordot(self.rotation, angles_to_vectors(lon, lat, axis=0), 1)
        out = np.where(out > 0, out, np.nan)
        return np.stack([y / out, z / out], axis=-1) * RADIAN_ARCSEC

    def to_v23(self, xy: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """V2, V3 (arcsec) of plane coordinates, ndarray (…, 2)."""
        xy = np.asarray(xy, float) / RADIAN_ARCSEC
        out, y, z = np.tensordot(self.rotation.T, np.stack([np.ones(xy.shape[:-1]), xy[..., 0], xy[..., 1]]), 1)
        return np.arctan2(y, out) * RADIAN_ARCSEC, np.arctan2(z, np.hypot(out, y)) * RADIAN_ARCSEC

    def from_sky(self, ra: ArrayLike, dec: ArrayLike) -> np.ndarray:
        """Plane coordinates of right ascension and declination (degrees); NaN on the other half of the sky."""
        return self.from_v23(*self.sky.inverse(np.asarray(ra, float), np.asarray(dec, float)))


def plane_of(wcs: Any, pointing: Pointing) -> TangentPlane:
    """Tangent plane of a WCS.

    Parameters
    ----------
    wcs : gwcs.WCS
        Of at least three frames: detector, v2v3 [, v2v3vacorr] [, v2v3corr], world.
    pointing : rtools.astrometry.wcs.Pointing
        `v2_ref`, `v3_ref`, `roll_ref` of `meta.wcsinfo`.

    Returns
    -------
    TangentPlane
        After the correction that the WCS has already, if it has one.

    Raises
    ------
    InputError
        The WCS has other frames, or a correction about another point.
    """
    base = _base_frame(wcs)
    angles = (pointing.v2_ref / DEGREE_ARCSEC, -pointing.v3_ref / DEGREE_ARCSEC, float(pointing.roll_ref))
    rotation = _rotation(angles)
    last = CORRECTED if CORRECTED in wcs.available_frames else base
    plane = TangentPlane(
        angles,
        rotation,
        wcs.get_transform(wcs.available_frames[0], last),
        wcs.get_transform(last, wcs.available_frames[-1]),
    )
    if last == CORRECTED:
        _old_affine(wcs, base, angles)
    return plane


def _base_frame(wcs):
    frames = list(wcs.available_frames)
    for name in ("v2v3vacorr", "v2v3"):
        if name in frames[1:-1]:
            return name
    raise InputError(
        "its WCS has no frame v2v3 between detector and sky", mend="rt-assignwcs makes one that can be aligned"
    )


def _rotation(angles):
    """The matrix of astropy's RotationSequence3D, axes zyx."""
    model = _rotation_model(angles)
    return np.array([model(*axis) for axis in np.eye(3)]).T


def _rotation_model(angles):
    from astropy.modeling.models import RotationSequence3D

    return RotationSequence3D(np.array(angles, float), axes_order="zyx")


def pixel_to_plane(plane: TangentPlane, x: ArrayLike, y: ArrayLike) -> np.ndarray:
    """Plane coordinates of pixels, outside the bounding box, too.

    Parameters
    ----------
    plane : TangentPlane
        Of the image's WCS.
    x, y : array_like of float (n,)
        Pixels, 0-based.

    Returns
    -------
    ndarray float64 (n, 2)
        Arcsec.
    """
    v2, v3 = plane.detector(np.asarray(x, float), np.asarray(y, float), with_bounding_box=False)
    return plane.from_v23(v2, v3)


def plane_to_sky(plane: TangentPlane, xy: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Sky positions of plane coordinates.

    Parameters
    ----------
    plane : TangentPlane
        In which they are.
    xy : array_like of float (n, 2)
        Arcsec.

    Returns
    -------
    ra, dec : ndarray float64 (n,)
        Degrees.
    """
    return plane.sky(*plane.to_v23(xy))


def linear_map(source: TangentPlane, target: TangentPlane, at: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The linear map ``xy_target ≈ r xy_source + t`` from one plane to another, near a point.

    Parameters
    ----------
    source, target : TangentPlane
        The planes; they meet on the sky.
    at : array_like of float (2,)
        The point in the source's plane, arcsec, where the map is exact; its slopes are differences over 2 arcsec.

    Returns
    -------
    r : ndarray float64 (2, 2)
        Matrix.
    t : ndarray float64 (2,)
        Shift, arcsec.
    """
    step = 1.0  # arcsec; the map's curvature over it is 5e-6 of that
    points = np.asarray(at, float) + step * np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]])
    mapped = target.from_sky(*plane_to_sky(source, points))
    r = np.stack([mapped[1] - mapped[2], mapped[3] - mapped[4]], axis=-1) / (2 * step)
    return r, mapped[0] - r @ points[0]


def corrected_wcs(wcs: Any, pointing: Pointing, matrix: ArrayLike, shift: ArrayLike, name: str | None = None) -> Any:
    """A WCS with a linear correction in its tangent plane.

    Parameters
    ----------
    wcs : gwcs.WCS
        Not changed.
    pointing : rtools.astrometry.wcs.Pointing
        `v2_ref`, `v3_ref`, `roll_ref` of `meta.wcsinfo`: where the plane touches.
    matrix : array_like of float (2, 2)
        Of the correction.
    shift : array_like of float (2,)
        arcsec; corrected = matrix · plane + shift.
    name : str, optional
        Name of the new WCS.

    Returns
    -------
    gwcs.WCS
        With the frame v2v3corr and the old bounding box; a correction that it had is composed with the new one.

    Raises
    ------
    InputError
        As `plane_of`.
    """
    from gwcs import WCS, coordinate_frames

    plane = plane_of(wcs, pointing)
    base = _base_frame(wcs)
    matrix, shift = np.array(matrix, float), np.array(shift, float)
    steps = [(step.frame, step.transform) for step in wcs.pipeline]
    if CORRECTED in wcs.available_frames:
        old_matrix, old_shift = _old_affine(wcs, base, plane.angles)
        matrix, shift = matrix @ old_matrix, matrix @ old_shift + shift
        new = [
            (frame, _correction(plane.angles, matrix, shift) if _name(frame) == base else transform)
            for frame, transform in steps
        ]
    else:
        new = []
        for frame, transform in steps:
            if _name(frame) == base:
                new.append((frame, _correction(plane.angles, matrix, shift)))
                frame = coordinate_frames.Frame2D(
                    name=CORRECTED,
                    axes_order=(0, 1),
                    unit=getattr(frame, "unit", ("arcsec", "arcsec")),
                    axes_names=("v2", "v3"),
                )
            new.append((frame, transform))
    corrected = WCS(new, name=name or wcs.name)
    if wcs.bounding_box is not None:
        corrected.bounding_box = wcs.bounding_box.bounding_box(order="F")
    return corrected


def _name(frame):
    return frame if isinstance(frame, str) else frame.name


def _correction(angles, matrix, shift):
    """V2, V3 (arcsec) to the same, by way of the tangent plane, where the affine transform acts.

    The parts bear the names by which tweakwcs knows a correction, so that either tool can go on from the other's.
    """
    inverse = np.linalg.inv(matrix)
    forward = _through_plane(angles, (matrix, shift / RADIAN_ARCSEC), "tp_affine")
    forward.inverse = _through_plane(angles, (inverse, -inverse @ shift / RADIAN_ARCSEC), "tp_affine_inv")
    forward.inverse.name = f"Inverse {NAME}"
    forward.name = NAME
    return forward


def _through_plane(angles, affine, name):
    from astropy.modeling.models import AffineTransformation2D, Const1D, Identity, Mapping, Scale
    from gwcs.geometry import CartesianToSpherical, SphericalToCartesian

    matrix, shift = (np.array(part) for part in affine)
    degree, arcsec = Scale(1 / DEGREE_ARCSEC, name="arcsec_to_deg_1D"), Scale(DEGREE_ARCSEC, name="deg_to_arcsec_1D")
    to_plane = Mapping((1, 2)) / Mapping((0, 0), n_inputs=3)
    from_plane = Mapping((0, 0, 1), n_inputs=2) | Const1D(1) & Identity(2)
    rotation = _rotation_model(angles)
    back = rotation.inverse
    rotation.name, back.name = "det_to_optic_axis", "optic_axis_to_det"
    return (
        degree & degree
        | SphericalToCartesian(wrap_lon_at=180, name="s2c")
        | rotation
        | to_plane
        | AffineTransformation2D(matrix=matrix, translation=shift, name=name)
        | from_plane
        | back
        | CartesianToSpherical(wrap_lon_at=180, name="c2s")
        | arcsec & arcsec
    )


def _old_affine(wcs, base, angles):
    """Matrix and shift (arcsec) of the correction that a WCS has; ours or tweakwcs's."""
    transform = wcs.get_transform(base, CORRECTED)
    affine = _first(transform, "AffineTransformation2D")
    rotation = _first(transform, "RotationSequence3D")
    if affine is None or rotation is None:
        raise InputError("its WCS has a frame v2v3corr of another kind", mend="rt-assignwcs makes a fresh WCS")
    # Roman's and astropy's angles may differ by whole turns
    if not np.allclose(_rotation(rotation.angles.value), _rotation(angles), rtol=0, atol=1e-9):
        raise InputError(
            "its WCS has a correction about another point than meta.wcsinfo says", mend="rt-assignwcs makes a fresh WCS"
        )
    return np.array(affine.matrix.value, float), np.array(affine.translation.value, float) * RADIAN_ARCSEC


def _first(transform, kind):
    if type(transform).__name__ == kind:
        return transform
    return next((model for model in _leaves(transform) if type(model).__name__ == kind), None)


def _leaves(transform):
    if getattr(transform, "n_submodels", 1) == 1:
        yield transform
        return
    yield from _leaves(transform.left)
    yield from _leaves(transform.right)
