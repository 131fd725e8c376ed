"""Which steps an exposure goes through, in order, and what a user may call them.

The order and the exposure types at which it ends are those of the published tables (`exposure_pipeline` documentation;
photometry before flat field, dark after the ramp fit).
"""

from importlib import import_module

from rtools.errors import InputError, UsageError
from rtools.wfi.exposure_types import EXPOSURE_TYPES
from rtools.wfi.mosaics import MOSAIC_CAL_STEPS

__all__ = ["ORDER", "cal_steps", "chain_of", "module_of", "resolve", "step_of", "steps_for"]

ORDER = (
    "dqinit",
    "saturation",
    "refpix",
    "darkdecay",
    "wfi18transient",
    "linearity",
    "rampfit",
    "dark",
    "assignwcs",
    "photom",
    "flat",
    "catalog",
    "tweakreg",
)
"""Every step of the exposure chain, in order."""

MODULES = {"catalog": "rtools.catalog.steps.catalog", "tweakreg": "rtools.astrometry.steps.tweakreg"}
"""Where a step is declared that has no module in `rtools.exposure`."""

ENDS = {"imaging": "tweakreg", "wavefront": "flat", "spectral": "photom", "flat": "photom", "dark": "photom"}
"""The step at which each kind of chain ends."""

LAST_STEP = {name: ENDS[kind.chain] for name, kind in EXPOSURE_TYPES.items()}
"""The step at which the chain of an exposure type ends."""

ALIASES = {"dark_current": "dark", "flatfield": "flat", "dark_decay": "darkdecay"}
"""Names of the peer that are neither a tool, a cal_step key nor a suffix here."""


def module_of(name):
    """The module that holds a step's `STEP`, `prepare` and `apply`."""
    return import_module(MODULES.get(name, f"rtools.exposure.steps.{name}"))


def step_of(name):
    """The declaration of a step, by its tool name."""
    return module_of(name).STEP


def chain_of(exposure_type):
    """Names of the steps that an exposure of this type goes through.

    Raises
    ------
    InputError
        The exposure type is none that the tables know.
    """
    if exposure_type not in LAST_STEP:
        raise InputError(f"exposure type {exposure_type!r} is unknown", mend=f"known: {', '.join(LAST_STEP)}")
    return ORDER[: ORDER.index(LAST_STEP[exposure_type]) + 1]


def steps_for(meta):
    """Declarations of the steps that an exposure with this metadata goes through."""
    return [step_of(name) for name in chain_of(meta["exposure"]["type"])]


def cal_steps():
    """All keys of `meta.cal_step`, in alphabetical order."""
    return sorted([step_of(name).cal_step for name in ORDER] + list(MOSAIC_CAL_STEPS))


def resolve(word):
    """The tool name of a step given by tool name (with or without ``rt-``), cal_step key or suffix.

    Raises
    ------
    UsageError
        No step is called so; the message lists those that are.
    """
    plain = word.lower().removeprefix("rt-")
    plain = ALIASES.get(plain, plain)
    for name in ORDER:
        if plain in (name, step_of(name).cal_step, step_of(name).suffix):
            return name
    raise UsageError(f"no step is called {word!r}", mend=f"steps: {' '.join(ORDER)}")
