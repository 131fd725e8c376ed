"""Apertures that hold given shares of a star's light, from the table of aperture corrections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rtools.errors import InputError

__all__ = ["EnergyApertures", "apertures_of_radii", "apertures_of_table"]

WHOLE = "N/A", "NONE", "ALL", "ANY", "GENERIC", "FULL", ""
"""What a row of the table says of an element or a sub-array where it is for any."""

NEAR = 1e-3
"""Encircled energies are the same when they differ by less."""


class EnergyApertures(NamedTuple):
    """Three apertures and the sky's annulus.

    Attributes
    ----------
    energies : tuple of int
        Percentages of a star's light in them, rising.
    radii : ndarray float64 (3,)
        Pixels.
    corrections : ndarray float64 (3,) or None
        What the flux of a point source in each is multiplied by; None where that is not known.
    annulus : ndarray float64 (2,)
        Inner and outer radius, pixels.
    """

    energies: tuple[int, int, int]
    radii: np.ndarray
    corrections: np.ndarray | None
    annulus: np.ndarray

    def scaled(self, factor: float) -> EnergyApertures:
        """The same apertures in pixels of another size.

        Parameters
        ----------
        factor : float
            Side of the pixels that the radii are in, in sides of the others.

        Returns
        -------
        EnergyApertures
        """
        return self._replace(radii=self.radii * factor, annulus=self.annulus * factor)


def apertures_of_table(
    table: np.ndarray, elements: Mapping[str, str | None], energies: Sequence[int]
) -> EnergyApertures:
    """The apertures that the reference has for an image.

    Parameters
    ----------
    table : ndarray, structured
        Rows of the reference, columns in lower case: filter, pupil and subarray as far as it has them, eefraction,
        radius, apcorr, skyin, skyout (pixels).
    elements : mapping of str to str or None
        ``filter``, ``pupil``, ``subarray`` of the image.
    energies : sequence of int
        Percentages, rising.

    Returns
    -------
    EnergyApertures

    Raises
    ------
    InputError
        There is no row for these elements, or none for one of the energies.
    """
    rows = table
    for name in ("filter", "pupil", "subarray"):
        if name in (rows.dtype.names or ()):
            rows = _rows_for(rows, name, elements.get(name))
    found = [_row_of(rows, energy, elements) for energy in energies]
    radii, corrections = (np.array([float(row[name]) for row in found]) for name in ("radius", "apcorr"))
    annulus = np.array([float(found[-1][name]) for name in ("skyin", "skyout")])
    first, second, third = (int(energy) for energy in energies)
    return EnergyApertures((first, second, third), radii, corrections, annulus)


def _rows_for(rows, name, value):
    """Rows for an element: those that name it, else those that are for any."""
    told = np.array([_text(one) for one in rows[name]])
    wanted = _text(value)
    own = told == wanted
    return rows[own] if own.any() else rows[np.isin(told, WHOLE)]


def _text(value):
    return (value.decode() if isinstance(value, bytes) else str(value or "")).strip().upper()


def _row_of(rows, energy, elements):
    fractions = np.asarray(rows["eefraction"], np.float64)
    place = np.flatnonzero(np.abs(fractions - energy / 100) < NEAR)
    if place.size:
        return rows[place[0]]
    named = " ".join(str(value) for value in elements.values() if value)
    there = ", ".join(f"{100 * fraction:.0f}" for fraction in np.unique(fractions))
    has = f"it has {there} %" if there else "it has none"
    raise InputError(f"no aperture of {energy} % encircled energy for {named}: {has}")


def apertures_of_radii(radii: Sequence[float], annulus: Sequence[float], energies: Sequence[int]) -> EnergyApertures:
    """Apertures that a user asks for; how much of a star's light they hold is not known.

    Parameters
    ----------
    radii : sequence of float
        Of the three apertures, rising, pixels.
    annulus : sequence of float
        Inner and outer radius of the sky's annulus, pixels.
    energies : sequence of int
        Percentages that name the columns.

    Returns
    -------
    EnergyApertures
        Without corrections.
    """
    first, second, third = (int(energy) for energy in energies)
    return EnergyApertures((first, second, third), np.array(radii, float), None, np.array(annulus, float))
