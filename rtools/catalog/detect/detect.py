"""Detection: connected pixels above a threshold."""

import numpy as np

__all__ = ["detect"]


def detect(
    smoothed: np.ndarray, threshold: float | np.ndarray, mask: np.ndarray, npixels: int
) -> tuple[np.ndarray, int]:
    """Label groups of connected pixels above a threshold.

    Parameters
    ----------
    smoothed : ndarray float32 (ny, nx)
        The image, smoothed.
    threshold : float or ndarray (ny, nx)
        In units of the image.
    mask : ndarray bool (ny, nx)
        True for pixels that belong to no source.
    npixels : int
        Pixels that a group must have; pixels that touch at a corner are connected.

    Returns
    -------
    labels : ndarray int32 (ny, nx)
        0 for background, sources from 1 in raster order of their first pixels.
    n : int
        Number of sources.
    """
    from rtools.catalog.detect._detect_kernels import count_runs, find_runs, label_runs, paint_runs

    image = np.ascontiguousarray(smoothed, np.float32)
    threshold = np.asarray(threshold, np.float32)
    limits = np.ascontiguousarray(threshold if threshold.ndim == 2 else np.full((1, image.shape[1]), threshold))
    mask = np.ascontiguousarray(mask, bool)
    starts = np.zeros(len(image) + 1, np.int64)
    count_runs(image, limits, mask, starts[1:])
    np.cumsum(starts, out=starts)
    runs = np.empty((starts[-1], 2), np.int32)
    find_runs(image, limits, mask, starts, runs)
    labels = np.empty(len(runs), np.int32)
    n = label_runs(starts, runs, npixels, labels)
    out = np.zeros(image.shape, np.int32)
    paint_runs(starts, runs, labels, out)
    return out, n
