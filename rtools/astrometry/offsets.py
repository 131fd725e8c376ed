"""How a list of positions lies against another one: offset, scatter, rotation and scale of its pairs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtools.astrometry.crossmatch import MatchedPairs
from rtools.astrometry.refcat import Places
from rtools.wfi.sphere import positions_of, separation, to_plane, unit_vectors
from rtools.wfi.units import ARCSEC, RADIAN_ARCSEC
from rtools.work.statistics import MAD_TO_SIGMA

__all__ = ["FEWEST", "Residuals", "common_offsets", "residuals"]

FEWEST = 3
"""Pairs of which a scatter and a rotation are told."""

FLAT = 10.0
"""Degrees from the middle of the pairs to the farthest within which they lie about in one plane."""

PASSES, CLIP = 3, 3.0
"""Passes of the fit of a rotation, and how many scatters from it a pair may lie."""


class Residuals(NamedTuple):
    """How a list of positions lies against another one.

    Attributes
    ----------
    pairs : int
        Of which that is said.
    east, north : float
        Median offset, mas, as `common_offsets` has them.
    east_scatter, north_scatter : float
        Scatter about it, mas: 1.4826 times the median absolute deviation; NaN of fewer than `FEWEST`.
    rotation : float
        Of the second list against the first, arcsec from north to east, about the middle of the pairs; NaN of fewer
        than `FEWEST`, of pairs at one place, and of those farther than `FLAT` degrees from their middle.
    scale : float
        By which the second list is larger, less 1.
    rotation_error, scale_error : float
        Their errors, from the rms.
    rms : float
        Of what the shift, rotation and scale leave, in either axis, mas, without the pairs that were clipped: the sum
        of squares over the number of residuals less the four that were fitted.
    """

    pairs: int
    east: float
    north: float
    east_scatter: float
    north_scatter: float
    rotation: float
    scale: float
    rotation_error: float
    scale_error: float
    rms: float


def common_offsets(one: Places, pairs: MatchedPairs) -> tuple[np.ndarray, np.ndarray]:
    """Offsets of pairs to the east and north of one place, the middle of the pairs.

    Near a pole east is another direction at each source, so that a list that was shifted has offsets of every
    direction. An offset d at p is carried along the great circle to the middle c, which keeps its angle with it:
    d - (c·d) / (1 + c·p) (c + p). Of pairs on more than `FLAT` degrees the offsets stay those at each source.

    Parameters
    ----------
    one : Places
        The first list.
    pairs : MatchedPairs
        With positions.

    Returns
    -------
    east, north : ndarray float64 (n,)
        Arcsec, NaN where a pair has none.
    """
    ra, dec, middle = _middle(one, pairs)
    if middle is None:
        return pairs.east, pairs.north
    place, centre = unit_vectors(ra, dec), unit_vectors(*middle)
    (east, north), (to_east, to_north) = _axes(ra, dec), _axes(*middle)
    offset = pairs.east[:, None] * east + pairs.north[:, None] * north
    carried = offset - ((offset @ centre) / (1 + place @ centre))[:, None] * (place + centre)
    return carried @ to_east, carried @ to_north


def _middle(one, pairs):
    """Positions of pairs in the first list, and their middle; None where they lie too far apart."""
    ra, dec = one.ra[pairs.first], one.dec[pairs.first]
    known = np.isfinite(pairs.east) & np.isfinite(pairs.north)
    total = unit_vectors(ra[known], dec[known]).sum(axis=0)
    if not np.hypot(*total[:2]) and not total[2]:
        return ra, dec, None
    middle = positions_of(total)
    return ra, dec, middle if np.all(separation(ra[known], dec[known], *middle) <= FLAT) else None


def _axes(ra, dec):
    """Unit vectors to the east and to the north of places."""
    ra, dec = np.deg2rad(ra), np.deg2rad(dec)
    east = np.stack([-np.sin(ra), np.cos(ra), np.zeros_like(ra)], axis=-1)
    north = np.stack([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)], axis=-1)
    return east, north


def residuals(one: Places, pairs: MatchedPairs) -> Residuals | None:
    """Offset, scatter, rotation and scale of the second list against the first.

    Parameters
    ----------
    one : Places
        The first list, as it was matched.
    pairs : MatchedPairs
        With positions.

    Returns
    -------
    Residuals or None
        None without pairs.
    """
    known = np.isfinite(pairs.east) & np.isfinite(pairs.north)
    if not known.any():
        return None
    ra, dec, middle = _middle(one, pairs)
    east, north = (each[known] for each in common_offsets(one, pairs))
    median = float(np.median(east)), float(np.median(north))
    scatter, turned = [np.nan, np.nan], [np.nan] * 5
    if len(east) >= FEWEST:
        apart = np.abs(east - median[0]), np.abs(north - median[1])
        scatter = [MAD_TO_SIGMA * float(np.median(each)) for each in apart]
        if middle is not None:
            turned = _turned(*to_plane(ra[known], dec[known], middle, unit=ARCSEC), east, north)
    mas = [1000 * each for each in (*median, *scatter)]
    return Residuals(len(east), mas[0], mas[1], mas[2], mas[3], *turned)


def _turned(x, y, east, north):
    """Rotation (arcsec), scale less 1, their errors, and the rms (mas), of the similarity that fits offsets best.

    Of small angles: east = a + s x + r y, north = b + s y - r x, with r from north to east.
    """
    used = np.ones(len(x), bool)
    nothing, one = np.zeros(len(x)), np.ones(len(x))
    design = np.stack([np.stack([one, nothing, x, y], axis=1), np.stack([nothing, one, y, -x], axis=1)])
    for _pass in range(PASSES):
        rows = np.concatenate([design[0][used], design[1][used]])
        found, _, rank, _ = np.linalg.lstsq(rows, np.concatenate([east[used], north[used]]), rcond=None)
        if rank < rows.shape[1]:  # all at one place
            return (np.nan,) * 5
        fitted = used
        left = np.stack([east - design[0] @ found, north - design[1] @ found])
        size = MAD_TO_SIGMA * np.median(np.abs(left[:, used]), axis=1).max()
        kept = np.all(np.abs(left) <= CLIP * max(size, 1e-9), axis=0)
        if kept.sum() < FEWEST or np.array_equal(kept, used):
            break
        used = kept
    rows = np.concatenate([design[0][fitted], design[1][fitted]])
    rms = float(np.sqrt(np.sum(left[:, fitted] ** 2) / (rows.shape[0] - rows.shape[1])))  # each axis of a pair is one
    errors = rms * np.sqrt(np.diag(np.linalg.pinv(rows.T @ rows)))
    return (
        float(found[3]) * RADIAN_ARCSEC,
        float(found[2]),
        float(errors[3]) * RADIAN_ARCSEC,
        float(errors[2]),
        1000 * rms,
    )
