"""Grids of mosaics and the maps to them."""

import numpy as np
import pytest

from rtools.astrometry.wcs import Pointing, build_wcs
from rtools.errors import InputError, UsageError
from rtools.mosaic.grid.freegrid import FreeGrid, invert, shape_of
from rtools.mosaic.grid.grid import Grid, centred_grid, covering_grid, grid_like, rotation, skycell_grid
from rtools.mosaic.grid.pixmap import pixel_map
from rtools.mosaic.grid.scale import mean_pixel_area, native_scale, pixel_scale_ratio
from rtools.mosaic.skymap import skymap
from rtools.wfi.distortion import distortion

SHAPE = 4088, 4088
PIXEL = 0.11 / 3600


@pytest.fixture(scope="module")
def detector():
    return build_wcs(distortion("WFI07"), Pointing(1546.4, -892.8, 270.0, 66.0, 40.0), 1.0, SHAPE)


@pytest.fixture
def pixels():
    rng = np.random.default_rng(4)
    return rng.uniform(-0.5, 4087.5, (2, 500))


def edge(wcs, points=9):
    at = np.linspace(-0.5, 4087.5, points)
    low, high = np.full(points, -0.5), np.full(points, 4087.5)
    x, y = np.concatenate([at, high, at, low]), np.concatenate([low, at, high, at])
    return np.stack(wcs(x, y, with_bounding_box=False), axis=1)


@pytest.mark.parametrize("name", ["270p65x69y51", "135p90x25y49", "225m90x50y50", "000p86x26y39", "010m06x50y50"])
def test_the_grid_of_a_skycell_is_that_of_the_skymap(name):
    info = skymap.wcs_info(skymap.parse_name(name))
    grid = skycell_grid(info)
    assert grid.shape == (5000, 5000)
    middle = grid.to_sky(2499.5, 2499.5)
    assert np.ravel(middle) == pytest.approx([info["ra_center"] % 360, info["dec_center"]], abs=1e-10)
    x, y = np.random.default_rng(1).uniform(-400, 5400, (2, 300))
    np.testing.assert_allclose(grid.to_pixel(*grid.to_sky(x, y)), (x, y), atol=1e-8)
    as_gwcs = grid.wcs()
    ra, dec = as_gwcs(x, y, with_bounding_box=False)
    np.testing.assert_allclose(grid.to_pixel(ra, dec), (x, y), atol=1e-7)
    assert as_gwcs.array_shape == (5000, 5000)
    assert grid_like(as_gwcs) == grid


def test_skycell_has_east_on_the_right():
    grid = skycell_grid(skymap.wcs_info(skymap.parse_name("270p65x50y50")))
    ra, dec = grid.to_sky(np.array([2499.5, 2599.5, 2499.5]), np.array([2499.5, 2499.5, 2599.5]))
    assert ra[1] > ra[0]
    assert dec[2] > dec[0]


def test_a_skycell_that_lacks_a_number_is_refused():
    with pytest.raises(InputError, match="nx"):
        skycell_grid({"ny": 5000, "name": "270p65x69y51"})


def test_a_centred_grid_is_turned_about_its_centre():
    grid = centred_grid((12.0, -45.0), PIXEL, (301, 401), 30.0)
    assert grid.to_sky(200, 150) == pytest.approx((12.0, -45.0))
    ra, dec = grid.to_sky(np.array([200.0, 300.0]), np.array([250.0, 150.0]))
    north, east = dec + 45, (ra - 12) * np.cos(np.deg2rad(45))
    assert np.rad2deg(np.arctan2(east[0], north[0])) == pytest.approx(30, abs=0.01)
    # +x points west of south-west, 90 degrees from +y, where north is up and east is left
    assert np.rad2deg(np.arctan2(east[1], north[1])) == pytest.approx(30 - 90, abs=0.01)
    assert np.hypot(east[0], north[0]) == pytest.approx(100 * PIXEL, rel=1e-4)


def test_a_grid_that_cannot_be_is_refused():
    with pytest.raises(UsageError, match="too small"):
        centred_grid((0, 0), PIXEL, (1, 100))
    with pytest.raises(UsageError, match="tangent plane"):
        centred_grid((0, 0), -PIXEL, (10, 100))
    with pytest.raises(UsageError, match="tangent plane"):
        centred_grid((0, 95), PIXEL, (10, 100))


def test_covering_holds_every_pixel(detector):
    footprint = edge(detector, 40)
    grid = covering_grid([footprint], PIXEL, 40.0)
    x, y = grid.to_pixel(*footprint.T)
    rows, columns = grid.shape
    # the outermost points are half a pixel or more inside every side
    assert x.min() == pytest.approx(0, abs=1e-6)
    assert y.min() == pytest.approx(0, abs=1e-6)
    assert columns - 2 < x.max() <= columns - 1 + 1e-5
    assert rows - 2 < y.max() <= rows - 1 + 1e-5
    assert max(grid.shape) < 6000


def test_covering_of_two_pointings(detector):
    one = edge(detector)
    other = one + np.array([0.3, 0.05])
    grid = covering_grid([one, other], 2 * PIXEL, 0.0)
    for footprint in (one, other):
        x, y = grid.to_pixel(*footprint.T)
        assert x.min() > -1e-6
        assert y.min() > -1e-6
        assert x.max() < grid.shape[1] - 1 + 1e-5
        assert y.max() < grid.shape[0] - 1 + 1e-5


def test_covering_across_zero_hours():
    there = centred_grid((0.01, 10.0), PIXEL, SHAPE, 33.0)
    footprint = edge(there.wcs())
    assert np.ptp(footprint[:, 0]) > 359
    grid = covering_grid([footprint], PIXEL, 33.0)
    assert grid.shape == (4089, 4089)
    assert min(grid.crval[0], 360 - grid.crval[0]) < 0.05


def test_covering_with_given_numbers(detector):
    footprint = edge(detector)
    grid = covering_grid([footprint], PIXEL, 0.0, crval=(270.0, 66.0), crpix=(10.0, 20.0), shape=(50, 60))
    assert grid == Grid((50, 60), (10.0, 20.0), (270.0, 66.0), PIXEL, rotation(0.0))
    with pytest.raises(UsageError, match="shape"):
        covering_grid([footprint], PIXEL, 0.0, crpix=(10.0, 20.0))
    with pytest.raises(InputError, match="skycell"):
        covering_grid([footprint, footprint * (1, -1)], PIXEL, 0.0, crval=(270.0, 66.0))


def test_like_a_detector(detector, pixels):
    grid = grid_like(detector)
    assert isinstance(grid, FreeGrid)
    assert grid.shape == SHAPE
    np.testing.assert_allclose(grid.to_pixel(*grid.to_sky(*pixels)), pixels, atol=1e-7)
    assert np.isnan(grid.to_pixel(90.0, -66.0)).all()
    ours = grid_like(detector, SHAPE).wcs()
    np.testing.assert_allclose(ours(*pixels), detector(*pixels))
    assert ours.array_shape == SHAPE


def test_like_of_another_size(detector):
    assert grid_like(detector, (100, 200)).shape == (100, 200)
    assert shape_of(detector) == SHAPE
    assert shape_of(grid_like(detector, (100, 200)).wcs()) == (100, 200)


def test_like_a_tangent_plane_in_parts():
    """A WCS of separate shift, matrix, scale, projection and rotation is known as a tangent plane."""
    from astropy.modeling.models import AffineTransformation2D, Pix2Sky_TAN, RotateNative2Celestial, Scale, Shift

    from rtools.mosaic.grid.freegrid import wcs_of

    expected = centred_grid((33.0, -20.0), PIXEL, (300, 200), 25.0)
    turn = AffineTransformation2D(np.array(expected.matrix))
    scale = Scale(PIXEL) & Scale(PIXEL)
    to_plane = Shift(-expected.crpix[0]) & Shift(-expected.crpix[1]) | turn | scale
    wcs = wcs_of(to_plane | Pix2Sky_TAN() | RotateNative2Celestial(33.0, -20.0, 180.0), (300, 200))
    grid = grid_like(wcs)
    assert isinstance(grid, Grid)
    np.testing.assert_allclose(grid.crpix, expected.crpix, atol=1e-6)
    np.testing.assert_allclose(grid.matrix, expected.matrix, atol=1e-9)
    assert grid.scale == pytest.approx(PIXEL, rel=1e-9)


def test_inversion_of_a_plain_function():
    def bent(x, y):
        return 10 + 1e-4 * (x + 1e-4 * x * y), 20 + 1e-4 * (y - 1e-4 * x * x)

    x, y = np.random.default_rng(2).uniform(-100, 100, (2, 50))
    found = invert(bent, *bent(x, y), middle=(0.0, 0.0))
    np.testing.assert_allclose(found, (x, y), atol=1e-7)


def test_pixels_have_the_scale_and_area_asked_for(detector):
    grid = centred_grid((10.0, 40.0), PIXEL, (1000, 1200), 12.0)
    wcs = grid.wcs()
    assert native_scale(wcs) == pytest.approx(PIXEL, rel=1e-6)
    # 300 pixels from the tangent point a pixel is smaller by 1.5 θ²
    assert mean_pixel_area(wcs) == pytest.approx(np.deg2rad(PIXEL) ** 2, rel=1e-6)
    assert mean_pixel_area(wcs, (1000, 1200)) == mean_pixel_area(wcs)
    area = mean_pixel_area(detector)
    x, y = (each.ravel() for each in np.meshgrid(np.arange(0.0, 4088, 100), np.arange(0.0, 4088, 100)))
    unit = [sphere(*detector(x + dx, y + dy, with_bounding_box=False)) for dx, dy in ((0, 0), (0.1, 0), (0, 0.1))]
    local = np.linalg.norm(np.cross(unit[1] - unit[0], unit[2] - unit[0]), axis=-1) * 100
    assert area == pytest.approx(local.mean(), rel=1e-4)
    assert pixel_scale_ratio(PIXEL / 2, np.deg2rad(PIXEL) ** 2) == pytest.approx(0.5)
    at_corner = native_scale(detector, detector(100.0, 200.0))
    assert at_corner == pytest.approx(PIXEL, rel=0.05)
    assert at_corner != pytest.approx(native_scale(detector), rel=1e-5)


def sphere(ra, dec):
    ra, dec = np.deg2rad(ra), np.deg2rad(dec)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def test_the_map_is_exact_between_its_nodes(detector, pixels):
    cell = skymap.cell_at(*detector(2043.5, 2043.5))
    grid = skycell_grid(skymap.wcs_info(cell[0] if isinstance(cell, list) else cell))
    found = pixel_map(detector, SHAPE, grid.to_pixel)
    assert found.error < 1e-7
    assert found.nodes_x.shape == (65, 65)
    assert found.bounds == (0, 4087, 0, 4087)
    x, y = found.evaluate(slice(700, 900), slice(3000, 3200))
    rows, columns = np.mgrid[700:900, 3000:3200]
    exact = grid.to_pixel(*detector(columns.astype(float), rows.astype(float)))
    np.testing.assert_allclose(x, exact[0], atol=1e-7)
    np.testing.assert_allclose(y, exact[1], atol=1e-7)
    nodes = grid.to_pixel(*detector(64 * 7 - 0.5, 64 * 9 - 0.5))
    assert (found.nodes_x[9, 7], found.nodes_y[9, 7]) == pytest.approx(nodes, abs=1e-6)


def test_pixel_map_to_a_distorted_grid(detector, pixels):
    other = build_wcs(distortion("WFI07"), Pointing(1546.4, -892.8, 270.03, 66.02, 44.0), 1.0, SHAPE)
    grid = grid_like(other)
    found = pixel_map(detector, SHAPE, grid.to_pixel)
    assert found.error < 1e-6


def test_pixel_map_of_a_rough_wcs():
    def wavy(x, y):
        return x + 0.3 * np.sin(x / 10), y + 0.3 * np.cos(y / 12)

    found = pixel_map(wavy, (300, 400), lambda x, y: (x, y))
    assert found.step < 64
    assert found.error <= 1e-4
    rows, columns = np.mgrid[0:300, 0:400].astype(float)
    x, y = found.evaluate()
    exact = wavy(columns, rows)
    # measured at one place in each square, so elsewhere it may be a little more
    assert max(np.abs(x - exact[0]).max(), np.abs(y - exact[1]).max()) < 3e-4
    with pytest.raises(InputError, match="not smooth"):
        pixel_map(lambda x, y: (x + 0.3 * np.sin(x * 2), y), (300, 400), lambda x, y: (x, y))


def test_pixel_map_of_a_member_elsewhere(detector):
    grid = centred_grid((90.0, -66.0), PIXEL, (100, 100))
    found = pixel_map(detector, SHAPE, grid.to_pixel)
    assert np.isnan(found.nodes_x).all()
    assert np.isnan(found.cells).all()


def test_bounding_box_limits_the_map(detector):
    from rtools.wfi.gwcs_frames import shifted_wcs

    cut = shifted_wcs(detector, 0, 0, ((10.2, 3000.0), (-5.0, 4000.5)))
    found = pixel_map(cut, SHAPE, centred_grid(cut(2000, 2000), PIXEL, (100, 100)).to_pixel)
    assert found.bounds == (11, 3000, 0, 4000)
