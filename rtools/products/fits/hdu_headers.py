"""Headers of image extensions and of the extension that holds a tree; tables of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.products.fits import pixel_types

if TYPE_CHECKING:
    from astropy.io import fits

__all__ = ["image_header", "table_hdu", "tree_header"]


def image_header(name: str, dtype: Any, shape: Sequence[int], *, flipped: bool, version: int | None = 1) -> fits.Header:
    """Header of an image extension.

    Parameters
    ----------
    name : str
        EXTNAME.
    dtype : numpy.dtype or str
        Type of the array; one of those in `pixel_types.STORED`.
    shape : sequence of int
        Slowest axis first.
    flipped : bool
        The sign of the pixels is shifted by BZERO.
    version : int or None
        EXTVER; None leaves it out.

    Returns
    -------
    astropy.io.fits.Header
    """
    from astropy.io import fits

    stored = pixel_types.stored_dtype(dtype)
    made = fits.ImageHDU(np.broadcast_to(np.zeros((), stored), tuple(shape)), name=name, ver=version).header
    if flipped:
        made["BSCALE"], made["BZERO"] = 1, pixel_types.ZEROS[np.dtype(dtype).name]
    return made


def tree_header(size: int, *, version: int | None = 1) -> fits.Header:
    """Header of the extension ASDF: a table of one row, whose one cell is an ASDF file.

    Parameters
    ----------
    size : int
        Bytes of that file.
    version : int or None
        EXTVER; None leaves it out.

    Returns
    -------
    astropy.io.fits.Header
    """
    made = table_hdu(np.zeros(1, [("ASDF_METADATA", np.uint8)]), name="ASDF", ver=version).header
    made["NAXIS1"], made["TFORM1"] = size, f"{size}B"
    return made


def table_hdu(rows: np.ndarray, **told: Any) -> fits.BinTableHDU:
    """A table extension of a structured array.

    `astropy.io.fits.BinTableHDU` imports astropy.table where rows are given at once, to see whether they are of it.
    That takes longer than most tools work on a small file.

    Parameters
    ----------
    rows : structured ndarray
        Fields are the columns; unsigned ones get TZERO, truth values are logical ones.
    **told
        ``name`` and ``ver`` as astropy takes them.

    Returns
    -------
    astropy.io.fits.BinTableHDU
    """
    from astropy.io import fits

    made = fits.BinTableHDU(**told)
    made.data = fits.FITS_rec.from_columns(fits.ColDefs(rows))
    return made
