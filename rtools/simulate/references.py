"""The references that an exposure is simulated with, cut to channels as the read-out needs them."""

from dataclasses import replace

import numpy as np

from rtools.declare import Reference
from rtools.reference import find, nominal
from rtools.simulate import assumed, effects
from rtools.simulate.ramps import Detector, inverse_inl
from rtools.wfi import instrument
from rtools.wfi.dq import PIXEL
from rtools.wfi.frame import BORDER, CHANNEL
from rtools.wfi.units import AB_ZERO_MJY

__all__ = ["GROUP", "ReferencePlanes", "calibration_of", "decay_of", "find_all", "inl_of", "scale_of", "typical"]

DEAD = PIXEL["DEAD"]
NO_LIN_CORR = PIXEL["NO_LIN_CORR"]

GROUP = 16
"""Channels whose reference columns are in memory together: decoding a compressed file twice, not 32 times."""

ALWAYS = ("gain", "readnoise")
RAMP = ("mask", "saturation", "linearity", "dark")
MAY_LACK = ("integralnonlinearity", "darkdecaysignal")


def find_all(meta, request, config, log):
    """Sources by type for a request; what a directory lacks comes from the built-in set, and `log` says so.

    Returns
    -------
    dict of str to source or None
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
    log = _as_a_warning(log)
    sources = find.references(meta, uses, config, simulated=True, frame=frame, log=log)
    if request.has_sky:
        # A trace has F158's cross-section: there is no ePSF for a disperser.
        element = assumed.REFERENCE_BAND if request.dispersed else request.element
        imaging = meta | {"instrument": meta["instrument"] | {"optical_element": element}}
        said = _without(log, find.NOT_FOR_SCIENCE)
        asked = imaging, [Reference("epsf", refusable=False)], config
        sources |= find.references(*asked, simulated=True, frame=frame, log=said)
    filled = [kind for kind, source in sources.items() if source is not None and source.origin == "builtin"]
    if filled and len(filled) < sum(source is not None for source in sources.values()):
        log("warning", f"from the built-in nominal instrument: {', '.join(filled)}")
    return sources


def _as_a_warning(log):
    """`log` to which a caution is a warning: that the data are no real ones need not be said to those who make them."""
    return lambda level, text: log("warning" if level == "caution" else level, text)


def _without(log, unwanted):
    """`log` that leaves one text out, for it was said before."""

    def say(level, text):
        if text != unwanted:
            log(level, text)

    return say


def typical(sources, size):
    """Median gain (electron/DN) and read noise (DN) of the middle channel."""
    start = size // CHANNEL // 2 * CHANNEL
    values = []
    for name, fallback in (("gain", nominal.GAIN), ("readnoise", 0.0)):
        strip = sources[name].columns("data", start, start + CHANNEL)[:size]
        good = strip[np.isfinite(strip) & (strip > 0)]
        values.append(float(np.median(good)) if good.size else fallback)
    return tuple(values)


def calibration_of(sources, element):
    """photmjsr and pixelareasr of the photom reference; None without one for the element."""
    source = sources.get("photom")
    if source is None:
        return None
    row = source.node("phot_table").get(element) or {}
    conversion, area = row.get("photmjsr"), row.get("pixelareasr")
    if not conversion or not area or not np.isfinite(conversion * area):
        return None
    return float(conversion), float(area)


def scale_of(sources, element):
    """DN/s of a source of AB magnitude 0 as the photom reference calibrates it; None without one for the element.

    3631 Jy over photmjsr · pixel area: what a pixel of that area and a flat of 1 counts.
    """
    found = calibration_of(sources, element)
    return None if found is None else AB_ZERO_MJY / (found[0] * found[1])


def inl_of(sources, channel):
    """`ramps.inverse_inl` of a channel."""
    source = sources.get("integralnonlinearity")
    if source is None:
        return inverse_inl(None, None)
    entry = source.node("inl_table").get(f"science_channel_{channel + 1:02d}") or {}
    return inverse_inl(source.node("value"), entry.get("correction"))


def decay_of(sources, detector):
    """Amplitude (DN) and time constant (s) of a detector's dark decay, or None."""
    source = sources.get("darkdecaysignal")
    entry = source.node("decay_table").get(detector) if source is not None else None
    if not entry or entry.get("amplitude") is None or entry.get("time_constant") is None:
        return None
    return float(entry["amplitude"]), float(entry["time_constant"])


class ReferencePlanes:
    """Columns [start, stop) of the planes that the read-out needs.

    Parameters
    ----------
    sources : dict
    request : rtools.simulate.request.SimulationRequest
    start, stop : int
        Full-frame columns.
    work : rtools.work.Work
        Its threads decode or draw.
    """

    def __init__(self, sources, request, start, stop, work):
        self.request, self.start = request, start
        size = request.size
        cut = (slice(None, size), slice(None))

        def plane(kind, array):
            source = sources.get(kind)
            return None if source is None else source.columns(array, start, stop, work=work)[cut]

        self.gain, self.noise = plane("gain", "data"), plane("readnoise", "data")
        self.saturation, self.dark = plane("saturation", "data"), plane("dark", "dark_slope")
        self.mask = plane("mask", "dq")
        self.coeffs = self._linearity(sources.get("linearity"), stop, work)
        self.flat = self._flat(sources.get("flat"), stop, work)

    def _linearity(self, source, stop, work):
        """Coefficients; the identity where the chain does not correct."""
        size = self.request.size
        if source is None:
            coeffs = np.zeros((2, size, stop - self.start), np.float32)
            coeffs[1] = 1
            return coeffs
        coeffs = source.columns("coeffs", self.start, stop, work=work)[:, :size]
        wrong = np.isnan(coeffs).any(axis=0) | (coeffs[1] == 0)
        wrong |= (source.columns("dq", self.start, stop, work=work)[:size] & NO_LIN_CORR) != 0
        coeffs[:, wrong] = 0
        coeffs[1, wrong] = 1
        return coeffs

    def _flat(self, source, stop, work):
        """Full-frame columns of the flat; 1 in the border and where it is not defined."""
        size = self.request.size
        flat = np.ones((size, stop - self.start), np.float32)
        if source is None:
            return flat
        first, last = max(self.start, BORDER), min(stop, size - BORDER)
        part = source.columns("data", first - BORDER, last - BORDER, work=work)[: size - 2 * BORDER]
        good = np.isfinite(part) & (part > 0)
        flat[BORDER : size - BORDER, first - self.start : last - self.start] = np.where(good, part, 1)
        return flat

    def channel(self, channel, sources, typical):
        """The `Detector` of one channel, and (flat, dark DN/s, dead) planes.

        `typical` = (gain, read noise) stands in for values that are not finite or not positive.
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
            inl_of(sources, channel),
        )
        self._in_time(detector, channel, decay_of(sources, request.detector))
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
