"""Fixtures of the whole suite."""

import atexit
import json
import os
import subprocess
from functools import cache
from pathlib import Path

import pytest
from run_case import drowned, own_surroundings, product, ran, raw, raw18, references  # noqa: F401
from sources_case import bright, elsewhere, gaia, imaged, imaged_again, star_field  # noqa: F401


def pytest_addoption(parser):
    """``--long``: run the tests marked ``long``, and only these."""
    parser.addoption("--long", action="store_true", help="run the long tests, and only these")


def pytest_collection_modifyitems(config, items):
    """Leave out long tests, or all others with ``--long``."""
    wanted = config.getoption("--long")
    chosen = [item for item in items if ("long" in item.keywords) == wanted]
    if len(chosen) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if ("long" in item.keywords) != wanted])
        items[:] = chosen


OPENS = {
    "1.0.0": ("1.5.0", "2.0.0"),
    "1.1.0": ("1.5.0", "2.0.0", "2.1.0"),
    "1.2.0": ("1.5.0", "2.0.0", "2.1.0", "2.2.0"),
}
"""Versions of roman_datamodels that must open and validate our files, and the profiles that they open."""

JUDGES = tuple(OPENS)


def judge_python(version):
    """Interpreter of a judge's environment, which ``tests/judges/setup.sh`` makes.

    One that is missing is an error, never a skip.
    """
    home = Path(os.environ.get("RTOOLS_JUDGES") or Path(__file__).parent.parent / ".cache" / "judges")
    python = home / f"roman_datamodels-{version}" / "bin" / "python"
    if not python.exists():
        raise FileNotFoundError(f"no judge at {python}; make it with: sh tests/judges/setup.sh {home}")
    return python


@cache
def _judge_at_work(version):
    """A judge that waits for questions: to start one takes longer than most verdicts."""
    command = [judge_python(version), Path(__file__).parent / "judges" / "judge.py"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(process.communicate)
    return process


def asked(version, *question):
    """Answer of that roman_datamodels: of ``"files", PATH…`` or ``"catalog", IMAGE, CATALOG, MODEL, OUT``."""
    process = _judge_at_work(version)
    process.stdin.write(json.dumps(list(map(str, question))) + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    assert answer, f"the judge {version} has ended with {process.wait()}"
    return json.loads(answer)


@pytest.fixture(scope="session")
def judge():
    """``judge(version, paths)``: what that roman_datamodels says of files, by path."""
    return lambda version, paths: asked(version, "files", *paths)
