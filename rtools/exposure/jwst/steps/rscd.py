"""MIRI's reset switch charge decay: leave out the first groups of an integration."""

from __future__ import annotations

import numpy as np

from rtools.declare import Option, RampStep, Reference, Skip
from rtools.exposure.jwst.block import RampBlock
from rtools.exposure.jwst.exposure import RampExposure
from rtools.jwst.dq import GROUP_FLAGS

__all__ = ["STEP", "apply", "prepare"]

DO_NOT_USE, SATURATED = np.uint8(GROUP_FLAGS["DO_NOT_USE"]), np.uint8(GROUP_FLAGS["SATURATED"])

SHORT = 5
"""Groups up to which one at most is left out."""

LEAST = 3
"""Groups that always stay."""


def prepare(exposure: RampExposure, options: dict) -> tuple[int, int] | Skip:
    """Groups to leave out: of the first integration, and of those behind it.

    Parameters
    ----------
    exposure : RampExposure
        Its read-out pattern and sub-array choose the row of the reference.
    options : dict
        Not used here.
    """
    groups = exposure.shape[1]
    wanted = _row_of(exposure)
    if wanted is None:
        return Skip("the reference does not have this read-out pattern and sub-array")
    most = min(1 if groups <= SHORT else groups, max(groups - len(exposure.left_out) - LEAST, 0))
    first, later = (min(int(number), most) for number in wanted)
    if max(first, later) == 0:
        return Skip(f"{groups} groups are too few")
    if not options["bright_use_group1"] and (exposure.shape[0] == 1 or later >= first):
        exposure.left_out.update(range(first))
    return first, later


def _row_of(exposure):
    """Groups of the first integration and of later ones that the reference leaves out; None where it does not say."""
    pattern, part = exposure.meta["exposure"].get("readpatt"), exposure.meta["subarray"].get("name")
    for row in exposure.facts_of("rscd").tables.get("RSCD_GROUP_SKIP", ()):
        if (_text(row["readpatt"]), _text(row["subarray"])) == (pattern, part):
            return row["group_skip1" if "group_skip1" in row.dtype.names else "group_skip"], row["group_skip"]
    return None


def _text(value):
    return value.decode().strip() if isinstance(value, bytes) else str(value).strip()


def apply(block: RampBlock, refs: dict, options: dict, prepared: tuple[int, int]) -> None:
    """Leave the first groups out.

    Parameters
    ----------
    block : RampBlock
        Its group flags change.
    refs : dict
        Not used.
    options : dict
        ``bright_use_group1``: a pixel that saturates in the second group keeps the first.
    prepared : tuple of int
        From `prepare`.
    """
    for number in range(block.groupdq.shape[0]):
        flags = block.groupdq[number]
        count = prepared[0] if block.begin + number == 0 else prepared[1]
        kept = np.zeros(flags.shape[1:], bool)
        if options["bright_use_group1"] and flags.shape[0] > 1:
            kept = (flags[1] & SATURATED) > 0
        for group in range(count):
            flags[group] |= np.where(kept & (group == 0), np.uint8(0), DO_NOT_USE)


STEP = RampStep(
    name="rscd",
    mission="jwst",
    after="linearity",
    cal_step="rscd",
    suffix="rscd",
    chains=("miri",),
    summary="Leave out the first groups of MIRI's integrations.",
    examples=("rt-rscd X_linearity.fits", "rt-rscd X_linearity.fits --bright-use-group1"),
    description=(
        "The first groups of an integration of MIRI, as many as the reference says for the read-out pattern and "
        "sub-array, are DO_NOT_USE: one at most where there are five or fewer, and three always stay. With "
        "--bright-use-group1 a pixel that saturates in its second group keeps the first."
    ),
    options=(Option("bright-use-group1", False, "Keep the first group of pixels that saturate in the second."),),
    references=(Reference("rscd"),),
    prepare=prepare,
    apply=apply,
)
