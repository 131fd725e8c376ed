"""The sources whose light may fall on an image: where they are, how bright, how dispersed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.simulate import pointing, scene, spectra
from rtools.simulate.references import scale_of
from rtools.wfi import instrument
from rtools.work import ALONE

if TYPE_CHECKING:
    from rtools.reference.source import References
    from rtools.simulate.light import FocalPlane
    from rtools.simulate.request import SimulationRequest
    from rtools.simulate.scene import Sources
    from rtools.work import Work

__all__ = ["MARGIN_PIXELS", "Seen", "find_sources", "star_at", "zero_rate"]

MARGIN_PIXELS = 200.0
"""Sources so far off the image still matter, if they are large or bright."""


class Seen(NamedTuple):
    """Sources whose light may fall on an image; n of them.

    Attributes
    ----------
    stars : rtools.simulate.scene.Sources
        What they are.
    x, y : ndarray float64 (n,)
        Where they are, pixels of the trimmed frame.
    magnitude : ndarray float64 (n,)
        AB in the simulated element; of a dispersed source as it was drawn or given.
    rate : ndarray float64 (n,)
        Of all their light, DN/s.
    trace : ndarray float64 (n, k) or None
        DN/s in each row of a dispersed source.
    offset : ndarray int64 (k,) or None
        Where these rows are, from the source.
    """

    stars: Sources
    x: np.ndarray
    y: np.ndarray
    magnitude: np.ndarray
    rate: np.ndarray
    trace: np.ndarray | None = None
    offset: np.ndarray | None = None


def find_sources(
    view: FocalPlane,
    request: SimulationRequest,
    references: References,
    *,
    gain: float,
    table: Sources | None = None,
    work: Work = ALONE,
) -> Seen:
    """Draw or take the sources whose light may fall on an image.

    Parameters
    ----------
    view : FocalPlane
        Where the image is.
    request : rtools.simulate.request.SimulationRequest
        What is simulated.
    references : mapping of str to ReferenceSource or None
        References: photom.
    gain : float
        Typical electron/DN.
    table : rtools.simulate.scene.Sources, optional
        Instead of drawn sources; magnitudes in the simulated element, flat spectra.
    work : rtools.work.Work
        Its log.

    Returns
    -------
    Seen
        With traces where the element disperses.
    """
    stars = table
    if stars is None:
        stars = scene.draw(view.centre, view.radius(), seed=request.scene_seed, crowded=request.crowded)
    x, y = pointing.locate(stars.ra, stars.dec, view.attitude, view.transform)
    near = _near(x, y, view.size, _reach(request))
    stars, x, y = stars.take(near), x[near], y[near]
    work.log("info", f"{len(stars)} sources, {np.count_nonzero(stars.sersic == 0)} of them stars")
    if request.dispersed:
        offset, electrons = _trace(stars, request.element, drawn=table is None)
        rates = electrons / gain
        return Seen(stars, x, y, stars.magnitude, rates.sum(axis=1), rates, offset)
    magnitude = spectra.in_band(stars, request.element) if table is None else stars.magnitude
    rate = zero_rate(references, request, gain) * 10 ** (-0.4 * magnitude)
    return Seen(stars, x, y, magnitude, rate)


def star_at(
    x: float,
    y: float,
    magnitude: float,
    view: FocalPlane,
    request: SimulationRequest,
    *,
    references: References,
    gain: float,
) -> Seen:
    """One more star, with a flat spectrum.

    Parameters
    ----------
    x, y : float
        Pixel of the trimmed frame.
    magnitude : float
        AB in the simulated element.
    view : FocalPlane
        Where the image is.
    request : rtools.simulate.request.SimulationRequest
        What is simulated.
    references : mapping of str to ReferenceSource or None
        References: photom.
    gain : float
        Typical electron/DN.

    Returns
    -------
    Seen
        Of one source.
    """
    ra, dec = view.attitude.to_sky(*view.transform(np.array([x]), np.array([y])))
    one, none = np.ones(1), np.zeros(1)
    star = scene.Sources(ra, dec, magnitude * one, none, none, one, none, np.nan * one, none)
    where = np.array([x]), np.array([y]), star.magnitude
    if request.dispersed:
        offset, electrons = _trace(star, request.element, drawn=False)
        return Seen(star, *where, electrons.sum(axis=1) / gain, electrons / gain, offset)
    return Seen(star, *where, zero_rate(references, request, gain) * 10 ** (-0.4 * star.magnitude))


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


def _trace(stars, element, *, drawn):
    """Rows from the source, and electrons per second and pixel of each source's trace."""
    offset, wavelength, width = spectra.dispersion(element)
    flux = 10 ** (-0.4 * stars.magnitude[:, None])
    flux = flux * (spectra.relative_flux(stars, wavelength) if drawn else np.ones(wavelength.size))
    return offset, spectra.trace_rate(flux, element, wavelength, width)
