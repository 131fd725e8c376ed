"""Small images and coadds with a place on the sky, for tests of tools that ask where files are."""

import numpy as np

from rtools.products.io import writer
from tests.support.samples import arrays as sample_arrays
from tests.support.samples import meta as sample_meta
from tests.support.samples import wcs as sample_wcs


def image(path, *, kind="l2_image", place=(270.0, 66.0), size=100, scale=0.11 / 3600, change=()):
    """A product at a position, which is that of pixel 16, 16; `change`: keys of its metadata and their values."""
    meta, arrays = sample_meta(kind), sample_arrays(kind)
    meta["wcs"] = sample_wcs(scale, *place)
    shape = arrays["data"].shape[-2:]
    for name, array in arrays.items():
        if isinstance(array, np.ndarray) and array.shape[-2:] == shape:
            arrays[name] = np.zeros((*array.shape[:-2], size, size), array.dtype)
    for key, value in dict(change).items():
        block, _, field = key.partition(".")
        meta[block][field] = value
    writer.write_product(path, kind, meta, arrays, compression="lz4")
    return path
