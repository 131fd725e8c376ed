"""What references say of one pixel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from rtools.reference.find import Answer
from rtools.reference.jwst.source import ARRAYS
from rtools.reference.source import ReferenceSource
from rtools.reference.types import TYPES

__all__ = ["ReferencePixel", "references_at"]

NAMES = tuple(dict.fromkeys([*(name for kind in TYPES.values() for name in kind.arrays), *ARRAYS.values()]))
"""Arrays of references of both missions."""


class ReferencePixel(NamedTuple):
    """What a reference says of a pixel.

    Attributes
    ----------
    type, label : str
        Of the reference.
    values : dict of str to list of float
        Array to its values at the pixel, one for each plane.
    flags : dict of str to int
        Array of flags to its value.
    """

    type: str
    label: str
    values: dict[str, list[float]]
    flags: dict[str, int]


def references_at(answers: Iterable[Answer], pixels: Mapping[tuple[int, int], tuple[int, int]]) -> list[ReferencePixel]:
    """What references say of one pixel.

    Parameters
    ----------
    answers : iterable of rtools.reference.find.Answer
        What was found for the types that the exposure needs.
    pixels : mapping of (int, int) to (int, int)
        Rows and columns of planes, to the x and y that the pixel has in planes of this shape: those with the border of
        reference pixels, and those without.

    Returns
    -------
    list of ReferencePixel
        Of references that have planes of such shapes.
    """
    found = []
    for answer in answers:
        source = answer.source
        if source is None:
            continue
        values: dict[str, list[float]] = {}
        flags: dict[str, int] = {}
        for name in NAMES:
            place = pixels.get(_shape(source, name))
            if place is None:
                continue
            here = np.ravel(source.columns(name, place[0], place[0] + 1)[..., place[1], 0])
            if here.dtype.kind in "ui":
                flags[name] = int(np.bitwise_or.reduce(here))
            else:
                values[name] = here.astype(float).tolist()
        if values or flags:
            found.append(ReferencePixel(answer.type, source.label, values, flags))
    return found


def _shape(source: ReferenceSource, name: str) -> tuple[int, int]:
    """Rows and columns of an array; nothing where it has none."""
    shape = source.shape(name) if source.has(name) else ()
    return (shape[-2], shape[-1]) if len(shape) >= 2 else (0, 0)
