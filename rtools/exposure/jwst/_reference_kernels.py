"""Reference pixels: clipped means of amplifiers, odd and even columns apart, and running medians along the sides."""

import math

import numpy as np

from rtools.compiled import njit


@njit(nogil=True, cache=True)
def clipped_mean(values, n, sigmas):
    """Mean of the first n values, those beyond so many standard deviations left out again and again until all stay.

    `values` is put into another order. Not a number where there is none.
    """
    while True:
        if n == 0:
            return np.nan
        total = 0.0
        for k in range(n):
            total += values[k]
        mean, spread = total / n, 0.0
        for k in range(n):
            spread += (values[k] - mean) ** 2
        limit, kept = sigmas * math.sqrt(spread / n), 0
        for k in range(n):
            if abs(values[k] - mean) <= limit:
                values[kept] = values[k]
                kept += 1
        if kept == n:
            return mean
        n = kept


@njit(nogil=True, cache=True)
def average_columns(pixels, bad, width, sigmas, both):
    """Clipped means of each amplifier of `width` columns, of even and odd columns, or of both together.

    pixels is float32 (rows, columns); the result (amplifiers, 2).
    """
    rows, columns = pixels.shape
    count = (columns + width - 1) // width
    made, values = np.empty((count, 2)), np.empty(rows * width)
    for one in range(count):
        for parity in range(2):
            n = 0
            for x in range(one * width, min((one + 1) * width, columns)):
                if not both and (x - parity) % 2:
                    continue
                for y in range(rows):
                    if not bad[y, x] and pixels[y, x] == pixels[y, x]:
                        values[n] = pixels[y, x]
                        n += 1
            made[one, parity] = clipped_mean(values, n, sigmas)
    return made


@njit(nogil=True, cache=True)
def run_median(pixels, bad, half):
    """Running median of a side over `half` rows either way, reflected at the ends; not a number without pixels."""
    rows, columns = pixels.shape
    made, values = np.empty(rows), np.empty((2 * half + 1) * columns)
    for y in range(rows):
        n = 0
        for step in range(y - half, y + half + 1):
            row = -step if step < 0 else 2 * (rows - 1) - step if step >= rows else step
            for x in range(columns):
                if not bad[row, x] and pixels[row, x] == pixels[row, x]:
                    values[n] = pixels[row, x]
                    n += 1
        part = values[:n]
        part.sort()
        made[y] = np.nan if n == 0 else part[n // 2] if n % 2 else 0.5 * (part[n // 2 - 1] + part[n // 2])
    return made
