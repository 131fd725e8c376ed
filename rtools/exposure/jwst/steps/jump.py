"""Jumps: flag the groups in front of which cosmic rays hit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from rtools.declare import Option, RampStep, Reference, Skip
from rtools.errors import InputError
from rtools.exposure.jwst.block import RampBlock
from rtools.exposure.jwst.exposure import FlagSearch, RampExposure
from rtools.exposure.jwst.jump import MANY, JumpSettings, find_jumps
from rtools.exposure.rampfit.snowballs import EventArea, event_options, find_event_areas, flag_area, reach_of
from rtools.jwst.dq import GROUP_FLAGS, PIXEL_FLAGS

__all__ = ["STEP", "JumpSearch", "apply", "halo", "prepare", "revise"]

NO_GAIN = np.uint32(PIXEL_FLAGS["NO_GAIN_VALUE"] | PIXEL_FLAGS["DO_NOT_USE"])


class JumpSearch(NamedTuple):
    """How jumps are looked for in an exposure.

    Attributes
    ----------
    settings : JumpSettings
        Thresholds.
    frames : int
        Frames that are averaged in a group.
    usable : int
        Groups that are not left out in all pixels.
    groups : int
        All groups.
    areas : tuple of (sequence of EventArea, ndarray)
        What is flagged for large events, and how far each reaches, by integration; empty before they were looked for.
    """

    settings: JumpSettings
    frames: int
    usable: int
    groups: int
    areas: tuple[tuple[Sequence[EventArea], np.ndarray], ...] = ()


def prepare(exposure: RampExposure, options: dict) -> JumpSearch | Skip:
    """Turn options into what the search takes; too few groups have no jumps.

    Parameters
    ----------
    exposure : RampExposure
        Its timing, and the groups that steps before leave out.
    options : dict
        All options of the step.

    Raises
    ------
    InputError
        Large events are to be looked for, and the detector is that of MIRI.
    """
    if options["expand_large_events"] and exposure.meta["instrument"]["name"] == "MIRI":
        raise InputError("--expand-large-events is for detectors of the near infrared; MIRI has showers instead")
    usable = exposure.shape[1] - len(exposure.left_out)
    if usable < 3 and exposure.shape[0] < MANY:
        return Skip(f"{usable} groups are too few")
    spread = (options["min_neighbour"], options["max_neighbour"]) if options["flag_neighbours"] else (0.0, 0.0)
    pairs = (("after_jump1", "after_time1"), ("after_jump2", "after_time2"))
    after = tuple(
        (options[height], int(options[time] // exposure.timing.group_time))
        for height, time in pairs
        if options[time] > 0
    )
    levels = options["threshold"], options["threshold_three"], options["threshold_two"]
    return JumpSearch(JumpSettings(levels, spread, after), exposure.timing.frames, usable, exposure.shape[1])


def halo(options: dict) -> int:
    """Rows beyond a block that its flags depend on."""
    return 1


def apply(block: RampBlock, refs: dict, options: dict, prepared: JumpSearch) -> None:
    """Flag jumps, and the surroundings of large events that are known; a pixel without a gain is not to be used.

    Parameters
    ----------
    block : RampBlock
        Its flags change.
    refs : dict
        ``refs["gain"]`` and ``refs["readnoise"]`` hold `data`: electron/DN, and DN of a correlated double sample.
    options : dict
        Not used here.
    prepared : JumpSearch
        From `prepare`.
    """
    noise = np.stack([refs["gain"]["data"], refs["readnoise"]["data"]])
    block.pixeldq |= np.where(noise[0] > 0, np.uint32(0), NO_GAIN)
    find_jumps(block, noise, prepared.frames, prepared.usable, prepared.settings)
    first, last = (block.rows.start, block.columns.start), (block.rows.stop, block.columns.stop)
    for flags, (areas, reach) in zip(block.groupdq, prepared.areas[block.begin :], strict=False):
        touching = (reach[:, :2] < last).all(axis=1) & (reach[:, 2:] > first).all(axis=1)
        for number in np.flatnonzero(touching).tolist():
            flag_area(flags, areas[number], first)


def revise(prepared: JumpSearch, options: dict) -> FlagSearch | None:
    """Look for large events in the flags of the whole image, where that is asked.

    Parameters
    ----------
    prepared : JumpSearch
        From `prepare`.
    options : dict
        All options of the step.
    """
    if not options["expand_large_events"]:
        return None
    kinds = GROUP_FLAGS["JUMP_DET"], GROUP_FLAGS["SATURATED"]
    find = partial(find_event_areas, groups=prepared.groups, options=options)
    return FlagSearch(kinds, find, lambda found: prepared._replace(areas=tuple((one, reach_of(one)) for one in found)))


STEP = RampStep(
    name="jump",
    mission="jwst",
    after="chargemig",
    cal_step="jump",
    suffix="jump",
    summary="Flag jumps by differences of neighbouring groups.",
    examples=("rt-jump X_dark_current.fits", "rt-jump X_dark_current.fits --expand-large-events"),
    description=(
        "The differences between neighbouring groups are compared with the median of all differences of the pixel, in "
        "standard deviations sqrt(|median| + noise² / NFRAMES) in electron. With 10 differences or more each that is "
        "beyond the threshold is a jump. With fewer the largest is taken away and the others are compared again. With "
        "100 integrations or more each difference is clipped across them, at most five times. Strong jumps are flagged "
        "in the four neighbours, too. With --expand-large-events the flags of the whole image are looked at: groups of "
        "jumps around a fresh saturated core, snowballs, are flagged in a larger ellipse, and cores are extended."
    ),
    options=(
        Option("threshold", 4.0, "Standard deviations.", minimum=0.0, peer="rejection_threshold"),
        Option("threshold-three", 5.0, "With three differences.", minimum=0.0, peer="three_group_rejection_threshold"),
        Option("threshold-two", 6.0, "With two differences.", minimum=0.0, peer="four_group_rejection_threshold"),
        Option("flag-neighbours", True, "Flag neighbours of strong jumps.", peer="flag_4_neighbors"),
        Option("min-neighbour", 10.0, "Strong is more than this.", minimum=0.0, peer="min_jump_to_flag_neighbors"),
        Option("max-neighbour", 1000.0, "And less than this.", minimum=0.0, peer="max_jump_to_flag_neighbors"),
        Option("after-jump1", 0.0, "Height in DN from which on groups behind are flagged.", minimum=0.0,
               peer="after_jump_flag_dn1"),
        Option("after-time1", 0.0, "Seconds for which they are.", minimum=0.0, peer="after_jump_flag_time1"),
        Option("after-jump2", 0.0, "A second such height.", minimum=0.0, peer="after_jump_flag_dn2"),
        Option("after-time2", 0.0, "And its seconds.", minimum=0.0, peer="after_jump_flag_time2"),
        Option("expand-large-events", False, "Look for snowballs and flag around them; near infrared only."),
        *event_options(jump_area=5.0, factor=2.0, core_axis=2.5, edge=25),
    ),
    references=(
        Reference("gain", planes=("data",), refusable=False),
        Reference("readnoise", planes=("data",), refusable=False),
    ),
    prepare=prepare,
    halo=halo,
    apply=apply,
    revise=revise,
)  # fmt: skip
