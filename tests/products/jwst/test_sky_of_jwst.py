"""Where pixels of JWST products lie on the sky: by the tree, by the header, of cubes and of spectra."""

import asdf
import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import ICRS
from astropy.io import fits
from astropy.modeling import models
from astropy.wcs import WCS
from gwcs import WCS as GWCS
from gwcs import coordinate_frames

from rtools.errors import InputError
from rtools.products.edit import load_wcs
from rtools.products.jwst import ImageSky, open_jwst
from tests.support.jwst_files import hdus_of, made

CARDS = {
    "WCSAXES": 2, "CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "CRVAL1": 80.0, "CRVAL2": -69.5, "CRPIX1": 9.0,
    "CRPIX2": 5.0, "CD1_1": -8e-6, "CD1_2": 1e-6, "CD2_1": 1e-6, "CD2_2": 8e-6, "A_ORDER": 2, "B_ORDER": 2,
    "A_2_0": 2e-4, "B_0_2": -3e-4, "B_1_1": 1e-4,
}  # fmt: skip


def with_cards(directory, suffix="cal", cards=CARDS, name="jw01024001001_02101_00001_nrca1_cal.fits", **more):
    """A file whose SCI has cards of a WCS, and whose primary header has others."""
    hdus = hdus_of(suffix, name)
    hdus["SCI"].header.update(cards)
    hdus[0].header.update(more)
    hdus.writeto(directory / name)
    return directory / name


def with_tree(directory, wcs, suffix):
    """A file whose tree has a gwcs."""
    hdus = hdus_of(suffix)
    content = directory / "tree.asdf"
    asdf.AsdfFile({"meta": {"wcs": wcs}}).write_to(content)
    values = np.frombuffer(content.read_bytes(), np.uint8)
    column = fits.Column("ASDF_METADATA", f"{values.size}B", array=values[None])
    hdus[-1] = fits.BinTableHDU.from_columns([column], name="ASDF")
    path = directory / f"jw01024001001_02101_00001_nrca1_{suffix}.fits"
    hdus.writeto(path)
    return path


def spectral(inputs, transform):
    """A gwcs to right ascension, declination and wavelength."""
    sky = coordinate_frames.CelestialFrame(reference_frame=ICRS(), axes_order=(0, 1))
    wave = coordinate_frames.SpectralFrame(unit=u.um, axes_order=(2,))
    axes = tuple(range(inputs))
    pixels = coordinate_frames.CoordinateFrame(
        inputs, ["SPATIAL"] * inputs, axes, unit=[u.pix] * inputs, name="detector"
    )
    world = coordinate_frames.CompositeFrame([sky, wave], name="world")
    return GWCS([(pixels, transform), (world, None)])


def test_header_with_polynomials_is_the_wcs_of_a_file_without_a_gwcs(tmp_path):
    with open_jwst(with_cards(tmp_path)) as product:
        sky = load_wcs(product)
    x, y = np.array([0.0, 15.0, 3.5]), np.array([0.0, 7.0, 2.5])
    expected = WCS(fits.Header(CARDS)).all_pix2world(x, y, 0)
    np.testing.assert_array_equal(sky(x, y), expected)
    np.testing.assert_allclose(sky.invert(*expected), [x, y], atol=1e-4)


def test_pixels_outside_have_a_position_only_when_the_box_is_not_asked(tmp_path):
    with open_jwst(with_cards(tmp_path)) as product:
        sky = load_wcs(product)
    assert np.isnan(sky(-1.0, 3.0)).all()
    far = sky(-1.0, 3.0, with_bounding_box=False)
    assert np.isfinite(far).all()
    assert np.isnan(sky.invert(*far)).all()


def test_gwcs_of_the_tree_comes_before_the_header(tmp_path):
    frame = coordinate_frames.Frame2D(name="detector", unit=(u.pix, u.pix))
    world = coordinate_frames.CelestialFrame(reference_frame=ICRS(), name="world")
    transform = models.Shift(10) & models.Shift(20)
    path = with_tree(tmp_path, GWCS([(frame, transform), (world, None)]), "i2d")
    with fits.open(path, mode="update") as hdus:
        hdus["SCI"].header.update(CARDS)
    with open_jwst(path) as product:
        assert load_wcs(product)(1, 2) == (11, 22)


def test_sky_of_a_cube_is_that_of_each_plane(tmp_path):
    transform = (models.Shift(10) & models.Shift(20) | models.Scale(2) & models.Scale(3)) & models.Polynomial1D(1, c0=5)
    with open_jwst(with_tree(tmp_path, spectral(3, transform), "s3d")) as product:
        sky = load_wcs(product)
    assert isinstance(sky, ImageSky)
    np.testing.assert_array_equal(sky([1, 2], [3, 4]), [[22, 24], [69, 72]])


def test_inverse_of_the_sky_of_a_cube_leads_back(tmp_path):
    transform = models.Shift(10) & models.Shift(20) & (models.Scale(0.5) | models.Shift(5))
    with open_jwst(with_tree(tmp_path, spectral(3, transform), "s3d")) as product:
        sky = load_wcs(product)
    np.testing.assert_allclose(sky.invert(*sky([1, 2], [3, 4])), [[1, 2], [3, 4]])


def test_wcs_of_a_spectrum_is_refused(tmp_path):
    transform = models.Mapping((0, 1, 0)) | models.Identity(3)
    path = with_tree(tmp_path, spectral(2, transform), "s2d")
    with open_jwst(path) as product, pytest.raises(InputError, match="is of a spectrum"):
        load_wcs(product)


@pytest.mark.parametrize("cards", [{}, CARDS | {"CTYPE1": "WAVE"}, CARDS | {"CD3_1": 1e-3}])
def test_header_without_celestial_axes_is_no_wcs(tmp_path, cards):
    with open_jwst(with_cards(tmp_path, cards=cards)) as product, pytest.raises(InputError, match="has no WCS"):
        load_wcs(product)


def test_wcs_of_another_file_is_moved_to_where_the_subarray_begins(tmp_path):
    there = with_cards(tmp_path, SUBSTRT1=101, SUBSTRT2=201)
    name = "jw01024001001_02101_00001_nrca1_rate.fits"
    here = with_cards(tmp_path, "rate", {}, name, SUBSTRT1=104, SUBSTRT2=203)
    with open_jwst(there) as holder, open_jwst(here) as product:
        own, moved = load_wcs(holder), load_wcs(product, there)
    np.testing.assert_array_equal(moved(0, 0), own(3, 2))
    np.testing.assert_allclose(moved.invert(*own(3, 2)), [0, 0], atol=1e-4)
    assert moved.bounding_box == ((-3.5, 12.5), (-2.5, 5.5))


def test_header_stands_in_for_a_gwcs_that_only_stdatamodels_knows(tmp_path):
    name = "jw01024001001_02101_00001_nrca1_cal.fits"
    hdus = hdus_of("cal", name)
    content = bytes(hdus[-1].data["ASDF_METADATA"][0])
    content = content.replace(b"only_here: 3}", b"only_here: 3, wcs: !<tag:x.org:y-1> {}}")
    column = fits.Column("ASDF_METADATA", f"{len(content)}B", array=np.frombuffer(content, np.uint8)[None])
    hdus[-1] = fits.BinTableHDU.from_columns([column], name="ASDF")
    hdus.writeto(tmp_path / name)
    with open_jwst(tmp_path / name) as product, pytest.raises(InputError, match="stdatamodels"):
        load_wcs(product)
    with fits.open(tmp_path / name, mode="update") as opened:
        opened["SCI"].header.update(CARDS)
    with open_jwst(tmp_path / name) as product:
        assert isinstance(load_wcs(product), ImageSky)


def test_tables_have_no_wcs(tmp_path):
    for suffix in ("phot", "x1d", "ami-oi"):
        with open_jwst(made(tmp_path, suffix)) as product, pytest.raises(InputError, match="has no WCS"):
            load_wcs(product)
