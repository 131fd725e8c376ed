"""One image in numbers: flags, sky, noise against the errors that it claims, and a small picture.

An image is looked at in bands of rows, one after another, so that it is never in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from rtools.work.statistics import MAD_TO_SIGMA

__all__ = ["BandOfRows", "ImageQuality", "measure_image"]

SAMPLES = 1 << 17
"""Pixels of a band by which sky and noise are measured, about: of an image the noise is then known to 0.2 percent."""


class BandOfRows(NamedTuple):
    """Some rows of an image.

    Attributes
    ----------
    data : ndarray float (rows, columns)
        The pixels.
    dq : ndarray of unsigned int (rows, columns) or None
        Their flags.
    err : ndarray float (rows or fewer, columns) or None
        Errors of the first of the rows; the noise is measured there.
    """

    data: np.ndarray
    dq: np.ndarray | None = None
    err: np.ndarray | None = None


class ImageQuality(NamedTuple):
    """What an image is like.

    Attributes
    ----------
    pixels : int
        How many there are.
    good : int
        Those that are finite, and not flagged as not to be used.
    flags : dict of str to int
        Name of each flag that is set to its number of pixels, most frequent first.
    sky : float
        Median of the good pixels.
    noise : float
        Scatter from pixel to pixel: of differences of pixels of a row, over the root of 2.
    expected : float
        Median of the errors of the same pixels.
    noise_ratio : float
        Scatter of these differences over their errors: 1 where the errors are honest. NaN without errors.
    picture : ndarray float32 (rows, columns)
        Means of blocks of good pixels; NaN where there is none.
    """

    pixels: int
    good: int
    flags: dict[str, int]
    sky: float
    noise: float
    expected: float
    noise_ratio: float
    picture: np.ndarray


def measure_image(
    bands: Iterable[BandOfRows], table: Mapping[str, int], *, block: int = 1, unusable: int = 0, lag: int = 1
) -> ImageQuality:
    """Measure an image, whatever its pixels hold.

    Parameters
    ----------
    bands : iterable of BandOfRows
        From the first row to the last. All but the last have a multiple of `block` rows.
    table : mapping of str to int
        Names of the bits of the flags.
    block : int
        Pixels along each side of what becomes one pixel of the picture.
    unusable : int
        Flags of pixels that do not count.
    lag : int
        Distance, in pixels of a row, of those whose differences tell the noise: larger than that over which the
        noise is correlated.

    Returns
    -------
    ImageQuality
    """
    with np.errstate(all="ignore"):  # a pixel may be as large as a float can be
        return _measured(bands, table, block, unusable, lag)


def _measured(bands, table, block, unusable, lag):
    pixels = good = 0
    flags: dict[str, int] = {}
    samples, pictures = [], []
    for band in bands:
        usable = np.isfinite(band.data)
        if band.dq is not None:
            _count_flags(band.dq, table, flags)
            usable &= (band.dq & band.dq.dtype.type(unusable)) == 0
        pixels += usable.size
        good += int(np.count_nonzero(usable))
        pictures.append(_block_means(band.data, usable, block))
        samples.append(_sample(band, usable, lag))
    picture = np.concatenate(pictures) if pictures else np.zeros((0, 0), np.float32)
    ordered = dict(sorted(flags.items(), key=lambda item: -item[1]))
    sky, noise, expected, ratio = _noise_of(samples)
    return ImageQuality(pixels, good, ordered, sky, noise, expected, ratio, picture)


def _count_flags(dq, table, counts):
    """Add the pixels of each flag; few pixels have one, so those that have none are left out first."""
    bits = dq.view(f"u{dq.dtype.itemsize}")
    flagged = bits[bits != 0]
    present = int(np.bitwise_or.reduce(flagged)) if flagged.size else 0
    for name, value in table.items():
        if present & value:
            counts[name] = counts.get(name, 0) + int(np.count_nonzero(flagged & bits.dtype.type(value)))


def _block_means(data, usable, block):
    """Means of blocks, those at the ends smaller; NaN without a usable pixel."""
    if block == 1:
        return np.where(usable, data, np.nan).astype(np.float32)
    rows, columns = (np.arange(0, length, block) for length in data.shape)
    values = np.where(usable, data, np.float32(0))
    total = np.add.reduceat(np.add.reduceat(values, rows, axis=0), columns, axis=1)  # whole rows are added quickly
    ones = usable.view(np.uint8) if block < 256 else usable.astype(np.int32)
    count = np.add.reduceat(np.add.reduceat(ones, rows, axis=0), columns, axis=1, dtype=np.int32)
    return np.where(count > 0, total / count, np.nan).astype(np.float32)


def _sample(band, usable, lag):
    """Of some pixels of a band: values, differences of pairs, errors, and the errors of these differences."""
    rows = slice(None) if band.err is None else slice(len(band.err))
    step = max(1, -(-band.data[rows].size // SAMPLES))
    data, usable = np.asarray(band.data[rows][::step], np.float32), usable[rows][::step]
    pairs = usable[:, lag:] & usable[:, :-lag]
    difference = data[:, lag:] - data[:, :-lag]
    if band.err is None:
        return data[usable], difference[pairs], None, None
    err = np.asarray(band.err[::step], np.float32)
    one, two = err[:, lag:], err[:, :-lag]
    pairs &= (one > 0) & (two > 0) & np.isfinite(one) & np.isfinite(two)
    return data[usable], difference[pairs], one[pairs], np.hypot(one[pairs], two[pairs])


def _noise_of(samples):
    """Sky, noise, expected noise and their ratio, of the samples of all bands."""
    if not samples:
        return np.nan, np.nan, np.nan, np.nan
    values, differences = (np.concatenate([one[number] for one in samples]) for number in (0, 1))
    sky = float(np.median(values)) if len(values) else np.nan
    noise = _scatter(differences) / np.sqrt(2)
    if any(one[2] is None for one in samples) or not len(differences):
        return sky, float(noise), np.nan, np.nan
    errors, together = (np.concatenate([one[number] for one in samples]) for number in (2, 3))
    return sky, float(noise), float(np.median(errors)), float(_scatter(differences / together))


def _scatter(values):
    return MAD_TO_SIGMA * np.median(np.abs(values - np.median(values))) if len(values) else np.nan
