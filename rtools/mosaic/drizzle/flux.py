"""From counts to surface brightness: every plane of an exposure times its photometric conversion."""

from typing import Any

import numpy as np

from rtools.errors import InputError
from rtools.wfi import metadata
from rtools.wfi.quantities import problem

__all__ = ["apply_flux", "conversion", "put_floats"]

CONVERSION = "photometry.conversion_megajanskys"


def conversion(photometry: Any) -> float:
    """The photometric conversion of an exposure.

    Parameters
    ----------
    photometry : mapping or None
        `meta.photometry`.

    Returns
    -------
    float
        MJy/sr per DN/s.

    Raises
    ------
    InputError
        It has no usable conversion.
    """
    stated = {"photometry": photometry}
    factor = metadata.usable(stated, CONVERSION)
    if factor is None:
        value = metadata.get(stated, CONVERSION)
        shown = f"meta.{CONVERSION} is null" if value is None else problem(CONVERSION, value)
        raise InputError(shown, mend="run rt-photom with a reference that has it")
    return float(factor)


def apply_flux(planes: dict[str, np.ndarray], factor: float) -> None:
    """Multiply the planes of an exposure, or of some of its rows, by the conversion.

    Parameters
    ----------
    planes : dict of str to ndarray
        ``data`` and ``err`` are multiplied by the factor, ``var_…`` by its square; the others (dq, chisq, dumo, …) are
        left alone. float32 is changed in place; other floats (float16) are replaced in the dict by float32.
    factor : float
        MJy/sr per DN/s, from `conversion`.
    """
    for name, plane in planes.items():
        if name in ("data", "err"):
            scale = np.float32(factor)
        elif name.startswith("var_"):
            scale = np.float32(factor * factor)
        else:
            continue
        if plane.dtype == np.float32:
            np.multiply(plane, scale, out=plane)
        else:
            planes[name] = plane.astype(np.float32) * scale


def put_floats(stored: np.ndarray, out: np.ndarray) -> None:
    """Copy a plane as a file holds it into one to compute with.

    Parameters
    ----------
    stored : ndarray
        float16, float32 or flags; (rows, columns).
    out : ndarray
        float32, or of the dtype of `stored`; same shape, changed.
    """
    if stored.dtype == np.float16 and out.dtype == np.float32 and stored.ndim == 2:
        from rtools.mosaic.drizzle._flux_kernels import widen

        widen(stored.view(np.uint16), out.view(np.uint32), out)
    else:
        out[...] = stored
