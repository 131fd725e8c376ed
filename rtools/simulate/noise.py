"""Correlated read noise: 1/f series in the order in which a channel's pixels are read.

A frame is a series of 140 samples a row, 128 pixels and 12 clocks of overhead. Frames are independent of each other, so
the mean of N of them is one series of 1/√N the amplitude, drawn once per resultant.
"""

import numpy as np

from rtools.reference import nominal
from rtools.reference.correlated import noise_power
from rtools.wfi.frame import CHANNEL
from rtools.wfi.readout import ROW_SAMPLES

__all__ = ["channel_rms", "image_of", "pink_series"]


def pink_series(generator, rows, pink, alternating=0.0):
    """A Gaussian series with power ∝ 1/f, and ∝ 1/(f_Nyquist - f) for noise that changes sign from column to column.

    Parameters
    ----------
    generator : numpy.random.Generator
    rows : int
        Length is 140 rows.
    pink, alternating : float
        rms of either part.

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


def channel_rms(reads, pink=None):
    """(pink, alternating, common) noise of the mean of so many reads, DN rms; `pink` electrons per frame, if given."""
    scale = 1 / (nominal.GAIN * np.sqrt(reads))
    return (
        (nominal.PINK_NOISE_E if pink is None else pink) * scale,
        nominal.ALTERNATING_NOISE_E * scale,
        nominal.COMMON_NOISE_E * scale,
    )


def image_of(series, channel):
    """The pixels of a channel, (…, rows, 128), of a series (…, 140 rows) in time order; odd channels are reversed."""
    pixels = series.reshape(*series.shape[:-1], -1, ROW_SAMPLES)[..., :CHANNEL]
    return pixels[..., ::-1] if channel % 2 else pixels
