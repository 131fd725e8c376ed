"""Which plane of an array is shown, and what it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.products.edit.planes import Choice, check_choice

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace
    from rtools.products.jwst import JwstProduct

__all__ = ["PickedPlane", "pick_plane"]

RAMPS = ("integration", "group")
PSFS = {"psfstack": ("image",), "psfalign": ("integration", "image")}
"""What the leading axes of four-dimensional arrays are, and of stacks of images of a PSF."""

OPTIONS = ("integration", "group")
"""Options that choose along the first and the second of the leading axes."""


class PickedPlane(NamedTuple):
    """What is shown of an array.

    Attributes
    ----------
    number : int or None
        Of the plane, counted through all axes before the last two; None where there is one alone, or where all
        planes become one.
    label : str
        The array and its plane, in words.
    summary : str
        How all planes become one: ``median``, ``count`` of bits that are set; empty for a plane as it is.
    """

    number: int | None
    label: str
    summary: str = ""


def pick_plane(product: ProductFace, name: str, choice: Choice, wave: float | None = None) -> PickedPlane:
    """The plane of an array that is meant.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened.
    name : str
        Of the array.
    choice : rtools.products.edit.planes.Choice
        Numbers, from the end where negative. By default the last plane; of an s3d the median along the wavelength,
        of the context of a mosaic (``con``) the number of images.
    wave : float, optional
        Of an s3d the plane that is next to this wavelength, um.

    Returns
    -------
    PickedPlane

    Raises
    ------
    UsageError
        An option chooses along an axis that the product does not have.
    InputError
        There is no such plane.
    """
    if product.mission == "roman":
        if wave is not None:
            raise UsageError("--wave is about cubes of JWST (s3d)", path=product.path)
        check_choice(product, choice)
        return _of_roman(product, name, choice.resultant)
    check_choice(product, choice)
    axes = product.arrays[name].shape[:-2]
    for number, word in enumerate(OPTIONS):
        if getattr(choice, word) is not None and number >= len(axes):
            raise UsageError(f"--{word}: the array {name} has {_AXES[len(axes)]}", path=product.path)
    if wave is not None:
        return _at_wave(cast("JwstProduct", product), name, wave, choice)
    wanted = (choice.integration, choice.group)
    if not axes:
        return PickedPlane(None, name)
    if wanted == (None, None) and (product.kind == "s3d" or _is_context(name)):
        summary = "count" if _is_context(name) else "median"
        words = "number of images" if summary == "count" else f"median of {axes[0]} planes"
        if axes[0] == 1 and summary == "median":
            return PickedPlane(None, name, summary)
        return PickedPlane(None, f"{name}, {words}", summary)
    return _of_axes(product, name, axes, wanted)


_AXES = {0: "no planes", 1: "one axis of planes"}


def _is_context(name):
    return name.rpartition(".")[2] == "con"


def _of_roman(product, name, wanted):
    """Axes before the last two are taken as one."""
    shape = product.arrays[name].shape
    if len(shape) == 2:
        if wanted not in (None, 0, -1):
            raise InputError(f"--resultant {wanted}: the array {name} has two axes", path=product.path)
        return PickedPlane(None, name)
    count = int(np.prod(shape[:-2]))
    plane = count - 1 if wanted is None else wanted + count * (wanted < 0)
    if not 0 <= plane < count:
        raise InputError(f"--resultant {wanted}: the array {name} has {count}", path=product.path)
    word = "resultant" if product.kind in ("l1_uncal", "ramp") else "plane"
    return PickedPlane(plane, f"{name}, {word} {plane} of {count}")


def _of_axes(product, name, axes, wanted):
    place, words = [], []
    for length, number, option, word in zip(axes, wanted, OPTIONS, _words(product, name, axes), strict=False):
        chosen = length - 1 if number is None else number + length * (number < 0)
        if not 0 <= chosen < length:
            raise InputError(f"--{option} {number}: the array {name} has {length}", path=product.path)
        place.append(chosen)
        words.append(f"{word} {chosen} of {length}")
    label = f"{name}, {', '.join(words)}"
    if product.kind == "s3d":
        label += f", {_wavelengths(product)[place[0]]:.5g} um"
    return PickedPlane(int(np.ravel_multi_index(place, axes)), label)


def _words(product, name, axes):
    """What each of the leading axes is."""
    if product.kind in PSFS:
        return PSFS[product.kind][-len(axes) :]
    if product.kind == "s3d" or _is_context(name):
        return ("plane",)
    return RAMPS[: len(axes)]


def _wavelengths(product):
    from rtools.products.jwst import cube_wavelengths

    return cube_wavelengths(product)


def _at_wave(product, name, wave, choice):
    """The plane next to a wavelength, which lies no more than half a plane beyond the ends."""
    if product.kind != "s3d":
        raise UsageError("--wave is about cubes (s3d)", path=product.path)
    if choice.integration is not None:
        raise UsageError("--wave and --integration both choose the plane", path=product.path)
    known = _wavelengths(product)
    beyond = np.abs(np.diff(known)).max(initial=0) / 2
    low, high = float(np.nanmin(known)), float(np.nanmax(known))
    if not low - beyond <= wave <= high + beyond:
        raise InputError(f"--wave {wave:g}: the cube has {low:.5g} to {high:.5g} um", path=product.path)
    number = int(np.nanargmin(np.abs(known - wave)))
    return _of_axes(product, name, product.arrays[name].shape[:-2], (number, None))
