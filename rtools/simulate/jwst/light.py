"""The light on a detector of JWST: sources, sky and target, as the image that a perfect calibration gives back.

That image is surface brightness: light per pixel, divided by the area of the pixel in units of that which photom
calibrates. The flat holds the areas, as on the detector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.jwst.instrument import bandpass, detector_facts
from rtools.simulate import areas, light, pointing, scene, spectra
from rtools.simulate.jwst.coronagraph import occulted_stamps, transmission_at
from rtools.simulate.jwst.optics import stamp_of
from rtools.simulate.render import add_stars
from rtools.simulate.seen import MARGIN_PIXELS, Seen
from rtools.wfi.sphere import from_plane
from rtools.wfi.units import AB_ZERO_JY, ARCSEC
from rtools.work import ALONE

if TYPE_CHECKING:
    from rtools.reference.epsf import Psf
    from rtools.simulate.jwst.request import JwstRequest
    from rtools.simulate.jwst.view import JwstView
    from rtools.work import Work

__all__ = ["Brightness", "JwstLight", "Target", "light_of"]

MEGAJANSKY = 1e-6
"""MJy of 1 Jy."""

BAND_STEPS = 11
"""Wavelengths at which spectra are looked at in a filter."""


class Brightness(NamedTuple):
    """From flux to DN/s.

    Attributes
    ----------
    photmjsr : float
        (MJy/sr)/(DN/s).
    pixel_sr : float
        Solid angle of the pixel that this is for.
    sky : float
        Surface brightness of the sky, MJy/sr.
    """

    photmjsr: float
    pixel_sr: float
    sky: float

    def rate(self, magnitude: np.ndarray) -> np.ndarray:
        """DN/s of all light of sources of AB magnitudes."""
        return AB_ZERO_JY * MEGAJANSKY * 10 ** (-0.4 * np.asarray(magnitude)) / (self.photmjsr * self.pixel_sr)

    def magnitude(self, rate: float) -> float:
        """AB magnitude of a source of so many DN/s."""
        return float(-2.5 * np.log10(rate / self.rate(np.zeros(()))))


@dataclass(frozen=True)
class Target:
    """The star on the reference point, and what it has beside it.

    Attributes
    ----------
    x, y : float
        In the middle of the exposure, pixels of what is read.
    rate : float
        Of all its light, DN/s.
    magnitude : float
        AB.
    area : float
        Of its pixel, in units of that which photom calibrates.
    others : tuple of (float, float, float)
        Companions: pixels from the target along x and y, and light in units of the target's.
    """

    x: float
    y: float
    rate: float
    magnitude: float
    area: float
    others: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True)
class JwstLight:
    """What falls on a detector.

    Attributes
    ----------
    base : ndarray float32 (rows, columns)
        All but the target, DN/s.
    found : rtools.simulate.seen.Seen or None
        Sources; None without a sky.
    target : Target or None
        The star on the reference point.
    psf : rtools.reference.epsf.Psf
        How a star looks.
    request : rtools.simulate.jwst.request.JwstRequest
        What is simulated.
    hidden : rtools.reference.epsf.Psf or None
        How the target looks, where it is behind an occulter.
    """

    base: np.ndarray
    found: Seen | None
    target: Target | None
    psf: Psf
    request: JwstRequest
    hidden: Psf | None = None

    def fraction(self, number: int) -> float:
        """The middle of an integration (from 0), as fraction of the exposure."""
        return (number + 0.5) / self.request.integrations

    def curve(self, number: int) -> float:
        """Light of the target in an integration, in units of what it has outside of the transit."""
        transit = self.request.transit
        inside = transit is not None and transit.start <= self.fraction(number) < transit.end
        return 1.0 - transit.depth if transit is not None and inside else 1.0

    def place(self, number: int) -> tuple[float, float]:
        """Pixel of the target in an integration."""
        if self.target is None:
            raise ValueError("there is no target")
        part = self.fraction(number) - 0.5 if self.request.integrations > 1 else 0.0
        return self.target.x + part * self.request.drift[0], self.target.y + part * self.request.drift[1]

    def image(self, number: int) -> np.ndarray:
        """The image in an integration, DN/s; ndarray float32 (rows, columns)."""
        if self.target is None:
            return self.base
        image = self.base.copy()
        x, y = self.place(number)
        stars = np.array([(0.0, 0.0, self.curve(number)), *self.target.others]).T
        groups = [(self.psf, stars)] if self.hidden is None else [(self.hidden, stars[:, :1]), (self.psf, stars[:, 1:])]
        for psf, (dx, dy, share) in groups:
            add_stars(image, psf, x + dx, y + dy, self.target.rate / self.target.area * share)
        return image


def light_of(
    request: JwstRequest, view: JwstView, brightness: Brightness, *, well: float, work: Work = ALONE
) -> JwstLight:
    """Sources, sky and target of an exposure.

    Parameters
    ----------
    request : rtools.simulate.jwst.request.JwstRequest
        What is simulated.
    view : rtools.simulate.jwst.view.JwstView
        Where it looks.
    brightness : Brightness
        From flux to DN/s.
    well : float
        DN that a target without magnitude collects in its brightest pixel in an integration.
    work : rtools.work.Work
        Threads and log.

    Returns
    -------
    Light
        Nothing but darkness for exposure types of darks.
    """
    base = np.zeros((request.part.rows, request.part.columns), np.float32)
    hidden, psf = None, stamp_of(request.detector, request.element, masked=request.masked)
    if request.occulted:
        hidden, psf = occulted_stamps(request.detector, request.element, request.offset, request.stream)
    if request.exposure_type.endswith("_DARK"):
        return JwstLight(base, None, None, psf, request)
    found = _found(request, view, brightness)
    work.log("info", f"{len(found.stars)} sources, {np.count_nonzero(found.stars.sersic == 0)} of them stars")
    light.add_sources(base, found, psf, view.plane, work=work)
    areas.divide(base, view.plane.transform, brightness.pixel_sr)
    base += np.float32(brightness.sky / brightness.photmjsr)
    target = _target(request, view, brightness, well / (hidden or psf).peak)
    return JwstLight(base, found, target, psf, request, hidden)


def _found(request, view, brightness):
    """Sources whose light may fall on what is read."""
    stars = scene.draw(view.plane.centre, view.radius, seed=request.scene_seed, crowded=request.crowded)
    x, y = pointing.locate(stars.ra, stars.dec, view.plane.attitude, view.plane.transform)
    part, margin = request.part, MARGIN_PIXELS
    near = (x > -margin) & (x < part.columns + margin) & (y > -margin) & (y < part.rows + margin)
    stars, x, y = stars.take(near), x[near], y[near]
    low, high = bandpass(request.detector, request.element).edges_um
    waves = np.linspace(low, high, BAND_STEPS)
    magnitude = spectra.in_passband(stars, waves, np.ones(BAND_STEPS))
    return Seen(stars, x, y, magnitude, brightness.rate(magnitude))


def _target(request, view, brightness, well):
    """The star on the reference point; `well` is the DN of all its light in an integration."""
    if not request.target:
        return None
    magnitude = request.magnitude
    if magnitude is None:
        magnitude = round(brightness.magnitude(well / request.integration_time), 2)
    middle = (request.part.columns - 1) / 2, (request.part.rows - 1) / 2
    x, y = middle[0] + request.offset[0], middle[1] + request.offset[1]
    others: tuple[tuple[float, float, float], ...] = ()
    if request.companion is not None:
        angle, distance = np.deg2rad(request.companion.angle), request.companion.separation * ARCSEC
        sky = from_plane(distance * np.sin(angle), distance * np.cos(angle), (request.ra, request.dec))
        ra, dec = (np.atleast_1d(each) for each in sky)
        there = pointing.locate(ra, dec, view.plane.attitude, view.plane.transform)
        dx, dy = float(there[0][0] - middle[0]), float(there[1][0] - middle[1])
        passed = _passed(request, dx, dy) if request.occulted else 1.0
        others = ((dx, dy, request.companion.contrast * passed),)
    area = areas.area_of(view.plane.transform, x, y) / brightness.pixel_sr
    return Target(x, y, float(brightness.rate(magnitude)), magnitude, area, others)


def _passed(request, dx, dy):
    """Part of the light of a companion that passes beside the occulter."""
    place = np.hypot(dx + request.offset[0], dy + request.offset[1])
    return float(transmission_at(place * detector_facts(request.detector).pixel_scale))
