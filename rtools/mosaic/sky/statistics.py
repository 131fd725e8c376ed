"""The sky value of a set of pixels: a clipped mean, median, mode or midpt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["DEFAULT", "KINDS", "SkyStatistic", "SkyValue", "sky_value"]

KINDS = ("mean", "median", "mode", "midpt")
"""In the order of the numbers that the compiled loops know them by."""


class SkyStatistic(NamedTuple):
    """Which statistic, of which values.

    Attributes
    ----------
    kind : str
        One of `KINDS`. Mode and midpt are read off a histogram; they are some 0.05 sigma low for a normal
        distribution.
    lower, upper : float or None
        Range of usable values.
    nclip : int
        Passes of clipping.
    lsigma, usigma : float
        Limits of clipping below and above the mean, standard deviations.
    binwidth : float
        Width of the histogram's bins, standard deviations.
    """

    kind: str = "median"
    lower: float | None = None
    upper: float | None = None
    nclip: int = 5
    lsigma: float = 4.0
    usigma: float = 4.0
    binwidth: float = 0.1

    def arguments(self) -> Any:
        """The same as the compiled loops take it: a `rtools.mosaic.sky._statistics_kernels.Clipped`."""
        from rtools.mosaic.sky._statistics_kernels import Clipped

        low, high = (np.nan if limit is None else float(limit) for limit in (self.lower, self.upper))
        clip = int(self.nclip), float(self.lsigma), float(self.usigma), float(self.binwidth)
        return Clipped(KINDS.index(self.kind), low, high, *clip)


class SkyValue(NamedTuple):
    """A statistic, NaN where there is none; the values that were left after clipping; their standard deviation."""

    value: float
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody wants of it
    spread: float


DEFAULT = SkyStatistic()


def sky_value(values: ArrayLike, statistic: SkyStatistic = DEFAULT) -> SkyValue:
    """Sky value of a set of pixels.

    Parameters
    ----------
    values : array_like
        Taken as float32; those that are not finite are left out.
    statistic : SkyStatistic
        Which statistic, of which of them.

    Returns
    -------
    SkyValue
        NaN, 0, NaN where no value is in range.
    """
    from rtools.mosaic.sky._statistics_kernels import evaluate

    values = np.ravel(np.asarray(values, np.float32))
    finite = np.isfinite(values)
    if not finite.all():
        values = values[finite]
    return SkyValue(*evaluate(np.ascontiguousarray(values), statistic.arguments()))
