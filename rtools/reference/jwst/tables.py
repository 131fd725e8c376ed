"""Nominal references of JWST that are tables or trees: photometry, apertures, Vega, distortion, throughput, mask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from rtools.jwst.distortion import distortion_model, pixel_area_sr
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.jwst.instrument import bandpass, detector_facts, filters_of
from rtools.jwst.nominal import nominal_values, photmjsr
from rtools.jwst.pupil import non_redundant_mask, psf
from rtools.reference.jwst.planes import SQUARE_ARCSEC_SR

__all__ = ["TABLES", "dq_def", "optical_elements", "vega_offset"]

PHOTOM_UNCERTAINTY = 0.01
"""Relative."""

ENERGIES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Fractions of the light in the apertures of the aperture correction."""

THROUGHPUT_STEP = 0.001
"""Micron: those who cut the band at a sample lose hardly any of it."""

SKY_ANNULUS = (8, 12)
"""Radii of the sky's annulus in units of wavelength/diameter; on short wavelengths at least 6 and 9 pixels."""

DIAMETER_M = 6.5
APERTURE = ("eefraction", "radius", "apcorr", "skyin", "skyout")
"""Columns of the aperture correction, besides those that say for which filter."""

SAMPLES = 5
"""Samples in a pixel, along each axis, by which light in apertures is added up."""

VEGA = (
    (0.6414, 0.21),
    (0.7891, 0.45),
    (1.2354, 0.91),
    (1.6458, 1.39),
    (2.1603, 1.85),
    (3.3526, 2.699),
    (4.6028, 3.339),
)
"""Wavelength (micron) and magnitude on the AB system of what has Vega magnitude 0.

R, I, J, H, Ks of Blanton and Roweis (2007, AJ 133, 734), W1 and W2 of Jarrett et al. (2011, ApJ 735, 112).
"""

IN_PUPIL_WHEEL = {
    "F162M": "F150W2", "F164N": "F150W2", "F323N": "F322W2", "F405N": "F444W", "F466N": "F444W", "F470N": "F444W",
}  # fmt: skip
"""NIRCam's filters in the pupil wheel, with the filter that blocks other orders."""

LOW_PASS_UM = 2.4
"""NIRISS has shorter filters in the pupil wheel, longer ones in the filter wheel."""

MASK_SIDE_M = 6.603464
MASK_PIXELS = 1024
"""The picture of the pupil in a reference of type nrm, as the mission's has it: its side and its pixels."""

SKIPPED_GROUPS = (1, 4)
"""Groups of MIRI's first integration, and of each behind it, that its reset spoils; assumed."""

MIRI_SUBARRAYS = (
    "FULL", "BRIGHTSKY", "SUB256", "SUB128", "SUB64", "SLITLESSPRISM", "MASK1065", "MASK1140", "MASK1550", "MASKLYOT",
)  # fmt: skip
MIRI_PATTERNS = (
    "FASTR1", "FAST", "SLOWR1", "SLOW", "FASTGRPAVG", "FASTGRPAVG8", "FASTGRPAVG16", "FASTGRPAVG32", "FASTGRPAVG64",
)  # fmt: skip
"""As SUBARRAY and READPATT have them."""

Made = tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, Any], dict[str, Any]]
"""Images and tables by EXTNAME, keywords of the primary header, nodes of the tree."""


def optical_elements(detector: str, filter_: str) -> tuple[tuple[str, str], ...]:
    """What FILTER and PUPIL say where a filter is used.

    Parameters
    ----------
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.
    filter_ : str
        Name of the filter.

    Returns
    -------
    tuple of (str, str)
        FILTER and PUPIL of each combination, the plain one first.
    """
    if detector_facts(detector).instrument == "niriss":
        if bandpass(detector, filter_).pivot_um < LOW_PASS_UM:
            return (("CLEAR", filter_),)
        return (filter_, "CLEARP"), (filter_, "NRM")
    plain = (filter_, "CLEAR")
    return (plain, (IN_PUPIL_WHEEL[filter_], filter_)) if filter_ in IN_PUPIL_WHEEL else (plain,)


def dq_def(names: Iterable[str]) -> np.ndarray:
    """The table that says what the bits of a DQ are.

    Parameters
    ----------
    names : iterable of str
        Names of the flags; their bits are JWST's own.

    Returns
    -------
    ndarray, structured
        BIT, VALUE, NAME, DESCRIPTION.
    """
    rows = [(PIXEL_FLAGS[name].bit_length() - 1, PIXEL_FLAGS[name], name, "") for name in names]
    return np.array(rows, dtype=[("BIT", "i4"), ("VALUE", "u4"), ("NAME", "S40"), ("DESCRIPTION", "S80")])


def vega_offset(wavelength_um: float) -> float:
    """Magnitude on the AB system less that on Vega's, interpolated between published bands; good to 0.1.

    Parameters
    ----------
    wavelength_um : float
        Micron.

    Returns
    -------
    float
    """
    known = np.array(VEGA)
    return float(np.interp(np.log(wavelength_um), np.log(known[:, 0]), known[:, 1]))


def _photom(detector: str, _filter: str | None) -> Made:
    rows = []
    for name in filters_of(detector):
        for filter_, pupil in optical_elements(detector, name):
            value = photmjsr(detector, name, mask=pupil)
            rows.append((filter_, pupil, value, PHOTOM_UNCERTAINTY * value))
    kind = [("filter", "S12"), ("pupil", "S12"), ("photmjsr", "f4"), ("uncertainty", "f4")]
    return {}, {"PHOTOM": np.array(rows, kind)}, _pixel_area(detector), {}


def _pixel_area(detector):
    steradian = pixel_area_sr(detector)
    return {"PIXAR_SR": steradian, "PIXAR_A2": float(steradian / SQUARE_ARCSEC_SR)}


def _apcorr(detector: str, filter_: str | None) -> Made:
    assert filter_ is not None
    kind = [("filter", "S12"), ("pupil", "S15"), *((name, "f4") for name in APERTURE)]
    clear = [elements for elements in optical_elements(detector, filter_) if elements[1] != "NRM"]
    rows = [(*elements, *values) for elements in clear for values in _apertures(detector, filter_)]
    return {}, {"APCORR": np.array(rows, kind)}, {}, {}


@lru_cache(maxsize=8)
def _apertures(detector, filter_):
    """Rows of `APERTURE` for one filter, radii in pixels.

    What is corrected is the light in the aperture less that which the annulus takes for sky. The star is that of a
    mosaic of dithered images with pixels as large as the detector's. A pixel's light is spread over the pixels of the
    mosaic that it covers, which is to convolve with the pixel of one and with that of the other, on the mean over all
    dithers. An aperture takes of a pixel the part that it covers, as if its light were spread evenly, so that the mean
    over all places of a star has the pixel once more. The capacitance between pixels is not undone by default.
    """
    from scipy.ndimage import convolve, uniform_filter

    facts, band = detector_facts(detector), bandpass(detector, filter_)
    unit = np.rad2deg(band.pivot_um * 1e-6 / DIAMETER_M) * 3600 / facts.pixel_scale
    inner, outer = (max(factor * unit, least) for factor, least in zip(SKY_ANNULUS, (6, 9), strict=True))
    size = 2 * int(np.ceil(outer)) + 5
    light = psf(detector, filter_, oversample=SAMPLES, size=size, wavelengths=3) / SAMPLES**2
    capacitance = np.zeros((2 * SAMPLES + 1,) * 2)
    capacitance[::SAMPLES, ::SAMPLES] = nominal_values(detector).ipc
    light = convolve(light, capacitance)
    for _ in ("pixel of the detector", "pixel of the mosaic", "pixel in the aperture"):
        light = uniform_filter(light, SAMPLES)
    offset = (np.arange(len(light)) - (len(light) - 1) / 2) / SAMPLES
    distance = np.hypot(*np.meshgrid(offset, offset))
    edges = np.arange(0, outer + 1, 0.05)
    inside = np.array([np.sum(light * np.clip((edge - distance) * SAMPLES + 0.5, 0, 1)) for edge in edges])
    within = [float(np.interp(radius, edges, inside)) for radius in (inner, outer)]
    sky = (within[1] - within[0]) / (np.pi * (outer**2 - inner**2))
    rows = []
    for energy in ENERGIES:
        radius = float(np.interp(energy, inside, edges))
        rows.append((energy, radius, 1 / (energy - np.pi * radius**2 * sky), inner, outer))
    return tuple(rows)


def _abvegaoffset(detector: str, _filter: str | None) -> Made:
    from astropy.table import Table

    rows = [
        (*elements, vega_offset(bandpass(detector, name).pivot_um))
        for name in filters_of(detector)
        for elements in optical_elements(detector, name)
    ]
    filters, pupils, offsets = zip(*rows, strict=True)
    table = Table(
        {"filter": list(filters), "pupil": list(pupils), "abvega_offset": np.array(offsets, np.float32)},
    )
    return {}, {}, {}, {"abvega_offset": table}


def _distortion(detector: str, _filter: str | None) -> Made:
    return {}, {}, {}, {"model": distortion_model(detector)}


def _filteroffset(detector: str, _filter: str | None) -> Made:
    filters = [
        {"filter": filter_, "pupil": pupil, "column_offset": 0.0, "row_offset": 0.0}
        for name in filters_of(detector)
        for filter_, pupil in optical_elements(detector, name)
    ]
    return {}, {}, {}, {"filters": filters}


def _throughput(detector: str, filter_: str | None) -> Made:
    """A top hat on a grid of 0.001 micron that begins and ends with it, in Å; dark beside it."""
    assert filter_ is not None
    low, high = bandpass(detector, filter_).edges_um
    inside = np.linspace(low, high, round((high - low) / THROUGHPUT_STEP) + 1)
    beside = np.arange(1, 50) * THROUGHPUT_STEP
    wave = np.concatenate([low - beside[::-1], inside, high + beside])
    height = nominal_values(detector).efficiency
    rows = np.zeros(len(wave), [("wavelength", "f4"), ("throughput", "f4")])
    rows["wavelength"] = wave * 1e4
    rows["throughput"] = np.repeat([0, height, 0], [len(beside), len(inside), len(beside)])
    return {}, {"THROUGHPUT": rows}, {}, {}


def _rscd(_detector: str, _filter: str | None) -> Made:
    """The same for all read patterns and sub-arrays."""
    kind = [("subarray", "S17"), ("readpatt", "S12"), ("group_skip1", "i4"), ("group_skip", "i4")]
    rows = [(part, pattern, *SKIPPED_GROUPS) for part in MIRI_SUBARRAYS for pattern in MIRI_PATTERNS]
    return {}, {"RSCD_GROUP_SKIP": np.array(rows, kind)}, {}, {}


def _nrm(_detector: str, _filter: str | None) -> Made:
    holes = non_redundant_mask()
    cards: dict[str, Any] = {"F2F": holes.flat_to_flat, "DIAM": DIAMETER_M, "PUPL_CRC": MASK_SIDE_M}
    for number, (x, y) in enumerate(holes.centres, 1):
        cards |= {f"NRM_X_A{number}": x, f"NRM_Y_A{number}": y}
    return {"NRM": _picture(np.array(holes.centres), holes.flat_to_flat)}, {}, cards, {}


def _picture(centres, width):
    """Hexagons of a width around their centres: x along columns, y along rows, the middle of the array at 0, 0."""
    axis = (np.arange(MASK_PIXELS) - (MASK_PIXELS - 1) / 2) * MASK_SIDE_M / MASK_PIXELS
    open_ = np.zeros((MASK_PIXELS, MASK_PIXELS), bool)
    for x, y in centres:
        across, along = np.abs(axis[None, :] - x), np.abs(axis[:, None] - y)
        open_ |= (along <= width / 2) & (np.sqrt(3) * across + along <= width)
    return open_.astype(np.float32)


TABLES: dict[str, Callable[[str, str | None], Made]] = {
    "photom": _photom,
    "distortion": _distortion,
    "filteroffset": _filteroffset,
    "apcorr": _apcorr,
    "abvegaoffset": _abvegaoffset,
    "throughput": _throughput,
    "rscd": _rscd,
    "nrm": _nrm,
}
"""What makes each type; a filter is given where the type is for one."""
