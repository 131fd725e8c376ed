"""The columns of one image: units, types, positions on the sky, flags, parts left out, numbers of the skymap."""

import warnings

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.modeling.models import AffineTransformation2D, Shift
from scipy import ndimage

from rtools.astrometry import wcs as world
from rtools.catalog.detect import segments
from rtools.catalog.measure import identifiers, shapes, sky
from rtools.catalog.measure.columns import prompt
from rtools.catalog.measure.image import Image
from rtools.catalog.measure.measure import Options, ab_magnitude, aperture_radii, measure
from rtools.reference.epsf import Psf
from rtools.work import Work
from tests.support.catalog_scene import blobs, field

SHAPE = (260, 300)


def make_wcs(dec=54.2, roll=33.15, ra=0.01):
    """Skewed, at right ascension 0."""
    stretch = AffineTransformation2D([[-0.11, 0.002], [-0.001, 0.107]], translation=(-503, -318))
    distortion = (Shift(-150) & Shift(-130)) | stretch
    return world.build_wcs(distortion, world.Pointing(-503, -318, ra, dec, roll), None, SHAPE)


SIDE = np.sqrt(0.11 * 0.107 - 0.002 * 0.001)
"""Arcsec: the pixels of that WCS are as large everywhere, but for 1e-7."""


def make_image(masked=0.0, **options):
    data, err, smoothed, mask, found = field(masked)
    options = {"wcs": make_wcs(), "brightness": 7.5, "dq": mask.astype(np.uint32)} | options
    return Image(data, err, mask, smoothed, **options), found


@pytest.fixture(scope="module")
def measured():
    image, found = make_image()
    return image, found, measure(image, found)


def test_every_column_but_those_of_the_psf(measured):
    _, found, columns = measured
    declared = {column.name: column.dtype for column in prompt(psf=False)}
    assert {name: values.dtype.name for name, values in columns.items()} == declared
    assert len(columns) == 62 and all(values.shape == (found.n,) for values in columns.values())


def test_columns_of_the_psf():
    """Stars that are Gaussians as wide as the PSF have all their flux in psf_flux, at the place of the fit."""
    side = (np.arange(121) - 60) / 4
    stamp = np.exp(-(side**2 + side[:, None] ** 2) / 2) / (2 * np.pi)
    psf = Psf(stamp[None], 4, np.array([0.0]), np.array([0.0]))
    stars = [(40.3 + 50 * i, 60.8 + 70 * j, 3000, 1, 1, 0) for i in range(4) for j in range(2)]
    data, err = blobs(SHAPE, stars)
    found = segments.find(ndimage.label(data > 2)[0])
    image = Image(data, err, np.zeros(SHAPE, bool), data, make_wcs(), brightness=2 / SIDE**2)
    columns = measure(image, found, Options(psf_weights="err"), psf=psf)
    assert {name: values.dtype.name for name, values in columns.items()} == {c.name: c.dtype for c in prompt()}
    truth = np.array(stars)
    away = np.hypot(*(columns[name][:, None] - truth[:, i] for i, name in enumerate(("x_centroid", "y_centroid"))))
    truth = truth[away.argmin(axis=1)]
    assert np.all(np.abs(columns["x_psf"] - truth[:, 0]) < 5 * columns["x_psf_err"])
    assert np.all(np.abs(columns["psf_flux"] - 6000) < 5 * columns["psf_flux_err"]) and not columns["psf_flags"].any()
    ra, dec = image.wcs(truth[:, 0], truth[:, 1])
    assert np.all(np.abs(columns["dec_psf"] - dec) * 3600 < 5 * columns["dec_psf_err"])
    assert np.all(np.abs(columns["ra_psf"] - ra) * 3600 * np.cos(np.radians(dec)) < 5 * columns["ra_psf_err"])
    np.testing.assert_allclose(columns["ra_psf_err"], 0.11 * columns["x_psf_err"], rtol=0.2)


def test_every_column_has_its_unit_and_value(measured):
    image, found, columns = measured
    ellipse = shapes.moments(image.smoothed, image.err, found, image.mask)
    sums = shapes.segment_sums(image.data, image.err, found, image.mask)
    kron = shapes.kron(image.data, image.err, found, image.mask, ellipse)
    unit = 7.5 * SIDE**2
    expected = {
        "semimajor": ellipse.a * SIDE,
        "semiminor": ellipse.b * SIDE,
        "fwhm": 2 * np.sqrt(np.log(2) * (ellipse.a**2 + ellipse.b**2)) * SIDE,
        "ellipticity": 1 - ellipse.b / ellipse.a,
        "cxx": ellipse.cxx / SIDE**2,
        "cxy": ellipse.cxy / SIDE**2,
        "cyy": ellipse.cyy / SIDE**2,
        "segment_area": sums.area * SIDE**2,
        "segment_flux": sums.flux * unit,
        "segment_flux_err": sums.err * unit,
        "kron_radius": kron.k * SIDE,
        "kron_flux": kron.flux * unit,
    }
    for name, values in expected.items():
        np.testing.assert_allclose(columns[name], values, rtol=3e-6, err_msg=name)
    flux = columns["kron_flux"] * units.nJy
    np.testing.assert_allclose(columns["kron_abmag"], flux.to(units.ABmag).value, atol=1e-5)


def test_magnitudes_of_fluxes_that_are_not_positive():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        magnitude, err = ab_magnitude(np.array([-1.0, 0, np.nan, 3631e9]), np.array([1.0, 1, 1, 3631e7]))
    assert np.isnan(magnitude[:3]).all() and np.isnan(err[:3]).all()
    assert magnitude[3] == pytest.approx(0, abs=3e-4) and err[3] == pytest.approx(2.5 * np.log10(1.01))


@pytest.mark.parametrize("dec, roll", [(54.2, 33.15), (-70, 210), (89.9, 10), (0, 0)])
def test_slopes_are_those_of_the_sky(dec, roll):
    wcs = make_wcs(dec, roll)
    assert sky.centre_side(wcs, SHAPE) == pytest.approx(SIDE, rel=1e-6)
    x, y = np.array([20.0, 149.5, np.nan, 280]), np.array([250.0, 129.5, 3, 10])
    slopes = sky.local_slopes(wcs, SHAPE, x, y)
    np.testing.assert_allclose(sky.sides(slopes), SIDE, rtol=1e-6)
    np.testing.assert_array_equal(slopes[..., 2], slopes[..., 1])  # nowhere: the centre's
    np.testing.assert_allclose(sky.span(slopes, 3.0, -4.0)[1], np.hypot(0.338, 0.431), rtol=1e-4)
    for i, angle in enumerate((0, 30, 45, 135)):
        place = SkyCoord(*wcs(np.nan_to_num(x[i], nan=149.5), y[i] if x[i] == x[i] else 129.5), unit="deg")
        away = place.directional_offset_by(angle * units.deg, 1 * units.arcsec)
        there = wcs.invert(away.ra.deg, away.dec.deg, with_bounding_box=False)
        here = wcs.invert(place.ra.deg, place.dec.deg, with_bounding_box=False)
        theta = np.degrees(np.arctan2(there[1] - here[1], there[0] - here[0]))
        found = sky.position_angle(slopes, np.full(4, theta))[i]
        assert (found - angle + 90) % 180 - 90 == pytest.approx(0, abs=2e-3)


def test_angles_on_the_sky_are_within_half_a_turn():
    """A line has no head: (-90, 90], also in single precision."""
    slopes = np.array([[[-0.11], [0.0]], [[0.0], [0.11]]])
    theta = np.array([0, 1e-14, -1e-14, 1e-7, 90, 180, 180 + 1e-13, 270, 359.9, 45])
    found = sky.position_angle(np.repeat(slopes, theta.size, axis=2), theta).astype(np.float32)
    np.testing.assert_allclose(found, [90, 90, 90, 90, 0, 90, 90, 0, 89.9, -45], atol=1e-4)
    assert np.all((found > -90) & (found <= 90))


def test_orientation_on_the_sky():
    """A source drawn out towards north has orientation 0 on the sky, one towards east 90, wherever it is."""
    wcs = make_wcs(roll=20)
    centre = SkyCoord(*wcs(149.5, 129.5), unit="deg")
    for angle in (0, 30, 90, 135):
        away = centre.directional_offset_by(angle * units.deg, 1 * units.arcsec)
        x, y = wcs.invert(away.ra.deg, away.dec.deg)
        direction = np.arctan2(y - 129.5, x - 149.5)
        data, err = blobs(SHAPE, [(149.5, 129.5, 9000, 3, 1.2, direction)])
        image = Image(data, err, np.zeros(SHAPE, bool), data, wcs)
        found = measure(image, segments.find(data > 3), columns=["orientation_sky", "orientation_pix"])
        assert list(found) == ["orientation_pix", "orientation_sky"]
        assert -90 < found["orientation_sky"][0] <= 90
        difference = (found["orientation_sky"][0] - angle + 90) % 180 - 90
        assert abs(difference) < 2.5, (angle, found)


def test_positions_and_errors_on_the_sky(measured):
    image, found, columns = measured
    ellipse = shapes.moments(image.smoothed, image.err, found, image.mask)
    ra, dec = image.wcs(ellipse.x, ellipse.y)
    assert np.array_equal(columns["ra_centroid"], ra) and np.array_equal(columns["dec"], dec)
    # A cloud of points with the covariance of each centre, seen on the sky.
    rng = np.random.default_rng(1)
    for i in range(0, found.n, 9):
        cov = [[ellipse.var_x[i], ellipse.cov_xy[i]], [ellipse.cov_xy[i], ellipse.var_y[i]]]
        x, y = rng.multivariate_normal([ellipse.x[i], ellipse.y[i]], cov, 20000).T
        cloud = SkyCoord(*image.wcs(x, y, with_bounding_box=False), unit="deg")
        east, north = SkyCoord(ra[i], dec[i], unit="deg").spherical_offsets_to(cloud)
        np.testing.assert_allclose(columns["ra_centroid_err"][i], east.arcsec.std(), rtol=0.03)
        np.testing.assert_allclose(columns["dec_centroid_err"][i], north.arcsec.std(), rtol=0.03)
    assert np.isnan(sky.positions(image.wcs, np.array([-40.0, np.nan]), np.array([5.0, 5]))).all()


def test_neighbours_and_apertures_use_the_scale_of_the_wcs(measured):
    image, found, columns = measured
    distance = np.hypot(*(columns[n][:, None] - columns[n] for n in ("x_centroid", "y_centroid")))
    np.fill_diagonal(distance, np.inf)
    assert np.array_equal(columns["nn_label"], found.ids[distance.argmin(axis=1)])
    nearest = distance.argmin(axis=1)
    here = SkyCoord(columns["ra"], columns["dec"], unit="deg")
    np.testing.assert_allclose(columns["nn_distance"], here.separation(here[nearest]).arcsec, rtol=1e-4)
    radii = aperture_radii(image.side)
    np.testing.assert_allclose(radii["circle_pix"] * image.side, [0.1, 0.2, 0.4, 0.8, 1.6])
    # A value of 1 everywhere: the flux is the area.
    flat = Image(np.ones(SHAPE), image.err, image.mask, image.smoothed, image.wcs)
    area = measure(flat, found, columns=["aper08_flux"])["aper08_flux"]
    inside = (columns["x_centroid"] > 9) & (columns["x_centroid"] < 290)
    inside &= (columns["y_centroid"] > 9) & (columns["y_centroid"] < 250)
    np.testing.assert_allclose(area[inside], np.pi * 0.8**2, rtol=1e-6)


def test_local_background_is_the_sky_per_square_arcsecond():
    data = np.random.default_rng(7).normal(2, 0.1, SHAPE).astype(np.float32)
    labels = np.zeros(SHAPE, np.int32)
    labels[130, 150] = 1
    image = Image(data, np.full(SHAPE, 0.1), np.zeros(SHAPE, bool), data, make_wcs(), brightness=5.0)
    found = measure(image, segments.find(labels), columns=["aper_bkg_flux", "aper_bkg_flux_err"])
    err = found["aper_bkg_flux_err"][0]
    assert abs(found["aper_bkg_flux"][0] - 10) < 4 * err
    count = np.pi * (2.8**2 - 2.4**2) / image.side**2
    np.testing.assert_allclose(err, np.sqrt(np.pi / 2 / count) * 0.5, rtol=0.1)


def test_a_flag_under_the_centroid_is_a_warning():
    image, found = make_image()
    x, y = (np.rint(c).astype(int) for c in shapes.moments(image.smoothed, image.err, found, image.mask)[:2])
    dq = np.zeros(SHAPE, np.uint32)
    dq[y[2], x[2]], dq[y[4], x[4]], dq[y[5], x[5]] = 1, 2, 3
    image.dq = dq
    assert np.flatnonzero(measure(image, found)["warning_flags"]).tolist() == [2, 5]
    weight = np.ones(SHAPE, np.float32)
    weight[y[3], x[3]] = 0
    image.dq, image.weight = None, weight
    assert np.flatnonzero(measure(image, found)["warning_flags"]).tolist() == [3]
    # Six pixels beside a centre: more than a tenth of the small apertures of this source, of few others.
    image.mask[y[7] + 1 : y[7] + 3, x[7] - 1 : x[7] + 2] = True
    near = np.flatnonzero(np.hypot(x - x[7], y - y[7]) < 17)
    flagged = np.flatnonzero(measure(image, found)["image_flags"])
    assert 7 in flagged and set(flagged) <= set(near)


def test_extended_sources_and_dust():
    image, found = make_image()
    options = Options(energy=lambda radius: 0.4 + radius / 2, dust=lambda ra, dec: dec / 100)
    columns = measure(image, found, options)
    expected = columns["aper04_flux"] > 1.2 * columns["aper02_flux"] * 0.6 / 0.5
    assert np.array_equal(columns["is_extended"], expected) and 0 < expected.sum() < found.n
    np.testing.assert_allclose(columns["dust_ebv"], columns["dec"] / 100, rtol=1e-6)


def test_shapes_and_kron_radii_from_elsewhere(measured):
    image, found, columns = measured
    ellipse = shapes.moments(image.smoothed, image.err, found, image.mask)
    wanted = ["kron_flux", "aper04_flux", "x_centroid", "semimajor", "kron_radius"]
    fainter = Image(image.data / 3, image.err, image.mask, -image.smoothed, image.wcs, brightness=22.5)
    k = columns["kron_radius"] / SIDE
    again = measure(fainter, found, shapes=ellipse, kron_radius=k, columns=wanted)
    assert set(again) == set(wanted)
    for name in wanted:
        np.testing.assert_allclose(again[name], columns[name], rtol=1e-5, err_msg=name)


def test_image_of_nan_and_no_segment():
    image, found = make_image()
    nothing = np.full(SHAPE, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        empty = Image(nothing, nothing, np.ones(SHAPE, bool), nothing, image.wcs)
        lost = measure(empty, found)
        none = measure(image, segments.find(np.zeros(SHAPE, int)))
    assert np.isnan(lost["kron_flux"]).all() and np.isnan(lost["ra"]).all() and (lost["warning_flags"] == 1).all()
    assert (lost["nn_label"] == -1).all() and not lost["is_extended"].any()
    full = measure(image, found)
    assert {name: (v.dtype, 0) for name, v in full.items()} == {name: (v.dtype, len(v)) for name, v in none.items()}


def test_source_on_the_border_and_do_not_use_centre():
    data, err = blobs(SHAPE, [(0.2, 100, 900, 1.2, 1.0, 0.3), (299, 259, 900, 1.2, 1, 0), (150, 150, 900, 1.3, 1.3, 0)])
    mask = np.zeros(SHAPE, bool)
    mask[150, 150] = True
    data[150, 150] = np.nan
    found = segments.find((np.nan_to_num(data) > 2) * np.array([[1] * 80 + [3] * 100 + [2] * 120]))
    image = Image(data, err, mask, np.nan_to_num(data), make_wcs(), dq=mask.astype(np.uint32))
    columns = measure(image, found)
    assert columns["label"].tolist() == [1, 2, 3] and columns["warning_flags"].tolist() == [0, 0, 1]
    for name in ("aper04_flux", "kron_flux", "fluxfrac_radius_50", "x_centroid_win", "ra_centroid_win_err"):
        assert np.isfinite(columns[name]).all(), name
    assert columns["aper04_flux"][0] < 0.8 * 900 and columns["aper04_flux"][1] < 0.5 * 900


def test_threads_change_nothing(monkeypatch, measured):
    image, found, columns = measured
    monkeypatch.setattr("rtools.work.loops.CHUNK", 5)
    again = measure(image, found, work=Work(3))
    for name in columns:
        assert np.array_equal(columns[name], again[name], equal_nan=columns[name].dtype.kind == "f"), name


CELL = identifiers.Skycell(
    "270p65x48y69", 123, 0.055 / 3600, lambda ra, dec: ra < 10, lambda ra, dec: (1000 * ra, 2000 * dec)
)


def test_number_in_the_skymap():
    ra, dec = np.array([1.0005, 0.0494, np.nan, 20]), np.array([1.00025] * 4)
    ids = identifiers.flagged_spatial_id(ra, dec, cell=CELL)
    assert ids.dtype == np.int64
    assert ids[0] == (123 << 46) + (69 << 39) + (48 << 32) + (2200 << 16) + 1100
    assert (ids >> 59).tolist() == [0, 0, 0, 1] and ids[2] == 0
    far = identifiers.flagged_spatial_id([70.0], [-5.0], cell=CELL)[0]
    assert far & 0xFFFF == 0xFFFF and (far >> 16) & 0xFFFF == 0
    assert identifiers.flagged_spatial_id(ra, dec, cell=None).tolist() == [0] * 4
    assert identifiers.flagged_spatial_id(ra, dec, cell=CELL._replace(name="elsewhere")).tolist() == [0] * 4


def test_the_primary_area_of_a_real_cell():
    from rtools.mosaic.skymap import skymap
    from rtools.pipeline.catalog.single import skycell_of

    cell = skycell_of({"wcsinfo": {"skycell_name": "270p65x50y50"}})
    here = skymap.parse_name("270p65x50y50")
    x = np.array([99.4, 99.6, 4899.4, 4899.6])
    ra, dec = skymap.pixel_to_sky(here, x, np.full(4, 2500.0))
    ids = identifiers.flagged_spatial_id(ra, dec, cell=cell)  # whatever pixels a part of the cell has
    assert (ids & 0xFFFF).tolist() == (x * 1.1).astype(int).tolist()
    assert set((ids >> 16) & 0xFFFF) <= {2749, 2750}
    assert (ids >> 59).tolist() == [1, 0, 0, 1]
    assert ((ids >> 46) & 0x1FFF).tolist() == [here.region] * 4
    for name in (None, "None", "270p65x99y99"):
        assert skycell_of({"wcsinfo": {"skycell_name": name}}) is None


def test_the_sky_that_was_taken_from_a_mosaic_is_that_of_its_members():
    from rtools.pipeline.catalog.single import make_planes

    planes = {"data": np.zeros((2, 2)), "err": np.ones((2, 2)), "weight": np.ones((2, 2))}
    for levels, mean in (([0.1, 0.3], 0.2), (["None", 0.3], 0.3), ([-999999.0, np.nan], 0.0)):
        assert make_planes(planes, {}, None, members={"level": levels}).sky == pytest.approx(mean)
    assert make_planes(planes, {"background": {"level": 0.4, "subtracted": True}}, None).sky == 0.4
    assert make_planes(planes, {"background": {"level": 0.4, "subtracted": False}}, None).sky == 0.0
