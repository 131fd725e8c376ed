"""Three images as one picture in colour, after Lupton et al. (2004, PASP 116, 133)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rtools.errors import UsageError
from rtools.work.statistics import MAD_TO_SIGMA

__all__ = ["lupton_colours", "parse_scales"]

SOFTENING = 8.0
"""Lupton's Q: how soon bright pixels turn from linear to logarithmic."""

STRETCH = 12.0
"""The linear stretch, in units of the noise of the mean of the three images."""

BLACK = 1.0
"""Noise below the sky that is black."""

NO_COLOUR = 90
"""Shade of pixels of which one image knows nothing."""


def parse_scales(text: str) -> tuple[float, float, float]:
    """Factors of the three images, as they are typed.

    Parameters
    ----------
    text : str
        ``R,G,B``.

    Returns
    -------
    (float, float, float)

    Raises
    ------
    UsageError
        These are not three positive numbers.
    """
    try:
        red, green, blue = (float(word) for word in text.split(","))
    except ValueError:
        raise UsageError(f"--scales {text}: three numbers R,G,B expected, as 1,1.2,1.5") from None
    if not all(0 < factor < np.inf for factor in (red, green, blue)):
        raise UsageError(f"--scales {text}: positive numbers expected")
    return red, green, blue


def lupton_colours(planes: Sequence[np.ndarray], scales: Sequence[float] | None = None) -> np.ndarray:
    """Colours of three images of the same sky.

    Parameters
    ----------
    planes : sequence of ndarray (rows, columns)
        Red, green and blue, on one grid; NaN where nothing is known.
    scales : sequence of float, optional
        Each image is multiplied by its factor, after its sky is subtracted. By default by what gives the brightest
        percent of the pixels the same sum in all three, so that a common source is white.

    Returns
    -------
    ndarray uint8 (rows, columns, 3)
        Colours; the shade grey where one of the three knows nothing.
    """
    from astropy.visualization import make_lupton_rgb

    known = np.logical_and.reduce([np.isfinite(plane) for plane in planes])
    skies = [float(np.median(plane[known])) if known.any() else 0.0 for plane in planes]
    above = [np.where(known, plane - sky, 0).astype(np.float32) for plane, sky in zip(planes, skies, strict=True)]
    factors = balance(above, known) if scales is None else scales
    above = [plane * np.float32(factor) for plane, factor in zip(above, factors, strict=True)]
    mean = np.mean(above, axis=0)
    noise = MAD_TO_SIGMA * float(np.median(np.abs(mean[known]))) if known.any() else 1.0
    noise = noise or float(np.abs(mean).max()) / 100 or 1.0
    made = make_lupton_rgb(*above, minimum=-BLACK * noise, stretch=STRETCH * noise, Q=SOFTENING)
    made[~known] = NO_COLOUR
    return made


def balance(planes: Sequence[np.ndarray], known: np.ndarray) -> list[float]:
    """Factors that give the brightest percent of the pixels the same sum in all images.

    Parameters
    ----------
    planes : sequence of ndarray
        Their sky is 0.
    known : ndarray of bool
        Pixels that count.

    Returns
    -------
    list of float
        Their product is 1.
    """
    if not known.any():
        return [1.0] * len(planes)
    noises = [MAD_TO_SIGMA * float(np.median(np.abs(plane[known]))) or 1.0 for plane in planes]
    total = np.sum([plane / noise for plane, noise in zip(planes, noises, strict=True)], axis=0)
    # the very brightest are saturated, and would give their colour to all others
    low, high = np.percentile(total[known], (99, 99.95))
    bright = known & (total >= low) & (total <= high)
    sums = np.array([float(plane[bright].sum()) for plane in planes])
    if not (sums > 0).all():
        return [1.0] * len(planes)
    return (np.exp(np.log(sums).mean()) / sums).tolist()
