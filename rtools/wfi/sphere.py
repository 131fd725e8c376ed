"""The tangent plane: gnomonic projection, offsets in radians, positions in degrees."""

import numpy as np

__all__ = ["from_plane", "to_plane"]


def to_plane(ra, dec, crval):
    """Gnomonic projection: offsets east and north (radians) of positions; NaN on the other half of the sky."""
    ra, dec = np.deg2rad(np.asarray(ra, float) - crval[0]), np.deg2rad(np.asarray(dec, float))
    sin, cos = np.sin(np.deg2rad(crval[1])), np.cos(np.deg2rad(crval[1]))
    depth = np.sin(dec) * sin + np.cos(dec) * cos * np.cos(ra)
    depth = np.where(depth > 0, depth, np.nan)
    return np.cos(dec) * np.sin(ra) / depth, (np.sin(dec) * cos - np.cos(dec) * sin * np.cos(ra)) / depth


def from_plane(xi, eta, crval):
    """Right ascension (0 … 360) and declination of offsets in the tangent plane (radians)."""
    sin, cos = np.sin(np.deg2rad(crval[1])), np.cos(np.deg2rad(crval[1]))
    across = cos - eta * sin
    ra = crval[0] + np.rad2deg(np.arctan2(xi, across))
    return ra % 360, np.rad2deg(np.arctan2(sin + eta * cos, np.hypot(xi, across)))
