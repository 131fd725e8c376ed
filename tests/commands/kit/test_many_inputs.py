"""What every tool that takes many inputs does with them, and what is refused or reported of one among them."""

import json
import os
import re
import resource
import shutil

import pytest

from rtools.jwst.suffixes import extension_of
from rtools.pipeline.job.steps import step_of
from tests.support.kit import (
    LIGHT,
    NAME,
    OF_CUBES,
    OF_GW,
    OF_JWST,
    OF_PRODUCTS,
    WORKING,
    WRITERS,
    has,
    limited,
    lines,
    many_inputs,
    many_line,
    run,
    words,
)
from tests.support.runs import listing, piped, records
from tests.support.share import some_long

every_list_taker = pytest.mark.parametrize("name", [name for name in WORKING if many_inputs(name)])
SPARE = 20
"""Files that a tool may have open."""

SHARE = ("asn", "catalog", "cut", "diff", "jump", "rampfit", "run", "skymap", "table")
"""Tools with which every run of the suite tries many inputs; the others are alike in this, and for the long tests."""


def shared_first(names):
    """Names of tools, or cases that begin with one, of which those in `SHARE` run every time."""

    def is_shared(case):
        return (case if isinstance(case, str) else case[0]) in SHARE

    cases = sorted(names, key=lambda case: not is_shared(case))
    return some_long(cases, sum(map(is_shared, cases)), rows=not all(isinstance(case, str) for case in cases))


MANIFEST = "ls"
"""The tool that makes one table of all its inputs, of which its dry run and its JSON tell as of one thing."""

some_list_takers = pytest.mark.parametrize("name", shared_first(name for name in WORKING if many_inputs(name)))

MANY_WRITERS = [name for name in WORKING if many_inputs(name) and "--outdir DIR" in many_line(name)]


@pytest.fixture
def out(tmp_path):
    """An empty directory for outputs."""
    directory = tmp_path / "out"
    directory.mkdir()
    return directory


@pytest.fixture
def light(taken, product, others):
    """``light(name, line)``: as `taken`, without a WCS where the tool can do without."""

    def find(name, line):
        source = taken(name, line)
        images = [product(kind) for kind in ("cal", "assignwcs", "photom", "flat")]
        bare = "photom" if name == "flux" else "rampfit"
        return product(bare) if source in images else source

    return find


def linked(source, directory, count):
    """Names of one file, so many."""
    paths = [directory / f"{number:03d}_{source.name}" for number in range(count)]
    for path in paths:
        os.link(source, path)
    return paths


def run_short_of_files(name, args):
    """Run a tool that may have a few more files open than are open now."""
    with limited(resource.RLIMIT_NOFILE, len(os.listdir("/proc/self/fd")) + SPARE):
        return run(name, *args)


@some_list_takers
def test_60_inputs_need_no_more_open_files_than_a_few(name, light, tmp_path, out, capsys):
    line = LIGHT.get(name, lines(name)[0])
    files = linked(light(name, line), tmp_path, 3 * SPARE)
    dry = ["--dry-run"] if has(name, "dry_run") else []
    assert run(name, *words(line, files[:1], out / "first"), *dry) == 0  # loads what it needs
    capsys.readouterr()
    status = run_short_of_files(name, [*words(line, files, out), *dry])
    captured = capsys.readouterr()
    assert status == 0, captured.err[-500:]
    assert len(captured.out.splitlines()) >= (1 if dry and name == MANIFEST else len(files))


@pytest.mark.parametrize("name", ["cut", "dqinit"])
def test_30_outputs_need_no_more_open_files_than_a_few(name, light, tmp_path, out, capsys):
    line = LIGHT.get(name, lines(name)[0])
    files = linked(light(name, line), tmp_path, 30)
    assert run(name, *words(line, files[:1], tmp_path / "first")) == 0
    assert run_short_of_files(name, words(line, files, out)) == 0
    assert len(listing(out)) == 30


@some_list_takers
def test_a_bad_input_does_not_stop_the_others(name, taken, tmp_path, out, capsys):
    line = lines(name)[0]
    source = taken(name, line)
    files = [tmp_path / "missing_cal.asdf", tmp_path / source.name]
    shutil.copy(source, files[1])
    assert run(name, *words(line, files, out)) == 3
    captured = capsys.readouterr()
    assert captured.out
    assert sum("missing_cal.asdf: no such file" in text for text in captured.err.splitlines()) == 1


@every_list_taker
def test_fail_fast_stops_at_the_first(name, taken, tmp_path, out, capsys):
    line = lines(name)[0]
    files = [tmp_path / "missing_cal.asdf", taken(name, line)]
    assert run(name, *words(line, files, out), "--fail-fast") == 3
    captured = capsys.readouterr()
    assert "missing_cal.asdf: no such file" in captured.err
    assert str(files[1]) not in captured.out
    assert listing(out) == {}


@pytest.mark.parametrize(
    "name", shared_first(name for name in WORKING if many_inputs(name) and has(name, "as_json") and name != MANIFEST)
)
def test_json_has_a_line_for_each_input_as_it_ends(name, taken, tmp_path, out, capsys):
    line = lines(name)[0]
    source, missing = taken(name, line), str(tmp_path / "missing_cal.asdf")
    for dry in ([], ["--dry-run"]) if has(name, "dry_run") else ([],):
        assert run(name, *words(line, [missing, source], out), "--json", *dry) == 3
        failed, good = sorted(records(capsys.readouterr().out), key=lambda one: "error" not in one)
        (key,) = {"file", "input"} & set(failed)
        assert failed == {key: missing, "status": "failed", "error": "no such file", "exit_code": 3}
        assert good[key] == str(source)
        assert good["status"] == ("planned" if dry and "outputs" in good else "done")
        shutil.rmtree(out, ignore_errors=True)


def test_json_of_names_and_simulations_has_those_that_failed(out, capsys):
    assert run("sim", NAME, "nonsense.asdf", "--size", 256, "-n", "--json") == 2
    failed, good = map(json.loads, capsys.readouterr().out.splitlines())
    assert (failed["input"], failed["exit_code"], good["input"]) == ("nonsense.asdf", 2, NAME)
    assert run("name", NAME, "nonsense.asdf", "--json") == 1
    good, failed = map(json.loads, capsys.readouterr().out.splitlines())
    assert (failed["name"], failed["exit_code"], good["name"]) == ("nonsense.asdf", 1, NAME)


@some_list_takers
def test_a_list_of_inputs(name, taken, tmp_path, out, capsys, monkeypatch):
    line = lines(name)[0]
    source = taken(name, line)
    (tmp_path / "list.txt").write_text(f"{source}\n")
    assert run(name, *words(line, f"@{tmp_path}/list.txt", out / "1")) == 0
    assert capsys.readouterr().out
    with piped(monkeypatch, f"{source}\n".encode()) as printed:
        assert run(name, *words(line, "@-", out / "2")) == 0
    assert printed.getvalue()


@pytest.mark.parametrize("name", MANY_WRITERS)
def test_two_inputs_with_one_output_are_refused_before_any_work(name, taken, tmp_path, out, capsys):
    line = many_line(name)
    files = [tmp_path / part / taken(name, line).name for part in ("one", "two")]
    for path in files:
        path.parent.mkdir()
        shutil.copy(taken(name, line), path)
    for more in ([], ["--overwrite"]):
        assert run(name, *words(line, files, out), *more) == 2
        (text,) = capsys.readouterr().err.splitlines()
        assert all(str(path) in text for path in files)
        assert str(out) in text
        assert listing(out) == {}


@pytest.mark.parametrize("name", shared_first(MANY_WRITERS))
def test_an_input_given_twice_is_done_once(name, taken, out, capsys):
    line = many_line(name)
    source = taken(name, line)
    assert run(name, *words(line, [source, source], out)) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == len(set(printed)) == len(listing(out))


# --- defaults from the environment ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "line"), shared_first(case for case in WRITERS if "FILE" in case[1]))
def test_a_directory_in_the_environment_does_not_hinder_o(name, line, taken, tmp_path, out, monkeypatch, capsys):
    monkeypatch.setenv("RT_OUTDIR", str(tmp_path / "elsewhere"))
    tables = dict.fromkeys(("catalog", "multiband", "refcat", *OF_GW), "parquet") | {"gw stack": "asdf"}
    images = dict.fromkeys(("fits", *OF_JWST, *OF_CUBES), "fits")
    made = {name: extension_of(step_of(name, "jwst").suffix) for name in OF_PRODUCTS}
    made |= dict.fromkeys(("table", "match", "phot", "psf"), "ecsv") | {"view": "png", "report": "html"}
    extension = {**images, **made, **tables}.get(name, "asdf")
    line = re.sub(r"-o \S+|--outdir \S+", f"-o DIR/x.{extension}", line)
    assert run(name, *words(line, taken(name, line), out)) == 0
    assert (out / f"x.{extension}").exists()
    assert not (tmp_path / "elsewhere").exists()


def test_what_is_typed_counts_where_the_environment_says_something_that_does_not_go_with_it(
    taken,
    tmp_path,
    monkeypatch,
    capsys,
):
    cal = taken("info", "FILE")
    monkeypatch.setenv("RT_JSON", "1")
    for name, *args in (("name", "--field", "program", NAME), ("get", "--tsv", "exposure.type", cal)):
        assert run(name, *args) == 0
        assert "{" not in capsys.readouterr().out
    assert run("name", "--json", "--field", "program", NAME) == 2
    assert run("get", "exposure.type", cal) == 0
    assert json.loads(capsys.readouterr().out)["file"] == str(cal)
    monkeypatch.setenv("RT_QUIET", "1")
    assert run("info", cal, "-v", "--show-config") == 0
    settings = tmp_path / "rt.toml"
    settings.write_text(f"outdir = '{tmp_path}/config'\n")
    assert run("cut", cal, "--section", "0:9,0:9", "-o", tmp_path / "x.asdf", "--config", settings) == 0
    assert not (tmp_path / "config").exists()
