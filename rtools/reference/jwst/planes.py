"""Pixel planes of the nominal references of JWST. A plane of 2048² takes about 0.05 s."""

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

DARK_FRAMES = 4
"""A step that needs more continues the last two."""

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
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the full frame."""
        facts = detector_facts(self.detector)
        return facts.rows, facts.columns

    def normal(self, *what: object) -> np.ndarray:
        """Standard normal numbers for one purpose, float32, over the full frame.

        Parameters
        ----------
        *what
            What is drawn.

        Returns
        -------
        ndarray float32 (rows, columns)
        """
        return _generator(self, *what).standard_normal(self.shape, dtype=np.float32)

    def cut(self, plane: np.ndarray) -> np.ndarray:
        """The part of a plane of the full frame, own and contiguous.

        Parameters
        ----------
        plane : ndarray (..., rows, columns)
            Of the full frame.

        Returns
        -------
        ndarray
        """
        return np.ascontiguousarray(plane[(..., *self.part.slices)])


def _generator(setting, *what):
    return keyed("jwst", VERSION, setting.detector, *what)


def _scatter(setting, mean, relative, what):
    """mean (1 + relative n), n standard normal; in the part."""
    return np.float32(mean) * (1 + np.float32(relative) * setting.cut(setting.normal(what)))


def hot_pixels(setting: JwstSetting) -> tuple[np.ndarray, np.ndarray]:
    """Bad pixels of the full frame.

    Parameters
    ----------
    setting : JwstSetting
        Its detector counts.

    Returns
    -------
    dead : ndarray bool (rows, columns)
        Pixels that see nothing.
    hot : ndarray float32 (rows, columns)
        Dark current of hot pixels, electron/s; 0 elsewhere. No pixel is both, none is a reference pixel.
    """
    rng = _generator(setting, "bad")
    share = rng.random(setting.shape, dtype=np.float32)
    share[reference_pixels(setting.detector)] = 1
    dead = share < DEAD_FRACTION
    is_hot = (share >= DEAD_FRACTION) & (share < DEAD_FRACTION + HOT_FRACTION)
    hot = np.zeros(setting.shape, np.float32)
    low, high = np.log(HOT_RANGE_E)
    hot[is_hot] = np.exp(rng.uniform(low, high, np.count_nonzero(is_hot)))
    return dead, hot


def _mask(setting: JwstSetting) -> Made:
    dead, hot = hot_pixels(setting)
    dq = np.where(reference_pixels(setting.detector), np.uint32(PIXEL_FLAGS["REFERENCE_PIXEL"]), np.uint32(0))
    dq[dead] = PIXEL_FLAGS["DO_NOT_USE"] | PIXEL_FLAGS["DEAD"]
    dq[hot > 0] = PIXEL_FLAGS["HOT"]
    return {"DQ": setting.cut(dq)}, {}


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
    bias += offsets[amplifiers(setting.detector)]
    data = setting.cut(bias)
    return {"SCI": data, "ERR": np.full_like(data, BIAS_ERROR_DN), "DQ": _no_flags(setting)}, {}


def _dark(setting: JwstSetting) -> Made:
    """Frames of the dark current as it adds up, DN; reference pixels have none. MIRI's has an axis of integrations."""
    values = nominal_values(setting.detector)
    rate = np.abs(1 + np.float32(DARK_SCATTER) * setting.normal("dark")) * np.float32(values.dark)
    rate = (rate + hot_pixels(setting)[1]) / np.float32(values.gain)
    rate[reference_pixels(setting.detector)] = 0
    seconds = frame_time(setting.detector, setting.part)
    frames = np.arange(1, DARK_FRAMES + 1, dtype=np.float32) * np.float32(seconds)
    data, dq = frames[:, None, None] * setting.cut(rate), _no_flags(setting)
    cards = {
        "NOUTPUTS": setting.part.outputs, "NFRAMES": 1, "GROUPGAP": 0,
        "NGROUPS": DARK_FRAMES, "NINTS": 1, "TFRAME": seconds, "TGROUP": seconds,
    }  # fmt: skip
    if detector_facts(setting.detector).instrument == "miri":
        return {"SCI": data[None], "DQ": dq[None, None]}, cards
    return {"SCI": data, "DQ": dq}, cards


def _linearity(setting: JwstSetting) -> Made:
    """Coefficients 0, 1, b, 2 b² of the inverse of raw = true - b true², b scattered; 0 and 1 alone in the border."""
    values = nominal_values(setting.detector)
    b = _scatter(setting, values.nonlinearity, LINEARITY_SCATTER, "linearity")
    b[setting.cut(reference_pixels(setting.detector))] = 0
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
    facts, values = detector_facts(setting.detector), nominal_values(setting.detector)
    flat = 1 + np.float32(values.flat_scatter) * setting.normal("flat", setting.filter)
    flat *= relative_area(setting.detector, np.arange(facts.columns), np.arange(facts.rows)).astype(np.float32)
    without = reference_pixels(setting.detector) | hot_pixels(setting)[0]
    flat[without] = 1
    dq = np.where(without, np.uint32(PIXEL_FLAGS["DO_NOT_USE"] | PIXEL_FLAGS["NO_FLAT_FIELD"]), np.uint32(0))
    data = setting.cut(flat)
    return {"SCI": data, "ERR": np.full_like(data, FLAT_ERROR), "DQ": setting.cut(dq)}, {}


def _area(setting: JwstSetting) -> Made:
    facts = detector_facts(setting.detector)
    area = relative_area(setting.detector, np.arange(facts.columns), np.arange(facts.rows)).astype(np.float32)
    steradian = pixel_area_sr(setting.detector)
    return {"SCI": setting.cut(area)}, {"PIXAR_SR": steradian, "PIXAR_A2": float(steradian / SQUARE_ARCSEC_SR)}


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
    "linearity": ("NO_LIN_CORR",),
    "flat": ("DO_NOT_USE", "NO_FLAT_FIELD"),
}
"""Names of the flags that a type's DQ may have."""
