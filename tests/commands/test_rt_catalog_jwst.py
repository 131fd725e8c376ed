"""rt-catalog on mosaics of JWST: files, options, refusals."""

import shutil

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.products.jwst import open_jwst, sky_of
from tests.support.runs import done, tool

POOR = ("--npixels", "5", "--bkg-boxsize", "60")


@pytest.fixture(scope="module")
def folder(jwst_golden):
    return jwst_golden("mosaic")


@pytest.fixture
def references(folder):
    files = {"apcorr": "ref_apcorr.fits", "abvegaoffset": "ref_abvegaoffset.asdf"}
    return tuple(word for kind, name in files.items() for word in ("--ref", f"{kind}={folder / name}"))


@pytest.fixture
def mosaic(folder, tmp_path):
    return shutil.copy(folder / "out_i2d.fits", tmp_path / "field_i2d.fits")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def said(capsys):
    return " ".join(capsys.readouterr().err.split())


def test_a_mosaic_gets_catalog_and_segments_beside_it(mosaic, folder, references, tmp_path):
    done("catalog", mosaic, *POOR, *references)
    assert names(tmp_path) == ["field_cat.ecsv", "field_i2d.fits", "field_segm.fits"]
    made, wanted = Table.read(tmp_path / "field_cat.ecsv"), Table.read(folder / "out_cat.ecsv")
    assert made.colnames == wanted.colnames and len(made) == len(wanted)
    for name in made.colnames:
        if str(getattr(wanted[name], "unit", None) or "") and not name.startswith("sky_c"):
            assert made[name].unit == wanted[name].unit, name
    assert made["sky_centroid"].separation(wanted["sky_centroid"]).mas.max() < 100
    assert made.meta["aperture_params"]["aperture_radii"] == pytest.approx([1, 1.5, 2.4])
    assert made.meta["abvega_offset"] == pytest.approx(1.7)
    assert tool("validate", tmp_path / "field_cat.ecsv", tmp_path / "field_segm.fits") == 0


def test_the_segmentation_map_lies_on_its_mosaic(mosaic, references, tmp_path):
    done("catalog", mosaic, *POOR, *references)
    with fits.open(mosaic) as whole, fits.open(tmp_path / "field_segm.fits") as made:
        assert made["SCI"].data.dtype == np.uint32 and made["SCI"].data.shape == whole["SCI"].data.shape
        for key in ("CRPIX1", "CRVAL2", "CDELT1", "PC1_2", "CTYPE2"):
            assert made["SCI"].header[key] == whole["SCI"].header[key]
    one, other = (sky_of(open_jwst(path)) for path in (mosaic, tmp_path / "field_segm.fits"))
    np.testing.assert_array_equal(one(10.0, 20.0), other(10.0, 20.0))
    table = Table.read(tmp_path / "field_cat.ecsv")
    labels = open_jwst(tmp_path / "field_segm.fits").array("data")
    place = np.rint(table["ycentroid"]).astype(int), np.rint(table["xcentroid"]).astype(int)
    assert np.mean(labels[place] == table["label"]) > 0.95


def test_radii_stand_in_for_the_reference(mosaic, tmp_path, capsys):
    options = ("--ref", "abvegaoffset=none", *POOR)
    assert tool("catalog", mosaic, *options, "--ref", "apcorr=none") == 2
    assert "--radii and --sky-annulus say them" in said(capsys)
    assert tool("catalog", mosaic, *options, "--radii", "1,1.5,2.4") == 2
    assert tool("catalog", mosaic, *options, "--radii", "2,1.5,2.4", "--sky-annulus", "6,9") == 2
    assert names(tmp_path) == ["field_i2d.fits"]
    done("catalog", mosaic, *options, "--radii", "1,1.5,2.4", "--sky-annulus", "6,9")
    table = Table.read(tmp_path / "field_cat.ecsv")
    assert np.isfinite(table["aper70_flux"]).all()
    assert np.isnan(table["aper_total_flux"]).all() and np.isnan(table["aper70_vegamag"]).all()
    assert table.meta["aperture_params"]["aperture_corrections"] is None


def test_radii_of_the_reference_are_angles(mosaic, folder, references, tmp_path):
    """A mosaic of pixels half as wide has circles of twice the radius."""
    shutil.copy(folder / "out_i2d_scale05.fits", tmp_path / "half_i2d.fits")
    done("catalog", tmp_path / "half_i2d.fits", *POOR, *references)
    meta = Table.read(tmp_path / "half_cat.ecsv").meta["aperture_params"]
    assert meta["aperture_radii"] == pytest.approx([2, 3, 4.8], rel=1e-3)
    assert meta["bkg_aperture_outer_radius"] == pytest.approx(18, rel=1e-3)
    fluxes = [Table.read(path)["aper70_flux"] for path in _both(mosaic, references, tmp_path)]
    assert np.sort(fluxes[1])[-1] == pytest.approx(np.sort(fluxes[0])[-1], rel=0.05)  # the drop is smaller


def _both(mosaic, references, tmp_path):
    done("catalog", mosaic, *POOR, *references)
    return tmp_path / "field_cat.ecsv", tmp_path / "half_cat.ecsv"


def test_given_segments_are_measured(mosaic, folder, references, tmp_path, capsys):
    given = "--forced-segmentation", folder / "out_segm.fits"
    done("catalog", mosaic, *references, *given, "-o", tmp_path / "f_cat.ecsv")
    assert len(Table.read(tmp_path / "f_cat.ecsv")) == len(Table.read(folder / "out_cat.ecsv"))
    assert names(tmp_path) == ["f_cat.ecsv", "f_segm.fits", "field_i2d.fits"]
    cal = next(folder.glob("jw*_cal.fits"))
    assert tool("catalog", mosaic, *references, "--forced-segmentation", cal, "-o", tmp_path / "g_cat.ecsv") == 3
    assert "is a cal, wanted a segm" in said(capsys)


def test_what_is_no_mosaic_or_of_roman_is_refused(mosaic, folder, references, tmp_path, capsys):
    cal = next(folder.glob("jw*_cal.fits"))
    assert tool("catalog", cal, *references, "--outdir", tmp_path) == 3
    assert "is a cal, wanted i2d" in said(capsys)
    assert tool("catalog", mosaic, *references, "--deep") == 2
    assert "is about Roman" in said(capsys)
    assert tool("catalog", mosaic, *references, "--format", "parquet") == 2
    assert "catalogs of JWST are ecsv" in said(capsys)
    assert tool("catalog", mosaic) == 4
    assert names(tmp_path) == ["field_i2d.fits"]


def test_the_catalog_goes_to_standard_output_alone(mosaic, references, tmp_path, capfdbinary):
    done("catalog", mosaic, *POOR, *references, "-o", "-")
    assert capfdbinary.readouterr().out.startswith(b"# %ECSV") and names(tmp_path) == ["field_i2d.fits"]
