"""Model of an interferogram behind a mask of holes: an envelope, and a cosine and a sine for each baseline.

The image plane is fitted (Greenbaum et al. 2015, ApJ 798, 68): all holes have one shape, so that the intensity is that
behind one hole times a sum of fringes, which is linear in what the fit looks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rtools.jwst.pupil import hexagon_field
from rtools.wfi.units import ARCSEC

if TYPE_CHECKING:
    from rtools.interferometry.passband import Passband
    from rtools.interferometry.stations import Holes

__all__ = ["FringeModel", "samples_in_pixel", "shares_of_light"]


@dataclass(frozen=True)
class FringeModel:
    """What the fringes of an exposure are made of.

    Attributes
    ----------
    holes : Holes
        The mask on the detector.
    passband : Passband
        Wavelengths and weights.
    pixel : float
        Side of a pixel, arcsec.
    oversample : int
        Samples of the model in a pixel, along each axis.
    crosstalk : ndarray float64 (k, k), optional
        What a pixel shows of the light of those about it, k odd.
    """

    holes: Holes
    passband: Passband
    pixel: float
    oversample: int = 3
    crosstalk: np.ndarray | None = None

    def columns(self, size: int, centre: tuple[float, float]) -> np.ndarray:
        """Images whose weighted sum is an interferogram.

        With E the intensity behind one hole, in units of that behind the square of its width, and b = first hole less
        second: N E for the light of all N holes; 2 E cos and -2 E sin of 2π b·θ/λ for each baseline, so that their
        coefficients are real and imaginary part of V = |V| exp(iφ) with the sign of OIFITS, φ = -2π b·Δ/λ for a source
        at Δ; and a constant. Integrals over each pixel, means over wavelengths, each with its photons.

        Parameters
        ----------
        size : int
            Pixels on a side.
        centre : (float, float)
            Of the interferogram: x, y in pixels from the middle of the image.

        Returns
        -------
        ndarray float64 (2 + 2 P, size, size)
            P baselines whose holes are open.
        """
        from rtools.interferometry._fringe_kernels import spread

        if self.crosstalk is None:
            return self._light(size, centre)
        beside = len(self.crosstalk) // 2
        lit = self._light(size + 2 * beside, centre)
        out = np.zeros((len(lit), size, size))
        spread(out, lit, self.crosstalk)
        return out

    def _light(self, size, centre):
        """The columns as they fall on the pixels."""
        from rtools.interferometry._fringe_kernels import add_fringes

        used, fine = self.holes.pairs, self.oversample
        steps, shares = samples_in_pixel(fine)
        offsets = ((np.arange(size) - (size - 1) / 2)[:, None] + steps).ravel()
        share = np.tile(shares, size)
        x, y = offsets - centre[0], offsets - centre[1]
        out = np.zeros((2 + 2 * len(used), size, size))
        for wave, weight in zip(self.passband.waves, shares_of_light(self.passband), strict=True):
            scale = self.pixel * ARCSEC / wave
            envelope = weight * share[:, None] * share * self._envelope(x * scale, y * scale)
            along, across = (2 * np.pi * self.holes.baselines[used, axis, None] * at * scale
                             for axis, at in ((0, x), (1, y)))  # fmt: skip
            columns = _apart(np.stack([np.cos(along), np.sin(along)], axis=1), size, fine)
            rows = np.stack([np.cos(across), np.sin(across)], axis=1)
            add_fringes(out[:-1], _apart(envelope, size, fine), rows, columns)
        out[0] *= len(self.holes.used)
        out[1:-1:2] *= 2
        out[2:-1:2] *= -2
        out[-1] = 1
        return out

    def _envelope(self, along, across):
        """Intensity behind one hole; a row of angles over the wavelength, and a column of them."""
        turn, width = self.holes.turn, self.holes.flat_to_flat
        u = turn[0, 0] * along[None, :] + turn[0, 1] * across[:, None]
        v = turn[1, 0] * along[None, :] + turn[1, 1] * across[:, None]
        return (hexagon_field(u, v, width) / width**2) ** 2


def samples_in_pixel(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Where in a pixel the model is looked at, and with which weights, so that sums are integrals over the pixel.

    Points of Gauss and Legendre: three of them lose 5e-4 of a fringe of 0.45 cycles in a pixel, three evenly spaced
    ones 4 %, twice of which V² would show.

    Parameters
    ----------
    count : int
        Samples along one axis.

    Returns
    -------
    (ndarray, ndarray)
        Places from the middle, pixels; weights that add up to 1.
    """
    places, weights = np.polynomial.legendre.leggauss(count)
    return places / 2, weights / 2


def shares_of_light(passband: Passband) -> np.ndarray:
    """By what the squared field of a hole is multiplied at each wavelength.

    The light of one photon lies on an area that grows as λ². So the brightness in the middle is its photons over λ².

    Parameters
    ----------
    passband : Passband
        Wavelengths and photons.

    Returns
    -------
    ndarray
        Together 1.
    """
    light = passband.weights / passband.waves**2
    return light / light.sum()


def _apart(values, size, fine):
    """The last axis, samples of pixels one after the other, as samples within a pixel and pixels."""
    split = values.reshape(*values.shape[:-1], size, fine)
    return np.ascontiguousarray(np.swapaxes(split, -1, -2))
