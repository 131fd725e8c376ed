"""The references that an exposure is simulated with, cut to channels as the read-out needs them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from rtools.declare import Reference
from rtools.reference import find, nominal
from rtools.simulate import assumed, effects
from rtools.simulate.ramps import Detector, inverse_inl
from rtools.wfi import instrument
from rtools.wfi.dq import PIXEL
from rtools.wfi.frame import BORDER, CHANNEL
from rtools.wfi.units import AB_ZERO_MJY

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtools.reference.source import References, ReferenceSource
    from rtools.simulate.request import SimulationRequest
    from rtools.work import Work

__all__ = [
    "GROUP",
    "ReferencePlanes",
    "as_a_warning",
    "calibration_of",
    "decay_of",
    "find_all",
    "inl_of",
    "needed",
    "scale_of",
    "typical",
]

DEAD = PIXEL["DEAD"]
NO_LIN_CORR = PIXEL["NO_LIN_CORR"]

GROUP = 16
"""Channels whose reference columns are in memory together: decoding a compressed file twice, not 32 times."""

ALWAYS = ("gain", "readnoise")
RAMP = ("mask", "saturation", "linearity", "dark")
MAY_LACK = ("integralnonlinearity", "darkdecaysignal")


def find_all(
    meta: dict[str, Any], request: SimulationRequest, config: find.Config, log: Callable[[str, str], None]
) -> dict[str, ReferenceSource | None]:
    """Sources by type for a request; what a directory lacks comes from the built-in set, and `log` says so.

    Parameters
    ----------
    meta : dict
        Metadata of the exposure, from `metadata.build`.
    request : rtools.simulate.request.SimulationRequest
        What is simulated: it says which types are needed, and of which frame.
    config : rtools.reference.find.Config
        Where references are looked for.
    log : callable
        ``log(level, text)``.

    Returns
    -------
    dict of str to ReferenceSource or None
        Type to reference; None for one that is refused or is nowhere. gain, readnoise, distortion and, where there is a
        sky, epsf are always there.

    Raises
    ------
    MissingReferenceError, InputError, UsageError
        As `rtools.reference.find.references`.
    """
    uses = [Reference(name, refusable=False) for name in ALWAYS] + [Reference(name) for name in RAMP]
    uses += [Reference(name, absent="skip") for name in MAY_LACK]
    if not request.dark:
        uses.append(Reference("flat"))
    uses.append(Reference("distortion", refusable=False))
    if request.has_sky:
        uses.append(Reference("photom"))
    config = replace(config, builtin=True if config.builtin is None else config.builtin)
    frame = (request.size, request.size)
    log = as_a_warning(log)
    references = find.references(meta, uses, config, simulated=True, frame=frame, log=log)
    if request.has_sky:
        # A trace has F158's cross-section: there is no ePSF for a disperser.
        element = assumed.REFERENCE_BAND if request.dispersed else request.element
        imaging = meta | {"instrument": meta["instrument"] | {"optical_element": element}}
        said = _without(log, find.NOT_FOR_SCIENCE)
        asked = imaging, [Reference("epsf", refusable=False)], config
        references |= find.references(*asked, simulated=True, frame=frame, log=said)
    filled = [kind for kind, reference in references.items() if reference is not None and reference.origin == "builtin"]
    if filled and len(filled) < sum(reference is not None for reference in references.values()):
        log("warning", f"from the built-in nominal instrument: {', '.join(filled)}")
    return references


def as_a_warning(log: Callable[[str, str], None]) -> Callable[[str, str], None]:
    """A log to which a caution is a warning: that the data are not real need not be said to those who make them.

    Parameters
    ----------
    log : callable
        ``log(level, text)``.

    Returns
    -------
    callable
        Another one.
    """
    return lambda level, text: log("warning" if level == "caution" else level, text)


def _without(log, unwanted):
    """`log` that leaves one text out, for it was said before."""

    def say(level, text):
        if text != unwanted:
            log(level, text)

    return say


def typical(references: References, size: int) -> tuple[float, float]:
    """Median gain and read noise of the middle channel.

    Parameters
    ----------
    references : mapping of str to ReferenceSource or None
        References; gain and readnoise are used.
    size : int
        Rows and columns of the frame.

    Returns
    -------
    (float, float)
        electron/DN and DN, of pixels whose values are finite and positive.
    """
    start = size // CHANNEL // 2 * CHANNEL
    values = []
    for name, fallback in (("gain", nominal.GAIN), ("readnoise", 0.0)):
        strip = needed(references, name).columns("data", start, start + CHANNEL)[:size]
        good = strip[np.isfinite(strip) & (strip > 0)]
        values.append(float(np.median(good)) if good.size else fallback)
    gain, noise = values
    return gain, noise


def needed(references: References, kind: str) -> ReferenceSource:
    """The reference of a type that `find_all` never leaves out.

    Parameters
    ----------
    references : mapping of str to ReferenceSource or None
        References, from `find_all`.
    kind : str
        gain, readnoise or distortion, or epsf where there is a sky.

    Returns
    -------
    ReferenceSource
        What the reference is read from.
    """
    return cast("ReferenceSource", references[kind])


def calibration_of(references: References, element: str) -> tuple[float, float] | None:
    """photmjsr and pixelareasr of the photom reference.

    Parameters
    ----------
    references : mapping of str to ReferenceSource or None
        References; photom is used.
    element : str
        Optical element.

    Returns
    -------
    (float, float) or None
        MJy/sr per DN/s, and sr; None without a calibration of the element.
    """
    reference = references.get("photom")
    if reference is None:
        return None
    row = reference.node("phot_table").get(element) or {}
    conversion, area = row.get("photmjsr"), row.get("pixelareasr")
    if not conversion or not area or not np.isfinite(conversion * area):
        return None
    return float(conversion), float(area)


def scale_of(references: References, element: str) -> float | None:
    """DN/s of a source of AB magnitude 0 as the photom reference calibrates it.

    3631 Jy over photmjsr · pixel area: what a pixel of that area and a flat of 1 counts.

    Parameters
    ----------
    references, element
        As for `calibration_of`.

    Returns
    -------
    float or None
        DN/s; None without a calibration of the element.
    """
    found = calibration_of(references, element)
    return None if found is None else AB_ZERO_MJY / (found[0] * found[1])


def inl_of(references: References, channel: int) -> np.ndarray:
    """`ramps.inverse_inl` of a channel.

    Parameters
    ----------
    references : mapping of str to ReferenceSource or None
        References; integralnonlinearity is used.
    channel : int
        Number of the channel, from 0.

    Returns
    -------
    ndarray float32, (65536,)
        DN to be added; zero without a reference.
    """
    reference = references.get("integralnonlinearity")
    if reference is None:
        return inverse_inl(None, None)
    entry = reference.node("inl_table").get(f"science_channel_{channel + 1:02d}") or {}
    return inverse_inl(reference.node("value"), entry.get("correction"))


def decay_of(references: References, detector: str) -> tuple[float, float] | None:
    """Amplitude and time constant of a detector's dark decay.

    Parameters
    ----------
    references : mapping of str to ReferenceSource or None
        References; darkdecaysignal is used.
    detector : str
        ``WFI01`` … ``WFI18``.

    Returns
    -------
    (float, float) or None
        DN and seconds; None without an entry of the detector.
    """
    reference = references.get("darkdecaysignal")
    entry = reference.node("decay_table").get(detector) if reference is not None else None
    if not entry or entry.get("amplitude") is None or entry.get("time_constant") is None:
        return None
    return float(entry["amplitude"]), float(entry["time_constant"])


class ReferencePlanes:
    """Columns [start, stop) of the planes that the read-out needs.

    Parameters
    ----------
    references : mapping of str to ReferenceSource or None
        References, from `find_all`.
    request : rtools.simulate.request.SimulationRequest
        What is simulated; its detector, table and size are used.
    start, stop : int
        Full-frame columns.
    work : rtools.work.Work
        Its threads decode or draw.
    """

    def __init__(self, references: References, request: SimulationRequest, start: int, stop: int, work: Work) -> None:
        self.request, self.start = request, start
        size = request.size
        cut = (slice(None, size), slice(None))

        def plane(kind, array):
            reference = references.get(kind)
            return None if reference is None else reference.columns(array, start, stop, work=work)[cut]

        self.gain, self.noise = plane("gain", "data"), plane("readnoise", "data")
        self.saturation, self.dark = plane("saturation", "data"), plane("dark", "dark_slope")
        self.mask = plane("mask", "dq")
        self.coeffs = self._linearity(references.get("linearity"), stop, work)
        self.flat = self._flat(references.get("flat"), stop, work)

    def _linearity(self, reference, stop, work):
        """Coefficients; the identity where the chain does not correct."""
        size = self.request.size
        if reference is None:
            coeffs = np.zeros((2, size, stop - self.start), np.float32)
            coeffs[1] = 1
            return coeffs
        coeffs = reference.columns("coeffs", self.start, stop, work=work)[:, :size]
        wrong = np.isnan(coeffs).any(axis=0) | (coeffs[1] == 0)
        wrong |= (reference.columns("dq", self.start, stop, work=work)[:size] & NO_LIN_CORR) != 0
        coeffs[:, wrong] = 0
        coeffs[1, wrong] = 1
        return coeffs

    def _flat(self, reference, stop, work):
        """Full-frame columns of the flat; 1 in the border and where it is not defined."""
        size = self.request.size
        flat = np.ones((size, stop - self.start), np.float32)
        if reference is None:
            return flat
        first, last = max(self.start, BORDER), min(stop, size - BORDER)
        part = reference.columns("data", first - BORDER, last - BORDER, work=work)[: size - 2 * BORDER]
        good = np.isfinite(part) & (part > 0)
        flat[BORDER : size - BORDER, first - self.start : last - self.start] = np.where(good, part, 1)
        return flat

    def channel(
        self, channel: int, references: References, typical: tuple[float, float]
    ) -> tuple[Detector, np.ndarray, np.ndarray, np.ndarray]:
        """The `Detector` of one channel, and (flat, dark DN/s, dead) planes.

        Parameters
        ----------
        channel : int
            Number of the channel in the full frame, from 0.
        references : mapping of str to ReferenceSource or None
            References; integralnonlinearity and darkdecaysignal are used.
        typical : (float, float)
            Gain and read noise that stand in for values that are not finite or not positive.

        Returns
        -------
        detector : Detector
            What the read-out takes.
        flat, dark : ndarray float32 (rows, 128)
            Flat, 1 where it is not defined; dark rate in DN/s.
        dead : ndarray bool (rows, 128)
            Pixels without signal.
        """
        request = self.request
        columns = slice(channel * CHANNEL - self.start, (channel + 1) * CHANNEL - self.start)
        gain, noise = (
            np.where(np.isfinite(plane[:, columns]) & (plane[:, columns] > 0), plane[:, columns], value)
            for plane, value in zip((self.gain, self.noise), typical, strict=True)
        )
        full = np.full(gain.shape, np.inf, np.float32) if self.saturation is None else self.saturation[:, columns]
        full = np.where(np.isfinite(full) & (full > 0), full, 65535) * np.float32(assumed.FULL_WELL)
        detector = Detector(
            gain.astype(np.float32),
            noise.astype(np.float32),
            np.minimum(full, 65535),
            self.coeffs[:, :, columns],
            inl_of(references, channel),
        )
        self._in_time(detector, channel, decay_of(references, request.detector))
        dark = np.zeros(gain.shape, np.float32) if self.dark is None else np.nan_to_num(self.dark[:, columns])
        dead = np.zeros(gain.shape, bool) if self.mask is None else (self.mask[:, columns] & DEAD) != 0
        return detector, self.flat[:, columns], dark, dead

    def _in_time(self, detector, channel, decay):
        """Dark decay and transient of a channel."""
        request = self.request
        number = instrument.detector_number(request.detector)
        transient = request.detector == instrument.TRANSIENT_DETECTOR
        if decay is None and not transient:
            return
        times = effects.read_times(request.frame_time, number, channel, request.size)
        if decay is not None:
            pattern = request.table.read_pattern
            detector.decay = effects.decay_plane(times, decay[1])
            detector.decay_factors = effects.decay_factors(pattern, request.frame_time, *decay)
        if transient:
            detector.transient = effects.transient_plane(times, *request.stream)
