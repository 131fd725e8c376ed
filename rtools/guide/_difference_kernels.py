"""Compiled medians of rows."""

import numpy as np

from rtools.compiled import njit

__all__ = ["fill_row_medians"]


@njit(nogil=True, cache=True, error_model="numpy")
def fill_row_medians(images, masked, medians):
    """Median of each row of each image.

    Parameters
    ----------
    images : float32 (n, rows, columns)
        Values.
    masked : bool (n or 1, rows, columns)
        Pixels that do not count; one plane serves all images.
    medians : float32 (n, rows)
        Receives the medians; NaN where no pixel of the row counts.
    """
    values = np.empty(images.shape[2], np.float32)
    for k in range(images.shape[0]):
        plane = k if masked.shape[0] > 1 else 0
        for j in range(images.shape[1]):
            count = 0
            for i in range(images.shape[2]):
                if not masked[plane, j, i]:
                    values[count] = images[k, j, i]
                    count += 1
            medians[k, j] = np.median(values[:count]) if count else np.nan
