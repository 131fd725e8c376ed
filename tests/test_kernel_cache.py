"""What is compiled is kept: said once, in the user's cache where the package cannot be written, unharmed by company."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from run_case import done, same

import rtools

CODE = "from rtools.commands.rt import main; main()"
NOTE = "first run here: compiling"


@pytest.fixture(scope="module")
def start(raw, tmp_path_factory):
    """A product for rt-saturation, whose kernel takes two seconds to compile."""
    folder = tmp_path_factory.mktemp("start")
    done("dqinit", raw, "--outdir", folder)
    return next(folder.glob("*_dqinit.asdf"))


def begin(start, folder, package=None, **environment):
    """rt-saturation in a process of its own."""
    command = [sys.executable, "-c", CODE, "saturation", str(start), "--outdir", str(folder)]
    settings = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    settings["PYTHONPATH"] = str(package or Path(rtools.__file__).parent.parent)
    pipes = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=settings | environment, cwd=folder.parent, **pipes)  # not in the source tree


def end(process):
    """What it said."""
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 0, said
    return said


def test_compiling_is_said_once_and_not_again_by_the_next_process(start, tmp_path):
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert end(begin(start, tmp_path / "first", **cache)).count(NOTE) == 1
    assert NOTE not in end(begin(start, tmp_path / "second", **cache))


def test_processes_that_start_together_leave_a_cache_that_works(start, tmp_path):
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    running = [begin(start, tmp_path / name, **cache) for name in ("a", "b", "c")]
    for process in running:
        end(process)
    assert NOTE not in end(begin(start, tmp_path / "later", **cache))
    made = [next((tmp_path / name).iterdir()) for name in ("a", "b", "c", "later")]
    for other in made[1:]:
        assert all(same(made[0], other).values())


def test_package_that_cannot_be_written_has_its_kernels_in_the_cache_of_the_user(start, tmp_path):
    package = tmp_path / "site" / "rtools"
    shutil.copytree(Path(rtools.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in {file.parent for file in package.rglob("*.py")}:
        (folder / "__pycache__").write_text("a file: no directory can be made here, not by root either")
    user = {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "user")}
    assert NOTE in end(begin(start, tmp_path / "first", package.parent, **user))
    assert list((tmp_path / "user").rglob("*flag*.nbc"))
    assert NOTE not in end(begin(start, tmp_path / "second", package.parent, **user))
