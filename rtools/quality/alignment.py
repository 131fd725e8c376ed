"""How well exposures lie on each other: offsets of their stars from the same stars in others; what was corrected."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.wfi.sphere import from_plane, to_plane, unit_vectors
from rtools.wfi.units import ARCSEC, RADIAN_ARCSEC

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["CorrectionField", "StarOffsets", "correction_field", "star_offsets", "undo_correction"]

RADIUS = 0.1
"""Arcsec within which stars of two aligned exposures are the same."""

FIVE = 5
"""Stars without which nothing is said."""


class StarOffsets(NamedTuple):
    """Stars of one exposure against the same stars in others.

    Attributes
    ----------
    star : ndarray int64 (n,)
        Rows of the stars that others have, too.
    after, before : ndarray float64 (n, 2)
        Offsets east and north of the mean of the others as they are, mas; of the stars as they are, and as they were
        before the correction of this exposure.
    """

    star: np.ndarray
    after: np.ndarray
    before: np.ndarray


class CorrectionField(NamedTuple):
    """What a linear correction moved.

    Attributes
    ----------
    shift : tuple of float
        East and north at the middle, mas.
    largest : float
        Length of the longest move among the places, mas.
    moves : ndarray float64 (n, 2)
        East and north, mas.
    """

    shift: tuple[float, float]
    largest: float
    moves: np.ndarray


def undo_correction(
    ra: ArrayLike, dec: ArrayLike, tangent: tuple[float, float], matrix: ArrayLike, shift: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Where positions were before a linear correction in a tangent plane.

    Parameters
    ----------
    ra, dec : array_like of float (n,)
        Corrected positions, degrees.
    tangent : (float, float)
        Where the plane touches the sky, degrees.
    matrix : array_like of float (2, 2)
        Of the correction.
    shift : array_like of float (2,)
        arcsec; corrected = matrix · plane + shift.

    Returns
    -------
    ra, dec : ndarray float64 (n,)
        Degrees.
    """
    plane = np.stack(to_plane(ra, dec, tangent, unit=ARCSEC))
    old = np.linalg.solve(np.asarray(matrix, float), plane - np.asarray(shift, float)[:, None])
    xi, eta = old / RADIAN_ARCSEC
    return from_plane(xi, eta, tangent)


def correction_field(
    ra: np.ndarray, dec: np.ndarray, old_ra: np.ndarray, old_dec: np.ndarray
) -> CorrectionField | None:
    """What a correction moved at some places.

    Parameters
    ----------
    ra, dec : ndarray float64 (n,)
        Corrected positions, degrees.
    old_ra, old_dec : ndarray float64 (n,)
        The same before.

    Returns
    -------
    CorrectionField or None
        None without a finite place.
    """
    moves = _offsets(ra, dec, old_ra, old_dec)
    known = np.isfinite(moves).all(axis=1)
    if not known.any():
        return None
    middle = np.mean(moves[known], axis=0)
    return CorrectionField((float(middle[0]), float(middle[1])), float(np.hypot(*moves[known].T).max()), moves)


def _offsets(ra, dec, from_ra, from_dec):
    """Offsets east and north, mas, of places from others."""
    return np.stack(to_plane(ra, dec, (np.asarray(from_ra), np.asarray(from_dec)), unit=ARCSEC / 1000), axis=-1)


def star_offsets(
    positions: Sequence[tuple[np.ndarray, np.ndarray]], old: Sequence[tuple[np.ndarray, np.ndarray]]
) -> list[StarOffsets | None]:
    """Offsets of the stars of each exposure from the same stars in all others.

    Parameters
    ----------
    positions : sequence of (ndarray float64 (n,), ndarray float64 (n,))
        Right ascension and declination of the stars of each exposure, degrees.
    old : sequence of (ndarray float64 (n,), ndarray float64 (n,))
        The same before the correction.

    Returns
    -------
    list of (StarOffsets or None)
        One for each exposure; None where others have fewer than five of its stars.
    """
    from scipy.spatial import cKDTree

    sizes = [len(one[0]) for one in positions]
    owner = np.repeat(np.arange(len(sizes)), sizes)
    if not owner.size:
        return [None] * len(sizes)
    ra, dec = (np.concatenate([one[axis] for one in positions]) for axis in (0, 1))
    old_ra, old_dec = (np.concatenate([one[axis] for one in old]) for axis in (0, 1))
    pairs = cKDTree(unit_vectors(ra, dec)).query_pairs(RADIUS / RADIAN_ARCSEC, output_type="ndarray")
    pairs = pairs[owner[pairs[:, 0]] != owner[pairs[:, 1]]]
    pairs = np.concatenate([pairs, pairs[:, ::-1]])
    count = np.bincount(pairs[:, 0], minlength=len(owner))
    mean = {}
    for name, (here, there) in {"after": (ra, dec), "before": (old_ra, old_dec)}.items():
        offset = _offsets(here[pairs[:, 0]], there[pairs[:, 0]], ra[pairs[:, 1]], dec[pairs[:, 1]])
        total = np.stack([np.bincount(pairs[:, 0], offset[:, axis], len(owner)) for axis in (0, 1)], axis=-1)
        mean[name] = total / np.maximum(count, 1)[:, None]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    return [_of_exposure(start, stop, count, mean) for start, stop in pairwise(starts)]


def _of_exposure(start, stop, count, mean):
    """Offsets of the stars of one exposure that others have."""
    star = np.flatnonzero(count[start:stop])
    if len(star) < FIVE:
        return None
    return StarOffsets(star, mean["after"][start:stop][star], mean["before"][start:stop][star])
