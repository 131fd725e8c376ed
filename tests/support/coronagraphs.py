"""Stars behind a coronagraph for tests: a point-spread function on pixels, speckles that change, photon noise."""

from functools import cache

import numpy as np

from rtools.coronagraphy.companions import companion_image
from rtools.jwst.pupil import psf

__all__ = ["ring", "speckles", "star"]

OVERSAMPLE = 4


@cache
def _stamp(size=61):
    return psf("nrcalong", "F444W", oversample=OVERSAMPLE, size=size, wavelengths=3)


def star(shape, x, y, flux=1.0):
    """A star at a column and a row, of which nothing is hidden."""
    return companion_image(shape, (x, y), flux, _stamp(), OVERSAMPLE)


def ring(shape, low, high):
    """Pixels between two distances from the middle, as numbers: where a fit is not spoiled by the occulter."""
    y, x = np.indices(shape)
    radius = np.hypot(x - (shape[1] - 1) / 2, y - (shape[0] - 1) / 2)
    return ((radius > low) & (radius < high)).astype(float)


def speckles(rng, shape, count, modes=4, level=3.0):
    """Images of one star whose halo changes: some smooth patterns, in other strengths each time, about a steady one."""
    y, x = np.indices(shape)
    middle = [(size - 1) / 2 for size in shape]
    radius = np.hypot(x - middle[1], y - middle[0])
    waves = rng.normal(0, 0.5, (modes + 1, 2)) @ np.stack([x.ravel(), y.ravel()])
    patterns = (np.cos(waves + rng.uniform(0, 6, (modes + 1, 1)))).reshape(-1, *shape) * np.exp(-radius / 8)
    return 10 * level * patterns[0] + np.tensordot(rng.normal(0, level, (count, modes)), patterns[1:], 1)
