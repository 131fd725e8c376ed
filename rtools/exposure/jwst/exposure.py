"""What steps know of a JWST exposure before they see its pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rtools.exposure.jwst.block import RampTiming

__all__ = ["RampExposure"]


@dataclass(frozen=True)
class RampExposure:
    """An exposure of one or more integrations.

    Attributes
    ----------
    meta : dict
        Metadata by the names of the data model.
    shape : tuple of int
        (integrations, groups, rows, columns).
    timing : RampTiming
        How groups follow each other.
    cards : mapping of str to mapping
        Keywords of each reference, by its type.
    log : callable
        ``log(level, text)``.
    left_out : set of int
        Groups that steps leave out in all pixels.
    """

    meta: Mapping[str, Any]
    shape: tuple[int, int, int, int]
    timing: RampTiming
    cards: Mapping[str, Mapping[str, Any]]
    log: Callable[[str, str], None]
    left_out: set[int] = field(default_factory=set)
