"""Which steps an exposure goes through, in order, and what a user may call them.

The order, which the steps declare, and the exposure types that have a step are those of the published tables
(`exposure_pipeline` documentation; photometry before flat field, dark after the ramp fit).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from rtools.declare import Step
from rtools.errors import InputError, UsageError
from rtools.pipeline.job.steps import step_names, step_of
from rtools.wfi.exposure_types import EXPOSURE_TYPES
from rtools.wfi.mosaics import MOSAIC_CAL_STEPS

__all__ = ["cal_steps", "chain_of", "order", "resolve", "step_of", "steps_for"]


@cache
def order() -> tuple[str, ...]:
    """Tool names of all steps of the exposure chain, in order."""
    return tuple(name for name in step_names() if step_of(name).of_exposure)


def chain_of(exposure_type: str) -> tuple[str, ...]:
    """Names of the steps that an exposure of this type goes through.

    Parameters
    ----------
    exposure_type : str
        As in `meta.exposure.type`.

    Returns
    -------
    tuple of str
        Tool names, in order.

    Raises
    ------
    InputError
        The tables do not know the exposure type.
    """
    if exposure_type not in EXPOSURE_TYPES:
        raise InputError(f"exposure type {exposure_type!r} is unknown", mend=f"known: {', '.join(EXPOSURE_TYPES)}")
    chain = EXPOSURE_TYPES[exposure_type].chain
    return tuple(name for name in order() if not step_of(name).chains or chain in step_of(name).chains)


def steps_for(meta: Mapping[str, Any]) -> list[Step]:
    """Declarations of the steps that an exposure goes through.

    Parameters
    ----------
    meta : dict
        Metadata of the exposure: `exposure.type` is looked at.

    Returns
    -------
    list of rtools.declare.Step
        In the order of `chain_of`.

    Raises
    ------
    InputError
        As `chain_of`.
    """
    return [step_of(name) for name in chain_of(meta["exposure"]["type"])]


def cal_steps() -> list[str]:
    """All keys of `meta.cal_step`, in alphabetical order."""
    return sorted([step_of(name).cal_step for name in order()] + list(MOSAIC_CAL_STEPS))


def resolve(word: str) -> str:
    """The tool name of a step given by tool name (with or without ``rt-``), cal_step key, suffix or name in romancal.

    Parameters
    ----------
    word : str
        As the user typed it, in any letter case.

    Returns
    -------
    str
        The tool name without ``rt-``.

    Raises
    ------
    UsageError
        No step is called so; the message lists those that are.
    """
    plain = word.lower().removeprefix("rt-")
    for name in order():
        step = step_of(name)
        if plain in (name, step.cal_step, step.suffix, step.peer or name):
            return name
    raise UsageError(f"no step is called {word!r}", mend=f"steps: {' '.join(order())}")
