"""What is compiled is kept: said once, in the user's cache where the package cannot be written, unharmed by company."""

import importlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import rtools
from rtools import compiled
from tests.support.kit import BEFORE
from tests.support.places import ROOT
from tests.support.runs import same

pytestmark = pytest.mark.slow

CODE = "from rtools.commands.rt import main; main()"
NOTE = "first run here: compiling"
EVERY = "in every run"


TOOL = "darkdecay"
"""A tool whose kernels take a moment to compile: there is one, and a short one."""


@pytest.fixture
def start(product):
    """A product for this tool."""
    return product(BEFORE[TOOL])


def begin(start, folder, package=None, **environment):
    """The tool in a process of its own."""
    command = [sys.executable, "-c", CODE, TOOL, str(start), "--outdir", str(folder)]
    settings = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    settings["PYTHONPATH"] = str(package or ROOT)
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


@pytest.fixture
def closed(tmp_path):
    """A copy of the package beside which nothing can be kept, not by root either."""
    package = tmp_path / "site" / "rtools"
    shutil.copytree(Path(rtools.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in {file.parent for file in package.rglob("*.py")}:
        (folder / "__pycache__").write_text("a file: no directory can be made here, not by root either")
    return package


def test_package_that_cannot_be_written_has_its_kernels_in_the_cache_of_the_user(start, closed, tmp_path):
    user = {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "user")}
    assert NOTE in end(begin(start, tmp_path / "first", closed.parent, **user))
    assert list((tmp_path / "user").rglob("_darkdecay*.nbc"))
    assert NOTE not in end(begin(start, tmp_path / "second", closed.parent, **user))


def test_kernels_compile_where_no_directory_can_be_written(start, closed, tmp_path):
    """A read-only installation used without a home: one note says that nothing is kept."""
    said = end(begin(start, tmp_path / "first", closed.parent, HOME=os.devnull, XDG_CACHE_HOME=os.devnull))
    assert said.count(EVERY) == 1
    assert NOTE not in said


def test_what_was_compiled_beforehand_serves_who_cannot_write_there(start, tmp_path, monkeypatch):
    """Only a user other than root meets a directory that cannot be written: here it refuses to be tried."""
    cache, nowhere = tmp_path / "cache", {"HOME": os.devnull, "XDG_CACHE_HOME": os.devnull}
    assert NOTE in end(begin(start, tmp_path / "first", NUMBA_CACHE_DIR=str(cache)))
    (tmp_path / "sitecustomize.py").write_text(REFUSING.format(cache=str(cache)))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    settings = {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": f"{tmp_path}:{ROOT}", **nowhere}
    said = end(begin(start, tmp_path / "second", **settings))
    assert NOTE not in said
    assert EVERY not in said


REFUSING = """
import tempfile
real = tempfile.TemporaryFile
def refuse(*args, dir=None, **options):
    if dir and (str(dir).startswith({cache!r}) or str(dir).endswith("__pycache__")):
        raise PermissionError(dir)
    return real(*args, dir=dir, **options)
tempfile.TemporaryFile = refuse
"""


def test_a_cache_directory_alone_is_enough(start, closed, tmp_path):
    nowhere = {"HOME": os.devnull, "XDG_CACHE_HOME": os.devnull, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert NOTE in end(begin(start, tmp_path / "first", closed.parent, **nowhere))
    assert list((tmp_path / "cache").rglob("*.nbc"))


RENAMED = """
from typing import NamedTuple

from rtools.compiled import njit

class NAME(NamedTuple):
    value: float

@njit(cache=True)
def double(limits):
    return FACTOR * limits.value

print(double(NAME(4.0)))
"""
"""A kernel that takes a named tuple, of which an upgrade changes the name."""


def test_a_kernel_whose_arguments_were_renamed_is_compiled_anew(tmp_path):
    found = []
    for name, factor in (("Before", 2), ("After", 3), ("After", 3)):
        script = tmp_path / "kernel.py"
        if not script.exists() or name not in script.read_text():
            script.write_text(RENAMED.replace("NAME", name).replace("FACTOR", str(factor)))
        command = [sys.executable, "-c", "import kernel"]
        settings = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": f"{tmp_path}:{ROOT}"}
        ran = subprocess.run(command, env=settings, cwd=tmp_path, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        found.append(float(ran.stdout))
    assert found == [8.0, 12.0, 12.0]


CALLEE = """
from rtools.compiled import njit
from calling._facts import FACTOR

@njit(cache=True)
def scale(value):
    return FACTOR * value
"""
CALLER = """
from rtools.compiled import njit
from calling._inner_kernels import (
    scale,
)

@njit(cache=True)
def scale_and_add(value):
    return scale(value) + 1.0
"""


@pytest.fixture
def calling(tmp_path, monkeypatch):
    """``calling(name=source, …)``: the kernel of a new process, after modules of its package have changed."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # which is judged by its age in whole seconds
    folder = tmp_path / "calling"
    folder.mkdir()

    def forget():
        for name in [name for name in sys.modules if name.partition(".")[0] == "calling"]:
            del sys.modules[name]
        compiled._stamp.cache_clear()
        compiled._source.cache_clear()

    def load(**changed):
        forget()
        for name, source in changed.items():
            (folder / f"{name}.py").write_text(source)
        return importlib.import_module("calling._outer_kernels").scale_and_add

    load.first = {"__init__": "", "_facts": "FACTOR = 2.0", "_inner_kernels": CALLEE, "_outer_kernels": CALLER}
    yield load
    forget()


def loaded(kernel):
    """How often a kernel was found in the cache."""
    return sum(kernel.stats.cache_hits.values())


@pytest.mark.parametrize(
    "changed",
    [{"_facts": "FACTOR = 3.0"}, {"_inner_kernels": CALLEE.replace("FACTOR * value", "3 * value")}],
    ids=["constant", "kernel"],
)
def test_a_kernel_does_not_keep_the_old_callee_of_another_file(calling, changed):
    assert calling(**calling.first)(2.0) == 5.0
    kernel = calling(**changed)
    assert kernel(2.0) == 7.0
    assert loaded(kernel) == 0


BUNDLE = "from typing import NamedTuple\nclass Bundle(NamedTuple):\n    first: float\n    second: float"
TAKING = "from rtools.compiled import njit\n@njit(cache=True)\ndef scale_and_add(bundle): return bundle.first"
"""A kernel that takes a named tuple without importing it."""


def test_a_kernel_does_not_keep_the_places_of_fields_that_were_changed_about(calling):
    for bundle, fields in (
        (BUNDLE, (1.0, 2.0)),
        (BUNDLE.replace("first", "last").replace("second", "first"), (2.0, 1.0)),
    ):
        kernel = calling(**calling.first | {"_facts": bundle, "_outer_kernels": TAKING})
        named = importlib.import_module("calling._facts").Bundle
        assert kernel(named(*fields)) == 1.0


def test_a_kernel_stays_compiled_while_nothing_that_it_names_changes(calling):
    """That another module of the package is new is no reason to compile."""
    calling(**calling.first)(2.0)
    kernel = calling(_other_kernels=CALLEE, _outer_kernels=CALLER)
    assert kernel(2.0) == 5.0
    assert loaded(kernel) == 1


def test_a_kernel_of_a_zip_file_does_not_keep_the_old_callee(calling, tmp_path, monkeypatch):
    """numba asks for the age of the file alone, in which the kernel is the same."""
    for factor in (2.0, 3.0):
        with zipfile.ZipFile(tmp_path / "calling.zip", "w") as packed:
            for name, source in (calling.first | {"_facts": f"FACTOR = {factor}"}).items():
                packed.writestr(f"calling/{name}.py", source)
        monkeypatch.syspath_prepend(tmp_path / "calling.zip")
        assert calling()(2.0) == factor * 2 + 1


SLOW = """
import threading
class Timer(threading.Timer):
    def __init__(self, interval, *args, **more):
        super().__init__(0.0, *args, **more)
threading.Timer = Timer
"""
"""As on a busy machine: after some seconds matplotlib says that it looks for fonts."""

UNKNOWN = ("unshare", "--user", "--map-user=12345", "--map-group=12345")
"""Begin a process under a number that is no user of the system; the rights stay those of who begins it."""


def can_be_unknown():
    """Whether the system lets us do that."""
    return bool(shutil.which("unshare")) and not subprocess.run([*UNKNOWN, "true"], capture_output=True).returncode


@pytest.mark.skipif(not can_be_unknown(), reason="this system gives no name space of users, or has no unshare")
def test_a_user_whom_nobody_knows_and_without_a_home(start, closed, tmp_path):
    """As in a container that runs under a number: pictures, WCS and kernels need settings that libraries look for."""
    work = tmp_path / "work"
    work.mkdir()
    (closed.parent / "sitecustomize.py").write_text(SLOW)
    surroundings = {"PYTHONPATH": str(closed.parent), "TMPDIR": str(work)}
    drawn = (("view", "-o", work / "x.png"), ("ls", "--plot", work / "l.png"))
    for words in (*drawn, (TOOL, "-o", work / "s.asdf")):
        command = [*UNKNOWN, sys.executable, "-B", "-c", CODE, words[0], start, *words[1:]]
        ran = subprocess.run(list(map(str, command)), env=surroundings, cwd=work, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        assert "Matplotlib" not in ran.stderr
    assert ran.stderr.count(EVERY) == 1
    assert {path.name for path in work.iterdir()} == {"x.png", "l.png", "s.asdf"}
