"""Messages name kinds of products as one reads them."""

import pytest

from rtools.errors import with_article
from tests.support.runs import tool
from tests.support.stage3_files import golden_product


@pytest.mark.parametrize(
    "words",
    [
        "a cal",
        "a ramp",
        "a segm",
        "a flat reference",
        "an ami-oi",
        "an i2d",
        "an l2_image",
        "an s2d",
        "an uncal",
        "an x1d",
    ],
)
def test_a_kind_has_the_article_that_is_spoken(words):
    assert with_article(words.partition(" ")[2]) == words


def test_a_product_of_another_kind_is_named_with_its_article(tmp_path, capsys):
    assert tool("c1d", golden_product("slit"), "-o", tmp_path / "x.fits") == 3
    assert "is a cal, wanted x1d" in capsys.readouterr().err
    assert tool("whtlt", golden_product("extracted"), "-o", tmp_path / "x.ecsv") == 3
    assert "is an x1d, wanted" in capsys.readouterr().err
