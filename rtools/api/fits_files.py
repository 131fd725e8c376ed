"""Products as FITS files and back."""

from __future__ import annotations

from pathlib import Path

from rtools.api.asking import free_path, told, warn, working

__all__ = ["from_fits", "to_fits"]


def to_fits(
    file: str | Path,
    output: str | Path | None = None,
    *,
    sip_error: float | None = 0.01,
    compressed: bool = False,
    overwrite: bool = False,
    threads: int = 1,
) -> Path:
    """Write a product as FITS: images with a SIP header, tables, and the whole tree, so that `from_fits` leads back.

    Parameters
    ----------
    file : str or Path
        A product or reference file.
    output : str or Path, optional
        By default beside it, with the extension ``.fits``.
    sip_error : float or None
        Largest error of the header's WCS, pixels; None takes any, with a warning.
    compressed : bool
        Store the images in tiles compressed without loss.
    overwrite : bool
        Replace a file that exists.
    threads : int
        Threads that read; 0 means all cores.

    Returns
    -------
    Path
        Of the FITS file.

    Raises
    ------
    QualityError
        No header is as good as `sip_error` says.
    RtoolsError
        The file exists, or cannot be written.

    Examples
    --------
    >>> import rtools
    >>> fits = rtools.to_fits("r0000101001001001001_0001_wfi01_f158_cal.asdf")
    >>> fits.name
    'r0000101001001001001_0001_wfi01_f158_cal.fits'
    >>> back = rtools.from_fits(fits, "back_cal.asdf")
    >>> rtools.compare("r0000101001001001001_0001_wfi01_f158_cal.asdf", back).arrays
    []
    """
    from rtools.pipeline.astrometry.fits_header import sky_cards
    from rtools.products.fits import stage_fits
    from rtools.products.io import open_product

    path = free_path(Path(file).with_suffix(".fits") if output is None else output, overwrite=overwrite)
    with open_product(file) as product, working(threads) as work:
        sky = sky_cards(product, limit=sip_error, log=warn)
        stage = stage_fits(path, product, sky=sky, compressed=compressed, work=work)
    stage.commit()
    return told(stage, path)


def from_fits(
    file: str | Path,
    output: str | Path | None = None,
    *,
    compression: str | None = None,
    overwrite: bool = False,
    threads: int = 1,
) -> Path:
    """Write the product that a FITS file of `to_fits` holds; pixels that were edited in the FITS file are taken.

    Parameters
    ----------
    file : str or Path
        A FITS file with an ASDF extension.
    output : str or Path, optional
        By default beside it, with the extension ``.asdf``.
    compression : str, optional
        ``lz4``, ``zlib`` or ``none``; by default none for ramps, else lz4.
    overwrite : bool
        Replace a file that exists.
    threads : int
        Threads that write; 0 means all cores.

    Returns
    -------
    Path
        Of the ASDF file.

    Raises
    ------
    InputError
        The file is not FITS, or has no product.
    RtoolsError
        The output exists, or cannot be written.

    Examples
    --------
    See `to_fits`.
    """
    from rtools.products.fits.read import embedded, open_fits, stage_asdf

    path = free_path(Path(file).with_suffix(".asdf") if output is None else output, overwrite=overwrite)
    with open_fits(file) as hdus, embedded(file, hdus) as product, working(threads) as work:
        stage = stage_asdf(path, file, hdus, product, compression=compression, work=work)
    stage.commit()
    return told(stage, path)
