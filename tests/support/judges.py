"""Other people's readers in environments of their own: roman_datamodels and stdatamodels judge what is written."""

import atexit
import json
import os
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.support.places import JUDGES, ROOT

OPENS = {
    "1.0.0": ("1.5.0", "2.0.0"),
    "1.1.0": ("1.5.0", "2.0.0", "2.1.0"),
    "1.2.0": ("1.5.0", "2.0.0", "2.1.0", "2.2.0"),
}
"""Versions of roman_datamodels that must open and validate our files, and the profiles that they open."""


OF_JWST = "6.0.0"
"""Version of stdatamodels that must open our JWST files, trust their trees, and find in them what we wrote."""


def newest_only(versions):
    """Versions, or tuples that begin with one, as parameters of which all but the last are asked with ``--long`` only.

    Each judge takes as long as the newest, and the oldest has an environment only then.
    """
    *older, newest = versions
    return [*(_with_long_only(version) for version in older), newest]


def _with_long_only(version):
    """A version, or a tuple that begins with it, as a parameter of which nothing is asked but with ``--long``."""
    return pytest.param(*(version if isinstance(version, tuple) else (version,)), marks=pytest.mark.long)


def judge_python(version, package="roman_datamodels"):
    """Interpreter of a judge's environment, which ``tests/judges/setup.sh`` makes.

    One that is missing is an error, never a skip.
    """
    home = Path(os.environ.get("RTOOLS_JUDGES") or ROOT / ".cache" / "judges")
    python = home / f"{package}-{version}" / "bin" / "python"
    if not python.exists():
        raise FileNotFoundError(f"no judge at {python}; make it with: sh tests/judges/setup.sh {home}")
    return python


SNAKEMAKE = "9.27.1"


@pytest.fixture
def snakemake():
    """The program, in the environment that ``tests/judges/setup.sh`` makes for it; one that is missing is an error."""
    home = Path(os.environ.get("RTOOLS_JUDGES") or ROOT / ".cache" / "judges")
    program = home / f"snakemake-{SNAKEMAKE}" / "bin" / "snakemake"
    if not program.exists():
        raise FileNotFoundError(f"no {program}; make it with: sh tests/judges/setup.sh {home} --long")
    return program


@cache
def _judge_at_work(version, package="roman_datamodels", script="judge.py"):
    """A judge that waits for questions: to start one takes longer than most verdicts."""
    command = [judge_python(version, package), JUDGES / script]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(process.communicate)
    return process


def asked(version, *question):
    """Answer of that roman_datamodels: of ``"files", PATH…`` or ``"catalog", IMAGE, CATALOG, MODEL, OUT``."""
    return _answer(_judge_at_work(version), question)


def asked_of_jwst(*question):
    """Answer of stdatamodels: of ``"files", PATH…``, or of ``"again", PATH, OUT``, which it opens and saves."""
    return _answer(_judge_at_work(OF_JWST, "stdatamodels", "jwst.py"), question)


def _answer(process, question):
    process.stdin.write(json.dumps(list(map(str, question))) + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    assert answer, f"the judge has ended with {process.wait()}"
    return json.loads(answer)


@pytest.fixture(scope="session")
def judge():
    """``judge(version, paths)``: what that roman_datamodels says of files, by path."""
    return lambda version, paths: asked(version, "files", *paths)
