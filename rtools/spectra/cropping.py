"""Apertures on a part of an image, so that no more of a large one is read than they touch."""

from __future__ import annotations

from dataclasses import replace
from math import comb

import numpy as np

from rtools.spectra.aperture import SlitAperture

__all__ = ["moved", "part_of"]

AROUND = 2
"""Pixels that are read beyond edges, which may lie between pixels."""


def part_of(aperture: SlitAperture, wavelength: np.ndarray, size: int) -> tuple[slice, slice]:
    """The part of an image that an aperture and its background touch.

    Parameters
    ----------
    aperture : SlitAperture
        On the whole image.
    wavelength : ndarray float64 (along,)
        Of the pixels along the dispersion.
    size : int
        Pixels across it.

    Returns
    -------
    (slice, slice)
        Across and along.
    """
    first, last = aperture.along
    start = 0 if first is None else int(np.clip(np.ceil(first), 0, len(wavelength)))
    stop = len(wavelength) if last is None else int(np.clip(np.floor(last) + 1, start, len(wavelength)))
    number = np.arange(start, stop, dtype=np.float64)
    variable = number if aperture.variable == "pixel" else wavelength[start:stop]
    edges = [np.polynomial.polynomial.polyval(variable, one) for one in (*aperture.source, *aperture.background)]
    if not aperture.source:
        low, high = (0 if aperture.across[0] is None else aperture.across[0],
                     size - 1 if aperture.across[1] is None else aperture.across[1])  # fmt: skip
        if aperture.width is not None:
            middle = (low + high) / 2
            low, high = middle - aperture.width / 2, middle + aperture.width / 2
        edges += [np.array([low, high])]
    known = np.concatenate([np.ravel(one) for one in edges]) + aperture.offset
    known = known[np.isfinite(known)]
    if not len(known):
        return slice(0, 0), slice(start, stop)
    bottom = int(np.clip(np.floor(known.min()) - AROUND, 0, size))
    return slice(bottom, int(np.clip(np.ceil(known.max()) + AROUND + 1, bottom, size))), slice(start, stop)


def moved(aperture: SlitAperture, across: int, along: int, size: int) -> SlitAperture:
    """An aperture as it lies on a part of its image.

    Parameters
    ----------
    aperture : SlitAperture
        On the whole image.
    across, along : int
        First pixel of the part.
    size : int
        Pixels of the whole image across the dispersion.

    Returns
    -------
    SlitAperture
    """
    low, high = aperture.across
    limits = (0 if low is None else low) - across, (size - 1 if high is None else high) - across
    ends = [None if one is None else one - along for one in aperture.along]
    edges = {name: tuple(_shifted(one, along if aperture.variable == "pixel" else 0, across)
                         for one in getattr(aperture, name)) for name in ("source", "background")}  # fmt: skip
    return replace(aperture, across=limits, along=(ends[0], ends[1]), **edges)


def _shifted(coefficients, along, across):
    """A polynomial of pixels that begin later, c_k' = Σ_j c_j C(j, k) along^(j − k), whose value counts from later."""
    made = [sum(value * comb(power, k) * along ** (power - k) for power, value in enumerate(coefficients) if power >= k)
            for k in range(len(coefficients))]  # fmt: skip
    return (made[0] - across, *made[1:])
