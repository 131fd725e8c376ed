"""From numbers to shades: limits, stretches, and images made smaller or larger by whole factors.

About 16 bytes a pixel are in memory while an image is made smaller: 0.3 GiB for a full frame.
"""

import re
from typing import Any

import numpy as np

from rtools.errors import RtoolsError, UsageError

__all__ = [
    "STRETCHES",
    "deepest",
    "find_limits",
    "histogram",
    "magnify",
    "normalisation",
    "require_matplotlib",
    "shrink",
]

STRETCHES = {
    "asinh": "zscale",
    "linear": "zscale",
    "log": "99.5%",
    "sqrt": "99.5%",
    "zscale": "zscale",
    "percentile": "99%",
}
"""Stretch to the limits it has by default; ``zscale`` and ``percentile`` are linear between these."""

SOFTENING = {"asinh": 0.1, "log": 100.0}
"""Where asinh turns from linear to logarithmic, as a fraction of the range; the exponent of log."""

WIDEN = 4.0
"""asinh holds this many times the range that zscale finds above its lower limit: bright sources keep their shape."""

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"


def find_limits(values: np.ndarray, text: str | None = None, stretch: str = "asinh") -> tuple[float, float]:
    """Values shown as the darkest and the brightest shade.

    Parameters
    ----------
    values : ndarray
        What is shown; NaN and infinities do not count.
    text : str, optional
        ``zscale``, ``minmax``, ``99%`` (the central 99 percent), ``1%,99.5%``, or ``LOW,HIGH`` as numbers; by default
        what the stretch has.
    stretch : str
        One of `STRETCHES`.

    Returns
    -------
    (float, float)
        The second is larger than the first.

    Raises
    ------
    UsageError
        The text says no limits.
    """
    low, high = _found(np.asarray(values)[np.isfinite(values)], text, stretch)
    if not high - low > 1e-9 * max(abs(low), abs(high)):  # all values are the same
        return low - 0.5, low + 0.5
    return low, high


def _found(values, text, stretch):
    asked = text or STRETCHES[stretch]
    numbers = re.fullmatch(rf"\s*({_NUMBER})\s*,\s*({_NUMBER})\s*", asked)
    if numbers:
        low, high = map(float, numbers.groups())
        if not low < high:
            raise UsageError(f"--limits {asked}: the second is to be larger than the first")
        return low, high
    percents = _percents(asked)
    if not percents and asked not in ("zscale", "minmax"):
        raise UsageError(f"--limits {asked}: zscale, minmax, 99%, 1%,99.5% or LOW,HIGH expected")
    if not values.size:
        return 0.0, 1.0
    if percents:
        return tuple(float(value) for value in np.percentile(values, percents))
    if asked == "minmax":
        return float(values.min()), float(values.max())
    from astropy.visualization import ZScaleInterval

    low, high = map(float, ZScaleInterval().get_limits(values))
    if text is None and stretch == "asinh":
        high = min(low + WIDEN * (high - low), float(values.max()))
    return low, high


def _percents(text):
    """The two percentiles that a text says, or None."""
    found = re.fullmatch(rf"\s*({_NUMBER})%(?:\s*,\s*({_NUMBER})%)?\s*", text)
    if not found:
        return None
    first, second = found.groups()
    low, high = (50 - float(first) / 2, 50 + float(first) / 2) if second is None else (float(first), float(second))
    if not 0 <= low < high <= 100:
        raise UsageError(f"--limits {text}: percents from 0 to 100 expected")
    return low, high


def deepest(gap: np.ndarray) -> float:
    """The difference, of either sign, that has the deepest colour: one percent is beyond it.

    Parameters
    ----------
    gap : ndarray
        Differences; NaN does not count.

    Returns
    -------
    float
        Positive.
    """
    finite = np.abs(gap[np.isfinite(gap)])
    return float(np.percentile(finite, 99)) or float(finite.max()) or 1.0 if finite.size else 1.0


def require_matplotlib() -> None:
    """Stop with one line where matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise RtoolsError("showing images needs matplotlib", mend="pip install matplotlib") from None


def normalisation(low: float, high: float, stretch: str) -> Any:
    """What takes values to 0 … 1.

    Parameters
    ----------
    low, high : float
        Values that become 0 and 1.
    stretch : str
        One of `STRETCHES`.

    Returns
    -------
    astropy.visualization.ImageNormalize
        It clips, and keeps NaN.

    Raises
    ------
    RtoolsError
        matplotlib is not installed.
    """
    require_matplotlib()
    from astropy import visualization

    made = {
        "asinh": lambda: visualization.AsinhStretch(SOFTENING["asinh"]),
        "log": lambda: visualization.LogStretch(SOFTENING["log"]),
        "sqrt": visualization.SqrtStretch,
    }.get(stretch, visualization.LinearStretch)
    return visualization.ImageNormalize(vmin=low, vmax=high, stretch=made(), clip=True, invalid=None)


def shrink(data: np.ndarray, factor: int, *, highest: bool = False) -> np.ndarray:
    """Blocks of `factor` x `factor` pixels as one, the last ones of each axis smaller where the image ends.

    Parameters
    ----------
    data : ndarray
        The image.
    factor : int
        Pixels along each side of a block.
    highest : bool
        The highest value of a block instead of its mean, for flags and labels.

    Returns
    -------
    ndarray float32
        NaN where a block has no finite pixel.
    """
    if factor == 1:
        return data
    rows, columns = (np.arange(0, length, factor) for length in data.shape)
    if highest:
        return np.fmax.reduceat(np.fmax.reduceat(data, rows, axis=0), columns, axis=1)
    good = np.isfinite(data)
    total = np.add.reduceat(np.where(good, data, 0), rows, axis=0, dtype=np.float64)
    count = np.add.reduceat(good, rows, axis=0, dtype=np.int32)
    total, count = np.add.reduceat(total, columns, axis=1), np.add.reduceat(count, columns, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (total / count).astype(np.float32)


def magnify(data: np.ndarray, factor: int) -> np.ndarray:
    """Every pixel as `factor` x `factor` of them.

    Parameters
    ----------
    data : ndarray (rows, columns)
        The image.
    factor : int
        How often each pixel is repeated along either axis.

    Returns
    -------
    ndarray
        `factor` times as many rows and columns.
    """
    return data if factor == 1 else data.repeat(factor, axis=0).repeat(factor, axis=1)


def histogram(data: np.ndarray, limits: str | None, bins: int) -> tuple[np.ndarray, np.ndarray, int, int]:
    """Distribution of the finite values between limits, 99.8 percent of them by default.

    Parameters
    ----------
    data : ndarray
        Values of any shape; NaN and infinities are not counted.
    limits : str or None
        As in `find_limits`.
    bins : int
        At most so many.

    Returns
    -------
    (ndarray, ndarray, int, int)
        Edges of the bins, counts in them, and how many values are below and above.
    """
    values = data[np.isfinite(data)]
    low, high = find_limits(values, limits or "99.8%")
    if values.size and np.array_equal(values[:10000], np.floor(values[:10000])):  # bins of unequal number would comb
        low, width = np.floor(low), max(1, np.ceil((high - low + 1) / bins))
        edges = low - 0.5 + width * np.arange(int(np.ceil((high - low + 1) / width)) + 1)
    else:
        edges = np.linspace(low, high, bins + 1)
    counts = np.histogram(values, edges)[0]
    return edges, counts, int(np.count_nonzero(values < edges[0])), int(np.count_nonzero(values > edges[-1]))
