"""Crosstalk between pixels: of the kernel that corrects it, what pixels show of the light about them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["correcting_kernel", "crosstalk_kernel"]

SIZE = 32
"""Pixels on a side of the field on which a kernel is inverted; what it leaves there returns at the other side."""


def correcting_kernel(reference: ArrayLike) -> np.ndarray:
    """One kernel of a reference of type ipc.

    Parameters
    ----------
    reference : array_like (k, k) or (k, k, rows, columns)
        One kernel for all pixels, or one for each.

    Returns
    -------
    ndarray float64 (k, k)
        The median where there are several.
    """
    kernel = np.asarray(reference, float)
    return kernel if kernel.ndim == 2 else np.median(kernel, axis=(2, 3))


def crosstalk_kernel(correction: np.ndarray) -> np.ndarray:
    """What a pixel shows of the charge about it: the inverse of the kernel that corrects this.

    Parameters
    ----------
    correction : ndarray (k, k)
        From `correcting_kernel`.

    Returns
    -------
    ndarray float64 (3, 3)
        Together 1.
    """
    rows, columns = correction.shape
    field = np.zeros((SIZE, SIZE))
    field[:rows, :columns] = correction
    field = np.roll(field, (-(rows // 2), -(columns // 2)), axis=(0, 1))
    inverse = np.roll(np.fft.ifft2(1 / np.fft.fft2(field)).real, (1, 1), axis=(0, 1))[:3, :3]
    return inverse / inverse.sum()
