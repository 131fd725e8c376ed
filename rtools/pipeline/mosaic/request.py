"""What a user asks of a group of images."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rtools.pipeline.job.request import Request
from rtools.pipeline.job.steps import step_of
from rtools.pipeline.mosaic.grid import WantedGrid
from rtools.pipeline.mosaic.missions import ROMAN, MosaicMission, mission_named
from rtools.products.schema.record import JobWord

__all__ = ["STEPS", "MosaicRequest"]

STEPS = ROMAN.steps
"""Steps of the chain but the catalog, in order."""


@dataclass(frozen=True, kw_only=True)
class MosaicRequest(Request):
    """What a user asks of a group of images.

    Attributes
    ----------
    wanted : rtools.pipeline.mosaic.grid.WantedGrid
        What is said of the grid.
    skycells : tuple of str
        One mosaic each.
    add : str or None
        A mosaic that the images are to join.
    max_memory : float
        GiB.
    called : mapping of str to str
        Temporary file to the name that its products are named after.
    save_steps : bool
        Write the images as each step on the way to a mosaic leaves them, too.
    steps_in : str or None
        Where these go; without it next to the images.
    mission : str
        Whose images they are, ``roman`` or ``jwst``; a plan says it when it has seen them.
    """

    wanted: WantedGrid = field(default_factory=WantedGrid)
    skycells: tuple[str, ...] = ()
    add: str | None = None
    max_memory: float = 2.0
    called: Mapping[str, str] = field(default_factory=dict)
    save_steps: bool = False
    steps_in: str | None = None
    mission: str = "roman"

    @property
    def rules(self) -> MosaicMission:
        """Words and rules of the mission."""
        return mission_named(self.mission)

    def words(self) -> list[JobWord]:
        """As `Request.words`; the grid among them."""
        wanted = self.wanted
        words = [*super().words(), *(JobWord("--skycell", cell) for cell in self.skycells)]
        words += [JobWord(f"--{name}", os.path.abspath(path), names_file=True)
                  for name, path in (("like", wanted.like), ("add", self.add)) if path]  # fmt: skip
        for name in ("center", "size", "crpix"):
            pair = getattr(wanted, name)
            words += [] if pair is None else [JobWord(f"--{name}", ",".join(map(repr, pair)))]
        for name in ("scale", "scale_ratio", "pa"):
            value = getattr(wanted, name)
            words += [] if value is None else [JobWord(f"--{name.replace('_', '-')}", repr(value))]
        if self.single is not None:
            return words
        return [JobWord("--mosaic"), *words, *([JobWord("--save-steps")] if self.save_steps else ())]

    def options(self, name: str) -> dict[str, Any]:
        """All options of a step, as they were typed."""
        return step_of(name, self.mission).defaults(self.mission) | dict(self.settings.get(name, {}))
