"""The assumed numbers of the simulator of JWST, all in one place; those of its detectors are in `rtools.jwst.nominal`.

The sky is Roman's: `rtools.simulate.assumed` has its sources.
"""

from typing import Any

from rtools.jwst.nominal import nominal_values
from rtools.simulate import assumed

__all__ = [
    "DRIFT_DN",
    "DRIFT_ROWS",
    "FULL_WELL",
    "HALF",
    "NOTE",
    "OCCULTER_ARCSEC",
    "OUTPUT_DRIFT_DN",
    "POSITION",
    "RAYS",
    "START_TIME",
    "STORM",
    "WAVE_FRONT_DRIFT_NM",
    "WAVE_FRONT_NM",
]

NOTE = (
    "simulated by rt-sim; sky, optics, cosmic rays and all values of the built-in nominal detectors are assumed, "
    "not measured"
)

POSITION, START_TIME = assumed.POSITION, assumed.START_TIME

FULL_WELL = 1.02
"""A pixel stops rising at so many times its saturation threshold, otherwise noise would leave half of the saturated
groups unflagged."""

HALF = 0.5
"""Part of the well that a target fills in an integration when its magnitude is not given."""

DRIFT_DN, DRIFT_ROWS = 2.0, 512
"""Slow drift along the rows: rms of its nodes, rows between them. It is there where reference pixels at the sides
are used against it: where several outputs read."""

OUTPUT_DRIFT_DN = 1.0
"""Drift of each output from group to group, rms."""

OCCULTER_ARCSEC = 0.40
"""Sigma of the Gaussian that NIRCam's round occulter takes from the field; at 0.63 arcsec half of the light passes."""

WAVE_FRONT_NM, WAVE_FRONT_DRIFT_NM = 30.0, 3.0
"""Pistons and tilts of the segments, rms; and what of them differs from exposure to exposure."""

STORM = 50.0
"""Times the usual cosmic rays, in a storm."""

_VALUES = nominal_values("nrca1")

RAYS: dict[str, Any] = {
    **assumed.RAYS,
    "per_cm2_s": _VALUES.cosmic_rays,
    "area_cm2": (_VALUES.pixel_um * 1e-4) ** 2,
    "pixels": 1,
    "pixel_um": _VALUES.pixel_um,
}
"""Cosmic rays, as of Roman's detectors but for rate and size of the pixels."""
