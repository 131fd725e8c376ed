"""Compiled convolution of rows of an image with a separable kernel, masked pixels interpolated."""

import numpy as np

from rtools.compiled import njit

__all__ = ["smooth_rows"]


@njit(nogil=True, cache=True, error_model="numpy")
def smooth_rows(data, mask, taps, rows, out):
    """Convolve rows with taps along both axes.

    Masked and non-finite pixels have no weight, and those of the others are renormalised; outside the image are zeros
    with their weight.

    Parameters
    ----------
    data : float32 (ny, nx)
        The image.
    mask : bool (ny, nx)
        Pixels without weight.
    taps : tuple of float64 (k,)
        Along y and along x, k odd, correlated with the image (not flipped).
    rows : tuple of int
        First and last + 1.
    out : float32 (ny, nx)
        Receives these rows; NaN where all weights are zero.
    """
    ny, nx = data.shape
    along_y, along_x = taps
    reach_y, reach_x = along_y.size // 2, along_x.size // 2
    # Sums along y, with zeros (weight one) beyond both ends of the row.
    total, lost = np.zeros(nx + 2 * reach_x), np.zeros(nx + 2 * reach_x)
    for y in range(rows[0], rows[1]):
        total[:] = 0.0
        lost[:] = 0.0
        for j in range(max(0, reach_y - y), min(along_y.size, ny + reach_y - y)):
            source, holes, tap = data[y + j - reach_y], mask[y + j - reach_y], along_y[j]
            for x in range(nx):
                bad = holes[x] | ~(abs(source[x]) < np.inf)
                total[reach_x + x] += 0.0 if bad else tap * source[x]
                lost[reach_x + x] += tap if bad else 0.0
        target = out[y]
        whole = True
        for x in range(nx):
            whole &= lost[reach_x + x] == 0.0
        _along_row(total, lost, along_x, target, whole)


@njit(nogil=True, cache=True, error_model="numpy")
def _along_row(total, lost, taps, target, whole):
    """Sums along x; divided by the weight that was left where a pixel of the row was bad."""
    for x in range(target.size):
        value = 0.0
        for i in range(taps.size):
            value += taps[i] * total[x + i]
        target[x] = value
    if whole:
        return
    for x in range(target.size):
        gone = 0.0
        for i in range(taps.size):
            gone += taps[i] * lost[x + i]
        if gone > 0.0:
            target[x] = np.nan if gone > 1 - 1e-12 else target[x] / (1.0 - gone)
