"""KLIP: the light of a star, as images of reference stars show it, taken away from images of a target."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rtools.work import ALONE, Work

__all__ = ["Basis", "Subtraction", "annuli", "basis_of", "left_by_others", "subtract", "usable_pixels"]

FLOOR = 1e-12
"""Modes whose variance is less than this of the first one's are rounding, not star light."""

BAD_SHARE = 0.25
"""A pixel is left out where more than so many of the references have no good value there."""

GROUPS = 64
"""References are left out one by one, of more than these in so many groups."""


class Basis(NamedTuple):
    """What references have in common, the strongest first (Soummer, Pueyo and Larkin 2012).

    Attributes
    ----------
    modes : ndarray of float64
        (modes, pixels), orthonormal.
    variances : ndarray of float64
        Their eigenvalues.
    """

    modes: np.ndarray
    variances: np.ndarray

    def part_of(self, image: np.ndarray) -> np.ndarray:
        """What of an image lies in the modes.

        Parameters
        ----------
        image : ndarray of float64
            (pixels,) or (images, pixels).
        """
        return (image @ self.modes.T) @ self.modes


class Subtraction(NamedTuple):
    """Images of a target without its star.

    Attributes
    ----------
    data, model : ndarray of float64
        (integrations, y, x): what is left, and what was taken away; their sum is the image. NaN where nothing is known.
    scatter : ndarray of float64
        (integrations, y, x): what the same leaves of references that it does not know, root mean square; each as bright
        as the target is.
    modes : list of int
        How many modes were used, in each region.
    """

    data: np.ndarray
    model: np.ndarray
    scatter: np.ndarray
    modes: list[int]


def usable_pixels(references: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Pixels at which the references can be compared with a target.

    Parameters
    ----------
    references : ndarray
        (references, y, x).
    bad : ndarray of bool
        Flagged ones, whose values are those of their neighbours. Up to `BAD_SHARE` of all references may have one at a
        pixel: what cosmic rays did to single images would else leave no pixel where there are many images.

    Returns
    -------
    ndarray of bool
        (y, x); False where one of them is not finite.
    """
    return np.isfinite(references).all(axis=0) & (bad.mean(axis=0) <= BAD_SHARE)


def annuli(shape: tuple[int, int], centre: tuple[float, float], radii: Sequence[float]) -> list[np.ndarray]:
    """Rings about a place.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    centre : tuple of float
        Column and row, 0-based.
    radii : sequence of float
        Rising; each ring has the pixels whose middles lie between two that follow each other, the inner one included.

    Returns
    -------
    list of ndarray of bool
    """
    y, x = np.indices(shape)
    radius = np.hypot(x - centre[0], y - centre[1])
    return [(radius >= low) & (radius < high) for low, high in pairwise(radii)]


def basis_of(references: np.ndarray, truncate: int) -> Basis:
    """Karhunen-Loève modes of references.

    .. math:: R R^T v_k = \\lambda_k v_k, \\quad Z_k = v_k^T R / \\sqrt{\\lambda_k}

    Parameters
    ----------
    references : ndarray of float64
        R, (references, pixels), each with mean 0.
    truncate : int
        How many modes at most. Those whose eigenvalue is below `FLOOR` of the first are never used.

    Returns
    -------
    Basis
    """
    values, vectors = _kept(references @ references.T, truncate)
    return Basis((vectors / np.sqrt(values)).T @ references, values)


def _kept(products, truncate):
    """Eigenvalues and eigenvectors of products of references, largest first, as many as count."""
    values, vectors = np.linalg.eigh(products)
    values, vectors = values[::-1][:truncate], vectors[:, ::-1][:, :truncate]
    good = values > FLOOR * max(values[0], 0) if len(values) else np.zeros(0, bool)
    return values[good], vectors[:, good]


def left_by_others(references: np.ndarray, truncate: int, *, work: Work = ALONE) -> np.ndarray:
    """What is left of each reference when the modes of all others are taken away.

    No basis is made for that. With G the products of all references, and v, λ eigenvectors and eigenvalues of G without
    those that are left out, reference j lies in the others' modes by the combination :math:`c = v λ^{-1} v^T g_j` of
    them, :math:`g_j` their products with it. All combinations are one matrix C, and what is left is (1 - C) R.

    Parameters
    ----------
    references : ndarray of float64
        R, (references, pixels), each with mean 0.
    truncate : int
        How many modes at most.
    work : rtools.work.Work
        Threads.

    Returns
    -------
    ndarray of float64
        (references, pixels).
    """
    products, count = references @ references.T, len(references)

    def combined(out):
        others = np.setdiff1d(np.arange(count), out)
        values, vectors = _kept(products[np.ix_(others, others)], truncate)
        rows = np.zeros((len(out), count))
        rows[:, others] = ((products[np.ix_(out, others)] @ vectors) / values) @ vectors.T
        return out, rows

    groups = np.array_split(np.arange(count), min(count, GROUPS))
    rest = np.eye(count)
    for out, rows in work.each(combined, groups):
        rest[out] -= rows
    return rest @ references


def subtract(
    target: np.ndarray,
    references: np.ndarray | Sequence[np.ndarray],
    good: np.ndarray,
    regions: Sequence[np.ndarray],
    *,
    truncate: int = 50,
    errors: np.ndarray | None = None,
    work: Work = ALONE,
) -> Subtraction:
    """Images of a target without the light of its star.

    In each region and integration the same pixels make the means, the modes and the projection: those that are good in
    both references and target.

    Parameters
    ----------
    target : ndarray
        (integrations, y, x).
    references : ndarray
        (references, y, x), the same for all integrations, or (integrations, references, y, x).
    good : ndarray of bool
        (integrations, y, x): pixels that are good in target and references.
    regions : sequence of ndarray of bool
        Parts of the image, each of which is done for itself; they do not overlap.
    truncate : int
        How many modes at most.
    errors : ndarray, optional
        Standard deviations of the references: their own noise is not counted in the scatter.
    work : rtools.work.Work
        Threads.

    Returns
    -------
    Subtraction
    """
    references = np.asarray(references)
    nothing = np.full(target.shape, np.nan)
    found = Subtraction(nothing, nothing.copy(), nothing.copy(), [])
    stacks = references if references.ndim == 4 else [references] * len(target)
    known = np.maximum(good.sum(axis=0), 1)
    mean = np.sum(target, axis=0, where=good, dtype=np.float64) / known
    for region in regions:
        most, scatters = 0, {}
        for number, stack in enumerate(stacks):
            inside = region & good[number]
            most = max(most, _take_away(found, number, target[number], stack, inside, truncate))
            anywhere = region & good.any(axis=0)
            key = number if references.ndim == 4 else 0
            if key not in scatters:
                noise = 0.0 if errors is None else (errors[number] if errors.ndim == 4 else errors)[:, anywhere]
                values = _without_mean(stack, anywhere)
                left = left_by_others(values, truncate, work=work) ** 2 - np.nan_to_num(noise) ** 2
                image = mean if references.ndim == 3 else np.where(good[number], target[number], mean)
                share = _brightness(image[anywhere], values)
                scatters[key] = np.sqrt(np.maximum(share**2 @ left / len(left), 0))
            found.scatter[number][anywhere] = scatters[key]
        found.modes.append(most)
    found.scatter[~np.isfinite(found.data)] = np.nan
    return found


def _take_away(found, number, image, stack, inside, truncate):
    """One integration in one region; how many modes it had."""
    if not inside.any():
        return 0
    basis = basis_of(_without_mean(stack, inside), truncate)
    values = np.asarray(image[inside], np.float64)
    star = values.mean() + basis.part_of(values - values.mean())
    found.model[number][inside] = star
    found.data[number][inside] = values - star
    return len(basis.modes)


def _brightness(image, references):
    """By what each reference is multiplied to be as bright as an image."""
    squares = np.sum(references**2, axis=1)
    return (references @ (image - image.mean())) / np.where(squares > 0, squares, 1)


def _without_mean(stack, inside):
    values = np.asarray(stack[:, inside], np.float64)
    return values - values.mean(axis=1, keepdims=True)
