"""Images in compressed tiles: nothing is lost, others read them, and damaged ones are refused."""

import numpy as np
import pytest
from astropy.io import fits

from rtools.errors import InputError
from rtools.products.fits import tiles
from rtools.products.fits.hdu_headers import image_header
from rtools.products.fits.pixel_types import encode
from rtools.work import Work

ODD = np.array([0x7FC00001, 0xFFC12345, 0x7F800001, 0x80000000, 0x00000001, 0x7F800000], "u4").view("f4")
"""NaN with bits of their own, a negative zero, the smallest number, infinity."""


def pixels(dtype, shape):
    rng = np.random.default_rng(3)
    if np.dtype(dtype).kind == "f":
        made = rng.normal(10, 3, shape).astype(dtype)
        if dtype == "float32":
            made.reshape(-1)[: len(ODD)] = ODD
        return made
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype, endpoint=True)


def stored(path, array, work=None):
    """The array in a file of its own, in tiles; the HDUs as tables."""
    native, flipped = array.dtype, array.dtype.name in ("int8", "uint16", "uint32")
    header = image_header("SCI", native, array.shape, flipped=flipped)
    header["ANYTHING"] = 3.5, "kept"
    planes = array.reshape(-1, *array.shape[-2:])
    with open(path, "w+b") as file:
        file.write(fits.PrimaryHDU().header.tostring().encode())
        tiles.write_tiles(file, header, (encode(plane, flipped=flipped) for plane in planes), work=work or Work())
    return fits.open(path, disable_image_compression=True, do_not_scale_image_data=True)


@pytest.mark.parametrize("shape", [(6, 10), (7, 10), (2, 3, 6, 10)], ids=str)
@pytest.mark.parametrize(
    "dtype", ["uint8", "int8", "int16", "uint16", "int32", "uint32", "float16", "float32", "float64"]
)
def test_every_bit_comes_back_and_astropy_reads_the_same(tmp_path, monkeypatch, dtype, shape):
    monkeypatch.setattr(tiles, "LARGEST", 25)  # several tiles; of seven rows tiles have one
    array = pixels(dtype, shape)
    with stored(tmp_path / "t.fits", array) as hdus, open(tmp_path / "t.fits", "rb") as file:
        assert hdus[1].header["ZTILE2"] == (2 if shape[-2] == 6 else 1)
        found = tiles.read_tiles(hdus[1], file.fileno(), "t.fits")
    kept = array.astype("float32") if dtype == "float16" else array
    assert found.tobytes() == encode(kept, flipped=dtype in ("int8", "uint16", "uint32")).tobytes()
    with fits.open(tmp_path / "t.fits") as hdus:
        assert hdus["SCI"].header["ANYTHING"] == 3.5
        seen = hdus["SCI"].data
        assert seen.astype(kept.dtype).tobytes() == kept.tobytes()


@pytest.mark.parametrize("tile", [(1, 6, 10), (1, 2, 10), (2, 6, 10), (1, 1, 4), (1, 4, 5)], ids=str)
def test_some_pixels_are_those_of_the_whole(tmp_path, tile):
    """Also of tiles of other programs; of the last ones less is there."""
    array = pixels("float32", (3, 6, 10))
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(array, name="SCI", compression_type="GZIP_1", quantize_level=0,
                                                       tile_shape=tile)]).writeto(tmp_path / "t.fits")  # fmt: skip
    with (
        fits.open(tmp_path / "t.fits", disable_image_compression=True) as hdus,
        open(tmp_path / "t.fits", "rb") as file,
    ):
        for span in ((0, 180), (0, 1), (59, 61), (13, 150), (179, 180), (70, 70)):
            found = tiles.read_tiles(hdus[1], file.fileno(), "", span)
            assert found.astype("f4").tobytes() == array.reshape(-1)[slice(*span)].tobytes(), span


def test_only_tiles_that_are_wanted_are_unpacked(tmp_path, monkeypatch):
    """To make ASDF of a compressed file took all its arrays in memory."""
    monkeypatch.setattr(tiles, "LARGEST", 20)
    array = pixels("float32", (6, 10))
    sizes, unpacked = [], tiles._unpacked
    monkeypatch.setattr(tiles, "_unpacked", lambda *words, **more: sizes.append(words[1]) or unpacked(*words, **more))
    with stored(tmp_path / "t.fits", array) as hdus, open(tmp_path / "t.fits", "rb") as file:
        tiles.read_tiles(hdus[1], file.fileno(), "", (21, 39))
    assert sizes == [[2, 10]]


def test_a_plane_larger_than_a_tile_has_tiles_of_one_size(tmp_path, monkeypatch):
    """DS9 takes the size of the first tile for that of all."""
    monkeypatch.setattr(tiles, "LARGEST", 45)
    with stored(tmp_path / "t.fits", pixels("float32", (9, 10))) as hdus:
        assert (hdus[1].header["ZTILE1"], hdus[1].header["ZTILE2"], hdus[1].header["NAXIS2"]) == (10, 3, 3)


def test_heaps_of_more_than_two_gigabytes_have_long_descriptors(tmp_path, monkeypatch):
    monkeypatch.setattr(tiles, "LIMIT", 100)
    array = pixels("float32", (6, 10))
    with stored(tmp_path / "t.fits", array) as hdus, open(tmp_path / "t.fits", "rb") as file:
        assert hdus[1].header["TFORM1"].startswith("1QB")
        assert tiles.read_tiles(hdus[1], file.fileno(), "").astype("f4").tobytes() == array.tobytes()
    np.testing.assert_array_equal(fits.getdata(tmp_path / "t.fits", "SCI"), array)


def test_threads_write_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(tiles, "LARGEST", 25)
    array = pixels("float32", (60, 10))
    stored(tmp_path / "one.fits", array).close()
    with Work(3) as work:
        stored(tmp_path / "three.fits", array, work).close()
    assert (tmp_path / "one.fits").read_bytes() == (tmp_path / "three.fits").read_bytes()


def test_floats_of_16_bits_weigh_no_more_than_they_have(tmp_path):
    """FITS has none: five planes of a cutout weighed twice what they do in ASDF."""
    array = pixels("float16", (100, 100))
    with stored(tmp_path / "t.fits", array) as hdus:
        assert hdus[1].header["PCOUNT"] < array.nbytes


def test_pixels_that_astropy_edits_stay_without_loss(tmp_path):
    array = pixels("float32", (6, 10))
    stored(tmp_path / "t.fits", array).close()
    with fits.open(tmp_path / "t.fits", mode="update") as hdus:
        hdus["SCI"].data[2, 3] = 42
    array[2, 3] = 42
    with (
        fits.open(tmp_path / "t.fits", disable_image_compression=True) as hdus,
        open(tmp_path / "t.fits", "rb") as file,
    ):
        found = tiles.read_tiles(hdus[1], file.fileno(), "").astype("f4")
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    ("cards", "said"),
    [
        ({"ZCMPTYPE": "RICE_1"}, "compressed by RICE_1"),
        ({"ZQUANTIZ": "NO_DITHER"}, "with loss"),
        ({"ZTILE2": 0}, "is damaged"),
        ({"ZTILE2": 4}, "is damaged"),
        ({"ZNAXIS2": 8}, "is damaged"),
        ({"ZBITPIX": -64}, "is damaged"),
        ({"ZBITPIX": 7}, "is damaged"),
        ({"PCOUNT": 9}, "is damaged"),
    ],
    ids=str,
)
def test_what_headers_say_wrongly_is_refused(tmp_path, cards, said):
    with stored(tmp_path / "t.fits", pixels("float32", (6, 10))) as hdus, open(tmp_path / "t.fits", "rb") as file:
        hdus[1].header.update(cards)
        with pytest.raises(InputError, match=said):
            tiles.read_tiles(hdus[1], file.fileno(), "t.fits")


def test_bytes_that_are_not_compressed_are_refused(tmp_path):
    with stored(tmp_path / "t.fits", pixels("float32", (6, 10))) as hdus:
        place = hdus[1].fileinfo()["datLoc"] + 8
        content = bytearray((tmp_path / "t.fits").read_bytes())
        content[place + 20 : place + 40] = bytes(20)
        (tmp_path / "d.fits").write_bytes(content)
        with open(tmp_path / "d.fits", "rb") as file, pytest.raises(InputError, match="is damaged"):
            tiles.read_tiles(hdus[1], file.fileno(), "d.fits")
