"""Coverage maps of the sky (MOC) as FITS files, as the IVOA's recommendation 2.0 lays them out (NUNIQ)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rtools.products.io.staging import Stage

__all__ = ["stage_moc"]


def stage_moc(path: str | Path, cells: Mapping[int, np.ndarray], order: int) -> Stage:
    """Write a coverage map under a temporary name.

    Parameters
    ----------
    path : str or Path
        Where the file will appear.
    cells : mapping of int to ndarray
        Order to numbers of healpix cells, nested, ICRS.
    order : int
        Of the smallest cells that there could be.

    Returns
    -------
    rtools.products.io.staging.Stage
    """
    from astropy.io import fits
    from astropy_healpix import level_ipix_to_uniq

    numbers = [np.asarray(level_ipix_to_uniq(level, found), np.int64) for level, found in cells.items()]
    column = fits.Column("UNIQ", "K", array=np.sort(np.concatenate([np.zeros(0, np.int64), *numbers])))
    hdu = fits.BinTableHDU.from_columns([column])
    hdu.header.update(
        {
            "MOCVERS": ("2.0", "MOC version"),
            "MOCDIM": ("SPACE", "Physical dimension"),
            "ORDERING": ("NUNIQ", "Range or NUNIQ coding"),
            "COORDSYS": ("C", "Reference frame: ICRS"),
            "MOCORD_S": (order, "MOC resolution: best order"),
            "MOCORDER": (order, "MOC resolution: best order"),
            "PIXTYPE": ("HEALPIX", "HEALPix magic code"),
            "MOCTOOL": ("rtools", "Name of the MOC generator"),
        }
    )
    stage = Stage(path)
    with stage.open() as file, io.BytesIO() as whole:
        fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(whole)
        file.write(whole.getvalue())
    return stage
