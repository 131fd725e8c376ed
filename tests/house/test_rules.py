"""What no module does: grow without end, make threads of its own, lay fields into a namespace, take a name twice."""

import ast
import subprocess
import sys

import pytest

from tests.support.modules import modules, path_of, text_of, tree_of
from tests.support.places import ROOT

LONGEST = 400
"""Lines of the longest module."""

POOLS = ("rtools.work.work",)
HASHING = ("rtools.products.io.encode", "rtools.products.io.checksums")
"""The one pool of a run, and the threads that take checksums of what is being written."""

HEAVY = {"asdf", "astropy", "gwcs", "matplotlib", "numba", "numpy", "pyarrow", "rich", "scipy", "yaml"}
"""Packages that take longer to import than `import rtools` may take."""


def calls_of(name):
    """Modules that call something of this name, one entry for each call."""
    found = []
    for module in modules():
        calls = [node.func for node in ast.walk(tree_of(module)) if isinstance(node, ast.Call)]
        found += [module for call in calls if getattr(call, "attr", getattr(call, "id", None)) == name]
    return found


def test_no_module_is_longer_than_can_be_read():
    lengths = {path_of(module): text_of(module).count("\n") for module in modules()}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST} == {}


def test_threads_are_made_in_one_place():
    pools = calls_of("ThreadPoolExecutor")
    assert sorted(set(pools) - {*POOLS, *HASHING}) == []
    assert len([module for module in pools if module in POOLS]) == 1
    assert len([module for module in pools if module in HASHING]) <= 1


def test_fields_have_names_that_can_be_read():
    """A `SimpleNamespace` has whatever fields somebody gave it."""
    assert [path_of(module) for module in modules() if "SimpleNamespace" in text_of(module)] == []


def test_no_two_public_classes_share_a_name():
    places = {}
    for module in modules():
        for node in tree_of(module).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(path_of(module))
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}


@pytest.mark.parametrize("code", ["import rtools", "import rtools; rtools.__version__; dir(rtools)"])
def test_the_package_is_imported_without_what_takes_long(code):
    command = [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "rtools" in done.stdout.split()
    assert sorted(HEAVY & set(done.stdout.split())) == []
