"""The sky: stars and galaxies drawn by position, the same whatever looks at them.

The sphere is cut into healpix cells of about an arcminute; each draws its sources from a generator of its own, keyed by
the scene's seed and the cell. Numbers, magnitudes and shapes are those of `rtools.simulate.assumed`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from rtools.simulate import assumed
from rtools.simulate.streams import generator
from rtools.wfi.frame import TRIMMED
from rtools.wfi.instrument import PIXEL_SCALE_ARCSEC
from rtools.wfi.units import DEGREE_ARCSEC

__all__ = ["Sources", "draw", "empty"]

NSIDE = 4096
"""Cells of 52 arcsec; part of the scene's definition."""

CELL_RADIUS_DEG = 0.0175
"""No point of a cell is farther from its centre."""

DETECTOR_DEG2 = (TRIMMED * PIXEL_SCALE_ARCSEC / DEGREE_ARCSEC) ** 2


@dataclass
class Sources:
    """Sources on the sky; every attribute is an ndarray (n,).

    Attributes
    ----------
    ra, dec : float64
        ICRS, degrees.
    magnitude : float64
        AB, in F158 for drawn sources; in the simulated element for those of a table.
    sersic : float64
        Sérsic index; 0 for a star.
    radius : float64
        Half-light radius along the major axis, arcsec; 0 for a star.
    axis_ratio : float64
        Minor over major axis; 1 for a star.
    angle : float64
        Position angle of the major axis, degrees east of north.
    temperature : float64
        Of a black body, K; NaN where `slope` holds.
    slope : float64
        f_ν ∝ ν^-slope.
    """

    ra: np.ndarray
    dec: np.ndarray
    magnitude: np.ndarray
    sersic: np.ndarray
    radius: np.ndarray
    axis_ratio: np.ndarray
    angle: np.ndarray
    temperature: np.ndarray
    slope: np.ndarray

    def __len__(self):
        return len(self.ra)

    def take(self, which: np.ndarray) -> Sources:
        """The sources of an index or mask."""
        return Sources(*(getattr(self, field.name)[which] for field in fields(self)))


def empty() -> Sources:
    """No sources."""
    return Sources(*(np.zeros(0) for _ in fields(Sources)))


def draw(centre: tuple[float, float], radius: float, *, seed: int, crowded: int | None = None) -> Sources:
    """All sources within a radius of a position, and some beyond.

    Parameters
    ----------
    centre : tuple of float
        RA, Dec, degrees.
    radius : float
        Degrees.
    seed : int
        Of the scene.
    crowded : int, optional
        So many stars on the area of a detector, and nothing else, instead of the usual stars and galaxies.

    Returns
    -------
    Sources
        In the order of the cells.
    """
    from astropy import units
    from astropy_healpix import HEALPix

    pixels = HEALPix(NSIDE, order="nested")
    reach = min(radius + CELL_RADIUS_DEG, 180.0)
    cells = np.sort(pixels.cone_search_lonlat(*(value * units.deg for value in centre), reach * units.deg))
    area = 4 * np.pi * (180 / np.pi) ** 2 / pixels.npix
    parts = [_cell(pixels, int(cell), area, seed, crowded) for cell in cells]
    return Sources(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Sources)))


def _cell(pixels, cell, area, seed, crowded):
    """The sources of one cell."""
    rng = generator("scene", seed, cell)
    stars = _stars(rng, area, crowded)
    galaxies = None if crowded is not None else _galaxies(rng, area)
    parts = [stars] if galaxies is None else [stars, galaxies]
    columns = {key: np.concatenate([part[key] for part in parts]) for key in stars}
    inside = rng.random((2, len(columns["magnitude"])))
    # dx and dy of a healpix cell are an equal-area map of it.
    longitude, latitude = pixels.healpix_to_lonlat(np.full(inside.shape[1], cell), *inside)
    return Sources(ra=longitude.deg, dec=latitude.deg, **columns)


def _stars(rng, area, crowded):
    density = assumed.STARS["per_deg2"] if crowded is None else crowded / DETECTOR_DEG2
    slope = assumed.STARS["slope"] if crowded is None else assumed.CROWDED_SLOPE
    count = rng.poisson(density * area)
    low, high = np.log(assumed.STARS["kelvin"])
    return {
        "magnitude": _magnitudes(rng, count, assumed.STARS, slope),
        "sersic": np.zeros(count),
        "radius": np.zeros(count),
        "axis_ratio": np.ones(count),
        "angle": np.zeros(count),
        "temperature": np.exp(rng.uniform(low, high, count)),
        "slope": np.full(count, np.nan),
    }


def _galaxies(rng, area):
    numbers = assumed.GALAXIES
    count = rng.poisson(numbers["per_deg2"] * area)
    magnitude = _magnitudes(rng, count, numbers, numbers["slope"])
    median = numbers["radius_arcsec"] * 10 ** (numbers["radius_slope"] * (magnitude - numbers["radius_magnitude"]))
    return {
        "magnitude": magnitude,
        "sersic": np.where(rng.random(count) < numbers["disks"], 1.0, 4.0),
        "radius": median * 10 ** (numbers["radius_dex"] * rng.standard_normal(count)),
        "axis_ratio": rng.uniform(*numbers["axis_ratio"], count),
        "angle": rng.uniform(0, 180, count),
        "temperature": np.full(count, np.nan),
        "slope": rng.uniform(*numbers["spectral_slope"], count),
    }


def _magnitudes(rng, count, numbers, slope):
    """Deviates of dN/dm ∝ 10^(slope m) between the bright and the faint limit."""
    bright, faint = 10 ** (slope * np.array([numbers["bright"], numbers["faint"]]))
    return np.log10(bright + (faint - bright) * rng.random(count)) / slope
