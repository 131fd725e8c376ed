"""Non-linearity: make resultants proportional to the charge collected, read by read.

A resultant is the mean of reads of an accumulating pixel, so its non-linearity is not that of its mean. The reads are
reconstructed from the slope of the pixel through the inverse polynomial, shifted so that their mean is the resultant,
corrected one by one, and averaged. Per strip it needs 64 KB on top of ramp and references.
"""

from dataclasses import dataclass

import numpy as np

from rtools.declare import Reference, Step
from rtools.errors import InputError
from rtools.wfi.frame import CHANNEL

__all__ = ["STEP", "Reads", "apply", "inl_table", "prepare", "report"]

STEP = Step(
    name="linearity",
    kind="ramp",
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
)


@dataclass
class Reads:
    """Reads and tables in the form that the kernel takes.

    Attributes
    ----------
    timing : tuple of ndarray
        Read numbers, one after another (float64); where each resultant's begin (int64, G + 1); their means (float64).
    tables : dict of int to tuple
        Channel to `inl_table`; empty without integral non-linearity.
    """

    timing: tuple
    tables: dict


def prepare(exposure, view, refs, options):
    """Lay out the reads, and the integral non-linearity of every channel."""
    pattern = exposure.read_pattern
    times = np.array([read for reads in pattern for read in reads], dtype=np.float64)
    first = np.cumsum([0, *map(len, pattern)]).astype(np.int64)
    means = np.array([np.mean(reads) for reads in pattern], dtype=np.float64)
    tables = {}
    if "integralnonlinearity" in refs:
        inl = refs["integralnonlinearity"]
        for channel in range(exposure.shape[2] // CHANNEL):
            key = f"science_channel_{channel + 1:02d}"
            if key not in inl["inl_table"]:
                raise InputError(f"the integralnonlinearity reference has no {key}")
            tables[channel] = inl_table(inl["value"], inl["inl_table"][key]["correction"])
    return Reads((times, first, means), tables)


def inl_table(value, correction):
    """A correction over DN, tabulated in even steps.

    Parameters
    ----------
    value : array_like (n,)
        DN, whole numbers, increasing.
    correction : array_like (n,)
        DN to add; linear in between, constant beyond the ends.

    Returns
    -------
    tuple
        (first value, last value, 1 / step, intercepts, slopes): floats and float64 arrays. Between node j and the
        next the correction of v is ``intercepts[j] + slopes[j] v``; the last slope is zero. Uneven values get the
        largest step that meets them all.

    Raises
    ------
    InputError
        Values are no increasing whole numbers, or not as many as corrections.
    """
    value, correction = np.asarray(value, dtype=np.float64), np.asarray(correction, dtype=np.float64)
    steps = np.diff(value)
    if value.ndim != 1 or value.size < 2 or value.shape != correction.shape:
        raise InputError(f"integral non-linearity: {value.shape} values and {correction.shape} corrections")
    if np.any(steps <= 0) or np.any(value != np.rint(value)):
        raise InputError("integral non-linearity: values are not increasing whole numbers of DN")
    if not np.all(np.abs(correction) <= 65535):
        raise InputError("integral non-linearity: a correction is no number of DN")
    step = float(np.gcd.reduce(steps.astype(np.int64)))
    if np.any(steps != step):
        even = np.arange(value[0], value[-1] + step, step)
        value, correction = even, np.interp(even, value, correction)
    slopes = np.append(np.diff(correction) / step, 0.0)
    return float(value[0]), float(value[-1]), 1 / step, correction - slopes * value, slopes


NO_TABLE = (0.0, 1.0, 1.0, np.zeros(1), np.zeros(1))


def apply(strip, refs, options, prepared):
    """Correct a strip in place; counts the clipped values.

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


def _correct(strip, columns, references, prepared, channel):
    """Correct columns of one channel."""
    from rtools.exposure._linearity_kernels import kernel

    coefficients, inverse, dq = references
    whole = columns.stop - columns.start == strip.stop - strip.start
    planes = [np.ascontiguousarray(a[..., columns]) for a in (strip.data, strip.groupdq, strip.pixeldq)]
    correct = kernel(len(coefficients), len(inverse), bool(prepared.tables))
    clipped = correct(
        *planes,
        np.ascontiguousarray(coefficients[..., columns], dtype=np.float32),
        np.ascontiguousarray(inverse[..., columns], dtype=np.float32),
        np.ascontiguousarray(dq[..., columns], dtype=np.uint32),
        prepared.timing,
        prepared.tables.get(channel, NO_TABLE),
    )
    if whole:
        strip.data, strip.groupdq, strip.pixeldq = planes
    else:
        for array, part in zip((strip.data, strip.groupdq, strip.pixeldq), planes, strict=True):
            array[..., columns] = part
    return clipped


def report(counts, options):
    """Lines for the log."""
    clipped = counts["clipped"]
    return [("warning", f"{clipped} values beyond ±1e6 DN: clipped, DO_NOT_USE")] if clipped else []
