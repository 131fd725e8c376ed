"""Saturation: flag resultants in which a pixel has reached its limit, and those at the floor of the converter.

A resultant that is a mean of reads may be saturated in part only; such resultants are found from the one that follows
and from the first (below), and flagged DO_NOT_USE. Beyond the ramp it needs 5 bytes per pixel.
"""

from typing import NamedTuple

import numpy as np

from rtools.declare import Option, RampStep, Reference
from rtools.exposure.frame import Exposure, Strip, View, given
from rtools.wfi.dq import PIXEL

__all__ = ["STEP", "ResultantReads", "apply", "fully_saturated", "halo", "prepare", "report"]

SATURATED = PIXEL["SATURATED"]


class ResultantReads(NamedTuple):
    """Reads of each of G resultants, for the compiled loops.

    Attributes
    ----------
    size : ndarray float64 (G,)
        Number of reads that are averaged.
    mean : ndarray float64 (G,)
        Mean of the 1-based read numbers: the mean time since the reset, in frame times.
    last : ndarray float64 (G,)
        Number of the last read.
    """

    size: np.ndarray
    mean: np.ndarray
    last: np.ndarray


def halo(options: dict) -> int:
    """Columns beside the strip that flags can travel from: they grow once forward and once backward in time.

    Parameters
    ----------
    options : dict
        Options of the step; `grow` is read.

    Returns
    -------
    int
        Columns needed on either side of the strip.
    """
    return 2 * options["grow"]


def prepare(exposure: Exposure, view: View, refs: dict, options: dict) -> ResultantReads:
    """Lay out the reads of the resultants.

    Parameters
    ----------
    exposure : rtools.exposure.frame.Exposure
        Its read pattern is read.
    view : rtools.exposure.frame.View
        Not used.
    refs : dict
        Not used.
    options : dict
        Not used.

    Returns
    -------
    ResultantReads
        Count, mean and last of the reads of each resultant.
    """
    pattern = exposure.read_pattern
    rows = [(len(reads), np.mean(reads), reads[-1]) for reads in pattern]
    return ResultantReads(*(np.array(column, dtype=np.float64) for column in zip(*rows, strict=True)))


def apply(strip: Strip, refs: dict, options: dict, prepared: ResultantReads) -> dict[str, int]:
    """Set bits in the strip's groupdq and pixeldq; no data change.

    Parameters
    ----------
    strip : rtools.exposure.frame.Strip
        A ramp strip; changed in place.
    refs : dict
        ``refs["saturation"]`` holds the planes `data` (threshold, in DN) and `dq`, cut to the strip.
    options : dict
        `grow` and `backup`, as `STEP` declares them.
    prepared : ResultantReads
        What `prepare` returned.

    Returns
    -------
    dict of str to int
        ``saturated``: pixels whose last resultant is SATURATED, halo columns left out.
    """
    from rtools.exposure._kernel_arrays import RampArrays
    from rtools.exposure._saturation_kernels import SaturationReference, flag_saturation

    planes = refs["saturation"]
    reference = SaturationReference(
        np.ascontiguousarray(planes["data"], dtype=np.float32), np.ascontiguousarray(planes["dq"], dtype=np.uint32)
    )
    strip.data, strip.groupdq = np.ascontiguousarray(strip.data), np.ascontiguousarray(strip.groupdq)
    strip.pixeldq = np.ascontiguousarray(strip.pixeldq)
    flag_saturation(RampArrays(strip.data, strip.groupdq, strip.pixeldq), reference, prepared, options["grow"])
    for _ in range(options["backup"]):
        for g in range(len(prepared.size) - 1):
            if prepared.size[g] > 1:
                strip.groupdq[g] |= strip.groupdq[g + 1] & np.uint8(SATURATED)
    return {"saturated": int(np.count_nonzero(_inner(strip, halo(options)) & np.uint8(SATURATED)))}


def _inner(strip, width):
    """Flags of the last resultant without the halo columns."""
    first = min(width, strip.start)
    last = min(width, strip.frame_columns - strip.stop)
    return strip.groupdq[-1, :, first : strip.stop - strip.start - last]


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
    return [("info", f"{counts['saturated']} pixels saturated in the last resultant")]


def fully_saturated(strip: Strip) -> bool:
    """Whether every science pixel of a strip is SATURATED in every resultant, or in pixeldq.

    Parameters
    ----------
    strip : rtools.exposure.frame.Strip
        A ramp strip; not changed.

    Returns
    -------
    bool
        True where no slope can be fitted to any pixel of the strip.
    """
    rows, columns = strip.science
    if np.all(given(strip.pixeldq)[rows, columns] & np.uint32(SATURATED)):
        return True
    # Where one resultant is not saturated it is nearly always the first.
    return all(bool(np.all(flags[rows, columns] & np.uint8(SATURATED))) for flags in given(strip.groupdq))


STEP = RampStep(
    name="saturation",
    after="dqinit",
    cal_step="saturation",
    memory="0.7 GiB for a full frame of 9 resultants, mapped input included (-j 2).",
    suffix="saturation",
    summary="Flag saturated resultants and those at the A/D floor.",
    description=(
        "A resultant at or above the reference's threshold, and all after it, are SATURATED; one at or below 0 DN "
        "gets AD_FLOOR and DO_NOT_USE. A resultant before a saturated one that reaches the threshold times "
        "mean(reads) / last read is flagged DO_NOT_USE: some of its reads are saturated. So is the second, where the "
        "third is saturated although the first does not foretell it and the step from first to second exceeds what is "
        "left below the threshold divided by the reads of the second. Pixels without a threshold get NO_SAT_CHECK."
    ),
    examples=("rt-saturation X_dqinit.asdf", "rt-saturation X_dqinit.asdf --grow 1"),
    options=(
        Option(
            "grow", 0, "Flag neighbours of saturated pixels this far too, in pixels.", minimum=0,
            peer="n_pix_grow_sat",
        ),
        Option("backup", 0, "Flag this many averaged resultants before the first saturated one too.", minimum=0),
    ),
    references=(Reference("saturation", planes=("data", "dq")),),
    metadata=("exposure.read_pattern",),
    imports=("rtools.exposure._saturation_kernels",),
    is_saturated=fully_saturated,
    prepare=prepare,
    apply=apply,
    halo=halo,
    report=report,
)  # fmt: skip
