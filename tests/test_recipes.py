"""The recipes in examples/: every command is run, with small frames."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from kit_case import path_of_tools  # noqa: F401

EXAMPLES = Path(__file__).parent.parent / "examples"
BLOCKS = re.findall(r"^```sh\n(.*?)^```", (EXAMPLES / "recipes.md").read_text(), flags=re.M | re.S)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A directory where the recipes run one after another."""
    directory = tmp_path_factory.mktemp("recipes")
    (directory / "examples").mkdir()
    shutil.copy(EXAMPLES / "Makefile", directory / "examples")
    return directory


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_recipe(number, place, path_of_tools):  # noqa: F811
    settings = {"PATH": f"{path_of_tools}:{os.environ['PATH']}", "RT_SIZE": "256", "RT_READ_PATTERN": "1;2-3;4-5;6"}
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", BLOCKS[number]],
        cwd=place,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{BLOCKS[number]}\n{done.stderr}"


def test_no_recipe_fails_half_way(place):
    """What the recipes leave: calibrated images beside the raw data, no temporary files."""
    assert len(list((place / "night1").glob("*_cal.asdf"))) == 2
    assert not list(place.rglob(".*.tmp"))
