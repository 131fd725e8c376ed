"""Correlated read noise of the nominal instrument, and the reference-pixel coefficients that remove most of it.

The noise, which is also what the simulator draws, is a series of 140 samples a row in the order in which a channel is
read: 1/f noise common to all channels and the reference output, 1/f noise and noise of alternating columns of each of
these alone, and white noise. The least-squares (Wiener) coefficients follow from their powers, frequency by frequency.

The correction sees, of a science channel x, the channels with the left and the right border, ℓ and r, of which the
first 4 samples of every 140 are kept, times 35, and the reference output a, whose 12 pauses a row are interpolated and
count here as if they had been read. Only the common noise is in x and in the others. The borders sample it once a row,
so that noise above half a cycle a row is folded onto their lower frequencies, and repeats at higher ones.
"""

from functools import lru_cache

import numpy as np

from rtools.wfi.frame import BORDER
from rtools.wfi.readout import ROW_SAMPLES

__all__ = ["noise_power", "wiener_coefficients"]


def noise_power(length: int, pink: float, alternating: float = 0.0) -> np.ndarray:
    """Power ∝ 1/f, and ∝ 1/(f_Nyquist - f) for noise that changes sign from column to column.

    Parameters
    ----------
    length : int
        Samples of the series, even.
    pink, alternating : float
        rms of either part.

    Returns
    -------
    ndarray float64, (length // 2 + 1,)
        Expected |X_k|² of ``X = rfft(series)``; zero at both ends.
    """
    order = np.arange(1, length // 2, dtype=np.float64)
    low, high = 1 / order, 1 / order[::-1]
    power = np.zeros(length // 2 + 1)
    power[1:-1] = length**2 / 2 * (pink**2 * low / low.sum() + alternating**2 * high / high.sum())
    return power


@lru_cache(maxsize=1)
def wiener_coefficients(
    rows: int, white: float, common: float, own: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients with which the borders and the reference output leave least noise in a science channel.

    With y = (ℓ + r) / 2, the mean of |x - g y - α a|² is least where g E|y|² + α E[a y*] = E[x y*] and
    g E[y a*] + α E|a|² = E[x a*]; all but E|y|² and E|a|² are the power of the common noise. The first and the last
    channel count as any other, although the noise of their own is in a border, too.

    Parameters
    ----------
    rows : int
        Rows of the frame.
    white, common : float
        White noise of a reference pixel and common 1/f noise, rms, in the same unit.
    own : tuple of float
        1/f noise and noise of alternating columns of a channel or the reference output alone, rms.

    Returns
    -------
    border, amp33 : ndarray float64, (70 rows + 1,)
        γ = ζ = g / 2, and α. At frequency 0 as at 1: the series have no mean there, but the lines that the correction
        fits to the rows at either end, and removes, leave in all of them a level that is common, too.
    """
    length = rows * ROW_SAMPLES
    shared = noise_power(length, common)
    alone = noise_power(length, *own) + length * white**2
    borders = _of_borders(shared + alone / 2, rows)
    determinant = borders * (shared + alone) - shared**2
    border, amp33 = shared * alone / determinant / 2, shared * (borders - shared) / determinant
    border[0], amp33[0] = border[1], amp33[1]
    return border, amp33


def _of_borders(power, rows):
    """Power of a series of which 4 samples of every 140 are kept, times 35.

    That is Σ_j |m_j|² power(k - j rows) over the 140 harmonics m_j of the comb: the autocovariance times the comb's.
    """
    kept = np.maximum(BORDER - np.abs(np.arange(-ROW_SAMPLES // 2, ROW_SAMPLES // 2)), 0)
    kept = np.fft.ifftshift(kept) * ROW_SAMPLES / BORDER**2
    return np.fft.rfft(np.fft.irfft(power) * np.tile(kept, rows)).real
