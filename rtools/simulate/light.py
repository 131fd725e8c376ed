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
from rtools.reference.epsf_choice import refuse_mission
from rtools.simulate import areas, assumed, pointing, render
from rtools.simulate.references import calibration_of, needed
from rtools.simulate.seen import MARGIN_PIXELS, Seen, find_sources
from rtools.wfi import instrument
from rtools.wfi.frame import BORDER
from rtools.wfi.sphere import s_region, separation
from rtools.wfi.units import AB_ZERO_NJY, DEGREE_ARCSEC
from rtools.work import ALONE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rtools.reference.epsf import Psf
    from rtools.reference.source import References
    from rtools.simulate.request import SimulationRequest
    from rtools.simulate.scene import Sources
    from rtools.work import Work

__all__ = [
    "FocalPlane",
    "add_sources",
    "describe",
    "rate_image",
    "stamp_of",
    "uniform_rate",
    "view_of",
]


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
    found: Seen | None = None,
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
        As for `find_sources`.
    found : Seen, optional
        What `find_sources` gives, if it was asked already.
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
        if found is None:
            found = find_sources(view, request, references, gain=gain, table=table, work=work)
        psf = stamp_of(references, request.jitter, work)
        add_sources(image, found, psf, view, work=work)
        seen = describe(found, psf.peak)
        areas.divide(image, view.transform, unit)
    image += np.float32(uniform_rate(request, unit / instrument.PIXEL_AREA_SR) / gain)
    return image, seen


def uniform_rate(request: SimulationRequest, area: float = 1.0) -> float:
    """Sky and lamp.

    Parameters
    ----------
    request : rtools.simulate.request.SimulationRequest
        What is simulated.
    area : float
        Of the pixel, in units of the nominal one.

    Returns
    -------
    float
        electron/s in such a pixel.
    """
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


def add_sources(
    image: np.ndarray, found: Seen, psf: Psf, view: FocalPlane, *, origin: tuple[int, int] = (0, 0), work: Work = ALONE
) -> None:
    """Put sources on an image, in place.

    Parameters
    ----------
    image : ndarray float32 (rows, columns)
        A part of the trimmed frame, DN/s.
    found : Seen
        The sources.
    psf : rtools.reference.epsf.Psf
        How a star looks.
    view : FocalPlane
        Where the whole image is.
    origin : (int, int)
        Column and row of the trimmed frame with which the part begins.
    work : rtools.work.Work
        Threads.
    """
    stars, x, y = found.stars, found.x - origin[0], found.y - origin[1]
    local = epsf.Psf(psf.stamps, psf.oversample, psf.x - origin[0], psf.y - origin[1])
    shapes = _shapes(stars, view)
    if found.trace is not None and found.offset is not None:
        shape = {"sersic": stars.sersic, "shapes": shapes}
        render.add_spectra(image, local, x, y, rates=found.trace, offset=found.offset, **shape)
        return
    point = stars.sersic == 0
    wide = ~point
    render.add_stars(image, local, x[point], y[point], found.rate[point])
    galaxies = x[wide], y[wide], found.rate[wide]
    render.add_galaxies(image, local, *galaxies, sersic=stars.sersic[wide], shapes=shapes[wide], work=work)


def stamp_of(references: References, jitter: tuple[float, float, float] | None, work: Work = ALONE) -> Psf:
    """The ePSF, with a jitter in place of the reference's.

    Parameters
    ----------
    references : mapping of str to ReferenceSource or None
        References: epsf.
    jitter : (float, float, float) or None
        rms along two perpendicular axes, mas, and the position angle of the first, degrees; None for the reference's.
    work : rtools.work.Work
        Its log.

    Returns
    -------
    rtools.reference.epsf.Psf
        How a star looks.
    """
    source = needed(references, "epsf")
    refuse_mission(source, "roman")
    stamp = epsf.from_reference(source, work.log)
    return stamp if jitter is None else epsf.jittered(stamp, epsf.jitter_of(source, work.log), jitter)


def _shapes(stars, view):
    """`render.shape_matrices` of all sources; zero for stars."""
    shapes = np.zeros((len(stars), 3))
    wide = np.flatnonzero(stars.sersic > 0)
    if wide.size:
        part = stars.take(wide)
        local = pointing.jacobian(part.ra, part.dec, view.attitude, view.transform)
        shapes[wide] = render.shape_matrices(part.radius, part.axis_ratio, part.angle, local)
    return shapes


def describe(found: Seen, peak: float) -> dict[str, tuple[np.ndarray, str | None]]:
    """Columns of the truth table, with units.

    Parameters
    ----------
    found : Seen
        Sources.
    peak : float
        The largest share of a star's light in a pixel.

    Returns
    -------
    dict of str to (ndarray, str or None)
        Columns and their units.
    """
    stars, magnitude = found.stars, found.magnitude
    kind = np.where(stars.sersic == 0, "star", np.where(stars.sersic == 1, "disk", "spheroid"))
    return {
        "ra": (stars.ra, "deg"),
        "dec": (stars.dec, "deg"),
        "x": (found.x, "pixel"),
        "y": (found.y, "pixel"),
        "type": (kind, None),
        "magnitude": (magnitude, "mag(AB)"),
        "flux": (AB_ZERO_NJY * 10 ** (-0.4 * magnitude), "nJy"),
        "rate": (found.rate, "DN / s"),
        "peak_rate": (found.rate * peak, "DN / s"),
        "sersic_index": (stars.sersic, None),
        "half_light_radius": (stars.radius, "arcsec"),
        "axis_ratio": (stars.axis_ratio, None),
        "position_angle": (stars.angle, "deg"),
        "temperature": (stars.temperature, "K"),
        "spectral_slope": (stars.slope, None),
    }
