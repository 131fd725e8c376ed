"""Outliers in time: what one integration shows, and those before and after it do not."""

from __future__ import annotations

import numpy as np

__all__ = ["find_outliers"]


def find_outliers(
    data: np.ndarray, err: np.ndarray, unusable: np.ndarray, *, window: int = 0, limit: float = 5.0
) -> np.ndarray:
    """Values of a series of images that are far from the median of their pixel at about the same time.

    Value I at integration i is compared with the median M of the integrations of a window about it,

    .. math:: |I_i - M_i| > s\\,\\sigma_i, \\quad M_i = \\mathrm{median}\\{I_k: k_i \\le k < k_i + w\\}, \\quad
              k_i = \\min(\\max(i - \\lfloor w/2 \\rfloor, 0), n - w).

    At both ends the nearest whole window serves. Values that are not finite, or are not to be used, have no share in
    medians; where all of a window are so, nothing is found.

    Parameters
    ----------
    data, err : ndarray float32 (integrations, rows, columns)
        Values and their errors.
    unusable : ndarray bool (integrations, rows, columns)
        Values that have no share in medians.
    window : int
        Integrations whose median it is, w; 0, or more than there are, for all.
    limit : float
        Errors, s.

    Returns
    -------
    ndarray bool (integrations, rows, columns)
    """
    from rtools.timeseries import _median_kernels as kernels

    out, number = np.zeros(data.shape, bool), len(data)
    if number:
        width = number if not 0 < window < number else window
        kernels.compare(data, err, unusable, width, np.float32(limit), out)
    return out
