"""What is installed is what stands in the checkout: modules that were moved or deleted do not live on."""

import hashlib
import subprocess
import sys
from pathlib import Path

from tests.support.places import ROOT


def installed_package(directory):
    """Where Python finds rtools when it does not look at the checkout: without PYTHONPATH, from another directory."""
    code = "import importlib.util; print(importlib.util.find_spec('rtools').origin)"
    found = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=directory, capture_output=True, text=True, check=True
    )
    return Path(found.stdout.strip()).parent


def digests(package):
    """Digest of every file of a package that is not made by Python or numba, by its path inside the package."""
    files = [path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {str(path.relative_to(package)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_installed_modules_are_those_of_the_checkout(tmp_path):
    installed, sources = digests(installed_package(tmp_path)), digests(ROOT / "rtools")
    assert {Path(path).suffix for path in sources} >= {".py", ".pyi", ".json"}
    assert sorted(installed.keys() - sources.keys()) == []
    assert sorted(sources.keys() - installed.keys()) == []
    assert [path for path in sources if installed[path] != sources[path]] == []
