"""Files of JWST where a Roman product is wanted: they are told by what they are."""

from __future__ import annotations

import warnings
from pathlib import Path

from rtools.errors import InputError
from rtools.jwst.kinds import described, kind_of, seen_hdu, suffix_of
from rtools.remote import parts

__all__ = ["is_jwst", "refuse_jwst"]

LOOKED_AT = 1 << 16
"""Bytes in which the primary header says whose the file is."""

MARK = b"TELESCOP= 'JWST"


def refuse_jwst(path: str | Path) -> None:
    """Raise an error that says what a FITS file of JWST is; let any other file pass.

    This is for those who cannot take the file anyway, so that they say more than that it is none of theirs.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    InputError
        It is a FITS file of JWST: its kind and instrument are told.
    """
    if is_jwst(path):
        raise InputError(f"{_described(Path(path))}: this tool does not take it yet", path=path)


def is_jwst(path: str | Path) -> bool:
    """Whether a file is a FITS file of JWST: a product, a reference file or another one.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    bool
        False, too, for one that cannot be read.
    """
    path = Path(path)
    try:
        if not path.is_file():  # what went through a pipe is gone
            return False
        with parts.open_parts(path) as file:
            head = file.read(LOOKED_AT)
    except OSError:
        return False
    return head.startswith(b"SIMPLE  =") and MARK in head


def _described(path):
    from astropy.io import fits

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with fits.open(path, lazy_load_hdus=False, disable_image_compression=True) as hdus:
                headers = [hdu.header for hdu in hdus]
        except (OSError, ValueError, KeyError, TypeError, IndexError, fits.VerifyError):
            return described({}, None)
    return described(headers[0], kind_of(headers[0], [seen_hdu(one) for one in headers[1:]], suffix_of(path.name)))
