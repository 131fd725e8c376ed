"""JWST's pupil, and the point-spread functions that it makes: hexagons in closed form, without aberration.

A pupil of transmission P(x, y), metres, gives the field F(u, v) = ∫∫ P exp(-2πi (u x + v y)) dx dy at the angles
(u, v) λ. |F|² is the intensity, and its integral over u and v the area of the pupil.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from rtools.errors import UsageError
from rtools.jwst.instrument import bandpass, detector_facts, instrument_facts

__all__ = [
    "STOP_WIDTH",
    "NonRedundantMask",
    "hexagon_area",
    "hexagon_field",
    "interference",
    "mask_centres",
    "mask_transmission",
    "mask_turn",
    "non_redundant_mask",
    "psf",
    "segment_centres",
    "segment_width",
]

ARCSEC = np.deg2rad(1 / 3600)
"""Radians in an arcsec."""

STOP_WIDTH = 0.6
"""Width of the openings of the stop behind NIRCam's round occulter, in units of the segments of the mirror; assumed."""

MICRON = 1e-6
NARROW = 1e-6
"""|u| in units of 1/half the width below which the limit u -> 0 is taken; both are good to 1e-10 there."""

FINEST = 4
"""Samples in a pixel that sample the intensity of the shortest filters fast enough."""

MARGIN = 8
"""Pixels around the stamp, so that what is beside it enters its outer pixels."""


@dataclass(frozen=True)
class NonRedundantMask:
    """The mask of seven holes in the pupil of NIRISS.

    Attributes
    ----------
    names : tuple of str
        Of the mirror's segments that the holes lie on.
    centres : tuple of tuple of float
        x, y as designed, m on the primary mirror.
    flat_to_flat : float
        Width of a hole, m.
    pixel_arcsec : float
        Side of a pixel as the interferogram is modelled.
    affine : dict of str to float
        mx, my, sx, sy: how the mask lay at commissioning.
    """

    names: tuple[str, ...]
    centres: tuple[tuple[float, float], ...]
    flat_to_flat: float
    pixel_arcsec: float
    affine: dict[str, float]


@cache
def non_redundant_mask() -> NonRedundantMask:
    """The mask of NIRISS's aperture masking interferometry.

    Returns
    -------
    NonRedundantMask
    """
    told = instrument_facts()["nrm_holes_m"]
    return NonRedundantMask(
        names=tuple(told["names"]),
        centres=tuple((x, y) for x, y in told["as_designed"]),
        flat_to_flat=told["flat_to_flat"],
        pixel_arcsec=told["pixel_arcsec"],
        affine=dict(told["affine_commissioning"]),
    )


def mask_centres() -> np.ndarray:
    """Centres of the holes of NIRISS's mask in the axes of the detector, as they lay at commissioning.

    Returns
    -------
    ndarray float64 (7, 2)
        x along columns and y along rows, m.
    """
    return np.array(non_redundant_mask().centres) @ mask_turn(non_redundant_mask().affine)


def mask_turn(affine: Mapping[str, float]) -> np.ndarray:
    """How the mask lies on the detector, as a matrix of (along columns, along rows).

    An affine is stated for the axes (rows, columns): u' = (my u - sy v)/det, v' = (-sx u + mx v)/det with
    det = mx my - sx sy. Angles (columns, rows) of the image are multiplied by the matrix; designed centres of holes,
    as rows, are multiplied with it.

    Parameters
    ----------
    affine : mapping of str to float
        mx, my, sx, sy.

    Returns
    -------
    ndarray float64 (2, 2)

    Raises
    ------
    ValueError
        It leads to a line: det is 0.
    """
    mx, my, sx, sy = (affine[name] for name in ("mx", "my", "sx", "sy"))
    determinant = mx * my - sx * sy
    if determinant == 0:
        raise ValueError("the affine cannot be undone")
    return np.array([[mx, -sx], [-sy, my]]) / determinant


def mask_transmission() -> float:
    """Part of the light of the mirror that the mask of NIRISS lets through: the area of its holes.

    Returns
    -------
    float
        0.143.
    """
    holes = non_redundant_mask()
    open_ = len(holes.centres) * hexagon_area(holes.flat_to_flat)
    return open_ / (len(segment_centres()) * hexagon_area(segment_width()))


def segment_centres() -> np.ndarray:
    """Centres of the 18 segments of the primary mirror.

    The 18 points i (1.14315, 0.66) + j (0, 1.32) m that are nearest to the origin, without the origin itself.

    Returns
    -------
    ndarray float64 (18, 2)
        x along V2 and y along V3, m, from the inside out.
    """
    width = segment_width()
    i, j = (index.ravel() for index in np.mgrid[-3:4, -3:4])
    points = np.stack([i * width * np.sqrt(3) / 2, (i / 2 + j) * width], axis=1)
    distance = np.round(np.hypot(*points.T), 6)
    return points[np.lexsort((points[:, 0], points[:, 1], distance))][1:19]


def hexagon_area(flat_to_flat: float) -> float:
    """Area of a hexagon: √3/2 of the square of its width.

    Parameters
    ----------
    flat_to_flat : float
        Distance between two opposite sides, m.

    Returns
    -------
    float
        m².
    """
    return float(np.sqrt(3) / 2 * flat_to_flat**2)


def hexagon_field(u: np.ndarray, v: np.ndarray, flat_to_flat: float) -> np.ndarray:
    """Field of one hexagon that has two sides along x, a segment of the mirror.

    With h half the width and s(t) = sin(t)/t: F = h/(πu) [sin(πh (√3u + v)) s(πh (v - u/√3)) + sin(πh (√3u - v))
    s(πh (v + u/√3))], the integral over y of the chord's field; at u = 0 its limit.

    Parameters
    ----------
    u, v : ndarray
        Along x and y, 1/m: angles divided by the wavelength. Of shapes that broadcast.
    flat_to_flat : float
        Distance between two opposite sides, m.

    Returns
    -------
    ndarray float64
        m²; `hexagon_area` at 0, 0. Real, because the hexagon is symmetric about its centre.
    """
    h, third = flat_to_flat / 2, np.sqrt(1 / 3)
    u, v = np.broadcast_arrays(np.asarray(u, float), np.asarray(v, float))
    near = np.abs(u * h) < NARROW
    away = np.where(near, 1.0, u)
    rising = np.sin(np.pi * h * (np.sqrt(3) * away + v)) * np.sinc(h * (v - away * third))
    falling = np.sin(np.pi * h * (np.sqrt(3) * away - v)) * np.sinc(h * (v + away * third))
    field = h / (np.pi * away) * (rising + falling)
    if near.any():
        t = np.pi * h * v[near]
        field[near] = 2 * h**2 * (np.sqrt(3) * np.cos(t) * np.sinc(t / np.pi) - third * np.sin(t) * _sinc_slope(t))
    return field


def _sinc_slope(t):
    """Derivative of sin(t)/t; near 0 its series."""
    small = np.abs(t) < 1e-3
    safe = np.where(small, 1.0, t)
    return np.where(small, -t / 3, (safe * np.cos(safe) - np.sin(safe)) / safe**2)


def interference(u: np.ndarray, v: np.ndarray, centres: np.ndarray, phases: np.ndarray | None = None) -> np.ndarray:
    """What equal openings add up to: Σ exp(-2πi (u x + v y) + iφ), by which the field of one is multiplied.

    Parameters
    ----------
    u, v : ndarray
        Along x and y, 1/m, of shapes that broadcast. Where `u` is a row and `v` a column it costs no more than these.
    centres : ndarray (N, 2)
        x, y of the openings, m.
    phases : ndarray (N,), optional
        Of the light in each, radians.

    Returns
    -------
    ndarray complex128
    """
    u, v = np.asarray(u, float), np.asarray(v, float)
    x, y = np.asarray(centres, float).T
    weight = np.exp(1j * np.zeros(len(x)) if phases is None else 1j * np.asarray(phases, float))
    if u.ndim == v.ndim == 2 and u.shape[0] == 1 and v.shape[1] == 1:
        return (np.exp(-2j * np.pi * v * y) * weight) @ np.exp(-2j * np.pi * u * x[:, None])
    return sum(w * np.exp(-2j * np.pi * (u * a + v * b)) for a, b, w in zip(x, y, weight, strict=True))


def psf(
    detector: str, filter_: str, *, oversample: int = 4, size: int = 41, wavelengths: int = 5, mask: str = "CLEAR"
) -> np.ndarray:
    """The point-spread function of a detector behind a filter, integrated over its pixels.

    The light of a flat spectrum (photons in equal steps of wavelength), through the 18 segments or through the seven
    holes of the mask of NIRISS.

    Parameters
    ----------
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.
    filter_ : str
        Name of the filter.
    oversample : int
        Samples in a pixel, along each axis.
    size : int
        Side of the stamp in pixels.
    wavelengths : int
        Of how many, equally spaced over the filter, it is the mean.
    mask : str
        ``CLEAR``, ``NRM`` for the mask of NIRISS, or ``MASKRND`` for the stop behind the round occulter of NIRCam: the
        star is beside the occulter.

    Returns
    -------
    ndarray float64 (size oversample, size oversample)
        Each sample is the fraction of the light that falls into a pixel that is centred on it. The star lies in the
        middle of the array: on sample n/2 - 1/2 along each axis of n. All samples together add up to `oversample`²
        times the light in the stamp.

    Raises
    ------
    UsageError
        No such detector, filter or mask.
    """
    band = bandpass(detector, filter_)
    fine = oversample * -(-FINEST // oversample)
    count = (size + 2 * MARGIN) * fine
    low, high = band.edges_um
    steps = low + (high - low) * (np.arange(wavelengths) + 0.5) / wavelengths
    offsets = (np.arange(count) - (size + 2 * MARGIN) * fine / 2 + fine / oversample / 2) / fine
    light = np.mean([_intensity(detector, offsets, wave * MICRON, mask.upper()) for wave in steps], axis=0)
    frequency = np.fft.fftfreq(count, 1 / fine)
    box = np.sinc(frequency)
    light = np.fft.irfft2(np.fft.rfft2(light) * box[:, None] * box[None, : count // 2 + 1], s=light.shape)
    inside = slice(MARGIN * fine, -MARGIN * fine, fine // oversample)
    return np.ascontiguousarray(light[inside, inside])


def _intensity(detector, offsets, wave, mask):
    """Fraction of the light in a pixel's area, at offsets (pixels) along both axes, for one wavelength (m)."""
    if mask == "NRM":
        u, v, (across, along), centres, width = _through_mask(detector, offsets, wave)
    elif mask == "CLEAR":
        u, v, (across, along), centres, width = _through_segments(detector, offsets, wave)
    elif mask == "MASKRND":
        u, v, (across, along), centres, width = _through_segments(detector, offsets, wave)
        width *= STOP_WIDTH
    else:
        raise UsageError(f"no pupil {mask} is known", mend="CLEAR, NRM or MASKRND")
    field = hexagon_field(u, v, width) * interference(across, along, centres)
    step = offsets[1] - offsets[0]
    pixel = (across[0, 1] - across[0, 0]) * (along[1, 0] - along[0, 0]) / step**2
    return np.abs(field) ** 2 * pixel / (hexagon_area(width) * len(centres))


def _through_segments(detector, offsets, wave):
    """Angles over the wavelength in the pupil's axes and in the detector's, segments in the latter, and their width."""
    facts = detector_facts(detector)
    across = offsets[None, :] * facts.x_scale * ARCSEC / wave
    along = offsets[:, None] * facts.y_scale * ARCSEC / wave
    angle, parity = np.deg2rad(facts.v3_ideal_y_angle), facts.parity
    cosine, sine = np.cos(angle), np.sin(angle)
    u, v = parity * across * cosine + along * sine, -parity * across * sine + along * cosine
    x, y = segment_centres().T
    turned = np.stack([parity * (x * cosine - y * sine), x * sine + y * cosine], axis=1)
    return u, v, (across, along), turned, segment_width()


def _through_mask(detector, offsets, wave):
    """As `_through_segments`, for the holes: x lies along columns, y along rows, both turned by the affine."""
    if detector_facts(detector).instrument != "niriss":
        raise UsageError(f"{detector.upper()} has no non-redundant mask", mend="NIS has it")
    holes = non_redundant_mask()
    matrix = mask_turn(holes.affine)
    across = offsets[None, :] * holes.pixel_arcsec * ARCSEC / wave
    along = offsets[:, None] * holes.pixel_arcsec * ARCSEC / wave
    u, v = matrix[0, 0] * across + matrix[0, 1] * along, matrix[1, 0] * across + matrix[1, 1] * along
    return u, v, (across, along), mask_centres(), holes.flat_to_flat


def segment_width() -> float:
    """Distance between two opposite sides of a segment of the mirror, m."""
    return float(instrument_facts()["nominal"]["hexagon_flat_to_flat_m"])
