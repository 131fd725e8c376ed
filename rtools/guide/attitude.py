"""The attitude from the guide stars of many detectors: rotations of each cycle, and what does not turn as a rigid body.

A star's displacement from its level in the exposure is d = A r: r the rotations about F1, F2, F3, A the matrix of the
star's place (`rtools.wfi.fgs.turns_to_angles`). Each cycle is solved by least squares with the weights of the
centroids. The level of a star is the mean of what the rotations leave; both are found in turn, so that a star that was
lost for a while does not shift the others. The mean of the rotations in an exposure is 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.errors import InputError
from rtools.guide._attitude_fit import StarCycles, fit_stars
from rtools.guide.face import PlaceMotion
from rtools.wfi.fgs import FieldPlace, turns_to_angles
from rtools.wfi.guide import FACE_SIGN
from rtools.wfi.units import ARCSEC, MAS, RADIAN_ARCSEC

__all__ = [
    "AttitudeErrors",
    "GuideAttitude",
    "StarFit",
    "StarTrack",
    "attitude_errors",
    "fit_attitude",
    "predict_motion",
]

FAR_ARCSEC = 300.0
"""Distance that two of two or three stars must have for a rotation about the line of sight to be fitted."""


class StarTrack(NamedTuple):
    """Centroids of the guide star of one detector.

    Attributes
    ----------
    name : str
        Of the detector.
    place : FieldPlace
        Of the star (`rtools.wfi.fgs.place_in_field`).
    t : ndarray float64, (n,)
        Times of the pairs, s, rising; from one begin for all stars.
    exposure : ndarray int, (n,)
        Number of the exposure of each pair.
    x, y : ndarray float64, (n,)
        Centroids, pixels, from any zero that does not change in an exposure.
    xx, yy, xy : ndarray float64, (n,)
        Their covariances, pixel².
    used : ndarray bool, (n,)
        Pairs that count.
    """

    name: str
    place: FieldPlace
    t: NDArray[np.float64]
    exposure: NDArray[np.int_]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    xx: NDArray[np.float64]
    yy: NDArray[np.float64]
    xy: NDArray[np.float64]
    used: NDArray[np.bool_]


class StarFit(NamedTuple):
    """What the rotations leave of the motion of a star in an exposure; NaN where nothing was fitted.

    Attributes
    ----------
    name : str
        Of its detector.
    exposure : int
        Number of the exposure.
    cycles, rejected : int
        Cycles in which the star was measured, and those in which it was thrown out.
    left_out : bool
        Whether it was thrown out of the whole exposure, because it did not fit in more than a tenth of its cycles.
    rms_x, rms_y : float
        Residuals along x and y of the detector, mas; those of rejected cycles included.
    expected_x, expected_y : float
        What its errors let expect, mas.
    chi2 : float
        Mean square of the residuals by their errors, per axis: 1 where all is as expected.
    """

    name: str
    exposure: int
    cycles: int
    rejected: int
    left_out: bool
    rms_x: float
    rms_y: float
    expected_x: float
    expected_y: float
    chi2: float


class GuideAttitude(NamedTuple):
    """Rotations cycle by cycle, about their mean in each exposure.

    Attributes
    ----------
    t : ndarray float64, (m,)
        Mean time of the stars of a cycle, s.
    exposure : ndarray int, (m,)
        Number of its exposure.
    delta, epsilon, zeta : ndarray float64, (m,)
        Rotations about F1, F2, F3, radians; NaN where there are fewer than two stars. Zeta is NaN as well where two or
        three stars are too near to each other.
    covariance : ndarray float64, (m, 3, 3)
        Of the three, radians²; 0 where a rotation was not fitted.
    stars : ndarray int, (m,)
        Stars that were used.
    chi2 : ndarray float64, (m,)
        χ² by its degrees of freedom; NaN where there are none.
    residual_x, residual_y : ndarray float64, (stars, m)
        Of each star, pixels of its detector; NaN where it was not measured.
    accepted : ndarray bool, (stars, m)
        Whether a star was used in a cycle.
    fits : tuple of StarFit
        One for each star in each exposure.
    """

    t: NDArray[np.float64]
    exposure: NDArray[np.int_]
    delta: NDArray[np.float64]
    epsilon: NDArray[np.float64]
    zeta: NDArray[np.float64]
    covariance: NDArray[np.float64]
    stars: NDArray[np.int_]
    chi2: NDArray[np.float64]
    residual_x: NDArray[np.float64]
    residual_y: NDArray[np.float64]
    accepted: NDArray[np.bool_]
    fits: tuple[StarFit, ...]


class AttitudeErrors(NamedTuple):
    """Standard errors of an attitude.

    Attributes
    ----------
    delta, epsilon : float
        mas.
    zeta : float
        arcsec.
    """

    delta: float
    epsilon: float
    zeta: float


def attitude_errors(places: list[FieldPlace], sigma_mas: float) -> AttitudeErrors:
    """Errors that stars of one precision give: the bound of what `fit_attitude` can reach.

    Parameters
    ----------
    places : list of FieldPlace
        Two or more.
    sigma_mas : float
        Error of a centroid along each axis, mas.

    Returns
    -------
    AttitudeErrors
        Roots of the diagonal of (Σ AᵀA)⁻¹ σ².

    Raises
    ------
    InputError
        There are fewer than two places.
    """
    if len(places) < 2:
        raise InputError("an attitude needs two stars")
    matrices = np.stack([turns_to_angles(place) for place in places])
    variance = np.diag(np.linalg.inv(np.einsum("sia,sib->ab", matrices, matrices)))
    delta, epsilon, zeta = np.sqrt(variance) * sigma_mas
    return AttitudeErrors(float(delta), float(epsilon), float(zeta) * MAS * RADIAN_ARCSEC)


def fit_attitude(tracks: list[StarTrack], *, cycle_s: float, sign: int = FACE_SIGN) -> GuideAttitude:
    """Rotations of every cycle from the stars of all detectors.

    Pairs belong to one cycle where they are within half a cycle of each other. With two or three stars the rotation
    about the line of sight is fitted only where two of them are at least 300 arcsec apart.

    A star whose residual is more than 5 of its errors away is thrown out of a cycle of three stars or more, the worst
    first, and the cycle is solved again. Its error is that of the centroid less what the fit takes; where the median
    of all residuals in the exposure is larger than their errors say, all errors are taken as so much larger. A star
    that is thrown out of more than a tenth of its cycles is left out of the exposure.

    Parameters
    ----------
    tracks : list of StarTrack
        Two or more stars.
    cycle_s : float
        Time from one pair to the next, s.
    sign : int
        +1 or -1, as for `rtools.wfi.fgs.displacement`.

    Returns
    -------
    GuideAttitude
        Of the cycles in which any star was used.

    Raises
    ------
    InputError
        There are fewer than two stars with pairs that count.
    """
    cycles = _gather(tracks, cycle_s)
    t, exposure, stars = cycles
    if np.any(stars.present, axis=1).sum() < 2:
        raise InputError("an attitude needs two stars", mend="give the files of more detectors")
    matrices = np.stack([turns_to_angles(track.place) for track in tracks]) * (sign * FACE_SIGN)
    far = _distances(tracks) >= FAR_ARCSEC
    count, size = stars.present.shape
    turns, covariance = np.full((size, 3), np.nan), np.zeros((size, 3, 3))
    chi2, accepted, residuals = np.full(size, np.nan), np.zeros((count, size), bool), np.full((count, size, 2), np.nan)
    fits: list[StarFit] = []
    for number in np.unique(exposure):
        here = exposure == number
        found = fit_stars(StarCycles(*(each[:, here] for each in stars)), matrices, far)
        turns[here], covariance[here], chi2[here] = found.turns, found.covariance, found.chi2
        accepted[:, here], residuals[:, here] = found.accepted, found.residuals
        fits += [_star_fit(track, int(number), index, found) for index, track in enumerate(tracks)]
    inverse = np.linalg.inv(np.stack([track.place.jacobian for track in tracks]) * ARCSEC)
    x, y = np.einsum("sij,smj->ism", inverse, residuals)
    delta, epsilon, zeta = turns.T
    used = accepted.sum(axis=0)
    return GuideAttitude(t, exposure, delta, epsilon, zeta, covariance, used, chi2, x, y, accepted, tuple(fits))


def _distances(tracks):
    """Of each star from each, arcsec."""
    places = np.array([(track.place.x, track.place.y) for track in tracks])
    return np.linalg.norm(places[:, np.newaxis] - places, axis=-1)


def _gather(tracks, cycle_s):
    """Times and exposures of cycles, and all stars in them: angles and covariances in radians."""
    good = [
        track.used & np.isfinite(track.x + track.y + track.xx + track.yy + track.xy) & (track.xx > 0) & (track.yy > 0)
        for track in tracks
    ]
    times = np.concatenate([track.t[used] for track, used in zip(tracks, good, strict=True)])
    begins = _begins(np.sort(times), cycle_s / 2)
    number = [np.searchsorted(begins, track.t[used], "right") - 1 for track, used in zip(tracks, good, strict=True)]
    size, count = len(begins), len(tracks)
    stars = StarCycles(np.zeros((count, size, 2)), np.zeros((count, size, 2, 2)), np.zeros((count, size), bool))
    exposure = np.zeros(size, int)
    for index, (track, used, where) in enumerate(zip(tracks, good, number, strict=True)):
        jacobian = track.place.jacobian * ARCSEC
        stars.angles[index, where] = np.stack([track.x[used], track.y[used]], axis=1) @ jacobian.T
        pixels = np.array([[track.xx[used], track.xy[used]], [track.xy[used], track.yy[used]]])
        stars.variance[index, where] = np.einsum("ij,jkn,lk->nil", jacobian, pixels, jacobian)
        stars.present[index, where] = True
        exposure[where] = track.exposure[used]
    every = np.concatenate(number)
    t = np.bincount(every, times, minlength=size) / np.maximum(np.bincount(every, minlength=size), 1)
    return t, exposure, stars


def _begins(times, reach):
    """First times of cycles: each is more than `reach` after the one before."""
    begins, index = [], 0
    while index < len(times):
        begins.append(times[index])
        index = int(np.searchsorted(times, times[index] + reach, "right"))
    return np.array(begins)


def _star_fit(track, exposure, index, found):
    """How one star fits in an exposure."""
    measured = np.isfinite(found.residuals[index, :, 0])
    cycles, rejected = int(measured.sum()), int((measured & ~found.accepted[index]).sum())
    left_out = bool(found.left_out[index])
    if not cycles:
        return StarFit(track.name, exposure, 0, 0, left_out, np.nan, np.nan, np.nan, np.nan, np.nan)
    inverse = np.linalg.inv(track.place.jacobian * ARCSEC)
    scale = np.linalg.norm(track.place.jacobian, axis=0) * 1000
    residuals = found.residuals[index, measured] @ inverse.T
    expected = inverse @ np.mean(found.expected[index, measured], axis=0) @ inverse.T
    rms_x, rms_y = (scale * np.sqrt(np.mean(residuals**2, axis=0))).tolist()
    error_x, error_y = (scale * np.sqrt(np.diag(expected))).tolist()
    told = found.distance[index, np.isfinite(found.distance[index])]
    chi2 = float(np.mean(told)) / 2 if len(told) else np.nan
    return StarFit(track.name, exposure, cycles, rejected, left_out, rms_x, rms_y, error_x, error_y, chi2)


def predict_motion(attitude: GuideAttitude, place: FieldPlace, *, sign: int = FACE_SIGN) -> PlaceMotion:
    """How the attitude moves an image anywhere in the field, with or without a guide star there.

    Parameters
    ----------
    attitude : GuideAttitude
        Where zeta was not fitted it counts as 0.
    place : FieldPlace
        Of the image, such as the centre of a detector.
    sign : int
        That with which the attitude was fitted.

    Returns
    -------
    PlaceMotion
        Pixels there; NaN where there is no attitude.
    """
    matrix = np.linalg.inv(place.jacobian * ARCSEC) @ turns_to_angles(place) * (sign * FACE_SIGN)
    zeta = np.where(np.isfinite(attitude.zeta) | np.isnan(attitude.delta), attitude.zeta, 0.0)
    dx, dy = matrix @ np.stack([attitude.delta, attitude.epsilon, zeta])
    covariance = np.einsum("ia,mab,jb->ijm", matrix, attitude.covariance, matrix)
    return PlaceMotion(dx, dy, covariance[0, 0], covariance[1, 1], covariance[0, 1])
