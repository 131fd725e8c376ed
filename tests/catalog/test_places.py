"""Light at given places: fluxes of stars as they are, with honest errors; every reason why there is none."""

import numpy as np
import pytest

from rtools import make_grid
from rtools.catalog.measure.image import MJYSR_BRIGHTNESS
from rtools.catalog.places import PlaceOptions, aperture_name, measure_places
from rtools.catalog.source_catalog import ImagePlanes
from rtools.reference import epsf
from rtools.reference.builtin import Builtin
from rtools.simulate import render

pytestmark = pytest.mark.slow

SIDE, STEP = 900, 60
SCALE = 0.11
SKY, READ_NOISE = 300.0, 10.0
NANOJANSKY = float(MJYSR_BRIGHTNESS) * SCALE**2
"""nJy of one unit of data in a pixel."""


@pytest.fixture(scope="module")
def psf():
    return epsf.from_reference(Builtin("epsf", "WFI01", "F158"))


@pytest.fixture(scope="module")
def field(psf):
    """Planes of isolated stars on a sky that rises along x, in electrons called MJy/sr; x, y and fluxes in nJy."""
    rng = np.random.default_rng(11)
    grid = np.arange(STEP // 2, SIDE, STEP)
    x, y = (values.ravel() + rng.uniform(-0.5, 0.5, values.size) for values in np.meshgrid(grid, grid))
    flux = 10 ** rng.uniform(3.5, 5, x.size)
    flux[::3] = 0
    light = np.zeros((SIDE, SIDE), np.float32)
    render.add_stars(light, psf, x, y, flux)
    sky = SKY + 0.1 * np.arange(SIDE, dtype=np.float32)
    data = rng.poisson(light + sky) + rng.normal(0, READ_NOISE, light.shape)
    photons = np.maximum(data, 0).astype(np.float32)
    err = np.sqrt(photons + READ_NOISE**2)
    wcs = make_grid((270, 66), SCALE, (SIDE, SIDE)).wcs()
    planes = ImagePlanes(data.astype(np.float32), err, wcs, var_poisson=photons, dq=np.zeros(light.shape, np.uint32))
    return planes, x, y, flux * NANOJANSKY


def pulls(found, name, truth):
    return (found[name] - truth) / found[f"{name}_err"]


@pytest.fixture(scope="module")
def forced(field, psf):
    planes, x, y, _flux = field
    return measure_places(planes, x, y, psf=psf)


def test_fluxes_at_places_with_and_without_a_star_agree_with_the_truth_within_their_errors(field, forced):
    truth = field[3]
    deviates = pulls(forced, "psf_flux", truth)
    assert abs(deviates.mean()) < 3.5 / np.sqrt(truth.size)
    assert abs(deviates.std() - 1) < 3.5 / np.sqrt(2 * truth.size)
    assert (forced["status"] == "measured").all()


def test_fluxes_of_isolated_stars_have_no_bias_of_half_a_percent(field, forced):
    truth = field[3]
    bright = truth > 0
    weight = (truth[bright] / forced["psf_flux_err"][bright]) ** 2
    assert abs(np.average(forced["psf_flux"][bright] / truth[bright], weights=weight) - 1) < 5e-3


def test_a_psf_that_may_move_finds_the_star_again(field, psf):
    planes, x, y, truth = field
    bright = truth > np.quantile(truth, 0.8)
    found = measure_places(planes, x[bright] + 0.3, y[bright] - 0.2, PlaceOptions(free=True), psf=psf)
    assert abs(pulls(found, "x_psf", x[bright]).std() - 1) < 0.4
    assert np.abs(found["y_psf"] - y[bright]).max() < 0.1
    assert abs(np.median(found["psf_flux"] / truth[bright]) - 1) < 5e-3


def test_circles_equal_photutils(field):
    from photutils.aperture import ApertureStats, CircularAnnulus, CircularAperture, aperture_photometry

    planes, x, y, _truth = field
    inside = slice(40, 60)
    places = np.stack([x[inside], y[inside]], axis=1)
    found = measure_places(planes, x[inside], y[inside], PlaceOptions(radii=(0.4,)))
    side = np.sqrt(NANOJANSKY / float(MJYSR_BRIGHTNESS))
    from astropy.stats import SigmaClip

    clip = SigmaClip(3, maxiters=5)
    ring = CircularAnnulus(places, 2.4 / side, 2.8 / side)
    sky = ApertureStats(planes.data.astype(float), ring, sigma_clip=clip, sum_method="center").median
    sums = aperture_photometry(planes.data.astype(float), CircularAperture(places, 0.4 / side))["aperture_sum"]
    expected = (np.asarray(sums) - sky * np.pi * (0.4 / side) ** 2) * NANOJANSKY
    np.testing.assert_allclose(found["aper04_flux"], expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_map_of_the_sky_gives_the_numbers_of_the_catalog(field):
    from rtools.catalog.source_catalog import catalog_of
    from rtools.catalog.steps.catalog import STEP

    planes, *_rest = field
    catalog = catalog_of(planes, STEP.defaults() | {"fit_psf": False, "npixels": 9}).values
    x, y = (catalog[f"{axis}_centroid"].astype(float) for axis in "xy")
    found = measure_places(planes, x, y, PlaceOptions(sky="map"))
    inside = (found["status"] == "measured") & np.isfinite(catalog["aper04_flux"])
    assert inside.sum() > 50
    for name in ("aper02_flux", "aper04_flux", "aper16_flux_err"):
        np.testing.assert_allclose(found[name][inside], catalog[name][inside], rtol=2e-5, atol=1e-3)


def test_a_place_without_light_says_why(field, psf):
    planes, *_rest = field
    dq = planes.dq.copy()
    dq[:100, :100] = 1  # DO_NOT_USE, also in the ring
    dq[300:305, 300:305] = 1
    dq[302, 302] |= 4
    holed = ImagePlanes(planes.data, planes.err, planes.wcs, dq=dq)
    x = np.array([40.0, 302.0, -30.0, np.nan, 895.0, 500.0])
    y = np.array([40.0, 302.0, 100.0, 20.0, 450.0, 500.0])
    found = measure_places(holed, x, y, psf=psf)
    assert found["status"].tolist() == ["unusable", "unusable", "outside", "outside", "edge", "measured"]
    assert np.isnan(found["psf_flux"][:4]).all() and np.isfinite(found["psf_flux"][4:]).all()
    assert np.isnan(found["aper16_flux"][4]) and np.isfinite(found["aper04_flux"][4])
    assert found["dq"].tolist() == [1, 5, 0, 0, 0, 0]


def test_a_masked_pixel_is_the_sky_of_the_ring_where_its_opposite_is_masked_too(field):
    planes, *_rest = field
    flat = ImagePlanes(np.full((60, 60), 7, np.float32), np.ones((60, 60), np.float32), planes.wcs,
                       dq=np.zeros((60, 60), np.uint32))  # fmt: skip
    flat.dq[29:32, 28] = flat.dq[29:32, 32] = 1
    found = measure_places(flat, np.array([30.0]), np.array([30.0]), PlaceOptions(radii=(0.3,)))
    assert found["aper03_flux"][0] == pytest.approx(0, abs=1e-9)


def test_encircled_energy_makes_fluxes_of_circles_those_of_stars(field):
    planes, x, y, _truth = field
    whole = measure_places(planes, x[40:50], y[40:50], PlaceOptions(radii=(0.4,)))
    half = measure_places(planes, x[40:50], y[40:50], PlaceOptions(radii=(0.4,), energy=lambda r: 0.5 + 0 * r))
    np.testing.assert_allclose(half["aper04_flux"], 2 * whole["aper04_flux"])


def test_limits_are_errors_times_what_was_asked(forced, field, psf):
    planes, x, y, _truth = field
    np.testing.assert_allclose(forced["limit_flux"], 5 * forced["psf_flux_err"])
    found = measure_places(planes, x[:5], y[:5], PlaceOptions(limit=3))
    np.testing.assert_allclose(found["limit_flux"], 3 * found["aper04_flux_err"])


@pytest.mark.parametrize(("radius", "name"), [(0.4, "aper04_flux"), (1.6, "aper16_flux"), (0.425, "aper04p25_flux")])
def test_names_of_circles_are_those_of_the_catalog(radius, name):
    assert aperture_name(radius) == name
