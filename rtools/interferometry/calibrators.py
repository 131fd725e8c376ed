"""Observables of several stars that are points, as those of one: their mean, with an error that their scatter shows.

Stars differ by more than their errors say: the telescope changes between them, and charge migrates by their
brightness. So the variance of a star is σ² + τ², τ² being that between stars. It weighs stars evenly where it is large,
and by their errors where it is not. τ² is estimated from the excess of Q = Σ (x - mean)²/σ² over its expectation
(DerSimonian & Laird 1986, Control. Clin. Trials 7, 177), summed over all rows of a table: of two or three stars one row
tells too little.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtools.wfi.sphere import signed_turn

__all__ = ["StarMean", "mean_of_phases", "mean_of_stars"]


class StarMean(NamedTuple):
    """The mean of stars.

    Attributes
    ----------
    value, error : ndarray float64 (N,)
        Of each row; NaN where no star has it. Where stars have no errors it is that by which they scatter, NaN of one.
    between : float
        τ, the standard deviation between stars beyond their errors; 0 of one star.
    """

    value: np.ndarray
    error: np.ndarray
    between: float


def mean_of_stars(values: np.ndarray, errors: np.ndarray) -> StarMean:
    """Mean of amplitudes, or of their squares.

    Parameters
    ----------
    values, errors : ndarray (stars, N)
        Values that are NaN do not count. In a row in which some stars have errors, the others do not count; where none
        has, all count alike.

    Returns
    -------
    StarMean
    """
    variance, used, bare = _variances(values, errors)
    about = _weighted(values, _shares(variance, used, 0.0))
    between = _between(values - about, variance, used & ~bare)
    weights = np.where(bare, used, _shares(variance, used, between))
    mean = _weighted(values, weights)
    return StarMean(mean, _error(values - mean, weights, bare), float(np.sqrt(between)))


def mean_of_phases(degrees: np.ndarray, errors: np.ndarray) -> StarMean:
    """Mean of phases, as distance from that of the mean phasor, so that phases about ±180° do not cancel.

    Parameters
    ----------
    degrees, errors : ndarray (stars, N)
        As `mean_of_stars` takes them.

    Returns
    -------
    StarMean
        Within ±180°.
    """
    variance, used, bare = _variances(degrees, errors)
    weights = np.where(bare, used, _shares(variance, used, 0.0))
    phasors = np.where(used, weights * np.exp(1j * np.deg2rad(np.where(used, degrees, 0.0))), 0).sum(axis=0)
    about = np.rad2deg(np.angle(phasors))
    found = mean_of_stars(signed_turn(degrees - about), errors)
    return found._replace(value=signed_turn(about + found.value))


def _variances(values, errors):
    """Squared errors; which values count; in which rows none of these has an error."""
    known = np.isfinite(errors) & (errors > 0)
    there = np.isfinite(values)
    bare = ~(known & there).any(axis=0)
    return np.where(known, errors, 1.0) ** 2, there & (known | bare), bare


def _shares(variance, used, between):
    return np.where(used, 1 / (variance + between), 0.0)


def _weighted(values, weights):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(weights > 0, weights * values, 0.0).sum(axis=0) / weights.sum(axis=0)


def _between(rest, variance, used):
    """τ² of all rows together; 0 where the stars scatter no more than their errors."""
    rows = used.any(axis=0)
    weights = _shares(variance, used, 0.0)[:, rows]
    room = np.sum(weights.sum(axis=0) - (weights**2).sum(axis=0) / weights.sum(axis=0))
    excess = np.where(used, rest**2 / variance, 0.0).sum() - np.sum(used[:, rows].sum(axis=0) - 1)
    return max(0.0, float(excess / room)) if room > 0 else 0.0


def _error(rest, weights, bare):
    """Of the mean: by the weights, or by the scatter where they say nothing of errors."""
    count = (weights > 0).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        scatter = np.sqrt(np.where(weights > 0, rest**2, 0.0).sum(axis=0) / (count - 1) / count)
        weighed = weights.sum(axis=0) ** -0.5
    return np.where(count > bare, np.where(bare, scatter, weighed), np.nan)
