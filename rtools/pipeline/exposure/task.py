"""One step while it is carried out: what the plan says of it, and what has come of it so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rtools.declare import Step
from rtools.pipeline.job.steps import StepPlan

__all__ = ["StripTask"]


@dataclass
class StripTask:
    """One step of a run.

    Attributes
    ----------
    step : rtools.declare.Step
        Declaration, with its functions.
    options : dict
        Values of its options.
    references : dict
        Reference type to reference; None where the user refused it or it may be absent.
    status : str
        What `meta.cal_step` will say.
    reason : str
        Why it does nothing, where it is the step that said so; it has been logged then.
    note : str
        What its line in the log says beside the status.
    active : bool
        Whether its `apply` is called (dq_init works on although its mask is refused).
    prepared : object
        What `prepare` has answered, for `apply`.
    counts : dict of int to dict or None
        Channel to what `apply` counted there.
    times : list of float
        Seconds spent in each call.
    apply : callable or None
        What is called with each strip: the step's `apply`, where nothing else is put in its place.
    sinks : list
        Each has ``put(strip)``; filled as the strips leave this step.
    """

    step: Step
    options: dict[str, Any]
    references: dict[str, Any] = field(default_factory=dict)
    status: str = "COMPLETE"
    reason: str = ""
    note: str = ""
    active: bool = True
    prepared: object = None
    counts: dict[int, dict | None] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    apply: Callable | None = None
    sinks: list[Any] = field(default_factory=list)
    _nodes: dict[str, dict[str, Any]] | None = None

    @classmethod
    def of(cls, planned: StepPlan) -> StripTask:
        """The task that a step of a plan becomes when it is carried out.

        Parameters
        ----------
        planned : rtools.pipeline.job.steps.StepPlan
            Not changed.

        Returns
        -------
        StripTask
            With dictionaries of its own.
        """
        return cls(
            planned.step,
            dict(planned.options),
            dict(planned.references),
            status=planned.status,
            note=planned.note,
            active=planned.active,
        )

    def __post_init__(self) -> None:
        self.apply = self.apply or self.step.apply

    @property
    def halo(self) -> int:
        """Columns that the step needs on either side of a strip."""
        return self.step.halo(self.options) if self.active and self.step.halo else 0

    def total(self) -> Counter:
        """Counts summed over the channels."""
        return sum((Counter(counts) for counts in self.counts.values() if counts), Counter())

    def stop(self, status: str, reason: str = "") -> None:
        """Do nothing, and say so in `meta.cal_step`.

        Parameters
        ----------
        status : str
            What `meta.cal_step` will say: SKIPPED or N/A.
        reason : str
            Why, where the step itself said so.
        """
        self.status = status
        self.reason = reason
        self.active = False

    def nodes(self) -> dict[str, dict[str, Any]]:
        """The declared small parts of its references, by type and name."""
        if self._nodes is None:
            self._nodes = {
                use.type: {path: self.references[use.type].node(path) for path in use.nodes}
                for use in self.step.references
                if self.references.get(use.type) is not None
            }
        return {kind: dict(nodes) for kind, nodes in self._nodes.items()}
