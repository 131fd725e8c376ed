"""Completion in bash, zsh and fish."""

import os
import pty
import re
import select
import shutil
import subprocess
import time

import numpy as np
import pytest

from rtools.commands import completion
from rtools.commands.kit import complete
from rtools.commands.kit.tools import command_of
from tests.support.kit import TOOLS
from tests.support.small_files import write

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
    monkeypatch.setenv(complete.VARIABLE, f"{shell}_complete")
    assert complete.answer(command) == 0
    return capsys.readouterr().out.splitlines()


def test_tools_options_values_and_files(monkeypatch, capsys):
    rt = completion.Kit("rt")
    run = command_of("run")
    assert asked(rt, "rt ref", monkeypatch, capsys) == ["plain,refs", "plain,refcat", "plain,refpix"]
    assert asked(rt, "rt refs ch", monkeypatch, capsys) == ["plain,check"]
    assert asked(rt, "rt gw mea", monkeypatch, capsys) == ["plain,measure"]
    assert asked(command_of("gw"), "rt-gw spectrum --show b", monkeypatch, capsys) == ["plain,bands"]
    assert asked(command_of("gw"), "rt-gw info X_", monkeypatch, capsys) == ["file,X_"]
    assert asked(rt, "rt rt-run --ski", monkeypatch, capsys) == ["plain,--skip"]
    assert asked(rt, "rt completion z", monkeypatch, capsys) == ["plain,zsh"]
    assert asked(run, "rt-run --until x --ski", monkeypatch, capsys) == ["plain,--skip"]
    assert asked(run, "rt-run --compression l", monkeypatch, capsys) == ["plain,lz4"]
    assert asked(run, "rt-run X_unc", monkeypatch, capsys) == ["file,X_unc"]
    assert asked(run, "rt-run --outdir ", monkeypatch, capsys) == ["file,"]
    assert asked(run, "rt-run -o a b", monkeypatch, capsys) == ["file,b"]
    assert asked(rt, "rt doc", monkeypatch, capsys) == ["plain,doctor"]
    assert asked(rt, "rt help refs ch", monkeypatch, capsys) == ["plain,check"]


def test_values_of_options(tmp_path, monkeypatch, capsys):
    run, stat = command_of("run"), command_of("stat")
    image = write(
        tmp_path / "x_cal.asdf", "l2_image", {"data": np.ones((2, 2), "f4"), "var_poisson": np.ones((2, 2), "f2")}
    )
    for command, line, proposed in (
        (run, "rt-run --skip dark,fl", ["dark,flat", "dark,flux"]),
        (run, "rt-run --set rampfit.threshold-i", ["rampfit.threshold-intercept="]),
        (run, "rt-run --ref gai", ["gain="]),
        (stat, "rt-stat --dq DO_NOT_USE,JU", ["DO_NOT_USE,JUMP_DET"]),
        (stat, f"rt-stat {image} --array data,var_p", ["data,var_poisson"]),
    ):
        assert asked(command, line, monkeypatch, capsys) == [f"plain,{word}" for word in proposed], line
    for line in ("rt-stat nowhere.asdf --array var_p", "rt-stat --array var_p"):
        assert asked(stat, line, monkeypatch, capsys) == ["file,var_p"]


def test_other_shells_ask_in_their_way(monkeypatch, capsys):
    run = command_of("run")
    assert asked(run, "rt-run --sk", monkeypatch, capsys, "fish")[0].startswith("plain,--skip\t")
    assert asked(run, "rt-run --sk", monkeypatch, capsys, "zsh")[:2] == ["plain", "--skip"]


def test_bash_completes_options_of_a_tool(path_of_tools):
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


COMMANDS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}


class Typist:
    """A shell at a terminal of its own, with completion enabled, in an empty home directory."""

    def __init__(self, shell, home, path):
        environment = {**os.environ, "HOME": str(home), "PATH": f"{path}:{os.environ['PATH']}", "TERM": "xterm"}
        self.home = home
        self.screen, terminal = pty.openpty()
        self.process = subprocess.Popen(
            COMMANDS[shell],
            cwd=home,
            env=environment,
            preexec_fn=lambda: os.login_tty(terminal),
        )
        os.close(terminal)
        if shell == "zsh":
            self.type("autoload -U compinit; compinit -u -d dump\n")
        self.type(complete.ENABLE[shell] + "; echo > ready\n")
        self.wait(lambda _shown: (home / "ready").exists())

    def type(self, text):
        os.write(self.screen, text.encode())

    def wait(self, enough):
        """Read the screen until there is enough on it."""
        shown, end = "", time.monotonic() + 60
        while not enough(shown):
            assert time.monotonic() < end, shown
            if select.select([self.screen], [], [], 0.1)[0]:
                shown += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", os.read(self.screen, 4096).decode(errors="replace"))

    def completed(self, line, rest):
        """Words of a line after TAB; `rest` is what the screen must show to know that it has been answered."""
        self.type(f"{line}\t")
        self.wait(lambda shown: rest in shown.replace(line, "", 1))
        time.sleep(0.3)
        self.type("\x01for_each_word \x05\n")  # to the start of the line, and to its end
        words = self.home / "words"
        self.wait(lambda _shown: words.exists() and words.read_text().endswith("\n--\n"))
        found = [word.rstrip("/") for word in words.read_text().splitlines()[:-1]]  # zsh takes the last one away again
        words.unlink()
        return found

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.screen)


@pytest.mark.parametrize("shell", SHELLS)
def test_tab_at_a_terminal(shell, tmp_path, path_of_tools):
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    home, tools = tmp_path / "home", tmp_path / "tools"
    (home / "references").mkdir(parents=True)
    tools.mkdir()
    (tools / "for_each_word").write_text('#!/bin/sh\nprintf "%s\\n" "$@" -- > words\n')
    (tools / "for_each_word").chmod(0o755)
    for name in ("galaxy_cal.asdf", "spaced name.asdf"):
        (home / name).touch()
    typist = Typist(shell, home, f"{tools}:{path_of_tools}")
    try:
        assert typist.completed("rt-run --tim", "ings") == ["rt-run", "--timings"]
        assert typist.completed("rt-run --compression l", "z4") == ["rt-run", "--compression", "lz4"]
        assert typist.completed("rt-info gal", "axy_cal.asdf") == ["rt-info", "galaxy_cal.asdf"]
        assert typist.completed("rt-info sp", "name.asdf") == ["rt-info", "spaced name.asdf"]
        assert typist.completed("rt-run --refdir ref", "erences/") == ["rt-run", "--refdir", "references"]
        assert typist.completed("rt valid", "ate") == ["rt", "validate"]
        assert typist.completed("rt refs sh", "ow") == ["rt", "refs", "show"]
    finally:
        typist.close()
