"""Whether an exposure is saturated everywhere, so that there is nothing to fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rtools.declare import Step
from rtools.pipeline.exposure import chain
from rtools.pipeline.exposure.engine import Engine
from rtools.pipeline.exposure.task import StripTask
from rtools.wfi.frame import CHANNEL

__all__ = ["boundary", "is_everywhere"]


def _flagging() -> Step:
    """The step of the chain that flags saturation."""
    return next(step for step in map(chain.step_of, chain.order()) if step.is_saturated)


def boundary(tasks: Sequence[StripTask]) -> int:
    """How many of the strip tasks are done when saturation has been flagged.

    Parameters
    ----------
    tasks : sequence of StripTask
        Those of a run that work on strips, in their order.

    Returns
    -------
    int
    """
    order = chain.order()
    last = order.index(_flagging().name)
    return sum(order.index(task.step.name) <= last for task in tasks)


def is_everywhere(engine: Engine, tasks: Sequence[StripTask], kind: str, meta: Mapping[str, Any]) -> bool:
    """Whether every science pixel is saturated in every resultant.

    Parameters
    ----------
    engine : Engine
        Its tasks up to the `boundary` are prepared.
    tasks : sequence of StripTask
        Those that work on strips.
    kind : str
        Of the product that the run begins with.
    meta : mapping
        Its metadata.

    Returns
    -------
    bool
    """
    recorded = meta.get("cal_step") or {}
    if kind == "l2_image":
        return recorded.get("ramp_fit") == "SKIPPED"
    step, count = _flagging(), boundary(tasks)
    if count == len(tasks):
        return False
    ran = any(task.step.is_saturated and task.active for task in tasks[:count])
    if not ran and recorded.get(step.cal_step) != "COMPLETE":
        return False
    spans = ((channel * CHANNEL, (channel + 1) * CHANNEL) for channel in range(engine.channels))
    return step.is_saturated is not None and all(
        step.is_saturated(engine.strip(count, *span, keep=span[0] == 0)) for span in spans
    )
