"""The small parts of the nominal references: decay, integral non-linearity, photometry, aperture corrections, refpix.

Each function returns plain values and arrays in the layout of the reference file's tree.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from rtools.reference import nominal
from rtools.reference.correlated import wiener_coefficients
from rtools.reference.planes import Setting, factor, generator, white_noise_e
from rtools.wfi import instrument
from rtools.wfi.distortion import pixel_area_sr
from rtools.wfi.instrument import DETECTORS, ELEMENTS, FILTERS, SPECTRAL_ELEMENTS, ZEROTH_ORDER
from rtools.wfi.readout import ROW_SAMPLES

__all__ = ["apcorr", "decay_table", "inl_table", "inl_values", "phot_table", "refpix", "refpix_frequencies"]

CHANNELS = 32
EE_RADII_ARCSEC = np.arange(1, 201) * 0.025
"""Radii of the aperture-correction table."""


def decay_table(seed: int = 0) -> dict[str, dict[str, float]]:
    """Amplitude and time constant of the dark decay of every detector.

    Parameters
    ----------
    seed : int
        Of the variation; 0 is the nominal set.

    Returns
    -------
    dict of str to dict
        Detector to ``amplitude`` (DN) and ``time_constant`` (s).
    """
    table = {}
    for name in DETECTORS:
        decay = instrument.detector(name)["dark_decay"]
        table[name] = {
            "amplitude": decay["amplitude_DN"] * factor(Setting(name, seed=seed), "decay"),
            "time_constant": decay["time_constant_s"],
        }
    return table


def inl_values() -> np.ndarray:
    """DN at which the integral non-linearity is tabulated, uint16, evenly spaced."""
    return (np.arange(nominal.INL_POINTS) * nominal.INL_STEP).astype(np.uint16)


def inl_table(setting: Setting) -> dict[str, dict[str, Any]]:
    """Integral non-linearity of each science channel.

    A sine of `nominal.INL_AMPLITUDE` with one to five cycles over the converter's range and a phase of its own in each
    channel.

    Parameters
    ----------
    setting : Setting
        Its detector and seed give the phases.

    Returns
    -------
    dict of str to dict
        ``science_channel_01`` … to ``instrument_channel`` (from 0) and ``correction``, DN, to be added at
        `inl_values`.
    """
    phases = generator(setting, "inl").uniform(0, 2 * np.pi, CHANNELS)
    position = inl_values() / 65536.0
    table = {}
    for channel, phase in enumerate(phases):
        cycles = 1 + channel % 5
        table[f"science_channel_{channel + 1:02d}"] = {
            "instrument_channel": channel,
            "correction": nominal.INL_AMPLITUDE * np.sin(2 * np.pi * cycles * position + phase),
        }
    return table


def phot_table(setting: Setting) -> dict[str, dict[str, Any]]:
    """Photometric table of a detector: conversion, pixel area, collecting area, effective area of every element.

    pixelareasr is the area of the pixel at the detector's centre, where the flat, which holds the areas of the others
    in its units, is about 1; photmjsr is made with it and the nominal gain. A source's flux is its surface brightness
    summed over pixels times the area of the pixels where it is, so that it does not depend on this choice.

    Parameters
    ----------
    setting : Setting
        Its detector and seed are used.

    Returns
    -------
    dict of str to dict
        Optical element to values by `PHOTOM_KEYS`: MJy/sr per DN/s and its uncertainty, sr, m², micron and m²; None
        where an element has none.
    """
    centre = pixel_area_sr(setting.detector)
    offset = 0.0
    if setting.seed:
        offset = nominal.VARIATION["zero_point"] * float(generator(setting, "zero point").standard_normal())
    without_light = (name for name in ELEMENTS if name not in FILTERS and name not in SPECTRAL_ELEMENTS)
    table = {name: dict.fromkeys(PHOTOM_KEYS) for name in without_light}
    grism, prism = SPECTRAL_ELEMENTS
    for name in (*FILTERS, grism, ZEROTH_ORDER, prism):
        wavelength, area = instrument.effective_area(name)
        entry: dict[str, Any] = dict.fromkeys(PHOTOM_KEYS)
        entry["collecting_area"] = instrument.COLLECTING_AREA_M2
        entry["wavelength"] = np.array(wavelength, np.float32)
        entry["effective_area"] = np.array(area, np.float32)
        if name in FILTERS:
            magnitude = instrument.zero_point(setting.detector, name) + offset
            entry["photmjsr"] = instrument.photmjsr(magnitude, nominal.GAIN * factor(setting, "gain"), centre)
            entry["uncertainty"] = nominal.PHOTOM_UNCERTAINTY * entry["photmjsr"]
            entry["pixelareasr"] = centre
        table[name] = entry
    return table


PHOTOM_KEYS = ("photmjsr", "uncertainty", "pixelareasr", "collecting_area", "wavelength", "effective_area")


def apcorr(elements: Collection[str] | None = None) -> dict[str, dict[str, Any]]:
    """Aperture corrections at radii of 0.025 … 5 arcsec, from the nominal PSF; no sky annulus.

    Parameters
    ----------
    elements : collection of str, optional
        Optical elements; all by default.

    Returns
    -------
    dict of str to dict
        Optical element to ``ap_corrections``, ``ee_fractions``, ``ee_radii`` (arcsec) and the radii of the sky, which
        are None; all are None for elements that are not filters.
    """
    from rtools.reference.psf import encircled_energy

    keys = ("ap_corrections", "ee_fractions", "ee_radii", "sky_background_rin", "sky_background_rout")
    every = (*SPECTRAL_ELEMENTS, "DARK", *FILTERS)
    wanted = [name for name in every if elements is None or name in elements]
    table: dict[str, dict[str, Any]] = {name: dict.fromkeys(keys) for name in wanted}
    for name in FILTERS.keys() & table.keys():
        fractions = encircled_energy(name, EE_RADII_ARCSEC)
        entry = {"ap_corrections": 1 / fractions, "ee_fractions": fractions, "ee_radii": EE_RADII_ARCSEC.copy()}
        table[name] = dict.fromkeys(keys) | entry
    return table


def refpix_frequencies(rows: int) -> int:
    """Number of frequencies of a channel's time series.

    Parameters
    ----------
    rows : int
        Rows of the frame.

    Returns
    -------
    int
        Half of 140 samples a row, and one: 286721 for 4096 rows.
    """
    return rows * ROW_SAMPLES // 2 + 1


def refpix(setting: Setting, array: str, start: int, stop: int) -> np.ndarray:
    """Reference-pixel coefficients of channels [start, stop): those that leave least noise (`correlated`); real.

    Parameters
    ----------
    setting : Setting
        Detector and frame that it is for, and the seed.
    array : str
        ``gamma`` (left border), ``zeta`` (right border), ``alpha`` (amp33).
    start, stop : int
        First channel, and the one behind the last.

    Returns
    -------
    ndarray complex128, (channels, frequencies)
        Of all channels alike in the nominal set.
    """
    white = nominal.REFERENCE_PIXEL_NOISE * white_noise_e(setting)
    own = nominal.PINK_NOISE_E, nominal.ALTERNATING_NOISE_E
    border, amp33 = wiener_coefficients(setting.rows, white, nominal.COMMON_NOISE_E, own)
    best = {"gamma": border, "zeta": border, "alpha": amp33}[array]
    scale = np.ones(CHANNELS)
    if setting.seed:
        scale *= 1 + nominal.VARIATION["refpix"] * generator(setting, "refpix", array).standard_normal(CHANNELS)
    return (scale[start:stop, None] * best).astype(np.complex128)
