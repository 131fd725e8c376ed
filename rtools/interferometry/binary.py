"""A companion beside a star, found in squared visibilities and closure phases."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtools.interferometry.stations import STATIONS
from rtools.wfi.sphere import signed_turn
from rtools.wfi.units import ARCSEC

__all__ = ["FoundCompanion", "Fringes", "closure_phases", "find_companion", "seen_share", "visibilities"]

STEP = 0.25
"""Step of the search in units of the resolution λ/(2 b), b the longest baseline."""

SHARES = 64
"""Steps of the integral over a hole."""

REACH = 4.0
"""Resolutions up to which a companion is looked for; beyond, the shortest baselines cannot tell where it is."""


class Fringes(NamedTuple):
    """What is known of a source: the columns of OI_VIS2 and OI_T3 that a fit needs, without flagged rows.

    Attributes
    ----------
    u, v : ndarray (P,)
        UCOORD, VCOORD, m.
    vis2, vis2_err : ndarray (P,)
        VIS2DATA, VIS2ERR.
    sides : ndarray (T, 4)
        U1COORD, V1COORD, U2COORD, V2COORD, m.
    phase, phase_err : ndarray (T,)
        T3PHI, T3PHIERR, degrees.
    wave : float
        EFF_WAVE, m.
    diameter : float
        Of a hole, m; 0 where that is not known.
    """

    u: np.ndarray
    v: np.ndarray
    vis2: np.ndarray
    vis2_err: np.ndarray
    sides: np.ndarray
    phase: np.ndarray
    phase_err: np.ndarray
    wave: float
    diameter: float = 0.0


class FoundCompanion(NamedTuple):
    """The companion that explains fringes best.

    Attributes
    ----------
    separation, separation_err : float
        Arcsec.
    angle, angle_err : float
        Position angle, north over east, degrees.
    contrast, contrast_err : float
        Its light in units of the star's.
    chi2 : float
        χ² over degrees of freedom.
    """

    separation: float
    separation_err: float
    angle: float
    angle_err: float
    contrast: float
    contrast_err: float
    chi2: float


def visibilities(u: np.ndarray, v: np.ndarray, place: tuple[float, float], contrast: float, wave: float) -> np.ndarray:
    """Visibilities of a star and its companion: V = (1 + c exp(-2πi (u α + v δ)/λ)) / (1 + c).

    Parameters
    ----------
    u, v : ndarray
        Baselines to the east and to the north, m.
    place : (float, float)
        α to the east, δ to the north, arcsec.
    contrast : float
        c.
    wave : float
        λ, m.

    Returns
    -------
    ndarray complex128
    """
    turn = -2j * np.pi * ARCSEC / wave * (u * place[0] + v * place[1])
    return (1 + contrast * np.exp(turn)) / (1 + contrast)


def closure_phases(sides: np.ndarray, place: tuple[float, float], contrast: float, wave: float) -> np.ndarray:
    """Closure phases of a star and its companion: those of V(1) V(2) V*(1 + 2).

    Parameters
    ----------
    sides : ndarray (T, 4)
        First and second side of each triangle.
    place, contrast, wave
        As `visibilities` takes them.

    Returns
    -------
    ndarray (T,)
        Degrees.
    """
    u1, v1, u2, v2 = sides.T
    one, two, third = (visibilities(u, v, place, contrast, wave) for u, v in ((u1, v1), (u2, v2), (u1 + u2, v1 + v2)))
    return np.rad2deg(np.angle(one * two * third.conj()))


def seen_share(separation: float, diameter: float, wave: float) -> float:
    """Share of a companion's light that a fit of fringes in the image plane sees.

    The light behind one hole, E, lies about the companion, the fit has it about the star: it sees the share
    g = ∫ E(θ - Δ) E(θ) / ∫ E². The Fourier transform of E is the overlap A(b) of a hole with itself, moved by b. So
    g = ∫ A² J₀(2π b Δ/λ) b db / ∫ A² b db, with A of a circle.

    Parameters
    ----------
    separation : float
        Δ, arcsec.
    diameter : float
        Of a hole, m; of a hexagon its width.
    wave : float
        λ, m.

    Returns
    -------
    float
        1 at separation 0.
    """
    from scipy.special import j0

    if diameter <= 0:
        return 1.0
    apart = (np.arange(SHARES) + 0.5) / SHARES
    weight = (np.arccos(apart) - apart * np.sqrt(1 - apart**2)) ** 2 * apart
    across = diameter * np.sqrt(2 * np.sqrt(3) / np.pi)  # of the circle that has the hexagon's area
    phase = 2 * np.pi * apart * across * separation * ARCSEC / wave
    return float(np.sum(weight * j0(phase)) / np.sum(weight))


def find_companion(fringes: Fringes) -> FoundCompanion:
    """Fit one companion, fainter than its star, to squared visibilities and closure phases.

    The place is looked for on a grid with three contrasts; from the best places on all are fitted. One factor for all
    V² is fitted, too, since all are divided by one flux and share its error. Of the N(N-1)(N-2)/6 closure phases of N
    holes (N-1)(N-2)/2 are independent; their errors are multiplied by √(N/3).

    Parameters
    ----------
    fringes : Fringes
        Calibrated observables.

    Returns
    -------
    FoundCompanion

    Raises
    ------
    ValueError
        There are fewer observables than the fit has parameters.
    """
    from scipy.optimize import least_squares

    redundancy = np.sqrt(STATIONS / 3)

    def pulls(parameters):
        place = (parameters[0], parameters[1])
        contrast = parameters[2] * seen_share(np.hypot(*place), fringes.diameter, fringes.wave)
        squares = np.abs(visibilities(fringes.u, fringes.v, place, contrast, fringes.wave)) ** 2
        phases = closure_phases(fringes.sides, place, contrast, fringes.wave)
        return np.concatenate([
            (fringes.vis2 - parameters[3] * squares) / fringes.vis2_err,
            signed_turn(fringes.phase - phases) / (fringes.phase_err * redundancy),
        ])  # fmt: skip

    count = len(fringes.vis2) + len(fringes.phase)
    if count <= 4:
        raise ValueError(f"{count} observables cannot tell where a companion is")
    resolution = fringes.wave / (2 * np.hypot(fringes.u, fringes.v).max()) / ARCSEC
    steps = np.arange(-REACH, REACH + STEP / 2, STEP) * resolution
    places = [(east, north) for east in steps for north in steps if 0 < np.hypot(east, north) <= REACH * resolution]
    trials = [(*place, contrast, 1.0) for place in places for contrast in (0.003, 0.03, 0.3)]
    best = sorted(trials, key=lambda trial: float(np.sum(pulls(trial) ** 2)))[:4]
    found = min(
        (least_squares(pulls, start, bounds=([-np.inf, -np.inf, 0, 0], [np.inf, np.inf, 1, 2])) for start in best),
        key=lambda result: result.cost,
    )
    covariance = np.linalg.pinv(found.jac.T @ found.jac)
    return _told(found.x, covariance, 2 * found.cost / max(count - 4, 1))


def _told(parameters, covariance, chi2):
    """Separation and angle of a place, with the errors that its covariance makes."""
    east, north, contrast, _scale = parameters
    separation = float(np.hypot(east, north))
    outward = np.array([east, north]) / separation
    around = np.array([north, -east]) / separation
    along, across = (float(np.sqrt(way @ covariance[:2, :2] @ way)) for way in (outward, around))
    angle = float(np.rad2deg(np.arctan2(east, north)) % 360)
    return FoundCompanion(
        separation, along, angle, float(np.rad2deg(across / separation)),
        float(contrast), float(np.sqrt(covariance[2, 2])), float(chi2),
    )  # fmt: skip
