"""Assumed values of JWST's detectors, for simulations and built-in references; they are not for science."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from rtools.jwst.distortion import pixel_area_sr
from rtools.jwst.instrument import bandpass, detector_facts, instrument_facts
from rtools.jwst.pupil import mask_transmission

__all__ = ["NominalValues", "nominal_values", "photmjsr"]

PLANCK_J_S = 6.62607015e-34
"""Planck's constant (exact)."""

MJY_SI = 1e-20
"""1 MJy in W m-2 Hz-1."""


@dataclass(frozen=True)
class NominalValues:
    """Assumed values of a detector.

    Attributes
    ----------
    gain : float
        electron/DN.
    readnoise : float
        Of a difference of two reads (CDS), DN.
    dark : float
        Dark current, electron/s.
    sky : float
        Surface brightness of the sky, MJy/sr.
    bias, bias_scatter : float
        Level of the bias and its scatter from pixel to pixel, DN.
    amplifier_offsets : tuple of float
        Of the bias, by output, DN.
    odd_even, reset_scatter : float
        Offset between odd and even columns; scatter of the level from reset to reset, DN.
    saturation : float
        DN, bias included.
    nonlinearity : float
        b of raw = true - b true², DN above the bias.
    linearity : tuple of float
        Coefficients c_k of true = Σ c_k raw^k.
    ipc, ipc_correction : tuple of tuple of float
        Kernel of the inter-pixel capacitance, and the one that undoes it.
    flat_scatter : float
        Relative, from pixel to pixel.
    collecting_area, efficiency : float
        m²; electrons for a photon that falls on the mirror.
    cosmic_rays : float
        Per s and cm².
    pixel_um : float
        Side of a pixel on the detector, micron.
    """

    gain: float
    readnoise: float
    dark: float
    sky: float
    bias: float
    bias_scatter: float
    amplifier_offsets: tuple[float, ...]
    odd_even: float
    reset_scatter: float
    saturation: float
    nonlinearity: float
    linearity: tuple[float, ...]
    ipc: tuple[tuple[float, ...], ...]
    ipc_correction: tuple[tuple[float, ...], ...]
    flat_scatter: float
    collecting_area: float
    efficiency: float
    cosmic_rays: float
    pixel_um: float


@cache
def nominal_values(detector: str) -> NominalValues:
    """Assumed values of a detector.

    Parameters
    ----------
    detector : str
        One of `IMAGING_DETECTORS`.

    Returns
    -------
    NominalValues
        Of NIRCam's channels; another instrument's detector has those of channel LONG, whose wavelengths it sees.

    Raises
    ------
    UsageError
        As `detector_facts`.
    """
    channel = detector_facts(detector).channel or "LONG"
    told = instrument_facts()["nominal"]
    linearity = tuple(float(value) for value in told["linearity_coefficients"])
    return NominalValues(
        gain=told["gain_e_per_DN"][channel],
        readnoise=told["readnoise_cds_DN"][channel],
        dark=told["dark_e_per_s"][channel],
        sky=told["sky_MJy_per_sr"][channel],
        bias=float(told["bias_DN"]),
        bias_scatter=float(told["bias_pixel_sd_DN"]),
        amplifier_offsets=tuple(float(value) for value in told["amplifier_offset_DN"]),
        odd_even=float(told["odd_even_DN"]),
        reset_scatter=float(told["reset_sd_DN"]),
        saturation=float(told["saturation_DN"]),
        nonlinearity=linearity[2],  # the first coefficient of the inverse of raw = true - b true²
        linearity=linearity,
        ipc=tuple(map(tuple, told["ipc"])),
        ipc_correction=tuple(map(tuple, told["ipc_correction"])),
        flat_scatter=told["flat_sd"],
        collecting_area=told["collecting_area_m2"],
        efficiency=told["total_efficiency"],
        cosmic_rays=float(told["cosmic_rays_per_s_cm2"]),
        pixel_um=float(told["pixel_um"]),
    )


def photmjsr(detector: str, filter_: str, *, mask: str = "CLEAR") -> float:
    """Nominal surface brightness of 1 DN/s.

    A source of 1 MJy/sr gives Ω A ε (Δλ/λ)/h electrons in a second, Ω the pixel's solid angle, A the collecting area, ε
    the efficiency, because the photons of a flat F_ν in a band are F_ν/h Δλ/λ.

    Parameters
    ----------
    detector : str
        One of `IMAGING_DETECTORS`.
    filter_ : str
        In letters of any case.
    mask : str
        ``NRM`` for the mask of NIRISS, which lets through what falls on its seven holes: 0.14 of the light.

    Returns
    -------
    float
        (MJy/sr)/(DN/s).

    Raises
    ------
    UsageError
        As `bandpass`.
    """
    band, values = bandpass(detector, filter_), nominal_values(detector)
    light = MJY_SI * pixel_area_sr(detector) * values.collecting_area * values.efficiency
    electrons = light * band.width_um / band.pivot_um / PLANCK_J_S
    if mask == "NRM":
        electrons *= mask_transmission()
    return float(values.gain / electrons)
