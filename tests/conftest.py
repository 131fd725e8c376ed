"""Fixtures of the whole suite."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from run_case import drowned, own_surroundings, product, ran, raw, raw18, references  # noqa: F401
from sources_case import bright, elsewhere, gaia, imaged, imaged_again, star_field  # noqa: F401

JUDGES = ("1.1.0", "1.2.0")
"""Versions of roman_datamodels that must open and validate our files."""


def judge_python(version):
    """Interpreter of a judge's environment, which ``tests/judges/setup.sh`` makes.

    One that is missing is an error, never a skip.
    """
    home = Path(os.environ.get("RTOOLS_JUDGES") or Path(__file__).parent.parent / ".cache" / "judges")
    python = home / f"roman_datamodels-{version}" / "bin" / "python"
    if not python.exists():
        raise FileNotFoundError(f"no judge at {python}; make it with: sh tests/judges/setup.sh {home}")
    return python


@pytest.fixture(scope="session")
def judge():
    """``judge(version, paths)``: what that roman_datamodels says of files, by path."""

    def run(version, paths):
        command = [judge_python(version), Path(__file__).parent / "judges" / "judge.py", *map(str, paths)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
