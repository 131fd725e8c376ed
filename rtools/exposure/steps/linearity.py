"""Non-linearity: make resultants proportional to the charge collected, read by read.

A resultant is the mean of reads of an accumulating pixel, so its non-linearity is not that of its mean. The reads are
reconstructed from the slope of the pixel through the inverse polynomial, shifted so that their mean is the resultant,
corrected one by one, and averaged. Per strip it needs 64 KB on top of ramp and references.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rtools.declare import RampStep, Reference
from rtools.errors import InputError
from rtools.exposure.frame import Exposure, Strip, View
from rtools.wfi.frame import CHANNEL

__all__ = ["STEP", "InlTable", "ReadNumbers", "ReadReconstruction", "apply", "inl_table", "prepare", "report"]


class ReadNumbers(NamedTuple):
    """The reads of an exposure of G resultants, numbered from 1 in the order in which they are taken.

    Attributes
    ----------
    number : ndarray float64 (reads,)
        Numbers of the reads of the first resultant, then of the second, and so on.
    first : ndarray int64 (G + 1,)
        Where in `number` the reads of each resultant begin; the last element is the length of `number`.
    mean : ndarray float64 (G,)
        Mean of the numbers of each resultant.
    """

    number: np.ndarray
    first: np.ndarray
    mean: np.ndarray


class InlTable(NamedTuple):
    """An integral non-linearity over DN, tabulated in even steps.

    Between node j and the next, the correction of v is ``intercepts[j] + slopes[j] v``.

    Attributes
    ----------
    low, high : float
        First and last node, in DN; the correction is constant beyond them.
    per_step : float
        1 / distance of two nodes, per DN.
    intercepts : ndarray float64 (n,)
        Corrections at v = 0, in DN.
    slopes : ndarray float64 (n,)
        DN per DN; the last one is zero.
    """

    low: float
    high: float
    per_step: float
    intercepts: np.ndarray
    slopes: np.ndarray


@dataclass
class ReadReconstruction:
    """What the strips of an exposure share.

    Attributes
    ----------
    numbers : ReadNumbers
        The reads of all resultants.
    tables : dict of int to InlTable
        Integral non-linearity of each channel, 0-based; empty without such a correction.
    """

    numbers: ReadNumbers
    tables: dict[int, InlTable]


def prepare(exposure: Exposure, view: View, refs: dict, options: dict) -> ReadReconstruction:
    """Lay out the reads, and the integral non-linearity of every channel.

    Parameters
    ----------
    exposure : rtools.exposure.frame.Exposure
        Its read pattern and its number of columns are read.
    view : rtools.exposure.frame.View
        Not used.
    refs : dict
        ``refs["integralnonlinearity"]``, where there is one, holds `value` (DN) and `inl_table`, which has the
        `correction` (DN) of each ``science_channel_NN``.
    options : dict
        Not used.

    Returns
    -------
    ReadReconstruction
        Read numbers, and a table for every channel of the frame.

    Raises
    ------
    InputError
        The reference lacks a channel, or one of its tables cannot be one (`inl_table`).
    """
    pattern = exposure.read_pattern
    numbers = ReadNumbers(
        number=np.array([read for reads in pattern for read in reads], dtype=np.float64),
        first=np.cumsum([0, *map(len, pattern)]).astype(np.int64),
        mean=np.array([np.mean(reads) for reads in pattern], dtype=np.float64),
    )
    tables = {}
    if "integralnonlinearity" in refs:
        inl = refs["integralnonlinearity"]
        for channel in range(exposure.shape[2] // CHANNEL):
            key = f"science_channel_{channel + 1:02d}"
            if key not in inl["inl_table"]:
                raise InputError(f"the integralnonlinearity reference has no {key}")
            tables[channel] = inl_table(inl["value"], inl["inl_table"][key]["correction"])
    return ReadReconstruction(numbers, tables)


def inl_table(value: np.ndarray, correction: np.ndarray) -> InlTable:
    """Tabulate a correction over DN in even steps.

    Parameters
    ----------
    value : array_like (n,)
        DN, whole numbers, increasing.
    correction : array_like (n,)
        DN to add at `value`; linear in between, constant beyond the ends.

    Returns
    -------
    InlTable
        The same correction. Values in uneven steps are tabulated with the largest step that meets them all.

    Raises
    ------
    InputError
        The values are not increasing whole numbers, or not as many as the corrections; or a correction is not a
        number of DN.
    """
    value, correction = np.asarray(value, dtype=np.float64), np.asarray(correction, dtype=np.float64)
    steps = np.diff(value)
    if value.ndim != 1 or value.size < 2 or value.shape != correction.shape:
        raise InputError(f"integral non-linearity: {value.shape} values and {correction.shape} corrections")
    if np.any(steps <= 0) or np.any(value != np.rint(value)):
        raise InputError("integral non-linearity: values are not increasing whole numbers of DN")
    if not np.all(np.abs(correction) <= 65535):
        raise InputError("integral non-linearity: a correction is not a number of DN")
    step = float(np.gcd.reduce(steps.astype(np.int64)))
    if np.any(steps != step):
        even = np.arange(value[0], value[-1] + step, step)
        value, correction = even, np.interp(even, value, correction)
    slopes = np.append(np.diff(correction) / step, 0.0)
    return InlTable(float(value[0]), float(value[-1]), 1 / step, correction - slopes * value, slopes)


NO_TABLE = InlTable(0.0, 1.0, 1.0, np.zeros(1), np.zeros(1))
"""Stands where the kernel expects a table that it does not use."""


def apply(strip: Strip, refs: dict, options: dict, prepared: ReadReconstruction) -> dict[str, int]:
    """Correct a strip in place.

    Parameters
    ----------
    strip : rtools.exposure.frame.Strip
        A ramp strip; `data`, `groupdq` and `pixeldq` change.
    refs : dict
        ``refs["linearity"]`` holds `coeffs` (terms, rows, columns), in ascending powers of DN, and `dq`;
        ``refs["inverselinearity"]`` holds `coeffs` of the inverse polynomial. All are cut to the strip.
    options : dict
        Not used.
    prepared : ReadReconstruction
        What `prepare` returned.

    Returns
    -------
    dict of str to int
        ``clipped``: values beyond ±1e6 DN.

    Raises
    ------
    InputError
        A polynomial has fewer than two coefficients.
    """
    lin, inverse = refs["linearity"], refs["inverselinearity"]
    if min(len(lin["coeffs"]), len(inverse["coeffs"])) < 2:
        raise InputError("linearity: a polynomial needs two coefficients or more")
    clipped = 0
    for channel in range(strip.channel, -(-strip.stop // CHANNEL)):
        first = max(channel * CHANNEL, strip.start) - strip.start
        columns = slice(first, min((channel + 1) * CHANNEL, strip.stop) - strip.start)
        clipped += _correct(strip, columns, (lin["coeffs"], inverse["coeffs"], lin["dq"]), prepared, channel)
    return {"clipped": clipped}


def _correct(strip, columns, planes, prepared, channel):
    """Correct columns of one channel; `planes` are coefficients, inverse coefficients and flags of the strip."""
    from rtools.exposure._kernel_arrays import RampArrays
    from rtools.exposure._linearity_kernels import LinearityReference, kernel

    forward, inverse, dq = (plane[..., columns] for plane in planes)
    reference = LinearityReference(
        np.ascontiguousarray(forward, dtype=np.float32),
        np.ascontiguousarray(inverse, dtype=np.float32),
        np.ascontiguousarray(dq, dtype=np.uint32),
    )
    arrays = strip.data, strip.groupdq, strip.pixeldq
    ramp = RampArrays(*(np.ascontiguousarray(array[..., columns]) for array in arrays))
    correct = kernel(len(reference.forward), len(reference.inverse), bool(prepared.tables))
    clipped = correct(ramp, reference, prepared.numbers, prepared.tables.get(channel, NO_TABLE))
    if columns.stop - columns.start == strip.stop - strip.start:
        strip.data, strip.groupdq, strip.pixeldq = ramp
    else:
        for array, part in zip(arrays, ramp, strict=True):
            array[..., columns] = part
    return clipped


def report(counts: dict[str, int], options: dict) -> list[tuple[str, str]]:
    """Lines for the log.

    Parameters
    ----------
    counts : dict of str to int
        Sums of what `apply` returned for the strips.
    options : dict
        Not used.

    Returns
    -------
    list of (str, str)
        Level and text.
    """
    clipped = counts["clipped"]
    return [("warning", f"{clipped} values beyond ±1e6 DN: clipped, DO_NOT_USE")] if clipped else []


STEP = RampStep(
    name="linearity",
    after="wfi18transient",
    cal_step="linearity",
    memory="0.9 GiB for a full frame of 9 resultants, mapped input included (-j 2).",
    suffix="linearity",
    summary="Correct for the non-linear response of pixels and converter.",
    description=(
        "The reads of each resultant are reconstructed: a straight line in linear DN through the first and the last "
        "but one unsaturated resultant, put through the inverse polynomial, and shifted to have the resultant as "
        "their mean. Each read then has the integral non-linearity of its channel added and goes through the "
        "polynomial; their mean is the result. SATURATED resultants stay. Pixels without usable coefficients are left "
        "as they are and flagged NO_LIN_CORR; values beyond ±1e6 DN are clipped and flagged DO_NOT_USE."
    ),
    examples=("rt-linearity X_wfi18_transient.asdf", "rt-linearity X_dark_decay.asdf --ref integralnonlinearity=none"),
    references=(
        Reference("linearity", planes=("coeffs", "dq")),
        Reference("inverselinearity", planes=("coeffs",)),
        Reference("integralnonlinearity", nodes=("value", "inl_table"), absent="skip", optional=True),
    ),
    metadata=("exposure.read_pattern",),
    imports=("rtools.exposure._linearity_kernels",),
    prepare=prepare,
    apply=apply,
    report=report,
)
