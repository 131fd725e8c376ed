"""How deep an image is: the scatter of the light in apertures on blank sky, beside what the errors of the pixels say.

Noise that pixels share, as after a drizzle, and faint sources that nobody found are in the scatter and not in the
errors. The apertures are laid by photutils (`ImageDepth`).
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

from rtools.catalog.detect.segments import empty_segments
from rtools.catalog.measure.apertures import circular
from rtools.errors import InputError
from rtools.work import ALONE, Work

__all__ = ["BlankNoise", "blank_noise"]

APERTURES = 500
TURNS = 4
"""Apertures that are laid at a time, and times that they are: the scatter is then known to 2 %."""

PAD = 3
"""Pixels about sources that are not blank."""


class BlankNoise(NamedTuple):
    """Noise of the light in one aperture, unit of the data.

    Attributes
    ----------
    scatter : float
        Standard deviation of the light in apertures on blank sky; NaN where there is no room for them.
    error : float
        Median of the errors that the errors of the pixels give the same apertures.
    apertures : int
        How many there were.
    """

    scatter: float
    error: float
    apertures: int


def blank_noise(
    data: np.ndarray,
    err: np.ndarray,
    mask: np.ndarray,
    labels: np.ndarray,
    radius: float,
    *,
    seed: int = 1,
    work: Work = ALONE,
) -> BlankNoise:
    """Noise of the light in apertures of one radius.

    Parameters
    ----------
    data, err : ndarray float32 (rows, columns)
        The image less its background, and its error.
    mask : ndarray bool (rows, columns)
        Pixels that cannot be used.
    labels : ndarray int32 (rows, columns)
        Of sources; 0 elsewhere.
    radius : float
        Pixels.
    seed : int
        Of the places.
    work : rtools.work.Work
        Threads.

    Returns
    -------
    BlankNoise

    Raises
    ------
    InputError
        The image has no blank sky for apertures of this radius.
    """
    from photutils.utils import ImageDepth

    depth = ImageDepth(radius, n_sigma=1.0, mask_pad=PAD, n_apertures=APERTURES, n_iters=TURNS, overlap=True,
                       seed=seed, zeropoint=0.0, progress_bar=False)  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            scatter, _magnitude = depth(np.where(mask, 0, data).astype(float), mask | (labels != 0))
        except ValueError as error:
            raise InputError(f"no blank sky for apertures ({' '.join(str(error).split())[:120]})") from None
    places = np.concatenate([np.atleast_2d(one.positions) for one in depth.apertures])
    x, y = np.array(places, float).T
    segments = empty_segments(data.shape, len(x))
    sums = circular(data, err, segments, mask, (x, y), radii=np.array([radius]), work=work)
    return BlankNoise(float(scatter), float(np.median(sums.err[:, 0])), len(x))
