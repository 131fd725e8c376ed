"""rt itself: the list of tools, help, doctor, compile."""

import importlib.util
import json
import os
import tomllib

import numpy as np
import pytest

from rtools import machine
from rtools.commands import rt
from rtools.commands.kit import compiling, condition, condition_settings
from rtools.commands.kit.surroundings import PLACES, settle_places
from rtools.commands.kit.tools import OF_RT, command_of
from rtools.reference.lock import Lock, LockedFile, write_lock
from tests.support.places import ROOT
from tests.support.small_files import write


def said_by(capsys, *words):
    """Exit status, standard output and error of rt."""
    with pytest.raises(SystemExit) as end:
        rt.main(list(words))
    told = capsys.readouterr()
    return end.value.code, told.out, told.err


def test_help_of_a_tool_in_three_ways(capsys):
    expected = said_by(capsys, "stat", "--help")
    assert expected[0] == 0
    assert "rt-stat X_cal.asdf" in expected[1]
    assert said_by(capsys, "help", "stat") == said_by(capsys, "help", "rt-stat") == expected
    assert said_by(capsys, "help", "refs", "check")[1].startswith("Usage: rt-refs check ")
    assert said_by(capsys, "help", "doctor")[1].startswith("Usage: rt doctor ")


def test_help_alone_lists_the_tools_and_what_is_about_the_installation(capsys):
    status, out, _err = said_by(capsys, "help")
    assert status == 0
    assert out == said_by(capsys, "--help")[1]
    assert all(f"  rt {name} " in out for name in OF_RT)


def test_help_of_no_tool_is_exit_2_and_names_near_ones(capsys):
    status, _out, err = said_by(capsys, "help", "stt")
    assert (status, err.count("\n")) == (2, 1)
    assert "rt-stat" in err


# -- doctor -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def surroundings(monkeypatch, tmp_path):
    """An environment without settings of rtools, in a directory of its own."""
    for name in [name for name in os.environ if name.startswith(("RT_", "CRDS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def looks(capsys, status=0):
    """What rt doctor says, by what it looked at."""
    code, out, err = said_by(capsys, "doctor", "--json")
    assert (code, err) == (status, "")
    return {(one["about"], one["verdict"]): one for one in json.loads(out)}


def test_doctor_finds_a_sound_installation(surroundings, capsys, tmp_path):
    found = looks(capsys)
    assert not [about for about, verdict in found if verdict == "bad"]
    assert "numpy" in found["libraries", "ok"]["found"]
    assert "built-in" in found["references", "note"]["found"]
    assert list(tmp_path.iterdir()) == []  # nothing is left of looking whether files can be written
    code, out, _err = said_by(capsys, "doctor")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80


def test_doctor_names_what_is_wrong_and_what_to_do(surroundings, capsys, tmp_path):
    surroundings.setenv("RT_REFDIR", str(tmp_path / "nowhere"))
    surroundings.setenv("RT_REFCAT", str(tmp_path / "none.parquet"))
    surroundings.setenv("RT_JBOS", "2")
    surroundings.setattr(condition, "memory_available", lambda: 2**30)
    found = looks(capsys, status=1)
    for about in ("references", "reference catalog", "memory"):
        assert found[about, "bad"]["todo"], about
    assert "RT_JBOS" in found["environment", "note"]["found"]


def test_doctor_tells_no_secrets_of_names(surroundings, capsys):
    """What it prints is meant for reports of faults."""
    surroundings.setenv("RT_REFDIR", "https://me:SECRET@host/refs?token=SECRET")
    code, out, err = said_by(capsys, "doctor")
    assert code == 1
    assert "https://host/refs" in out
    assert "SECRET" not in out + err


def test_doctor_looks_into_the_directory_of_references(surroundings, capsys, tmp_path):
    (tmp_path / "refs").mkdir()
    surroundings.setenv("RT_REFDIR", str(tmp_path / "refs"))
    assert "0 files" in looks(capsys)["references", "note"]["found"]


def test_doctor_takes_settings_as_the_tools_do(surroundings, capsys, tmp_path):
    """The archive of Gaia and a file in a bucket were called missing, and variables of buckets unknown."""
    find = importlib.util.find_spec
    surroundings.setattr(condition_settings.importlib.util, "find_spec", lambda name: name and find("json"))
    surroundings.setenv("RT_S3_ANON", "1")
    surroundings.setenv("RT_GS_ANON", "0")
    surroundings.setenv("RT_JOBS", "0")
    for said in ("gaia", "s3://b/gaia.parquet"):
        surroundings.setenv("RT_REFCAT", said)
        found = looks(capsys)
        assert said in found["reference catalog", "ok"]["found"]
        assert ("environment", "note") not in found
        assert "-j is all" in found["cores", "ok"]["found"]
    surroundings.setattr(condition_settings.importlib.util, "find_spec", lambda name: None)
    surroundings.setenv("RT_REFCAT", "gaia")
    assert "[gaia]" in looks(capsys, status=1)["reference catalog", "bad"]["todo"]


@pytest.mark.parametrize(
    ("name", "value"), [("RT_JOBS", "many"), ("RT_CACHE_SIZE", "lots"), ("RT_REMOTE_TIMEOUT", "-1"), ("RT_FRAME", "l3")]
)
def test_doctor_tells_values_that_are_none(name, value, surroundings, capsys):
    surroundings.setenv(name, value)
    assert f"{name}={value}: " in looks(capsys, status=1)["environment", "bad"]["found"]


def test_doctor_misses_files_that_a_lock_and_a_directory_of_maps_must_have(surroundings, capsys, tmp_path):
    write_lock(tmp_path, Lock({"x.asdf": LockedFile("dark", 1, "0" * 64)}))
    surroundings.setenv("RT_REFDIR", str(tmp_path))
    surroundings.setenv("RT_DUST_MAPS", str(tmp_path))
    found = looks(capsys, status=1)
    assert "1 locked, 1 of them not there" in found["references", "bad"]["found"]
    assert "ngp" in found["dust maps", "bad"]["found"]


def test_doctor_knows_all_extras():
    with open(ROOT / "pyproject.toml", "rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    assert condition.EXTRAS.keys() == extras.keys() - {"test"}


# -- compile ----------------------------------------------------------------------------------------------------------


def test_compile_runs_its_jobs_quietly_and_counts_kernels(monkeypatch, tmp_path, capsys):
    image = write(tmp_path / "x_cal.asdf", "l2_image", {"data": np.ones((8, 8), "f4")})
    monkeypatch.setattr(compiling, "JOBS", (("stat", "--array", "data", str(image)),))
    status, out, err = said_by(capsys, "compile")
    assert (status, err) == (0, "")
    count = len(compiling.all_kernels())
    assert count > 100
    assert f"of {count} kernels are kept" in out
    assert out.count("\n") == 1


@pytest.mark.slow
def test_compile_does_not_mind_the_settings_of_the_user(monkeypatch, tmp_path, capsys):
    """A job failed, or wrote among the files of the user."""
    for name, value in {"RT_REFDIR": "nowhere", "RT_OUTDIR": str(tmp_path), "RT_SIZE": "x",
                        "CRDS_PATH": "nowhere", "RT_LOG_JSON": str(tmp_path / "log")}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    name = "r0000101001001001001_0001_wfi01_f158"
    jobs = (("sim", f"{name}_uncal.asdf", "--size", "256", "--read-pattern", "1;2"),
            ("dqinit", f"{name}_uncal.asdf"), ("info", f"{name}_dqinit.asdf"))  # fmt: skip
    monkeypatch.setattr(compiling, "JOBS", jobs)
    status, _out, err = said_by(capsys, "compile")
    assert (status, err) == (0, "")
    assert not list(tmp_path.iterdir())
    assert os.environ["RT_REFDIR"] == "nowhere"


def test_places_that_the_environment_names_are_settled_where_a_process_begins(monkeypatch, tmp_path):
    """A worker, and a tool that works in a directory of its own, looked for them there."""
    for name in PLACES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "refs").mkdir()
    for name, said in {"RT_CACHE_DIR": "a/copies", "NUMBA_CACHE_DIR": "kernels", "RT_REFDIR": "refs",
                       "RT_REFCAT": "gaia", "RT_CONFIG": "s3://b/c.toml", "XDG_CACHE_HOME": "~/c"}.items():  # fmt: skip
        monkeypatch.setenv(name, said)
    settle_places()
    found = {name: os.environ.get(name) for name in PLACES}
    assert {name: said for name, said in found.items() if said} == {
        "RT_CACHE_DIR": f"{tmp_path}/a/copies", "NUMBA_CACHE_DIR": f"{tmp_path}/kernels",
        "RT_REFDIR": f"{tmp_path}/refs", "RT_REFCAT": "gaia", "RT_CONFIG": "s3://b/c.toml", "XDG_CACHE_HOME": "~/c",
    }  # fmt: skip


def test_compile_says_which_job_failed(monkeypatch, capsys):
    monkeypatch.setattr(compiling, "JOBS", (("info", "nowhere.asdf"),))
    status, out, err = said_by(capsys, "compile")
    assert (status, out) == (1, "")
    assert "rt-info ended with exit status 3: " in err
    assert "no such file" in err


def test_jobs_of_compile_are_valid_command_lines():
    """The jobs themselves take a minute, and are done in tests of the longest kind."""
    for name, *words in compiling.JOBS:
        command = command_of(name)
        if hasattr(command, "commands"):
            command, words = command.commands[words[0]], words[1:]
        command.make_context(name, [*words, "-q"])


@pytest.mark.long
def test_compile_reaches_nearly_all_kernels(capsys):
    status, _out, err = said_by(capsys, "compile", "-v")
    assert status == 0, err
    missed = [line for line in err.splitlines() if "not reached" in line]
    assert len(missed) <= 5, missed


# -- the machine ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "expected"), [("max 100000", 8), ("250000 100000", 3), ("50000 100000", 1)])
def test_cores_are_those_that_a_container_may_use(limit, expected, monkeypatch, tmp_path):
    (tmp_path / "cpu.max").write_text(f"{limit}\n")
    monkeypatch.setattr(machine, "CORE_LIMIT", str(tmp_path / "cpu.max"))
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert machine.cores() == expected


GB = 10**9

GROUPS = {
    "version 2": ("0::/a/b\n", {"a/memory.max": f"{4 * GB}", "a/memory.current": f"{3 * GB}",
                                "a/memory.stat": f"anon 1\ninactive_file {GB // 2}\n", "a/b/memory.max": "max"}),
    "version 1": ("4:memory:/a/b\n1:cpu:/\n0::/\n", {
        "memory/a/memory.limit_in_bytes": f"{4 * GB}", "memory/a/memory.usage_in_bytes": f"{3 * GB}",
        "memory/a/memory.stat": f"total_inactive_file {GB // 2}\n",
        "memory/a/b/memory.limit_in_bytes": f"{2**63 - 4096}"}),
    "its own root": ("0::/\n", {"memory.max": f"{4 * GB}", "memory.current": f"{3 * GB}",
                                "memory.stat": f"inactive_file {GB // 2}\n"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", GROUPS)
def test_memory_is_what_is_left_of_the_limit_of_a_container(kind, monkeypatch, tmp_path):
    """The limit itself was called free, and limits of groups below the root were not seen."""
    groups, files = GROUPS[kind]
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "groups").write_text(groups)
    monkeypatch.setattr(machine, "GROUP_ROOT", str(tmp_path))
    monkeypatch.setattr(machine, "GROUPS", str(tmp_path / "groups"))
    monkeypatch.setattr(machine.os, "sysconf", lambda _name: 10**6)
    assert machine.memory_of_machine() == 4 * GB
    assert 0 < machine.memory_available() <= 4 * GB - 3 * GB + GB // 2


def test_a_user_without_a_home_has_a_cache_that_nobody_can_make(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(machine.Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    with pytest.raises(OSError):
        machine.cache_home().mkdir(parents=True)


# -- several values with commas ---------------------------------------------------------------------------------------


def test_steps_to_skip_may_stand_with_commas(raw, capsys):
    for words in (("--skip", "dark,flat"), ("--skip", "dark", "--skip", "flat")):
        with pytest.raises(SystemExit):
            rt.main(["run", str(raw), *words, "--dry-run", "--json"])
        told = json.loads(capsys.readouterr().out)
        assert not {"dark", "flat"} & set(map(str, told["steps"])), told
