"""Rates of JWST made images in MJy/sr: flat field, photometry, backgrounds.

An image is (rows, columns) or (integrations, rows, columns). Functions change the planes that they get, in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rtools.jwst.dq import PIXEL_FLAGS

__all__ = ["RatePlanes", "calibrate_flux", "divide_by_flat", "match_flags", "subtract_background"]

DO_NOT_USE = np.uint32(PIXEL_FLAGS["DO_NOT_USE"])
NO_FLAT = np.uint32(PIXEL_FLAGS["NO_FLAT_FIELD"])


@dataclass
class RatePlanes:
    """The planes of an image or of a stack of integrations.

    Attributes
    ----------
    data, err : ndarray float32 (…, rows, columns)
        The image and its standard deviation.
    dq : ndarray uint32, of the same shape
        Flags.
    var_poisson, var_rnoise : ndarray float32, of the same shape
        Variances from photons and from reading.
    var_flat : ndarray float32 or None
        Variance from the flat field; None before it is divided by it.
    area : ndarray float32 (rows, columns) or None
        Areas of pixels in units of the nominal one; None where they are not known.
    """

    data: np.ndarray
    err: np.ndarray
    dq: np.ndarray
    var_poisson: np.ndarray
    var_rnoise: np.ndarray
    var_flat: np.ndarray | None = None
    area: np.ndarray | None = None

    @property
    def variances(self) -> list[np.ndarray]:
        """The variances that there are."""
        return [one for one in (self.var_poisson, self.var_rnoise, self.var_flat) if one is not None]


def divide_by_flat(image: RatePlanes, flat: np.ndarray, flat_err: np.ndarray, flat_dq: np.ndarray) -> None:
    """Divide by the flat field; the variance of the flat is that of the corrected image.

    With F the flat field: data/F, var/F², var_flat = (data/F)² err_F²/F², err the root of the sum of variances.

    Parameters
    ----------
    image : RatePlanes
        A rate; changed, with `var_flat`.
    flat, flat_err : ndarray float32 (rows, columns)
        The flat field and its error.
    flat_dq : ndarray uint32 (rows, columns)
        Its flags. Where it is NO_FLAT_FIELD or DO_NOT_USE nothing is divided; 0 and not a number count as both.
    """
    none = ~np.isfinite(flat) | (flat == 0)
    flags = flat_dq | np.where(none, NO_FLAT | DO_NOT_USE, np.uint32(0))
    flat = np.where((flags & (NO_FLAT | DO_NOT_USE)) > 0, np.float32(1), flat)
    image.data /= flat
    square = flat * flat
    image.var_poisson /= square
    image.var_rnoise /= square
    with np.errstate(invalid="ignore"):
        image.var_flat = (image.data * image.data / square * (flat_err * flat_err)).astype(np.float32)
    np.sqrt(image.var_poisson + image.var_rnoise + image.var_flat, out=image.err)
    image.dq |= flags
    match_flags(image)


def match_flags(image: RatePlanes) -> None:
    """Make DO_NOT_USE and "not a number" agree: each makes the other, in all planes.

    Parameters
    ----------
    image : RatePlanes
        Changed.
    """
    planes = [image.data, image.err, *image.variances]
    bad = (image.dq & DO_NOT_USE) > 0
    for plane in planes:
        bad |= np.isnan(plane)
    image.dq[bad] |= DO_NOT_USE
    for plane in planes:
        plane[bad] = np.nan


def calibrate_flux(image: RatePlanes, factor: float) -> None:
    """Multiply by MJy/sr for each DN/s.

    Parameters
    ----------
    image : RatePlanes
        A rate in DN/s; becomes MJy/sr.
    factor : float
        PHOTMJSR.
    """
    factor32 = np.float32(factor)
    square = np.float32(factor32 * factor32)
    for plane in (image.data, image.err):
        plane *= factor32
    for plane in image.variances:
        plane *= square


def subtract_background(
    image: RatePlanes, backgrounds: Sequence[RatePlanes], sigma: float = 3.0, rounds: int | None = None
) -> None:
    """Subtract the clipped mean of background exposures.

    The variance of the mean, Σσ²/n² over the n samples that are kept, is added to that from reading, and the error is
    the root of the sum of variances. Where no sample is left the pixel is not a number, DO_NOT_USE, and has the
    backgrounds' flags; elsewhere it has none of these.

    Parameters
    ----------
    image : RatePlanes
        A rate or a stack of integrations, each of which loses the same background; changed.
    backgrounds : sequence of RatePlanes
        On the pixels of the image, not a number outside of their own. Samples that are DO_NOT_USE do not count. Of a
        stack of integrations the clipped mean over these is taken first.
    sigma : float
        Samples more than so many standard deviations from the median are left out.
    rounds : int, optional
        Rounds of clipping at most; until nothing changes by default.
    """
    means = [_mean_of(one, sigma, rounds) for one in backgrounds]
    level, kept = clipped_mean(np.stack([mean for mean, _variance, _dq in means]), sigma, rounds)
    of_mean = _variance_of(np.stack([variance for _mean, variance, _dq in means]), kept)
    lost = ~kept.any(axis=0)
    flags = np.bitwise_or.reduce([dq for _mean, _variance, dq in means])
    image.data -= level.astype(np.float32)
    image.dq |= np.where(lost, flags | DO_NOT_USE, np.uint32(0))
    image.var_rnoise += of_mean.astype(np.float32)
    for plane in image.variances:
        plane[..., lost] = 0
    np.sqrt(sum(image.variances), out=image.err)


def _mean_of(image, sigma, rounds):
    """Mean, variance of the mean and flags of one background exposure."""
    data = np.where((image.dq & DO_NOT_USE) > 0, np.float32(np.nan), image.data)
    variance = image.err.astype(np.float64) ** 2
    if data.ndim == 2:
        return data, variance, image.dq
    mean, kept = clipped_mean(data, sigma, rounds)
    return mean, _variance_of(variance, kept), np.bitwise_or.reduce(image.dq, axis=0)


def _variance_of(variances, kept):
    """Variance of the mean of the samples that are kept; 0 where none is."""
    count = kept.sum(axis=0)
    return np.where(kept, variances, 0).sum(axis=0) / np.maximum(count, 1).astype(np.float64) ** 2


def clipped_mean(samples: np.ndarray, sigma: float, rounds: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Mean along the first axis of the samples near the median; and which these are.

    Parameters
    ----------
    samples : ndarray (n, …)
        Samples that are not finite do not count.
    sigma : float
        Limit in standard deviations (of the population).
    rounds : int, optional
        At most so many; until nothing changes by default.

    Returns
    -------
    (ndarray float64, ndarray bool)
        Mean, not a number where nothing is left; and the samples that are kept.
    """
    values = samples.reshape(len(samples), -1).astype(np.float64)
    values[~np.isfinite(values)] = np.nan
    unsettled, left = np.arange(values.shape[1]), len(values) if rounds is None else rounds
    while unsettled.size and left > 0:
        part = values[:, unsettled]
        middle, spread = _middle_and_spread(part)
        far = np.abs(part - middle) > sigma * spread
        part[far] = np.nan
        values[:, unsettled] = part
        unsettled, left = unsettled[far.any(axis=0)], left - 1
    shape = samples.shape[1:]
    return _mean(values).reshape(shape), np.isfinite(values).reshape(samples.shape)


def _mean(values):
    """Mean along the first axis without what is not a number; not a number where nothing is left."""
    count = np.isfinite(values).sum(axis=0)
    return np.where(count > 0, np.nansum(values, axis=0) / np.maximum(count, 1), np.nan)


def _middle_and_spread(values):
    """Median and standard deviation along the first axis without what is not a number."""
    ordered = np.sort(values, axis=0)  # what is not a number comes last
    count = np.isfinite(values).sum(axis=0)
    ends = [np.take_along_axis(ordered, np.maximum(place, 0)[None], 0)[0] for place in ((count - 1) // 2, count // 2)]
    return (ends[0] + ends[1]) / 2, np.sqrt(_mean((values - _mean(values)) ** 2))
