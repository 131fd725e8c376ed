"""How a star looks through JWST: the pupil's own diffraction, one shape over the detector."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from rtools.jwst.pupil import psf
from rtools.reference.epsf import Psf

__all__ = ["stamp_of"]

OVERSAMPLE = 4
"""Samples per pixel."""

SIZE, WAVELENGTHS = 161, 5
"""Pixels on a side of a stamp, 98 % of the light of a star; wavelengths of which it is the mean."""

MASK_WAVELENGTHS = 9


@lru_cache(maxsize=4)
def stamp_of(detector: str, element: str, *, masked: bool = False) -> Psf:
    """The PSF of a detector behind a filter.

    Parameters
    ----------
    detector : str
        As file names spell it.
    element : str
        Name of the filter.
    masked : bool
        Through the mask of seven holes.

    Returns
    -------
    rtools.reference.epsf.Psf
        One stamp.
    """
    waves, mask = (MASK_WAVELENGTHS, "NRM") if masked else (WAVELENGTHS, "CLEAR")
    stamp = psf(detector, element, oversample=OVERSAMPLE, size=SIZE, wavelengths=waves, mask=mask)
    return Psf(stamp[np.newaxis], OVERSAMPLE, np.zeros(1), np.zeros(1))
