"""Statistics of an image that end in `meta.statistics`."""

import numpy as np

__all__ = ["image_statistics", "median"]

DO_NOT_USE = 1
MAD_TO_SIGMA = 1.482602218505602
"""1 / Φ⁻¹(3/4): from the median absolute deviation to the standard deviation of a normal distribution."""


def image_statistics(data, dq, err):
    """Median, robust scatter and share of the good pixels.

    A pixel is good if its value is finite, it is not DO_NOT_USE, and its err is positive.

    Parameters
    ----------
    data : ndarray float32
        DN/s.
    dq : ndarray uint32
    err : ndarray, float16 or float32
        DN/s.

    Returns
    -------
    dict of str to float
        image_median; image_rms = 1.4826 × median |data - image_median|; good_pixel_fraction. NaN, NaN and 0 without
        a good pixel.
    """
    good = (dq & DO_NOT_USE) == 0
    good &= err > 0
    good &= np.isfinite(data)
    values = data[good]
    if not values.size:
        return {"image_median": float("nan"), "image_rms": float("nan"), "good_pixel_fraction": 0.0}
    share = values.size / data.size
    centre = median(values)
    values -= centre
    scatter = median(np.abs(values, out=values)) * values.dtype.type(MAD_TO_SIGMA)
    return {"image_median": float(centre), "image_rms": float(scatter), "good_pixel_fraction": share}


def median(values):
    """Median of finite numbers, in their own precision; reorders `values`."""
    half = values.size // 2
    values.partition(half)
    if values.size % 2:
        return values[half]
    return (values[:half].max() + values[half]) / values.dtype.type(2)
