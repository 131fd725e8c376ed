"""Types of pixels in FITS files: what stands for each type of an array, and the bytes of one as those of the other."""

from typing import Any

import numpy as np

__all__ = ["BY_BITPIX", "STORED", "ZEROS", "decode", "encode", "stored_dtype"]

STORED = {
    "uint8": "u1",
    "int8": "u1",
    "int16": "i2",
    "uint16": "i2",
    "int32": "i4",
    "uint32": "i4",
    "int64": "i8",
    "uint64": "i8",
    "float16": "f4",
    "float32": "f4",
    "float64": "f8",
}
"""numpy type of an array to the type of FITS pixels; FITS has no others."""

BY_BITPIX: dict[int, np.dtype] = {
    bitpix: np.dtype(stored).newbyteorder(">")
    for bitpix, stored in ((8, "u1"), (16, "i2"), (32, "i4"), (64, "i8"), (-32, "f4"), (-64, "f8"))
}
"""Type of pixels as they are stored by BITPIX."""

ZEROS = {"int8": -128, "uint16": 1 << 15, "uint32": 1 << 31, "uint64": 1 << 63}
"""BZERO of types that FITS stores with another sign; the same as to flip the highest bit."""


def stored_dtype(dtype: Any) -> np.dtype:
    """Big-endian type that the pixels of an array have in the file.

    Parameters
    ----------
    dtype : numpy.dtype or str
        Of the array; one of those in `STORED`.

    Returns
    -------
    numpy.dtype
        Of unsigned bytes, signed integers or floats.
    """
    return np.dtype(STORED[np.dtype(dtype).name]).newbyteorder(">")


def encode(values: np.ndarray, *, flipped: bool) -> np.ndarray:
    """Pixels as the file has them: big-endian, perhaps with the highest bit flipped, which is what BZERO means.

    Parameters
    ----------
    values : ndarray
        C-contiguous, of a type in `STORED`.
    flipped : bool
        Flip the highest bit.

    Returns
    -------
    ndarray
        Of the type `stored_dtype` says.
    """
    native = values.dtype.newbyteorder("=")
    if native == np.float16:
        return values.astype(">f4")
    raw = values.astype(native, copy=False).view(STORED[native.name])
    if flipped:
        raw = raw ^ _highest_bit(raw.dtype)
    return raw.astype(raw.dtype.newbyteorder(">"), copy=False)


def decode(raw: np.ndarray, dtype: Any, *, flipped: bool) -> np.ndarray:
    """The array that `encode` was given, in native byte order.

    Parameters
    ----------
    raw : ndarray
        Pixels as the file has them.
    dtype : numpy.dtype or str
        Type of the array that was encoded.
    flipped : bool
        The highest bit is flipped in the file.

    Returns
    -------
    ndarray
        In native byte order.
    """
    dtype = np.dtype(dtype)
    raw = raw.astype(raw.dtype.newbyteorder("="))
    if dtype == np.float16:
        return raw.astype(dtype)
    if flipped:
        raw ^= _highest_bit(raw.dtype)
    return raw.view(dtype)


def _highest_bit(dtype):
    return np.array(0x80 if dtype == np.uint8 else np.iinfo(dtype).min, dtype)
