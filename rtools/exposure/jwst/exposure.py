"""What steps know of a JWST exposure before they see its pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from rtools.exposure.jwst.block import RampTiming

__all__ = ["FlagSearch", "RampExposure", "ReferenceFacts"]


class ReferenceFacts(NamedTuple):
    """What a reference says beside its arrays.

    Attributes
    ----------
    cards : mapping of str to object
        Keywords of its primary header.
    tables : mapping of str to ndarray
        Its tables by EXTNAME, structured; names of columns in lower case.
    """

    cards: Mapping[str, Any] = {}
    tables: Mapping[str, np.ndarray] = {}


@dataclass(frozen=True)
class RampExposure:
    """An exposure of one or more integrations.

    Attributes
    ----------
    meta : dict
        Metadata by the names of the data model.
    shape : tuple of int
        (integrations, groups, rows, columns); no groups of what is an image already.
    timing : RampTiming
        How groups follow each other.
    facts : mapping of str to ReferenceFacts
        Of each reference that there is, by its type.
    log : callable
        ``log(level, text)``.
    left_out : set of int
        Groups that steps leave out in all pixels.
    """

    meta: Mapping[str, Any]
    shape: tuple[int, int, int, int]
    timing: RampTiming
    facts: Mapping[str, ReferenceFacts]
    log: Callable[[str, str], None]
    left_out: set[int] = field(default_factory=set)

    def facts_of(self, kind: str) -> ReferenceFacts:
        """What a reference says; nothing where there is none."""
        return self.facts.get(kind) or ReferenceFacts()


class FlagSearch(NamedTuple):
    """What ``revise(prepared, options)`` of a step gives that looks at its flags in the whole image.

    Attributes
    ----------
    kinds : tuple of int
        Bits of the flags of groups that it looks at.
    find : callable
        ``find(plane_of)`` gives a list of what there is in an integration, each with a method `box` that gives rows and
        columns around it; ``plane_of(group)`` gives flags, uint8 (rows, columns).
    informed : callable
        ``informed(found)``, of the lists of all integrations, gives what `apply` takes for `prepared` from then on.
    """

    kinds: tuple[int, ...]
    find: Callable[[Callable[[int], np.ndarray]], list[Any]]
    informed: Callable[[list[list[Any]]], Any]
