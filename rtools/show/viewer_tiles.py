"""Images as tiles of a page: rounded to a part of the noise, packed, at several sizes.

A value v becomes the number round(K asinh((v - s) / k)) with s the median, and K and k so that steps are a quarter of
the noise near the median and 1/400 of the value far above it. Rounding adds q²/12 to the variance, half a percent here
(Pence et al. 2009, PASP 121, 414, on how noise bounds what of it can be compressed).
"""

from __future__ import annotations

import base64
import zlib
from typing import Any, NamedTuple

import numpy as np

from rtools.show.stretch import shrink
from rtools.work.statistics import MAD_TO_SIGMA

__all__ = ["TILE", "Codes", "code_values", "flag_levels", "levels_of", "packed", "value_levels", "values_of"]

TILE = 256
"""Pixels along a side of a tile."""

FACTOR = 4
"""How many times smaller each size is than the one before."""

PART = 0.25
"""Step of the numbers near the median, in units of the noise."""

KNEE = 100.0
"""Where steps begin to grow with the value, in units of the noise."""

MIDDLE = 32768
"""Number of the median; 0 is for pixels of which nothing is known."""


class Codes(NamedTuple):
    """How values became numbers.

    Attributes
    ----------
    zero : float
        The value of number `MIDDLE`.
    noise : float
        Robust scatter of the values.
    """

    zero: float
    noise: float

    @property
    def knee(self) -> float:
        """The value above `zero` where steps begin to grow."""
        return KNEE * self.noise

    @property
    def steps(self) -> float:
        """Numbers for each unit of the inverse hyperbolic sine."""
        return KNEE / PART


def codes_of(data: np.ndarray) -> Codes:
    """How the values of an image become numbers.

    Parameters
    ----------
    data : ndarray
        NaN where nothing is known.

    Returns
    -------
    Codes
    """
    sample = data.reshape(-1)[:: max(1, data.size >> 20)]
    known = sample[np.isfinite(sample)].astype(np.float64)
    if not known.size:
        return Codes(0.0, 1.0)
    zero = float(np.median(known))
    noise = MAD_TO_SIGMA * float(np.median(np.abs(known - zero)))
    return Codes(zero, noise or float(np.std(known)) / 10 or abs(zero) * 1e-3 or 1.0)


def code_values(data: np.ndarray, codes: Codes) -> np.ndarray:
    """Numbers of values.

    Parameters
    ----------
    data : ndarray
        NaN where nothing is known.
    codes : Codes
        How they become numbers.

    Returns
    -------
    ndarray uint16
        0 where nothing is known.
    """
    known = np.isfinite(data)
    scaled = np.arcsinh((np.where(known, data, codes.zero) - codes.zero) / codes.knee) * codes.steps
    return np.where(known, np.clip(np.round(scaled) + MIDDLE, 1, 65535), 0).astype(np.uint16)


def values_of(numbers: np.ndarray, codes: Codes) -> np.ndarray:
    """Values that numbers stand for.

    Parameters
    ----------
    numbers : ndarray uint16
        As `code_values` gives them.
    codes : Codes
        The same.

    Returns
    -------
    ndarray float64
        NaN where nothing is known.
    """
    found = codes.zero + codes.knee * np.sinh((numbers.astype(float) - MIDDLE) / codes.steps)
    return np.where(numbers > 0, found, np.nan)


def levels_of(shape: tuple[int, int]) -> int:
    """How many sizes an image has: the last fits into a tile or two.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.

    Returns
    -------
    int
        At least 1.
    """
    count, longest = 1, max(shape)
    while longest > 2 * TILE:
        count, longest = count + 1, -(-longest // FACTOR)
    return count


def value_levels(data: np.ndarray) -> tuple[Codes, list[dict[str, Any]]]:
    """An image as tiles at all sizes.

    Parameters
    ----------
    data : ndarray (rows, columns)
        NaN where nothing is known.

    Returns
    -------
    (Codes, list of dict)
        Of each size: factor, rows, columns, and tiles, packed, from the lower left row by row. Smaller sizes are means.
    """
    codes = codes_of(data)
    found = []
    for level in range(levels_of(data.shape)):
        factor = FACTOR**level
        found.append(_level(code_values(shrink(data, factor), codes), factor))
    return codes, found


def flag_levels(flags: np.ndarray) -> tuple[list[int], list[dict[str, Any]]]:
    """Flags as tiles at all sizes.

    Parameters
    ----------
    flags : ndarray of unsigned int (rows, columns)
        Flags of the pixels.

    Returns
    -------
    (list of int, list of dict)
        Which flags each number stands for; sizes as `value_levels` gives them. In smaller sizes a pixel has all flags
        of those that it stands for.
    """
    levels = []
    for level in range(levels_of(flags.shape)):
        factor = FACTOR**level
        rows, columns = (np.arange(0, length, factor) for length in flags.shape)
        levels.append((factor, np.bitwise_or.reduceat(np.bitwise_or.reduceat(flags, rows, axis=0), columns, axis=1)))
    table = np.unique(np.concatenate([np.unique(part) for _factor, part in levels]))
    if table.size > 65535:
        table = table[:65535]
    numbers = [(factor, np.searchsorted(table, part).clip(0, table.size - 1)) for factor, part in levels]
    return table.tolist(), [_level(part.astype(np.uint16), factor) for factor, part in numbers]


def _level(numbers, factor):
    rows, columns = numbers.shape
    tiles = [
        packed(numbers[top : top + TILE, left : left + TILE])
        for top in range(0, rows, TILE)
        for left in range(0, columns, TILE)
    ]
    return {"factor": factor, "rows": rows, "columns": columns, "tiles": tiles}


def packed(numbers: np.ndarray) -> str:
    """Numbers of two bytes as text: low bytes, then high bytes, deflated, in base64.

    Parameters
    ----------
    numbers : ndarray uint16
        Of any shape.

    Returns
    -------
    str
    """
    bytes_of = np.ascontiguousarray(numbers.reshape(-1), "<u2").view(np.uint8).reshape(-1, 2)
    return base64.b64encode(zlib.compress(bytes_of.T.tobytes(), 6)).decode()
