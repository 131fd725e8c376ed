"""The Wide Field Instrument in numbers: detectors, optical elements, read patterns, zero points.

Measured facts only (`instrument.json` and the table below; sources: Roman technical information 1.4.0, the SIAF of
pysiaf 0.29, romanisim 0.14, galsim 2.8, the MultiAccum pages of the Roman documentation). Values without a public
number are in `rtools.reference.nominal`.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rtools.errors import InputError, UsageError
from rtools.wfi.exposure_types import reading_of
from rtools.wfi.units import AB_ZERO_MJY

__all__ = [
    "COLLECTING_AREA_M2",
    "DETECTORS",
    "ELEMENTS",
    "FILTERS",
    "JITTER_ARCSEC",
    "NAME",
    "NAMED_ELEMENTS",
    "NOT_CONFIGURED",
    "OBSCURATION",
    "PIXEL_AREA_SR",
    "PIXEL_SCALE_ARCSEC",
    "SPECTRAL_ELEMENTS",
    "STOP_DIAMETER_M",
    "TRANSIENT_DETECTOR",
    "V3_IDEAL_Y_ANGLE",
    "WFI_CEN",
    "ZEROTH_ORDER",
    "Filter",
    "MaTable",
    "detector",
    "detector_number",
    "effective_area",
    "frame_time",
    "ma_table",
    "photmjsr",
    "read_pattern",
    "zero_point",
]

NAME = "WFI"
"""What `meta.instrument.name` says."""

PIXEL_SCALE_ARCSEC = 0.11
PIXEL_AREA_SR = 2.844036e-13
"""Nominal pixel: 0.11 arcsec square."""

COLLECTING_AREA_M2 = 3.757
STOP_DIAMETER_M = 2.36
OBSCURATION = 0.32
"""Telescope: area, diameter of the stop, linear central obscuration."""

JITTER_ARCSEC = 0.008
"""Pointing jitter, rms per axis."""

WFI_CEN = (1546.3846181707652, -892.7916365721071)
"""V2, V3 of the aperture WFI_CEN, arcsec."""

V3_IDEAL_Y_ANGLE = -60.0
"""Angle from V3 to the ideal y axis of every detector, degrees (VIdlParity is -1)."""

DETECTORS = tuple(f"{NAME}{number:02d}" for number in range(1, 19))

TRANSIENT_DETECTOR = "WFI18"
"""The one detector whose first rows carry a transient after each reset."""

SPECTRAL_ELEMENTS = ("GRISM", "PRISM")

ZEROTH_ORDER = "GRISM_0"
"""The zeroth order of the grism, which has an entry of its own in photometric tables."""

FRAME_TIMES_S = {"imaging": 3.16247, "spectroscopy": 5.14116}
"""Time of one read; MultiAccum pages."""


@dataclass(frozen=True)
class Filter:
    """Means of the 18 detectors for one filter (Roman technical information, 2024-03-01).

    Attributes
    ----------
    band_um : tuple of float
        Half-power wavelengths.
    pivot_um : float
        Pivot wavelength, micron.
    zero_point : float
        AB magnitude of 1 electron/s.
    zodiacal, thermal : float
        Minimum zodiacal light and thermal background, electron/s/pixel.
    fwhm_arcsec, peak_pixel : float
        PSF: full width at half maximum; fraction of light in the pixel that a star is centred on.
    effective_pixels : tuple of float
        Noise-equivalent area in pixels, star centred on a pixel and on a corner.
    """

    band_um: tuple[float, float]
    pivot_um: float
    zero_point: float
    zodiacal: float
    thermal: float
    fwhm_arcsec: float
    peak_pixel: float
    effective_pixels: tuple[float, float]


FILTERS = {
    "F062": Filter((0.483, 0.759), 0.6275, 26.618, 0.250, 0.003, 0.058, 0.495, (3.80, 7.35)),
    "F087": Filter((0.761, 0.981), 0.8717, 26.302, 0.251, 0.003, 0.073, 0.484, (4.04, 9.35)),
    "F106": Filter((0.933, 1.197), 1.0618, 26.355, 0.277, 0.003, 0.087, 0.440, (4.83, 10.96)),
    "F129": Filter((1.126, 1.450), 1.2841, 26.353, 0.267, 0.003, 0.106, 0.369, (6.63, 11.79)),
    "F146": Filter((0.926, 1.997), 1.4338, 27.584, 0.781, 1.03, 0.105, 0.345, (7.37, 12.18)),
    "F158": Filter((1.384, 1.780), 1.5800, 26.376, 0.244, 0.048, 0.128, 0.291, (9.65, 12.63)),
    "F184": Filter((1.680, 2.000), 1.8383, 25.912, 0.141, 0.155, 0.146, 0.214, (15.52, 17.15)),
    "F213": Filter((1.959, 2.307), 2.1311, 25.863, 0.118, 4.38, 0.169, 0.171, (20.14, 20.38)),
}
"""The imaging filters."""

NAMED_ELEMENTS = (*FILTERS, *SPECTRAL_ELEMENTS, "DARK")
"""The places of the wheel, which files are named for."""

NOT_CONFIGURED = "NOT_CONFIGURED"
"""What metadata say of the element or the detector where there is none."""

ELEMENTS = (*NAMED_ELEMENTS, NOT_CONFIGURED)
"""Every optical element that metadata may name."""

REV_H_TABLES = {1049: ("IM_66_6_V2", ((1, 1), (2, 3), (4, 9), (17, 20), (21, 21)))}
"""The one table of the present generation whose reads are public; the others need a matable reference file."""


@dataclass(frozen=True)
class MaTable:
    """A MultiAccum table.

    Attributes
    ----------
    number : int or None
        As `meta.exposure.ma_table_number` says it; None for a read pattern that is in no table.
    name : str
        As `meta.exposure.ma_table_name` says it; empty for a read pattern that is in no table.
    read_pattern : list of list of int
        The reads of each resultant, 1-based.
    """

    number: int | None
    name: str
    read_pattern: list[list[int]]

    @property
    def id(self) -> str:
        """What `meta.exposure.ma_table_id` says."""
        return f"SCI{self.number:04d}"


@cache
def _facts():
    return json.loads((Path(__file__).parent / "instrument.json").read_text())


def detector(name: str) -> dict[str, Any]:
    """Facts of one detector.

    Parameters
    ----------
    name : str
        ``WFI01`` … ``WFI18``.

    Returns
    -------
    dict
        v2_ref, v3_ref (arcsec), det_sci_y_angle, pixel_area_arcsec2, sci2idl_x and sci2idl_y (coefficients of
        X^(i-j) Y^j, arcsec), ab_zero_point (per filter), cds_noise_e, total_noise_e, dark_e_per_s,
        inoperable_pixels, dark_decay (amplitude_DN, time_constant_s).

    Raises
    ------
    UsageError
        There is no such detector.
    """
    try:
        return _facts()["detectors"][name]
    except KeyError:
        raise UsageError(f"no detector is called {name!r}", mend="they are WFI01 … WFI18") from None


def detector_number(name: str) -> int:
    """Number of a detector: 18 for ``WFI18``.

    Parameters
    ----------
    name : str
        ``WFI01`` … ``WFI18``.

    Returns
    -------
    int
        1 … 18.

    Raises
    ------
    InputError
        Not the name of a detector.
    """
    digits = str(name)[len(NAME) :]
    if not str(name).startswith(NAME) or not digits.isdigit() or not 1 <= int(digits) <= len(DETECTORS):
        raise InputError(f"{name!r} is not a detector", mend=f"{DETECTORS[0]} … {DETECTORS[-1]} are")
    return int(digits)


def effective_area(element: str) -> tuple[list[float], list[float]]:
    """Effective area of an element against the wavelength, mean of the detectors.

    Parameters
    ----------
    element : str
        A filter, a spectral element, or GRISM_0, the zeroth order of the grism.

    Returns
    -------
    tuple of two list of float
        Wavelengths, micron, and areas there, m2.

    Raises
    ------
    UsageError
        Nothing is known of this element.
    """
    table = _facts()["effective_area_m2"]
    if element not in table or element == "wavelength_um":
        raise UsageError(f"no effective area is known for {element!r}")
    return table["wavelength_um"], table[element]


def zero_point(detector_name: str | None, element: str) -> float:
    """AB magnitude that gives 1 electron/s in a filter.

    Parameters
    ----------
    detector_name : str or None
        ``WFI01`` … ``WFI18``; None for the mean of the detectors.
    element : str
        A filter.

    Returns
    -------
    float
        AB magnitude.

    Raises
    ------
    UsageError
        The element is no filter, or there is no such detector.
    """
    if element not in FILTERS:
        raise UsageError(f"{element} has no zero point", mend=f"these have: {' '.join(FILTERS)}")
    if detector_name is None:
        return FILTERS[element].zero_point
    return detector(detector_name)["ab_zero_point"][element]


def photmjsr(magnitude: float, gain: float, pixel_area_sr: float = PIXEL_AREA_SR) -> float:
    """Surface brightness of 1 DN/s per pixel.

    `AB_ZERO_MJY` (3631 Jy) is AB magnitude 0, so one electron/s is 3631e-6 · 10^(-0.4 ZP) MJy.

    Parameters
    ----------
    magnitude : float
        AB magnitude of 1 electron/s.
    gain : float
        electron/DN.
    pixel_area_sr : float
        The area that is also written as pixelareasr, sr.

    Returns
    -------
    float
        MJy/sr per DN/s.
    """
    return AB_ZERO_MJY * 10 ** (-0.4 * magnitude) * gain / pixel_area_sr


def frame_time(exposure_type: str | None) -> float:
    """Seconds per read for an exposure type; files may say otherwise, and then the file is right.

    Parameters
    ----------
    exposure_type : str or None
        As `meta.exposure.type` says it; one that is not known is taken for imaging.

    Returns
    -------
    float
        Seconds.
    """
    return FRAME_TIMES_S[reading_of(exposure_type)]


@cache
def _tables():
    tables = {}
    for number, entry in _facts()["ma_tables_rev_f"].items():
        tables[int(number)] = (entry["name"] or f"TEST_{number}", entry["first_last"])
    return tables | REV_H_TABLES


def ma_table(word: str | int) -> MaTable:
    """A MultiAccum table by number (4), id (SCI0004) or name (C2A_IMG_HLWAS).

    Parameters
    ----------
    word : str or int
        Number, id or name, in any letter case.

    Returns
    -------
    MaTable
        Its reads follow each other without a gap within a resultant.

    Raises
    ------
    UsageError
        Unknown; the message lists those that are known.
    """
    text = str(word).upper()
    for number, (name, first_last) in _tables().items():
        if text in (str(number), f"SCI{number:04d}", name):
            return MaTable(number, name, [list(range(first, last + 1)) for first, last in first_last])
    known = " ".join(f"{number}={name}" for number, (name, _) in sorted(_tables().items()))
    raise UsageError(f"no read pattern is known for table {word!r}", mend=f"known: {known}; or give the reads")


def read_pattern(word: str | int) -> list[list[int]]:
    """The reads (1-based) of each resultant of a table.

    Parameters
    ----------
    word : str or int
        Number, id or name, as `ma_table` takes it.

    Returns
    -------
    list of list of int
        A list for each resultant.
    """
    return ma_table(word).read_pattern
