"""The image of a pair: signal less pedestal in electrons, its noise, and which of its pixels count."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rtools.errors import InputError, UsageError

__all__ = [
    "AMP33",
    "ConverterCurve",
    "Difference",
    "Pairs",
    "Readout",
    "measure_share",
    "noise_variance",
    "take_difference",
]

AMP33 = ("none", "frame", "row")
"""How the reference output is used: not at all, its mean of a frame, or its rows."""

STAR_RADIUS = 5.0
"""Pixels about the star that tell nothing of the noise."""

LARGEST_DN = 65535
"""Where a stored pixel is bound."""


class ConverterCurve(NamedTuple):
    """Integral non-linearity of the converter of one channel.

    Attributes
    ----------
    columns : slice
        Columns of the window that it reads.
    value, correction : ndarray (n,)
        DN in increasing order, and DN to add there; linear in between, constant beyond the ends.
    """

    columns: slice
    value: NDArray[np.float64]
    correction: NDArray[np.float64]


class Readout(NamedTuple):
    """How the window's pixels turn charge into DN; one number for all, or an array (rows, columns) of the window.

    Attributes
    ----------
    gain : float or ndarray
        Electrons per DN.
    cds_noise : float or ndarray
        Noise of the difference of two single readings, electrons.
    saturation : float or ndarray or None
        DN at which a pixel is saturated, without the offset of the file; None: only where it is bound.
    masked : ndarray bool or None
        Pixels that are not used.
    linearity : ndarray or None
        Coefficients of the polynomial that makes DN linear, in ascending powers: (terms,) or (terms, rows, columns).
    pedestal_reads, signal_reads : int
        Readings that are averaged in a pedestal and in a signal.
    curves : tuple of ConverterCurve
        Integral non-linearity, taken away before the polynomial; of channels without one, nothing is.
    """

    gain: ArrayLike
    cds_noise: ArrayLike
    saturation: ArrayLike | None = None
    masked: NDArray[np.bool_] | None = None
    linearity: NDArray[np.float64] | None = None
    pedestal_reads: int = 2
    signal_reads: int = 2
    curves: tuple[ConverterCurve, ...] = ()


class Pairs(NamedTuple):
    """Some pairs of a stage as they are stored.

    Attributes
    ----------
    pedestal, signal : ndarray uint16 (n, rows, columns)
        DN.
    offsets : ndarray (n,)
        Constants that were added to the stored values, DN.
    min_bind, max_bind : ndarray bool (n, 2)
        Whether pixels of the pedestal and of the signal were bound to 0 and to 65535.
    amp33_pedestal, amp33_signal : ndarray uint16 (n, rows, reference columns) or None
        Reference output, DN.
    """

    pedestal: NDArray[np.uint16]
    signal: NDArray[np.uint16]
    offsets: NDArray[np.int32]
    min_bind: NDArray[np.bool_]
    max_bind: NDArray[np.bool_]
    amp33_pedestal: NDArray[np.uint16] | None = None
    amp33_signal: NDArray[np.uint16] | None = None


class Difference(NamedTuple):
    """Images of n pairs.

    Attributes
    ----------
    images : ndarray float32 (n, rows, columns)
        Signal less pedestal, electrons.
    masked : ndarray bool (n, rows, columns)
        Pixels that are not used: those of the mask, bound and saturated ones.
    variance : ndarray float32 (rows, columns)
        Of the reads, electrons². Photons are not in it.
    saturated : ndarray bool (n,)
        Pairs whose signal has a saturated pixel that is not of the mask.
    peak_dn : ndarray float32 (n,)
        Largest value of the signal without the offset, DN, of the pixels that are not of the mask.
    kappa : float or None
        Share of the reference output that was subtracted; None where none was.
    """

    images: NDArray[np.float32]
    masked: NDArray[np.bool_]
    variance: NDArray[np.float32]
    saturated: NDArray[np.bool_]
    peak_dn: NDArray[np.float32]
    kappa: float | None


def noise_variance(readout: Readout, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Variance of a difference image by the noise of reading.

    Parameters
    ----------
    readout : Readout
        Its noise of c electrons for two single readings, and p and s readings of pedestal and signal.
    shape : tuple of int
        Rows and columns of the window.

    Returns
    -------
    ndarray float32 (rows, columns)
        c² / 2 (1 / p + 1 / s), electrons².
    """
    shared = (1 / readout.pedestal_reads + 1 / readout.signal_reads) / 2
    return np.array(np.broadcast_to(np.square(readout.cds_noise) * shared, shape), np.float32)


def take_difference(
    pairs: Pairs,
    readout: Readout,
    *,
    amp33: str = "row",
    kappa: float | None = None,
    good: NDArray[np.bool_] | None = None,
) -> Difference:
    """Signal less pedestal of each pair, in electrons.

    Parameters
    ----------
    pairs : Pairs
        Pedestals and signals.
    readout : Readout
        Gain, noise, and what else is known of the window's pixels.
    amp33 : str
        What is done with the reference output, where there is one: ``none``, ``frame`` (its median of a pair is
        subtracted), or ``row`` (the medians of its rows).
    kappa : float, optional
        Share of the reference output to subtract. It is measured of these pairs if it is not given.
    good : ndarray bool (n,), optional
        Pairs of which it is measured; all by default.

    Returns
    -------
    Difference
        Images and masks.

    Raises
    ------
    UsageError
        `amp33` is not one of these words.
    InputError
        Pedestals and signals, or the reference output, have other shapes.

    Notes
    -----
    With a polynomial of linearity, both resultants go through it without their offset. Without, the offset cancels.
    Before that the non-linearity of the converter is added, where it is known.
    A pixel bound to 0 is masked where the flag of its resultant says that there are such, and a pixel bound to 65535
    likewise. Pixels of the signal at or above the saturation are masked.

    Of the reference output, the median a of each row is taken, in DN, less the median over the rows, and the share κ of
    it, times the gain, is subtracted. κ = Σ cov(a, b) / Σ var(a) over pairs, bound to 0 … 1, where b is the median of
    the row of the image at least 5 pixels off the star.
    """
    if amp33 not in AMP33:
        raise UsageError(f"--amp33 {amp33}: it is one of {', '.join(AMP33)}")
    n, shape = len(pairs.signal), pairs.signal.shape[1:]
    if pairs.pedestal.shape != pairs.signal.shape:
        raise InputError(f"pedestals {pairs.pedestal.shape} and signals {pairs.signal.shape} differ in shape")
    bad = np.zeros(shape, bool) if readout.masked is None else np.broadcast_to(readout.masked, shape)
    masked = np.repeat(bad[None], n, axis=0)
    saturated = _mask_bound(pairs, readout, bad, masked)
    peak = np.max(pairs.signal, axis=(1, 2), where=~bad, initial=0).astype(np.float32) - pairs.offsets
    images = _subtract(pairs, readout)
    if amp33 == "none" or pairs.amp33_signal is None or pairs.amp33_pedestal is None or not n:
        kappa = None
    else:
        rows = _reference_rows(pairs, amp33)
        gain = float(np.mean(np.asarray(readout.gain, float)))
        if kappa is None:
            known = np.ones(n, bool) if good is None else good
            kappa = measure_share(images[known] / gain, masked[known], rows[known]) if amp33 == "row" else 1.0
        images -= np.float32(kappa * gain) * rows[:, :, None]
    return Difference(images, masked, noise_variance(readout, shape), saturated, peak.astype(np.float32), kappa)


def _mask_bound(pairs, readout, bad, masked):
    """Mask pixels that are bound or saturated; which pairs are saturated."""
    over = pairs.signal >= LARGEST_DN
    if readout.saturation is not None:
        limit = np.broadcast_to(readout.saturation, pairs.signal.shape[1:])
        over |= pairs.signal >= limit + pairs.offsets[:, None, None]
    over &= ~bad
    masked |= over
    for which, resultants in enumerate((pairs.pedestal, pairs.signal)):
        if pairs.min_bind[:, which].any():
            masked |= (resultants == 0) & pairs.min_bind[:, which, None, None]
        if pairs.max_bind[:, which].any():
            masked |= (resultants == LARGEST_DN) & pairs.max_bind[:, which, None, None]
    return over.any(axis=(1, 2))


def _subtract(pairs, readout):
    """Differences in electrons, float32."""
    gain = np.asarray(readout.gain, np.float32)
    if readout.linearity is None and not readout.curves:
        return (pairs.signal.astype(np.int32) - pairs.pedestal).astype(np.float32) * gain
    signal, pedestal = (_linearise(resultants, pairs.offsets, readout) for resultants in (pairs.signal, pairs.pedestal))
    return ((signal - pedestal) * gain).astype(np.float32)


def _linearise(resultants, offsets, readout):
    """Resultants as they would be without the non-linearity of converter and pixels, DN without the offset."""
    whole = resultants - offsets[:, None, None].astype(np.int32)
    value = whole.astype(float)
    for curve in readout.curves:
        table = np.interp(np.arange(LARGEST_DN + 1), curve.value, curve.correction)
        value[..., curve.columns] += table[np.clip(whole[..., curve.columns], 0, LARGEST_DN)]
    if readout.linearity is None:
        return value
    coefficients = np.asarray(readout.linearity, float)
    if coefficients.ndim == 1:
        coefficients = coefficients[:, None, None]
    total = np.broadcast_to(coefficients[-1], value.shape)
    for coefficient in coefficients[-2::-1]:
        total = total * value + coefficient
    return total


def _reference_rows(pairs, amp33):
    """What the reference output says of each row of each pair, DN, float32 (n, rows)."""
    from rtools.guide._difference_kernels import fill_row_medians

    first, second = pairs.amp33_pedestal, pairs.amp33_signal
    n, rows = pairs.signal.shape[:2]
    if first.shape != second.shape or second.shape[:2] != (n, rows):
        raise InputError(f"reference output {first.shape}, {second.shape}; the windows are {pairs.signal.shape}")
    values = (second.astype(np.int32) - first).astype(np.float32)
    medians = np.empty((n, rows), np.float32)
    fill_row_medians(values, np.zeros((1, *values.shape[1:]), bool), medians)
    middle = np.median(medians, axis=1, keepdims=True)
    return medians - middle if amp33 == "row" else np.repeat(middle, rows, axis=1)


def measure_share(images: NDArray[np.float32], masked: NDArray[np.bool_], rows: NDArray[np.float32]) -> float:
    """Share of the reference output's rows that the images have.

    Parameters
    ----------
    images : ndarray float32 (n, rows, columns)
        Differences, DN.
    masked : ndarray bool (n, rows, columns)
        Pixels that are not used.
    rows : ndarray float32 (n, rows)
        Reference output by row, DN.

    Returns
    -------
    float
        Σ cov(a, b) / Σ var(a), within 0 … 1; 0 where the reference output does not vary. What stays the same from pair
        to pair, as the light of the star does, is taken off first.
    """
    from rtools.guide._difference_kernels import fill_row_medians

    if not len(images):
        return 0.0
    mean = np.mean(images, axis=0, dtype=float)
    y, x = np.unravel_index(np.argmax(mean), mean.shape)
    down, across = np.indices(mean.shape)
    star = np.hypot(across - x, down - y) <= STAR_RADIUS
    medians = np.empty(rows.shape, np.float32)
    fill_row_medians(images, masked | star, medians)
    known = np.isfinite(medians).all(axis=1)
    if known.sum() < 2:
        return 0.0
    a, b = _centred(rows[known]), _centred(medians[known])
    power = np.sum(a * a)
    return float(np.clip(np.sum(a * b) / power, 0.0, 1.0)) if power > 0 else 0.0


def _centred(rows):
    """Values less the mean of their pair and the mean of their row."""
    rows = rows - rows.mean(axis=1, keepdims=True, dtype=float)
    return rows - rows.mean(axis=0)
