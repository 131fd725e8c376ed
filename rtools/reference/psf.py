"""The nominal PSF: an annular-pupil Airy pattern, blurred until its peak is the measured one.

Built in Fourier space, where every blur is a factor: pupil autocorrelation averaged over the band, jitter, charge
diffusion, a Gaussian whose width is fitted, the pixel, inter-pixel capacitance. Support struts and the change over the
field are left out. The light has one shape on the sky; each detector samples it with pixels of the size that the one at
its centre has. Arrays only; `rtools.reference.builtin` serves them as epsf and apcorr references.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.reference import nominal
from rtools.wfi import instrument
from rtools.wfi.distortion import pixel_side
from rtools.wfi.frame import FRAME
from rtools.wfi.units import HC_OVER_K_UM_K, RADIAN_ARCSEC

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["OVERSAMPLE", "SPECTRAL_TYPES", "STAMP", "encircled_energy", "epsf", "epsf_meta", "stamp", "stamps"]

OVERSAMPLE = 4
"""Samples per pixel of the stamps."""

STAMP = 361
"""Samples on a side: about 90 pixels."""

SPECTRAL_TYPES = {"A0V": 9500.0, "G2V": 5800.0, "M5V": 3000.0}
"""Black-body temperatures, K, that stand for the spectral types; G2V is the one measured PSFs are compared with."""

DIFFUSION_PIXELS = 0.1
"""Charge diffusion, rms per axis (galsim's Roman module)."""

GRID_POSITIONS = (0.0, (FRAME - 9) / 2, FRAME - 9.0)
"""x and y of the 3 x 3 grid of stamps in trimmed 0-based pixels: corners, edges, centre."""

FINE = 2 * OVERSAMPLE
"""Samples per pixel of the transform: finer than the stamps, so that nothing is aliased before it is sampled."""

RING_POINTS = 5
"""Points into which a sample is divided, each way, where light inside a radius is counted."""

GRID = 2048
"""Samples on a side of the transform, 28 arcsec: the wings that wrap around are 1 % of those at the stamp's edge."""


def epsf(detector: str, element: str) -> tuple[np.ndarray, dict[str, Any]]:
    """The ePSF array of a detector and optical element, and its metadata.

    Parameters
    ----------
    detector : str
        On the sky the nominal PSF is the same on all (means of the 18); their pixels differ in size.
    element : str
        A filter; any other element gets F158's PSF, as cross-section of a spectrum.

    Returns
    -------
    psf : ndarray float32, (1, 3, 9, 361, 361)
        (defocus, spectral type, grid, y, x), 4 samples per pixel, per native pixel: pixel response and inter-pixel
        capacitance included; each stamp sums to 16 (all light inside the stamp).
    meta : dict
        See `epsf_meta`.
    """
    every = [stamps(detector, element, index) for index in range(len(SPECTRAL_TYPES))]
    return np.stack(every)[None], epsf_meta()


def stamps(detector: str, element: str, spectral: int) -> np.ndarray:
    """The part of `epsf` at one spectral type.

    Parameters
    ----------
    detector, element : str
        As for `epsf`.
    spectral : int
        Index of the type among `SPECTRAL_TYPES`.

    Returns
    -------
    ndarray float32, (9, 361, 361)
        One stamp for each place of the grid, all alike.
    """
    one = stamp(element, list(SPECTRAL_TYPES)[spectral], side=pixel_side(detector)).astype(np.float32)
    return np.tile(one, (len(GRID_POSITIONS) ** 2, 1, 1))


def epsf_meta() -> dict[str, Any]:
    """What the metadata of an epsf reference say of the nominal PSF."""
    jitter = instrument.JITTER_ARCSEC * 1000
    return {
        "oversample": OVERSAMPLE,
        "spectral_type": list(SPECTRAL_TYPES),
        "defocus": [0],
        "pixel_x": [x for _y in GRID_POSITIONS for x in GRID_POSITIONS],
        "pixel_y": [y for y in GRID_POSITIONS for _x in GRID_POSITIONS],
        "jitter_major": jitter,
        "jitter_minor": jitter,
        "jitter_position_angle": 0.0,
    }


@cache
def stamp(
    element: str,
    spectral_type: str = "G2V",
    *,
    side: float = instrument.PIXEL_SCALE_ARCSEC,
    capacitance: bool = True,
    widened: bool = True,
) -> np.ndarray:
    """One stamp of the nominal PSF.

    Parameters
    ----------
    element : str
        A filter; any other element gets F158's.
    spectral_type : str
        One of `SPECTRAL_TYPES`.
    side : float
        Of a pixel, arcsec.
    capacitance : bool
        With inter-pixel capacitance.
    widened : bool
        With the Gaussian that makes the peak the measured one.

    Returns
    -------
    ndarray float64, (361, 361), read-only
        Sum 16, centre at [180, 180]; a sample is the fraction of light in a pixel centred there.
    """
    from scipy.fft import fftfreq, irfft2, rfftfreq

    element = element if element in instrument.FILTERS else "F158"
    step = side / FINE
    qy, qx = fftfreq(GRID, step)[:, None], rfftfreq(GRID, step)[None, :]
    radius, optics = _optics(element, spectral_type)
    optics = optics * _gaussian(radius, _extra_blur(element) if widened else 0.0)
    transfer = np.interp(np.hypot(qy, qx), radius, optics, right=0.0) * _pixel(qy, side) * _pixel(qx, side)
    if capacitance:
        transfer = transfer * _capacitance(qy, qx, side)
    image = irfft2(transfer, s=(GRID, GRID))
    places = 2 * (np.arange(STAMP) - STAMP // 2)  # the centre is the first sample; negative ones count from the end
    cut = image[np.ix_(places, places)]
    cut *= OVERSAMPLE**2 / cut.sum()
    cut.flags.writeable = False
    return cut


def encircled_energy(element: str, radii_arcsec: ArrayLike) -> np.ndarray:
    """Fraction of a star's light within a radius, from the nominal stamp (all light is inside the stamp).

    Parameters
    ----------
    element : str
        Optical element.
    radii_arcsec : array_like of float (n,)
        Radii of the circles, arcsec, rising.

    Returns
    -------
    ndarray float64 (n,)
        0 … 1.
    """
    light = stamp(element) / (RING_POINTS * OVERSAMPLE) ** 2
    radii = tuple(np.asarray(radii_arcsec, float).tolist())
    rings = _rings(radii)
    every_point = np.repeat(np.repeat(light, RING_POINTS, 0), RING_POINTS, 1)
    return np.cumsum(np.bincount(rings, every_point.ravel(), minlength=len(radii) + 1))[:-1]


@cache
def _rings(radii_arcsec):
    """For every point of a stamp, between which two radii it lies."""
    offsets = (np.arange(STAMP * RING_POINTS) + 0.5) / RING_POINTS - STAMP / 2
    offsets *= instrument.PIXEL_SCALE_ARCSEC / OVERSAMPLE
    distance = np.hypot(offsets[:, None], offsets[None, :]).ravel()
    return np.searchsorted(radii_arcsec, distance, side="right").astype(np.int16)


@cache
def _optics(element, spectral_type):
    """Radial transfer function of optics, jitter and diffusion: frequencies (1/arcsec), values."""
    wavelengths, area = (np.array(part) for part in instrument.effective_area(element))
    wavelengths, area = wavelengths[area > 0], area[area > 0]
    temperature = SPECTRAL_TYPES[spectral_type]
    weights = area / (wavelengths**4 * np.expm1(HC_OVER_K_UM_K / (wavelengths * temperature)))
    weights /= weights.sum()
    radius = np.linspace(0, 1.5 * FINE / instrument.PIXEL_SCALE_ARCSEC / 2, 8001)
    frequency = radius * RADIAN_ARCSEC
    values = sum(
        weight * _pupil_overlap(frequency * wavelength * 1e-6 / (instrument.STOP_DIAMETER_M / 2))
        for weight, wavelength in zip(weights, wavelengths, strict=True)
    )
    diffusion = DIFFUSION_PIXELS * instrument.PIXEL_SCALE_ARCSEC
    return radius, values * _gaussian(radius, np.hypot(instrument.JITTER_ARCSEC, diffusion))


def _pupil_overlap(shift):
    """Autocorrelation of the annular pupil, normalised; shift in units of its outer radius."""
    inner = instrument.OBSCURATION
    area = _overlap(1, 1, shift) - 2 * _overlap(1, inner, shift) + _overlap(inner, inner, shift)
    return area / (np.pi * (1 - inner**2))


def _overlap(a, b, distance):
    """Area common to two circles of radii a >= b whose centres are this far apart."""
    lens = np.clip(distance, a - b, a + b)
    lens = np.where(lens == 0, 1e-12, lens)
    cos_a = np.clip((lens**2 + a**2 - b**2) / (2 * lens * a), -1, 1)
    cos_b = np.clip((lens**2 + b**2 - a**2) / (2 * lens * b), -1, 1)
    kite = np.clip((a + b - lens) * (lens + a - b) * (lens - a + b) * (lens + a + b), 0, None)
    return a**2 * np.arccos(cos_a) + b**2 * np.arccos(cos_b) - 0.5 * np.sqrt(kite)


def _gaussian(frequency, sigma):
    """Transform of a Gaussian of this rms (arcsec)."""
    return np.exp(-2 * (np.pi * sigma * frequency) ** 2)


def _pixel(frequency, side=instrument.PIXEL_SCALE_ARCSEC):
    """Transform of the pixel's width."""
    return np.sinc(frequency * side)


def _capacitance(qy, qx, side):
    """Transform of the inter-pixel capacitance kernel, rows along y."""
    steps = -2j * np.pi * side * np.array([-1, 0, 1])
    return np.exp(qy * steps) @ (np.array(nominal.IPC) / nominal.IPC_SUM) @ np.exp(qx.T * steps).T


@cache
def _extra_blur(element):
    """rms (arcsec) of the Gaussian that makes the centred peak pixel, without capacitance, the measured one."""
    from scipy.optimize import brentq

    radius, optics = _optics(element, "G2V")
    angles = (np.arange(64) + 0.5) * np.pi / 128
    pixel = np.mean(_pixel(radius[:, None] * np.cos(angles)) * _pixel(radius[:, None] * np.sin(angles)), axis=1)
    bare = stamp(element, capacitance=False, widened=False)
    ring = 2 * np.pi * radius * optics * pixel * instrument.PIXEL_SCALE_ARCSEC**2
    # The stamp is normalised to the light inside it, so the peak of the whole pattern is this much lower.
    inside = np.trapezoid(ring, radius) / bare[STAMP // 2, STAMP // 2]
    wanted = instrument.FILTERS[element].peak_pixel * inside
    return brentq(lambda sigma: np.trapezoid(ring * _gaussian(radius, sigma), radius) - wanted, 0.0, 0.3)
