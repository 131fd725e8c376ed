"""Reddening: known values on maps that are known, both hemispheres, positions that are none."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from rtools.catalog.measure.dust import reddening


def sky_map(pole, level):
    """A map in the projection of the published ones: zenithal equal area about a galactic pole, a ramp in longitude."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "GLON-ZEA", "GLAT-ZEA"
    wcs.wcs.crval = 0.0, pole
    wcs.wcs.crpix = 101.0, 101.0
    wcs.wcs.cdelt = -0.9, 0.9
    wcs.wcs.lonpole = 180.0
    y, x = np.indices((201, 201), dtype=float)
    longitude, latitude = wcs.all_pix2world(x, y, 0)
    with np.errstate(invalid="ignore"):
        image = level + 0.1 * np.cos(np.radians(longitude)) * np.cos(np.radians(latitude))
    return np.nan_to_num(image, nan=level), wcs


@pytest.fixture(scope="module")
def maps():
    return sky_map(90.0, 0.3), sky_map(-90.0, 0.7)


@pytest.mark.parametrize(("latitude", "level"), [(60.0, 0.3), (20.0, 0.3), (-60.0, 0.7), (-20.0, 0.7)])
def test_each_hemisphere_has_its_map(maps, latitude, level):
    longitude = np.array([10.0, 130.0, 250.0])
    sky = SkyCoord(longitude, np.full(3, latitude), frame="galactic", unit="deg").icrs
    wanted = level + 0.1 * np.cos(np.radians(longitude)) * np.cos(np.radians(latitude))
    assert reddening(*maps)(sky.ra.deg, sky.dec.deg) == pytest.approx(wanted, abs=1e-4)


def test_a_part_of_a_map_is_as_good_as_the_whole(maps):
    from scipy.ndimage import map_coordinates

    image, wcs = maps[0]
    rough = image + np.random.default_rng(1).normal(0, 0.1, image.shape)
    longitude, latitude = np.array([10.0, 14.0, 20.0]), np.array([60.0, 62.0, 61.0])
    sky = SkyCoord(longitude, latitude, frame="galactic", unit="deg").icrs
    x, y = wcs.all_world2pix(longitude, latitude, 0)
    wanted = map_coordinates(rough, [y, x], order=3, mode="nearest")
    assert reddening((rough, wcs), maps[1])(sky.ra.deg, sky.dec.deg) == pytest.approx(wanted, abs=1e-8)


def test_what_is_no_position_has_no_reddening(maps):
    values = reddening(*maps)(np.array([np.nan, 270.0]), np.array([66.0, 66.0]))
    assert np.isnan(values[0]) and np.isfinite(values[1])
    assert reddening(*maps)(np.zeros(0), np.zeros(0)).size == 0


def test_maps_of_a_directory(maps, tmp_path):
    from rtools.errors import InputError
    from rtools.pipeline.catalog.references import DUST_MAPS, dust_of

    for name, (image, wcs) in zip(DUST_MAPS, maps, strict=True):
        fits.PrimaryHDU(image, wcs.to_header()).writeto(tmp_path / name)
    here = dust_of(tmp_path, None)(np.array([270.0]), np.array([66.0]))
    assert here == pytest.approx(reddening(*maps)(np.array([270.0]), np.array([66.0])), abs=1e-6)
    (tmp_path / DUST_MAPS[1]).unlink()
    with pytest.raises(InputError, match="no such file"):
        dust_of(tmp_path, None)
