"""What is known of a number that is reported."""

from __future__ import annotations

import math
from typing import NamedTuple

__all__ = ["ANY", "Metric"]

ANY = (-math.inf, math.inf)
"""Limits that nothing is beyond."""


class Metric(NamedTuple):
    """A number that is reported.

    Attributes
    ----------
    label, unit : str
        As tables head it.
    form : str
        How it is written, as `format` takes it.
    meaning : str
        What it is, in a sentence or two.
    action : str
        What to do where it is beyond its limits; empty for a number without any.
    good : (float, float)
        Beyond these it deserves a look.
    sound : (float, float)
        Beyond these it is bad.
    relative : bool
        Whether it is compared with that of like data.
    """

    label: str
    unit: str
    form: str
    meaning: str
    action: str = ""
    good: tuple[float, float] = ANY
    sound: tuple[float, float] = ANY
    relative: bool = False
