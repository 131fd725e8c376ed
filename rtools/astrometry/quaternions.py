"""Attitudes as quaternions (a, b, c, d), the scalar d last, as the spacecraft tells them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError, UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["Quaternion", "matrix", "mean_quaternion", "unit_quaternion"]

Quaternion = tuple[float, float, float, float]
"""Of norm 1, the scalar last."""

NOT_A_UNIT = 0.01
"""A quaternion whose norm differs by more from 1 is not valid."""


def unit_quaternion(quaternion: ArrayLike) -> Quaternion:
    """A quaternion made one of norm 1.

    Parameters
    ----------
    quaternion : array_like of float (4,)
        The scalar last.

    Returns
    -------
    (float, float, float, float)
        The same divided by its norm.

    Raises
    ------
    UsageError
        Its norm is not near 1.
    """
    values = np.asarray(quaternion, float)
    norm = np.linalg.norm(values)
    if values.shape != (4,) or not abs(norm - 1) < NOT_A_UNIT:
        said = " ".join(f"{value:g}" for value in values)
        raise UsageError(f"({said}) is not an attitude: the norm of a quaternion is 1, this one's is {norm:.6g}")
    a, b, c, d = (values / norm).tolist()
    return a, b, c, d


def mean_quaternion(samples: ArrayLike) -> Quaternion:
    """The mean of quaternions that differ little, of norm 1; q and -q are the same rotation.

    Parameters
    ----------
    samples : array_like of float (n, 4)
        The scalars last.

    Returns
    -------
    (float, float, float, float)
        Of the sign of the first sample.

    Raises
    ------
    InputError
        One is not a quaternion, or they are not of one attitude.
    """
    try:
        samples = np.array([unit_quaternion(sample) for sample in np.asarray(samples, float)])
    except UsageError as error:
        raise InputError(error.message) from None
    along = samples @ samples[0]
    mean = (np.where(along < 0, -1, 1)[:, None] * samples).mean(axis=0)
    if np.linalg.norm(mean) < 1 - NOT_A_UNIT:
        raise InputError("the attitudes differ too much to have a mean")
    a, b, c, d = (mean / np.linalg.norm(mean)).tolist()
    return a, b, c, d


def matrix(quaternion: Sequence[float]) -> np.ndarray:
    """Matrix of a rotation of frames by a quaternion.

    Parameters
    ----------
    quaternion : sequence of 4
        Of norm 1, the scalar last.

    Returns
    -------
    ndarray float64 (3, 3)
        Takes components in the old frame to components in the new.
    """
    a, b, c, d = quaternion
    return np.array(
        [
            [1 - 2 * b * b - 2 * c * c, 2 * (a * b + c * d), 2 * (c * a - b * d)],
            [2 * (a * b - c * d), 1 - 2 * c * c - 2 * a * a, 2 * (b * c + a * d)],
            [2 * (c * a + b * d), 2 * (b * c - a * d), 1 - 2 * a * a - 2 * b * b],
        ]
    )
