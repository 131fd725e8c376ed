"""Saturation: flag resultants in which a pixel has reached its limit, and those at the floor of the converter.

A resultant that is a mean of reads may be saturated in part only; such resultants are found from the one that follows
and from the first (below), and flagged DO_NOT_USE. Beyond the ramp it needs 5 bytes per pixel.
"""

import numpy as np

from rtools.declare import Option, Reference, Step
from rtools.wfi.dq import PIXEL

__all__ = ["STEP", "apply", "fully_saturated", "halo", "prepare", "report"]

SATURATED = PIXEL["SATURATED"]

STEP = Step(
    name="saturation",
    kind="ramp",
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
)  # fmt: skip


def halo(options):
    """Columns that flags can travel: growth once forward and once backward."""
    return 2 * options["grow"]


def prepare(exposure, view, refs, options):
    """Reads of each resultant: (number, mean, last), float64 (G, 3)."""
    return np.array([(len(reads), np.mean(reads), reads[-1]) for reads in exposure.read_pattern], dtype=np.float64)


def apply(strip, refs, options, prepared):
    """Set bits in the strip's groupdq and pixeldq; counts the pixels that end saturated."""
    from rtools.exposure._saturation_kernels import flag

    reference = refs["saturation"]
    threshold = np.ascontiguousarray(reference["data"], dtype=np.float32)
    dq = np.ascontiguousarray(reference["dq"], dtype=np.uint32)
    strip.data, strip.groupdq = np.ascontiguousarray(strip.data), np.ascontiguousarray(strip.groupdq)
    strip.pixeldq = np.ascontiguousarray(strip.pixeldq)
    flag(strip.data, strip.groupdq, strip.pixeldq, threshold, dq, prepared, options["grow"])
    for _ in range(options["backup"]):
        for g in range(len(prepared) - 1):
            if prepared[g, 0] > 1:
                strip.groupdq[g] |= strip.groupdq[g + 1] & np.uint8(SATURATED)
    return {"saturated": int(np.count_nonzero(_inner(strip, halo(options)) & np.uint8(SATURATED)))}


def _inner(strip, width):
    """Flags of the last resultant without the halo columns."""
    first = min(width, strip.start)
    last = min(width, strip.frame_columns - strip.stop)
    return strip.groupdq[-1, :, first : strip.stop - strip.start - last]


def report(counts, options):
    """Lines for the log."""
    return [("info", f"{counts['saturated']} pixels saturated in the last resultant")]


def fully_saturated(strip):
    """Whether every science pixel of a strip is SATURATED in every resultant, or in pixeldq."""
    rows, columns = strip.science
    if np.all(strip.pixeldq[rows, columns] & np.uint32(SATURATED)):
        return True
    # Where one resultant is not saturated it is nearly always the first.
    return all(bool(np.all(flags[rows, columns] & np.uint8(SATURATED))) for flags in strip.groupdq)
