"""JWST files written again: what is not changed stays, byte by byte; no part of a file is left behind."""

import numpy as np
import pytest
from astropy.io import fits

from rtools.errors import InputError, RtoolsError, UsageError
from rtools.jwst import SUFFIXES, product_layout
from rtools.products.jwst import HduChange, open_jwst, stage_jwst
from tests.support import jwst_files


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_read_is_written_unchanged(tmp_path, suffix):
    options = {"sets": 2} if product_layout(suffix).repeats else {}
    path = jwst_files.made(tmp_path, suffix, **options)
    again = stage_jwst(tmp_path / "again", open_jwst(path)).commit()
    assert again.read_bytes() == path.read_bytes()
    assert sorted(tmp_path.iterdir()) == sorted([path, again])
    if product_layout(suffix).form == "fits":
        same_cards(path, again)
        assert open_jwst(again).tree["_fits_hash"] == open_jwst(again).header_hash()


def same_cards(one, two, *, but=()):
    """Assert that two files have the same cards in the same order, but for those of some keywords."""
    with fits.open(one) as first, fits.open(two) as second:
        assert [(hdu.name, hdu.ver) for hdu in first] == [(hdu.name, hdu.ver) for hdu in second]
        for left, right in zip(first, second, strict=True):
            cards = [[card.image for card in hdu.header.cards if card.keyword not in but] for hdu in (left, right)]
            assert cards[0] == cards[1]


def test_bytes_after_the_last_extension_stay(tmp_path):
    path = jwst_files.made(tmp_path, "rate")
    path.write_bytes(path.read_bytes() + bytes(2880))
    again = stage_jwst(tmp_path / "again.fits", open_jwst(path)).commit()
    assert again.read_bytes() == path.read_bytes()


def test_new_pixels_and_cards_and_all_else_as_it_was(tmp_path):
    path = jwst_files.made(tmp_path, "ramp")
    product = open_jwst(path)
    flags = product.pixels("PIXELDQ") ^ np.uint32(1 << 31)
    changes = [HduChange("pixeldq", array=flags), HduChange("PRIMARY", cards={"FILENAME": "new.fits", "NEWCARD": 2.5})]
    again = stage_jwst(tmp_path / "new.fits", product, changes).commit()
    same_cards(path, again, but=("FILENAME", "NEWCARD", "NAXIS1", "TFORM1"))
    written = open_jwst(again)
    np.testing.assert_array_equal(written.pixels("PIXELDQ"), flags)
    np.testing.assert_array_equal(fits.getdata(again, "PIXELDQ"), flags)
    assert (written.hdu("PRIMARY").header["FILENAME"], written.hdu("PRIMARY").header["NEWCARD"]) == ("new.fits", 2.5)
    assert written.tree["_fits_hash"] == written.header_hash()
    assert written.tree["meta"]["filename"] == "new.fits"
    for name in ("SCI", "GROUPDQ", "REFOUT", "NOBODYS"):
        assert written.pixels(name).tobytes() == product.pixels(name).tobytes()


@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 5), (7,), (1, 2, 3, 5)])
def test_pixels_of_another_shape(tmp_path, shape):
    product = open_jwst(jwst_files.made(tmp_path, "rateints", sets=1))
    pixels = np.arange(np.prod(shape), dtype="f4").reshape(shape)
    again = stage_jwst(tmp_path / "new.fits", product, [HduChange("SCI", array=pixels)]).commit()
    with fits.open(again) as hdus:
        hdus.verify("exception")
        np.testing.assert_array_equal(hdus["SCI"].data, pixels)
        np.testing.assert_array_equal(hdus["ERR"].data, product.pixels("ERR"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (HduChange("SCI", array=np.zeros((8, 16))), "SCI is float32, not float64"),
        (HduChange("ASDF", array=np.zeros(3, "u1")), "ASDF has no pixels"),
        (HduChange("SCI", array=np.float32(1) * np.ones((), "f4")), "needs an array with axes"),
        (HduChange("SCI", cards={"NAXIS1": 3}), "the keyword NAXIS1 of SCI follows from the data"),
    ],
)
def test_a_change_that_does_not_fit(tmp_path, change, message):
    product = open_jwst(jwst_files.made(tmp_path, "rate"))
    with pytest.raises(UsageError, match=message):
        stage_jwst(tmp_path / "new.fits", product, [change])
    assert list(tmp_path.iterdir()) == [product.path]


def test_nothing_is_left_of_a_file_that_could_not_be_written(tmp_path):
    product = open_jwst(jwst_files.made(tmp_path, "rate"))
    with pytest.raises(RtoolsError, match="cannot be written"):
        stage_jwst(tmp_path / "nowhere" / "new.fits", product)
    product.path.write_bytes(product.path.read_bytes()[:20000])
    with pytest.raises(InputError, match="has become shorter while it was read"):
        stage_jwst(tmp_path / "new.fits", product)
    with pytest.raises(InputError, match="the extension OI_VIS is missing"):
        stage_jwst(tmp_path / "new.fits", product, [HduChange("OI_VIS")])
    with pytest.raises(UsageError, match="two changes of one HDU"):
        stage_jwst(tmp_path / "new.fits", product, [HduChange("SCI"), HduChange("data")])
    assert list(tmp_path.iterdir()) == [product.path]
    product.path.unlink()
    with pytest.raises(InputError, match="can no longer be read"):
        stage_jwst(tmp_path / "new.fits", product)
    assert list(tmp_path.iterdir()) == []


def test_a_product_may_take_the_name_of_its_input(tmp_path):
    path = jwst_files.made(tmp_path, "rate")
    before = path.read_bytes()
    stage = stage_jwst(path, open_jwst(path), [HduChange("SCI", cards={"EXTRA": True})])
    assert path.read_bytes() == before
    stage.commit()
    assert open_jwst(path).hdu("SCI").header["EXTRA"] is True
