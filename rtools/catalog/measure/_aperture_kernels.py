"""Compiled parts of apertures about given places: sums in circles, clipped medians in rings.

A pixel that cannot be used is replaced by the one on the other side of the centre: light of a source is much the same
there, while leaving the pixel out would lose its share.
"""

import math
from typing import NamedTuple

import numpy as np

from rtools.catalog.measure._pixel_kernels import is_good, is_usable
from rtools.compiled import njit
from rtools.work.overlap import overlap_circle

__all__ = ["RoundApertures", "measure_rings", "sum_circles"]

CLIPS = 5
"""Times that values are clipped, at most."""

CLIP_AT = 3.0
"""Values beyond so many standard deviations from the median are clipped."""

FAR = 1e7
"""Pixels: a place or a radius beyond this has no pixel of an image, and must not become an index."""

LARGEST_RING = 1e4
"""Pixels: memory of a ring grows with the square of its radius."""


class RoundApertures(NamedTuple):
    """Circles or rings about sources.

    Attributes
    ----------
    labels : ndarray int32 (n,)
        Of the sources.
    centres : ndarray float64 (n, 2)
        x and y, pixels; NaN allowed.
    radii : ndarray float64 (n, k)
        Rising, pixels; of a ring the inner one and the outer one.
    levels : ndarray float64 (n,)
        Sky about each source, which circles take off the pixels.
    whole_variance : bool
        Of a pixel of which a circle has the share w, count w of the variance, not w².
    """

    labels: np.ndarray
    centres: np.ndarray
    radii: np.ndarray
    levels: np.ndarray
    whole_variance: bool


@njit(cache=True, nogil=True)
def sum_circles(pixels, circles, out, first, last):
    """Flux, variance and share of replaced pixels in the circles about sources [first, last).

    Parameters
    ----------
    pixels : SourcePixels
        The images.
    circles : RoundApertures
        The circles.
    out : ndarray float64 (n, 3, k)
        Receives the three for each source and radius; NaN where no pixel of the image is in the circle.
    first, last : int
        Which sources.
    """
    count = circles.radii.shape[1]
    area = np.empty(count)
    for i in range(first, last):
        out[i] = 0.0
        area[:] = 0.0
        _sum_about(pixels, circles, i, out[i], area)
        for r in range(count):
            if area[r] > 0:
                out[i, 2, r] /= area[r]
            else:
                out[i, :, r] = np.nan


@njit(cache=True, nogil=True)
def _sum_about(pixels, circles, i, sums, area):
    """Add up flux, variance, replaced area and area in the circles about one source.

    Errors of pixels are independent: a pixel of which the circle has the share w adds w² of its variance. With
    `whole_variance` it adds w, which is more.
    """
    x, y = circles.centres[i]
    radii, label, level = circles.radii[i], circles.labels[i], circles.levels[i]
    largest = radii[radii.size - 1]
    # Also false for NaN.
    if not (abs(x) < FAR and abs(y) < FAR and largest < FAR):
        return
    data, err, mask = pixels.data, pixels.err, pixels.mask
    rows, columns = data.shape
    for j in range(max(math.floor(y - largest + 0.5), 0), min(math.floor(y + largest + 0.5), rows - 1) + 1):
        for k in range(max(math.floor(x - largest + 0.5), 0), min(math.floor(x + largest + 0.5), columns - 1) + 1):
            dx, dy = k - x, j - y
            # Squared distances of the pixel's nearest and farthest point, for what lies wholly outside or inside.
            near2 = max(abs(dx) - 0.5, 0.0) ** 2 + max(abs(dy) - 0.5, 0.0) ** 2
            if near2 >= largest * largest:
                continue
            far2 = (abs(dx) + 0.5) ** 2 + (abs(dy) + 0.5) ** 2
            good = is_good(data[j, k], mask[j, k])
            jj, kk = (j, k) if good else _find_opposite(pixels, label, (x, y), (k, j))
            value, variance = 0.0, 0.0
            if jj >= 0:
                value, variance = np.float64(data[jj, kk]) - level, np.float64(err[jj, kk]) ** 2
            for r in range(radii.size - 1, -1, -1):
                radius2 = radii[r] * radii[r]
                if near2 >= radius2:
                    break
                weight = 1.0 if far2 <= radius2 else overlap_circle(dx, dy, radii[r])
                area[r] += weight
                sums[0, r] += weight * value
                sums[1, r] += (weight if circles.whole_variance else weight * weight) * variance
                if not good:
                    sums[2, r] += weight
                    if jj >= 0 and not circles.whole_variance:
                        # It stands here and in its own place: (w + w')² of its variance, not w² + w'².
                        own = max(overlap_circle(kk - x, jj - y, radii[r]), 0.0)
                        sums[1, r] += 2 * weight * own * variance


@njit(cache=True, nogil=True)
def _find_opposite(pixels, label, centre, pixel):
    """The pixel (y, x) on the other side of the centre; (-1, -1) if it is bad, another source's or off the image."""
    x, y = math.floor(2 * centre[0] - pixel[0] + 0.5), math.floor(2 * centre[1] - pixel[1] + 0.5)
    data, mask, labels = pixels.data, pixels.mask, pixels.labels
    rows, columns = data.shape
    if x < 0 or y < 0 or x >= columns or y >= rows:
        return -1, -1
    return (y, x) if is_usable(data[y, x], mask[y, x], labels[y, x], label) else (-1, -1)


@njit(cache=True, nogil=True)
def measure_rings(pixels, rings, out, first, last):
    """Clipped median, standard deviation and count of the pixels whose centres are in the rings of [first, last).

    Parameters
    ----------
    pixels : SourcePixels
        The images.
    rings : RoundApertures
        The rings.
    out : ndarray float64 (n, 3)
        Receives the three for each source. The count leaves out the share of the pixels that were replaced; where all
        were, or would have to be, everything is NaN.
    first, last : int
        Which sources.
    """
    values = np.empty(0)
    for i in range(first, last):
        out[i] = np.nan
        x, y = rings.centres[i]
        outer = rings.radii[i, 1]
        # Also false for NaN.
        if not (abs(x) < FAR and abs(y) < FAR and outer < LARGEST_RING):
            continue
        if values.size < (int(2 * outer) + 3) ** 2:
            values = np.empty((int(2 * outer) + 3) ** 2)
        count, replaced = _gather_ring(pixels, rings, i, values)
        if count == replaced:
            continue
        median, scatter, left = _clip(np.sort(values[:count]))
        out[i, 0], out[i, 1], out[i, 2] = median, scatter, left * (count - replaced) / count


@njit(cache=True, nogil=True)
def _gather_ring(pixels, rings, i, values):
    """Values of the pixels of a ring; returns how many there are, and how many of them stand for others.

    A bad pixel that none can stand for is left out: what the sky is, is asked here.
    """
    data, mask, label = pixels.data, pixels.mask, rings.labels[i]
    rows, columns = data.shape
    x, y = rings.centres[i]
    inner, outer = rings.radii[i]
    inner2, outer2 = inner * inner, outer * outer
    count, replaced = 0, 0
    for j in range(max(math.ceil(y - outer), 0), min(math.floor(y + outer), rows - 1) + 1):
        dy2 = (j - y) ** 2
        reach, hole = math.sqrt(max(outer2 - dy2, 0.0)), math.sqrt(max(inner2 - dy2, 0.0))
        k = max(math.ceil(x - reach), 0)
        last = min(math.floor(x + reach), columns - 1)
        while k <= last:
            if abs(k - x) < hole:  # on to the other side
                k = max(k, math.floor(x + hole)) + 1
                continue
            value = np.float64(data[j, k])
            if not is_good(data[j, k], mask[j, k]):
                jj, kk = _find_opposite(pixels, label, (x, y), (k, j))
                if jj < 0:
                    k += 1
                    continue
                value = np.float64(data[jj, kk])
                replaced += 1
            values[count] = value
            count += 1
            k += 1
    return count, replaced


@njit(cache=True, nogil=True)
def _clip(values):
    """Median, standard deviation and number of the sorted values that remain within 3 sigma of the median.

    The values that remain are always a range of the sorted ones.
    """
    first, last = 0, values.size
    median, scatter = np.nan, np.nan
    for turn in range(CLIPS + 1):
        count = last - first
        if count == 0:
            break
        median = 0.5 * (values[first + (count - 1) // 2] + values[first + count // 2])
        mean, squares = 0.0, 0.0
        for i in range(first, last):
            mean += values[i] - median
        mean = median + mean / count
        for i in range(first, last):
            squares += (values[i] - mean) ** 2
        scatter = math.sqrt(squares / count)
        if turn == CLIPS:
            break
        while first < last and values[first] < median - CLIP_AT * scatter:
            first += 1
        while last > first and values[last - 1] > median + CLIP_AT * scatter:
            last -= 1
        if last - first == count:
            break
    return median, scatter, last - first
