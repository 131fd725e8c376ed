"""Fixtures of the whole suite."""

import json
import os
import subprocess
from pathlib import Path

import pytest

JUDGES = ("1.1.0", "1.2.0")
"""Versions of roman_datamodels that must open and validate our files."""


@pytest.fixture(scope="session")
def judge():
    """``judge(version, paths)``: what that roman_datamodels says of files, by path.

    The environments are made by ``tests/judges/setup.sh``; one that is missing is an error, never a skip.
    """
    here = Path(__file__).parent
    home = Path(os.environ.get("RTOOLS_JUDGES") or here.parent / ".cache" / "judges")

    def run(version, paths):
        python = home / f"roman_datamodels-{version}" / "bin" / "python"
        if not python.exists():
            raise FileNotFoundError(f"no judge at {python}; make it with: sh tests/judges/setup.sh {home}")
        command = [python, here / "judges" / "judge.py", *map(str, paths)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
