"""The source catalog of JWST: known stars, what the mission's pipeline made of the same mosaic, edges."""

import numpy as np
import pytest
from astropy.table import Table

from rtools.catalog.jwst.apertures import apertures_of_radii, apertures_of_table
from rtools.catalog.jwst.columns import catalog_columns
from rtools.catalog.jwst.source_catalog import jwst_catalog_of
from rtools.catalog.source_catalog import ImagePlanes
from rtools.mosaic.grid.grid import Grid, rotation
from rtools.pipeline.catalog.jwst import jwst_planes_of
from rtools.products.jwst import open_jwst
from tests.support.catalog_scene import blobs

OPTIONS = {
    "bkg_boxsize": 100, "kernel_fwhm": 2.0, "snr_threshold": 3.0, "npixels": 5, "deblend": True, "contrast": 1e-3,
    "ci1_star_threshold": 2.0, "ci2_star_threshold": 1.8,
}  # fmt: skip
WIDTH = 1.8
"""Standard deviation of stars, pixels."""

ENERGIES = (30, 50, 70)
RADII = np.sqrt((WIDTH**2 + 1 / 12) * -2 * np.log(1 - np.array(ENERGIES) / 100))
"""A Gaussian has these shares of its light in them; each pixel's light is spread evenly over the pixel."""


def tangent(shape):
    """The coordinates of a mosaic with pixels of 0.031 arcsec."""
    return Grid(shape, (shape[1] / 2, shape[0] / 2), (80.0, -69.5), 0.031 / 3600, rotation(30.0)).wcs()


def stars(sky=0.0, seed=1):
    """A mosaic of stars on a regular grid: planes, and x, y and flux of each."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[30:200:34, 30:200:34].reshape(2, -1) + rng.uniform(-0.5, 0.5, (2, 25))
    flux = rng.uniform(100, 600, 25)
    data, err = blobs((230, 230), [(*one, WIDTH, WIDTH, 0) for one in zip(x, y, flux, strict=True)])
    planes = ImagePlanes(data + np.float32(sky), err, tangent(data.shape), weight=np.ones_like(data))
    return planes, x, y, flux


def catalog(planes, corrections=(1 / 0.3, 2, 1 / 0.7), **options):
    apertures = apertures_of_radii(RADII, (10, 15), ENERGIES)
    apertures = apertures._replace(corrections=None if corrections is None else np.array(corrections))
    return jwst_catalog_of(planes, OPTIONS | options, apertures, vega_offset=1.5)


def matched(found, x, y):
    """For each star the row of the catalog that is nearest, all within a pixel."""
    away = np.hypot(found.values["xcentroid"][:, None] - x, found.values["ycentroid"][:, None] - y)
    assert away.min(axis=0).max() < 1
    return away.argmin(axis=0)


@pytest.mark.slow
def test_fluxes_and_positions_of_stars_are_the_true_ones():
    """Pulls of the total flux have mean 0 and sd 1; 25 stars, so 0.6 and 0.45 are three standard errors."""
    planes, x, y, flux = stars(sky=3.0)
    found = catalog(planes)
    assert len(found.values["label"]) == 25
    rows = matched(found, x, y)
    jansky = 1e6 * np.deg2rad(0.031 / 3600) ** 2
    total = found.values["aper_total_flux"][rows] / jansky
    inside = found.values["aper70_flux"][rows] / jansky
    np.testing.assert_allclose(total, inside / 0.7, rtol=1e-6)
    pull = (total - flux) / (found.values["aper_total_flux_err"][rows] / jansky)
    assert abs(pull.mean()) < 0.6 and 0.4 < pull.std() < 1.2  # the error counts w of a pixel's variance, not w²
    assert np.abs(found.values["xcentroid"][rows] - x).max() < 0.1
    np.testing.assert_allclose(found.values["aper_bkg_flux"][rows] / jansky, 3.0, atol=0.05)
    assert not found.values["is_extended"].any()


def test_magnitudes_follow_from_fluxes():
    planes, *_rest = stars()
    values = catalog(planes).values
    one = values["aper50_flux"]
    np.testing.assert_allclose(values["aper50_abmag"], 8.9 - 2.5 * np.log10(one), rtol=1e-7)
    np.testing.assert_allclose(values["aper50_vegamag"], values["aper50_abmag"] - 1.5, rtol=1e-7)
    err = 2.5 * np.log10(1 + values["aper50_flux_err"] / one)
    np.testing.assert_allclose(values["aper50_abmag_err"], err, rtol=1e-7)


def test_without_corrections_there_is_no_total():
    values = catalog(stars()[0], corrections=None).values
    assert np.isnan(values["aper_total_flux"]).all() and np.isfinite(values["aper70_flux"]).all()


def test_a_pixel_without_value_does_not_take_the_flux_of_a_star():
    """The peer's flux is NaN there. The pixel on the other side stands in: the flux changes by less than the noise."""
    planes, x, y, _flux = stars()
    whole = catalog(planes).values
    column, row = round(x[12]) + 1, round(y[12])
    planes.data[row, column] = np.nan
    planes.weight[row, column] = 0
    holed = catalog(planes)
    here = matched(holed, x, y)[12]
    before = whole["aper70_flux"][matched(catalog(stars()[0]), x, y)[12]]
    after = holed.values["aper70_flux"][here]
    assert after == pytest.approx(before, rel=0.05) and np.isfinite(holed.values["roundness"][here])


def test_wide_sources_are_extended():
    data, err = blobs((120, 120), [(60, 60, 40_000, 6, 6, 0)])
    planes = ImagePlanes(data, err, tangent(data.shape), weight=np.ones_like(data))
    found = catalog(planes, ci1_star_threshold=1.85, ci2_star_threshold=1.65)  # evenly lit circles have 1.94 and 1.74
    assert found.values["is_extended"].tolist() == [True]
    assert found.values["semimajor_sigma"][0] == pytest.approx(6, rel=0.05)


@pytest.mark.parametrize("blank", [False, True])
def test_an_image_without_sources_has_an_empty_catalog_with_all_columns(blank):
    noise = np.random.default_rng(1).standard_normal((80, 80)).astype(np.float32)
    data = np.full_like(noise, np.nan) if blank else noise
    planes = ImagePlanes(data, np.ones_like(noise), tangent(data.shape), weight=np.ones_like(noise))
    found = catalog(planes, npixels=25)
    assert list(found.values) == [one.name for one in catalog_columns(ENERGIES)]
    assert {len(column) for column in found.values.values()} == {0} and not found.labels.any()


@pytest.fixture(scope="module")
def golden(jwst_golden):
    folder = jwst_golden("mosaic")
    rows = np.array(Table.read(folder / "ref_apcorr.fits", hdu="APCORR"))
    apertures = apertures_of_table(rows, {"filter": "F200W", "pupil": "CLEAR", "subarray": "FULL"}, ENERGIES)
    segments = open_jwst(folder / "out_segm.fits").array("data")
    options = OPTIONS | {"bkg_boxsize": 60}
    with open_jwst(folder / "out_i2d.fits") as product:
        planes = jwst_planes_of(product)
    wanted = Table.read(folder / "out_cat.ecsv")
    return planes, options, apertures, segments, wanted


SAME = ("aper_bkg_flux", "aper_bkg_flux_err", "aper30_flux", "aper30_flux_err", "aper50_flux", "aper50_flux_err",
        "aper70_flux", "aper70_flux_err", "aper_total_flux", "aper_total_flux_err", "aper30_abmag", "aper70_vegamag",
        "aper_total_abmag_err", "CI_50_30", "CI_70_50", "CI_70_30", "isophotal_flux_err", "sharpness")  # fmt: skip


@pytest.mark.parametrize("column", SAME)
def test_photometry_on_the_segments_of_the_mission_is_the_missions(golden, column):
    """Centres differ by 7e-5 pixel, as the background does by 1e-4 of the sky's noise; a hundredth of the sources lie
    beside pixels without value, which are mirrored here."""
    planes, options, apertures, segments, wanted = golden
    found = jwst_catalog_of(planes, options, apertures, vega_offset=1.7, forced=segments)
    ours, theirs = found.values[column], np.asarray(wanted[column], float)
    off = np.abs(ours / theirs - 1)
    assert np.nanmedian(off) < 1e-5
    assert np.count_nonzero(off > 1e-4) <= 8 and np.isfinite(ours).all()


def test_places_and_shapes_are_the_missions(golden):
    planes, options, apertures, segments, wanted = golden
    values = jwst_catalog_of(planes, options, apertures, forced=segments).values
    for column, most in (("xcentroid", 1e-4), ("ycentroid", 1e-4), ("semimajor_sigma", 3e-4), ("ellipticity", 1e-4)):
        np.testing.assert_allclose(values[column], wanted[column], rtol=0, atol=most)
    for column in ("label", "nn_label", "isophotal_area", "is_extended"):
        np.testing.assert_array_equal(values[column], wanted[column])
    turned = (values["sky_orientation"] - wanted["sky_orientation"] + 90) % 180 - 90
    assert np.abs(turned).max() < 0.1
    np.testing.assert_allclose(values["sky_centroid.ra"], wanted["sky_centroid"].ra.deg, rtol=0, atol=1e-8)
    np.testing.assert_allclose(values["sky_bbox_ll.dec"], wanted["sky_bbox_ll"].dec.deg, rtol=0, atol=1e-9)


def test_the_upper_corners_of_a_box_are_those_of_its_last_pixels(golden):
    """The peer's are one pixel farther, and have no position at the mosaic's edge."""
    planes, options, apertures, segments, wanted = golden
    values = jwst_catalog_of(planes, options, apertures, forced=segments).values
    rows, columns = np.nonzero(segments == 5)
    ra, dec = planes.wcs(columns.max() + 0.5, rows.max() + 0.5)
    place = np.flatnonzero(values["label"] == 5)[0]
    assert (values["sky_bbox_ur.ra"][place], values["sky_bbox_ur.dec"][place]) == pytest.approx((ra, dec), abs=1e-10)
    assert np.isfinite(values["sky_bbox_ur.ra"]).all() and np.isnan(wanted["sky_bbox_ur"].ra.deg).any()


def test_segments_are_the_missions_but_for_a_few_pixels(golden):
    planes, options, apertures, segments, _wanted = golden
    found = jwst_catalog_of(planes, options, apertures)
    assert np.count_nonzero(found.labels != segments) < 20 and found.labels.max() == segments.max()
