"""JWST's imaging instruments in numbers: detectors and filters.

`instrument.json` has them: apertures are those of the SIAF (pysiaf 0.29.0, PRDOPSSOC-075); read patterns, frame times
and filters are those of the observatory's public documentation. `rtools.jwst.readout` has the read-out,
`rtools.jwst.distortion` the geometry, `rtools.jwst.nominal` what is assumed for simulations.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rtools.errors import UsageError
from rtools.jwst.detectors import DETECTORS

__all__ = [
    "IMAGING_DETECTORS",
    "REFERENCE_WIDTH",
    "Bandpass",
    "CubeFacts",
    "JwstDetector",
    "bandpass",
    "cube_facts",
    "detector_facts",
    "filter_names",
    "filters_of",
    "instrument_facts",
]

REFERENCE_WIDTH = 4
"""Width of the reference pixels along each edge of a near-infrared detector."""

SHORT_OF_UM = 2.4
"""NIRCam's dichroic sends shorter wavelengths to the detectors of channel SHORT, longer ones to those of LONG."""

SPARES = ("F090W", "F115W", "F140M", "F150W", "F200W", "F277W", "F356W", "F430M", "F444W", "F480M")
"""NIRISS's filters that NIRCam has, too; they are flight spares of NIRCam's, whose numbers serve."""


@cache
def instrument_facts() -> dict[str, Any]:
    """Everything that `instrument.json` says, as it is there.

    Returns
    -------
    dict
        It is kept for later calls, and must not be changed.
    """
    told: dict[str, Any] = json.loads(Path(__file__).with_name("instrument.json").read_text(encoding="utf-8"))
    return told


MIRI_FILTERS = (
    "F560W", "F770W", "F1000W", "F1065C", "F1130W", "F1140C", "F1280W", "F1500W", "F1550C", "F1800W", "F2100W",
    "F2300C", "F2550W", "F2550WR",
)  # fmt: skip
"""Filters of MIRI's imager and coronagraphs, by their names alone."""

IMAGING_DETECTORS = tuple(
    name for names in DETECTORS.values() for name in names if name.upper() in instrument_facts()["detectors"]
)
"""Detectors that have an aperture for images, as file names spell them."""


@dataclass(frozen=True)
class JwstDetector:
    """One detector and the aperture that covers it.

    Attributes
    ----------
    name : str
        As the keyword DETECTOR has it: ``NRCA1``.
    instrument : str
        In small letters: ``nircam``.
    aperture : str
        Name in the SIAF: ``NRCA1_FULL``.
    channel, module : str or None
        Of NIRCam: ``SHORT`` or ``LONG``, ``A`` or ``B``.
    columns, rows : int
        Pixels of the whole frame, reference pixels counted.
    fast_axis, slow_axis : int or None
        FASTAXIS and SLOWAXIS of the frame that files have; None where the SIAF does not say.
    v2_ref, v3_ref : float
        The aperture's reference point, arcsec.
    v3_ideal_y_angle : float
        V3I_YANG: from V3 to the ideal y axis, degrees.
    parity : int
        VPARITY: of the ideal x axis towards V2.
    x_reference, y_reference : float
        Pixel of the reference point, 1-based.
    x_scale, y_scale : float
        Sides of the pixel at the reference point, arcsec.
    degree : int
        Of the polynomials.
    sci2idl_x, sci2idl_y, idl2sci_x, idl2sci_y : tuple of float
        Coefficients in the order (0,0) (1,0) (1,1) (2,0) …: (i,j) multiplies x^(i-j) y^j, where x and y count from the
        reference point, in pixels and in arcsec.
    """

    name: str
    instrument: str
    aperture: str
    channel: str | None
    module: str | None
    columns: int
    rows: int
    fast_axis: int | None
    slow_axis: int | None
    v2_ref: float
    v3_ref: float
    v3_ideal_y_angle: float
    parity: int
    x_reference: float
    y_reference: float
    x_scale: float
    y_scale: float
    degree: int
    sci2idl_x: tuple[float, ...]
    sci2idl_y: tuple[float, ...]
    idl2sci_x: tuple[float, ...]
    idl2sci_y: tuple[float, ...]

    @property
    def pixel_scale(self) -> float:
        """Side of a square of the area of the pixel at the reference point, arcsec."""
        return (self.x_scale * self.y_scale) ** 0.5


@cache
def detector_facts(name: str) -> JwstDetector:
    """Facts of a detector.

    Parameters
    ----------
    name : str
        ``nrca1``, ``NRCA1``; one of `IMAGING_DETECTORS`.

    Returns
    -------
    JwstDetector

    Raises
    ------
    UsageError
        There is no such detector, or it has no aperture for images: its coordinates need the mission's own software.
    """
    told = instrument_facts()["detectors"].get(name.upper())
    if told is None:
        what = (
            "has no aperture for images"
            if any(name.lower() in names for names in DETECTORS.values())
            else "does not exist"
        )
        raise UsageError(f"detector {name.upper()} {what}", mend=f"detectors: {' '.join(IMAGING_DETECTORS)}")
    fast, slow = told["fastaxis_slowaxis"] or (None, None)
    return JwstDetector(
        name=name.upper(),
        instrument=told["instrument"],
        aperture=told["aperture"],
        channel=told.get("channel"),
        module=told.get("module"),
        columns=told["XSciSize"],
        rows=told["YSciSize"],
        fast_axis=fast,
        slow_axis=slow,
        v2_ref=told["V2Ref"],
        v3_ref=told["V3Ref"],
        v3_ideal_y_angle=told["V3IdlYAngle"],
        parity=told["VIdlParity"],
        x_reference=told["XSciRef"],
        y_reference=told["YSciRef"],
        x_scale=told["XSciScale"],
        y_scale=told["YSciScale"],
        degree=told["degree"],
        sci2idl_x=tuple(told["Sci2IdlX"]),
        sci2idl_y=tuple(told["Sci2IdlY"]),
        idl2sci_x=tuple(told["Idl2SciX"]),
        idl2sci_y=tuple(told["Idl2SciY"]),
    )


@dataclass(frozen=True)
class Bandpass:
    """A filter as a top hat.

    Attributes
    ----------
    name : str
        ``F200W``.
    pivot_um, width_um : float
        Pivot wavelength and width, micron.
    """

    name: str
    pivot_um: float
    width_um: float

    @property
    def edges_um(self) -> tuple[float, float]:
        """The shortest and the longest wavelength, micron."""
        return self.pivot_um - self.width_um / 2, self.pivot_um + self.width_um / 2


def filters_of(detector: str) -> tuple[str, ...]:
    """Filters through which light falls on a detector.

    Parameters
    ----------
    detector : str
        One of `IMAGING_DETECTORS`.

    Returns
    -------
    tuple of str
        From short to long wavelengths; none where their wavelengths are not among the facts (MIRI, the guiders).

    Raises
    ------
    UsageError
        As `detector_facts`.
    """
    facts = detector_facts(detector)
    return tuple(sorted(_filters(facts.instrument, facts.channel), key=lambda name: bandpass(detector, name).pivot_um))


def bandpass(detector: str, filter_: str) -> Bandpass:
    """The filter of a name.

    Parameters
    ----------
    detector : str
        One of `IMAGING_DETECTORS`.
    filter_ : str
        In letters of any case.

    Returns
    -------
    Bandpass

    Raises
    ------
    UsageError
        Light through this filter does not fall on this detector, or its wavelengths are not among the facts.
    """
    facts = detector_facts(detector)
    known = _filters(facts.instrument, facts.channel)
    if filter_.upper() not in known:
        mend = f"filters: {' '.join(known)}" if known else "no filter of this instrument is known by its wavelengths"
        raise UsageError(f"detector {facts.name} has no filter {filter_.upper()}", mend=mend)
    return Bandpass(filter_.upper(), known[filter_.upper()]["pivot_um"], known[filter_.upper()]["width_um"])


def filter_names(detector: str) -> tuple[str, ...]:
    """Filters of a detector, those whose wavelengths are not among the facts, too.

    Parameters
    ----------
    detector : str
        One of `IMAGING_DETECTORS`.

    Returns
    -------
    tuple of str
        None of the guiders, which have no filters.

    Raises
    ------
    UsageError
        As `detector_facts`.
    """
    return MIRI_FILTERS if detector_facts(detector).instrument == "miri" else filters_of(detector)


@cache
def _filters(instrument, channel):
    """Filters of an instrument by name, as `instrument.json` has them."""
    told = instrument_facts()
    nircam = told["filters_nircam"]
    if instrument == "niriss":
        own = {name: values for name, values in told["filters_niriss"].items() if name != "_"}
        return {name: nircam[name] for name in SPARES} | own
    if instrument != "nircam":
        return {}
    return {
        name: values for name, values in nircam.items() if (values["pivot_um"] < SHORT_OF_UM) == (channel == "SHORT")
    }


@dataclass(frozen=True)
class CubeFacts:
    """What a channel of MIRI's medium-resolution spectrometer has.

    Attributes
    ----------
    slice_width : float
        Width of a slice on the sky, arcsec.
    spaxel : float
        Side of a spaxel of the mission's cubes, arcsec.
    step : float
        From plane to plane of these, micrometres.
    """

    slice_width: float
    spaxel: float
    step: float


def cube_facts(channel: str) -> CubeFacts:
    """What a channel of MIRI's medium-resolution spectrometer has.

    Parameters
    ----------
    channel : str
        ``1`` to ``4``.

    Returns
    -------
    CubeFacts
    """
    told = instrument_facts()["miri_mrs"]
    return CubeFacts(*(told[key][channel] for key in ("slice_width_arcsec", "spaxel_arcsec", "step_um")))
