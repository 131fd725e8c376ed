"""A field for tests of the alignment: stars that a reference catalog knows, and their sources in an image."""

from typing import NamedTuple

import numpy as np

from rtools.astrometry import align, refcat
from rtools.astrometry.wcs import Pointing, build_wcs
from rtools.wfi.distortion import distortion
from rtools.wfi.instrument import WFI_CEN

SIZE = 4088
EPOCH = 2027.4
TRUE = Pointing(*WFI_CEN, 150.0, 2.0, 33.0)


class Field(NamedTuple):
    """An image as `align` takes it, its stars, and its true WCS."""

    image: align.ImageSources
    stars: refcat.RefCat
    true: object


def wcs_of(pointing, detector="WFI01"):
    return build_wcs(distortion(detector), pointing, 1.0, (SIZE, SIZE))


def turned(shift=(0.0, 0.0), angle=0.0, true=TRUE):
    """The pointing, wrong by a shift (arcsec east and north) and a rotation about WFI_CEN (degrees)."""
    return true._replace(
        ra_ref=true.ra_ref + shift[0] / 3600 / np.cos(np.deg2rad(true.dec_ref)),
        dec_ref=true.dec_ref + shift[1] / 3600,
        roll_ref=true.roll_ref + angle,
    )


def star_catalog(ra, dec, error=0.2, **columns):
    """Reference stars at rest."""
    table = {"ra": ra, "dec": dec, "ra_error": np.full(len(ra), error), "dec_error": np.full(len(ra), error)}
    return refcat.from_table(table | columns)


EVERYWHERE = (TRUE, Pointing(*WFI_CEN, 0.01, -89.5, 33.0), Pointing(*WFI_CEN, 359.99, 60.0, 210.0))
"""Pointings on a plain place, near a pole, and across right ascension 0."""


def field(stars=30, others=200, start=TRUE, *, detector="WFI01", noise=0.01, seed=7, true=TRUE):
    """Stars with sources (noise in pixels), and other sources."""
    rng = np.random.default_rng(seed)
    right = wcs_of(true, detector)
    x, y = rng.uniform(10, SIZE - 10, (2, stars))
    ra, dec = right(x, y)
    x, y = np.concatenate([[x, y], rng.uniform(0, SIZE - 1, (2, others))], axis=1)
    x, y = x + rng.normal(0, noise, x.size), y + rng.normal(0, noise, x.size)
    errors = np.full(x.size, noise)
    image = align.ImageSources(x, y, errors, errors, wcs_of(start, detector), start, EPOCH)
    return Field(image, star_catalog(ra, dec), right)


def miss(wcs, right):
    """Largest distance between two WCSs over the detector, mas."""
    x, y = np.meshgrid(np.linspace(0, SIZE - 1, 9), np.linspace(0, SIZE - 1, 9))
    (ra, dec), (ra0, dec0) = (each(x, y) for each in (wcs, right))
    return float(np.hypot(((ra - ra0 + 180) % 360 - 180) * np.cos(np.deg2rad(dec0)), dec - dec0).max() * 3.6e6)
