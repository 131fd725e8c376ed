"""Configuration files: every word of them is obeyed, or refused with the nearest that is known."""

import os
import re
import tomllib

import pytest

from rtools.commands.kit.tools import command_of
from tests.support.kit import TOOLS, WORKING, run
from tests.support.runs import ROOT, records, tool

RAW = f"{ROOT}_wfi01_f158_uncal.asdf"


@pytest.fixture
def config(tmp_path, monkeypatch):
    """``config(text)``: the path of a configuration file in the directory where the test is."""
    monkeypatch.chdir(tmp_path)

    def write(text):
        (tmp_path / "c.toml").write_text(text)
        return "c.toml"

    return write


def options_of(capsys, *args):
    """Options of each step of a planned run."""
    capsys.readouterr()
    assert tool(*args, "--dry-run", "--json", "-q") == 0
    return {step["step"]: step["options"] for step in records(capsys.readouterr().out)[0]["steps"]}


def test_threshold_in_a_table_of_the_step_has_its_effect(config, product, capsys):
    path = config("[rampfit]\nthreshold = 5\n[tweakreg]\nabs_minobj = 7\n")
    raw = product("uncal")
    assert options_of(capsys, "run", raw, "--outdir", "o", "--config", path)["rampfit"]["threshold"] == 5.0
    assert options_of(capsys, "run", raw, "--outdir", "o", "--config", path)["tweakreg"]["minobj"] == 7
    ramp = product("linearity")
    assert options_of(capsys, "rampfit", ramp, "--outdir", "o", "--config", path)["rampfit"]["threshold"] == 5.0


def test_set_and_tables_of_tools_count_more_than_a_table_of_the_step(config, product, capsys):
    step = "[rampfit]\nthreshold = 5\n[flat]\nvar-flat = true\n"
    line = ("run", product("uncal"), "--outdir", "o", "--config", config(step))
    found = options_of(capsys, *line, "--set", "rampfit.threshold=6")
    assert (found["rampfit"]["threshold"], found["flat"]["var_flat"]) == (6.0, True)
    config(step + '[rt-run]\nset = "rampfit.threshold=7"\n[rt-rampfit]\nthreshold = 8\n')
    assert options_of(capsys, *line)["rampfit"]["threshold"] == 7.0
    own = ("rampfit", product("linearity"), "--outdir", "o", "--config", "c.toml")
    assert options_of(capsys, *own)["rampfit"]["threshold"] == 8.0
    assert options_of(capsys, *own, "--threshold", "9")["rampfit"]["threshold"] == 9.0


def test_a_table_of_a_mission_counts_more_than_that_of_the_step(config, product, capsys):
    path = config("[rampfit]\nthreshold = 5\n[roman.rampfit]\nthreshold = 6\n")
    line = ("rampfit", product("linearity"), "--outdir", "o", "--config", path)
    assert options_of(capsys, *line)["rampfit"]["threshold"] == 6.0
    line = ("run", product("uncal"), "--outdir", "o", "--config", path)
    assert options_of(capsys, *line)["rampfit"]["threshold"] == 6.0
    assert tool("run", "x.asdf", "--config", path, "--show-config") == 0
    assert "[roman.rampfit]\nthreshold = 6" in capsys.readouterr().out


def test_what_environment_or_command_line_say_counts_more_than_the_file(config, product, capsys, monkeypatch):
    path = config('threshold = 5\nrefcat = "top.parquet"\n[tweakreg]\nrefcat = "gaia"\n')
    line = ("rampfit", product("linearity"), "--outdir", "o", "--config", path)
    assert options_of(capsys, *line)["rampfit"]["threshold"] == 5.0
    monkeypatch.setenv("RT_THRESHOLD", "6")
    assert options_of(capsys, *line)["rampfit"]["threshold"] == 6.0
    assert options_of(capsys, *line, "--threshold", "7")["rampfit"]["threshold"] == 7.0
    run = ("run", product("uncal"), "--outdir", "o", "--config", path)
    assert options_of(capsys, *run)["tweakreg"]["refcat"] == "gaia"
    assert tool(*run, "--dry-run", "--refcat", "none.parquet") == 3  # it counts, and is not there


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[rampfitt]\nthreshold = 5", "[rampfitt]: no tool or step is called so; did you mean [rampfit]?"),
        ("[rampfit]\ntreshold = 5", "[rampfit]: rt-rampfit has no step option treshold; did you mean threshold?"),
        ("[rt-rn]\njobs = 1", "did you mean [rt-run]?"),
        ("[cut]\nsky = '1,2,3'", "did you mean [rt-cut]?"),
        ("[rt-cut]\nsectoin = '0:9,0:9'", "[rt-cut]: rt-cut has no option sectoin; did you mean section?"),
        ("[rt-refcat.mke]\nrows = 5", "[rt-refcat.mke]: rt-refcat has no such table; did you mean make?"),
        ("[rt-refs.make]\nelemnt = 'F158'", "[rt-refs.make]: rt-refs make has no option elemnt; did you mean element?"),
        ("remote = 3", "remote: a table expected, [remote]"),
        ("[remot]\ntimeout = 3", "did you mean [remote]?"),
        ("[remote]\ncache-sise = '1G'", "[remote]: no such setting cache-sise; did you mean cache-size?"),
        ("[remote]\ncache-size = 'much'", '[remote] cache-size: a size is a number with K, M, G or T, not "much"'),
        ("[remote]\ncache-dir = 3", "[remote] cache-dir: the name of a directory is needed, not 3"),
        ("[remote]\ntimeout = '3'", '[remote] timeout: a number of seconds is needed, not "3"'),
        ("[remote]\ntimeout = 0", "[remote] timeout: a number of seconds is needed, not 0"),
        ("[remote]\ncache_dir = 'a'\ncache-dir = 'b'", "[remote] cache-dir: given twice"),
        ("job = 3", "no tool has an option job; did you mean jobs?"),
        ("config = 'x'", "no tool has an option config"),
        ("in-place = true", "in-place: not for all tools; put it into a table, as [rt-set]"),
        ("rt-run = 3", "rt-run: a table expected, [rt-run]"),
        ("jobs = '3'", 'jobs: a whole number expected, not "3"'),
        ("jobs = 1.5", "jobs: a whole number expected, not 1.5"),
        ("seed = true", "seed: a whole number expected, not true"),
        ("[rampfit]\nthreshold = '5'", '[rampfit] threshold: a number expected, not "5"'),
        ("[rampfit]\nthreshold = -1", "rampfit.threshold=-1.0: at least 0.0 expected"),
        ("[flat]\nvar-flat = 1", "[flat] var-flat: true or false expected, not 1"),
        ("[rt-run]\ncompression = 'lzma'", "[rt-run] compression: 'lzma' is not one of 'lz4', 'zlib', 'none'"),
        ("[rt-run]\nskip = [1]", "[rt-run] skip: a text in quotes expected, not 1"),
        ("[rt-point]\nquaternion = [0, 0, 1]", "[rt-point] quaternion: a list of 4 values expected, not [0, 0, 1]"),
        ("[rt-sim]\nsize = 100", "[rt-sim] size: 100 is not in the range 256<=x<=4096"),
        ("[rt-run]\nsave_steps = true\nsave-steps = false", "[rt-run] save-steps: given twice"),
        ("[rampfit]\nthreshold = 5\n[ramp_fit]\nthreshold = 6", "[ramp_fit] threshold: given twice"),
    ],
)
def test_a_word_that_means_nothing_is_exit_2_with_the_nearest_in_every_tool(config, text, said, capsys):
    path = config(text)
    for name in ("run", "info"):
        assert tool(name, RAW, "--config", path) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"rt-{name}: c.toml: ")
        assert said in line


@pytest.mark.slow
def test_a_file_of_all_tools_serves_each(config, capsys):
    path = config(
        "jobs = 2\nscene-seed = 3\ndate = 2027-03-01T00:00:00\n"
        "[rt-cut]\nsection = '0:9,0:9'\n[rampfit]\nthreshold = 5\n"
        "[resample]\npixfrac = 0.8\n[rt-refcat]\nlimit = 20\n[rt-refcat.download]\nmargin = 30\n"
    )
    shown = {}
    for name in sorted(set(WORKING) - {"refcat", "refs"}):
        assert run(name, "a", "b", "--config", path, "--show-config") == 0
        text = capsys.readouterr().out
        shown[name] = tomllib.loads(text)
    assert shown["resample"]["rt-resample"] == {"pixfrac": 0.8, "jobs": 2}
    assert shown["cut"]["rt-cut"] == {"section": "0:9,0:9", "jobs": 2}
    assert shown["sim"]["rt-sim"] == {"scene-seed": 3, "date": "2027-03-01T00:00:00", "jobs": 2}
    assert shown["run"] == {
        "rt-run": {"jobs": 2},
        "rampfit": {"threshold": 5.0},
        "resample": {"pixfrac": 0.8},
    }
    assert tool("refcat", "make", "a", "-o", "b", "--config", path, "--show-config") == 0
    assert tomllib.loads(capsys.readouterr().out)["rt-refcat"] == {"make": {"limit": 20.0, "output": "b"}}
    args = ("--cone", "1,2,0.1", "-o", "b", "--config", path, "--show-config", "-q")
    assert tool("refcat", "download", *args) == 0
    download = tomllib.loads(capsys.readouterr().out)["rt-refcat"]["download"]
    assert (download["limit"], download["margin"]) == (20.0, 30.0)


def test_what_is_shown_can_be_read_back_and_says_where_each_value_is_from(config, tmp_path, monkeypatch, capsys):
    path = config('profile = "1.5.0"\n[rampfit]\nthreshold = 5\n[rt-run]\nskip = ["dark", "flat"]\n')
    monkeypatch.setenv("RT_OUTDIR", 'a "b" \\ ß')
    line = ("run", RAW, "-j", "2", "--set", "flat.var-flat=true", "--show-config")
    assert tool(*line, "--config", path) == 0
    first = capsys.readouterr().out
    for said in (
        "jobs = 2  # command line",
        'profile = "1.5.0"  # config file c.toml',
        '  # environment RT_OUTDIR',
        "# max-memory is not set  # default",
        "# refdir is not set  # default",
        "threshold = 5.0  # config file c.toml",
    ):  # fmt: skip
        assert said in first
    monkeypatch.delenv("RT_OUTDIR")
    (tmp_path / "back.toml").write_text(first)
    assert tool("run", RAW, "--config", "back.toml", "--show-config") == 0
    second = capsys.readouterr().out
    assert [re.sub("  # .*", "", text) for text in second.splitlines()] == [
        re.sub("  # .*", "", text) for text in first.splitlines()
    ]
    assert tomllib.loads(second)["rt-run"]["outdir"] == 'a "b" \\ ß'


@pytest.mark.parametrize("name", TOOLS)
def test_every_option_can_be_set_by_the_word_that_is_shown(name, config, capsys):
    """Of each option its default, or some value, is read back as what it was."""
    from rtools.commands.kit import config as module
    from rtools.commands.kit.config_shown import long_names

    command = command_of(name)
    for one in [command, *getattr(command, "commands", {}).values()]:
        for word, param in long_names(one).items():
            if word not in module.UNWRITTEN:
                assert module._options(one)[word.replace("_", "-")] is param


def test_dry_run_shows_options_that_are_not_as_by_default(config, product, capsys):
    path = config("jobs = 2\n[rampfit]\nthreshold = 5\n")
    line = ("run", product("uncal"), "--outdir", "o", "--config", path, "--dry-run")
    assert tool(*line, "--set", "flat.var-flat=true") == 0
    captured = capsys.readouterr()
    shown = {text.split()[0]: text for text in captured.out.splitlines() if text.startswith("  ")}
    assert shown["rampfit"].endswith("  threshold=5.0")
    assert shown["flat"].endswith("  var-flat=true") or shown["flat"].endswith("  var-flat=True")
    assert "=" not in shown["catalog"].replace("epsf=", "").replace("apcorr=", "")
    assert "rt-run: jobs = 2, config file c.toml" in captured.err.splitlines()


def test_a_table_of_a_step_that_is_done_is_no_warning(config, product, capsys):
    path = config("[rampfit]\nthreshold = 5\n")
    line = ("run", product("cal"), "--outdir", "o", "--dry-run")
    assert tool(*line, "--config", path) == 0
    assert "changes nothing" not in capsys.readouterr().out
    assert tool(*line, "--set", "rampfit.threshold=5") == 0
    assert "changes nothing" in capsys.readouterr().out


def test_debug_in_the_file_shows_tracebacks(config, capsys):
    assert tool("run", "none_cal.asdf", "--config", config("debug = true")) == 3
    assert "Traceback" in capsys.readouterr().err


def test_the_cache_of_copies_is_as_the_file_says_until_the_command_ends(config, monkeypatch, capsys):
    from rtools.remote import cache, faults, settings

    for setting in settings.SETTINGS.values():
        monkeypatch.delenv(setting.variable, raising=False)
    seen = {}

    def look(*_args):
        seen.update(limit=cache.limit(), root=cache.root(), timeout=faults.timeout())

    monkeypatch.setattr("rtools.commands.kit.tool.print_config", look)
    path = config('[remote]\ncache_size = "2G"\ncache-dir = "copies"\ntimeout = 3\n')
    assert tool("info", RAW, "--config", path, "--show-config") == 0
    assert (seen["limit"], str(seen["root"]), seen["timeout"]) == (2 << 30, os.path.abspath("copies"), 3.0)
    assert (cache.limit(), faults.timeout()) == (10 << 30, 15.0)
    monkeypatch.setenv("RT_CACHE_SIZE", "3G")
    assert tool("info", RAW, "--config", path, "--show-config") == 0
    assert (seen["limit"], seen["timeout"]) == (3 << 30, 3.0)


def test_what_counts_for_files_elsewhere_is_shown_with_its_origin(config, monkeypatch, capsys):
    monkeypatch.setenv("RT_CACHE_DIR", "/scratch")
    monkeypatch.setenv("RT_REMOTE_TIMEOUT", "7")
    assert tool("info", RAW, "--config", config('[remote]\ncache-size = "2G"\n'), "--show-config") == 0
    shown = capsys.readouterr().out
    for line in ('cache-size = "2G"  # config file c.toml', 'cache-dir = "/scratch"  # environment RT_CACHE_DIR',
                 "timeout = 7.0  # environment RT_REMOTE_TIMEOUT"):  # fmt: skip
        assert line in shown.splitlines()
    for name in ("RT_CACHE_DIR", "RT_REMOTE_TIMEOUT"):
        monkeypatch.delenv(name)
    assert tool("info", RAW, "--config", config(shown), "--show-config") == 0
    assert tomllib.loads(capsys.readouterr().out)["remote"] == tomllib.loads(shown)["remote"]
    assert tool("info", RAW, "--show-config") == 0
    assert "\n# [remote]\n" in capsys.readouterr().out
