"""What a user asks of exposures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from rtools.pipeline.job.request import Request
from rtools.products.schema.record import JobWord

__all__ = ["ExposureRequest"]


@dataclass(frozen=True, kw_only=True)
class ExposureRequest(Request):
    """What a user asks of every exposure.

    Attributes
    ----------
    first, last : str or None
        ``--from`` and ``--until``, tool names.
    named : mapping of str to mapping
        Those of `settings` that are meant for this run, not a configuration file's for any.
    also : frozenset of str
        ``--with``: steps of JWST that are left out unless they are asked for.
    backgrounds : tuple of str
        Exposures of which the background is taken that an exposure of JWST loses.
    save_steps : bool
        Write the product of every step, too.
    strict : bool
        An alignment that fails is an error.
    together : bool
        The inputs are aligned by one correction.
    catalogs : mapping of str to str
        Input to its catalog, where that is not the one that the image names or its sibling.
    update_catalog : bool
        Sky positions in the catalog that served an alignment are brought up to date.
    matches : str or None
        Where the table of matches goes.
    guide : str or None
        Directory of guide-window files, or one: the jitter of an exposure is measured there before its catalog is made.
    max_memory : float
        GiB that is used, about, for an exposure of JWST.
    high_frequency : str or float
        What that jitter holds of fast motion, as `rtools.pipeline.guide.request.GuideRequest` has it.
    """

    first: str | None = None
    last: str | None = None
    named: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    also: frozenset[str] = frozenset()
    backgrounds: tuple[str, ...] = ()
    save_steps: bool = False
    strict: bool = False
    together: bool = False
    catalogs: Mapping[str, str] = field(default_factory=dict)
    update_catalog: bool = False
    matches: str | None = None
    guide: str | None = None
    high_frequency: str | float = "none"
    max_memory: float = 2.0

    def words(self) -> list[JobWord]:
        """As `Request.words`; those of exposures among them."""
        words = [*super().words(), *(JobWord("--with", name) for name in sorted(self.also))]
        words += [JobWord(name, value) for name, value in (("--from", self.first), ("--until", self.last)) if value]
        flags = {
            "--save-steps": self.save_steps,
            "--strict": self.strict and self.single is None,
            "--update-catalog": self.update_catalog,
        }
        words += [JobWord(name) for name, given in flags.items() if given]
        if self.guide is not None:
            words.append(JobWord("--guide", os.path.abspath(self.guide), names_file=True))
            words.append(JobWord("--high-frequency", str(self.high_frequency)))
        return words
