"""Correlated read noise: 1/f series in the order in which a channel's pixels are read.

A frame is a series of 140 samples a row, 128 pixels and 12 clocks of overhead. Frames are independent of each other, so
the mean of N of them is one series of 1/√N the amplitude, drawn once per resultant.
"""

from __future__ import annotations

import numpy as np

from rtools.reference import nominal
from rtools.reference.correlated import noise_power
from rtools.wfi.frame import CHANNEL
from rtools.wfi.readout import ROW_SAMPLES

__all__ = ["channel_rms", "image_of", "pink_series"]


def pink_series(generator: np.random.Generator, rows: int, pink: float, alternating: float = 0.0) -> np.ndarray:
    """A Gaussian series with power ∝ 1/f, and ∝ 1/(f_Nyquist - f) for noise that changes sign from column to column.

    Parameters
    ----------
    generator : numpy.random.Generator
        Where the deviates come from.
    rows : int
        Length is 140 rows.
    pink, alternating : float
        rms of either part, in the unit of the series.

    Returns
    -------
    ndarray float32, (140 rows,)
        Mean zero, periodic.
    """
    from scipy.fft import irfft

    length = ROW_SAMPLES * rows
    spectrum = generator.standard_normal(2 * (length // 2 + 1), dtype=np.float32).view(np.complex64)
    spectrum *= np.sqrt(noise_power(length, pink, alternating) / 2).astype(np.float32)
    return irfft(spectrum, length, overwrite_x=True)


def channel_rms(reads: int, pink: float | None = None) -> tuple[float, float, float]:
    """Correlated noise in the mean of so many reads.

    Parameters
    ----------
    reads : int
        Number of reads N; noise falls as 1/√N.
    pink : float, optional
        1/f noise of a channel, electrons rms per frame; that of the nominal instrument by default.

    Returns
    -------
    (float, float, float)
        rms in DN of the 1/f noise of a channel, of the noise that alternates from column to column, and of the 1/f
        noise that all channels have in common; with the gain of the nominal instrument.
    """
    scale = 1 / (nominal.GAIN * np.sqrt(reads))
    return (
        (nominal.PINK_NOISE_E if pink is None else pink) * scale,
        nominal.ALTERNATING_NOISE_E * scale,
        nominal.COMMON_NOISE_E * scale,
    )


def image_of(series: np.ndarray, channel: int) -> np.ndarray:
    """The pixels of a channel, of a series in the order of time.

    Parameters
    ----------
    series : ndarray (…, 140 rows)
        Samples as they are read, from `pink_series`.
    channel : int
        Number of the channel; odd channels are reversed, because they are read from their last column.

    Returns
    -------
    ndarray, (…, rows, 128)
        A view: without the 12 samples of overhead of each row.
    """
    pixels = series.reshape(*series.shape[:-1], -1, ROW_SAMPLES)[..., :CHANNEL]
    return pixels[..., ::-1] if channel % 2 else pixels
