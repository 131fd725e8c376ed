"""Dark current: subtract the dark ramp, averaged to the groups of the exposure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtools.declare import Option, RampStep, Reference, Skip
from rtools.exposure.jwst.block import RampBlock
from rtools.exposure.jwst.exposure import RampExposure

__all__ = ["STEP", "DarkRhythm", "apply", "prepare"]


class DarkRhythm(NamedTuple):
    """How the groups of the dark make groups of the exposure.

    Attributes
    ----------
    groups : int
        Of the exposure.
    frames, skipped : int
        Groups of the dark that are averaged, and that are left out behind these.
    """

    groups: int
    frames: int
    skipped: int


def prepare(exposure: RampExposure, options: dict) -> DarkRhythm | Skip:
    """How the dark is averaged.

    Parameters
    ----------
    exposure : RampExposure
        Its timing, and that of the dark.
    options : dict
        Not used here.
    """
    cards, timing = exposure.facts_of("dark").cards, exposure.timing
    frames, skipped = int(cards.get("NFRAMES") or 1), int(cards.get("GROUPGAP") or 0)
    if (frames, skipped) == (timing.frames, timing.skipped):
        return DarkRhythm(exposure.shape[1], 1, 0)
    if frames > timing.frames or (frames, skipped) != (1, 0):
        return Skip(f"the dark averages {frames} frames a group, the exposure {timing.frames}")
    return DarkRhythm(exposure.shape[1], timing.frames, timing.skipped)


def apply(block: RampBlock, refs: dict, options: dict, prepared: DarkRhythm) -> None:
    """Subtract the dark from every integration.

    Parameters
    ----------
    block : RampBlock
        Its data and `pixeldq` change.
    refs : dict
        ``refs["dark"]`` holds `data` (groups, rows, columns) or (integrations, groups, …) in DN, and `dq`.
    options : dict
        ``average_dark`` in DN/s.
    prepared : DarkRhythm
        From `prepare`.
    """
    from rtools.exposure.jwst import _group_kernels as kernels

    dark = refs["dark"]["data"]
    ramps = dark if dark.ndim == 4 else dark[None]
    for number in range(block.data.shape[0]):
        if number == 0 or block.begin + number < len(ramps):
            ramp = kernels.average_dark(ramps[min(block.begin + number, len(ramps) - 1)], *prepared)
        kernels.subtract_ramp(block.data[number : number + 1], ramp)
    flags = refs["dark"]["dq"]
    block.pixeldq |= np.bitwise_or.reduce(flags, axis=tuple(range(flags.ndim - 2)))
    if options["average_dark"] > 0:
        block.dark_rate = np.full(block.pixeldq.shape, options["average_dark"], np.float32)


STEP = RampStep(
    name="dark",
    mission="jwst",
    after="rscd",
    cal_step="dark_sub",
    suffix="dark_current",
    peer="dark_current",
    summary="Subtract the dark current.",
    examples=("rt-dark X_linearity.fits",),
    description=(
        "The frames of the dark are averaged as those of the exposure are, and where they end, its last difference "
        "goes on. Of MIRI, each of the first integrations has a dark of its own. A dark that averages more frames "
        "than the exposure is not used: the step is SKIPPED. With --average-dark the fit counts the photons of the "
        "dark current: a ramp that goes on later has it in AVDRKCUR."
    ),
    options=(
        Option(
            "average-dark", 0.0, "Dark current in DN/s whose photons add to the variance.", minimum=0.0,
            peer="average_dark_current",
        ),
    ),
    references=(Reference("dark", planes=("data", "dq")),),
    prepare=prepare,
    apply=apply,
)  # fmt: skip
