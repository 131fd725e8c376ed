"""Images of reference stars moved to where the star of the target is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtools.coronagraphy.shifting import ImageTransform, shifted, transform_of
from rtools.work import ALONE, Work

__all__ = ["Moved", "Shift", "fit_shift", "fit_shifts", "moved_back"]

STEPS = 60
"""Steps of the fit at most."""

CLOSE = 1e-8
"""The fit has ended when a step is shorter, in pixels."""

ROUNDING = 1e-12
"""Share by which the sum of squares may rise in a step: near the minimum it is known no better."""

FAR = 1
"""Where the peak of the cross-correlation lies farther away, in pixels, the fit begins there, too."""


ROWS = 100
"""Rows of the images at a time in the sums of the fit."""


class Shift(NamedTuple):
    """How a reference lies: it is like the target's image, moved by dx and dy pixels and multiplied by beta.

    Attributes
    ----------
    dx, dy, beta : float
        To larger columns, to larger rows, and the factor.
    rms : float
        Weighted root mean square of what is left.
    """

    dx: float
    dy: float
    beta: float
    rms: float


class Moved(NamedTuple):
    """A reference in the frame of a target.

    Attributes
    ----------
    data, err : ndarray of float64
        (y, x); errors are not negative.
    dq : ndarray of uint32
        Flags of the nearest pixel of the reference.
    """

    data: np.ndarray
    err: np.ndarray
    dq: np.ndarray


def fit_shift(reference: np.ndarray, target: ImageTransform, weight: np.ndarray) -> Shift:
    """Least squares for shift and scale of a reference.

    .. math:: \\sum_{pixels} \\left[ m \\, (T - \\beta \\, I(x - dx, y - dy)) \\right]^2 \\to \\min

    by Levenberg and Marquardt (Marquardt 1963) from (0, 0, 1), with the derivatives of the shifted image as the Fourier
    plane gives them. Where the images lie more than a pixel apart, as their cross-correlation says, the fit begins
    there as well, and the better end counts.

    Parameters
    ----------
    reference : ndarray of float64
        T, finite.
    target : rtools.coronagraphy.shifting.ImageTransform
        Of the image I of the target.
    weight : ndarray of float64
        m: 1 where a pixel counts, 0 where it does not, or between.

    Returns
    -------
    Shift
        0, 0 and NaN where no pixel counts.
    """
    if not weight.any():
        return Shift(0.0, 0.0, np.nan, np.nan)
    begin = np.array([0.0, 0.0, 1.0])
    best = _descend(reference, target, weight, begin)
    far = _peak(reference, target, weight)
    if np.hypot(*(far - np.array(best[:2]))) > FAR:
        best = min(best, _descend(reference, target, weight, np.array([*far, 1.0])), key=lambda one: one.rms)
    return best


def _descend(reference, target, weight, begin):
    found, damping = begin, 1e-3
    image, slopes = target.moved(*found[:2]) if found[:2].any() else (target.at_rest[0], lambda: target.at_rest[1])
    rest = weight * (reference - found[2] * image)
    cost, curved, before, step = np.vdot(rest, rest), np.zeros((3, 3)), None, np.zeros(3)
    for _ in range(STEPS):
        normal, gradient = _equations([*slopes(), image], weight, rest)
        normal *= np.outer(*[[found[2], found[2], 1]] * 2)
        gradient *= [found[2], found[2], 1]
        if before is not None:
            curved = _curvature(curved, before - gradient - normal @ step, step)
        diagonal = np.diag(np.maximum(np.diag(normal), np.finfo(float).tiny))
        while True:
            step = np.linalg.solve(normal + curved + damping * diagonal, gradient)
            if step @ gradient < 0 and curved.any():  # uphill: what was learned of the curvature is no good here
                curved = np.zeros((3, 3))
                continue
            image, slopes = target.moved(*(found + step)[:2])
            left = weight * (reference - (found + step)[2] * image)
            lower = np.vdot(left, left)
            if lower <= cost * (1 + ROUNDING) or np.abs(step[:2]).max() < CLOSE:
                break
            damping *= 10
        found, rest, cost, before = found + step, left, lower, gradient
        damping = max(damping / 30, 1e-15)
        if np.abs(step[:2]).max() < CLOSE:
            break
    scale = max(np.sum(weight**2), np.finfo(float).tiny)
    return Shift(*map(float, found), float(np.sqrt(cost / scale)))


def _curvature(known, missed, step):
    """The second derivatives that the normal matrix lacks, so that they explain how the gradient has changed.

    Symmetric and of rank one (Broyden 1967), of the shift alone, because the scale is linear. Dennis, Gay and Welsch
    (1981) put such a matrix beside the normal one. Where the target's own noise makes its slopes, both are as large,
    and without it each step is half the last.
    """
    found = known.copy()
    missed, step = (missed - known @ step)[:2], step[:2]
    along = missed @ step
    if abs(along) > 1e-8 * np.linalg.norm(missed) * np.linalg.norm(step):
        found[:2, :2] += np.outer(missed, missed) / along
    return found


def _equations(columns, weight, rest):
    """Normal matrix and right side of least squares, of parts of the images, so that there is no copy of the whole."""
    normal, right = np.zeros((3, 3)), np.zeros(3)
    for start in range(0, len(rest), ROWS):
        part = slice(start, start + ROWS)
        weighted = np.array([(weight[part] * column[part]).ravel() for column in columns])
        normal += weighted @ weighted.T
        right += weighted @ rest[part].ravel()
    return normal, right


def _peak(reference, target, weight):
    """Whole pixels by which the reference lies apart: where its correlation with the target is largest.

    Lags reach a quarter of the image, so that with half of it empty beside it, nothing comes round from the other edge.
    """
    size = [_fast(length + length // 4) for length in target.shape]
    image = target.at_rest[0]
    one, other = weight * (reference - np.average(reference, weights=weight)), image - image.mean()
    spectra = [np.fft.rfft2(each, s=size, axes=(0, 1)) for each in (one, other)]
    correlation = np.fft.irfft2(spectra[0] * np.conj(spectra[1]), s=size, axes=(0, 1))
    y, x = (np.r_[0 : length // 4, -(length // 4) : 0] for length in target.shape)
    row, column = np.unravel_index(np.argmax(correlation[np.ix_(y, x)]), (len(y), len(x)))
    return np.array([x[column], y[row]], float)


def _fast(length):
    """The next larger length that is quickly transformed."""
    return min(factor << max(0, (-(-length // factor) - 1).bit_length()) for factor in (1, 3, 5))


def fit_shifts(target: np.ndarray, references: np.ndarray, weights: np.ndarray, *, work: Work = ALONE) -> list[Shift]:
    """How each of several references lies beside an image of the target.

    Parameters
    ----------
    target : ndarray
        One image, finite.
    references : ndarray
        (references, y, x), finite.
    weights : ndarray
        1 where a pixel counts in the fit, 0 where it does not: (y, x), or of the shape of the references.
    work : rtools.work.Work
        Threads.

    Returns
    -------
    list of Shift
    """
    transform = transform_of(np.asarray(target, np.float64))
    weights = np.broadcast_to(np.asarray(weights, np.float64), references.shape)
    pairs = zip(references, weights, strict=True)
    return work.map(lambda pair: fit_shift(np.asarray(pair[0], np.float64), transform, pair[1]), pairs)


def moved_back(image: np.ndarray, error: np.ndarray, flags: np.ndarray, shift: Shift, *, outside: int = 0) -> Moved:
    """A reference in the frame of the target.

    Parameters
    ----------
    image, error : ndarray
        (y, x), finite.
    flags : ndarray of uint32
        (y, x).
    shift : Shift
        How it lies.
    outside : int
        Flags of pixels whose nearest pixel lies beyond the edge of the reference.

    Returns
    -------
    Moved
    """
    data = shifted(image, -shift.dx, -shift.dy)
    return Moved(data, _moved_error(np.asarray(error, np.float64) ** 2, shift), _moved_flags(flags, shift, outside))


def _moved_error(variance, shift):
    """Root of the shifted variance, which the Fourier plane lets swing below what any pixel near has, or above."""
    y, x = _nearest(variance.shape, shift)
    low, high = (_extreme(variance, which)[np.ix_(y, x)] for which in (np.minimum, np.maximum))
    return np.sqrt(np.clip(shifted(variance, -shift.dx, -shift.dy), low, high))


def _extreme(image, which):
    """Least or largest of the three by three pixels about each."""
    found = np.pad(image, 1, mode="edge")
    for _axis in range(2):
        found = which(which(found[:-2], found[1:-1]), found[2:]).T
    return found


def _moved_flags(flags, shift, outside):
    """Flags of the nearest pixel before the image was moved back."""
    rows, columns = flags.shape
    moved = flags[np.ix_(*_nearest(flags.shape, shift))]
    y, x = (np.arange(size) + by for size, by in zip(flags.shape, _whole(flags.shape, shift), strict=True))
    beyond = ((y < 0) | (y >= rows))[:, np.newaxis] | ((x < 0) | (x >= columns))
    moved[beyond] |= np.uint32(outside)
    return moved


def _nearest(shape, shift):
    """Row and column of the nearest pixel, within the image."""
    return [np.clip(np.arange(size) + by, 0, size - 1) for size, by in zip(shape, _whole(shape, shift), strict=True)]


def _whole(shape, shift):
    """Whole rows and columns of a shift; where nothing of the image stays, no more than its size."""
    return [round(float(np.clip(by, -size, size))) for size, by in zip(shape, (shift.dy, shift.dx), strict=True)]
