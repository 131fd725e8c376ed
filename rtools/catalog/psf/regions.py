"""What PSF photometry takes from the image: the pixels around sources, their noise, a first flux."""

import numpy as np

from rtools.catalog.psf._psffit_work import SIDE, RegionNoise

__all__ = ["StarImage"]

RADIUS = 5.0
"""Pixels: the aperture whose flux the fit starts from."""

LOST = 1.5
"""A pixel that has so much more variance per light than those around it has lost resultants."""

CLEAR = 5.0
"""Light above so many times its error shows how much variance a unit of it has."""


class StarImage:
    """The image as the regions of sources are cut from it.

    Parameters
    ----------
    data, err : ndarray (ny, nx)
        Background-subtracted image and its error, same unit.
    mask : ndarray bool (ny, nx) or None
        Pixels that are not used; neither are those without a finite value and a positive, finite error.
    var_poisson : ndarray (ny, nx) or None
        Part of err² that is photon noise; None where the noise of the model is not wanted.
    background : ndarray (ny, nx), float or None
        All light that was subtracted from the data and whose photons `var_poisson` has.
    """

    def __init__(self, data, err, mask, var_poisson, background):
        self.data, self.err, self.mask = np.asarray(data), np.asarray(err), mask
        self.photons = None if var_poisson is None else np.asarray(var_poisson)
        self.background = background

    def cut(self, x: np.ndarray, y: np.ndarray, size: int) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
        """Pixels of squares.

        Parameters
        ----------
        x, y : ndarray int64 (n,)
            First pixel of each square.
        size : int
            Pixels on a side.

        Returns
        -------
        place : tuple of ndarray int64 (n, size²)
            Rows and columns, clipped to the image.
        usable : ndarray bool (n, size²)
            Which are on the image, and can be used.
        """
        rows = y[:, None] + np.arange(size * size) // size
        columns = x[:, None] + np.arange(size * size) % size
        ny, nx = self.data.shape
        usable = (rows >= 0) & (rows < ny) & (columns >= 0) & (columns < nx)
        place = np.clip(rows, 0, ny - 1), np.clip(columns, 0, nx - 1)
        if self.mask is not None:
            usable &= ~self.mask[place]
        err = self.err[place]
        usable &= np.isfinite(self.data[place]) & np.isfinite(err) & (err > 0)
        return place, usable

    def regions(self, corners: np.ndarray, level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels of regions.

        Parameters
        ----------
        corners : ndarray int64 (n, 2)
            x and y of the first pixel of each.
        level : ndarray float64 (n,)
            Background that is subtracted from the pixels of each.

        Returns
        -------
        data, variance : ndarray float64 (n, 25)
            The variance is inf where a pixel cannot be used.
        """
        place, usable = self.cut(corners[:, 0], corners[:, 1], SIDE)
        data = np.where(usable, self.data[place] - level[:, None], 0)
        variance = np.where(usable, self.err[place].astype(float) ** 2, np.inf)
        return data, variance

    def noise(self, corners: np.ndarray, level: np.ndarray, data: np.ndarray, variance: np.ndarray) -> RegionNoise:
        """Where the variance of the pixels of regions comes from.

        Parameters
        ----------
        corners : ndarray int64 (n, 2)
            x and y of the first pixel of each region.
        level : ndarray float64 (n,)
            Background that was subtracted from the data of each.
        data, variance : ndarray float64 (n, 25)
            Of `regions`.

        Returns
        -------
        RegionNoise
            The variance per light is one value for a region, so that it does not follow the noise of the pixels, but
            for pixels that clearly have more of it: there resultants were lost.
        """
        place, usable = self.cut(corners[:, 0], corners[:, 1], SIDE)
        photons = np.where(usable, 0 if self.photons is None else self.photons[place], 0).astype(float)
        photons = np.where(np.isfinite(photons), np.clip(photons, 0, None), 0)
        subtracted = np.broadcast_to(level[:, None], data.shape)
        if self.background is not None:
            given = np.asarray(self.background)
            subtracted = subtracted + np.where(usable, given if given.ndim == 0 else given[place], 0)
        light = data + subtracted
        some = usable & (light > 0) & (photons > 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            each = np.where(some, photons / light, np.nan)
        typical = _median(each)
        clear = some & (light > CLEAR * np.sqrt(np.where(usable, variance, 1))) & (each > LOST * typical[:, None])
        per_light = np.where(clear, each, typical[:, None])
        dark = np.where(usable, np.clip(variance - photons, 0, None), np.inf)
        return RegionNoise(dark, np.ascontiguousarray(subtracted), per_light)

    def aperture(self, x: np.ndarray, y: np.ndarray, level: np.ndarray) -> np.ndarray:
        """Flux within `RADIUS` of positions; at the edge of the circle a pixel's share falls from 1 to 0 linearly.

        Parameters
        ----------
        x, y : ndarray float64 (n,)
            Pixels.
        level : ndarray float64 (n,)
            Background that is subtracted about each.

        Returns
        -------
        ndarray float64 (n,)
            Without the pixels that cannot be used.
        """
        reach = int(RADIUS) + 1
        left, low = (np.floor(value + 0.5).astype(np.int64) - reach for value in (x, y))
        place, usable = self.cut(left, low, 2 * reach + 1)
        index = np.arange((2 * reach + 1) ** 2)
        dx = left[:, None] + index % (2 * reach + 1) - x[:, None]
        dy = low[:, None] + index // (2 * reach + 1) - y[:, None]
        share = np.clip(RADIUS + 0.5 - np.hypot(dx, dy), 0, 1)
        return np.where(usable, share * (self.data[place] - level[:, None]), 0).sum(axis=1, dtype=float)


def _median(values):
    """Median of each row without its NaN; 0 for a row that has nothing else."""
    ordered = np.sort(values, axis=1)
    count = np.isfinite(values).sum(axis=1)
    row = np.arange(len(values))
    middle = (ordered[row, np.maximum(count - 1, 0) // 2] + ordered[row, np.maximum(count, 1) // 2]) / 2
    return np.where(count > 0, middle, 0)
