"""Compiled deblending: the pixels of a segment are taken from bright to faint, and basins grow and meet."""

import numpy as np

from rtools.catalog.detect._detect_kernels import root
from rtools.compiled import njit

__all__ = ["areas", "deblend_segments", "gather", "renumber"]


@njit(nogil=True, cache=True, error_model="numpy")
def areas(labels, counts):
    """Add up the pixels of each label."""
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            if labels[y, x]:
                counts[labels[y, x]] += 1


@njit(nogil=True, cache=True, error_model="numpy")
def gather(labels, places, pixels):
    """Write the pixels (y · nx + x, in raster order) of each label from its place on; -1 for labels left out."""
    nx = labels.shape[1]
    for y in range(labels.shape[0]):
        for x in range(nx):
            label = labels[y, x]
            if label and places[label] >= 0:
                pixels[places[label]] = y * nx + x
                places[label] += 1


@njit(nogil=True, cache=True, error_model="numpy")
def deblend_segments(image, labels, segments, limits, out, children):
    """Split segments; write the child (from 1 in raster order) of each pixel of those that fall apart.

    Parameters
    ----------
    image : float32 (ny, nx)
    labels : int32 (ny, nx)
    segments : tuple
        Labels, where their pixels start, where they end, and the pixels (`gather`).
    limits : tuple
        npixels, contrast, rise and floor: what a basin must have when it meets another, to stay apart.
    out : int32 (ny, nx)
        Zero on entry; zero again where a segment stays whole.
    children : int64
        By label: number of children, 0 for a whole segment.
    """
    wanted, starts, ends, pixels = segments
    for i in range(wanted.size):
        mine = pixels[starts[i] : ends[i]]
        children[wanted[i]] = _deblend(image, labels, mine, limits, out)


@njit(nogil=True, cache=True, error_model="numpy")
def _deblend(image, labels, pixels, limits, out):
    """Split one segment; returns its number of children, 0 if whole."""
    npixels, contrast, rise, floor = limits
    marks = out.ravel()
    flat = image.ravel()
    values = np.empty(pixels.size, np.float32)
    total = 0.0
    for i in range(pixels.size):
        value = flat[pixels[i]]
        values[i] = -value if value > -np.inf else np.float32(np.inf)
        total += max(-np.float64(values[i]), 0.0)
    order = np.argsort(values, kind="mergesort")
    parent, size = np.empty(pixels.size, np.int32), np.empty(pixels.size, np.int64)
    flux, peak = np.empty(pixels.size), np.empty(pixels.size)
    met = np.empty(8, np.int32)
    basins = 0
    for i in order:
        value = -np.float64(values[i])
        touched = _basins_around(flat, labels, pixels[i], marks, parent, met)
        if touched == 0:
            home = basins
            parent[home], size[home], flux[home], peak[home] = home, 0, 0.0, value
            basins += 1
        elif touched == 1:
            home = met[0]
        else:
            needs = npixels, contrast * total, max(value + rise, floor)
            home = _meet(met[:touched], needs, parent, size, flux, peak)
        size[home] += 1
        flux[home] += max(value, 0.0)
        marks[pixels[i]] = home + 1
    return _number(pixels, parent[:basins], marks)


@njit(nogil=True, cache=True, error_model="numpy")
def _basins_around(flat, labels, place, marks, parent, met):
    """Distinct basins among the neighbours of a pixel, that of the brightest neighbour first; returns how many."""
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
            basin = root(parent, marks[at] - 1)
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
def _meet(met, needs, parent, size, flux, peak):
    """Merge the basins that have too little; returns the basin of the pixel where they meet."""
    npixels, least, height = needs
    home = -1
    for basin in met:
        if size[basin] >= npixels and flux[basin] >= least and peak[basin] >= height:
            home = basin
            break
    if home < 0:
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
def _number(pixels, parent, marks):
    """Replace basins by the numbers of the children in raster order; returns how many, 0 for one."""
    numbers = np.zeros(parent.size, np.int32)
    count = 0
    for place in pixels:
        basin = root(parent, marks[place] - 1)
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
    """Turn numbers of children into labels, in place: first[label] for child 1 or for a whole segment."""
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            label = labels[y, x]
            if label:
                children[y, x] = first[label] + max(children[y, x] - 1, 0)
