"""The PSF that the simulator renders with: the ePSF that the source catalog would use, as splines and transforms.

The ePSF is per native pixel: optics, jitter, charge diffusion, pixel and inter-pixel capacitance are all in it, so none
of them is applied again.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rtools.errors import InputError

__all__ = ["Psf", "from_reference", "jitter_of"]

G2V = 1
"""Index of the spectral type that is used for every source, as the catalog does."""


@dataclass
class Psf:
    """Stamps on a grid of positions.

    Attributes
    ----------
    stamps : ndarray float64 (k, ny, nx)
        Fraction of the light in a pixel centred at each sample; Σ ≈ oversample².
    oversample : int
        Samples per pixel.
    x, y : ndarray float64
        Grid lines, 0-based pixels of the trimmed frame; k = len(y) · len(x), x fastest.
    """

    stamps: np.ndarray
    oversample: int
    x: np.ndarray
    y: np.ndarray

    @cached_property
    def splines(self):
        """Cubic B-spline coefficients of the stamps, float64 (k, ny, nx)."""
        from scipy.ndimage import spline_filter

        return np.stack([spline_filter(stamp, order=3, mode="mirror") for stamp in self.stamps])

    @cached_property
    def peak(self):
        """Largest fraction of light in one pixel."""
        return float(self.stamps.max())

    @cached_property
    def envelope(self):
        """Largest sample at or beyond each Chebyshev distance from the centre, in whole pixels; the last is 0."""
        ny, nx = self.stamps.shape[-2:]
        rows = np.abs(np.arange(ny) - (ny - 1) / 2)[:, None] / self.oversample
        columns = np.abs(np.arange(nx) - (nx - 1) / 2)[None, :] / self.oversample
        ring = np.floor(np.maximum(rows, columns)).astype(int)
        largest = np.zeros(ring.max() + 2)
        np.maximum.at(largest, ring.ravel(), np.abs(self.stamps).max(axis=0).ravel())
        return np.maximum.accumulate(largest[::-1])[::-1]

    def weights(self, x, y):
        """Bilinear weights of the stamps for positions, clamped to the grid; ndarray (n, k)."""
        along_x, along_y = _linear(np.asarray(x, float), self.x), _linear(np.asarray(y, float), self.y)
        return (along_y[:, :, None] * along_x[:, None, :]).reshape(len(along_x), len(self.x) * len(self.y))

    @cached_property
    def distinct(self):
        """The same PSF with one stamp only, where all stamps are equal."""
        if np.ptp(self.stamps, axis=0).max() > 0 or len(self.stamps) == 1:
            return self
        return Psf(self.stamps[:1], self.oversample, self.x[:1], self.y[:1])

    def transform(self, fy, fx):
        """Fourier transform of each stamp at frequencies (cycles per pixel) fy × fx, complex128 (k, len(fy), len(fx)).

        The origin is the centre of the stamp.
        """
        ny, nx = self.stamps.shape[-2:]
        y = (np.arange(ny) - (ny - 1) / 2) / self.oversample
        x = (np.arange(nx) - (nx - 1) / 2) / self.oversample
        along_y = np.exp(-2j * np.pi * np.outer(fy, y)) / self.oversample
        along_x = np.exp(-2j * np.pi * np.outer(x, fx)) / self.oversample
        return along_y @ self.stamps @ along_x


def from_reference(source, log=None):
    """The `Psf` of an epsf reference: in focus, G2V.

    Parameters
    ----------
    source : reference source
    log : callable, optional
        ``log(level, text)``.

    Raises
    ------
    InputError
        The grid of positions is no rectangle.
    """
    meta = {key: source.node(f"meta.{key}") for key in ("oversample", "pixel_x", "pixel_y")}
    oversample = int(meta["oversample"] or 4)
    every = source.array("psf")
    index = G2V
    if every.shape[1] <= G2V:
        index = 0
        if log:
            log("warning", "the epsf reference has one spectral type; it is used for every source")
    stamps = np.asarray(every[0, index], float)
    if np.median(stamps.sum(axis=(-2, -1))) < oversample**2 / 2:
        stamps = np.stack([_integrate(stamp, oversample) for stamp in stamps])
    pixel_x, pixel_y = (np.asarray(meta[key], float) for key in ("pixel_x", "pixel_y"))
    x, y = np.unique(pixel_x), np.unique(pixel_y)
    if len(x) * len(y) != len(stamps):
        raise InputError("the positions of the epsf reference form no grid")
    stamps = stamps[np.lexsort((pixel_x, pixel_y))]
    return Psf(stamps, oversample, x, y).distinct


def jitter_of(source):
    """Jitter that the stamps of an epsf reference contain: major, minor (mas rms), position angle (degrees)."""
    return tuple(float(source.node(f"meta.jitter_{key}") or 0.0) for key in ("major", "minor", "position_angle"))


def _integrate(stamp, oversample):
    """An optical stamp (Σ = 1) over the native pixel: box of `oversample` samples, half-weight edges if even."""
    from scipy.ndimage import convolve1d

    box = np.ones(oversample)
    if oversample % 2 == 0:
        box = np.concatenate([[0.5], np.ones(oversample - 1), [0.5]])
    box /= oversample
    for axis in (0, 1):
        stamp = convolve1d(stamp, box, axis=axis, mode="constant")
    return stamp * oversample**2


def _linear(position, grid):
    """Linear interpolation weights on grid lines, clamped; (n, len(grid))."""
    weights = np.zeros((len(position), len(grid)))
    if len(grid) == 1:
        weights[:, 0] = 1
        return weights
    left = np.clip(np.searchsorted(grid, position) - 1, 0, len(grid) - 2)
    share = np.clip((position - grid[left]) / (grid[left + 1] - grid[left]), 0, 1)
    index = np.arange(len(position))
    weights[index, left] = 1 - share
    weights[index, left + 1] = share
    return weights
