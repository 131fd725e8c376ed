"""Faults of the machine in the middle of a run: a full disk, a bad disk, a lost reference, a wrong clock, two runs."""

import errno
import os
import pickle
import shutil
import time
from contextlib import chdir
from dataclasses import replace

import pytest

from rtools.errors import MissingReferenceError
from rtools.pipeline.exposure import chain
from rtools.pipeline.exposure.job import plan_exposure
from rtools.pipeline.exposure.request import ExposureRequest
from rtools.reference.find import Config
from tests.support.dithers import same
from tests.support.killed import started_run
from tests.support.kit import limited
from tests.support.runs import complaints, copied, listing, records, simulate, tool
from tests.support.share import some_long
from tests.support.small_files import write

pytestmark = pytest.mark.slow

FAR = 10 * 365 * 86400
"""Seconds by which a clock jumps."""


def unfinished(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_what_a_full_disk_has_stopped_goes_on_when_there_is_room(product, tmp_path, capsys):
    import resource

    source, out = copied(product("flat"), tmp_path / "in", "x_flat.asdf"), tmp_path / "out"
    words = (source, "--mosaic", "--outdir", out, "-o", out / "field_coadd.asdf", "--resume", "-q")
    statuses = []
    for size in (20_000, 400_000):
        with limited(resource.RLIMIT_FSIZE, size):
            statuses.append(tool("run", *words))
        assert not out.exists() or not unfinished(out)
    assert statuses[0] == 1 and "cannot be written (file too large)" in capsys.readouterr().err
    assert tool("run", *words) == 0
    assert tool("validate", out / "field_coadd.asdf", "--quick") == 0


@pytest.mark.parametrize("name", ["pread", "preadv"])
def test_a_disk_that_cannot_be_read_is_a_bad_input(product, tmp_path, monkeypatch, capsys, name):
    source = copied(product("linearity"), tmp_path)
    before, read, calls = listing(tmp_path), getattr(os, name), []

    def failing(*args):
        calls.append(1)
        if len(calls) > 9:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(*args)

    monkeypatch.setattr(os, name, failing)
    status = tool("run", source, "-q")
    monkeypatch.undo()
    (line,) = complaints(capsys.readouterr().err)
    assert status == 3 and str(source) in line and "input/output error" in line
    assert listing(tmp_path) == before


@pytest.mark.parametrize("kind", some_long(["flat", "gain", "dark"], 1))
def test_a_reference_that_vanishes_in_the_middle_of_a_run_was_open_and_serves(
    product, references, tmp_path, monkeypatch, kind
):
    source = copied(product("uncal"), tmp_path / "in", "x_uncal.asdf")
    refs, out, step = tmp_path / "refs", tmp_path / "out", chain.step_of("dqinit")
    shutil.copytree(references, refs)
    assert tool("run", source, "--refdir", refs, "--outdir", out, "-q") == 0

    def vanish(*args):
        for path in refs.glob(f"*_{kind}_*"):
            path.unlink()
        return step.apply(*args)

    monkeypatch.setattr("rtools.exposure.steps.dqinit.STEP", replace(step, apply=vanish))
    assert tool("run", source, "--refdir", refs, "--outdir", tmp_path / "again", "-q") == 0
    assert not list(refs.glob(f"*_{kind}_*"))
    assert same(out / "x_cal.asdf", tmp_path / "again" / "x_cal.asdf") == []


def test_a_reference_that_vanishes_before_a_worker_has_the_job_is_told_by_its_type(product, references, tmp_path):
    """A job is planned again where it arrives."""
    refs = tmp_path / "refs"
    shutil.copytree(references, refs)
    request = ExposureRequest(tool="rt-run", outdir=str(tmp_path / "out"), references=Config(refdir=refs))
    sent = pickle.dumps(plan_exposure(str(product("uncal")), str(product("uncal")), request))
    for path in refs.glob("*_gain_*"):
        path.unlink()
    with pytest.raises(MissingReferenceError, match="no gain reference"):
        pickle.loads(sent)
    assert not (tmp_path / "out").exists()


def test_two_runs_into_one_directory_leave_whole_products(tmp_path, monkeypatch):
    """Either may be refused by what the other one has made; never are products of both mixed."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    raw = simulate(tmp_path / "raw", reads="1;2-3;4-7;8-10", stars=3000)
    words = (f"raw/{raw.name}", "--outdir", "out")
    both = [started_run("threads", words, tmp_path, name) for name in ("tmp1", "tmp2")]
    statuses = [process.wait(120) for process in both]
    assert 0 in statuses and set(statuses) <= {0, 1}
    made = listing(tmp_path / "out")
    shutil.rmtree(tmp_path / "out")
    with chdir(tmp_path):
        assert tool("run", *words, "-q") == 0
    assert made == listing(tmp_path / "out")


@pytest.mark.parametrize("jump", [pytest.param(FAR, marks=pytest.mark.long), -FAR])
def test_a_clock_that_jumps_does_not_decide_what_is_made(product, tmp_path, monkeypatch, capsys, jump):
    source, out = copied(product("flat"), tmp_path / "in", "x_flat.asdf"), tmp_path / "out"
    assert tool("run", source, "--outdir", out, "-q") == 0
    before, now = listing(out), time.time
    monkeypatch.setattr(time, "time", lambda: now() + jump)
    for path in (source, *out.iterdir()):
        os.utime(path, (now() - jump, now() - jump))
    os.utime(source, (now() + jump, now() + jump))
    capsys.readouterr()
    assert tool("run", source, "--outdir", out, "--resume") == 0
    assert "1 of 1 up to date" in capsys.readouterr().err and listing(out) == before
    (out / "x_cat.parquet").write_bytes(b"PAR1")
    os.utime(out / "x_cat.parquet", (now() + FAR, now() + FAR))
    assert tool("run", source, "--outdir", out, "--resume", "-q") == 0
    assert (out / "x_cat.parquet").stat().st_size > 100


def thousand(folder, source, bad=50, count=1000):
    """Paths of copies of a file, and of those among them that are damaged in one of five ways."""
    data = source.read_bytes()
    ways = (b"", data[:100], data[: len(data) // 2], b"nothing", data.replace(b"roman:", b"roman: [", 1))
    paths = [folder / f"r0000101001001001001_{number:04d}_wfi01_f158_uncal.asdf" for number in range(1, count + 1)]
    for path in paths:
        os.link(source, path)
    broken = paths[7 :: count // bad]
    for number, path in enumerate(broken):
        path.unlink()
        path.write_bytes(ways[number % len(ways)])
    return paths, broken


def test_fifty_bad_files_among_a_thousand_are_named_one_by_one(tmp_path, capsys):
    import numpy as np

    source = write(tmp_path / "whole.asdf", "l1_uncal", {"data": np.zeros((2, 8, 8), "u2")}, filename="x")
    paths, bad = thousand(tmp_path, source)
    assert tool("info", "--json", *paths) == 3
    out, err = capsys.readouterr()
    told = records(out)
    assert [one["file"] for one in told if one["status"] == "failed"] == list(map(str, bad)) and len(told) == 1000
    lines = err.splitlines()
    assert len(lines) == len(bad) == 50 and all(str(path) in line for path, line in zip(bad, lines, strict=True))


@pytest.mark.long
def test_a_run_of_a_thousand_inputs_of_which_fifty_are_bad(tmp_path, capsys):
    paths, bad = thousand(tmp_path, simulate(tmp_path / "raw", reads="1;2", stars=10))
    capsys.readouterr()
    words = ("run", *paths, "--until", "dqinit", "--outdir", tmp_path / "out", "--json", "-j", 2)
    for more in (("--dry-run",), ()):
        assert tool(*words, *more) == 3
        out, err = capsys.readouterr()
        told = records(out)
        failed = {one["input"] for one in told if one["status"] == "failed"}
        assert failed == set(map(str, bad)) and len(told) == 1000
        lines = complaints(err)
        assert all(any(str(path) in line for line in lines) for path in bad)
    assert len(list((tmp_path / "out").iterdir())) == 950 and not unfinished(tmp_path / "out")
    with capsys.disabled():
        print("\n1000 inputs, 50 of them bad: 950 products, 50 named failures")


def test_a_directory_is_a_bad_input(tmp_path, capsys):
    (tmp_path / "x_cal.asdf").mkdir()
    assert tool("run", tmp_path / "x_cal.asdf") == 3
    assert "is a directory" in capsys.readouterr().err
