"""What Gaia would have listed of true stars: its columns, with errors like its own.

Median errors by magnitude are those of the third data release (Gaia Collaboration 2021, A&A 649, A1, table 3;
Lindegren et al. 2021, A&A 649, A2). Distances and motions are assumed: parallaxes are log-normal about 1 mas, and stars
move 40 km/s along either axis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtools.astrometry import refcat
from rtools.wfi.sphere import signed_turn
from rtools.wfi.units import MAS_DEGREE

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["EPOCH", "FAINTEST", "PARTS", "errors_at", "listed"]

EPOCH = 2016.0
"""Reference epoch, Julian year."""

FAINTEST = 21.0
"""G of the faintest stars of the catalog."""

MAGNITUDES = (15.0, 17.0, 20.0, 21.0)
ERRORS = {
    "ra": (0.02, 0.05, 0.4, 1.0),
    "dec": (0.02, 0.05, 0.4, 1.0),
    "parallax": (0.03, 0.07, 0.5, 1.3),
    "pmra": (0.03, 0.07, 0.5, 1.4),
    "pmdec": (0.03, 0.07, 0.5, 1.4),
}
"""Median errors (mas, mas/yr) at these G; those of brighter stars are like the first."""

PARTS = tuple(ERRORS)

PARALLAX_MAS, PARALLAX_DEX = 1.0, 0.3
SPEED_KM_S = 40.0
AU_PER_YEAR_KM_S = 4.740470464


def errors_at(magnitude: ArrayLike) -> dict[str, np.ndarray]:
    """Median errors of Gaia at G magnitudes: their logarithms are interpolated between those of `ERRORS`.

    Parameters
    ----------
    magnitude : array_like of float (n,)
        G.

    Returns
    -------
    dict of str to ndarray float64 (n,)
        By `PARTS`: ra (times cos dec), dec, parallax in mas, pmra, pmdec in mas/yr.
    """
    magnitude = np.asarray(magnitude, float)
    return {part: 10 ** np.interp(magnitude, MAGNITUDES, np.log10(errors)) for part, errors in ERRORS.items()}


def listed(
    ra: np.ndarray, dec: np.ndarray, magnitude: np.ndarray, epoch: float, *, seed: int = 0, exact: bool = False
) -> dict[str, np.ndarray]:
    """Gaia's rows of stars.

    Parameters
    ----------
    ra, dec : ndarray float64 (n,)
        True positions, degrees, at `epoch`, seen from the Earth (parallax included).
    magnitude : ndarray (n,)
        G.
    epoch : float
        Julian year.
    seed : int
        Of parallaxes, motions and errors; those of a list are the same in any order.
    exact : bool
        No errors: positions moved from 2016.0 to `epoch` are the true ones, errors say 0.

    Returns
    -------
    dict of str to ndarray
        Columns of a reference catalog (`rtools.astrometry.refcat.COLUMNS`) but for source_id, sorted by declination.
    """
    order = np.lexsort((magnitude, ra, dec))
    ra, dec, magnitude = (np.asarray(values, float)[order] for values in (ra, dec, magnitude))
    rng = np.random.default_rng(seed)
    parallax = PARALLAX_MAS * 10 ** rng.normal(0, PARALLAX_DEX, len(ra))
    motion = rng.normal(0, SPEED_KM_S / AU_PER_YEAR_KM_S, (2, len(ra))) * parallax
    true = {"parallax": parallax, "pmra": motion[0], "pmdec": motion[1]}
    true["ra"], true["dec"] = _moved_back(ra, dec, true, epoch)
    errors = errors_at(magnitude)
    noise = {part: rng.normal(size=len(ra)) * errors[part] for part in PARTS}
    if exact:
        errors = noise = {part: np.zeros(len(ra)) for part in PARTS}
    seen = {part: true[part] + noise[part] for part in ("parallax", "pmra", "pmdec")}
    seen["ra"] = (true["ra"] + noise["ra"] * MAS_DEGREE / np.cos(np.deg2rad(dec))) % 360
    seen["dec"] = np.clip(true["dec"] + noise["dec"] * MAS_DEGREE, -90, 90)
    columns = seen | {f"{part}_error": errors[part] for part in PARTS}
    return columns | {"phot_g_mean_mag": magnitude, "ref_epoch": np.full(len(ra), EPOCH)}


def _moved_back(ra, dec, motion, epoch):
    """Positions at 2016.0 of stars that are at (ra, dec) at an epoch."""
    start = ra.copy(), dec.copy()
    for _ in range(3):
        stars = refcat.from_table({"ra": start[0], "dec": start[1], "ref_epoch": np.full(len(ra), EPOCH)} | motion)
        there = refcat.propagate(stars, epoch)
        apart = signed_turn(ra - there.ra)
        start = start[0] + apart, start[1] + dec - there.dec
    return start[0] % 360, start[1]
