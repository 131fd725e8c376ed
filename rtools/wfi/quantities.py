"""What metadata can say: for every key that anything is computed from, which values can be.

Archives and simulators write placeholders where nobody filled in a value: -999999, ``?``, NaN, 0. A value that cannot
be is refused or taken for absent where it is read (`rtools.wfi.metadata.require` and `usable`), and rt-validate
finds it. A key stands here once; limits are wide: they tell a value from none, not a good one from a bad one.
"""

import math
from itertools import pairwise
from numbers import Real
from typing import Any, NamedTuple

from rtools.errors import InputError
from rtools.wfi.fill import FILL_NUMBER, NO_WORDS
from rtools.wfi.frame import FRAME
from rtools.wfi.times import mjd_of

__all__ = [
    "ENTRIES",
    "QUANTITIES",
    "Parity",
    "Quantity",
    "ReadPattern",
    "Time",
    "Vector",
    "Word",
    "entry_problem",
    "problem",
]

MJD_SPAN = (51544.0, 88069.0)
"""2000-01-01 to 2100-01-01."""


def _is_real(value: Any) -> bool:
    return isinstance(value, Real)


class Quantity(NamedTuple):
    """A number.

    Attributes
    ----------
    low, high : float
        Smallest and largest value that can be.
    unit : str
        For messages.
    above : bool
        `low` itself cannot be.
    whole : bool
        It is a whole number.
    """

    low: float
    high: float
    unit: str = ""
    above: bool = False
    whole: bool = False

    def wrong(self, value: Any) -> str | None:
        """Why a value cannot be this quantity; None where it can."""
        if isinstance(value, bool) or not _is_real(value):
            return "not a number"
        if value == FILL_NUMBER:
            return "a placeholder that nobody filled in"
        if not math.isfinite(value):
            return "not a finite number"
        if self.whole and value != int(value):
            return "not a whole number"
        if value < self.low or value > self.high or (self.above and value == self.low):
            unit = f" {self.unit}" if self.unit else ""
            if self.above:
                return f"not above {self.low:g} and up to {self.high:g}{unit}"
            return f"not between {self.low:g} and {self.high:g}{unit}"
        return None


class Vector(NamedTuple):
    """A list of so many numbers of one kind, not all of them 0 where that cannot be."""

    length: int
    each: Quantity
    nonzero: bool = False

    def wrong(self, value: Any) -> str | None:
        """Why a value cannot be this list; None where it can."""
        if not isinstance(value, list | tuple) or len(value) != self.length:
            return f"not a list of {self.length} numbers"
        found = next((reason for reason in map(self.each.wrong, value) if reason), None)
        return found or ("nothing but zeros" if self.nonzero and not any(value) else None)


class Parity(NamedTuple):
    """1 or -1."""

    def wrong(self, value: Any) -> str | None:
        """Why a value is not a parity; None where it is one."""
        return Quantity(-1, 1, whole=True).wrong(value) or (None if value else "neither 1 nor -1")


class Word(NamedTuple):
    """A word that says something."""

    def wrong(self, value: Any) -> str | None:
        """Why a value is not such a word; None where it is one."""
        if not isinstance(value, str):
            return "not a word"
        return "a placeholder that nobody filled in" if value.strip() in NO_WORDS else None


class Time(NamedTuple):
    """A moment in this century."""

    def wrong(self, value: Any) -> str | None:
        """Why a value is not such a moment; None where it is one."""

        try:
            mjd = mjd_of(value)
        except (InputError, TypeError, ValueError, OverflowError):
            return "not a time"
        return None if MJD_SPAN[0] <= mjd <= MJD_SPAN[1] else "not in the years from 2000 to 2100"


class ReadPattern(NamedTuple):
    """A read pattern: a list of lists of whole numbers from 1 that increase throughout."""

    def wrong(self, value: Any) -> str | None:
        """Why a value is not a read pattern; None where it is one."""
        groups = isinstance(value, list) and value and all(isinstance(reads, list) and reads for reads in value)
        reads = [read for group in value for read in group] if groups else []
        counted = all(isinstance(read, int) and not isinstance(read, bool) and read > 0 for read in reads)
        good = reads and counted and all(one < two for one, two in pairwise(reads))
        return None if good else "not a list of increasing reads"


SECONDS = Quantity(0, 1e6, "s", above=True)
RIGHT_ASCENSION = ANGLE = Quantity(-360, 360, "degrees")
DECLINATION = Quantity(-90, 90, "degrees")
FOCAL_PLANE = Quantity(-7200, 7200, "arcsec")
"""V2, V3 and the ideal axes of apertures: within two degrees of the boresight."""
PIXEL = Quantity(0, FRAME, "pixels", whole=True)
KM_S = Quantity(-500, 500, "km/s")
KILOMETRES = Quantity(-1e9, 1e9, "km")
DEGREES_A_PIXEL = Quantity(0, 0.01, "degrees", above=True)
JITTER = Quantity(0, 1000, "mas")
WORD, TIME = Word(), Time()

QUANTITIES: dict[str, Quantity | Vector | Parity | Word | Time | ReadPattern] = {
    "coadd_info.exposure_time": Quantity(0, 1e9, "s"),
    "coadd_info.max_exposure_time": Quantity(0, 1e9, "s"),
    "coadd_info.time_first": TIME,
    "coadd_info.time_last": TIME,
    "coadd_info.time_mean": TIME,
    "background.level": Quantity(-1e9, 1e9),
    "ephemeris.spatial_x": KILOMETRES,
    "ephemeris.spatial_y": KILOMETRES,
    "ephemeris.spatial_z": KILOMETRES,
    "ephemeris.velocity_x": KM_S,
    "ephemeris.velocity_y": KM_S,
    "ephemeris.velocity_z": KM_S,
    "exposure.effective_exposure_time": SECONDS,
    "exposure.end_time": TIME,
    "exposure.exposure_time": SECONDS,
    "exposure.frame_time": Quantity(0, 1000, "s", above=True),
    "exposure.mid_time": TIME,
    "exposure.read_pattern": ReadPattern(),
    "exposure.start_time": TIME,
    "exposure.type": WORD,
    "guide_star.hv_position": Vector(2, Quantity(-FRAME, FRAME, "pixels")),
    "guide_star.jitter_major": JITTER,
    "guide_star.jitter_minor": JITTER,
    "guide_star.jitter_position_angle": ANGLE,
    "guide_star.window_xstart": PIXEL,
    "guide_star.window_xstop": PIXEL,
    "guide_star.window_ystart": PIXEL,
    "guide_star.window_ystop": PIXEL,
    "instrument.data_encoding_offset": Quantity(0, 65535, "DN", whole=True),
    "instrument.detector": WORD,
    "instrument.optical_element": WORD,
    "photometry.conversion_megajanskys": Quantity(0, 1e6, "MJy/sr", above=True),
    "photometry.conversion_megajanskys_uncertainty": Quantity(0, 1e6, "MJy/sr"),
    "photometry.pixel_area": Quantity(0, 1e-9, "sr", above=True),
    "pointing.dec_v1": DECLINATION,
    "pointing.pa_aperture": ANGLE,
    "pointing.pa_v3": ANGLE,
    "pointing.quaternion": Vector(4, Quantity(-1.01, 1.01), nonzero=True),
    "pointing.ra_v1": RIGHT_ASCENSION,
    "pointing.target_dec": DECLINATION,
    "pointing.target_ra": RIGHT_ASCENSION,
    "resample.pixel_scale_ratio": Quantity(0, 1000, above=True),
    "resample.pixfrac": Quantity(0, 1),
    "resample.pointings": Quantity(1, 1e6, whole=True),
    "velocity_aberration.scale_factor": Quantity(0.99, 1.01),
    "wcsinfo.aperture_name": WORD,
    "wcsinfo.dec_ref": DECLINATION,
    "wcsinfo.pixel_scale": DEGREES_A_PIXEL,
    "wcsinfo.pixel_scale_ref": DEGREES_A_PIXEL,
    "wcsinfo.ra_ref": RIGHT_ASCENSION,
    "wcsinfo.roll_ref": ANGLE,
    "wcsinfo.v2_ref": FOCAL_PLANE,
    "wcsinfo.v3_ref": FOCAL_PLANE,
    "wcsinfo.v3yangle": ANGLE,
    "wcsinfo.vparity": Parity(),
    "wcsinfo.x_ref": Quantity(-1e8, 1e8, "pixels"),
    "wcsinfo.y_ref": Quantity(-1e8, 1e8, "pixels"),
}
"""Dotted key below ``meta`` to what it can be."""


ENTRIES: dict[str, Quantity | Vector | Parity | Word | Time | ReadPattern] = {
    "amplitude": Quantity(-65535, 65535, "DN"),
    "ee_fractions": Quantity(0, 1.5),
    "ee_radii": Quantity(0, 3600, "arcsec"),
    "oversample": Quantity(1, 100, whole=True),
    "photmjsr": QUANTITIES["photometry.conversion_megajanskys"],
    "pixelareasr": QUANTITIES["photometry.pixel_area"],
    "time_constant": Quantity(0, 1e6, "s", above=True),
    "uncertainty": QUANTITIES["photometry.conversion_megajanskys_uncertainty"],
}
"""The same of entries of reference files' tables, by their names there."""


def entry_problem(name: str, value: Any) -> str | None:
    """What is wrong with an entry of a reference's table, in words that go on a line; None where nothing is.

    Parameters
    ----------
    name : str
        One of `ENTRIES`.
    value : object
        What the table has there, not null.

    Returns
    -------
    str or None
        Name, value and reason.
    """
    reason = ENTRIES[name].wrong(value)
    return f"{name} is {value!r:.60}, {reason}" if reason else None


def problem(key: str, value: Any) -> str | None:
    """What is wrong with a value, in words that go on a line with its key; None where nothing is, or none is known.

    Parameters
    ----------
    key : str
        Dotted, below ``meta``.
    value : object
        What the file has there, not null.

    Returns
    -------
    str or None
        Key, value and reason.
    """
    known = QUANTITIES.get(key)
    reason = None if known is None else known.wrong(value)  # a tuple without fields is false
    return f"meta.{key} is {value!r:.60}, {reason}" if reason else None
