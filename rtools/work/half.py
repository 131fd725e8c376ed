"""Half precision: what products store of errors and variances."""

import numpy as np

__all__ = ["round_to_half"]


def round_to_half(image: np.ndarray, plane: np.ndarray, first: int = 0) -> int:
    """Round an image into columns of a plane of half precision, to nearest, ties to even.

    Parameters
    ----------
    image : ndarray float32 (rows, n)
        What is rounded; other types and layouts are copied to contiguous float32 before.
    plane : ndarray float16 (rows, columns)
        Changed in columns [first, first + n).
    first : int
        Column of the plane where the image begins.

    Returns
    -------
    int
        Number of finite values that became infinite, because they are beyond the largest float16, 65504.
    """
    from rtools.work import _half_kernels

    image = np.ascontiguousarray(image, np.float32)
    return _half_kernels.round_to_half(image, image.view(np.uint32), plane.view(np.uint16), np.uint64(first))
