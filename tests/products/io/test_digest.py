"""Digests of files: the same for the same content, whenever it was written; no data are read where they are known."""

import os

import numpy as np
import pytest
from astropy.io import fits

from rtools.products.io import digest, writer
from rtools.products.io.digest import digest_of
from rtools.products.schema import history
from tests.support import jwst_files, samples


def product(path, *, number=0, moment="1000000000", monkeypatch, **changes):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", moment)
    arrays = samples.arrays("l2_image")
    arrays["data"][0, 0] = number
    meta = samples.meta("l2_image") | changes
    done = [history.entry("rt-x", parameters={"moment": moment}, inputs=["y.asdf"])]
    writer.write_product(path, "l2_image", meta, arrays, history=done)
    return path


def test_a_product_that_is_made_again_has_the_same_digest(tmp_path, monkeypatch):
    first = product(tmp_path / "a_cal.asdf", monkeypatch=monkeypatch, cal_logs=["at noon"])
    again = product(tmp_path / "b_cal.asdf", moment="1700000000", monkeypatch=monkeypatch, cal_logs=["at night"])
    assert first.read_bytes() != again.read_bytes() and digest_of(first) == digest_of(again)


def test_a_fits_product_that_is_made_again_at_another_time_has_the_same_digest(tmp_path, monkeypatch):
    made = []
    for moment in ("1000000000", "1700000000"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", moment)
        path = jwst_files.written(tmp_path, "cal", history=[history.entry("rt-x", parameters={"moment": moment})])
        with fits.open(path, mode="update") as hdus:
            hdus[0].header["DATE"] = moment
        made.append((path.read_bytes(), digest_of(path)))
    (first, one), (again, other) = made
    assert first != again and one == other


def test_other_pixels_or_metadata_have_another_digest(tmp_path, monkeypatch):
    first = digest_of(product(tmp_path / "a_cal.asdf", monkeypatch=monkeypatch))
    assert digest_of(product(tmp_path / "b_cal.asdf", number=1, monkeypatch=monkeypatch)) != first
    exposure = samples.meta("l2_image")["exposure"] | {"nresultants": 9}
    assert digest_of(product(tmp_path / "c_cal.asdf", exposure=exposure, monkeypatch=monkeypatch)) != first


def test_of_an_asdf_file_with_checksums_no_data_are_read(tmp_path, monkeypatch):
    path = product(tmp_path / "a_cal.asdf", monkeypatch=monkeypatch)
    monkeypatch.setattr(digest, "sum_of_spans", lambda *_: pytest.fail("data were read"))
    assert len(digest_of(path)) == 32


def test_of_a_fits_file_of_rtools_no_data_are_read(tmp_path, monkeypatch):
    path = jwst_files.written(tmp_path, "cal", history=[history.entry("rt-x")])
    monkeypatch.setattr(digest, "sum_of_spans", lambda *_: pytest.fail("data were read"))
    assert len(digest_of(path)) == 32


def test_the_digest_of_other_files_is_that_of_their_bytes_and_is_remembered(tmp_path, monkeypatch):
    path = tmp_path / "stars.csv"
    path.write_text("ra,dec\n1,2\n")
    first = digest_of(path)
    digest.switch(True)  # forgets what this process knows
    with monkeypatch.context() as patched:
        patched.setattr(digest, "sum_of_spans", lambda *_: pytest.fail("it was read again"))
        assert digest_of(path) == first
    path.write_text("ra,dec\n1,3\n")
    os.utime(path, ns=(1, 1))
    assert digest_of(path) != first


def test_what_is_remembered_is_read_again_where_that_is_asked(tmp_path):
    path = tmp_path / "stars.csv"
    path.write_text("ra,dec\n1,2\n")
    first, state = digest_of(path), path.stat()
    path.write_text("ra,dec\n1,3\n")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert digest_of(path) == first
    digest.switch(False)
    try:
        assert digest_of(path) != first
    finally:
        digest.switch(True)


def test_a_directory_has_the_digest_of_what_is_in_it(tmp_path):
    folder = tmp_path / "tree"
    (folder / "deep").mkdir(parents=True)
    np.save(folder / "deep" / "x.npy", np.arange(3))
    first = digest_of(folder)
    np.save(folder / "deep" / "y.npy", np.arange(4))
    assert digest_of(folder) != first
    assert digest_of(tmp_path / "missing") == ""
