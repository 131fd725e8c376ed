"""rt-report: numbers of the files on one page, broken files as rows, and no word of a file as markup."""

import json
import re
import shutil
import sys

import numpy as np
import pytest

from rtools.products.io import open_product
from rtools.products.opening import open_any
from tests.support import jwst_files, report_files
from tests.support.kit import run
from tests.support.report_files import HOSTILE, Page
from tests.support.runs import records, rewrite


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    """A directory of four exposures with what lies beside them, and a mosaic."""
    directory = tmp_path_factory.mktemp("field")
    report_files.exposures(directory)
    report_files.coadd(directory)
    return directory


def page_of(target, *args):
    """Status and page of a command line."""
    status = run("report", *args, "-o", target)
    return status, Page(target.read_text())


@pytest.fixture(scope="module")
def page(field, tmp_path_factory):
    status, made = page_of(tmp_path_factory.mktemp("page") / "field.html", *sorted(field.iterdir()))
    assert status == 0
    return made


@pytest.mark.slow
def test_numbers_of_the_table_are_those_of_the_files(page, field):
    for path in sorted(field.glob("*_cal.asdf")):
        row = page.table[path.name]
        with open_product(path) as product:
            dq, meta = product.array("dq"), product.meta
            good = np.mean((dq & 1) == 0)
            jumps = np.mean((dq & 4) != 0)
        assert row["sky"].removesuffix(" ≠") == f"{meta['statistics']['image_median']:.4g}"
        assert row["good pixels [%]"] == f"{100 * good:.2f}"
        assert row["jumps [%]"] == f"{100 * jumps:.2f}"
        assert row["jumps / 1000 s [%]"] == f"{1000 / 140 * 100 * jumps:.1f}"
        assert row["alignment rms [mas]"] == "2.00"
        assert row["matched stars"] == "25"
        assert row["sources"] == "40"
        assert row["Exposed [s]"] == "140.0"
    assert page.table["field_f158_coadd.asdf"]["images deep"] == "3.0"


def test_catalogs_and_maps_are_told_with_their_images(page, field):
    assert len(page.table) == 5 < len(list(field.iterdir()))
    assert sum(attrs.get("class") == "over" and tag == "img" for tag, attrs in page.tags) == 4


def test_flags_of_an_exposure_stand_in_its_card(page, field):
    with open_product(next(field.glob("*_0001_*_cal.asdf"))) as product:
        dq = product.array("dq")
    assert f"DO_NOT_USE {np.count_nonzero(dq & 1)}" in page.text
    assert f"Flags of {dq.size} pixels" in page.text


def test_there_is_a_section_for_each_sort_of_product(page):
    sections = [attrs.get("id") for tag, attrs in page.tags if tag == "section"]
    assert sections == ["look", "general", "exposures", "alignment", "mosaics", "catalogs", "run", "limits"]


def test_nothing_is_fetched_and_only_its_own_script_runs(page):
    for tag, attrs in page.tags:
        for name, value in attrs.items():
            if name in ("src", "href", "action", "data", "srcset", "poster", "xlink:href"):
                assert value.startswith(("#", "data:image/png;base64,")), (tag, name, value)
            assert not name.startswith("on"), (tag, name)
            assert name != "style", tag
    assert not re.search(r"(?:https?:)?//\w", " ".join(one for one in page.scripts))
    (policy,) = [attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert len(re.findall(r"script-src 'sha256-[\w+/=]{44}'", policy)) == 1
    assert [tag for tag, _attrs in page.tags if tag in ("script", "link", "iframe", "object", "base", "form")] == [
        "script"
    ]


def test_the_policy_names_the_script_that_is_there(page):
    import base64
    import hashlib

    (policy,) = [attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    style, script = page.scripts
    for word, text in (("style-src", style), ("script-src", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{word} 'sha256-{digest}'" in policy


def test_a_broken_file_is_a_row_with_its_reason(field, tmp_path, capsys):
    good = next(field.glob("*_0001_*_cal.asdf"))
    short, text = tmp_path / "short_cal.asdf", tmp_path / "text_cal.asdf"
    short.write_bytes(good.read_bytes()[:50_000])
    text.write_text("no product\n")
    missing = tmp_path / "missing_cal.asdf"
    status, made = page_of(tmp_path / "page.html", short, good, text, missing)
    assert status == 3
    assert made.table["missing_cal.asdf"]["Kind"] == "no such file"
    assert "neither ASDF" in made.table["text_cal.asdf"]["Kind"]
    assert made.table["short_cal.asdf"]["Verdict"] == "✗ broken"
    assert made.table[good.name]["sources"] == "40"
    assert "cannot be read: 3 of 4" in made.text
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_a_damaged_map_beside_an_image_is_a_remark(field, tmp_path):
    good = next(field.glob("*_0001_*_cal.asdf"))
    shutil.copy(good, tmp_path / "x_cal.asdf")
    (tmp_path / "x_segm.asdf").write_bytes(b"#ASDF 1.0.0\nnothing\n")
    status, made = page_of(tmp_path / "page.html", tmp_path / "x_cal.asdf")
    assert status == 0
    assert made.table["x_cal.asdf"]["Verdict"] == "! look"
    assert "x_segm.asdf" in made.text


def test_no_word_of_a_file_or_of_its_name_becomes_markup(field, tmp_path):
    def change(meta):
        for block, key in (("program", "title"), ("exposure", "ma_table_name"), ("instrument", "detector")):
            meta[block][key] = HOSTILE
        meta["cal_logs"] = [f"x :: y :: WARNING :: {HOSTILE}", f"x :: y :: INFO :: tweakreg: {HOSTILE}"]
        meta["cal_step"]["tweakreg"] = "FAILED"
        meta["ref_file"]["flat"] = f"builtin:{HOSTILE}"

    name = tmp_path / "<img src=x onerror=alert(3)>&\"'_cal.asdf"
    report_files.unchecked(next(field.glob("*_0001_*_cal.asdf")), name, change)
    log = tmp_path / "run.jsonl"
    record = {"input": HOSTILE, "status": "failed", "error": HOSTILE, "exit_code": 3, "warnings": [HOSTILE]}
    log.write_text(json.dumps(record | {"seconds": {HOSTILE: 1.0, "total": 2.0}}) + "\n")
    broken = tmp_path / "<script>x_cal.asdf"
    broken.write_text("no")
    title = "</title><script>alert(4)</script>"
    status, made = page_of(tmp_path / "page.html", name, broken, "--log", log, "--title", title)
    assert status == 3
    assert [tag for tag, _attrs in made.tags].count("script") == 1
    assert not [tag for tag, attrs in made.tags if any(key.startswith("on") for key in attrs)]
    assert all(attrs["src"].startswith("data:") for tag, attrs in made.tags if tag == "img")
    assert "alert(1)" not in "".join(made.scripts)
    assert made.text.count("<script>alert(1)</script>") >= 6
    assert "title" in [tag for tag, _attrs in made.tags]


def test_texts_and_lists_of_a_file_are_shown_as_far_as_a_page_can_hold_them(field, tmp_path):
    def change(meta):
        meta["exposure"]["ma_table_name"] = "x" * 100_000
        meta["cal_logs"] = [f"x :: y :: WARNING :: number {number} {'w' * 1000}" for number in range(2000)]

    path = tmp_path / "long_cal.asdf"
    report_files.unchecked(next(field.glob("*_0001_*_cal.asdf")), path, change)
    status, made = page_of(tmp_path / "page.html", path)
    assert status == 0
    assert (tmp_path / "page.html").stat().st_size < 600_000
    assert "and 1600 more" in made.text


def test_the_log_of_a_run_tells_failures_times_and_memory(field, tmp_path):
    good = next(field.glob("*_0001_*_cal.asdf"))
    done = {"input": "a_uncal.asdf", "status": "done", "outputs": [str(good)], "peak_memory": 2**31}
    done |= {"seconds": {"rampfit": 3.0, "flat": 1.0, "total": 12.5}, "warnings": []}
    failed = {"input": "b_uncal.asdf", "status": "failed", "error": "no flat", "exit_code": 4}
    (tmp_path / "run.jsonl").write_text(f"{json.dumps(done)}\n\n{json.dumps(failed)}\n")
    status, made = page_of(tmp_path / "page.html", good, "--log", tmp_path / "run.jsonl")
    assert status == 0
    assert made.table[good.name]["seconds [s]"] == "12.5"
    assert made.table[good.name]["memory [GiB]"] == "2.00"
    assert "no flat" in made.text
    assert "a reference file is missing" in made.text
    assert "rampfit 3.0 3.00 3.00 75.0" in made.text


def test_the_log_of_a_run_alone_makes_a_page(tmp_path, capsys):
    (tmp_path / "run.jsonl").write_text('{"input": "b", "status": "failed", "error": "no flat", "exit_code": 4}\n')
    status, made = page_of(tmp_path / "page.html", "--log", tmp_path / "run.jsonl")
    assert status == 0
    assert "no flat" in made.text
    (tmp_path / "run.jsonl").write_text("{}\n[1]\n")
    assert run("report", "--log", tmp_path / "run.jsonl", "-o", tmp_path / "other.html") == 3
    assert "line 2 is no object of JSON" in capsys.readouterr().err


def test_every_limit_that_is_missed_says_what_to_do(field, tmp_path):
    def change(_meta, arrays):
        arrays["err"] = (arrays["err"] / 4).astype(arrays["err"].dtype)

    path = tmp_path / "x_cal.asdf"
    rewrite(next(field.glob("*_0002_*_cal.asdf")), path, change)
    _status, made = page_of(tmp_path / "page.html", path)
    assert made.table["x_cal.asdf"]["Verdict"] == "✗ bad"
    assert float(made.table["x_cal.asdf"]["noise / expected"]) == pytest.approx(4, rel=0.1)
    assert "Check the readnoise and gain references" in made.text


def test_json_has_the_numbers_of_the_page(field, tmp_path, capsys):
    paths = sorted(field.glob("*_cal.asdf"))
    status, made = page_of(tmp_path / "page.html", *paths, paths[0].with_name("none.asdf"), "--json")
    assert status == 3
    told = {one["file"]: one for one in records(capsys.readouterr().out)}
    for path in paths:
        values = told[str(path)]["values"]
        assert made.table[path.name]["noise / expected"] == f"{values['noise_ratio']:.2f}"
        assert told[str(path)]["flags"]["DO_NOT_USE"] > 0
    assert told[str(paths[0].with_name("none.asdf"))]["status"] == "failed"


def test_threads_do_not_change_the_page(field, tmp_path):
    texts = []
    for jobs in (1, 3):
        assert run("report", *sorted(field.iterdir()), "-o", tmp_path / f"{jobs}.html", "-j", jobs) == 0
        texts.append(re.sub(r"made [-\d: ]+ UTC", "", (tmp_path / f"{jobs}.html").read_text()))
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    "suffix", ["uncal", "ramp", "rate", "rateints", "cal", "calints", "crf", "i2d", "cat", "x1d", "s3d"]
)
def test_products_of_jwst_are_rows_of_the_table(suffix, tmp_path):
    path = jwst_files.made(tmp_path, suffix, sound=True)
    status, made = page_of(tmp_path / "page.html", path)
    assert status == 0
    row = made.table[path.name]
    assert row["Kind"].startswith("jwst")
    if suffix in ("rate", "cal", "crf"):
        with open_any(path) as product:
            dq = product.array("dq")
        assert row["good pixels [%]"] == f"{100 * np.mean((dq & 1) == 0):.2f}"


@pytest.mark.parametrize("name", ["report", "run"])
def test_without_jinja2_nothing_is_begun(name, raw, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    args = {"report": ("-o", tmp_path / "x.html"), "run": ("--report", tmp_path, "--outdir", tmp_path)}[name]
    assert run(name, raw, *args) == 1
    assert "roman-rtools[report]" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_rt_run_writes_a_page_about_what_it_made(raw, tmp_path, capsys):
    missing = tmp_path / "missing_uncal.asdf"
    page = tmp_path / "page" / "report.html"
    args = (raw, missing, "--until", "rampfit", "--outdir", tmp_path)
    assert run("run", *args, "--report", tmp_path / "page") == 3
    made = Page(page.read_text())
    (product,) = tmp_path.glob("*_rampfit.asdf")
    assert list(made.table) == [product.name]
    assert float(made.table[product.name]["seconds [s]"]) > 0
    assert "no such file" in made.text
    capsys.readouterr()
    assert run("run", *args, "--overwrite", "--report", tmp_path / "page") == 3
    product.unlink()
    assert run("run", *args, "--report", tmp_path / "page") == 1
    assert "exists already" in capsys.readouterr().err
    assert not product.exists()
