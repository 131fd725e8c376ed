"""The light on the detector: sources, sky and lamp as the rate image that a perfect calibration gives back.

That image is surface brightness: light per pixel, divided by the pixel's area in units of the one that photom
calibrates (`pixelareasr`). A source of some magnitude sends the same photons anywhere. The sky is uniform in the image;
its photons come in proportion to the area, which the flat holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rtools.reference import epsf
from rtools.simulate import areas, assumed, pointing, render, scene, spectra
from rtools.simulate.references import calibration_of, needed, scale_of
from rtools.wfi import instrument
from rtools.wfi.frame import BORDER
from rtools.wfi.sphere import s_region, separation
from rtools.wfi.units import AB_ZERO_NJY, DEGREE_ARCSEC
from rtools.work import ALONE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rtools.reference.source import References
    from rtools.simulate.request import SimulationRequest
    from rtools.simulate.scene import Sources
    from rtools.work import Work

__all__ = ["FocalPlane", "rate_image", "view_of"]

MARGIN_PIXELS = 200.0
"""Sources so far off the image still matter, if they are large or bright."""


@dataclass(frozen=True)
class FocalPlane:
    """Where the image is.

    Attributes
    ----------
    attitude : rtools.simulate.pointing.Attitude
        The rotation between V2, V3 and the sky.
    transform : callable
        Distortion, pixel of the trimmed frame to V2, V3.
    size : int
        Rows and columns of the trimmed frame.
    centre : tuple of float
        RA, Dec, degrees.
    corners : ndarray (4, 2)
        RA, Dec of (x0, y0), (x0, y1), (x1, y1), (x1, y0).
    """

    attitude: pointing.Attitude
    transform: pointing.Transform
    size: int
    centre: tuple[float, float]
    corners: np.ndarray

    @property
    def s_region(self) -> str | None:
        """The corners as `meta.wcsinfo.s_region`."""
        return s_region(self.corners)

    def radius(self) -> float:
        """Degrees from the centre to the farthest corner and the margin."""
        ra, dec = self.corners.T
        farthest = separation(ra, dec, *self.centre).max()
        return float(farthest + MARGIN_PIXELS * instrument.PIXEL_SCALE_ARCSEC / DEGREE_ARCSEC)


def view_of(meta: Mapping[str, Any], references: References, frame: int) -> FocalPlane:
    """The `FocalPlane` of metadata and a distortion reference.

    Parameters
    ----------
    meta : mapping of str to object
        Metadata of the exposure, with ``wcsinfo`` and ``velocity_aberration``.
    references : mapping of str to ReferenceSource or None
        References; distortion is used.
    frame : int
        Rows and columns of the full frame.

    Returns
    -------
    FocalPlane
        Of the trimmed frame, which has a border of 4 pixels less on each side.
    """
    attitude = pointing.attitude(meta)
    transform = needed(references, "distortion").node("coordinate_distortion_transform")
    size = frame - 2 * BORDER
    low, high, middle = -0.5, size - 0.5, (size - 1) / 2
    x, y = np.array([low, low, high, high, middle]), np.array([low, high, high, low, middle])
    places = np.stack(attitude.to_sky(*transform(x, y)), axis=1)
    return FocalPlane(attitude, transform, size, (float(places[4, 0]), float(places[4, 1])), places[:4])


def rate_image(
    view: FocalPlane,
    request: SimulationRequest,
    references: References,
    *,
    gain: float,
    table: Sources | None = None,
    work: Work = ALONE,
) -> tuple[np.ndarray, dict[str, tuple[np.ndarray, str | None]]]:
    """Image and table of what is seen.

    Parameters
    ----------
    view : FocalPlane
        Where the image is.
    request : rtools.simulate.request.SimulationRequest
        What is simulated.
    references : mapping of str to ReferenceSource or None
        References: photom and epsf.
    gain : float
        Typical electron/DN, with which sky and lamp are known in electrons.
    table : rtools.simulate.scene.Sources, optional
        Instead of drawn sources; magnitudes in the simulated element, flat spectra.
    work : rtools.work.Work
        Threads and log.

    Returns
    -------
    rate : ndarray float32 (size, size)
        DN/s.
    seen : dict of str to (ndarray, str or None)
        Sources whose light may fall on the image, columns and their units; empty without sky.
    """
    image = np.zeros((view.size, view.size), np.float32)
    seen: dict[str, tuple[np.ndarray, str | None]] = {}
    calibration = calibration_of(references, request.element)
    unit = areas.centre_area(view.transform) if calibration is None else calibration[1]
    if request.has_sky:
        seen = _add_sources(image, view, request, references, gain=gain, table=table, work=work)
        areas.divide(image, view.transform, unit)
    image += np.float32(_uniform(request, unit / instrument.PIXEL_AREA_SR) / gain)
    return image, seen


def _uniform(request, area):
    """Sky and lamp, electron/s in the pixel that the rate image is in units of; `area` in nominal ones."""
    if request.dark:
        return 0.0
    lamp = assumed.LAMP_E.get(request.exposure_type, 0.0)
    if not request.has_sky:
        return lamp
    if request.sky is not None:
        return lamp + request.sky
    if request.dispersed:
        return lamp + assumed.SKY_FACTOR * area * assumed.SPECTRAL_ZODIACAL_E[request.element]
    band = instrument.FILTERS.get(request.element)
    return lamp + (assumed.SKY_FACTOR * area * band.zodiacal + band.thermal if band else 0.0)


def _add_sources(image, view, request, references, *, gain, table, work):
    """Draw or take the sources, put them on `image`, and describe them."""
    stars = table
    if table is None:
        stars = scene.draw(view.centre, view.radius(), seed=request.scene_seed, crowded=request.crowded)
    x, y = pointing.locate(stars.ra, stars.dec, view.attitude, view.transform)
    near = _near(x, y, view.size, _reach(request))
    stars, x, y = stars.take(near), x[near], y[near]
    work.log("info", f"{len(stars)} sources, {np.count_nonzero(stars.sersic == 0)} of them stars")
    shapes = _shapes(stars, view)
    stamp = epsf.from_reference(needed(references, "epsf"), work.log)
    if request.dispersed:
        offset, electrons = _trace(stars, request.element, drawn=table is None)
        rates = electrons / gain
        render.add_spectra(image, stamp, x, y, sersic=stars.sersic, shapes=shapes, rates=rates, offset=offset)
        magnitude, rate = stars.magnitude, rates.sum(axis=1)
    else:
        magnitude = spectra.in_band(stars, request.element) if table is None else stars.magnitude
        rate = zero_rate(references, request, gain) * 10 ** (-0.4 * magnitude)
        point = stars.sersic == 0
        wide = ~point
        render.add_stars(image, stamp, x[point], y[point], rate[point])
        render.add_galaxies(
            image, stamp, x[wide], y[wide], rate[wide], sersic=stars.sersic[wide], shapes=shapes[wide], work=work
        )
    return _described(stars, x, y, magnitude=magnitude, rate=rate, peak=rate * stamp.peak)


def zero_rate(references, request, gain):
    """DN/s of AB magnitude 0: as the photom reference calibrates it, else by the zero point of the detector."""
    rate = scale_of(references, request.element)
    return 10 ** (0.4 * instrument.zero_point(request.detector, request.element)) / gain if rate is None else rate


def _reach(request):
    """Rows below and above a source that its light covers."""
    if not request.dispersed:
        return 0, 0
    offset = spectra.dispersion(request.element)[0]
    return max(-offset[0], 0), max(offset[-1], 0)


def _near(x, y, size, reach):
    """Sources whose light may fall on the image."""
    margin = MARGIN_PIXELS
    inside_x = (x > -margin) & (x < size + margin)
    return inside_x & (y > -margin - reach[1]) & (y < size + margin + reach[0])


def _shapes(stars, view):
    """`render.shape_matrices` of all sources; zero for stars."""
    shapes = np.zeros((len(stars), 3))
    wide = np.flatnonzero(stars.sersic > 0)
    if wide.size:
        part = stars.take(wide)
        local = pointing.jacobian(part.ra, part.dec, view.attitude, view.transform)
        shapes[wide] = render.shape_matrices(part.radius, part.axis_ratio, part.angle, local)
    return shapes


def _trace(stars, element, *, drawn):
    """Rows from the source, and electrons per second and pixel of each source's trace."""
    offset, wavelength, width = spectra.dispersion(element)
    flux = 10 ** (-0.4 * stars.magnitude[:, None])
    flux = flux * (spectra.relative_flux(stars, wavelength) if drawn else np.ones(wavelength.size))
    return offset, spectra.trace_rate(flux, element, wavelength, width)


def _described(stars, x, y, *, magnitude, rate, peak):
    """Columns of the truth table, with units."""
    kind = np.where(stars.sersic == 0, "star", np.where(stars.sersic == 1, "disk", "spheroid"))
    return {
        "ra": (stars.ra, "deg"),
        "dec": (stars.dec, "deg"),
        "x": (x, "pixel"),
        "y": (y, "pixel"),
        "type": (kind, None),
        "magnitude": (magnitude, "mag(AB)"),
        "flux": (AB_ZERO_NJY * 10 ** (-0.4 * magnitude), "nJy"),
        "rate": (rate, "DN / s"),
        "peak_rate": (peak, "DN / s"),
        "sersic_index": (stars.sersic, None),
        "half_light_radius": (stars.radius, "arcsec"),
        "axis_ratio": (stars.axis_ratio, None),
        "position_angle": (stars.angle, "deg"),
        "temperature": (stars.temperature, "K"),
        "spectral_slope": (stars.slope, None),
    }
