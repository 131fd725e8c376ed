"""Interferometric observables of a fit: visibilities, triple products, quads and pistons, each with its error.

All are made of ln|V| and φ of the 21 baselines by sums and differences, so that matrices of -1, 0 and 1 make the values
and carry the errors. A triangle i, j, k has the closure phase φ_ij + φ_jk - φ_ik, which no phase of a hole can change.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from rtools.interferometry.stations import PAIRS, QUADS, STATIONS, TRIANGLES
from rtools.wfi.sphere import signed_turn

__all__ = ["Observables", "mean_of", "observables_of", "stacked"]


class Observables(NamedTuple):
    """Observables and their standard errors; phases in degrees, within ±180.

    Arrays have an axis for baselines, triangles, quads or holes, and behind it one for integrations where there are
    several. A closed hole leaves NaN.

    Attributes
    ----------
    visamp, visamp_err, visphi, visphi_err : ndarray float64 (21, …)
        Amplitude and phase of visibilities.
    vis2, vis2_err : ndarray float64 (21, …)
        Squared amplitudes.
    t3amp, t3amp_err, t3phi, t3phi_err : ndarray float64 (35, …)
        Triple products: |V_ij V_jk V_ik| and closure phase.
    q4amp, q4amp_err, q4phi, q4phi_err : ndarray float64 (35, …)
        Quads: |V_ij V_kl / (V_ik V_jl)|, and φ_ij - φ_kl - φ_ik - φ_jl as the mission defines it.
    piston, piston_err : ndarray float64 (7, …)
        Phases of the light in holes, of mean 0, that make the phases of the baselines best: φ_ij = ψ_j - ψ_i.
    """

    visamp: np.ndarray
    visamp_err: np.ndarray
    visphi: np.ndarray
    visphi_err: np.ndarray
    vis2: np.ndarray
    vis2_err: np.ndarray
    t3amp: np.ndarray
    t3amp_err: np.ndarray
    t3phi: np.ndarray
    t3phi_err: np.ndarray
    q4amp: np.ndarray
    q4amp_err: np.ndarray
    q4phi: np.ndarray
    q4phi_err: np.ndarray
    piston: np.ndarray
    piston_err: np.ndarray


class _Matrices(NamedTuple):
    """What adds up ln|V| and φ of the baselines to those of triangles, quads and holes."""

    t3amp: np.ndarray
    t3phi: np.ndarray
    q4amp: np.ndarray
    q4phi: np.ndarray


@cache
def _sums() -> _Matrices:
    row = {tuple(pair): number for number, pair in enumerate(PAIRS.tolist())}
    out = _Matrices(*(np.zeros((len(groups), len(PAIRS))) for groups in (TRIANGLES, TRIANGLES, QUADS, QUADS)))
    for number, (i, j, k) in enumerate(TRIANGLES.tolist()):
        sides = [row[i, j], row[j, k], row[i, k]]
        out.t3amp[number, sides] = 1
        out.t3phi[number, sides] = 1, 1, -1
    for number, (i, j, k, m) in enumerate(QUADS.tolist()):
        sides = [row[i, j], row[k, m], row[i, k], row[j, m]]
        out.q4amp[number, sides] = 1, 1, -1, -1
        out.q4phi[number, sides] = 1, -1, -1, -1
    return out


def _added(matrix, values):
    """``matrix @ values``, where a value that is NaN spoils only the sums that it is in."""
    missing = ~np.isfinite(values)
    total = matrix @ np.where(missing, 0.0, values)
    return np.where(np.abs(matrix) @ missing > 0, np.nan, total)


def _spread(matrix, covariance):
    """Standard errors of sums, by the covariance of what is summed."""
    missing = ~np.isfinite(np.diag(covariance))
    known = np.where(missing[:, None] | missing, 0.0, covariance)
    variance = np.einsum("ij,jk,ik->i", matrix, known, matrix)
    return np.where(np.abs(matrix) @ missing > 0, np.nan, np.sqrt(np.maximum(variance, 0)))


def _to_pistons(phase):
    """The matrix from phases of baselines to those of holes: least squares, of mean 0; and which holes are open."""
    known = np.isfinite(phase)
    steps = np.zeros((len(PAIRS), STATIONS))
    steps[np.arange(len(PAIRS)), PAIRS[:, 1]] = 1
    steps[np.arange(len(PAIRS)), PAIRS[:, 0]] = -1
    open_ = np.isin(np.arange(STATIONS), PAIRS[known])
    matrix = np.zeros((STATIONS, len(PAIRS)))
    if known.any():
        matrix[np.ix_(open_, known)] = np.linalg.pinv(steps[np.ix_(known, open_)])
    return matrix, open_


def observables_of(coefficients: np.ndarray, covariance: np.ndarray) -> Observables:
    """Observables of one integration, with the errors that those of its pixels make.

    Parameters
    ----------
    coefficients : ndarray (44,)
        1, real and imaginary part of each visibility, the constant.
    covariance : ndarray (42, 42)
        Of the parts.

    Returns
    -------
    Observables
        Without an axis of integrations.
    """
    real, imaginary = coefficients[1:-1:2], coefficients[2:-1:2]
    amplitude, phase = np.hypot(real, imaginary), np.arctan2(imaginary, real)
    turned = np.zeros((2, len(PAIRS), 2 * len(PAIRS)))  # derivatives of ln|V| and of φ
    at = np.arange(len(PAIRS))
    with np.errstate(divide="ignore", invalid="ignore"):
        turned[0, at, 2 * at], turned[0, at, 2 * at + 1] = real / amplitude**2, imaginary / amplitude**2
        turned[1, at, 2 * at], turned[1, at, 2 * at + 1] = -imaginary / amplitude**2, real / amplitude**2
    known = np.where(np.isfinite(turned), turned, 0.0)
    inner = np.nan_to_num(covariance)
    logs, phases = (part @ inner @ part.T for part in known)
    lost = ~np.isfinite(amplitude) | ~np.isfinite(np.diag(covariance)).reshape(-1, 2).all(axis=1)
    for matrix in (logs, phases):
        matrix[lost] = matrix[:, lost] = np.nan
    return _all_of(amplitude, phase, logs, phases)


def _all_of(amplitude, phase, logs, phases):
    """Observables of amplitudes and phases (radians), and of the covariances of ln|V| and φ."""
    sums = _sums()
    spread = np.sqrt(np.diag(logs))
    with np.errstate(divide="ignore"):
        log = np.log(amplitude)
    t3amp, q4amp = (np.exp(_added(matrix, log)) for matrix in (sums.t3amp, sums.q4amp))
    to_pistons, open_ = _to_pistons(phase)
    piston = np.where(open_, to_pistons @ np.nan_to_num(phase), np.nan)
    piston_err = np.where(open_, _spread(to_pistons, phases), np.nan)
    return Observables(
        amplitude, amplitude * spread, np.rad2deg(phase), np.rad2deg(np.sqrt(np.diag(phases))),
        amplitude**2, 2 * amplitude**2 * spread,
        t3amp, t3amp * _spread(sums.t3amp, logs),
        signed_turn(np.rad2deg(_added(sums.t3phi, phase))), np.rad2deg(_spread(sums.t3phi, phases)),
        q4amp, q4amp * _spread(sums.q4amp, logs),
        signed_turn(np.rad2deg(_added(sums.q4phi, phase))), np.rad2deg(_spread(sums.q4phi, phases)),
        np.rad2deg(piston), np.rad2deg(piston_err),
    )  # fmt: skip


def stacked(parts: list[Observables]) -> Observables:
    """Observables of integrations side by side.

    Parameters
    ----------
    parts : list of Observables
        Of one integration each.

    Returns
    -------
    Observables
        With an axis of integrations at the end.
    """
    return Observables(*(np.stack(each, axis=-1) for each in zip(*parts, strict=True)))


def mean_of(each: Observables) -> Observables:
    """Means over integrations, with errors by how the integrations scatter.

    Means of |V|, |V|² and φ; triple products and quads are those of the means. A phase is averaged as its distance from
    that of the mean phasor, so that phases about ±180° do not cancel. The covariance of real and imaginary part over
    the integrations is turned to lie along and across the mean; the first gives the error of the amplitude, the second,
    divided by the amplitude, that of the phase, both over √n. That of |V|² is 2|V| times that of |V|.

    Parameters
    ----------
    each : Observables
        With an axis of integrations at the end; integrations that are NaN do not count.

    Returns
    -------
    Observables
        Without that axis. Errors are NaN where there are fewer than two integrations.
    """
    good = np.isfinite(each.visamp).any(axis=0)
    each = Observables(*(values[..., good] for values in each))
    count = int(good.sum())
    nothing = np.full((len(PAIRS),) * 2, np.nan)
    amplitude = _mean(each.visamp, count)
    phase = _mean_phase(each.visphi)
    found = _all_of(amplitude, np.deg2rad(phase), nothing, nothing)
    amp_err, phi_err = _scatter(each.visamp, each.visphi)
    t3amp_err, t3phi_err = _scatter(each.t3amp, each.t3phi)
    q4amp_err, q4phi_err = _scatter(each.q4amp, each.q4phi)
    if count > 1:
        turned = each.piston - found.piston[:, None]
        piston_err = np.std(turned, axis=1, ddof=1) / np.sqrt(count)
    else:
        piston_err = np.full(STATIONS, np.nan)
    return found._replace(
        visamp_err=amp_err, visphi_err=phi_err, vis2=_mean(each.vis2, count), vis2_err=2 * amplitude * amp_err,
        t3amp_err=t3amp_err, t3phi_err=t3phi_err, q4amp_err=q4amp_err, q4phi_err=q4phi_err, piston_err=piston_err,
    )  # fmt: skip


def _mean(values, count):
    return values.mean(axis=-1) if count else np.full(values.shape[:-1], np.nan)


def _mean_phase(degrees):
    """Mean of phases along the last axis, as distance from the phase of the mean phasor."""
    if not degrees.shape[-1]:
        return np.full(degrees.shape[:-1], np.nan)
    about = np.rad2deg(np.angle(np.exp(1j * np.deg2rad(degrees)).mean(axis=-1)))
    return signed_turn(about + signed_turn(degrees - about[..., None]).mean(axis=-1))


def _scatter(modulus, degrees):
    """Errors of mean modulus and mean phase (degrees), by the covariance of the phasors over integrations."""
    count = modulus.shape[-1]
    if count < 2:
        return np.full(modulus.shape[:-1], np.nan), np.full(modulus.shape[:-1], np.nan)
    turned = modulus * np.exp(1j * np.deg2rad(degrees - _mean_phase(degrees)[..., None]))
    along, across = (np.std(part, axis=-1, ddof=1) / np.sqrt(count) for part in (turned.real, turned.imag))
    with np.errstate(divide="ignore", invalid="ignore"):
        return along, np.rad2deg(across / modulus.mean(axis=-1))
