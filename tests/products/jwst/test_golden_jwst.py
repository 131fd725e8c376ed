"""Files of the peer read and written: card by card, byte by byte, and anew from what is in them."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from rtools.errors import InputError
from rtools.jwst import product_layout
from rtools.products.jwst import HduChange, NewHdu, open_jwst, stage_jwst, stage_new
from rtools.products.jwst.agreement import STRUCTURE
from rtools.products.jwst.content import AsdfContent
from tests.support.jwst_golden import PARTS, WHOLE, products_in

WHOLE_SET = pytest.param(
    "whole", marks=[pytest.mark.long, pytest.mark.skipif(not WHOLE, reason="RTOOLS_JWST_GOLDEN names no directory")]
)


@pytest.fixture
def files(request, jwst_golden):
    """All products and references of a part, or of the whole set of the peer."""
    if request.param != "whole":
        return products_in(jwst_golden(request.param))
    return [path for part in PARTS for path in products_in(Path(WHOLE) / part)]


def of(*parts):
    return pytest.mark.parametrize("files", [*parts, WHOLE_SET], indirect=True)


@of(*PARTS)
@pytest.mark.slow
def test_a_file_that_is_read_and_written_has_the_same_bytes(tmp_path, files):
    assert files
    for path in files:
        again = stage_jwst(tmp_path / "again", open_jwst(path, others=True)).commit()
        assert again.read_bytes() == path.read_bytes(), path


@of("edges", "ami")
@pytest.mark.slow
def test_a_value_that_is_changed_and_changed_back_leaves_no_trace(tmp_path, files):
    for path in files:
        product = open_jwst(path, others=True)
        if product.tree_bytes() is None:
            continue
        assert AsdfContent(product.tree_bytes()).to_bytes() == product.tree_bytes(), path
        before = product.value("exposure.type")
        if before is None or product.tree.get("_fits_hash") != product.header_hash():
            continue
        changed = stage_jwst(tmp_path / "a", product, [HduChange("PRIMARY", cards={"EXP_TYPE": "NRC_TACQ"})]).commit()
        other = open_jwst(changed, others=True)
        assert other.tree["meta"]["exposure"]["type"] == "NRC_TACQ"
        assert other.tree["_fits_hash"] == other.header_hash() != product.header_hash()
        back = stage_jwst(tmp_path / "b", other, tree={"meta.exposure.type": before}).commit()
        assert back.read_bytes() == path.read_bytes(), path


@of("edges", "cube", "coron")
@pytest.mark.slow
def test_a_file_that_is_made_anew_has_the_cards_of_the_peer(tmp_path, files):
    """Tables, types of pixels, and all keywords; units that the peer leaves out are those of the layout."""
    for path in files:
        product = open_jwst(path, others=True)
        if product.form == "ecsv" or product.kind.startswith("reference") or product.kind == "other":
            continue
        again = open_jwst(anew(tmp_path / path.name, product))
        assert again.kind == product.kind
        names = [(hdu.name, hdu.version) for hdu in product.hdus[1:]]
        assert sorted((hdu.name, hdu.version) for hdu in again.hdus[1:]) == sorted(names)
        for name, version in names:
            one, two = product.hdu(name, version), again.hdu(name, version)
            if name != "ASDF":
                told = {key: value for key, value in one.values.items() if key}  # without titles of sections
                assert {key: two.values.get(key) for key in told} == told, (path, name)
                assert all(key.startswith(("TUNIT", "BUNIT")) for key in set(two.values) - set(one.values))
                same_data(product, again, one)


def anew(path, product):
    """A product of the same arrays, tables and metadata."""
    hdus = [
        NewHdu(
            hdu.name,
            product.table(hdu.name, hdu.version) if hdu.is_table else product.pixels(hdu.name, hdu.version),
            hdu.version,
            unit=hdu.unit,
            units={column.name: column.unit for column in hdu.columns if column.unit},
            cards={key: value for key, value in hdu.header.items() if not STRUCTURE.fullmatch(key)},
        )
        for hdu in product.hdus[1:]
        if hdu.name != "ASDF"
    ]
    meta = {key: value for key, value in product.meta.items() if key not in ("wcs", "bunit_data", "bunit_err")}
    missing = set(product_layout(product.kind).required) - {one.name for one in hdus}
    return stage_new(path, product.kind, meta, hdus, without=missing).commit()


def same_data(one, two, hdu):
    if hdu.is_table:
        tables = [product.table(hdu.name, hdu.version) for product in (one, two)]
        for name in tables[0].colnames:
            np.testing.assert_array_equal(np.asarray(tables[0][name]), np.asarray(tables[1][name]), name)
    else:
        np.testing.assert_array_equal(*(product.pixels(hdu.name, hdu.version) for product in (one, two)))


@pytest.mark.parametrize("part", PARTS)
def test_every_part_has_inputs_answers_and_what_was_asked(jwst_golden, part):
    directory = jwst_golden(part)
    kinds = {path.name.partition("_")[0] for path in directory.iterdir()}
    assert {"out", "options.json"} <= kinds and {"in", "jw01234001001"} & kinds


def test_the_cut_full_frame_has_its_reference_pixels(jwst_golden):
    before, after = (
        fits.getdata(jwst_golden("refpix_full") / f"{word}_refpix_full.fits", "SCI") for word in ("in", "out")
    )
    assert before.shape == after.shape and before.shape[-2:] == (2048, 2048)
    assert np.all(before[..., :4, 1024:1028] != 0) and np.all(before[..., 1024, :4] != 0)
    assert np.all(before[..., 5:-5, 65] == 0) and np.all(before[..., 5:-5, 64] != 0)
    assert np.any(before[..., 64] != after[..., 64])


def test_a_reference_is_no_product(jwst_golden):
    with pytest.raises(InputError, match="a JWST reference file"):
        open_jwst(jwst_golden("edges") / "ref_gain.fits")
