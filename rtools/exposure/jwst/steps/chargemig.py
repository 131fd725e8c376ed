"""Charge migration: leave out groups of pixels so full that charge moves to their neighbours."""

from __future__ import annotations

from rtools.declare import Option, RampStep
from rtools.exposure.jwst.block import RampBlock

__all__ = ["STEP", "apply", "halo"]


def halo(options: dict) -> int:
    """Rows beyond a block that its flags depend on."""
    return 1


def apply(block: RampBlock, refs: dict, options: dict, prepared: None) -> None:
    """Flag groups above the threshold.

    Parameters
    ----------
    block : RampBlock
        Its group flags change.
    refs : dict
        Not used.
    options : dict
        ``threshold`` in DN.
    prepared : None
        Not used.
    """
    from rtools.exposure.jwst import _group_kernels as kernels

    kernels.flag_migration(block.data, block.groupdq, options["threshold"])


STEP = RampStep(
    name="chargemig",
    mission="jwst",
    after="dark",
    cal_step="charge_migration",
    suffix="charge_migration",
    peer="charge_migration",
    summary="Leave out groups that charge has left.",
    examples=("rt-chargemig X_dark_current.fits", "rt-chargemig X_dark_current.fits --threshold 20000"),
    description=(
        "A group above the threshold, all that follow it, and these groups of the four neighbours are CHARGELOSS and "
        "DO_NOT_USE. The variance of the rate from reading is that of the ramp with these groups. rt-run does this "
        "step for images of NIRISS, and for others where --with chargemig asks for it."
    ),
    options=(Option("threshold", 25000.0, "DN.", minimum=0.0, peer="signal_threshold"),),
    halo=halo,
    apply=apply,
)
