"""What is seen in a cube: a plane at a wavelength, planes collapsed, moments along the wavelength, cubes merged."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtools.errors import UsageError

__all__ = ["LineMoments", "collapse_cube", "merge_order", "moment_maps", "nearest_plane", "planes_between"]

SINGLE = 2.0**-22
"""Tables of wavelengths are in single precision: limits reach so much further, relatively."""


def planes_between(wavelength: np.ndarray, low: float, high: float) -> slice:
    """Planes whose wavelengths lie between two, both inclusive.

    Parameters
    ----------
    wavelength : ndarray of float64
        Of each plane, rising.
    low, high : float
        In the same unit.

    Returns
    -------
    slice

    Raises
    ------
    UsageError
        There is none.
    """
    low, high = low * (1 - SINGLE), high * (1 + SINGLE)
    first, last = int(np.searchsorted(wavelength, low)), int(np.searchsorted(wavelength, high, side="right"))
    if first >= last:
        raise UsageError(f"no plane lies between {low:g} and {high:g}: they go from {wavelength[0]:g} to "
                         f"{wavelength[-1]:g}")  # fmt: skip
    return slice(first, last)


def nearest_plane(wavelength: np.ndarray, wanted: float) -> int:
    """Number of the plane whose wavelength is nearest.

    Parameters
    ----------
    wavelength : ndarray of float64
        Of each plane, rising.
    wanted : float
        In the same unit.

    Returns
    -------
    int

    Raises
    ------
    UsageError
        It lies outside of the cube by more than half a plane.
    """
    number = int(np.argmin(np.abs(wavelength - wanted)))
    steps = np.diff(wavelength)
    half = (steps[min(number, len(steps) - 1)] if len(steps) else 0.0) / 2
    if not abs(wavelength[number] - wanted) <= half * (1 + 1e-9) and len(steps):
        raise UsageError(f"{wanted:g} lies outside: planes go from {wavelength[0]:g} to {wavelength[-1]:g}")
    return number


def collapse_cube(data: np.ndarray, err: np.ndarray, good: np.ndarray, how: str) -> tuple[np.ndarray, ...]:
    """One plane of many.

    Errors are those of independent planes: of the mean √Σσ²/n, of the sum √Σσ², of the median √(π/2) times that of the
    mean, which is its error for many normal values.

    Parameters
    ----------
    data, err : ndarray of float
        (planes, rows, columns).
    good : ndarray of bool
        Which of the values count.
    how : str
        ``mean``, ``median`` or ``sum``.

    Returns
    -------
    data, err, count : ndarray of float64
        (rows, columns); NaN where nothing counts.
    """
    values, errors = np.where(good, data, np.nan).astype(np.float64), np.where(good, err, 0).astype(np.float64)
    count = np.count_nonzero(good, axis=0)
    number = np.where(count > 0, count, np.nan)
    total = np.sqrt(np.sum(errors**2, axis=0))
    if how == "sum":
        return np.nansum(values, axis=0) * (number / number), total * (number / number), count.astype(np.float64)
    mean_error = total / number
    if how == "mean":
        return np.nansum(values, axis=0) / number, mean_error, count.astype(np.float64)
    made = np.full(count.shape, np.nan)
    some = count > 0
    made[some] = np.nanmedian(values[:, some], axis=0)
    few = np.where(count > 2, np.sqrt(np.pi / 2), 1.0)  # the median of one or two is their mean
    return made, mean_error * few, count.astype(np.float64)


class LineMoments(NamedTuple):
    """Maps of moments along the wavelength.

    Attributes
    ----------
    flux, flux_err : ndarray of float64
        ∫ f dλ and its error.
    centre, width : ndarray of float64
        Mean wavelength and dispersion, weighted by the flux; NaN where the flux is not positive.
    """

    flux: np.ndarray
    flux_err: np.ndarray
    centre: np.ndarray
    width: np.ndarray


def moment_maps(data: np.ndarray, err: np.ndarray, good: np.ndarray, wavelength: np.ndarray) -> LineMoments:
    """LineMoments of the light along the wavelength.

    Parameters
    ----------
    data, err : ndarray of float
        (planes, rows, columns).
    good : ndarray of bool
        Which of the values count.
    wavelength : ndarray of float64
        Of each plane, rising.

    Returns
    -------
    LineMoments
    """
    step = np.gradient(wavelength) if len(wavelength) > 1 else np.ones(1)
    weight = np.where(good, data, 0.0).astype(np.float64) * step[:, None, None]
    flux = weight.sum(axis=0)
    error = np.sqrt(np.sum((np.where(good, err, 0.0) * step[:, None, None]) ** 2, axis=0))
    some = good.any(axis=0)
    positive = np.where(some & (flux > 0), flux, np.nan)
    waves = wavelength[:, None, None]
    centre = (weight * waves).sum(axis=0) / positive
    spread = (weight * (waves - centre) ** 2).sum(axis=0) / positive
    return LineMoments(np.where(some, flux, np.nan), np.where(some, error, np.nan), centre,
                   np.sqrt(np.where(spread >= 0, spread, np.nan)))  # fmt: skip


def merge_order(waves: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Which planes of several cubes make one, in the order of wavelength.

    Where two cubes overlap, each plane comes from the cube whose range's middle is nearer: so spectra are cut once.

    Parameters
    ----------
    waves : list of ndarray of float64
        Wavelengths of the planes of each cube.

    Returns
    -------
    cube, plane : ndarray of int64
        Of which cube each plane is, and its number there.
    """
    middles = np.array([(one[0] + one[-1]) / 2 for one in waves])
    halves = np.array([max((one[-1] - one[0]) / 2, 1e-300) for one in waves])
    cubes = np.concatenate([np.full(len(one), number) for number, one in enumerate(waves)])
    planes = np.concatenate([np.arange(len(one)) for one in waves])
    values = np.concatenate(waves)
    kept = np.ones(len(values), bool)
    for number in range(len(waves)):
        mine = cubes == number
        distance = np.abs(values - middles[number]) / halves[number]
        for other in range(len(waves)):
            if other == number:
                continue
            elsewhere = np.abs(values - middles[other]) / halves[other]
            inside = (values >= waves[other][0]) & (values <= waves[other][-1])
            kept &= ~(mine & inside & ((elsewhere < distance) | ((elsewhere == distance) & (other < number))))
    order = np.argsort(values[kept], kind="stable")
    return cubes[kept][order], planes[kept][order]
