"""Promises that every tool keeps, one parametrised test each."""

import subprocess
import sys

import pytest

from rtools.commands import common
from rtools.commands.rt import GROUPS, command_of

TOOLS = sorted(name for group in GROUPS.values() for name in group)
STEPS = sorted(GROUPS["exposure"])
READERS = [*STEPS, "run"]

HEAVY = ("numba", "scipy", "asdf", "astropy", "gwcs", "matplotlib", "pyarrow")


def run(name, *args):
    return common.run(command_of(name), list(map(str, args)))


@pytest.mark.parametrize("name", TOOLS)
def test_help_begins_with_usage_and_two_examples(name, capsys):
    assert run(name, "--help") == 0
    text = capsys.readouterr().out
    assert text.startswith(f"Usage: rt-{name}")
    before_options = text.split("Options:")[0]
    assert before_options.split("Examples:")[1].count(f"rt-{name}") >= 2


@pytest.mark.parametrize("name", TOOLS)
def test_help_loads_nothing_heavy(name):
    code = f"import sys\nfrom rtools.commands.rt import command_of\ncommand_of({name!r})\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not set(HEAVY) & set(loaded)


@pytest.mark.parametrize("name", TOOLS)
def test_version(name, capsys):
    assert run(name, "-V") == 0
    assert capsys.readouterr().out.startswith(f"rt-{name} (rtools)")


@pytest.mark.parametrize("name", TOOLS)
def test_unknown_option_is_a_usage_error(name, capsys):
    assert run(name, "--no-such-option") == 2
    assert "no-such-option" in capsys.readouterr().err


@pytest.mark.parametrize("name", STEPS)
def test_no_arguments_print_help_on_stderr(name, capsys):
    assert run(name) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Usage" in captured.err


@pytest.mark.parametrize("name", READERS)
def test_missing_file_is_exit_3_and_one_line(name, tmp_path, capsys):
    assert run(name, tmp_path / "none_uncal.asdf") == 3
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"rt-{name}: {tmp_path}/none_uncal.asdf: ")


BAD_FILES = {
    "empty": b"",
    "text": b"this is no ASDF file\n" * 20,
    "truncated header": b"#ASDF 1.0.0\n#ASDF_STANDARD 1.6.0\n%YAML 1.1\n--- !core/asdf-1.1.0\nroman: {meta: {",
    "other tree": b"#ASDF 1.0.0\n#ASDF_STANDARD 1.6.0\n%YAML 1.1\n--- \nfoo: 1\n...\n",
}


@pytest.mark.parametrize("kind", BAD_FILES)
@pytest.mark.parametrize("name", READERS)
def test_bad_file_is_exit_3_one_line_and_nothing_written(name, kind, tmp_path, capsys):
    path = tmp_path / "bad_uncal.asdf"
    path.write_bytes(BAD_FILES[kind])
    assert run(name, path) == 3
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert [found.name for found in tmp_path.iterdir()] == ["bad_uncal.asdf"]


@pytest.mark.parametrize("name", READERS)
def test_directory_for_a_file_is_exit_3(name, tmp_path, capsys):
    assert run(name, tmp_path) == 3
    assert "directory" in capsys.readouterr().err


def test_rt_lists_every_tool(capsys):
    with pytest.raises(SystemExit) as end:
        from rtools.commands import rt

        rt.main(["--help"])
    assert end.value.code == 0
    listed = capsys.readouterr().out
    assert all(f"rt-{name} " in listed for name in TOOLS)


def test_rt_takes_aliases_and_refuses_what_is_not_there(capsys):
    from rtools.commands import rt

    with pytest.raises(SystemExit) as end:
        rt.main(["darkcurrent", "--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("rt-dark ")
    with pytest.raises(SystemExit) as end:
        rt.main(["nosuch"])
    assert end.value.code == 2
