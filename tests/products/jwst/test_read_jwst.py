"""JWST files opened: kinds, pixels, tables and the tree, read when they are asked for; damaged ones refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.errors import InputError
from rtools.jwst import SUFFIXES, product_layout
from rtools.products.jwst import open_jwst
from tests.support import jwst_files

OF_FITS = [suffix for suffix in SUFFIXES if product_layout(suffix).form == "fits"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_kind_is_told_whatever_the_file_is_called(tmp_path, suffix):
    path = jwst_files.made(tmp_path, suffix)
    assert open_jwst(path).kind == suffix
    assert open_jwst(shutil.copy(path, tmp_path / "moved")).kind == suffix


@pytest.mark.parametrize("suffix", OF_FITS)
def test_everything_is_read_as_astropy_reads_it(tmp_path, suffix):
    path = jwst_files.made(tmp_path, suffix)
    product = open_jwst(path)
    with fits.open(path) as hdus:
        assert len(hdus) == len(product.hdus)
        for hdu, mine in zip(hdus, product.hdus, strict=True):
            if mine.is_table:
                same_rows(Table(hdu.data), product.table(mine.name, mine.version))
            elif mine.is_image:
                pixels = product.pixels(mine.name, mine.version)
                assert pixels.dtype == mine.dtype == hdu.data.dtype.newbyteorder("=")
                assert mine.shape == hdu.data.shape
                np.testing.assert_array_equal(pixels, hdu.data)


def same_rows(one, two):
    assert one.colnames == two.colnames
    for name in one.colnames:
        np.testing.assert_array_equal(np.asarray(one[name]), np.asarray(two[name]), name)


@pytest.mark.parametrize("suffix", ["uncal", "ramp", "i2d", "x1dints", "amilg", "ami-oi"])
def test_a_file_is_what_its_layout_says(tmp_path, suffix):
    product = open_jwst(jwst_files.made(tmp_path, suffix))
    for told in product_layout(suffix).hdus:
        hdu = product.hdu(told.name)
        if not told.is_table:
            assert (hdu.dtype, hdu.shape, hdu.unit) == (told.dtypes[0], told.shape(jwst_files.SIZES), told.unit)
        elif told.name != "ASDF":
            known = [(column.name, column.unit) for column in hdu.columns]
            assert (
                known[: len(told.columns)] == [(column.name, column.unit) for column in told.columns]
                or not told.columns
            )


def test_a_part_of_an_image(tmp_path):
    product = open_jwst(jwst_files.made(tmp_path, "uncal"))
    whole = product.pixels("SCI")
    assert whole.min() == 0 and whole.max() == 65535
    np.testing.assert_array_equal(product.pixels("SCI", part=(1, slice(0, 2), 3)), whole[1, :2, 3])
    assert product.pixels("SCI", part=(0, 0, 0, 0)) == whole[0, 0, 0, 0]


def test_scaled_pixels_are_numbers(tmp_path):
    hdus = jwst_files.hdus_of("rate")
    path = tmp_path / "jw_rate.fits"
    hdus[1].data = np.arange(6, dtype="i2").reshape(2, 3)
    hdus.writeto(path)
    with fits.open(path, mode="update", do_not_scale_image_data=True) as opened:
        opened[1].header["BSCALE"], opened[1].header["BZERO"] = 0.5, 10.0
    product = open_jwst(path)
    np.testing.assert_array_equal(product.pixels("SCI"), 10 + np.arange(6).reshape(2, 3) / 2)
    assert product.hdu("SCI").dtype == product.pixels("SCI").dtype


def test_names_of_the_data_model(tmp_path):
    product = open_jwst(jwst_files.made(tmp_path, "cal", sets=3))
    assert product.versions("SCI") == (1, 2, 3)
    assert product.hdu("slits.1.data") is product.hdu("SCI", 2)
    assert product.hdu("var_poisson").name == "VAR_POISSON"
    assert product.hdu("slits.2.dq").header["SOURCEID"] == 103
    assert product.pixels("slits.2.dq").dtype == np.uint32
    with pytest.raises(InputError, match=r"_cal.fits: the extension SCI,4 is missing"):
        product.hdu("slits.3.data")


@pytest.mark.parametrize("image_tree", [False, True])
def test_the_tree_of_both_conventions(tmp_path, image_tree):
    product = open_jwst(jwst_files.made(tmp_path, "rate", image_tree=image_tree))
    assert product.tree_bytes().startswith(b"#ASDF") and product.tree_bytes().endswith(b"...\n")
    tree = product.tree
    assert tree["meta"]["only_here"] == 3
    assert tree["arrays"]["sci_1"]["source"] == "fits:SCI,1"
    assert tree["_fits_hash"] == product.header_hash()


def test_a_transform_that_is_the_inverse_of_its_inverse(tmp_path):
    path = jwst_files.made(
        tmp_path, "c1d", more="wcs: &a !transform/x-1.0.0\n  inverse: !transform/y-1.0.0 {inverse: *a}\n"
    )
    there = open_jwst(path).tree["wcs"]
    assert there["inverse"]["inverse"] == {} and there["inverse"]["inverse"].tag == there.tag


def test_an_edited_header_is_seen(tmp_path):
    path = jwst_files.made(tmp_path, "rate")
    fits.setval(path, "TARGPROP", value="M 31")
    product = open_jwst(path)
    assert product.tree["_fits_hash"] != product.header_hash()


def test_a_file_without_a_tree(tmp_path):
    path = tmp_path / "segm.fits"
    jwst_files.hdus_of("segm")[:2].writeto(path)
    product = open_jwst(path)
    assert (product.kind, product.tree_bytes(), product.tree) == ("segm", None, {})


def test_a_damaged_tree(tmp_path):
    path = jwst_files.made(tmp_path, "rate")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"meta: {telescope", b"meta: ]telescope"))
    with pytest.raises(InputError, match=r"_rate.fits: its extension ASDF: its YAML tree is damaged"):
        _ = open_jwst(path).tree


def test_light_curves_and_catalogs(tmp_path):
    product = open_jwst(jwst_files.made(tmp_path, "whtlt"))
    assert [column.name for column in product.tables["TABLE"].columns] == ["MJD_UTC", "BJD_TDB", "whitelight_flux"]
    assert (product.ecsv.rows, product.ecsv.columns[2].unit, product.value("instrument")) == (4, "Jy", "NIRCAM")
    assert product.table()["whitelight_flux"].unit == "Jy"


def test_metadata_of_keywords_and_of_the_tree(tmp_path):
    path = jwst_files.made(tmp_path, "rate")
    fits.setval(path, "TELESCOP", value="JWST  ")
    product = open_jwst(path)
    for name in ("exposure.type", "meta.exposure.type", "EXP_TYPE", "exp_type"):
        assert product.value(name) == "NRC_IMAGE"
    assert (product.value("bunit_data"), product.value("SOURCEID"), product.value("NOVALUE")) == ("DN/s", 101, None)
    assert (product.value("only_here"), product.value("nobodys.key")) == (3, None)
    meta = product.meta
    assert (meta["exposure"], meta["instrument"]["detector"]) == ({"type": "NRC_IMAGE"}, "NRCA1")
    assert (meta["telescope"], meta["only_here"], meta["bunit_err"]) == ("JWST", 3, "DN/s")


def test_what_a_damaged_tree_is_not_needed_for(tmp_path):
    path = jwst_files.made(tmp_path, "rate")
    path.write_bytes(path.read_bytes().replace(b"meta: {telescope", b"meta: ]telescope"))
    assert open_jwst(path).value("instrument.name") == "NIRCAM"
    with pytest.raises(InputError, match="extension ASDF"):
        _ = open_jwst(path).meta


def test_headers_alone_are_read(tmp_path):
    """Of a file with holes for its pixels, larger than memory, what is asked for is read."""
    hdus = jwst_files.hdus_of("rate")
    path = jwst_files.made(tmp_path, "rate")
    header = hdus["SCI"].header.copy()
    header["NAXIS1"], header["NAXIS2"] = 1 << 16, 1 << 16
    content, start = path.read_bytes(), open_jwst(path).hdu("SCI")
    size = -(-(4 << 32) // 2880) * 2880
    with open(path, "r+b") as file:
        file.seek(start.start)
        file.write(header.tostring().encode())
        file.truncate(start.data)
        file.seek(start.data + size)
        file.write(content[start.end :])
    product = open_jwst(path)
    assert path.stat().st_size > 4 << 32
    assert product.kind == "rate" and product.hdu("SCI").shape == (1 << 16, 1 << 16)
    assert product.pixels("SCI", part=(slice(7, 9), slice(0, 5))).tolist() == [[0] * 5] * 2
    assert product.pixels("DQ").max() == 2**32 - 1


def write(path, content):
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "no such file"),
        (lambda path: write(path, b""), "an empty file"),
        (lambda path: write(path, b"hello"), "neither FITS nor ECSV"),
        (lambda path: write(path, path.read_bytes()[:1000]), "FITS"),
        (lambda path: write(path, path.read_bytes()[:20000]), "truncated: "),
        (
            lambda path: write(path, b"# %ECSV 1.0\n# ---\n# datatype:\n# - {name: a, datatype: int8}\na\n1\n"),
            "an ECSV table",
        ),
        (lambda path: fits.setval(path, "TELESCOP", value="HST"), "not a JWST product: TELESCOP is HST"),
        (lambda path: fits.delval(path, "TELESCOP"), "not a JWST product: it has no TELESCOP"),
        (lambda path: fits.setval(path, "REFTYPE", value="FLAT"), "a JWST reference file (FLAT, NIRCam)"),
    ],
)
def test_what_is_no_product_is_refused_in_one_line(tmp_path, damage, message):
    path = jwst_files.made(tmp_path, "rate")
    damage(path)
    with pytest.raises(InputError) as refused:
        open_jwst(path)
    assert message in str(refused.value) and str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)


def test_a_directory_is_refused(tmp_path):
    with pytest.raises(InputError, match="is a directory"):
        open_jwst(Path(tmp_path))


def test_what_is_asked_for_must_be_of_its_kind(tmp_path):
    product = open_jwst(jwst_files.made(tmp_path, "rateints"))
    with pytest.raises(InputError, match="its extension INT_TIMES is not an image"):
        product.pixels("INT_TIMES")
    with pytest.raises(InputError, match="its extension SCI is not a table"):
        product.table("SCI")
    product.path.unlink()
    asked = (
        lambda: product.pixels("SCI"),
        lambda: product.tree,
        product.header_hash,
        lambda: product.table("INT_TIMES"),
    )
    for ask in asked:
        with pytest.raises(InputError, match=r"rateints\.fits: "):
            ask()
