"""``kill -9`` at any moment of a run: `--resume` makes what is missing, to the same bytes, and nothing stays behind."""

import shutil
import time
from contextlib import chdir
from functools import cache

import pytest

from rtools.products.io import temporary
from tests.support.killed import EXECUTORS, kill_at, left_alone, moment, started_run
from tests.support.runs import listing, simulate, tool

pytestmark = pytest.mark.slow

COUNTS = {"threads": 50, "processes": 50, "dask": 100}
"""Kills of each executor among the long tests."""

TOGETHER = 10
"""Of these, how many are one test: many small ones keep all workers busy until the last is done."""


@pytest.fixture(scope="module", autouse=True)
def same_times():
    """Products have the same bytes where times are fixed."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SOURCE_DATE_EPOCH", "1800000000")
        yield


NAMES = [f"raw/r0000101001001001001_{number:04d}_wfi01_f158_uncal.asdf" for number in (1, 2)]
WORDS = (*NAMES, "--mosaic", "--outdir", "out", "-o", "out/field_coadd.asdf")
"""A run of two exposures and their mosaic, in a directory that has them: products know files by their place."""


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A directory with two small raw exposures of the same sky, and what an unkilled run makes of them."""
    folder = tmp_path_factory.mktemp("pair")
    small = {"reads": "1;2-3;4-7;8-10", "stars": 3000}
    for number, options in enumerate(((), ("--ra", 270.0002)), 1):
        simulate(folder / "raw", "wfi01", *options, number=number, **small)
    with chdir(folder):
        assert tool("run", *WORDS, "-q") == 0
    return folder


@pytest.fixture(scope="module")
def duration(pair, tmp_path_factory):
    """Seconds that a run takes, by executor."""

    @cache
    def find(executor):
        folder = tmp_path_factory.mktemp(executor)
        shutil.copytree(pair / "raw", folder / "raw")
        began = time.monotonic()
        assert started_run(executor, WORDS, folder).wait(120) == 0
        return time.monotonic() - began

    return find


def check_kill(pair, folder, executor, seed, longest):
    """Kill a run, go on with another one, and look at what there is; whether it was killed before its end."""
    shutil.copytree(pair / "raw", folder / "raw")
    seconds, group = moment(f"{executor} {seed}", longest)
    killed = kill_at(started_run(executor, WORDS, folder), seconds, group=group)
    assert not left_alone(folder), f"seed {seed}: processes go on"
    temporary._swept.clear()  # a directory is looked through once in a process, and this run stands for another one
    with chdir(folder):
        assert tool("run", *WORDS, "--resume", "-q") == 0, f"seed {seed}"
    assert listing(folder / "out") == listing(pair / "out"), f"seed {seed}"
    return killed


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_killed_run_goes_on_to_the_same_bytes(pair, tmp_path, executor):
    check_kill(pair, tmp_path / "killed", executor, 0, 3.0)


@pytest.mark.long
@pytest.mark.parametrize(
    ("executor", "first"),
    [(name, first) for name, count in COUNTS.items() for first in range(100, 100 + count, TOGETHER)],
)
def test_runs_killed_at_many_moments_go_on_to_the_same_bytes(pair, duration, tmp_path, executor, first, capsys):
    killed = 0
    for seed in range(first, first + TOGETHER):
        killed += check_kill(pair, tmp_path / str(seed), executor, seed, duration(executor))
        shutil.rmtree(tmp_path / str(seed))
    with capsys.disabled():
        print(f"\n{executor}: {killed} of {TOGETHER} runs were killed before their end; all went on")
    assert killed > TOGETHER / 4
