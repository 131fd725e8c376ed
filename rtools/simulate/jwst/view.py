"""Where an exposure of JWST looks: the attitude, and pixels of what is read to V2, V3 and to the sky.

The coordinates are those that assign_wcs builds of the same keywords: distortion, velocity aberration about the
reference point, and the rotations by V2_REF, V3_REF, ROLL_REF, RA_REF and DEC_REF.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.jwst.distortion import pixel_to_v2v3, v2v3_to_pixel
from rtools.jwst.instrument import detector_facts
from rtools.simulate import pointing
from rtools.simulate.light import FocalPlane
from rtools.simulate.seen import MARGIN_PIXELS
from rtools.wfi.sphere import separation
from rtools.wfi.units import DEGREE_ARCSEC

if TYPE_CHECKING:
    from collections.abc import Callable

    from rtools.jwst.readout import Subarray
    from rtools.simulate.jwst.request import JwstRequest

__all__ = ["JwstView", "PartTransform", "view_of"]


@dataclass(frozen=True)
class PartTransform:
    """The distortion of what is read: pixels of it, 0-based, to V2, V3 in arcsec.

    Attributes
    ----------
    detector : str
        As file names spell it.
    part : rtools.jwst.readout.Subarray
        What is read.
    model : callable or None
        Of a distortion reference, pixels of the full frame to V2, V3; None for the nominal one.
    """

    detector: str
    part: Subarray
    model: Callable[..., Any] | None = None

    def __call__(self, x: Any, y: Any) -> Any:
        """V2, V3 of pixels."""
        place = np.asarray(x, float) + self.part.x - 1, np.asarray(y, float) + self.part.y - 1
        return pixel_to_v2v3(self.detector, *place) if self.model is None else self.model(*place)

    def inverse(self, v2: Any, v3: Any) -> Any:
        """Pixels of V2, V3, as good as the model's own inverse."""
        if self.model is None:
            x, y = v2v3_to_pixel(self.detector, v2, v3)
        else:
            x, y = self.model.inverse(v2, v3)  # type: ignore[attr-defined]  # a reference's model has one
        return x - self.part.x + 1, y - self.part.y + 1


@dataclass(frozen=True)
class JwstView:
    """Where an exposure looks.

    Attributes
    ----------
    plane : rtools.simulate.light.FocalPlane
        Attitude and transform; its centre is that of what is read, its size the larger side.
    radius : float
        From the centre to the farthest source that may matter, degrees.
    wcsinfo : dict of str to object
        Metadata ``wcsinfo``, without what belongs to a WCS in the header.
    ephemeris : tuple of ndarray float64 (3,)
        Position (km) and velocity (km/s) of the telescope in the middle of the exposure, barycentric.
    moment : float
        When that is, MJD, UTC.
    aberration : (float, float, float)
        Scale factor, and apparent position of the reference point, degrees.
    model : callable or None
        Of a distortion reference; None for the nominal geometry.
    """

    plane: FocalPlane
    radius: float
    wcsinfo: dict[str, Any]
    ephemeris: tuple[np.ndarray, np.ndarray]
    moment: float
    aberration: tuple[float, float, float]
    model: Any = None


def view_of(request: JwstRequest, moment: float, model: Callable[..., Any] | None = None) -> JwstView:
    """Where an exposure looks.

    Parameters
    ----------
    request : rtools.simulate.jwst.request.JwstRequest
        What is simulated.
    moment : float
        Its middle, MJD, UTC.
    model : callable, optional
        Of a distortion reference.

    Returns
    -------
    View
    """
    facts, part = detector_facts(request.detector), request.part
    transform = PartTransform(request.detector, part, model)
    middle = (part.columns - 1) / 2, (part.rows - 1) / 2
    v2, v3 = (float(value) for value in transform(*middle))
    position, velocity = pointing.ephemeris(moment)
    aberration = pointing.aberration_scale(request.ra, request.dec, velocity)
    wcsinfo = {
        "v2_ref": v2,
        "v3_ref": v3,
        "v3yangle": facts.v3_ideal_y_angle,
        "vparity": facts.parity,
        "roll_ref": (request.pa - facts.v3_ideal_y_angle) % 360,
        "ra_ref": request.ra,
        "dec_ref": request.dec,
        "siaf_xref_sci": middle[0] + 1,
        "siaf_yref_sci": middle[1] + 1,
    }
    attitude = pointing.Attitude(wcsinfo, aberration[0])
    plane, radius = _plane(attitude, transform, part, facts.pixel_scale)
    wcsinfo["s_region"] = plane.s_region
    return JwstView(plane, radius, wcsinfo, (position, velocity), moment, aberration, model)


def _plane(attitude, transform, part, scale):
    """The `FocalPlane` of what is read, and the radius in which sources matter, degrees."""
    low, right, top = -0.5, part.columns - 0.5, part.rows - 0.5
    x = np.array([low, low, right, right, (part.columns - 1) / 2])
    y = np.array([low, top, top, low, (part.rows - 1) / 2])
    places = np.stack(attitude.to_sky(*transform(x, y)), axis=1)
    centre = float(places[4, 0]), float(places[4, 1])
    size = max(part.columns, part.rows)
    farthest = separation(places[:4, 0], places[:4, 1], *centre).max()
    radius = float(farthest + MARGIN_PIXELS * scale / DEGREE_ARCSEC)
    return FocalPlane(attitude, transform, size, centre, places[:4]), radius
