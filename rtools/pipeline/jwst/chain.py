"""Which steps a JWST exposure goes through, and what a user may call them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from rtools.declare import Step
from rtools.errors import UsageError
from rtools.jwst import modes
from rtools.pipeline.job.steps import step_names, step_of

__all__ = ["chain_of", "resolve", "step_called"]


def step_called(name: str) -> Step:
    """The declaration of a step of JWST.

    Parameters
    ----------
    name : str
        Its tool without ``rt-``.
    """
    return step_of(name, "jwst")


def chain_of(meta: Mapping[str, Any], also: Collection[str] = ()) -> tuple[str, ...]:
    """Names of the steps that an exposure goes through, in order.

    Parameters
    ----------
    meta : mapping
        Its metadata: instrument and exposure type.
    also : collection of str
        Steps that are asked for beside those that it has anyway.

    Returns
    -------
    tuple of str
        Tool names; those on images only where its coordinates can be made here.
    """
    kind = str(meta["exposure"].get("type"))
    left_out = set(modes.ASKED_FOR) - set(also) - set(modes.wanted_anyway(kind))
    whole = (*modes.ramp_chain(str(meta["instrument"]["name"])), *modes.IMAGE_CHAIN)
    return tuple(name for name in whole if name not in left_out)


def resolve(word: str) -> str:
    """The tool name of a step by tool name (with or without ``rt-``), cal_step key, suffix or name in the mission's.

    Parameters
    ----------
    word : str
        As the user typed it.

    Returns
    -------
    str

    Raises
    ------
    UsageError
        No step is called so.
    """
    plain = word.lower().removeprefix("rt-")
    for name in step_names("jwst"):
        step = step_called(name)
        if plain in (name, step.cal_step, step.suffix, step.peer or name):
            return name
    raise UsageError(f"no step of JWST is called {word!r}", mend=f"steps: {' '.join(step_names('jwst'))}")
