"""Every step of the kit: where it is declared, in which order the steps stand, and what a plan says of one.

A step is a file in the folder ``steps/`` of a science room, or of a part of one. What the steps are called is known
from the file names alone; nothing is imported for it. The order follows from what the declarations say, and they are
imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path
from typing import Any

from rtools.declare import Reference, Step

__all__ = [
    "StepPlan",
    "find_modules",
    "has_step",
    "missions_of",
    "step_names",
    "step_of",
    "steps_in_order",
    "uses_of",
]

PACKAGE = Path(__file__).parents[2]
"""The directory of `rtools`."""


@cache
def find_modules() -> dict[str, tuple[str, ...]]:
    """Name of each step, and the modules in which it is declared: one for each mission that has it.

    Returns
    -------
    dict of str to tuple of str
        Names without ``rt-``, in the order of rooms and files.
    """
    found: dict[str, list[str]] = {}
    for path in [*sorted(PACKAGE.glob("*/steps/[!_]*.py")), *sorted(PACKAGE.glob("*/*/steps/[!_]*.py"))]:
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        found.setdefault(path.stem, []).append(f"{PACKAGE.name}.{module}")
    return {name: tuple(modules) for name, modules in found.items()}


def has_step(name: str) -> bool:
    """Whether a step of any mission has this tool name; nothing is imported for it.

    Parameters
    ----------
    name : str
        A tool name without ``rt-``.

    Returns
    -------
    bool
        True where a file of this name stands in the folder ``steps/`` of a room.
    """
    return name in find_modules()


def missions_of(name: str) -> tuple[str, ...]:
    """Missions that have a step, with a declaration of their own or another's.

    Parameters
    ----------
    name : str
        The tool name of the step, without ``rt-``.

    Returns
    -------
    tuple of str
        As `Step.mission` names them.
    """
    return tuple(mission for module in find_modules()[name] for mission in import_module(module).STEP.missions)


def step_of(name: str, mission: str = "roman") -> Step:
    """The declaration of a step.

    Parameters
    ----------
    name : str
        The tool name of the step, without ``rt-``.
    mission : str
        The mission whose declaration is wanted.

    Returns
    -------
    Step
        The ``STEP`` of its module, which is imported for it.

    Raises
    ------
    KeyError
        There is no such step of this mission.
    """
    for module in find_modules()[name]:
        step = import_module(module).STEP
        if mission in step.missions:
            return step
    raise KeyError(name)


@cache
def step_names(mission: str = "roman") -> tuple[str, ...]:
    """Tool names of all steps that are declared for a mission, in the order of its chain; behind them those of none.

    Parameters
    ----------
    mission : str
        The mission, as `Step.mission` names it.

    Returns
    -------
    tuple of str
        Names without ``rt-``.

    Raises
    ------
    ValueError
        The declarations leave the order open, or contradict each other.
    """
    steps = [import_module(module).STEP for modules in find_modules().values() for module in modules]
    steps = [step for step in steps if step.mission == mission]
    chained = [step for step in steps if step.in_chain]
    sorter = TopologicalSorter({step.name: {step.after} - {""} for step in chained})
    for step in chained:
        if step.before:
            sorter.add(step.before, step.name)
    sorter.prepare()
    names: list[str] = []
    while sorter.is_active():
        ready = sorter.get_ready()
        if len(ready) > 1:
            raise ValueError(f"the order of {' and '.join(sorted(ready))} is open: one says before= which it stands")
        names += ready
        sorter.done(*ready)
    return (*names, *(step.name for step in steps if not step.in_chain))


def steps_in_order(mission: str = "roman") -> list[Step]:
    """Declarations of all steps of a mission, in the order of its chain.

    Parameters
    ----------
    mission : str
        The mission, as `Step.mission` names it.

    Returns
    -------
    list of Step
        In the order of `step_names`.
    """
    return [step_of(name, mission) for name in step_names(mission)]


@dataclass(frozen=True)
class StepPlan:
    """One step of a plan.

    Attributes
    ----------
    step : rtools.declare.Step
        Its declaration.
    options : mapping of str to object
        Values of all its options.
    references : mapping of str to reference source or None
        By type; None where the user refused it or it may be absent.
    status : str
        What `meta.cal_step` will say if all goes well.
    note : str
        What its line in the log says beside the status.
    active : bool
        Whether its `apply` is called (dq_init works on although its mask is refused).
    """

    step: Step
    options: Mapping[str, Any]
    references: Mapping[str, Any] = field(default_factory=dict)
    status: str = "COMPLETE"
    note: str = ""
    active: bool = True


def uses_of(step: Step, options: Mapping[str, Any]) -> list[Reference]:
    """The references that a step needs with these options.

    Parameters
    ----------
    step : Step
        Its declaration, which names all references that it may need.
    options : mapping of str to object
        Values of its options by key; a point spread function is needed with `fit_psf`, on unless said otherwise, or
        `deep`.

    Returns
    -------
    list of Reference
        All of its references; without ``epsf`` where no point spread function is fitted.
    """
    psf = options.get("fit_psf", True) or options.get("deep")
    return [use for use in step.references if psf or use.type != "epsf"]
