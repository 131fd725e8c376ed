"""Sources added to images to see what of them is found: where they are put, what they are, which are recovered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from rtools.wfi.sphere import unit_vectors
from rtools.wfi.units import DEGREE_ARCSEC

__all__ = ["Injected", "draw", "recovered", "source_grid"]

GRID = 20
"""Sources on a side of the grid."""

MARGIN = 50
"""Pixels left free at the borders, about."""

SPACING = 40
"""Pixels between sources, at least: small mosaics get fewer."""

JITTER = 4.0
"""Pixels by which rows and columns of the grid are moved at most."""

STARS = 0.25
"""Share of the sources."""

AROUND_LIMIT = (-4.0, 1.0)
"""Magnitudes of the sources, from the limit of the images."""

POINT_LIMIT = {"F062": 27.97, "F087": 27.63, "F106": 27.60, "F129": 27.60, "F146": 28.01, "F158": 27.52, "F184": 26.95,
               "F213": 25.64}  # fmt: skip
GALAXY_LIMIT = {"F062": 26.70, "F087": 26.38, "F106": 26.37, "F129": 26.37, "F146": 26.84, "F158": 26.37, "F184": 25.95,
                "F213": 24.71}  # fmt: skip
"""AB magnitudes that an hour reaches: stars, and galaxies of 0.3 arcsec."""

HOUR = 3600.0

SERSIC = (0.8, 4.5)
SERSIC_STEP = 0.25
SIZE_AT_J17 = -3.55
SIZE_SLOPE = -0.1555
SIZE_SCATTER = 0.15
LEAST_SIZE = 0.036
"""Half-light radii: log10 of degrees at J = 17, its slope with J and scatter; arcsec."""

J_BAND = 1.29
AXIS_RATIO = (0.2, 1.0)
SPECTRAL_SLOPE = (0.0, 2.5)
"""Galaxies: f_ν falls with this power of the frequency."""

SAME = 3.0
SEEING = 0.2
"""A source within 3 √(r50² + 0.2²) arcsec of an injected one is a candidate for it."""


class Injected(NamedTuple):
    """Sources to be injected, float64 (n,) but for `star`.

    Attributes
    ----------
    x, y : ndarray
        Pixels.
    star : ndarray bool
        Stars; the others are galaxies.
    sersic, radius, axis_ratio, angle : ndarray
        Index; half-light radius along the major axis, arcsec; position angle east of north, degrees. Of stars 0, 0, 1,
        0.
    magnitude : dict of str to ndarray
        AB, by filter.
    """

    x: np.ndarray
    y: np.ndarray
    star: np.ndarray
    sersic: np.ndarray
    radius: np.ndarray
    axis_ratio: np.ndarray
    angle: np.ndarray
    magnitude: dict[str, np.ndarray]


def source_grid(usable: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of sources on an irregular grid.

    Parameters
    ----------
    usable : ndarray bool (rows, columns)
        Where there are data.
    rng : numpy.random.Generator
        What the places are drawn with.

    Returns
    -------
    x, y : ndarray float64 (n,)
        At most 400.
    """
    axes = []
    for length in usable.shape[::-1]:
        spacing = max(int(np.ceil((length - 2 * MARGIN) / GRID)), SPACING)
        places = MARGIN + rng.uniform(0, spacing) + spacing * np.arange(GRID) + rng.uniform(-JITTER, JITTER, GRID)
        axes.append(places[places < length - MARGIN / 2])
    x, y = (each.ravel() for each in np.meshgrid(*axes))
    good = usable[np.rint(y).astype(int), np.rint(x).astype(int)]
    return x[good], y[good]


def draw(x: np.ndarray, y: np.ndarray, times: Mapping[str, float], rng: np.random.Generator) -> Injected:
    """What is injected.

    Parameters
    ----------
    x, y : ndarray (n,)
        Pixels, from `source_grid`.
    times : mapping of str to float
        Filter to exposure time, s.
    rng : numpy.random.Generator
        What sources are drawn with.

    Returns
    -------
    Injected
        Stars of flat spectra about the deepest limit for stars, galaxies whose brightest band is about its limit.
    """
    n = len(x)
    star = rng.permutation(n) < STARS * n
    depth = {name: 1.25 * np.log10(max(time, 1.0) / HOUR) for name, time in times.items()}
    point = max(POINT_LIMIT[name] + depth[name] for name in times)
    above = rng.uniform(*AROUND_LIMIT, n)
    slope = rng.uniform(*SPECTRAL_SLOPE, n)
    red = {name: -2.5 * slope * np.log10(int(name[1:]) / 100 / J_BAND) for name in times}
    names = list(times)
    brightest = np.argmin([red[name] for name in names], axis=0)
    limits = np.array([GALAXY_LIMIT[name] + depth[name] for name in names])
    shift = limits[brightest] + above - np.min([red[name] for name in names], axis=0)
    size = DEGREE_ARCSEC * 10 ** (SIZE_SLOPE * (shift - 17) + SIZE_AT_J17 + SIZE_SCATTER * rng.standard_normal(n))
    index = np.round(rng.uniform(*SERSIC, n) / SERSIC_STEP) * SERSIC_STEP
    ratio, angle = rng.uniform(*AXIS_RATIO, n), rng.uniform(0, 180, n)
    return Injected(
        np.asarray(x, float),
        np.asarray(y, float),
        star,
        np.where(star, 0, index),
        np.where(star, 0, np.maximum(size, LEAST_SIZE)),
        np.where(star, 1, ratio),
        np.where(star, 0, angle),
        {name: np.where(star, point + above, shift + red[name]) for name in names},
    )


def recovered(
    injected: tuple[np.ndarray, np.ndarray, np.ndarray],
    found: tuple[np.ndarray, np.ndarray],
    before: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which sources of a catalog are injected ones.

    Parameters
    ----------
    injected : tuple of ndarray
        Right ascension, declination (degrees) and half-light radius (arcsec).
    found, before : tuple of ndarray
        Right ascensions and declinations of the catalogs with the injected sources, and without them.

    Returns
    -------
    rows : ndarray int64
        Sources of `found` near an injected one.
    best : ndarray int64
        For each of them the injected source whose nearest it is; -1 where it is not.
    nearest : ndarray float64
        Arcsec from each of them to the nearest source of `before`; inf if there is none.
    """
    from scipy.spatial import cKDTree

    rows = np.zeros(0, np.int64)
    best = np.full(len(found[0]), -1)
    known = np.flatnonzero(np.isfinite(found[0]) & np.isfinite(found[1]))
    if known.size and len(injected[0]):
        places = unit_vectors(found[0][known], found[1][known])
        own = unit_vectors(*injected[:2])
        reach = _chord(SAME * np.hypot(injected[2], SEEING))
        near = cKDTree(places).query_ball_point(own, reach)
        rows = np.unique(known[np.concatenate([np.asarray(each, np.int64) for each in near])])
        distance, index = cKDTree(places).query(own)
        order = np.argsort(-distance, kind="stable")  # the nearest injected one is written last
        order = order[distance[order] <= reach[order]]
        best[known[index[order]]] = order
    here = before[0], before[1]
    whole = np.isfinite(here[0]) & np.isfinite(here[1])
    nearest = np.full(len(rows), np.inf)
    if whole.any() and rows.size:
        tree = cKDTree(unit_vectors(here[0][whole], here[1][whole]))
        chords = tree.query(unit_vectors(found[0][rows], found[1][rows]))[0]
        nearest = np.degrees(2 * np.arcsin(chords / 2)) * DEGREE_ARCSEC
    return rows, best[rows], nearest


def _chord(arcsec):
    """Distance of unit vectors that are so far apart on the sky."""
    return 2 * np.sin(np.radians(arcsec / DEGREE_ARCSEC) / 2)
