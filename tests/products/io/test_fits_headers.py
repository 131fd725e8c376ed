"""Headers read without astropy say what astropy says of them."""

import math
import warnings

import numpy as np
import pytest
from astropy.io import fits

from rtools.errors import InputError
from rtools.jwst import SUFFIXES, product_layout
from rtools.products.io.fits_headers import header_values, read_headers
from tests.support import jwst_files

CARDS = {
    "TEXT": "it's 'quoted' text",
    "BLANK": "",
    "LEAD": "   leads",
    "LONG": "a long text with 'quotes' & ampersands, " * 9,
    "AMP": "ends with &",
    "YES": True,
    "NO": False,
    "INT": -(1 << 62),
    "REAL": 1.0e-300,
    "TENTH": 0.1,
    "COMPLEX": complex(1.5, -2),
    "NOTHING": None,
    "HIERARCH Some.long key": "text",
    "HIERARCH number of nobody": 2.5,
}


def told(header):
    """Values of an astropy header as `header_values` is to give them."""
    values = {}
    for keyword in dict.fromkeys(header):
        value = header[keyword]
        commentary = keyword in ("COMMENT", "HISTORY", "")
        values[keyword] = tuple(value) if commentary else None if isinstance(value, fits.card.Undefined) else value
    return values


def test_every_sort_of_card_has_the_value_that_astropy_gives_it():
    header = fits.Header()
    for keyword, value in CARDS.items():
        header[keyword] = (value, "what / it is")
    header["HISTORY"] = "one, " * 30
    header["COMMENT"] = "a comment"
    header.append(("TEXT", "the second of its name"))
    found, wanted = header_values(header.tostring().encode()), told(header)
    assert found == wanted
    assert [type(found[key]) for key in wanted] == [type(value) for value in wanted.values()]


def test_numbers_of_other_writers_are_read():
    cards = ("A       = 1.5D3", "B       =    +7 / seven", "C       = .5", "D       =            NaN", "E       =",
             "F       = 'a''b'' / c' / d")  # fmt: skip
    found = header_values("".join(f"{card:80s}" for card in cards).encode())
    assert found == {"A": 1500.0, "B": 7, "C": 0.5, "D": "NaN", "E": None, "F": "a'b' / c"}


@pytest.mark.parametrize("suffix", [suffix for suffix in SUFFIXES if product_layout(suffix).form == "fits"])
def test_headers_and_places_are_those_of_astropy(suffix, tmp_path):
    path = jwst_files.made(tmp_path, suffix, sets=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fits.open(path, do_not_scale_image_data=True, disable_image_compression=True) as hdus:
            found = read_headers(path)
            assert len(found) == len(hdus)
            for mine, hdu in zip(found, hdus, strict=True):
                place = hdu.fileinfo()
                assert (mine.start, mine.data, mine.end - mine.data) == (
                    place["hdrLoc"], place["datLoc"], place["datSpan"])  # fmt: skip
                assert mine.values == told(hdu.header)


def test_a_file_of_gigabytes_is_passed_over(tmp_path):
    header = fits.Header([("SIMPLE", True), ("BITPIX", 16), ("NAXIS", 3), *((f"NAXIS{n}", 2048) for n in (1, 2, 3))])
    path = tmp_path / "large.fits"
    path.write_bytes(header.tostring().encode())
    size = math.prod([2048] * 3) * 2
    with open(path, "r+b") as file:
        file.truncate(2880 + -(-size // 2880) * 2880)
    assert [one.end - one.data for one in read_headers(path)] == [-(-size // 2880) * 2880]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"BITPIX  =                  -32", b"BITPIX  =                  -31", "BITPIX or NAXIS of SCI cannot be"),
        (b"NAXIS1  =                    4", b"NAXIS1  =                  '4'", "NAXIS1 of SCI is '4'"),
        (b"NAXIS1  =                    4", b"NAXIS1  =                   -4", "BITPIX or NAXIS of SCI cannot be"),
        (b"NAXIS1  =                    4", b"NAXIS1  =             40000000", "truncated: "),
        (b"NAXIS1  ", b"NAXIS9  ", "NAXIS1 of SCI is missing"),
        (b"SIMPLE  =", b"SIMPLY  =", "its first card is not SIMPLE"),
    ],
)
def test_a_header_that_does_not_say_how_large_its_data_are_is_refused(tmp_path, old, new, message):
    path = tmp_path / "bad.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros((3, 4), "f4"), name="SCI")]).writeto(path)
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    with pytest.raises(InputError, match=message):
        read_headers(path)


def test_what_follows_the_last_extension_is_not_read(tmp_path):
    path = tmp_path / "more.fits"
    fits.PrimaryHDU().writeto(path)
    with open(path, "ab") as file:
        file.write(b"something else")
    assert len(read_headers(path)) == 1
    with open(path, "ab") as file:
        file.seek(2880)
        file.truncate()
        file.write(b"XTENSION= 'IMAGE   '")
    with pytest.raises(InputError, match="header of an extension"):
        read_headers(path)
