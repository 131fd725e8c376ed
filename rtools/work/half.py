"""Half precision: what products store of errors and variances."""

import numpy as np

__all__ = ["round_to_half"]


def round_to_half(image, plane, first=0):
    """Round an image into columns of a plane of half precision, to nearest, ties to even.

    Parameters
    ----------
    image : ndarray float32 (rows, n)
    plane : ndarray float16 (rows, columns)
        Changed from column `first` on.
    first : int
        Column of the plane where the image begins.

    Returns
    -------
    int
        Finite values that became infinite.
    """
    from rtools.work import _half_kernels

    image = np.ascontiguousarray(image, np.float32)
    return _half_kernels.round_to_half(image, image.view(np.uint32), plane.view(np.uint16), np.uint64(first))
