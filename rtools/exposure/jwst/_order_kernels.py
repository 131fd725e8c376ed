"""Order and medians of few numbers, which is what ramps have, and of many."""

from rtools.compiled import njit

FEW, SOME = 16, 48
"""Up to so many numbers counting, and then insertion, is faster than any other way."""


@njit(nogil=True, cache=True)
def put_in_order(values, n, spare):
    """Sort the first n values; `spare` has room for them.

    Few are counted to their places, which takes no decisions that a processor could guess wrong.
    """
    if n > SOME:
        values[:n].sort()
        return
    if n <= FEW:
        for k in range(n):
            spare[k] = values[k]
        for k in range(n):
            value, place = spare[k], 0
            for j in range(n):
                place += 1 if spare[j] < value else 0
            for j in range(k):
                place += 1 if spare[j] == value else 0
            values[place] = value
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


@njit(nogil=True, cache=True)
def find_median(values, n, spare):
    """Median of the first n values, whose order changes; `spare` has room for them."""
    if n <= SOME:
        put_in_order(values, n, spare)
        return median_of_ordered(values, n)
    upper = _select(values, n, n // 2)
    if n % 2:
        return upper
    lower = values[0]
    for k in range(1, n // 2):
        lower = max(lower, values[k])
    return 0.5 * (lower + upper)


@njit(nogil=True, cache=True)
def _select(values, n, rank):
    """The value of a rank among the first n, which gets its place; smaller ones stand in front of it (Hoare's FIND)."""
    first, last = 0, n - 1
    while first < last:
        one, two, three = values[first], values[(first + last) // 2], values[last]
        pivot = max(min(one, two), min(max(one, two), three))
        i, j = first, last
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if rank <= j:
            last = j
        elif rank >= i:
            first = i
        else:
            break
    return values[rank]
