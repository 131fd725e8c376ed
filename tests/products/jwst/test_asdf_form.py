"""FITS files of JWST as ASDF: what is in it, and the same bytes back."""

import warnings
from pathlib import Path

import asdf
import numpy as np
import pytest
from astropy.io import fits

from rtools.errors import InputError, RtoolsError
from rtools.jwst import SUFFIXES, product_layout
from rtools.products.jwst import open_jwst
from rtools.products.jwst.asdf_form import stage_jwst_asdf
from rtools.products.jwst.fits_form import require_same_bytes, stage_jwst_fits, tree_of_form
from tests.support import jwst_files
from tests.support.jwst_golden import PARTS, WHOLE, products_in

KINDS = [suffix for suffix in SUFFIXES if product_layout(suffix).form == "fits"]


def as_asdf(path, **options):
    return stage_jwst_asdf(path.with_suffix(".asdf"), open_jwst(path, others=True), **options).commit()


def there_and_back(path, **options):
    """The ASDF form of a file, whose way back was looked at byte by byte."""
    made = as_asdf(path, **options)
    require_same_bytes(made, path)
    assert stage_jwst_fits(path.with_suffix(".back"), made).commit().read_bytes() == path.read_bytes()
    return made


def opened(path):
    """What asdf alone makes of the root."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with asdf.open(path, memmap=False, lazy_load=False) as file:
            return file.tree["jwst"]


@pytest.mark.parametrize("suffix", KINDS)
def test_every_kind_comes_back_byte_by_byte(tmp_path, suffix):
    there_and_back(jwst_files.made(tmp_path, suffix))


@pytest.mark.parametrize("options", [{"sets": 3}, {"image_tree": True}, {"optional": False, "extra": False}], ids=str)
def test_sets_and_trees_of_other_forms(tmp_path, options):
    there_and_back(jwst_files.made(tmp_path, "cal", **options))


@pytest.mark.parametrize("compression", ["none", "zlib", "lz4"])
def test_each_compression(tmp_path, compression):
    there_and_back(jwst_files.made(tmp_path, "rate"), compression=compression)


def test_arrays_stand_where_the_tree_refers_to_them(tmp_path):
    path = jwst_files.made(tmp_path, "ramp")
    tree = opened(there_and_back(path))
    assert (tree["meta"]["telescope"], tree["meta"]["only_here"]) == ("JWST", 3)
    with fits.open(path) as hdus:
        for name in ("SCI", "PIXELDQ", "GROUPDQ", "REFOUT"):
            values, known = tree["arrays"][f"{name.lower()}_1"], hdus[name].data
            assert values.dtype == known.dtype.newbyteorder("=")
            np.testing.assert_array_equal(values, known)
        np.testing.assert_array_equal(tree["nobodys"], hdus["NOBODYS"].data)


def test_without_a_tree_arrays_have_their_names_in_the_data_model(tmp_path):
    path = tmp_path / "x_cal.fits"
    jwst_files.hdus_of("cal", sets=2)[:-1].writeto(path)
    tree = opened(there_and_back(path))
    assert tree["meta"]["instrument"]["detector"] == "NRCA1"
    np.testing.assert_array_equal(tree["slits"][1]["dq"], fits.getdata(path, ("DQ", 2)))
    np.testing.assert_array_equal(tree["slits"][0]["data"], fits.getdata(path, ("SCI", 1)))


def test_tables_are_records_with_the_types_that_a_reader_of_fits_sees(tmp_path):
    path = tmp_path / "x_x1dints.fits"
    jwst_files.hdus_of("x1dints")[:-1].writeto(path)
    tree = opened(there_and_back(path))
    known = fits.getdata(path, "EXTRACT1D")
    assert tree["extract1d"].dtype.names == tuple(known.names)
    for name in known.names:
        values = tree["extract1d"][name]
        assert values.dtype == known[name].dtype.newbyteorder("=")  # DQ is unsigned
        np.testing.assert_array_equal(values, known[name])


def test_headers_are_there_card_by_card(tmp_path):
    path = jwst_files.made(tmp_path, "i2d")
    listed = opened(as_asdf(path))["fits_headers"]
    with fits.open(path) as hdus:
        assert [(one["name"], one["version"]) for one in listed] == [(hdu.name, hdu.ver) for hdu in hdus]
        for one, hdu in zip(listed, hdus, strict=True):
            text = hdu.header.tostring(padding=False, endcard=False)
            assert "".join(card.ljust(80) for card in one["cards"]) == text


def odd_file(path):
    """A file with what few files have: a heap, bits, undefined truth, odd filling, bytes at the end, scaled pixels."""
    primary = fits.PrimaryHDU()
    primary.header["TELESCOP"], primary.header["DATAMODL"] = "JWST", "ImageModel"
    primary.header["EXP_TYPE"], primary.header["INSTRUME"] = "NRC_IMAGE", "NIRCAM"
    scaled = fits.ImageHDU(np.arange(12, dtype=np.int16).reshape(3, 4), name="SCI")
    columns = [
        fits.Column("LISTS", "PJ()", array=np.array([[1], [2, 3], []], dtype=object)),
        fits.Column("BITS", "11X", array=np.ones((3, 11), bool)),
        fits.Column("NAMES", "6A20", dim="(3,2)", array=np.array([["a", "bc"]] * 3)),
        fits.Column("SMALL", "B", bzero=-128, array=np.array([-128, 0, 127], np.int8)),
        fits.Column("TRUTH", "3L", array=np.array([[True, False, True]] * 3)),
    ]
    columns[2] = fits.Column("NAMES", "6A", array=np.array(["a", "", "abcdef"]))
    twice = fits.BinTableHDU.from_columns(
        [fits.Column("A", "J", array=[1]), fits.Column("B", "J", array=[2])], name="B"
    )
    text = fits.TableHDU.from_columns([fits.Column("T", "A5", array=["ab", "c"])], name="TEXT")
    empty = fits.BinTableHDU.from_columns([fits.Column("A", "D", array=[])], name="EMPTY")
    fits.HDUList([primary, scaled, fits.BinTableHDU.from_columns(columns, name="T"), twice, text, empty]).writeto(path)
    content = bytearray(path.read_bytes())
    with fits.open(path) as hdus:
        places = {hdu.name: hdu.fileinfo() for hdu in hdus}
    content[places["SCI"]["datLoc"] + 100] = 7  # filling
    header = bytes(content[places["B"]["hdrLoc"] : places["B"]["datLoc"]]).replace(b"TTYPE2  = 'B", b"TTYPE2  = 'A")
    content[places["B"]["hdrLoc"] : places["B"]["datLoc"]] = header
    content[places["T"]["datLoc"] - 1] = ord("x")  # behind END
    path.write_bytes(bytes(content) + b"rest")
    return path


def test_odd_files_come_back_too(tmp_path):
    made = there_and_back(odd_file(tmp_path / "x_rate.fits"))
    tree = opened(made)
    assert tree["t"]["SMALL"].tolist() == [-128, 0, 127]
    assert tree["t"]["TRUTH"].tolist() == [[True, False, True]] * 3
    assert tree["b"].dtype == np.uint8  # two columns of one name are no record
    assert bytes(tree["fits_rest"]) == b"rest"


def test_a_logical_value_that_is_undefined_stays_so(tmp_path):
    path = tmp_path / "x_rate.fits"
    odd_file(path)
    with fits.open(path) as hdus:
        place, width = hdus["T"].fileinfo()["datLoc"], hdus["T"].header["NAXIS1"]
    with open(path, "r+b") as file:
        file.seek(place + width - 1)
        assert file.read(1) == b"T"
        file.seek(place + width - 1)
        file.write(b"\0")
    assert opened(there_and_back(path))["t"].dtype == np.uint8


def test_scaled_pixels_are_those_that_are_stored(tmp_path):
    path = tmp_path / "x_rate.fits"
    hdus = jwst_files.hdus_of("rate", optional=False)
    hdus["SCI"].data = np.arange(128, dtype=np.int16).reshape(8, 16)
    hdus["SCI"].header["BSCALE"], hdus["SCI"].header["BZERO"] = 0.5, 3.0
    fits.HDUList(hdus[:-1]).writeto(path)
    there_and_back(path)


def test_a_changed_value_is_in_the_file_that_is_made_of_it(tmp_path):
    path = tmp_path / "x_rate.fits"
    jwst_files.hdus_of("rate")[:-1].writeto(path)
    made, edited = as_asdf(path), tmp_path / "edited.asdf"
    with asdf.open(made) as file:
        file.tree["jwst"]["data"] = file.tree["jwst"]["fits_headers"][1]["data"]
        file.tree["jwst"]["data"][3, 4] = 17.5
        file.write_to(edited)
    back = stage_jwst_fits(tmp_path / "y_rate.fits", edited).commit()
    assert fits.getdata(back, "SCI")[3, 4] == 17.5
    with pytest.raises(RtoolsError, match="does not come back as it was: byte"):
        require_same_bytes(edited, path)


def test_an_array_that_its_header_does_not_describe_is_refused(tmp_path):
    path = jwst_files.made(tmp_path, "rate")
    with asdf.open(as_asdf(path)) as file:
        file.tree["jwst"]["fits_headers"][1]["data"] = np.zeros((8, 16), np.float64)
        file.write_to(tmp_path / "edited.asdf")
    with pytest.raises(InputError, match="SCI is float64"):
        stage_jwst_fits(tmp_path / "y.fits", tmp_path / "edited.asdf")
    assert not (tmp_path / "y.fits").exists()


def test_other_asdf_files_have_no_such_tree(tmp_path):
    asdf.AsdfFile({"jwst": {"meta": {}}}).write_to(tmp_path / "x.asdf")
    assert tree_of_form(tmp_path / "x.asdf") is None
    asdf.AsdfFile({"jwst": {"fits_headers": [{"cards": 3}]}}).write_to(tmp_path / "y.asdf")
    with pytest.raises(InputError, match="no list of headers"):
        tree_of_form(tmp_path / "y.asdf")


TRANSFORMS = """\
  wcs: !<tag:stsci.edu:jwst_pipeline/gwa_to_slit-1.0.0>
    models: &loop !transform/shift-1.3.0
      offset: 1.5
      inputs: [x]
      outputs: [y]
      inverse: !transform/shift-1.3.0 {offset: -1.5, inputs: [x], outputs: [y], inverse: *loop}
"""


def test_tags_that_nobody_here_knows_stay_and_loops_are_cut(tmp_path):
    path = jwst_files.made(tmp_path, "cal", more="more:\n" + TRANSFORMS)
    made = there_and_back(path)
    text = made.read_bytes()
    assert b"jwst_pipeline/gwa_to_slit-1.0.0" in text
    inner = opened(made)["more"]["wcs"]["models"]
    assert (inner(1.0), inner.inverse(2.5)) == (2.5, 1.0)


@pytest.mark.parametrize("part", ["cube", "edges", "spec"])
@pytest.mark.slow
def test_files_of_the_peer_come_back_byte_by_byte(tmp_path, jwst_golden, part):
    come_back(tmp_path, products_in(jwst_golden(part)))


@pytest.mark.long
@pytest.mark.skipif(not WHOLE, reason="RTOOLS_JWST_GOLDEN names no directory")
@pytest.mark.parametrize("part", PARTS)
def test_all_files_of_the_peer_come_back_byte_by_byte(tmp_path, part):
    come_back(tmp_path, products_in(Path(WHOLE) / part))


def come_back(directory, paths):
    products = [open_jwst(path, others=True) for path in paths]
    assert products
    for product in products:
        if product.form == "fits":
            require_same_bytes(stage_jwst_asdf(directory / "x.asdf", product).commit(), product.path)
