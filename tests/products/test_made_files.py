"""What made a file is told by its headers alone, in every form; a file that is cut or changed is found out."""

import json

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from rtools.errors import InputError
from rtools.products.io import writer
from rtools.products.making import check_data, fingerprint_of, history_of_file, job_of
from rtools.products.schema import history
from rtools.products.schema.record import JobWord
from rtools.products.tables.files import stage_catalog, stamp
from tests.support import jwst_files, samples
from tests.support.runs import done

FORMS = ("asdf", "fits", "parquet", "ecsv")


def made(folder, form):
    """A product with a record, in one of the forms."""
    entry = history.entry(
        "rt-x", parameters={"flat": {"var_flat": True}}, inputs=["gone.asdf"], words=[JobWord("--deep")]
    )
    if form == "asdf":
        path = folder / "x_cal.asdf"
        writer.write_product(path, "l2_image", samples.meta("l2_image"), samples.arrays("l2_image"), history=[entry])
        return path
    if form == "fits":
        return jwst_files.written(folder, "cal", history=[entry])
    path = folder / f"x_cat.{form}"
    table = Table({"label": np.arange(400), "flux": np.linspace(0, 1, 400)})
    table.meta = {"roman.meta.filename": "x"}
    stamp(table, path, entry)
    stage_catalog(path, table, form).commit()
    return path


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_what_made_it(tmp_path, form):
    path = made(tmp_path, form)
    job = job_of(path)
    assert job["tool"] == "rt-x" and job["inputs"] == [{"file": "gone.asdf", "digest": ""}]
    assert job["arguments"] == ["--deep"] and job["options"] == {"flat": {"var_flat": True}}
    assert fingerprint_of(path) == job["fingerprint"]
    assert history_of_file(path)[-1]["tool"] == "rt-x"
    check_data(path)


def test_a_fits_file_has_a_card_of_it(tmp_path):
    path = made(tmp_path, "fits")
    cards = [str(card) for card in fits.getheader(path)["HISTORY"]]
    assert f"rtools job {fingerprint_of(path)}" in cards


def test_a_file_without_a_record_says_nothing(tmp_path):
    path = tmp_path / "x_cal.asdf"
    writer.write_product(path, "l2_image", samples.meta("l2_image"), samples.arrays("l2_image"))
    assert fingerprint_of(path) is None and job_of(path) is None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("part", [0.0, 0.3, 0.97])
def test_a_file_that_is_cut_is_damaged(tmp_path, form, part):
    path = made(tmp_path, form)
    data = path.read_bytes()
    path.write_bytes(data[: int(part * len(data))] if form != "ecsv" or part else b"")
    if form == "ecsv" and path.read_bytes().endswith(b"\n"):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError):
        fingerprint_of(path)


@pytest.mark.parametrize("form", ["asdf", "fits"])
def test_changed_data_are_found_where_all_are_read(tmp_path, form):
    path = made(tmp_path, form)
    data = bytearray(path.read_bytes())
    place = data.rindex(b"#ASDF BLOCK INDEX") - 2000 if form == "asdf" else data.index(b"XTENSION") + 2880 * 3
    data[place] ^= 0x55
    path.write_bytes(data)
    assert fingerprint_of(path)
    with pytest.raises(InputError, match="written"):
        check_data(path)


@pytest.mark.parametrize("name", ["x_cal.asdf", "jw_cal.fits"])
def test_an_edit_keeps_the_record_and_tells_of_itself(tmp_path, name):
    path = made(tmp_path, name.rpartition(".")[2])
    before = job_of(path)
    key = "meta.exposure.nresultants=5" if name.endswith("asdf") else "PROGRAM=00077"
    done("set", path, key, "--in-place")
    assert job_of(path)["fingerprint"] == before["fingerprint"]
    assert history_of_file(path)[-1]["tool"] == "rt-set"
    check_data(path)


def test_a_record_of_a_catalog_is_one_text(tmp_path):
    import pyarrow.parquet

    told = pyarrow.parquet.read_metadata(made(tmp_path, "parquet")).metadata
    assert json.loads(told[b"roman.meta.rtools.job"])["tool"] == "rt-x"
