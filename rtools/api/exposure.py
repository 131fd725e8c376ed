"""Ramps and images of one detector, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rtools.api.asking import working

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

__all__ = ["FittedRamps", "ImageStatistics", "fit_ramps", "image_statistics"]


class FittedRamps(NamedTuple):
    """What is fitted to ramps; arrays of (rows, columns), float32 but for the flags.

    Attributes
    ----------
    data, err : ndarray
        Count rate and its error, DN/s.
    var_poisson, var_rnoise : ndarray
        Variances of photons and of read noise, (DN/s)².
    chisq, dumo : ndarray
        χ² of the fit, and the uniform-weight slope less the fitted one.
    dq : ndarray uint32
        Flags; JUMP_DET (4) where a jump was found, DO_NOT_USE (1) where there is no rate.
    """

    data: np.ndarray
    err: np.ndarray
    var_poisson: np.ndarray
    var_rnoise: np.ndarray
    chisq: np.ndarray
    dumo: np.ndarray
    dq: np.ndarray


def fit_ramps(
    resultants: ArrayLike,
    read_pattern: Sequence[Sequence[int]],
    frame_time: float,
    *,
    gain: ArrayLike,
    read_noise: ArrayLike,
    groupdq: ArrayLike | None = None,
    pixeldq: ArrayLike | None = None,
    threads: int = 1,
    **options: Any,
) -> FittedRamps:
    """Fit a count rate to the ramp of every pixel, and find jumps.

    The likelihood fit (Brandt 2024, PASP 136, 045004 and 045005) is the default; ``algorithm="ols_cas22"`` is that of
    Casertano et al. (2022). `docs/algorithms/rampfit.md` has the equations.

    Parameters
    ----------
    resultants : array_like (resultants, rows, columns)
        DN, linearised; science pixels alone, without the border of reference pixels.
    read_pattern : sequence of sequences of int
        Numbers of the reads, from 1 on, that each resultant is the mean of.
    frame_time : float
        Seconds from read to read.
    gain : array_like, scalar or (rows, columns)
        e-/DN.
    read_noise : array_like, scalar or (rows, columns)
        Of one read, DN.
    groupdq : array_like of uint8 (resultants, rows, columns), optional
        Flags of single resultants: those with DO_NOT_USE (1), SATURATED (2) or JUMP_DET (4) are left out.
    pixeldq : array_like of uint32 (rows, columns), optional
        Flags of pixels, which go on into `dq`.
    threads : int
        Threads that share the columns; 0 means all cores. The result does not depend on it.
    **options
        Of rt-rampfit, with underscores: ``threshold=5``, ``expand_large_events=True`` …

    Returns
    -------
    FittedRamps

    Raises
    ------
    InputError
        There are fewer than two resultants, or the read pattern is not theirs.
    UsageError
        An option does not exist or cannot have this value; arrays differ in shape.

    Examples
    --------
    A constant rate of 50 DN/s in resultants of 1, 2, 4 and 4 reads:

    >>> import numpy as np, rtools
    >>> read_pattern = [[1], [2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    >>> times = 3.04 * np.array([np.mean(reads) for reads in read_pattern])
    >>> ramps = 100 + 50 * times[:, None, None] * np.ones((1, 8, 8))
    >>> fitted = rtools.fit_ramps(ramps, read_pattern, 3.04, gain=1.8, read_noise=6.0)
    >>> bool(np.allclose(fitted.data, 50))
    True
    """
    from rtools.exposure.arrays import fit_arrays
    from rtools.exposure.steps.rampfit import STEP
    from rtools.pipeline.job.settings import check_options

    options = STEP.defaults() | check_options(STEP, options)
    flags = {"groupdq": groupdq, "pixeldq": pixeldq}
    with working(threads) as work:
        planes = fit_arrays(resultants, read_pattern, frame_time, options, gain=gain, read_noise=read_noise,
                            **flags, work=work)  # fmt: skip
    return FittedRamps(**planes)


class ImageStatistics(NamedTuple):
    """What `meta.statistics` says of an image.

    Attributes
    ----------
    median : float
        Of the good pixels.
    rms : float
        1.4826 × their median absolute deviation.
    good_fraction : float
        Share of the pixels that are good; with 0 the others are NaN.
    """

    median: float
    rms: float
    good_fraction: float


def image_statistics(
    data: np.ndarray, err: np.ndarray, dq: np.ndarray | None = None, *, threads: int = 1
) -> ImageStatistics:
    """Median and robust scatter of the good pixels of an image.

    Parameters
    ----------
    data, err : ndarray float32 (rows, columns)
        The image and its error; a pixel is good if its value is finite and its error positive.
    dq : ndarray uint32 (rows, columns), optional
        Its flags; pixels with DO_NOT_USE are not good.
    threads : int
        Threads that share the rows; 0 means all cores.

    Returns
    -------
    ImageStatistics

    Examples
    --------
    >>> import numpy as np, rtools
    >>> data = np.arange(25, dtype=np.float32).reshape(5, 5)
    >>> rtools.image_statistics(data, np.ones_like(data)).median
    12.0
    """
    import numpy as np

    from rtools.work.statistics import image_statistics

    data = np.asarray(data, np.float32)
    dq = None if dq is None else np.asarray(dq, np.uint32)
    with working(threads) as work:
        found = image_statistics(data, dq, np.asarray(err, np.float32), work)
    return ImageStatistics(found["image_median"], found["image_rms"], found["good_pixel_fraction"])
