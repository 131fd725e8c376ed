"""Correlated read noise: subtract what the reference pixels say about each channel.

The border columns and the reference output (amp33) sample the noise that the channels share; per-channel complex
coefficients over frequency turn their spectra into a correction. Every resultant stands alone once the mean over
resultants is removed. Spectra take 7 MB per resultant, single precision; a strip needs 14 MB on top of the ramp.

The principle is that of Rauscher et al. 2017, PASP 129, 105003; trends and gaps as in the mission's pipeline.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from rtools.declare import Option, RampStep, Reference
from rtools.errors import InputError
from rtools.exposure import fourier
from rtools.exposure.frame import Exposure, Strip, View
from rtools.wfi.dq import PIXEL
from rtools.wfi.frame import BORDER, CHANNEL
from rtools.wfi.readout import ROW_SAMPLES

__all__ = ["STEP", "Spectra", "apply", "prepare", "series_offset"]

BAD_REF_PIXEL = PIXEL["BAD_REF_PIXEL"]

LARGEST = 1e3
"""A coefficient beyond this is a placeholder: those of noise that channels share are 1 and less."""


@dataclass
class Spectra:
    """Transforms of the reference pixels, scaled so that `apply` needs no further factor.

    Attributes
    ----------
    left, right, amp33 : ndarray float32 (resultants, 2, A/2 + 1, B)
        As `rtools.exposure.fourier` keeps them.
    offset, trends : bool
        Whether channels are treated as the reference pixels were.
    """

    left: np.ndarray
    right: np.ndarray
    amp33: np.ndarray
    offset: bool
    trends: bool


def prepare(exposure: Exposure, view: View, refs: dict, options: dict) -> Spectra:
    """Transform the reference pixels of every resultant.

    Parameters
    ----------
    exposure : rtools.exposure.frame.Exposure
        Its shape and its reference output, `amp33`, are read.
    view : rtools.exposure.frame.View
        The exposure as the earlier steps leave it; its first and last channels are read.
    refs : dict
        Not used.
    options : dict
        Options of the step, as `STEP` declares them.

    Returns
    -------
    Spectra
        Of left border, right border and amp33.

    Raises
    ------
    InputError
        There is no amp33, or not one row of 128 pixels for each row of the frame.
    """
    groups, rows, columns = exposure.shape
    if exposure.amp33 is None or exposure.amp33.shape != (groups, rows, CHANNEL):
        found = "missing" if exposure.amp33 is None else f"{exposure.amp33.shape}, not {(groups, rows, CHANNEL)}"
        raise InputError(f"refpix needs the reference output, but the array amp33 is {found}")
    offset = options["offset"] and groups > 1
    last = columns // CHANNEL - 1
    # Published normalisation: transforms are divided by their length, those of the borders multiplied by the share
    # of samples that a border has; the inverse is multiplied by twice the number of frequencies.
    length = rows * ROW_SAMPLES
    scale = 2 * (length // 2 + 1) / length
    spectra = partial(_spectra, view, offset=offset, trends=options["trends"])
    sides = []
    for channel in (0, last):
        strip = view.strip(channel * CHANNEL, (channel + 1) * CHANNEL)
        finish = partial(_keep_border, first=_border_start(strip))
        sides.append(spectra(_zero_bad(strip), strip.channel % 2, finish, scale * ROW_SAMPLES / BORDER))
    finish = partial(_fill, cosine=options["cosine"], pauses=options["fft"])
    left, right = sides
    return Spectra(left, right, spectra(exposure.amp33, 0, finish, scale), offset, options["trends"])


def series_offset(data: np.ndarray) -> np.ndarray:
    """Mean over resultants, as the intercept of a line through centred resultant numbers.

    The order of operations is that of the mission's pipeline: samples equal to this value to the last bit count as
    missing.

    Parameters
    ----------
    data : ndarray (G, rows, columns)
        Resultants, in DN; at least two.

    Returns
    -------
    ndarray float32 (rows, columns)
        In DN.
    """
    groups = data.shape[0]
    total = data[0].astype(np.float32)
    for plane in data[1:]:
        total += plane
    index = np.arange(groups, dtype=np.float32)
    square = np.sum((index - index.mean()) ** 2)
    total *= square
    total /= np.float32(groups * square)
    return total


def _spectra(view, data, odd, finish, scale, *, offset, trends):
    """Spectra of a channel in time order, offset and trends removed, pauses zero, changed by ``finish(samples)``."""
    from rtools.exposure._refpix_kernels import ChannelOrder, arrange_in_time, detrend, fit_line

    rows = data.shape[1]
    length = rows * ROW_SAMPLES
    mean = series_offset(data) if offset else np.zeros(data.shape[1:], np.float32)
    order = ChannelOrder(mean, odd)
    first, second = fourier.factors(length)
    spectra = np.empty((len(data), 2, first // 2 + 1, second), np.float32)

    def transform(g):
        plane, samples = data[g].astype(np.float32, copy=False), np.zeros(length, np.float32)
        arrange_in_time(plane, order, samples)
        if trends:
            detrend(samples, fit_line(plane, order))
        finish(samples)
        spectra[g] = fourier.arrange(np.fft.rfft(samples) * np.float32(scale), length)

    view.map(transform, range(len(data)))
    return spectra


def _border_start(strip):
    """First sample of the border in a row of the series.

    Time runs away from the outer edge: the border comes first, except at the right of an odd number of channels.
    """
    return 0 if strip.start == 0 or strip.channel % 2 else CHANNEL - BORDER


def _keep_border(samples, first):
    """Zero all samples but those of the border columns."""
    series = samples.reshape(-1, ROW_SAMPLES)
    series[:, :first] = 0
    series[:, first + BORDER :] = 0


def _fill(samples, cosine, pauses):
    """Fill gaps and pauses of the reference output."""
    from rtools.exposure._refpix_kernels import fill_gaps, smooth_pauses

    if cosine:
        fill_gaps(samples)
    if pauses:
        smooth_pauses(samples)


def _zero_bad(strip):
    """The strip's data with bad reference pixels zeroed in place."""
    strip.data = np.ascontiguousarray(strip.data)
    bad = (strip.pixeldq & np.uint32(BAD_REF_PIXEL)) != 0
    if bad.any():
        strip.data[:, bad] = 0
    return strip.data


def apply(strip: Strip, refs: dict, options: dict, prepared: Spectra) -> None:
    """Correct a channel in place.

    Parameters
    ----------
    strip : rtools.exposure.frame.Strip
        One whole channel of a ramp; `data` changes.
    refs : dict
        ``refs["refpix"]`` holds the channel's `gamma`, `zeta` and `alpha`, complex (frequencies,).
    options : dict
        Not used: `prepared` says what was asked for.
    prepared : Spectra
        What `prepare` returned.

    Raises
    ------
    InputError
        The reference has not one coefficient for each frequency of the frame's time series.
    ValueError
        The strip is not one whole channel.
    """
    from rtools.exposure import _refpix_kernels as kernels

    if strip.start % CHANNEL or strip.stop - strip.start != CHANNEL:
        raise ValueError(f"columns {strip.start} to {strip.stop} are not one channel")
    data = _zero_bad(strip)
    length = data.shape[1] * ROW_SAMPLES
    mean = series_offset(data) if prepared.offset else np.zeros(data.shape[1:], np.float32)
    order = kernels.ChannelOrder(mean, strip.channel % 2)
    filters = (_coefficients(refs["refpix"][name], length) for name in kernels.FilterCoefficients._fields)
    coefficients = kernels.FilterCoefficients(*filters)
    references = kernels.ReferenceSpectra(prepared.left, prepared.right, prepared.amp33)
    spectra = np.empty(fourier.factors(length), np.complex64)
    no_line = kernels.NoiseLine(np.float32(0), np.float32(0))
    for g, plane in enumerate(data):
        if g % 2 == 0:
            kernels.combine(references, coefficients, g, spectra)
            corrections = fourier.inverse(spectra)
        line = kernels.fit_line(plane, order) if prepared.trends else no_line
        kernels.correct(data, g, order, corrections, line)


def _coefficients(row, length):
    """Coefficients of a channel, arranged as the spectra are."""
    if row.shape != (length // 2 + 1,):
        found = f"{row.size} coefficients a channel, the frame needs {length // 2 + 1}"
        raise InputError(f"refpix reference: {found}")
    if not np.abs(row).max() <= LARGEST:
        raise InputError("refpix reference: a coefficient that is not a number, or a placeholder")
    return fourier.arrange(row, length)


STEP = RampStep(
    name="refpix",
    after="saturation",
    cal_step="refpix",
    memory="0.9 GiB for a full frame of 9 resultants, mapped input included (-j 2).",
    suffix="refpix",
    summary="Remove correlated read noise with the reference pixels.",
    description=(
        "Reference pixels flagged BAD_REF_PIXEL are zeroed. The mean over resultants is set aside. From each channel "
        "and resultant a line in time, fitted to the rows of reference pixels at either end, is subtracted. Gaps of "
        "amp33 are filled with a cosine window, and its pauses smoothed. With F the spectra of left border, right "
        "border and amp33 in time order, and γ, ζ, α the coefficients of the reference, the inverse transform of "
        "F_left γ + F_right ζ + F_amp33 α is subtracted. Stored borders and amp33 stay as rt-dqinit left them."
    ),
    examples=("rt-refpix X_saturation.asdf", "rt-refpix X_saturation.asdf --no-cosine"),
    options=(
        Option("offset", True, "Set the mean over resultants aside.", peer="remove_offset"),
        Option("trends", True, "Subtract a line in time from each channel and resultant.", peer="remove_trends"),
        Option("cosine", True, "Fill gaps of amp33 with a cosine window.", peer="cosine_interpolate"),
        Option("fft", True, "Smooth the pauses between the rows of amp33.", peer="fft_interpolate"),
    ),
    references=(Reference("refpix", channels=("gamma", "zeta", "alpha")),),
    imports=("rtools.exposure._refpix_kernels",),
    prepare=prepare,
    apply=apply,
)  # fmt: skip
