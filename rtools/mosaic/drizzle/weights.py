"""Weights of a member's pixels, and the variances that they come from."""

from collections.abc import Mapping, Sequence

import numpy as np

from rtools.errors import UsageError
from rtools.mosaic.drizzle.options import WEIGHTS
from rtools.wfi import dq as flags

__all__ = ["GOOD_BITS", "bad_bits", "read_noise_variance", "sky_variance", "typical_noise", "weight_map"]

GOOD_BITS = "~DO_NOT_USE"

HALF_PRECISION = 2.0**-11
"""Relative rounding of a float16."""

UNSURE = 0.1
"""Where rounding may change a reconstructed read-noise variance by more than this share, it is not trusted alone."""

SAMPLE = 8
"""Every eighth row and column: 260,000 pixels of a detector settle a median to 0.003 of the scatter."""

CLIP, PASSES = 3.0, 5


def bad_bits(good_bits: str | int = GOOD_BITS, names: Mapping[str, int] = flags.PIXEL) -> int:
    """The DQ bits that make a pixel bad.

    Parameters
    ----------
    good_bits : str or int
        Flags to be ignored, by name or number, joined by + | or comma; after ``~`` the only flags that count. Empty:
        none are ignored.
    names : mapping of str to int
        The flags of a mission.

    Returns
    -------
    int
        The bits, as one number.
    """
    text = str(good_bits).strip()
    if text.startswith("~"):
        return flags.value(text[1:].strip().removeprefix("(").removesuffix(")"), names)
    return 0xFFFFFFFF & ~(flags.value(text, names) if text else 0)


def typical_noise(err: np.ndarray, others: Sequence[np.ndarray], good: np.ndarray) -> np.float32:
    """Read-noise variance of the faint pixels of a member that does not hold it.

    Parameters
    ----------
    err : ndarray
        Error of the member's data; (rows, columns).
    others : sequence of ndarray
        var_poisson, and var_flat where the member has it; same shape.
    good : ndarray bool
        Pixels to learn from.

    Returns
    -------
    float32
        Median of err² minus the other variances, of the good pixels with the lesser half of the light; NaN without any.
    """
    cut = (slice(None, None, SAMPLE),) * 2
    variance = err[cut] * err[cut]
    light = np.zeros_like(variance)
    for each in others:
        light += each[cut]
    variance -= light
    use = good[cut] & np.isfinite(light) & np.isfinite(variance)
    if not use.any():
        return np.float32(np.nan)
    light, variance = light[use], variance[use]
    return np.float32(np.median(variance[light <= np.median(light)]))


def read_noise_variance(err: np.ndarray, others: Sequence[np.ndarray], typical: float | np.float32) -> np.ndarray:
    """Read-noise variance of pixels of a member that does not hold it: err² minus the other variances.

    Where err² is so large that its rounding to half precision could hide the read noise, the result is not below that
    of the faint pixels; where it is not positive it is that.

    Parameters
    ----------
    err : ndarray
        Error of the member's data; (rows, columns).
    others : list of ndarray float32
        As in `typical_noise`.
    typical : float32
        `typical_noise`.

    Returns
    -------
    ndarray float32
        Positive, or NaN where err is.
    """
    total = err * err
    variance = total.copy()
    for each in others:
        variance -= each
    if not typical > 0:
        return np.where(variance > 0, variance, np.float32(np.nan))
    unsure = total * np.float32(2 * HALF_PRECISION) > np.float32(UNSURE) * typical
    low = (variance < typical) & unsure | (variance <= 0)
    variance[low] = typical
    return variance


def sky_variance(data: np.ndarray, var_poisson: np.ndarray, good: np.ndarray) -> float:
    """Poisson variance of the sky: the median of var_poisson where data are within 1 σ of the sky.

    Parameters
    ----------
    data, var_poisson : ndarray
        Of a member; (rows, columns).
    good : ndarray
        Pixels to learn from; same shape.

    Returns
    -------
    float
        Not negative; 0 without a good pixel.
    """
    cut = (slice(None, None, SAMPLE),) * 2 if data.size > 1 << 20 else (slice(None),) * 2
    data, var_poisson, good = data[cut], var_poisson[cut], good[cut]
    use = good & np.isfinite(data) & np.isfinite(var_poisson)
    values, noise = data[use], var_poisson[use]
    if not values.size:
        return 0.0
    middle, sigma = _clipped(values)
    return max(float(np.median(noise[np.abs(values - middle) <= sigma])), 0.0)


def _clipped(values):
    """Median and standard deviation (by quantiles) after clipping."""
    values = np.sort(values)
    for _ in range(PASSES):
        low, middle, high = np.quantile(values, (0.1587, 0.5, 0.8413))
        sigma = (high - low) / 2
        kept = values[np.abs(values - middle) <= CLIP * sigma]
        if kept.size == values.size or not kept.size:
            break
        values = kept
    return np.float32(middle), np.float32(sigma)


def weight_map(
    kind: str,
    data: np.ndarray,
    good: np.ndarray,
    *,
    var_rnoise: np.ndarray | None = None,
    sky: float = 0.0,
    exposure_time: float | None = None,
) -> np.ndarray:
    """Weights of a member's pixels.

    Parameters
    ----------
    kind : str
        ``ivm``: 1 / var_rnoise; ``ivm-sky``: 1 / (var_rnoise + sky); ``exptime``: the exposure time.
    data : ndarray float32
        NaN has no weight.
    good : ndarray
        Pixels that may have a weight; same shape.
    var_rnoise : ndarray, optional
        Read-noise variance, same shape; needed but for ``exptime``.
    sky : float
        `sky_variance`.
    exposure_time : float, optional
        s; unknown (None) is 1.

    Returns
    -------
    ndarray float32
        0 for bad pixels, NaN data, and variances that are not positive.

    Raises
    ------
    UsageError
        There is no such kind, or it needs var_rnoise.
    """
    from rtools.mosaic.drizzle._weights_kernels import constant, inverse

    if kind not in WEIGHTS:
        raise UsageError(f"no weight type is called {kind!r}", mend=f"there are {' '.join(WEIGHTS)}")
    weight = np.empty(data.shape, np.float32)
    if kind == "exptime":
        constant(data, good, np.float32(1 if exposure_time is None else exposure_time), weight)
    else:
        if var_rnoise is None:
            raise UsageError(f"{kind} weights need var_rnoise")
        inverse(data, good, (var_rnoise, np.float32(sky if kind == "ivm-sky" else 0)), weight)
    return weight
