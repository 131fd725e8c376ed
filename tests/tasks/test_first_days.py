"""The tasks of examples/tasks.md: every command is run, with small frames, and leaves what it promises."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.places import ROOT

TEXT = (ROOT / "examples" / "tasks.md").read_text()
BLOCKS = re.findall(r"^```sh ([^\n]*)\n(.*?)^```", TEXT, flags=re.M | re.S)
SETUP = "".join(block for names, block in BLOCKS if names == "setup")
TASKS = {names: block for names, block in BLOCKS if names != "setup"}
ASKED = {f"A{number}" for number in range(1, 17)} | {f"B{number}" for number in range(1, 18)} | {
    f"C{number}" for number in (1, 2, 3, 4, 5, 7, 8, 9, 10, 11)
}  # fmt: skip

pytestmark = pytest.mark.long


def test_every_task_is_answered():
    answered = [name for names in TASKS for name in names.split()]
    assert sorted(answered) == sorted(ASKED)


def test_no_file_is_compared_with_itself():
    for name, block in TASKS.items():
        for line in (line for line in block.splitlines() if line.startswith("rt-diff ")):
            files = [word for word in line.split() if ".asdf" in word or ".parquet" in word]
            assert len(files) == len(set(files)), name


def run(block, place, path):
    """Exit status, standard output and error of lines of a shell."""
    own = Path(sys.executable).parent  # rt and python, where the environment is not the one of the shell
    settings = {
        "PATH": f"{path}:{own}:{os.environ['PATH']}",
        "RT_SIZE": "256",
        "RT_READ_PATTERN": "1;2-3;4-7;8-10;11;12-13",
    }
    command = ["bash", "-eu", "-o", "pipefail", "-c", NAMES + block]
    return subprocess.run(command, cwd=place, env=os.environ | settings, capture_output=True, text=True, check=False)


NAMES = "".join(re.findall(r"^(?:cal|raw|other)=.*\n", SETUP, flags=re.M))
"""Lines of the setup that say what files are called."""


@pytest.fixture(scope="module")
def field(quick, tmp_path_factory):
    """A directory with the files of all tasks."""
    place = tmp_path_factory.mktemp("tasks")
    done = run(SETUP, place, quick)
    assert done.returncode == 0, done.stderr
    return place


@pytest.mark.parametrize("name", TASKS)
def test_commands_of_a_task_work(name, field, quick, path_of_tools):
    """In the order of the page: some take what those before have made."""
    killed = "KILL" in TASKS[name]  # what starts tools at once would tell of the end of its partner
    done = run(TASKS[name], field, path_of_tools if killed else quick)
    assert done.returncode == 0, f"{TASKS[name]}\n{done.stdout}\n{done.stderr}"
    assert "internal error" not in done.stderr
    assert "Traceback" not in done.stderr
