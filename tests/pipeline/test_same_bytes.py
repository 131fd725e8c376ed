"""Two runs of the same jobs write the same bytes, where SOURCE_DATE_EPOCH fixes the times; whatever is around them."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from rtools.products.schema import history
from tests.support.runs import done, listing, meta, simulate

pytestmark = pytest.mark.slow

MOMENT = "1800000000"


@pytest.fixture(autouse=True)
def moment(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", MOMENT)


def test_products_of_roman_in_asdf_parquet_and_ecsv(tmp_path, monkeypatch):
    raw = simulate(tmp_path / "raw")
    before = listing(raw.parent)
    simulate(tmp_path / "raw", "wfi01", "--overwrite")
    assert listing(raw.parent) == before
    done("run", raw, "--outdir", tmp_path / "one", "--save-steps")
    monkeypatch.chdir(tmp_path / "raw")
    done("run", raw.name, "--outdir", "../two", "--save-steps", "-j", 2, "--timings")
    assert listing(tmp_path / "one") == listing(tmp_path / "two") and len(listing(tmp_path / "one")) > 12
    (cal,) = (tmp_path / "one").glob("*_cal.asdf")
    assert str(meta(cal)["file_date"]).startswith("2027-01-15T08:00:00")
    for folder in ("three", "four"):
        (tmp_path / folder).mkdir()
        done("catalog", cal, "-o", tmp_path / folder / "x_cat.ecsv")
        done("run", cal, "--mosaic", "-o", tmp_path / folder / "field_coadd.asdf")
    assert listing(tmp_path / "three") == listing(tmp_path / "four")


def test_products_of_jwst_in_fits(tmp_path):
    raw = tmp_path / "raw" / "jw01234001001_02101_00001_nrca1_uncal.fits"
    done("sim", raw, "--subarray", "SUB64P", "--ngroups", 4, "--nints", 2)
    before = listing(raw.parent)
    done("sim", raw, "--subarray", "SUB64P", "--ngroups", 4, "--nints", 2, "--overwrite")
    assert listing(raw.parent) == before and len(before) == 3
    for folder, threads in (("one", 1), ("two", 2)):
        done("run", raw, "--builtin", "--outdir", tmp_path / folder, "-j", threads, "--save-steps")
    assert listing(tmp_path / "one") == listing(tmp_path / "two")


def test_no_product_says_how_the_run_went_around_it(tmp_path):
    raw = simulate(tmp_path / "raw")
    done("dqinit", raw, "--outdir", tmp_path)
    (made,) = tmp_path.glob("*_dqinit.asdf")
    text = made.read_bytes().partition(b"\n...")[0]
    assert os.fsencode(tmp_path) not in text and b"--outdir" not in text and b"-q" not in text


def test_a_moment_that_is_none_is_left_alone(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    assert abs(history.now() - datetime.now(UTC)) < timedelta(seconds=60)
