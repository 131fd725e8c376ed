"""Sections as they are typed."""

from types import SimpleNamespace

import numpy as np
import pytest

from rtools.errors import InputError, UsageError
from rtools.products.edit.section import frame_of, parse_section, read_plane
from rtools.products.io import open_product
from tests.support.small_files import write

SHAPE = (100, 200)


@pytest.mark.parametrize(
    ("text", "rows", "columns"),
    [
        ("0:10,20:30", (20, 30), (0, 10)),
        (" 5 : 6 , 7 : 8 ", (7, 8), (5, 6)),
        (":,:", (0, 100), (0, 200)),
        ("150:,:50", (0, 50), (150, 200)),
        ("-5:3,90:1000", (90, 100), (0, 3)),
        ("199:200,99:100", (99, 100), (199, 200)),
    ],
)
def test_x_is_first_ends_are_exclusive_and_clipped(text, rows, columns):
    assert parse_section(text, SHAPE) == (slice(*rows), slice(*columns))


@pytest.mark.parametrize(
    "text", ["", "1:2", "1:2,3", "1:2,3:4,5:6", "a:b,c:d", "1.5:2,3:4", "5:5,0:1", "0:1,9:3", "-:,:"]
)
def test_what_is_no_section_is_a_usage_error(text):
    with pytest.raises(UsageError):
        parse_section(text, SHAPE)


@pytest.mark.parametrize("text", ["200:210,0:1", "0:1,100:", "-9:0,0:5", "-9:-3,0:5"])
def test_wholly_outside_is_an_input_error(text):
    with pytest.raises(InputError, match="200 x 100"):
        parse_section(text, SHAPE)


def test_frames_differ_by_the_border():
    assert parse_section("4:10,5:9", SHAPE, "l1", "l2") == (slice(1, 5), slice(0, 6))
    assert parse_section("0:10,:", SHAPE, "l1", "l2") == (slice(0, 100), slice(0, 6))
    assert parse_section("0:10,5:9", SHAPE, "l2", "l1") == (slice(9, 13), slice(4, 14))
    assert parse_section("0:10,5:9", SHAPE, "l2", "l2") == (slice(5, 9), slice(0, 10))
    with pytest.raises(InputError):
        parse_section("0:4,0:9", SHAPE, "l1", "l2")


def test_a_frame_needs_a_detector():
    with pytest.raises(UsageError):
        parse_section("0:10,5:9", SHAPE, "l1")
    with pytest.raises(UsageError):
        parse_section("0:10,5:9", SHAPE, "l3", "l1")


@pytest.mark.parametrize(
    ("kind", "reftype", "frame"),
    [
        ("l1_uncal", None, "l1"),
        ("ramp", None, "l1"),
        ("l2_image", None, "l2"),
        ("reference", "flat", "l2"),
        ("reference", "dark", "l1"),
        ("coadd", None, None),
    ],
)
def test_frame_of_products(kind, reftype, frame):
    assert frame_of(SimpleNamespace(mission="roman", kind=kind, reftype=reftype)) == frame


@pytest.mark.parametrize("compression", [None, "lz4", "zlib"])
@pytest.mark.parametrize("shape", [(50,), (40, 30), (3, 40, 30), (2, 3, 40, 30)])
def test_part_of_a_plane_is_read(shape, compression, tmp_path):
    values = np.arange(np.prod(shape), dtype=">u4" if compression == "lz4" else "u4").reshape(shape)
    path = write(tmp_path / "x.asdf", "l1_uncal", {"data": values}, compression=compression)
    with open_product(path) as product:
        found = read_plane(product, "data", 1, slice(5, 9), slice(28, 30))
    whole = values if len(shape) < 3 else values[1]
    np.testing.assert_array_equal(found, whole[..., 5:9, 28:30] if len(shape) > 1 else whole)
