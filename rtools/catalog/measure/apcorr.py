"""Encircled energy from the apcorr reference, and what it says of a source: more extended than a star, or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError
from rtools.wfi.quantities import entry_problem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rtools.reference.source import ReferenceSource

__all__ = ["EXTENDED", "encircled_energy", "is_extended"]

EXTENDED = 1.2
"""A source is extended where its flux grows this much more between the two apertures than a star's."""


def encircled_energy(source: ReferenceSource | None, element: str) -> Callable[[ArrayLike], np.ndarray] | None:
    """Fraction of a star's light within a radius.

    Parameters
    ----------
    source : ReferenceSource or None
        apcorr; None gives None.
    element : str
        The optical element, as the reference names it.

    Returns
    -------
    callable or None
        Arcsec to fraction: the interpolating cubic spline of the table, NaN beyond it. None where it has nothing for
        the element.

    Notes
    -----
    The radii of the table are arcsec, whatever its schema says.
    """
    from scipy.interpolate import CubicSpline

    if source is None:
        return None
    try:
        entry = source.node(f"data.{element}") or {}
    except (KeyError, InputError):  # nothing of this element
        return None
    radii, fractions = entry.get("ee_radii"), entry.get("ee_fractions")
    if radii is None or fractions is None:
        return None
    radii, fractions = np.asarray(radii, float), np.asarray(fractions, float)
    pairs = zip(radii.tolist(), fractions.tolist(), strict=True)
    usable = [not entry_problem("ee_radii", one) and not entry_problem("ee_fractions", two) for one, two in pairs]
    radii, first = np.unique(radii[usable], return_index=True)
    if radii.size < 4:
        return None
    return CubicSpline(radii, fractions[usable][first], extrapolate=False)


def is_extended(flux02: ArrayLike, flux04: ArrayLike, energy: Callable[[ArrayLike], np.ndarray] | None) -> np.ndarray:
    """Whether the flux in 0.4" exceeds that in 0.2" by more than a star's does.

    Parameters
    ----------
    flux02, flux04 : array_like (n,)
        Fluxes in apertures of 0.2 and 0.4 arcsec radius, in any one unit.
    energy : callable or None
        From `encircled_energy`; without it no source is extended.

    Returns
    -------
    ndarray bool, (n,)
        False where a flux is NaN.
    """
    if energy is None:
        return np.zeros(np.shape(flux04), bool)
    return np.asarray(flux04) > EXTENDED * np.asarray(flux02) * float(energy(0.4) / energy(0.2))
