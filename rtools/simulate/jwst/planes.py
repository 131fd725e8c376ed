"""What references say of the pixels that are read: the detector of the ramps, and planes of the steps on images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rtools.errors import InputError
from rtools.jwst.crosstalk import correcting_kernel, crosstalk_kernel
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.jwst.instrument import REFERENCE_WIDTH, detector_facts
from rtools.jwst.nominal import nominal_values
from rtools.simulate.jwst import assumed
from rtools.simulate.jwst.light import Brightness
from rtools.simulate.jwst.ramps import JwstPixels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtools.simulate.jwst.request import JwstRequest

__all__ = ["NEEDED", "JwstReference", "Planes", "planes_of"]

NEEDED = ("mask", "gain", "readnoise", "saturation", "superbias", "linearity", "dark", "ipc", "flat", "photom", "area")
"""Types of references that the simulator asks for; distortion besides."""


class JwstReference(Protocol):
    """What the simulator asks of a reference: arrays and tables by EXTNAME, and keywords."""

    @property
    def arrays(self) -> Mapping[str, np.ndarray]:
        """Pixels."""

    @property
    def tables(self) -> Mapping[str, np.ndarray]:
        """Rows."""

    @property
    def cards(self) -> Mapping[str, Any]:
        """Keywords of the primary header."""


@dataclass(frozen=True)
class Planes:
    """What the references say of the pixels that are read; planes (rows, columns).

    Attributes
    ----------
    detector : rtools.simulate.jwst.ramps.JwstPixels
        For the ramps.
    dark : ndarray float32
        Dark current, electron/s.
    flat : ndarray float32
        Sensitivity, 1 where the flat is not usable.
    flat_error : ndarray float32
        Its error.
    area : ndarray float32
        Areas of pixels, in units of that which photom calibrates.
    flags : ndarray uint32
        Of the mask, by `rtools.jwst.dq.PIXEL_FLAGS`.
    well : float
        DN from the bias to the saturation, typical.
    brightness : rtools.simulate.jwst.light.Brightness
        From flux to DN/s.
    """

    detector: JwstPixels
    dark: np.ndarray
    flat: np.ndarray
    flat_error: np.ndarray
    area: np.ndarray
    flags: np.ndarray
    well: float
    brightness: Brightness

    def seen(self, rate: np.ndarray) -> np.ndarray:
        """What a perfect rate holds of DN/s before the flat: with the flat, and with the charge that neighbours see.

        Parameters
        ----------
        rate : ndarray float32 (rows, columns)
            DN/s, as of a pixel of usual sensitivity.

        Returns
        -------
        ndarray float32 (rows, columns)
            DN/s; 0 in pixels that collect no charge.
        """
        gain, live = self.detector.gain, self.detector.live
        electrons = np.zeros((rate.shape[0] + 2, rate.shape[1] + 2), np.float32)
        electrons[1:-1, 1:-1] = rate * self.flat * gain * live
        total = np.zeros(rate.shape, np.float32)
        for (i, j), weight in np.ndenumerate(self.detector.kernel):
            if weight:
                total += np.float32(weight) * electrons[i : i + rate.shape[0], j : j + rate.shape[1]]
        return np.where(live, total / gain, np.float32(0))


def planes_of(request: JwstRequest, references: Mapping[str, JwstReference | None]) -> Planes:
    """Planes of an exposure.

    Parameters
    ----------
    request : rtools.simulate.jwst.request.JwstRequest
        What is simulated.
    references : mapping of str to Reference or None
        By type, those of `NEEDED` that there are; what is missing or None has no effect: no dark current, no flat, no
        capacitance, a linear response.

    Returns
    -------
    Planes

    Raises
    ------
    InputError
        A reference does not cover what is read, or has not what it needs.
    """
    values, shape = nominal_values(request.detector), (request.part.rows, request.part.columns)

    def plane(kind, name="SCI", *, usual):
        reference = references.get(kind)
        found = np.full(shape, usual, np.float32) if reference is None else _cut(reference, name, request, kind)
        return np.where(np.isfinite(found), found, np.float32(usual)).astype(np.float32)

    flags = _flags(references.get("mask"), request)
    live = (flags & (PIXEL_FLAGS["REFERENCE_PIXEL"] | PIXEL_FLAGS["DEAD"])) == 0
    gain, bias = plane("gain", usual=values.gain), plane("superbias", usual=values.bias)
    gain[gain <= 0] = values.gain
    saturation = plane("saturation", usual=values.saturation)
    saturation[saturation <= 0] = values.saturation
    facts = detector_facts(request.detector)
    detector = JwstPixels(
        gain=gain,
        noise=plane("readnoise", usual=values.readnoise) / np.float32(np.sqrt(2)),
        full=saturation * np.float32(assumed.FULL_WELL),
        bias=bias,
        offset=_offset(request, values),
        live=live,
        coeffs=_coefficients(references.get("linearity"), request),
        kernel=_kernel(references.get("ipc")),
        reset=values.reset_scatter,
        axes=(facts.fast_axis or 1, facts.slow_axis or 2),
        outputs=request.part.outputs,
        has_border=bool((flags & PIXEL_FLAGS["REFERENCE_PIXEL"]).any()),
    )
    flat = plane("flat", usual=1.0)
    flat[flat <= 0] = 1
    return Planes(
        detector=detector,
        dark=_collected(_dark(references.get("dark"), request) * gain, references.get("ipc"), request),
        flat=flat,
        flat_error=plane("flat", "ERR", usual=0.0),
        area=plane("area", usual=1.0),
        flags=flags,
        well=float(np.median(saturation - bias)),
        brightness=_brightness(references.get("photom"), request, values.sky),
    )


def _cut(reference, name, request, kind):
    """An array of a reference, its last two axes cut to what is read."""
    if name not in reference.arrays:
        raise InputError(f"the {kind} reference has no extension {name}")
    array, part = reference.arrays[name], request.part
    if array.shape[-2:] == (part.rows, part.columns) and "SUBSTRT1" not in reference.cards:
        return array
    y, x = (int(reference.cards.get(key) or 1) for key in ("SUBSTRT2", "SUBSTRT1"))
    rows = slice(part.y - y, part.y - y + part.rows)
    columns = slice(part.x - x, part.x - x + part.columns)
    if min(rows.start, columns.start) < 0 or rows.stop > array.shape[-2] or columns.stop > array.shape[-1]:
        raise InputError(f"the {kind} reference does not cover what is read")
    return array[..., rows, columns]


def _flags(reference, request):
    """Flags of the mask, with the border by where it is."""
    part, width = request.part, REFERENCE_WIDTH
    flags = np.zeros((part.rows, part.columns), np.uint32)
    if reference is not None:
        stored = _cut(reference, "DQ", request, "mask").astype(np.uint32)
        rows = reference.tables.get("DQ_DEF")
        named = PIXEL_FLAGS if rows is None else {_word(row["NAME"]): int(row["VALUE"]) for row in rows}
        for name, value in named.items():
            if name in PIXEL_FLAGS:
                flags[(stored & np.uint32(value)) != 0] |= np.uint32(PIXEL_FLAGS[name])
    facts = detector_facts(request.detector)
    x, y = np.arange(part.columns) + part.x - 1, np.arange(part.rows) + part.y - 1
    border = ((x < width) | (x >= facts.columns - width))[None, :] | ((y < width) | (y >= facts.rows - width))[:, None]
    flags[border] |= np.uint32(PIXEL_FLAGS["REFERENCE_PIXEL"])
    return flags


def _word(value):
    return (value.decode() if isinstance(value, bytes) else str(value)).strip()


def _offset(request, values):
    """Odd and even columns as they are read, DN; those of the outputs are in the bias."""
    facts, part = detector_facts(request.detector), request.part
    fast = abs(facts.fast_axis or 1)
    count = np.arange(part.columns if fast == 1 else part.rows) + (part.x if fast == 1 else part.y) - 1
    sign = (np.where(count % 2 == 0, -0.5, 0.5) * values.odd_even).astype(np.float32)
    return np.ascontiguousarray(np.broadcast_to(sign if fast == 1 else sign[:, None], (part.rows, part.columns)))


def _coefficients(reference, request):
    """Linearity polynomials; the identity where the reference has none that can be used."""
    shape = request.part.rows, request.part.columns
    if reference is None:
        coeffs = np.zeros((2, *shape), np.float32)
        coeffs[1] = 1
        return coeffs
    coeffs = _cut(reference, "COEFFS", request, "linearity").astype(np.float32)
    wrong = ~np.isfinite(coeffs).all(axis=0) | (coeffs[1] == 0)
    coeffs[:, wrong] = 0
    coeffs[1, wrong] = 1
    return coeffs


def _kernel(reference):
    """What a pixel shows of the charge around it."""
    return np.pad(np.ones((1, 1)), 1) if reference is None else crosstalk_kernel(_correction(reference))


def _correction(reference):
    return np.pad(np.ones((1, 1)), 1) if reference is None else correcting_kernel(reference.arrays["SCI"])


def _dark(reference, request):
    """DN of dark current in a frame: the difference of the last two frames of the reference."""
    if reference is None:
        return np.zeros((request.part.rows, request.part.columns), np.float32)
    frames = reference.arrays["SCI"]
    frames = frames[-1] if frames.ndim == 4 else frames
    last = frames[-2:] if len(frames) > 1 else np.stack([np.zeros_like(frames[0]), frames[0]])
    cut = _cut(_Part(reference, last), "SCI", request, "dark")
    step = (cut[1] - cut[0]).astype(np.float32)
    return np.where(np.isfinite(step) & (step > 0), step, np.float32(0))


def _collected(dark, reference, request):
    """Electrons per second that pixels collect in the dark, of what they show of them in a frame."""
    from scipy.ndimage import correlate

    charge = correlate(dark, _correction(reference).astype(np.float32), mode="constant")
    return np.maximum(charge, 0) / np.float32(request.frame_time)


class _Part:
    """A reference of which one array is used in part."""

    def __init__(self, reference, array):
        self.arrays, self.cards = {"SCI": array}, reference.cards


def _brightness(reference, request, sky):
    """From flux to DN/s, by the row of the filter."""
    from rtools.jwst.distortion import pixel_area_sr
    from rtools.jwst.nominal import photmjsr

    nominal = Brightness(photmjsr(request.detector, request.element), pixel_area_sr(request.detector), sky)
    if reference is None:
        return nominal
    area = float(reference.cards.get("PIXAR_SR") or nominal.pixel_sr)
    for row in reference.tables["PHOTOM"]:
        here = {name.lower(): row[name] for name in row.dtype.names}
        if _word(here["filter"]) == request.filter_wheel and _word(here["pupil"]) == request.pupil_wheel:
            return Brightness(float(here["photmjsr"]), area, sky)
    return nominal
