"""Order and medians of few numbers, which is what ramps have."""

from rtools.compiled import njit

FEW = 48
"""Up to so many numbers insertion is faster than any other way."""


@njit(nogil=True, cache=True)
def put_in_order(values, n):
    """Sort the first n values."""
    if n > FEW:
        values[:n].sort()
        return
    for k in range(1, n):
        value = values[k]
        j = k
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value


@njit(nogil=True, cache=True)
def median_of_ordered(values, n):
    """Median of the first n values, which are in order."""
    return values[n // 2] if n % 2 else 0.5 * (values[n // 2 - 1] + values[n // 2])
