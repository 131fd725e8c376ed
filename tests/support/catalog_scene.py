"""A small image of Gaussian sources with known shapes, for the tests of the catalog's measurements."""

import numpy as np
from scipy import ndimage

from rtools.catalog.detect import segments


def blobs(shape, sources, seed=1, sky=0.04, gain=60.0):
    """Image and its errors: `sources` of (x, y, flux, a, b, angle in radians), noise of sky and photons."""
    image = np.zeros(shape)
    rows, columns = np.indices(shape)
    for x, y, flux, a, b, angle in sources:
        u = (columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)
        v = (rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)
        image += flux * np.exp(-0.5 * ((u / a) ** 2 + (v / b) ** 2)) / (2 * np.pi * a * b)
    err = np.sqrt(sky**2 + image / gain)
    noise = np.random.default_rng(seed).standard_normal(shape)
    return (image + err * noise).astype(np.float32), err.astype(np.float32)


def random_sources(shape, n, seed=2):
    """Sources anywhere on the image, its borders included."""
    rng = np.random.default_rng(seed)
    a = rng.uniform(0.7, 2.2, n)
    x, y = rng.uniform(-0.4, shape[1] - 0.6, n), rng.uniform(-0.4, shape[0] - 0.6, n)
    return np.stack(
        [x, y, 10 ** rng.uniform(1, 3.3, n), a, a * rng.uniform(0.4, 1, n), rng.uniform(0, np.pi, n)], axis=1
    )


def field(masked=0.0, shape=(260, 300), n=45):
    """Data, err, smoothed data, mask and segments of a field; masked pixels hold nonsense."""
    data, err = blobs(shape, random_sources(shape, n))
    mask = np.random.default_rng(4).uniform(size=shape) < masked
    smoothed = ndimage.gaussian_filter(data, 0.85).astype(np.float32)
    data[mask] = 77
    labels, n = ndimage.label((smoothed > 0.12) & ~mask, np.ones((3, 3)))
    keep = np.bincount(labels.ravel(), minlength=n + 1) >= 12
    keep[0] = False
    number = np.cumsum(keep) * keep
    return data, err, smoothed, mask, segments.find(number[labels])
