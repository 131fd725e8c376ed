"""Skies for the tests of sky matching: tangent images of one sky with sources, and the documentation's mosaics."""

import numpy as np
from astropy.wcs import WCS

SCALE = 0.11 / 3600
"""Degrees."""


def plane(x0, y0, shape, *, angle=0.0, centre=(150.0, 2.0)):
    """A tangent WCS of pixels of 0.11 arcsec, image centre at (x0, y0) pixels from the tangent point; `to_sky`."""
    wcs = WCS(naxis=2)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    middle = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval = centre
    wcs.wcs.cd = SCALE * np.array([[-c, s], [s, c]])
    wcs.wcs.crpix = middle + 1 - [c * x0 + s * y0, -s * x0 + c * y0]
    return wcs


def to_sky(wcs):
    return lambda x, y: wcs.all_pix2world(x, y, 0)


def sky_scene(wcs, shape, *, seed, level, noise=0.05, stars=150):
    """Noise on a level and stars that are at the same places of the sky for every image."""
    random = np.random.default_rng(seed)
    data = random.normal(level, noise, shape)
    fixed = np.random.default_rng(99)
    places = fixed.uniform(-1500, 1500, (stars, 2)) * SCALE
    flux = 10 ** fixed.uniform(0, 3, stars)
    ra, dec = 150 - places[:, 0] / np.cos(np.radians(2)), 2 + places[:, 1]
    for x, y, total in zip(*wcs.all_world2pix(ra, dec, 0), flux, strict=True):
        if -20 < x < shape[1] + 20 and -20 < y < shape[0] + 20:
            left, low = max(int(x) - 20, 0), max(int(y) - 20, 0)
            box = np.s_[low : max(int(y) + 21, 0), left : max(int(x) + 21, 0)]
            yy, xx = np.mgrid[box][:, : data[box].shape[0], : data[box].shape[1]]
            data[box] += total / 12 * (1 + ((xx - x) ** 2 + (yy - y) ** 2) / 4) ** -2.5
    return data.astype(np.float32)


DOCS = (100, 120, 105, 110, 105, 115)
"""Skies of the documentation's mosaic of two rows and three columns."""


def docs_mosaic(levels, shape=(200, 220), columns=3, at=(0, 0)):
    """Constant images that overlap their neighbours by 40 pixels: (data, good, wcs) each."""
    made = []
    for k, level in enumerate(levels):
        wcs = plane(at[0] + (k % columns) * (shape[1] - 40), at[1] + (k // columns) * (shape[0] - 40), shape)
        made.append((np.full(shape, level, np.float32), np.ones(shape, bool), wcs))
    return made
