"""Completion in bash, zsh and fish."""

import os
import shutil
import subprocess

import pytest
from kit_case import TOOLS, path_of_tools  # noqa: F401

from rtools.commands import completion
from rtools.commands.rt import command_of

SHELLS = ("bash", "zsh", "fish")


def test_scripts_define_every_tool():
    for shell in SHELLS:
        text = completion.script(shell)
        assert all(f"rt-{name}\n" in text or f"rt-{name} " in text or f"rt-{name};" in text for name in TOOLS)


@pytest.mark.parametrize("shell", SHELLS)
def test_shells_accept_their_scripts(shell, tmp_path):
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    path = tmp_path / "script"
    path.write_text(completion.script(shell))
    assert subprocess.run([shell, "-n", path], capture_output=True, check=True).stderr == b""


def asked(command, line, monkeypatch, capsys, shell="bash"):
    """What a tool proposes for the last word of a line."""
    words = line.split(" ")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", words[-1] if shell == "fish" else str(len(words) - 1))
    monkeypatch.setenv(completion.VARIABLE, f"{shell}_complete")
    assert completion.answer(command) == 0
    return capsys.readouterr().out.splitlines()


def test_tools_options_values_and_files(monkeypatch, capsys):
    rt = completion.Kit("rt")
    run = command_of("run")
    assert asked(rt, "rt ref", monkeypatch, capsys) == ["plain,refs", "plain,refpix"]
    assert asked(rt, "rt refs ch", monkeypatch, capsys) == ["plain,check"]
    assert asked(rt, "rt rt-run --ski", monkeypatch, capsys) == ["plain,--skip"]
    assert asked(rt, "rt completion z", monkeypatch, capsys) == ["plain,zsh"]
    assert asked(run, "rt-run --until x --sk", monkeypatch, capsys) == ["plain,--skip"]
    assert asked(run, "rt-run --compression l", monkeypatch, capsys) == ["plain,lz4"]
    assert asked(run, "rt-run X_unc", monkeypatch, capsys) == ["file,X_unc"]
    assert asked(run, "rt-run --outdir ", monkeypatch, capsys) == ["file,"]
    assert asked(run, "rt-run -o a b", monkeypatch, capsys) == ["file,b"]


def test_other_shells_ask_in_their_way(monkeypatch, capsys):
    run = command_of("run")
    assert asked(run, "rt-run --sk", monkeypatch, capsys, "fish")[0].startswith("plain,--skip\t")
    assert asked(run, "rt-run --sk", monkeypatch, capsys, "zsh")[:2] == ["plain", "--skip"]


def test_bash_completes(path_of_tools):  # noqa: F811
    ask = """
    eval "$(rt completion bash)"
    COMP_WORDS=(rt-run --skip dark --tim) COMP_CWORD=3
    $(complete -p rt-run | sed 's/.*-F \\([^ ]*\\) .*/\\1/') rt-run
    echo "${COMPREPLY[@]}"
    """
    environment = {**os.environ, "PATH": f"{path_of_tools}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", ask], env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("--timings\n", "")


def test_unknown_shell_is_a_usage_error(capsys):
    from rtools.commands import rt

    for words, said in (([], "Usage: rt completion"), (["tcsh"], "rt completion: ")):
        with pytest.raises(SystemExit) as end:
            rt.main(["completion", *words])
        assert end.value.code == 2
        assert capsys.readouterr().err.startswith(said)
