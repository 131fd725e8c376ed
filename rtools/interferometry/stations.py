"""The mask as an interferometer: its holes, baselines, triangles and quads, and how they lie on detector and sky."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rtools.jwst.pupil import mask_turn

__all__ = ["IDEAL", "PAIRS", "QUADS", "STATIONS", "TRIANGLES", "Holes", "baselines_of", "sky_by_roll", "sky_by_slopes"]

STATIONS = 7
"""Holes of the mask."""

PAIRS = np.array(list(combinations(range(STATIONS), 2)))
TRIANGLES = np.array(list(combinations(range(STATIONS), 3)))
QUADS = np.array(list(combinations(range(STATIONS), 4)))
"""Holes of the 21 baselines, 35 triangles and 35 quads, counted from 0, in the order of OIFITS files of the mission."""

IDEAL = {"mx": 1.0, "my": 1.0, "sx": 0.0, "sy": 0.0}
"""The affine of a mask that lies as it was designed."""


class Holes(NamedTuple):
    """The holes, and how they lie on the detector.

    Attributes
    ----------
    centres : ndarray float64 (7, 2)
        As designed, m: x along columns, y along rows.
    flat_to_flat : float
        Width of each hexagon, m; two of its sides lie along x.
    turn : ndarray float64 (2, 2)
        The affine as a matrix (`rtools.jwst.pupil.mask_turn`).
    used : tuple of int
        Those that are open, from 0.
    """

    centres: np.ndarray
    flat_to_flat: float
    turn: np.ndarray = mask_turn(IDEAL)
    used: tuple[int, ...] = tuple(range(STATIONS))

    @property
    def pairs(self) -> np.ndarray:
        """Which of `PAIRS` have both holes open."""
        return np.flatnonzero(np.isin(PAIRS, self.used).all(axis=1))

    @property
    def baselines(self) -> np.ndarray:
        """First hole less second of each of `PAIRS`, as the fringes on the detector show it, m; (21, 2)."""
        return baselines_of(self.centres @ self.turn)


def baselines_of(places: np.ndarray, groups: np.ndarray = PAIRS) -> np.ndarray:
    """Steps from hole to hole: the first less the second, the second less the third, and so on.

    Parameters
    ----------
    places : ndarray (7, 2)
        Of the holes.
    groups : ndarray of int (N, K)
        Holes of each pair, triangle or quad.

    Returns
    -------
    ndarray (N, 2) for pairs, else (N, K - 1, 2)
    """
    steps = places[groups[:, :-1]] - places[groups[:, 1:]]
    return steps[:, 0] if groups.shape[1] == 2 else steps


def sky_by_roll(centres: np.ndarray, angle: float, parity: int) -> np.ndarray:
    """Centres on the sky by the position angle of the detector's y axis: north and east, as CTRS_EQT has them.

    Detector y points to the position angle P (north over east), x to P - 90° where the axes have parity -1, as those
    of NIRISS, and to P + 90° where it is +1.

    Parameters
    ----------
    centres : ndarray (7, 2)
        x along columns, y along rows, m.
    angle : float
        P = ROLL_REF + V3I_YANG, degrees.
    parity : int
        VPARITY.

    Returns
    -------
    ndarray (7, 2)
        v (north) and u (east) of each hole, m.
    """
    turned = np.deg2rad(angle)
    x, y = centres.T
    east = parity * x * np.cos(turned) + y * np.sin(turned)
    north = -parity * x * np.sin(turned) + y * np.cos(turned)
    return np.stack([north, east], axis=1)


def sky_by_slopes(centres: np.ndarray, slopes: ArrayLike, pixel: float) -> np.ndarray:
    """Centres on the sky by the world coordinates of the image: north and east.

    A step Δ in pixels is seen as the angle J Δ on the sky. The fringes of a baseline b have the phase b·Δ p/λ, where p
    is the pixel of the model; as a phase of angles on the sky that is (J⁻ᵀ b p)·(J Δ)/λ.

    Parameters
    ----------
    centres : ndarray (7, 2)
        As they lie on the detector, m: x along columns, y along rows.
    slopes : array_like (2, 2)
        J: (east, north) along (x, y), arcsec per pixel.
    pixel : float
        p, arcsec.

    Returns
    -------
    ndarray (7, 2)
        v (north) and u (east) of each hole, m.
    """
    sky = centres @ np.linalg.inv(np.asarray(slopes, float)) * pixel
    return sky[:, ::-1].copy()
