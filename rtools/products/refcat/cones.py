"""Cones on the sky: right ascension, declination and radius in degrees, as typed or around the footprints of files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.products.forms import read_tree
from rtools.products.schema import keys
from rtools.wfi.sphere import positions_of, separation, unit_vectors
from rtools.wfi.units import DEGREE_ARCSEC

__all__ = ["around", "around_files", "corners_of", "parse"]

WIDEST = 10.0
"""Degrees: radius of a cone around files that nobody asks about. A sky survey's field has 5."""


Cone = tuple[float, float, float]
"""Right ascension, declination, radius; degrees."""


def parse(text: str) -> Cone:
    """A cone written ``RA,DEC,RADIUS``, degrees.

    Parameters
    ----------
    text : str
        Three numbers, as typed.

    Returns
    -------
    (float, float, float)
        Right ascension from 0 to 360, declination, radius; degrees.

    Raises
    ------
    UsageError
        It is not that, or there is no such position or radius.
    """
    try:
        ra, dec, radius = (float(word) for word in text.split(","))
    except ValueError:
        raise UsageError(f"cone {text!r}: RA,DEC,RADIUS in degrees expected") from None
    if not (-360 <= ra <= 360 and -90 <= dec <= 90 and 0 < radius <= 180):
        raise UsageError(f"cone {text!r}: there is none of this position and radius (degrees)")
    return ra % 360, dec, radius


def corners_of(path: str | Path) -> np.ndarray:
    """Corners of a file's `meta.wcsinfo.s_region`, degrees.

    Parameters
    ----------
    path : str or Path
        A file of any form that has metadata.

    Returns
    -------
    ndarray float64
        Right ascensions and declinations, (n, 2).

    Raises
    ------
    InputError
        It says no polygon.
    """
    found = keys.find(read_tree(path), "meta.wcsinfo.s_region")
    words = str(found[0][1]).split() if found else []
    try:
        numbers = np.array([float(word) for word in words[2:]]).reshape(-1, 2)
    except ValueError:
        numbers = np.zeros((0, 2))
    if words[:1] != ["POLYGON"] or len(numbers) < 3 or not np.all(np.abs(numbers) <= (360, 90)):
        raise InputError("meta.wcsinfo.s_region is not a polygon", mend="give --cone RA,DEC,RADIUS", path=path)
    return numbers


def around(corners: np.ndarray, margin: float) -> Cone:
    """The cone around points, with a margin.

    Its axis is the middle of the box that holds the points' unit vectors.

    Parameters
    ----------
    corners : ndarray
        Right ascensions and declinations, degrees, (n, 2).
    margin : float
        Arcsec that are added to the radius.

    Returns
    -------
    (float, float, float)
        Right ascension, declination, radius; degrees.

    Raises
    ------
    InputError
        The points are all over the sky.
    """
    vectors = unit_vectors(*corners.T)
    middle = (vectors.min(axis=0) + vectors.max(axis=0)) / 2
    if np.linalg.norm(middle) < 0.1:
        raise InputError("the footprints are too far apart for one cone")
    ra, dec = map(float, positions_of(middle))
    return ra, dec, float(separation(corners[:, 0], corners[:, 1], ra, dec).max()) + margin / DEGREE_ARCSEC


def around_files(paths: Sequence[str | Path], margin: float) -> Cone:
    """The cone around the footprints of files, with a margin.

    Parameters
    ----------
    paths : sequence of str or Path
        Files with `meta.wcsinfo.s_region`, one at least.
    margin : float
        Arcsec that are added to the radius.

    Returns
    -------
    (float, float, float)
        Right ascension, declination, radius; degrees.

    Raises
    ------
    InputError
        One has no footprint, or one is so far from the others that the cone would hold much of the sky.
    """
    corners = [corners_of(path) for path in paths]
    cone = around(np.concatenate(corners), margin)
    if cone[2] - margin / DEGREE_ARCSEC > WIDEST:
        middles = np.array([around(each, 0.0)[:2] for each in corners])
        apart = separation(*middles.T, *middles[0])
        farthest = int(np.argmax(apart))
        raise InputError(
            f"it is {apart[farthest]:.3g} degrees from {paths[0]}, and a cone of both has a radius of {cone[2]:.3g}",
            mend="leave it out, or give --cone RA,DEC,RADIUS",
            path=paths[farthest],
        )
    return cone
