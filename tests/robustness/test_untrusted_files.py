"""A file that anybody may have written runs nothing, fills no memory, commands no terminal and writes nowhere else."""

import bz2
import gzip
import io
import json
import re
import resource
import zlib
from contextlib import chdir, redirect_stdout
from pathlib import Path

import numpy as np
import pytest

from rtools.commands.kit.guarded import on_one_line
from rtools.errors import InputError
from rtools.products.io import blocks
from rtools.products.io.header import StoredBlock, read_header, refuse_links
from tests.support.kit import Terminal, limited, run
from tests.support.places import ROOT
from tests.support.runs import listing, tool
from tests.support.share import some_slow
from tests.support.small_files import write

BOMB = 300 << 20
"""Bytes that a few stored ones stand for."""

UNSAFE = re.compile(r"\bpickle\.loads?\(|allow_pickle=True|joblib\.load|\beval\(|\bexec\(|unsafe_load")
PICKLES = {"pipeline/job/cluster.py", "pipeline/job/task.py", "pipeline/job/worker.py"}
"""What a run tells its own processes; nothing else is unpickled."""


def small(path, **meta):
    """A small image with this metadata."""
    return write(path, "l2_image", {"data": np.ones((30, 40), "f4"), "dq": np.zeros((30, 40), "u4")}, **meta)


def retold(path, old, new):
    """A file with other words in its tree."""
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))
    return path


@pytest.mark.parametrize("tag", ["object/apply:os.system", "object/new:os.system", "name:os.system", "module:this"])
@pytest.mark.parametrize("line", ["info FILE", "get ** FILE", "stat FILE", "cut FILE --section 0:9,0:9 -o OUT"])
def test_tags_of_python_run_nothing(tmp_path, tag, line):
    path = small(tmp_path / "x_cal.asdf", filename="PLACE")
    call = f"!!python/{tag} ['touch {tmp_path}/pwned']" if "object" in tag else f"!!python/{tag} ''"
    retold(path, b"PLACE", call.encode())
    assert run(*line.replace("FILE", str(path)).replace("OUT", str(tmp_path / "o_cal.asdf")).split()) in (0, 1, 3)
    assert not (tmp_path / "pwned").exists()


def test_tags_of_python_in_tables_run_nothing(tmp_path):
    path = tmp_path / "x_cat.ecsv"
    call = f"!!python/object/apply:os.system ['touch {tmp_path}/pwned']"
    path.write_text(f"# %ECSV 1.0\n# ---\n# datatype:\n# - {{name: ra, datatype: float64}}\n# meta: {call}\nra\n1.5\n")
    for line in (["info"], ["table"], ["refcat", "info"]):
        assert tool(*line, path) in (0, 3)
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("source", ["../secret.asdf", "file://{}/secret.asdf", "http://127.0.0.1:9/x.asdf"])
def test_arrays_in_other_files_are_not_fetched(tmp_path, source, capsys):
    (tmp_path / "in").mkdir()
    write(tmp_path / "secret.asdf", "l2_image", {"data": np.full((30, 40), 7.25, "f4")})
    path = small(tmp_path / "in" / "x_cal.asdf")
    retold(path, b"source: 0", f"source: '{source.format(tmp_path)}'".encode())
    for words in (["stat"], ["cut", "--section", "0:9,0:9", "-o", tmp_path / "o_cal.asdf"], ["view"]):
        assert tool(*words, path) == 3
        said = capsys.readouterr()
        assert "lies in another file" in said.err and "7.25" not in said.out
    with pytest.raises(InputError, match="lies in another file"):
        refuse_links(read_header(path)[0], path)


def test_parts_of_other_trees_are_links():
    with pytest.raises(InputError, match="lies in another file"):
        refuse_links({"a": [{"$ref": "../x.asdf#/roman"}]}, "x.asdf")
    refuse_links({"a": {"b": 1}}, "x.asdf")


@pytest.mark.parametrize("name, pack", some_slow([("zlib", zlib.compress), ("bzp2", bz2.compress)], 1, rows=True))
def test_a_block_that_inflates_to_gigabytes_is_read_as_far_as_it_is_wanted(tmp_path, name, pack):
    stored = pack(bytes(BOMB))
    path = tmp_path / "stored"
    path.write_bytes(stored)
    block = StoredBlock(0, len(stored), 4096, name, bytes(16))
    out = np.ones((1, 4096), np.uint8)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    with path.open("rb") as file, limited(resource.RLIMIT_AS, used + BOMB // 2):
        for job in blocks.line_jobs(file.fileno(), block, [blocks.Lines(0, 1, 4096, 4096)], lambda: [out]):
            job()
    assert not out.any()


@pytest.mark.parametrize("card, value", [("NAXIS", 2**31), ("TFIELDS", 2**31), ("GCOUNT", 0), ("PCOUNT", -(2**40))])
def test_headers_that_count_billions_are_refused_at_once(tmp_path, card, value, capsys):
    from astropy.io import fits

    path = tmp_path / "x.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns([fits.Column("a", "E", array=[1.0])])]).writeto(path)
    data = path.read_bytes()
    place = data.index(f"{card:8}=".encode(), 2880)
    path.write_bytes(data[:place] + f"{card:8}= {value:>20}".ljust(80).encode() + data[place + 80 :])
    for name in ("info", "table"):
        assert tool(name, path) == 3
        assert re.search(f"a bad header: .*{card}", capsys.readouterr().err)


def test_compressed_fits_files_are_not_inflated(tmp_path, capsys):
    path = tmp_path / "jw01234001001_02101_00001_nrca1_cal.fits"
    path.write_bytes(gzip.compress(b"SIMPLE  =                    T".ljust(2880) + bytes(1 << 20)))
    for name in ("info", "stat", "run", "table"):
        assert tool(name, path) == 3
    assert "internal" not in capsys.readouterr().err


def test_trees_that_are_too_deep_are_refused_in_every_form(tmp_path, capsys):
    deep = "[" * 200 + "]" * 200
    (tmp_path / "x_asn.json").write_text(f'{{"products": {deep}}}')
    (tmp_path / "x.ecsv").write_text(
        f"# %ECSV 1.0\n# ---\n# datatype:\n# - {{name: ra, datatype: float64}}\n# meta: {deep}\nra\n1.5\n"
    )
    for path in tmp_path.iterdir():
        assert tool("info", path) == 3
    said = capsys.readouterr().err
    assert said.count("deeper than 100 levels") == 2


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a/b", "..", "a\0b", "a\nb", ""])
def test_the_product_of_an_association_stays_in_its_directory(tmp_path, name):
    (tmp_path / "in").mkdir()
    small(tmp_path / "in" / "a_cal.asdf")
    product = {"name": name, "members": [{"expname": "a_cal.asdf", "exptype": "science"}]}
    asn = tmp_path / "in" / "x_asn.json"
    asn.write_text(json.dumps({"products": [product]}))
    before = listing(tmp_path), listing(tmp_path / "in")
    for words in (["resample", asn, "--outdir", tmp_path / "in" / "out"], ["resample", asn]):
        assert tool(*words) in (1, 2, 3)
    assert (listing(tmp_path), listing(tmp_path / "in")) == before


@pytest.mark.parametrize("there", [True, False])
def test_a_link_in_place_of_an_output_is_not_followed(tmp_path, there):
    source, outside = tmp_path / "a.ecsv", tmp_path / "outside"
    source.write_text("# %ECSV 1.0\n# ---\n# datatype:\n# - {name: ra, datatype: float64}\nra\n1.5\n")
    if there:
        outside.write_text("mine")
    link = tmp_path / "o.ecsv"
    link.symlink_to(outside)
    words = ["table", source, "-o", link]
    assert tool(*words) == 1 or not there
    assert tool(*words, "--overwrite") == 0
    assert link.is_file() and not link.is_symlink()
    assert outside.read_text() == "mine" if there else not outside.exists()


def test_a_terminal_is_not_commanded(tmp_path, capsys):
    path = small(tmp_path / "x_cal.asdf", filename="PLACE", author="PLACE2")
    retold(path, b"author: PLACE2", b'author: "\\e]0;title\\a\\e[2J\\r\\x9b2J"')
    out = Terminal()
    with redirect_stdout(out):
        assert tool("get", "meta.author", path) == 0
        assert tool("info", "--tree", path) == 0
    shown = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert "title" in shown and not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown)
    assert tool("get", "meta.author", path) == 0
    assert "\x1b]0;title" in capsys.readouterr().out, "programs get what is there"


def test_messages_stay_on_one_line_whatever_a_file_is_called(tmp_path, capsys):
    path = tmp_path / "x\n\x1b[2Jrt-info: all is well.asdf"
    path.write_text("nothing")
    assert tool("info", path) == 3
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "\x1b" not in said
    assert on_one_line("a\u202eb") == "a\\u202eb"


@pytest.mark.parametrize(
    "change",
    [
        {"tool": "rm -rf"},
        {"tool": "rt-cut; touch pwned"},
        {"arguments": ["--outdir=/tmp"]},
        {"arguments": ["--overwrite"]},
        {"arguments": ["-o"]},
        {"inputs": [{"file": "--overwrite", "digest": ""}]},
        {"main": "../x.asdf"},
        {"inputs": 1.5},
    ],
)
def test_the_command_that_made_a_file_is_one_of_rtools_and_says_no_place(tmp_path, change, capsys):
    """It is piped into a shell."""
    job = {"tool": "rt-cut", "inputs": [{"file": "a_cal.asdf", "digest": ""}], "arguments": ["--section=0:9,0:9"]}
    assert tool("history", small(tmp_path / "x_cal.asdf", rtools={"job": job})) == 0
    assert "rt-cut a_cal.asdf --section=0:9,0:9" in capsys.readouterr().out
    assert tool("history", small(tmp_path / "y_cal.asdf", rtools={"job": job | change})) == 3
    assert capsys.readouterr().out == ""


def test_what_a_file_says_of_others_stays_a_comment(tmp_path, capsys):
    job = {"tool": "rt-cut", "inputs": [{"file": "a\ntouch pwned", "digest": ""}], "arguments": []}
    assert tool("history", small(tmp_path / "x_cal.asdf", rtools={"job": job})) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("touch")] == ["touch pwned' -o x_cal.asdf"], "inside quotes"
    assert any(line.startswith("#") and "touch pwned" in line for line in lines)


def test_nothing_of_a_file_is_unpickled():
    found = {
        path.relative_to(ROOT / "rtools").as_posix()
        for path in (ROOT / "rtools").rglob("*.py")
        if re.search(
            r"\bpickle\.loads?\(|allow_pickle=True|joblib\.load|\beval\(|\bexec\(|unsafe_load", path.read_text()
        )
    }
    assert found <= PICKLES


def test_a_product_from_a_stream_is_named_without_directories(tmp_path, monkeypatch):
    from tests.support.runs import piped

    data = small(tmp_path / "a_cal.asdf", filename="../../outside/evil_cal.asdf").read_bytes()
    (tmp_path / "here" / "there").mkdir(parents=True)
    with chdir(tmp_path / "here" / "there"), piped(monkeypatch, data):
        tool("cut", "-", "--section", "0:9,0:9")
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} <= {"a_cal.asdf", "evil_cal.asdf"}
    assert not (tmp_path / "outside").exists() and io.BytesIO(data)
