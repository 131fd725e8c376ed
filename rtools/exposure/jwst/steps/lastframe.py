"""First and last groups of MIRI, which its reset spoils."""

from __future__ import annotations

import numpy as np

from rtools.declare import Option, RampStep, Skip
from rtools.exposure.jwst.block import RampBlock
from rtools.exposure.jwst.exposure import RampExposure
from rtools.jwst.dq import GROUP_FLAGS

__all__ = ["STEP", "apply", "prepare"]

DO_NOT_USE = np.uint8(GROUP_FLAGS["DO_NOT_USE"])


def prepare(exposure: RampExposure, options: dict) -> tuple[int, ...] | Skip:
    """The groups that are left out.

    Parameters
    ----------
    exposure : RampExposure
        Its groups are counted; those that are left out are noted there.
    options : dict
        ``first``.
    """
    groups = exposure.shape[1]
    if groups < 3:
        return Skip(f"{groups} groups are too few")
    found = (0, groups - 1) if options["first"] and groups > 3 else (groups - 1,)
    exposure.left_out.update(found)
    return found


def apply(block: RampBlock, refs: dict, options: dict, prepared: tuple[int, ...]) -> None:
    """Leave groups out.

    Parameters
    ----------
    block : RampBlock
        Its group flags change.
    refs, options : dict
        Not used.
    prepared : tuple of int
        Which groups.
    """
    for group in prepared:
        block.groupdq[:, group] |= DO_NOT_USE


STEP = RampStep(
    name="lastframe",
    mission="jwst",
    after="ipc",
    cal_step="lastframe",
    suffix="lastframe",
    chains=("miri",),
    summary="Leave out the last group of MIRI's integrations.",
    examples=("rt-lastframe X_saturation.fits", "rt-lastframe X_saturation.fits --first"),
    description=(
        "The last group of an integration of MIRI is DO_NOT_USE where there are three or more, because the reset "
        "begins in it. With --first the first group is, too, where there are four or more."
    ),
    options=(Option("first", False, "Leave out the first group, too."),),
    prepare=prepare,
    apply=apply,
)
