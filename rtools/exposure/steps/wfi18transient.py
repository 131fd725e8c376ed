"""Transient of WFI18: the first rows that this detector reads after a reset carry a signal that dies in a second.

It is estimated from the first resultant less what the second and third foretell, row by row, in pixels that see little
light; a sum of two exponentials of the time since reset is fitted and subtracted. A first pass keeps two float32 planes
of the frame, 134 MB.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtools.declare import NotApplicable, Option, RampStep
from rtools.exposure.frame import Exposure, Strip, View, given
from rtools.exposure.readtimes import channel_pair, tile_columns
from rtools.wfi.dq import GROUP
from rtools.wfi.frame import BORDER
from rtools.wfi.instrument import TRANSIENT_DETECTOR

__all__ = ["STEP", "Transient", "apply", "clipped_mean", "double_exponential", "fit_transient", "prepare"]

DO_NOT_USE = GROUP["DO_NOT_USE"]
WFI18_TRANSIENT = GROUP["WFI18_TRANSIENT"]

MASKED_ROWS = 1000
"""Full-frame rows that are flagged where the transient is not subtracted."""

START_ROWS = (300, 1000)
"""Rows whose times start the fit of the two time constants."""

FEWEST = 4
"""Resultants of a fit."""

LIGHT_SIGMA = 3.0
"""With the fewest, a pixel sees light if its last difference is so far above its row's median. That difference shares
the third resultant with the residual, and its fainter half would be a choice by noise that biases the residual."""

CLIP_SIGMA = 3.0
CLIPS = 5


@dataclass
class Transient:
    """What to do to the first resultant.

    Attributes
    ----------
    plane : ndarray float64, (rows, 256), or None
        DN to subtract from a pair of channels; None where rows are flagged instead.
    """

    plane: np.ndarray | None = None


def prepare(exposure: Exposure, view: View, refs: dict, options: dict) -> Transient | NotApplicable:
    """Fit the transient of the exposure.

    Parameters
    ----------
    exposure : rtools.exposure.frame.Exposure
        Its detector, shape, read pattern and frame time are read.
    view : rtools.exposure.frame.View
        The exposure as the earlier steps leave it; the first five resultants of all channels are read.
    refs : dict
        Not used.
    options : dict
        Options of the step; `mask_rows` is read.

    Returns
    -------
    Transient or rtools.declare.NotApplicable
        Without a plane where rows are flagged instead; `NotApplicable` for other detectors.
    """
    if exposure.detector != TRANSIENT_DETECTOR:
        return NotApplicable(f"only {TRANSIENT_DETECTOR} has this transient")
    if options["mask_rows"] or exposure.shape[0] < FEWEST:
        exposure.log("info", "first rows of the first resultant are flagged, no transient is fitted")
        return Transient()
    times = channel_pair(exposure.frame_time, TRANSIENT_DETECTOR, exposure.shape[1])
    row_times, residual = _row_residuals(exposure, view, times)
    parameters = fit_transient(row_times, residual)
    if parameters is None:
        exposure.log("warning", "the fit of the transient failed; rows of the first resultant are flagged instead")
        return Transient()
    a, b, tau_a, tau_b = parameters
    exposure.log("info", f"transient {a:.4g} DN over {tau_a:.3g} s, {b:.4g} DN over {tau_b:.3g} s")
    return Transient(double_exponential(times, *parameters))


def _row_residuals(exposure, view, times):
    """Time (s) and residual of the first resultant (DN) of every science row."""
    mean_reads = [np.mean(reads) for reads in exposure.read_pattern[:3]]
    gaps = np.diff(np.array(mean_reads) * exposure.frame_time)

    def collect(strip):
        rows, columns = strip.science
        first, second, third, *others = strip.data[: FEWEST + 1, rows, columns]
        rate = (third - second) / gaps[1]
        residual = first - (second - rate * gaps[0])
        return residual.astype(np.float32), others[-1] - (others[-2] if len(others) > 1 else third)

    parts = view.map_channels(collect)
    residual, light = (np.concatenate(planes, axis=1) for planes in zip(*parts, strict=True))
    inside = slice(BORDER, exposure.shape[1] - BORDER)
    columns = tile_columns(times, BORDER, exposure.shape[2] - BORDER)
    sigma = LIGHT_SIGMA if exposure.shape[0] == FEWEST else 0
    means = [_faint_mean(*row, sigma) for row in zip(residual, light, strict=True)]
    return columns[inside].mean(axis=1), np.array(means)


def _faint_mean(residual, light, sigma):
    """Clipped mean of the pixels of a row that see no more light than its median, or so many sigma above it.

    All of them where the median is NaN.
    """
    most = np.median(light)
    if sigma:
        from rtools.work.statistics import MAD_TO_SIGMA  # with threads and logging, which --help does without

        most += sigma * MAD_TO_SIGMA * np.median(np.abs(light - most))
    usable = ~(light > most) & np.isfinite(residual)
    return clipped_mean(np.sort(residual[usable]).astype(np.float64))


def clipped_mean(values: np.ndarray) -> float:
    """Mean within 3 standard deviations of the median, clipped up to five times.

    Parameters
    ----------
    values : ndarray float64
        Sorted, finite. What lies in a window around the median is then always a run of them.

    Returns
    -------
    float
        NaN without values.
    """
    for _ in range(CLIPS):
        if not values.size:
            return float("nan")
        half = values.size // 2
        centre = values[half] if values.size % 2 else (values[half - 1] + values[half]) / 2
        reach = CLIP_SIGMA * values.std()
        low = np.searchsorted(values, centre - reach, side="left")
        high = np.searchsorted(values, centre + reach, side="right")
        if high - low == values.size:
            break
        values = values[low:high]
    return float(values.mean()) if values.size else float("nan")


def double_exponential(t: np.ndarray, a: float, b: float, tau_a: float, tau_b: float) -> np.ndarray:
    """a exp(-t / tau_a) + b exp(-t / tau_b).

    Parameters
    ----------
    t : ndarray
        Time since the start of the read, seconds.
    a, b : float
        Amplitudes, DN.
    tau_a, tau_b : float
        Time constants, seconds.

    Returns
    -------
    ndarray
        DN, of the shape of `t`.
    """
    return a * np.exp(-t / tau_a) + b * np.exp(-t / tau_b)


def fit_transient(times: np.ndarray, residual: np.ndarray) -> tuple[float, float, float, float] | None:
    """Least-squares fit of `double_exponential`.

    Parameters
    ----------
    times, residual : ndarray float64 (rows,)
        Seconds since the start of the read, increasing; DN.

    Returns
    -------
    (float, float, float, float) or None
        a, b (DN), tau_a, tau_b (s); None where the residual is not finite or the fit does not converge.
    """
    import warnings

    from scipy.optimize import OptimizeWarning, curve_fit

    row_a, row_b = (min(row, len(times) - 1) for row in START_ROWS)
    start = (1.1 * residual[0], -0.1 * residual[0], times[row_a], times[row_b])
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", OptimizeWarning)
            parameters, _covariance = curve_fit(double_exponential, times, residual, p0=start)
    except (ValueError, RuntimeError):
        return None
    if not np.all(np.isfinite(parameters)):
        return None
    a, b, tau_a, tau_b = map(float, parameters)
    return a, b, tau_a, tau_b


def apply(strip: Strip, refs: dict, options: dict, prepared: Transient) -> None:
    """Subtract the transient from the strip's first resultant, or flag its first rows.

    Parameters
    ----------
    strip : rtools.exposure.frame.Strip
        The data of its first resultant change, or the flags of it.
    refs : dict
        Not used.
    options : dict
        Not used.
    prepared : Transient
        What `prepare` returned.
    """
    if prepared.plane is None:
        given(strip.groupdq)[0, :MASKED_ROWS] |= np.uint8(DO_NOT_USE | WFI18_TRANSIENT)
        return
    rows, columns = strip.science
    given(strip.data)[0, rows, columns] -= tile_columns(prepared.plane, strip.start, strip.stop)[rows, columns]


STEP = RampStep(
    name="wfi18transient",
    after="darkdecay",
    cal_step="wfi18_transient",
    memory="0.9 GiB for a full frame of 9 resultants, mapped input included (-j 2).",
    suffix="wfi18_transient",
    summary="Remove the transient in the first read of WFI18.",
    description=(
        "For detector WFI18 only (N/A for others). The first resultant is compared with a line through the second and "
        "third; the 3-sigma-clipped mean of each row over its faint pixels follows a exp(-t/τa) + b exp(-t/τb) "
        "in the time t since the start of the read, which is fitted by least squares and subtracted from the first "
        "resultant. Faint pixels are the ones whose fifth resultant less the fourth is at most the row's median; with "
        "4 resultants, the ones whose fourth less the third is at most 3 sigma above it. With --mask-rows, fewer than "
        "4 resultants or a fit that fails, rows 0 to 999 of the first resultant are flagged WFI18_TRANSIENT and "
        "DO_NOT_USE instead."
    ),
    examples=("rt-wfi18transient X_dark_decay.asdf", "rt-wfi18transient X_dark_decay.asdf --mask-rows"),
    options=(Option("mask-rows", False, "Flag the affected rows; fit nothing."),),
    metadata=("exposure.read_pattern", "exposure.frame_time"),
    prepare=prepare,
    apply=apply,
)
