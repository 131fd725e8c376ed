"""``kill -9`` while exposures that are aligned together get their names: no image without what belongs to it, and
`--resume` makes the rest, to the same bytes."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import chdir

import pytest

from rtools.products.io import temporary
from tests.support.places import ROOT
from tests.support.runs import PRODUCTS, listing, simulate, tool
from tests.support.share import some_long

pytestmark = pytest.mark.slow

KILLED = """
import os, signal, sys
from rtools.pipeline.exposure import job
left = int(sys.argv.pop(1))
replace = os.replace

class System:
    def __getattr__(self, name):
        return getattr(os, name)

    def replace(self, source, target):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        replace(source, target)

job.os = System()
from rtools.commands.rt import main
main()
"""
"""A run that is killed when the file of this number is to get its name."""

NAMES = [f"raw/r0000101001001001001_{number:04d}_wfi01_f158_uncal.asdf" for number in (1, 2)]
WORDS = (*NAMES, "--refcat", "stars.parquet", "--together", "--outdir", "out", "-q")


@pytest.fixture(scope="module", autouse=True)
def same_times():
    """Products have the same bytes where times are fixed."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SOURCE_DATE_EPOCH", "1800000000")
        yield


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A directory with two small raw exposures, a reference catalog, and what an unkilled run makes of them."""
    folder = tmp_path_factory.mktemp("pair")
    for number in (1, 2):
        simulate(folder / "raw", "wfi01", number=number, reads="1;2-3;4-7;8-10", stars=3000)
    with chdir(folder):
        assert tool("run", NAMES[0], "--outdir", "first", "-q") == 0
        catalog = next((folder / "first").glob("*_cat.parquet"))
        assert tool("refcat", "make", catalog, "-o", "stars.parquet", "-q") == 0
        assert tool("run", *WORDS) == 0
    assert len(listing(folder / "out")) == 2 * len(PRODUCTS)
    return folder


@pytest.mark.parametrize("number", some_long((0, 7, *range(1, 7)), 2))
def test_a_run_killed_while_images_get_their_names_goes_on_to_the_same_bytes(pair, tmp_path, number):
    shutil.copytree(pair / "raw", tmp_path / "raw")
    shutil.copy(pair / "stars.parquet", tmp_path)
    command = [sys.executable, "-c", KILLED, str(number), "run", *WORDS]
    killed = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=tmp_path, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    whole = listing(pair / "out")
    named = {name: bits for name, bits in listing(tmp_path / "out").items() if not name.startswith(".")}
    assert len(named) == number and named.items() <= whole.items()
    for image in (name for name in named if name.endswith("_cal.asdf")):
        assert {image.replace("cal.asdf", ending) for ending in PRODUCTS} <= named.keys()
    temporary._swept.clear()  # a directory is looked through once in a process, and this run stands for another one
    with chdir(tmp_path):
        assert tool("run", *WORDS, "--resume") == 0
    assert listing(tmp_path / "out") == whole
