"""How good a light curve is, by its own scatter."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtools.work.statistics import MAD_TO_SIGMA

__all__ = ["CurveQuality", "measure_curve"]


class CurveQuality(NamedTuple):
    """Numbers of a light curve.

    Attributes
    ----------
    scatter : float
        Robust scatter from one value to the next over the median; NaN where there are fewer than three values.
    ratio : float
        The same over the errors.
    missing : float
        Share of the values that are not known.
    """

    scatter: float
    ratio: float
    missing: float


def measure_curve(flux: np.ndarray, error: np.ndarray | None) -> CurveQuality:
    """How good a light curve is.

    The scatter is that of differences of neighbours over √2, so that slow changes of the star count little; the median
    of their absolute values makes it robust.

    Parameters
    ----------
    flux : ndarray of float
        Values in the order of time; NaN where not known.
    error : ndarray of float or None
        Their errors.

    Returns
    -------
    CurveQuality
    """
    known = np.isfinite(flux)
    missing = 1 - known.mean() if len(flux) else np.nan
    values = flux[known]
    if len(values) < 3:
        return CurveQuality(np.nan, np.nan, float(missing))
    steps = np.diff(values)
    sigma = MAD_TO_SIGMA * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2)
    expected = np.nan if error is None else np.nanmedian(error[known])
    ratio = sigma / expected if expected > 0 else np.nan
    return CurveQuality(float(sigma / abs(np.median(values))), float(ratio), float(missing))
