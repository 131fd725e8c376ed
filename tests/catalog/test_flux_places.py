"""Light does not depend on where a source is: equal stars all over a distorted image have equal fluxes."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage

from rtools.astrometry.wcs import build_wcs
from rtools.catalog.detect import segments
from rtools.catalog.measure import sky
from rtools.catalog.measure.image import MJYSR_BRIGHTNESS, Image
from rtools.catalog.measure.measure import ANNULUS, RADII, Options, measure
from rtools.reference.epsf import Psf
from rtools.wfi.distortion import distortion
from tests.support.places import TESTS
from tests.support.star_fields import POINTING

pytestmark = pytest.mark.slow

SIDE = 4088
FLUX = 25000.0
"""nJy of each star."""

SIGMA = 1.1
"""Pixels: a star is a Gaussian on any detector."""

HALF = 34
STARS = 5
"""On a side of the grid."""


def area_of(wcs, x, y):
    """Area of pixels, sr: half the cross product of their diagonals."""
    corners = []
    for dx, dy in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)):
        ra, dec = np.radians(wcs(x + dx, y + dy, with_bounding_box=False))
        corners.append(np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1))
    one, other = corners[2] - corners[0], corners[3] - corners[1]
    return np.linalg.norm(np.cross(one, other), axis=-1) / 2


@pytest.fixture(scope="module", params=["WFI01", "WFI09"])
def field(request):
    """A full frame in MJy/sr with equal stars, as a calibrated exposure holds it; its WCS, places and areas."""
    wcs = build_wcs(distortion(request.param), POINTING, 1.0, (SIDE, SIDE))
    places = np.linspace(60, SIDE - 61, STARS)
    x, y = (each.ravel() for each in np.meshgrid(places, places))
    x, y = np.stack([x, y]) + np.random.default_rng(4).uniform(-0.5, 0.5, (2, x.size))
    area = area_of(wcs, x, y)
    data, labels = np.zeros((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE), np.int32)
    grid = np.indices((2 * HALF + 1, 2 * HALF + 1)) - HALF
    for i, (left, low) in enumerate(zip(np.rint(x).astype(int), np.rint(y).astype(int), strict=True)):
        rows, columns = grid[0] + low, grid[1] + left
        star = np.exp(-((columns - x[i]) ** 2 + (rows - y[i]) ** 2) / 2 / SIGMA**2)
        data[rows, columns] = star / (2 * np.pi * SIGMA**2) * FLUX * 1e-15 / area[i]
        labels[rows, columns] = np.where(star > 1e-3, i + 1, 0)
    return data, labels, wcs, (x, y), area


@pytest.fixture(scope="module")
def measured(field):
    """The catalog of it, in the order of the stars."""
    data, labels, wcs, _places, _area = field
    side = (np.arange(4 * 2 * 20 + 1) - 4 * 20) / 4
    stamp = np.exp(-(side**2 + side[:, None] ** 2) / 2 / SIGMA**2) / (2 * np.pi * SIGMA**2)
    psf = Psf(stamp[None], 4, np.array([0.0]), np.array([0.0]))
    err = np.full(data.shape, 1e-4, np.float32)
    image = Image(data, err, np.zeros(data.shape, bool), data, wcs, brightness=MJYSR_BRIGHTNESS)
    return measure(image, segments.find(labels), Options(psf_weights="err"), psf=psf)


def test_flux_does_not_lean_across_the_detector(field, measured):
    """1.3 to 7.7 % with one pixel area for the image; the mission asks for 1 %."""
    *_, (x, y), area = field
    assert np.ptp(area) / area.mean() > 0.015
    for name in ("segment_flux", "kron_flux", "psf_flux", "aper08_flux", "aper16_flux"):
        ratio = measured[name] / FLUX
        assert np.ptp(ratio) < 2e-3, name  # the apertures follow the pixels, the width of the Gaussian does not
        slope = np.linalg.lstsq(np.stack([x / SIDE, y / SIDE, np.ones(x.size)], axis=1), ratio, rcond=None)[0]
        assert np.abs(slope[:2]).max() < 1e-3, name
    for name in ("psf_flux", "aper16_flux"):  # all of the light
        np.testing.assert_allclose(measured[name], FLUX, rtol=2e-4, err_msg=name)
    np.testing.assert_allclose(measured["kron_abmag"], 31.4 - 2.5 * np.log10(measured["kron_flux"]), atol=1e-5)


@pytest.mark.parametrize(
    ("number", "size"),
    [(9, 768), pytest.param(1, 4096, marks=pytest.mark.long), pytest.param(9, 4096, marks=pytest.mark.long)],
)
def test_stars_of_the_simulator_have_their_flux_everywhere(number, size, monkeypatch):
    """rt-sim sends the same photons anywhere; its light and the WCS together say the magnitude again."""
    monkeypatch.syspath_prepend(TESTS / "validation")
    import flux_places

    asked = SimpleNamespace(size=size, stars=64, magnitude=17.5, j=1)
    x, y, found, _spread = flux_places.light_alone(number, asked)
    median, _sd, in_x, _x_err, in_y, _y_err, count = flux_places.plane(x, y, found["light"]["psf_flux"], size)
    assert count > 50
    assert median == pytest.approx(1, abs=5e-4)
    assert abs(in_x) < 1e-3 and abs(in_y) < 1e-3


def test_errors_of_fluxes_follow_the_pixels(field, measured):
    """A uniform error of the surface brightness: that of a flux within an angle is proportional to the pixel's side."""
    *_, area = field
    side = np.degrees(np.sqrt(area)) * 3600
    brightness = 1e-4 * MJYSR_BRIGHTNESS  # nJy per square arcsecond, of a pixel
    expected = brightness * side * np.sqrt(np.pi) * 1.6  # of N = π r² / side² pixels of side² each
    np.testing.assert_allclose(measured["aper16_flux_err"], expected, rtol=0.02)
    assert np.corrcoef(measured["aper16_flux_err"], side)[0, 1] > 0.9
    np.testing.assert_allclose(measured["psf_flux_err"], brightness * side**2 * np.sqrt(4 * np.pi) * SIGMA, rtol=0.1)


def test_sizes_are_those_of_the_pixels_where_the_source_is(field, measured):
    data, labels, wcs, _places, area = field
    side = np.degrees(np.sqrt(area)) * 3600
    for name in ("semimajor", "fwhm", "fluxfrac_radius_50"):
        assert np.corrcoef(measured[name], side)[0, 1] > 0.5, name
    for name in ("semimajor", "fwhm"):
        np.testing.assert_allclose(measured[name] / side, np.mean(measured[name] / side), rtol=3e-3, err_msg=name)
    pixels = np.bincount(labels.ravel())[1:]
    np.testing.assert_allclose(measured["segment_area"], pixels * side**2, rtol=1e-5)
    # An image of ones in its unit: fluxes are areas, the same everywhere.
    ones = np.ones(data.shape, np.float32)
    image = Image(ones, ones, np.zeros(data.shape, bool), data, wcs)
    found = measure(image, segments.find(labels), columns=["aper04_flux", "aper16_flux", "aper_bkg_flux"])
    for name, radius in (("aper04_flux", RADII[2]), ("aper16_flux", RADII[4])):
        np.testing.assert_allclose(found[name], np.pi * radius**2, rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(found["aper_bkg_flux"], 1, rtol=1e-6)
    assert ANNULUS == (2.4, 2.8)


def test_a_source_without_a_place_has_the_pixels_of_the_centre():
    wcs = build_wcs(distortion("WFI09"), POINTING, 1.0, (SIDE, SIDE))
    slopes = sky.local_slopes(wcs, (SIDE, SIDE), np.array([np.nan, 10.0]), np.array([5.0, 20.0]))
    assert sky.sides(slopes)[0] == pytest.approx(sky.centre_side(wcs, (SIDE, SIDE)), rel=1e-12)
    assert abs(sky.sides(slopes)[1] / sky.sides(slopes)[0] - 1) > 3e-3


def test_the_scale_of_a_psf_is_that_of_the_pixels_at_its_stars_not_at_the_centre():
    wcs = build_wcs(distortion("WFI09"), POINTING, 1.0, (SIDE, SIDE))
    x, y = np.array([100.0, 400.0, 300.0]), np.array([150.0, 200.0, 500.0])
    found = sky.mean_side(wcs, (SIDE, SIDE), x, y)
    assert found == pytest.approx(np.degrees(np.sqrt(area_of(wcs, x, y))).mean() * 3600, rel=1e-6)
    assert abs(found / sky.centre_side(wcs, (SIDE, SIDE)) - 1) > 2e-3


def test_orientation_follows_the_pixels_where_the_source_is():
    """North turns by half a degree across a detector near the pole of the sky, and more."""
    size = 300
    far = POINTING._replace(dec_ref=88.0)
    # Every pixel stands for fourteen: the whole of a detector on a small image.
    from astropy.modeling.models import Scale, Shift

    wide = (Scale(14.0) & Scale(14.0)) | (Shift(0.0) & Shift(0.0)) | distortion("WFI01")
    wcs = build_wcs(wide, far, 1.0, (size, size))
    rows, columns = np.indices((size, size))
    data = np.zeros((size, size))
    places = [(20.0, 20.0), (150.0, 150.0), (279.0, 30.0), (30.0, 279.0)]
    for x, y in places:
        data += np.exp(-((columns - x) ** 2 / 18 + (rows - y) ** 2 / 4))
    data = data.astype(np.float32)
    labels = ndimage.label(data > 0.1)[0]
    image = Image(data, np.full_like(data, 0.01), np.zeros(data.shape, bool), data, wcs)
    found = measure(image, segments.find(labels), columns=["orientation_sky", "x_centroid", "y_centroid"])
    for x, y, angle in zip(found["x_centroid"], found["y_centroid"], found["orientation_sky"], strict=True):
        ends = np.radians(wcs(np.array([x - 0.01, x + 0.01]), np.array([y, y]), with_bounding_box=False))
        east = (ends[0, 1] - ends[0, 0]) * np.cos(ends[1].mean())
        expected = np.degrees(np.arctan2(east, ends[1, 1] - ends[1, 0]))
        assert abs((angle - expected + 90) % 180 - 90) < 0.3
        assert -90 < angle <= 90
    assert np.ptp(np.unwrap(found["orientation_sky"], period=180)) > 1
