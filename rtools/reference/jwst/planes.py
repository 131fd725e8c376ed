"""Pixel planes of the nominal references of JWST.

Every band of rows of every plane has a generator of its own, keyed by what is drawn: a part of the detector can be made
alone, and is the same as cut out of the whole. A plane of 2048² takes about 0.05 s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtools.jwst.distortion import pixel_area_sr, relative_area
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.jwst.instrument import detector_facts
from rtools.jwst.nominal import nominal_values
from rtools.jwst.order import amplifiers, reference_pixels
from rtools.jwst.readout import Subarray, frame_time
from rtools.reference.keyed import keyed

__all__ = ["FLAGS", "PLANES", "VERSION", "JwstSetting", "hot_pixels"]

VERSION = 1
"""Of the nominal set: raised when any number or draw of it changes, because labels carry it."""

DEAD_FRACTION = 1e-3
HOT_FRACTION = 1e-3
"""Of the pixels that see light."""

HOT_RANGE_E = (1.0, 100.0)
"""Dark current of hot pixels, electron/s, log-uniform."""

GAIN_SCATTER = 0.01
READNOISE_SCATTER = 0.05
SATURATION_SCATTER = 0.01
LINEARITY_SCATTER = 0.02
DARK_SCATTER = 0.1
"""Relative, from pixel to pixel."""

BIAS_ERROR_DN = 0.5
FLAT_ERROR = 1e-3

BAND = 64
"""Rows that are drawn together, over all columns: a sub-array needs few of them."""

DARK_FRAMES = 4
"""A step that needs more continues the last two."""

RESET_DN = (4.0, 2.0)
"""What the reset leaves in the first group of MIRI's first integration, and of each behind it; assumed, below the noise
of a read."""

RESET_GROUPS = 4
RESET_SCATTER = 0.1
"""Groups in which something is left: e times less in each. Relative scatter from pixel to pixel."""

SQUARE_ARCSEC_SR = np.deg2rad(1 / 3600) ** 2

Made = tuple[dict[str, np.ndarray], dict[str, Any]]
"""Arrays by EXTNAME, and keywords of the primary header."""


@dataclass(frozen=True)
class JwstSetting:
    """What references are for.

    Attributes
    ----------
    detector : str
        ``NRCA1``.
    filter : str or None
        Name of the filter.
    part : Subarray
        The part of the detector that planes cover.
    """

    detector: str
    filter: str | None
    part: Subarray

    @property
    def bands(self) -> range:
        """Numbers of the bands of rows of the full frame that the part lies in."""
        return range((self.part.y - 1) // BAND, -(-(self.part.y - 1 + self.part.rows) // BAND))

    def drawn(self, draw: Callable[[np.random.Generator, tuple[int, int]], np.ndarray], *what: object) -> np.ndarray:
        """Random numbers for one purpose in the part, whatever part it is.

        Parameters
        ----------
        draw : callable
            ``draw(generator, (rows, columns))``: numbers of one band over all columns of the detector.
        *what
            What is drawn.

        Returns
        -------
        ndarray (rows, columns)
            Own and contiguous.
        """
        facts, first = detector_facts(self.detector), self.part.y - 1 - self.bands.start * BAND
        bands = []
        for band in self.bands:
            shape = min(BAND, facts.rows - band * BAND), facts.columns
            bands.append(draw(keyed("jwst", VERSION, self.detector, *what, band), shape))
        whole = np.concatenate(bands)
        return np.ascontiguousarray(whole[first : first + self.part.rows, self.part.slices[1]])

    def normal(self, *what: object) -> np.ndarray:
        """Standard normal numbers for one purpose in the part.

        Parameters
        ----------
        *what
            What is drawn.

        Returns
        -------
        ndarray float32 (rows, columns)
        """
        return self.drawn(lambda rng, shape: rng.standard_normal(shape, dtype=np.float32), *what)

    @property
    def border(self) -> np.ndarray:
        """Reference pixels of the part, bool (rows, columns)."""
        return reference_pixels(self.detector)[self.part.slices]

    @property
    def area(self) -> np.ndarray:
        """Areas of the part's pixels in units of that of the reference point, float32 (rows, columns)."""
        part = self.part
        columns, rows = np.arange(part.columns) + part.x - 1, np.arange(part.rows) + part.y - 1
        return relative_area(self.detector, columns, rows).astype(np.float32)


def _scatter(setting, mean, relative, what):
    """mean (1 + relative n), n standard normal."""
    return np.float32(mean) * (1 + np.float32(relative) * setting.normal(what))


def hot_pixels(setting: JwstSetting) -> tuple[np.ndarray, np.ndarray]:
    """Bad pixels of the part.

    Parameters
    ----------
    setting : JwstSetting
        Its detector and part count.

    Returns
    -------
    dead : ndarray bool (rows, columns)
        Pixels that see nothing.
    hot : ndarray float32 (rows, columns)
        Dark current of hot pixels, electron/s; 0 elsewhere. No pixel is both, none is a reference pixel.
    """
    share = setting.drawn(lambda rng, shape: rng.random(shape, dtype=np.float32), "bad")
    share[setting.border] = 1
    dead = share < DEAD_FRACTION
    # where a hot pixel lies within its share says how hot it is
    place = (share - np.float32(DEAD_FRACTION)) / np.float32(HOT_FRACTION)
    low, high = np.log(HOT_RANGE_E)
    hot = np.where((place >= 0) & (place < 1), np.exp(low + (high - low) * np.clip(place, 0, 1)), 0)
    return dead, hot.astype(np.float32)


def _mask(setting: JwstSetting) -> Made:
    dead, hot = hot_pixels(setting)
    dq = np.where(setting.border, np.uint32(PIXEL_FLAGS["REFERENCE_PIXEL"]), np.uint32(0))
    dq[dead] = PIXEL_FLAGS["DO_NOT_USE"] | PIXEL_FLAGS["DEAD"]
    dq[hot > 0] = PIXEL_FLAGS["HOT"]
    return {"DQ": dq}, {}


def _gain(setting: JwstSetting) -> Made:
    values = nominal_values(setting.detector)
    return {"SCI": _scatter(setting, values.gain, GAIN_SCATTER, "gain")}, {}


def _readnoise(setting: JwstSetting) -> Made:
    """Of a difference of two reads, DN."""
    values = nominal_values(setting.detector)
    return {"SCI": _scatter(setting, values.readnoise, READNOISE_SCATTER, "readnoise")}, {}


def _saturation(setting: JwstSetting) -> Made:
    values = nominal_values(setting.detector)
    level = _scatter(setting, values.saturation, SATURATION_SCATTER, "saturation")
    return {"SCI": level, "DQ": _no_flags(setting)}, {}


def _superbias(setting: JwstSetting) -> Made:
    """Level, pixels and outputs; what moves from one read-out to the next is left to the reference pixels."""
    values = nominal_values(setting.detector)
    offsets = np.array(values.amplifier_offsets, np.float32)
    bias = setting.normal("bias") * np.float32(values.bias_scatter)
    bias += np.float32(values.bias)
    bias += offsets[amplifiers(setting.detector)[setting.part.slices]]
    return {"SCI": bias, "ERR": np.full_like(bias, BIAS_ERROR_DN), "DQ": _no_flags(setting)}, {}


def _dark(setting: JwstSetting) -> Made:
    """Frames of the dark current as it adds up, DN; reference pixels have none. MIRI's has an axis of integrations.

    It is what is measured in the dark: by the capacitance between pixels those beside a hot one show a part of it.
    """
    from scipy.ndimage import correlate

    values = nominal_values(setting.detector)
    rate = np.abs(1 + np.float32(DARK_SCATTER) * setting.normal("dark")) * np.float32(values.dark)
    rate = (rate + hot_pixels(setting)[1]) / np.float32(values.gain)
    rate[setting.border] = 0
    rate = correlate(rate, np.array(values.ipc, np.float32), mode="constant")
    rate[setting.border] = 0
    seconds = frame_time(setting.detector, setting.part)
    frames = np.arange(1, DARK_FRAMES + 1, dtype=np.float32) * np.float32(seconds)
    data, dq = frames[:, None, None] * rate, _no_flags(setting)
    cards = {
        "NOUTPUTS": setting.part.outputs, "NFRAMES": 1, "GROUPGAP": 0,
        "NGROUPS": DARK_FRAMES, "NINTS": 1, "TFRAME": seconds, "TGROUP": seconds,
    }  # fmt: skip
    if detector_facts(setting.detector).instrument == "miri":
        return {"SCI": data[None], "DQ": dq[None, None]}, cards
    return {"SCI": data, "DQ": dq}, cards


def _reset(setting: JwstSetting) -> Made:
    """What the reset leaves in the first groups of an integration, DN; reference pixels have none."""
    left = _scatter(setting, 1, RESET_SCATTER, "reset")
    left[setting.border] = 0
    groups = np.exp(-np.arange(RESET_GROUPS, dtype=np.float32))
    ramps = np.multiply.outer(np.array(RESET_DN, np.float32), groups)[:, :, None, None] * left
    return {"SCI": ramps, "DQ": _no_flags(setting)}, {"NINTS": len(RESET_DN), "NGROUPS": RESET_GROUPS}


def _linearity(setting: JwstSetting) -> Made:
    """Coefficients 0, 1, b, 2 b² of the inverse of raw = true - b true², b scattered; 0 and 1 alone in the border."""
    values = nominal_values(setting.detector)
    b = _scatter(setting, values.nonlinearity, LINEARITY_SCATTER, "linearity")
    b[setting.border] = 0
    coeffs = np.zeros((len(values.linearity), *b.shape), np.float32)
    coeffs[1] = 1
    coeffs[2] = b
    coeffs[3] = 2 * b * b
    return {"COEFFS": coeffs, "DQ": _no_flags(setting)}, {}


def _flat(setting: JwstSetting) -> Made:
    """Scatter of pixels, times their areas in units of that of the reference point.

    The sky is uniform, and a larger pixel sees more of it: a flat made on the sky holds the areas, and what is divided
    by it is surface brightness. Reference pixels and dead ones have none.
    """
    scatter = np.float32(nominal_values(setting.detector).flat_scatter)
    flat = (1 + scatter * setting.normal("flat", setting.filter)) * setting.area
    without = setting.border | hot_pixels(setting)[0]
    flat[without] = 1
    dq = np.where(without, np.uint32(PIXEL_FLAGS["DO_NOT_USE"] | PIXEL_FLAGS["NO_FLAT_FIELD"]), np.uint32(0))
    return {"SCI": flat, "ERR": np.full_like(flat, FLAT_ERROR), "DQ": dq}, {}


def _area(setting: JwstSetting) -> Made:
    steradian = pixel_area_sr(setting.detector)
    return {"SCI": setting.area}, {"PIXAR_SR": steradian, "PIXAR_A2": float(steradian / SQUARE_ARCSEC_SR)}


def _ipc(setting: JwstSetting) -> Made:
    """The kernel that undoes the capacitance."""
    return {"SCI": np.array(nominal_values(setting.detector).ipc_correction, np.float32)}, {}


def _no_flags(setting):
    return np.zeros((setting.part.rows, setting.part.columns), np.uint32)


PLANES: dict[str, Callable[[JwstSetting], Made]] = {
    "mask": _mask,
    "gain": _gain,
    "readnoise": _readnoise,
    "saturation": _saturation,
    "superbias": _superbias,
    "dark": _dark,
    "reset": _reset,
    "linearity": _linearity,
    "flat": _flat,
    "area": _area,
    "ipc": _ipc,
}
"""What draws the arrays of a type."""

FLAGS = {
    "mask": ("DO_NOT_USE", "DEAD", "HOT", "REFERENCE_PIXEL"),
    "saturation": ("NO_SAT_CHECK",),
    "superbias": ("UNRELIABLE_BIAS",),
    "dark": ("UNRELIABLE_DARK",),
    "reset": ("UNRELIABLE_BIAS",),
    "linearity": ("NO_LIN_CORR",),
    "flat": ("DO_NOT_USE", "NO_FLAT_FIELD"),
}
"""Names of the flags that a type's DQ may have."""
