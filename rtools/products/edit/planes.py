"""Planes of an array: how they are counted, what they are called, and which of them are chosen.

A Roman cube has a plane for each item of its leading axis. Arrays of JWST have one for each place along all axes but
the last two: of a ramp for each group of each integration, counted through with the groups fastest.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.errors import InputError, UsageError

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace

__all__ = ["EVERY_PLANE", "ArrayPlane", "Choice", "check_choice", "leading_axes", "planes_of"]

AXES = ("integration", "group")
"""What the two leading axes of a ramp of JWST are."""


class Choice(NamedTuple):
    """Which planes are wanted; numbers from the end are negative, None is any.

    Attributes
    ----------
    resultant : int or None
        Of Roman cubes, along the leading axis.
    integration, group : int or None
        Of JWST arrays: along the leading axis, and along the second of two.
    """

    resultant: int | None = None
    integration: int | None = None
    group: int | None = None


EVERY_PLANE = Choice()
"""No plane is chosen, so that all are wanted."""


class ArrayPlane(NamedTuple):
    """One plane of an array.

    Attributes
    ----------
    number : int
        Counted through, from 0.
    place : tuple of int
        Along each of the axes that are counted; empty for an array that is one plane.
    """

    number: int
    place: tuple[int, ...]

    @property
    def label(self) -> str | None:
        """``3``, ``0/3`` for group 3 of integration 0; None for an array that is one plane."""
        return "/".join(map(str, self.place)) or None


def check_choice(product: ProductFace, choice: Choice) -> None:
    """Raise UsageError where a choice says something that files of the product's mission do not have.

    Parameters
    ----------
    product : rtools.products.io.face.ProductFace
        Opened.
    choice : Choice
        Which planes are wanted.
    """
    strange = ("resultant",) if product.mission == "jwst" else AXES
    for word in strange:
        if getattr(choice, word) is not None:
            own = "--integration and --group are" if product.mission == "jwst" else "--resultant is"
            called = "JWST" if product.mission == "jwst" else "Roman"
            raise UsageError(f"--{word} is not for {called} files", mend=own, path=product.path)


def leading_axes(product: ProductFace, name: str) -> tuple[int, ...]:
    """Lengths of the axes along which the planes of an array are counted.

    Parameters
    ----------
    product : rtools.products.io.face.ProductFace
        Opened.
    name : str
        Of the array.

    Returns
    -------
    tuple of int
        Empty for an array of fewer than three axes; one for a Roman cube of any number of axes.
    """
    shape = product.arrays[name].shape
    return shape[:-2] if product.mission == "jwst" else shape[:1] if len(shape) > 2 else ()


def planes_of(product: ProductFace, name: str, choice: Choice = EVERY_PLANE) -> list[ArrayPlane]:
    """Planes of an array.

    Parameters
    ----------
    product : rtools.products.io.face.ProductFace
        Opened.
    name : str
        Of the array.
    choice : Choice
        Which are wanted; what it says of an axis that the array does not have changes nothing.

    Returns
    -------
    list of ArrayPlane
        In order; one without a label for an array of fewer than three axes.

    Raises
    ------
    InputError
        The array has no such plane.
    """
    axes = leading_axes(product, name)
    if not axes:
        return [ArrayPlane(0, ())]
    wanted = (choice.integration, choice.group) if product.mission == "jwst" else (choice.resultant,)
    words = AXES if len(axes) > 1 else ("plane",)
    places = [range(length) for length in axes]
    for axis, number in enumerate(wanted[: len(axes)]):
        if number is None:
            continue
        length = axes[axis]
        if not -length <= number < length:
            raise InputError(f"{name} has {length} {words[axis]}s, no number {number}", path=product.path)
        places[axis] = range(number % length, number % length + 1)
    return [ArrayPlane(int(np.ravel_multi_index(place, axes)), place) for place in itertools.product(*places)]
