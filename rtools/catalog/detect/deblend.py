"""Deblending: segments fall apart where bright parts meet at a saddle.

The pixels of a segment are taken from bright to faint. A pixel that touches no earlier one starts a basin, others join
the basin that they touch, that of the brightest neighbour if there are several. Where basins meet, those with too few
pixels or too little light so far merge; the others stay apart for good. One pass does it, where the usual method
thresholds each segment at many levels and floods it from the markers that it found.
"""

from itertools import pairwise

import numpy as np

from rtools.work import ALONE, Work

__all__ = ["deblend"]

PARTS = 32
"""Lists into which the segments are divided for the threads."""


def deblend(
    labels: np.ndarray,
    smoothed: np.ndarray,
    npixels: int,
    *,
    contrast: float = 1e-4,
    rise: float = 0.0,
    floor: float = -np.inf,
    work: Work = ALONE,
) -> tuple[np.ndarray, int]:
    """Split segments into the sources they are made of.

    Parameters
    ----------
    labels : ndarray int32 (ny, nx)
        Labels from 1 without gaps, as `rtools.catalog.detect.detect` makes them; 0 for background.
    smoothed : ndarray float32 (ny, nx)
        The image, smoothed: noise would make basins of its own.
    npixels : int
        Pixels that a basin must have above the saddle. Segments with less than twice as many are left alone.
    contrast : float
        Share of the positive light of its segment that a basin must have above the saddle.
    rise : float
        Height of a basin's peak above the saddle, at least, in units of `smoothed`.
    floor : float
        Height of a basin's peak, at least.
    work : rtools.work.Work
        The result does not depend on its threads.

    Returns
    -------
    labels : ndarray int32 (ny, nx)
        Whole segments in their order, then the children of the others, parent by parent, in raster order within each.
    n : int
        Number of sources.
    """
    from rtools.catalog.detect import _deblend_kernels as kernels

    labels = np.ascontiguousarray(labels, np.int32)
    image = np.ascontiguousarray(smoothed, np.float32)
    n = int(labels.max(initial=0))
    counts = np.zeros(n + 1, np.int64)
    kernels.count_pixels(labels, counts)
    wanted = np.flatnonzero(counts >= 2 * npixels)
    wanted = wanted[wanted > 0]
    ends = np.cumsum(counts[wanted])
    starts = ends - counts[wanted]
    places = np.full(n + 1, -1, np.int64)
    places[wanted] = starts
    pixels = np.empty(ends[-1] if len(ends) else 0, np.int64)
    kernels.list_pixels(labels, places, pixels)
    out = np.zeros_like(labels)
    children = np.zeros(n + 1, np.int64)
    blends = kernels.LabelledImage(image.ravel(), labels)
    limits = kernels.BasinLimits(int(npixels), float(contrast), float(rise), float(floor))

    def split(part):
        lists = kernels.PixelLists(wanted[part], starts[part], ends[part], pixels)
        kernels.deblend_segments(blends, lists, limits, out, children)

    cuts = np.searchsorted(ends, np.linspace(0, len(pixels), PARTS + 1)[1:-1])
    edges = [0, *cuts.tolist(), len(wanted)]
    work.map(split, [slice(a, b) for a, b in pairwise(edges) if b > a])
    return out, _renumber(labels, children, out)


def _renumber(labels, children, out):
    """Give the final labels; returns their number."""
    from rtools.catalog.detect._deblend_kernels import renumber

    whole = (children == 0).astype(np.int64)
    whole[0] = 0
    first = np.cumsum(whole)
    split = children > 0
    after = first[-1] + np.cumsum(children)
    first[split] = after[split] - children[split] + 1
    renumber(labels, first, out)
    return int(after[-1])
