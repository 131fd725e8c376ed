"""The alignment in rt-run: products, coordinates of the catalog, associations, exit codes."""

import numpy as np
import pytest

from rtools.errors import InputError
from rtools.pipeline.job import local
from rtools.products.tables.files import read_catalog
from tests.support.runs import PRODUCTS, complaints, done, listing, meta, records, statuses
from tests.support.star_fields import (
    SHIFT,
    apart,
    association,
    failed,
    moved,
    names_in,
    nearest,
    product_of,
    said,
    sibling,
    wcs_of,
)


@pytest.fixture(scope="module")
def aligned(imaged, gaia, tmp_path_factory):
    """`_cal` of rt-run with a reference catalog."""
    directory = tmp_path_factory.mktemp("aligned")
    done("run", sibling(imaged, "flat.asdf"), "--refcat", gaia, "--outdir", directory, "--save-steps")
    return directory / imaged.name


def test_rt_run_aligns_and_writes_the_catalog_after_that(aligned, bright):
    assert statuses(aligned)["tweakreg"] == "COMPLETE"
    assert apart(wcs_of(aligned), moved()) < 3
    table, wcs = read_catalog(sibling(aligned, "cat.parquet")), wcs_of(aligned)
    assert table["ra_psf"].unit == "deg"
    assert table["ra_psf"].description
    ra, _dec = wcs(np.asarray(table["x_psf"], float), np.asarray(table["y_psf"], float))
    good = np.isfinite(ra)
    assert np.allclose(table["ra_psf"][good], ra[good], rtol=0, atol=1e-10)
    rows, distance = nearest(table, bright["x"], bright["y"])
    error = (table["dec_psf"][rows] - bright["dec"]) * 3600 - SHIFT[1]
    assert np.median(np.abs(error[distance < 0.3])) < 0.003
    assert table.meta["roman.meta.wcsinfo.s_region"] == meta(aligned)["wcsinfo"]["s_region"]


def test_rt_run_writes_the_corrected_wcs(aligned):
    product = sibling(aligned, "wcs.asdf")
    one, two = wcs_of(product, "wcs_l1"), wcs_of(product, "wcs_l2")
    assert apart(two, wcs_of(aligned)) < 1e-3
    assert "v2v3corr" in one.available_frames
    assert np.allclose(one(34.0, 24.0), two(30.0, 20.0), rtol=0, atol=1e-12)
    assert meta(product)["wcs_fit_results"] == meta(aligned)["wcs_fit_results"]


def test_rt_run_writes_the_products_of_its_steps(aligned, imaged):
    stem = imaged.name.removesuffix("_cal.asdf")
    ends = ("cal.asdf", "cat.parquet", "segm.asdf", "sourcecatalogstep.asdf", "tweakregstep.asdf", "wcs.asdf")
    assert names_in(aligned.parent) == [f"{stem}_{end}" for end in ends]
    assert apart(wcs_of(product_of(aligned)), wcs_of(aligned)) == 0
    before = sibling(aligned, "sourcecatalogstep.asdf")
    assert apart(wcs_of(before), moved()) > 500
    assert statuses(before)["tweakreg"] == "INCOMPLETE"


def test_single_tools_give_what_the_chain_gives(aligned, imaged, gaia, tmp_path):
    done("catalog", sibling(imaged, "flat.asdf"), "--outdir", tmp_path)
    image = tmp_path / sibling(imaged, "sourcecatalogstep.asdf").name
    done("tweakreg", image, "--refcat", gaia, "--update-catalog")
    one, two = (read_catalog(sibling(path, "cat.parquet")) for path in (aligned, image))
    for name in one.colnames:
        assert np.asarray(one[name]).tobytes() == np.asarray(two[name]).tobytes(), name
    assert meta(product_of(image))["wcs_fit_results"] == meta(aligned)["wcs_fit_results"]
    done("run", product_of(image), "--outdir", tmp_path / "end")
    assert names_in(tmp_path / "end") == [sibling(imaged, f"{end}.asdf").name for end in ("cal", "wcs")]
    assert apart(wcs_of(tmp_path / "end" / aligned.name), wcs_of(aligned)) < 1e-3
    assert statuses(tmp_path / "end" / aligned.name) == statuses(aligned)


def test_rt_run_goes_on_from_the_catalog(imaged, gaia, tmp_path):
    done("catalog", sibling(imaged, "flat.asdf"), "--outdir", tmp_path)
    image = tmp_path / sibling(imaged, "sourcecatalogstep.asdf").name
    before = listing(tmp_path)
    done("run", image, "--refcat", gaia, "--outdir", tmp_path / "end")
    assert statuses(tmp_path / "end" / imaged.name)["tweakreg"] == "COMPLETE"
    assert {name: text for name, text in listing(tmp_path).items() if name in before} == before


def test_rt_run_says_what_it_leaves_unaligned(imaged, gaia, tmp_path, capsys):
    status, _out, err = said(capsys, "run", imaged, "--refcat", gaia, "--outdir", tmp_path)
    assert status == 0
    assert "tweakreg is SKIPPED in this file, and stays so; rt-tweakreg aligns it" in err


def test_rt_run_warns_where_it_fails_and_is_strict_on_request(imaged, elsewhere, tmp_path, capsys):
    source = sibling(imaged, "flat.asdf")
    status, out, err = said(capsys, "run", source, "--refcat", elsewhere, "--outdir", tmp_path / "a")
    assert (status, len(out.split())) == (0, 4)
    assert len([line for line in err.splitlines() if "warning" in line and "tweakreg: FAILED" in line]) == 1
    failed(tmp_path / "a" / imaged.name, imaged)
    words = ("--refcat", elsewhere, "--outdir", tmp_path / "b", "--strict", "-q")
    status, out, err = said(capsys, "run", source, *words)
    assert (status, len(out.split()), len(complaints(err))) == (5, 4, 1)
    failed(tmp_path / "b" / imaged.name, imaged)
    one, two = (read_catalog(sibling(tmp_path / place / imaged.name, "cat.parquet")) for place in "ab")
    assert np.array_equal(one["ra"], two["ra"])
    assert np.array_equal(one["ra"], read_catalog(sibling(imaged, "cat.parquet"))["ra"])


def test_rt_run_aligns_an_association_together(imaged, imaged_again, gaia, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(local, "WORTHWHILE", 0)  # each in a process of its own
    sources = [sibling(path, "flat.asdf") for path in (imaged, imaged_again)]
    asn = association(tmp_path / "x_asn.json", *({"expname": str(path)} for path in sources))
    status, out, _err = said(capsys, "run", asn, "--refcat", gaia, "--outdir", tmp_path / "out", "-q", "-j", 2)
    assert status == 0
    made = [tmp_path / "out" / path.name for path in (imaged, imaged_again)]
    expected = [sibling(path, end) for path in made for end in PRODUCTS]
    assert sorted(out.split()) == sorted(map(str, expected))
    assert [path.name for path in sorted(expected)] == names_in(tmp_path / "out")  # and nothing else is left there
    one, two = (meta(path)["wcs_fit_results"] for path in made)
    assert one == two
    assert one["n_detector"] == 2
    for path in made:
        assert apart(wcs_of(path), moved()) < 3
        assert apart(wcs_of(sibling(path, "wcs.asdf"), "wcs_l2"), wcs_of(path)) < 1e-3
        table = read_catalog(sibling(path, "cat.parquet"))
        ra, _dec = wcs_of(path)(np.asarray(table["x_psf"], float), np.asarray(table["y_psf"], float))
        assert np.allclose(table["ra_psf"], ra, rtol=0, atol=1e-10, equal_nan=True)
        assert table.meta["roman.meta.filename"] == sibling(path, "cat.parquet").name
        assert meta(path)["filename"] == path.name
        assert meta(path)["source_catalog"]["tweakreg_catalog_name"] == sibling(path, "cat.parquet").name


@pytest.mark.parametrize(
    "text, word",
    [(b"x,y\n1,2\n", "no column is known"), (b"PAR1 no more", "that can be read"), (b"\0", "not a table")],
)
def test_a_reference_catalog_that_is_none_is_refused_before_any_work(imaged, text, word, tmp_path, capsys):
    asn = association(tmp_path / "x_asn.json", {"expname": str(sibling(imaged, "flat.asdf"))})
    (tmp_path / "stars.csv").write_bytes(text)
    status, out, err = said(capsys, "run", asn, "--refcat", tmp_path / "stars.csv", "--outdir", tmp_path / "out", "-n")
    assert (status, out) == (3, "") and word in err


def test_an_alignment_that_raises_is_told_of_every_image(imaged, imaged_again, gaia, tmp_path, capsys, monkeypatch):
    def broken(*_args):
        raise InputError("gone", path=gaia)

    monkeypatch.setattr("rtools.pipeline.astrometry.align.align", broken)
    sources = [str(sibling(path, "flat.asdf")) for path in (imaged, imaged_again)]
    asn = association(tmp_path / "x_asn.json", *({"expname": path} for path in sources))
    status, out, err = said(capsys, "run", asn, "--refcat", gaia, "--outdir", tmp_path / "a", "--json", "-q")
    assert status == 3 and [entry["input"] for entry in records(out)] == sources
    assert len(complaints(err)) == 2


@pytest.mark.long
def test_rt_run_of_an_association_that_fails(imaged, imaged_again, elsewhere, tmp_path, capsys):
    sources = [sibling(path, "flat.asdf") for path in (imaged, imaged_again)]
    asn = association(tmp_path / "x_asn.json", *({"expname": str(path)} for path in sources))
    status, out, err = said(capsys, "run", asn, "--refcat", elsewhere, "--outdir", tmp_path / "a")
    assert (status, len(out.split())) == (0, 8)
    (warning,) = (line for line in err.splitlines() if "tweakreg: FAILED" in line)
    assert warning.startswith("rt-run: warning: ") and warning.endswith("(2 inputs)")
    failed(tmp_path / "a" / imaged.name, imaged)
    words = ("--refcat", elsewhere, "--outdir", tmp_path / "b", "--strict", "-q")
    assert said(capsys, "run", asn, *words)[0] == 5
    assert names_in(tmp_path / "b") == names_in(tmp_path / "a")
