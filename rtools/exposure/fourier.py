"""Inverse Fourier transforms of long real series, two at a time, in single precision.

A series of rows × 140 samples is too long for the cache. Its transform is taken in two shorter steps (Cooley & Tukey
1965) with rotations between them, and two real series ride in one complex transform as real and imaginary part: half
the time of a real transform as a whole.

With N = A B samples and the frequency k = p + A q, spectra are kept as arrays (p, q), p = 0 … A/2: the others follow,
as the spectrum of a real series at N - k is the conjugate of that at k. Real and imaginary parts are planes of their
own: float32 (2, A/2 + 1, B).
"""

from functools import lru_cache

import numpy as np

__all__ = ["arrange", "factors", "inverse", "rotations"]


@lru_cache(maxsize=4)
def factors(length: int) -> tuple[int, int]:
    """(A, B) with A B = length, A even and as near to the square root as can be.

    Parameters
    ----------
    length : int
        Samples of the series.

    Returns
    -------
    (int, int)
        A and B.

    Raises
    ------
    ValueError
        The length is odd.
    """
    if length % 2:
        raise ValueError(f"{length} samples: the length must be even")
    root = length**0.5
    first = min((n for n in range(2, length + 1, 2) if length % n == 0), key=lambda n: max(n / root, root / n))
    return first, length // first


@lru_cache(maxsize=2)
def rotations(length: int) -> np.ndarray:
    """exp(2πi p m / N) between the two steps.

    Parameters
    ----------
    length : int
        N, samples of the series.

    Returns
    -------
    ndarray complex64 (A, B)
        p along the first axis, m along the second; kept for the lengths that were asked for last.
    """
    first, second = factors(length)
    turns = np.outer(np.arange(first), np.arange(second)) / length
    return np.exp(2j * np.pi * turns).astype(np.complex64)


def arrange(spectrum: np.ndarray, length: int) -> np.ndarray:
    """The spectrum of a real series as this module keeps it.

    Parameters
    ----------
    spectrum : ndarray complex (length // 2 + 1,)
        Frequencies 0 … N / 2, as `numpy.fft.rfft` gives them.
    length : int
        N, samples of the series.

    Returns
    -------
    ndarray float32 (2, A/2 + 1, B)
        Real and imaginary part, at the frequency p + A q.
    """
    from rtools.exposure._refpix_kernels import spread

    first, second = factors(length)
    arranged = np.empty((2, first // 2 + 1, second), np.float32)
    spread(spectrum, first, arranged)
    return arranged


def inverse(spectra: np.ndarray) -> np.ndarray:
    """Transform two series back.

    Parameters
    ----------
    spectra : ndarray complex64 (A, B)
        Of a + i b at the frequency p + A q; overwritten.

    Returns
    -------
    ndarray float32 (A B, 2)
        The samples of a and b: `spectra`, seen otherwise.
    """
    np.fft.ifft(spectra, axis=1, out=spectra)
    spectra *= rotations(spectra.size)
    np.fft.ifft(spectra, axis=0, out=spectra)
    return spectra.reshape(-1, 1).view(np.float32)
