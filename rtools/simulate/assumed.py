"""The assumed numbers of the simulator, all in one place.

None has a public measurement for this instrument: they are chosen so that every step has something to correct, or so
that a sky looks like one. Assumed numbers of the detectors themselves (gain, linearity, flat …) are in
`rtools.reference.nominal`, measured ones in `rtools.wfi.instrument`.
"""

from typing import Any

from rtools.wfi.frame import FRAME

__all__ = [
    "CROWDED_SLOPE",
    "FULL_WELL",
    "GALAXIES",
    "LAMP_E",
    "PEDESTAL_E",
    "PEDESTAL_SCATTER_E",
    "POSITION",
    "RAYS",
    "REFERENCE_BAND",
    "SKY_FACTOR",
    "SPECTRAL_ZODIACAL_E",
    "STARS",
    "START_TIME",
    "TABLES",
    "TRANSIENT",
]

POSITION = {"ra": 270.0, "dec": 66.0, "pa": 0.0}
"""Where the aperture WFI_CEN points when nothing is asked for, degrees."""

START_TIME = "2027-01-01T00:00:00.000"

TABLES = {"imaging": "C2A_IMG_HLWAS", "spectroscopy": "C3A_SPEC_HLSS"}
"""Read patterns when nothing is asked for."""

REFERENCE_BAND = "F158"
"""The band of drawn magnitudes."""

STARS: dict[str, Any] = {"per_deg2": 42000.0, "bright": 15.0, "faint": 27.0, "slope": 0.2, "kelvin": (3000.0, 10000.0)}
"""Density, AB range in F158, s of dN/dm ∝ 10^(s m), black-body temperatures (log-uniform)."""

CROWDED_SLOPE = 0.3
"""s of the stars of a crowded field."""

GALAXIES: dict[str, Any] = {
    "per_deg2": 800000.0,
    "bright": 18.0,
    "faint": 27.5,
    "slope": 0.3,
    "disks": 0.7,
    "radius_arcsec": 0.35,
    "radius_slope": -0.08,
    "radius_magnitude": 22.0,
    "radius_dex": 0.25,
    "axis_ratio": (0.3, 1.0),
    "spectral_slope": (0.0, 2.0),
}
"""As `STARS`; share of Sérsic index 1 (the rest 4); median half-light radius 0.35″·10^(-0.08 (m - 22)) with a
log-normal scatter; axis ratio uniform; f_ν ∝ ν^-s, s uniform."""

SKY_FACTOR = 1.5
"""Zodiacal light in units of its minimum."""

SPECTRAL_ZODIACAL_E = {"GRISM": 0.65, "PRISM": 0.95}
"""Minimum zodiacal light through the dispersers, electron/s/pixel (measured; the filters' are in
`rtools.wfi.instrument`)."""

LAMP_E = {"WFI_FLAT": 150.0, "WFI_LOLO": 50.0}
"""Calibration lamp, electron/s/pixel, by exposure type."""

PEDESTAL_E = 10000.0
PEDESTAL_SCATTER_E = 8.0
"""After reset, electrons; rms per pixel and exposure (romanisim)."""

FULL_WELL = 1.02
"""A pixel stops rising at so many times its saturation threshold: the threshold of the reference is a safe one below
the physical limit, otherwise noise would leave half of the saturated samples unflagged."""

TRANSIENT: dict[str, Any] = {"amplitude_dn": (220.0, -20.0), "time_s": (0.2, 0.7), "scatter": 0.3}
"""First-read transient of WFI18: two exponentials in the time since the reset, and their scatter per exposure."""

RAYS: dict[str, Any] = {
    "per_cm2_s": 8.0,
    "area_cm2": 16.8,
    "pixels": FRAME**2,
    "length_um": (10.0, 2000.0),
    "length_slope": -4.33,
    "loss_ev_um": (120.0, 50.0),
    "loss_range_ev_um": (10.0, 10000.0),
    "ev_per_electron": 0.5,
    "pixel_um": 10.0,
    "depth_pixels": 0.5,
}
"""Cosmic rays (romanisim): rate over the detector, its area and number of pixels, power law of track lengths, Moyal
distribution of the energy loss (location, scale), and the depth that every pixel on a track contributes."""
