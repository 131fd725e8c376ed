"""Compiled deblending: the pixels of a segment are taken from bright to faint, and basins grow and meet.

This is watershed segmentation by immersion (Vincent & Soille 1991, IEEE Transactions on Pattern Analysis and Machine
Intelligence 13, 583) of the negative image, one pixel at a time; where basins meet, the weak ones are merged at once.
Basins are sets of a union-find structure (Tarjan & van Leeuwen 1984, Journal of the ACM 31, 245), rooted at the basin
that took the others in. docs/algorithms/catalog.md says what follows.
"""

from typing import NamedTuple

import numpy as np

from rtools.catalog.detect._detect_kernels import find_root
from rtools.compiled import njit

__all__ = ["BasinLimits", "LabelledImage", "PixelLists", "count_pixels", "deblend_segments", "list_pixels", "renumber"]

NEIGHBOURS = 8
"""Pixels that touch a pixel, those at its corners among them."""


class PixelLists(NamedTuple):
    """Pixels of segments.

    Attributes
    ----------
    labels : ndarray int64 (k,)
        The segments.
    starts, ends : ndarray int64 (k,)
        Where the pixels of each begin, and end, in `pixels`.
    pixels : ndarray int64
        y · columns + x, in raster order within each segment.
    """

    labels: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    pixels: np.ndarray


class LabelledImage(NamedTuple):
    """An image and the segments on it.

    Attributes
    ----------
    values : ndarray float32 (ny · nx,)
        The image, row by row; usually smoothed.
    labels : ndarray int32 (ny, nx)
        The segments; 0 is the sky.
    """

    values: np.ndarray
    labels: np.ndarray


class BasinLimits(NamedTuple):
    """What a basin must have where it meets another, to stay apart.

    Attributes
    ----------
    npixels : int
        Pixels above the saddle.
    contrast : float
        Share of the positive light of its segment.
    rise : float
        Height of its peak above the saddle.
    floor : float
        Height of its peak.
    """

    npixels: int
    contrast: float
    rise: float
    floor: float


class Basins(NamedTuple):
    """Basins of one segment, an element for each basin that was begun; what counts is at the roots.

    Attributes
    ----------
    parent : ndarray int32
        The basin that took this one in, or itself.
    size : ndarray int64
        Number of pixels.
    flux : ndarray float64
        Positive light.
    peak : ndarray float64
        Value of the brightest pixel.
    """

    parent: np.ndarray
    size: np.ndarray
    flux: np.ndarray
    peak: np.ndarray


@njit(nogil=True, cache=True, error_model="numpy")
def count_pixels(labels, counts):
    """Add up the pixels of each label.

    Parameters
    ----------
    labels : int32 (ny, nx)
        0 is the sky, and is not counted.
    counts : int64 (largest label + 1,)
        Added to.
    """
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            if labels[y, x]:
                counts[labels[y, x]] += 1


@njit(nogil=True, cache=True, error_model="numpy")
def list_pixels(labels, places, pixels):
    """Write the pixels of each label into a list, in raster order.

    Parameters
    ----------
    labels : int32 (ny, nx)
        0 is the sky.
    places : int64 (largest label + 1,)
        Where the pixels of each label begin in the list, -1 for labels left out; moved on to where they end.
    pixels : int64
        Receives y · nx + x.
    """
    nx = labels.shape[1]
    for y in range(labels.shape[0]):
        for x in range(nx):
            label = labels[y, x]
            if label and places[label] >= 0:
                pixels[places[label]] = y * nx + x
                places[label] += 1


@njit(nogil=True, cache=True, error_model="numpy")
def deblend_segments(image, lists, limits, out, children):
    """Split segments; write the child (from 1 in raster order) of each pixel of those that fall apart.

    Parameters
    ----------
    image : LabelledImage
        The image.
    lists : PixelLists
        The segments.
    limits : BasinLimits
        What a basin must have.
    out : int32 (ny, nx)
        Receives the children. Zero on entry; zero again where a segment stays whole.
    children : int64 (largest label + 1,)
        Receives the number of children of each segment, 0 for a whole one.
    """
    for i in range(lists.labels.size):
        mine = lists.pixels[lists.starts[i] : lists.ends[i]]
        children[lists.labels[i]] = _deblend(image, mine, limits, out)


@njit(nogil=True, cache=True, error_model="numpy")
def _deblend(image, pixels, limits, out):
    """Split one segment; returns its number of children, 0 if whole."""
    marks = out.ravel()
    values, total = _negate(image.values, pixels)
    n = pixels.size
    basins = Basins(np.empty(n, np.int32), np.empty(n, np.int64), np.empty(n), np.empty(n))
    parent, size, flux, peak = basins.parent, basins.size, basins.flux, basins.peak
    met = np.empty(NEIGHBOURS, np.int32)
    count = 0
    for i in np.argsort(values, kind="mergesort"):
        value = -np.float64(values[i])
        touched = _find_basins_around(image, pixels[i], marks, parent, met)
        if touched == 0:
            home = count
            parent[home], size[home], flux[home], peak[home] = home, 0, 0.0, value
            count += 1
        elif touched == 1:
            home = met[0]
        else:
            needs = limits.npixels, limits.contrast * total, max(value + limits.rise, limits.floor)
            home = _merge(met[:touched], needs, basins)
        size[home] += 1
        flux[home] += max(value, 0.0)
        marks[pixels[i]] = home + 1
    return _number_children(pixels, parent[:count], marks)


@njit(nogil=True, cache=True, error_model="numpy")
def _negate(flat, pixels):
    """Values of the pixels of a segment, negative so that sorting them begins with the brightest; sum of their light.

    NaN and -inf count as the faintest.
    """
    values = np.empty(pixels.size, np.float32)
    total = 0.0
    for i in range(pixels.size):
        value = flat[pixels[i]]
        values[i] = -value if value > -np.inf else np.float32(np.inf)
        total += max(-np.float64(values[i]), 0.0)
    return values, total


@njit(nogil=True, cache=True, error_model="numpy")
def _find_basins_around(image, place, marks, parent, met):
    """Distinct basins among the neighbours of a pixel, that of the brightest neighbour first; returns how many."""
    flat, labels = image.values, image.labels
    ny, nx = labels.shape
    y, x = place // nx, place % nx
    mine = labels[y, x]
    count = 0
    brightest = -np.inf
    for j in range(max(y - 1, 0), min(y + 2, ny)):
        for i in range(max(x - 1, 0), min(x + 2, nx)):
            at = j * nx + i
            if labels[j, i] != mine or marks[at] == 0:
                continue
            basin = find_root(parent, marks[at] - 1)
            k = 0
            while k < count and met[k] != basin:
                k += 1
            if k == count:
                met[k] = basin
                count += 1
            if flat[at] > brightest:
                brightest = flat[at]
                met[k], met[0] = met[0], basin
    return count


@njit(nogil=True, cache=True, error_model="numpy")
def _merge(met, needs, basins):
    """Merge the basins that have too little of pixels, light or height; returns that of the pixel where they meet."""
    npixels, least, height = needs
    parent, size, flux, peak = basins.parent, basins.size, basins.flux, basins.peak
    home = -1
    for basin in met:
        if size[basin] >= npixels and flux[basin] >= least and peak[basin] >= height:
            home = basin
            break
    if home < 0:  # none stays: the highest takes them all
        home = met[0]
        for basin in met:
            home = basin if peak[basin] > peak[home] else home
    for basin in met:
        weak = size[basin] < npixels or flux[basin] < least or peak[basin] < height
        if weak and basin != home:
            parent[basin] = home
            size[home] += size[basin]
            flux[home] += flux[basin]
            peak[home] = max(peak[home], peak[basin])
    return home


@njit(nogil=True, cache=True, error_model="numpy")
def _number_children(pixels, parent, marks):
    """Replace basins by the numbers of the children in raster order; returns how many, 0 for one."""
    numbers = np.zeros(parent.size, np.int32)
    count = 0
    for place in pixels:
        basin = find_root(parent, marks[place] - 1)
        if numbers[basin] == 0:
            count += 1
            numbers[basin] = count
        marks[place] = numbers[basin]
    if count == 1:
        for place in pixels:
            marks[place] = 0
        return 0
    return count


@njit(nogil=True, cache=True, error_model="numpy")
def renumber(labels, first, children):
    """Turn numbers of children into labels, in place.

    Parameters
    ----------
    labels : int32 (ny, nx)
        The segments as they were; 0 is the sky.
    first : int64 (largest label + 1,)
        New label of child 1, or of a whole segment.
    children : int32 (ny, nx)
        From 1, and 0 in whole segments; becomes the new labels.
    """
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            label = labels[y, x]
            if label:
                children[y, x] = first[label] + max(children[y, x] - 1, 0)
