"""World coordinate systems whose transforms carry units, as the same ones of plain numbers: pixels and degrees."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError

if TYPE_CHECKING:
    from astropy.modeling import Model
    from gwcs import WCS

__all__ = ["carries_units", "plain_transform", "without_units"]

PLACES = (0.0, 100.0, 1000.0)
"""Pixels, in x and y, at which both systems must agree."""

AGREES = 1e-10
"""Degrees, a ten-thousandth of a milliarcsecond."""

SETTINGS = ("degree", "axes_order", "x_domain", "y_domain", "x_window", "y_window", "domain", "window")
"""What some models are made with beside their parameters."""


def carries_units(transform: Model | None) -> bool:
    """Whether a parameter of an astropy model has a unit, or a part of it converts units.

    Parameters
    ----------
    transform : astropy.modeling.Model or None
        Any part of a WCS.

    Returns
    -------
    bool
        False for None.
    """
    return transform is not None and any(map(_has_units, _leaves(transform)))


def plain_transform(made: Any) -> Any:
    """A world coordinate system, or an astropy model, as everything here takes it: of plain numbers.

    Parameters
    ----------
    made : gwcs.WCS or astropy.modeling.Model
        What asdf made of a node.

    Returns
    -------
    gwcs.WCS or astropy.modeling.Model
        The same one where it carries no units, else a new one.

    Raises
    ------
    InputError
        Units of a system do not fit together; or a model has some, whose meaning nothing says.
    """
    if hasattr(made, "forward_transform"):
        return without_units(made)
    if carries_units(made):
        raise InputError("a transform carries units; here they are of plain numbers", mend="strip the units")
    return made


def without_units(wcs: WCS) -> WCS:
    """A world coordinate system without units.

    Parameters
    ----------
    wcs : gwcs.WCS
        From pixels to angles.

    Returns
    -------
    gwcs.WCS
        The same one where no transform carries units, else a new one that takes pixels and gives degrees.

    Raises
    ------
    InputError
        Its units do not fit together.
    """
    if not any(carries_units(step.transform) for step in wcs.pipeline):
        return wcs
    from rtools.wfi.gwcs_frames import box_of

    try:
        steps = [(_in_degrees(step.frame), step.transform and _plain(step.transform)) for step in wcs.pipeline]
        made = wcs.__class__(steps, name=wcs.name)
        apart = _apart(wcs, made)
    except InputError:
        raise
    except Exception as error:  # models raise whatever their units make of numbers
        raise InputError(f"its WCS carries units that do not fit ({' '.join(str(error).split())[:160]})") from error
    if not apart < AGREES:
        raise InputError("its WCS carries units that do not fit together")
    if wcs.bounding_box is not None:
        made.bounding_box = box_of(wcs)
    made.array_shape = wcs.array_shape
    return made


def _apart(wcs, made):
    """Largest difference of the two in degrees."""
    from astropy import units

    x, y = (place.ravel() for place in np.meshgrid(PLACES, PLACES))
    theirs = wcs.forward_transform(x * units.pix, y * units.pix, with_bounding_box=False)
    ours = made.forward_transform(x, y, with_bounding_box=False)
    return max(np.abs(one.to_value(units.deg) - other).max() for one, other in zip(theirs, ours, strict=True))


def _in_degrees(frame):
    """A frame of the sky in degrees; any other as it is."""
    from astropy import units
    from gwcs.coordinate_frames import CelestialFrame

    if not isinstance(frame, CelestialFrame) or all(unit == units.deg for unit in frame.unit):
        return frame
    return CelestialFrame(
        name=frame.name,
        reference_frame=frame.reference_frame,
        unit=(units.deg, units.deg),
        axes_names=frame.axes_names,
        axes_order=frame.axes_order,
    )


def _leaves(transform):
    if getattr(transform, "n_submodels", 1) == 1:
        yield transform
        return
    yield from _leaves(transform.left)
    if hasattr(transform.right, "param_names"):
        yield from _leaves(transform.right)


def _has_units(leaf):
    named = (getattr(leaf, name) for name in leaf.param_names)
    return type(leaf).__name__ == "UnitsMapping" or any(parameter.unit is not None for parameter in named)


def _plain(transform):
    """A transform in pixels and degrees, with its own inverse where one was given to it."""
    from astropy.modeling.core import CompoundModel

    if getattr(transform, "n_submodels", 1) > 1:
        if not hasattr(transform.right, "param_names"):
            raise InputError("its WCS carries units, and holds inputs fixed")
        made = CompoundModel(transform.op, _plain(transform.left), _plain(transform.right), name=transform.name)
    else:
        made = _plain_leaf(transform) if _has_units(transform) else transform.copy()
    if transform.has_user_inverse:
        made.inverse = _plain(transform.inverse)
    return made


def _plain_leaf(leaf):
    """A single model, its parameters in pixels and degrees."""
    from astropy.modeling.models import Identity, Multiply

    kind = type(leaf).__name__
    if kind == "UnitsMapping":
        factors = [_factor(new) / _factor(old) for old, new in leaf.mapping if old is not None and new is not None]
        if all(factor == 1 for factor in factors):
            return Identity(leaf.n_inputs)
        made = Multiply(factors[0])
        for factor in factors[1:]:
            made = made & Multiply(factor)
        return made
    values = {}
    for name in leaf.param_names:
        parameter = getattr(leaf, name)
        # Scale multiplies by the number alone, whatever its unit.
        factor = 1.0 if parameter.unit is None or kind == "Scale" else _factor(parameter.unit)
        values[name] = np.asarray(parameter.value) * factor
        values[name] = values[name].item() if values[name].ndim == 0 else values[name]
    taken = signature(type(leaf).__init__).parameters
    settings = {name: getattr(leaf, name) for name in SETTINGS if name in taken and hasattr(leaf, name)}
    return type(leaf)(**values, **settings, name=leaf.name)


def _factor(unit):
    """What a unit is in pixels and degrees."""
    from astropy import units

    plain = units.Unit(unit).decompose(bases=[units.deg, units.pix])
    if not set(plain.bases) <= {units.deg, units.pix}:
        raise InputError(f"its WCS has a transform in {unit}; pixels and angles are known")
    return plain.scale
