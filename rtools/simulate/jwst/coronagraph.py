"""How stars look through a coronagraph of NIRCam: one behind the round occulter, and others beside it.

The light goes through the segments of the mirror, whose pistons and tilts are not perfect, past the occulter in a first
image, through a stop in an image of the mirror (Lyot 1939), and onto the detector. The occulter takes away a Gaussian
of the field, so what is missing in the plane of the stop is the mirror's field, smoothed by another Gaussian.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from rtools.jwst.instrument import bandpass, detector_facts
from rtools.jwst.pupil import STOP_WIDTH, segment_centres, segment_width
from rtools.reference.epsf import Psf
from rtools.simulate.jwst import assumed
from rtools.simulate.streams import generator
from rtools.wfi.units import ARCSEC

__all__ = ["occulted_stamps", "transmission_at"]

OVERSAMPLE, SIZE, WAVELENGTHS = 4, 161, 5
"""Samples per pixel, pixels on a side of a stamp, and wavelengths of which it is the mean."""

SAMPLES, HALF = 160, 3.4
"""Samples on a side of the mirror, and half of that side, m."""

MICRON, NANOMETRE = 1e-6, 1e-9


def transmission_at(separation: np.ndarray | float) -> np.ndarray | float:
    """Part of the light that the occulter lets through.

    Parameters
    ----------
    separation : float or ndarray
        From its middle, arcsec.
    """
    return (1 - np.exp(-((np.asarray(separation) / assumed.OCCULTER_ARCSEC) ** 2) / 2)) ** 2


@lru_cache(maxsize=8)
def occulted_stamps(detector: str, element: str, offset: tuple[float, float], stream: tuple) -> tuple[Psf, Psf]:
    """Point-spread functions in an exposure.

    Parameters
    ----------
    detector : str
        As file names spell it.
    element : str
        Name of the filter.
    offset : (float, float)
        Pixels from the middle of the occulter to the star, along x and y.
    stream : tuple
        What the state of the mirror in this exposure is keyed by.

    Returns
    -------
    (rtools.reference.epsf.Psf, rtools.reference.epsf.Psf)
        Of the star behind the occulter, and of one far from it. Both are in units of the light that the open mirror
        collects: the stop takes most of it.
    """
    facts, (low, high) = detector_facts(detector), bandpass(detector, element).edges_um
    scale = np.array([facts.x_scale, facts.y_scale]) * ARCSEC
    x, y, mirror, stop, opd = _mirror(detector, stream)
    angles = (np.arange(SIZE * OVERSAMPLE) - (SIZE * OVERSAMPLE - 1) / 2) / OVERSAMPLE
    light = np.zeros((2, len(angles), len(angles)))
    for wave in MICRON * (low + (high - low) * (np.arange(WAVELENGTHS) + 0.5) / WAVELENGTHS):
        field = mirror * np.exp(2j * np.pi * opd / wave)
        tilt = np.exp(2j * np.pi * (offset[0] * scale[0] * x + offset[1] * scale[1] * y) / wave)
        hidden = field - np.conj(tilt) * _smoothed(field * tilt, wave)
        for number, one in enumerate((hidden, field)):
            light[number] += _intensity(one * stop, x, y, angles, scale / wave) / mirror.sum()
    stamps = [_pixel_integrated(one / WAVELENGTHS) for one in light]
    behind, beside = (Psf(stamp[np.newaxis], OVERSAMPLE, np.zeros(1), np.zeros(1)) for stamp in stamps)
    return behind, beside


def _mirror(detector, stream):
    """Axes of the detector in the mirror's image (m), the open mirror, the stop, errors of the wave front (m)."""
    facts, width = detector_facts(detector), segment_width()
    angle, parity = np.deg2rad(facts.v3_ideal_y_angle), facts.parity
    steps = (np.arange(SAMPLES) - (SAMPLES - 1) / 2) * 2 * HALF / SAMPLES
    x, y = steps[np.newaxis, :], steps[:, np.newaxis]
    across = parity * x * np.cos(angle) + y * np.sin(angle)
    along = -parity * x * np.sin(angle) + y * np.cos(angle)
    mirror, stop, opd = (np.zeros((SAMPLES, SAMPLES)) for _ in range(3))
    errors = assumed.WAVE_FRONT_NM * generator("jwst wave front").normal(size=(18, 3))
    errors += assumed.WAVE_FRONT_DRIFT_NM * generator(*stream, "wave front").normal(size=(18, 3))
    for (middle, height), (piston, *tilts) in zip(segment_centres(), errors * NANOMETRE, strict=True):
        u, v = across - middle, along - height
        inside = _in_hexagon(u, v, width)
        mirror += inside
        stop += _in_hexagon(u, v, width * STOP_WIDTH)
        opd += inside * (piston + 2 * (tilts[0] * u + tilts[1] * v) / width)
    return x, y, mirror, stop, opd


def _in_hexagon(u, v, width):
    """Whether points lie in a hexagon that has two sides along u."""
    slanted = np.sqrt(3) / 2 * np.abs(u) + np.abs(v) / 2
    return (np.maximum(np.abs(v), slanted) <= width / 2).astype(float)


def _smoothed(field, wave):
    """The field times the Gaussian of the occulter in the first image, back in the mirror's image."""
    from scipy.ndimage import gaussian_filter

    sigma = wave / (2 * np.pi * assumed.OCCULTER_ARCSEC * ARCSEC) / (2 * HALF / SAMPLES)
    return gaussian_filter(field, sigma, mode="constant", truncate=5)


def _intensity(field, x, y, angles, per_pixel):
    """Fraction of the mirror's light in the area of a pixel; a matrix each way, as Soummer et al. (2007) have it."""
    step = 2 * HALF / SAMPLES
    right = np.exp(-2j * np.pi * per_pixel[0] * angles[np.newaxis, :] * x.reshape(-1, 1))
    left = np.exp(-2j * np.pi * per_pixel[1] * angles[:, np.newaxis] * y.reshape(1, -1))
    return np.abs(left @ field @ right) ** 2 * step**2 * abs(per_pixel[0] * per_pixel[1])


def _pixel_integrated(light):
    """Each sample the light in a pixel about it, as `rtools.jwst.pupil.psf` has it."""
    box = np.sinc(np.fft.fftfreq(len(light), 1 / OVERSAMPLE))
    return np.fft.irfft2(np.fft.rfft2(light) * box[:, None] * box[None, : len(light) // 2 + 1], s=light.shape)
