"""Numbers between units: angles, days, flux densities, and the constants of nature that metadata are computed with.

Each is written in the form in which it is used, so that no product changes by a rounding.
"""

import math

__all__ = [
    "AB_ZERO_JY",
    "AB_ZERO_MJY",
    "AB_ZERO_NJY",
    "ARCSEC",
    "AU_KM",
    "DAY_S",
    "DEGREE_ARCSEC",
    "FLUX_UNITS",
    "HC_OVER_K_UM_K",
    "L2_FACTOR",
    "LIGHT_KM_S",
    "MAS",
    "MAS_DEGREE",
    "NJY_MAGNITUDE",
    "NJY_PER_MJY",
    "RADIAN_ARCSEC",
]

DEGREE_ARCSEC = 3600
"""Arcsec in a degree."""

RADIAN_ARCSEC = DEGREE_ARCSEC * 180 / math.pi
"""Arcsec in a radian."""

ARCSEC = math.pi / 648000
"""Radians in an arcsec."""

MAS = math.pi / 648e6
"""Radians in a milliarcsec."""

MAS_DEGREE = 1 / (1000 * DEGREE_ARCSEC)
"""Degrees in a milliarcsec."""

DAY_S = 86400
"""Seconds in a day."""

AB_ZERO_JY = 3631
"""Flux density of AB magnitude 0, Jy (Oke and Gunn 1983, ApJ 266, 713, rounded as the archive rounds it)."""

AB_ZERO_MJY = AB_ZERO_JY / 1e6
"""The same in MJy."""

AB_ZERO_NJY = AB_ZERO_JY * 1e9
"""The same in nJy."""

NJY_MAGNITUDE = 31.4
"""AB magnitude of 1 nJy, as the archive's catalogs have it; 31.400 from `AB_ZERO_JY`, too."""

NJY_PER_MJY = 1e15
"""nJy in a MJy."""

FLUX_UNITS = ("nJy", "uJy", "Jy", "ABmag")
"""Units in which catalogs give flux densities; the first is that of the archive."""

LIGHT_KM_S = 299792.458
"""Speed of light, km/s (exact)."""

HC_OVER_K_UM_K = 14387.77
"""h c / k, micron kelvin: the second radiation constant."""

AU_KM = 149597870.7
"""Astronomical unit, km (IAU 2012, resolution B2)."""

L2_FACTOR = 1.0099
"""Distance from the Sun, and speed, of the second Lagrange point in units of the Earth's."""
