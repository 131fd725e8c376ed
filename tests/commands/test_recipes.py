"""The recipes in examples/: every command is run, with small frames."""

import os
import re
import shutil
import signal
import subprocess
from functools import partial

import pytest

from tests.support.places import ROOT

EXAMPLES = ROOT / "examples"
BLOCKS = re.findall(r"^```sh\n(.*?)^```", (EXAMPLES / "recipes.md").read_text(), flags=re.M | re.S)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A directory where the recipes run one after another."""
    directory = tmp_path_factory.mktemp("recipes")
    (directory / "examples").mkdir()
    for name in ("Makefile", "mosaic.mk"):
        shutil.copy(EXAMPLES / name, directory / "examples")
    return directory


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_recipe(number, place, quick):
    settings = {"PATH": f"{quick}:{os.environ['PATH']}", "RT_SIZE": "256", "RT_READ_PATTERN": "1;2-3;4-5;6"}
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", BLOCKS[number]],
        cwd=place,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{BLOCKS[number]}\n{done.stderr}"


def test_no_recipe_fails_half_way(place):
    """What the recipes leave: calibrated images beside the raw data, no temporary files."""
    assert len(list((place / "night1").glob("*_cal.asdf"))) == 2
    assert not list(place.rglob(".*.tmp"))


def test_make_mosaic_stands_behind_what_it_is_made_of(place):
    command = ["make", "-f", EXAMPLES / "mosaic.mk", "DIR=field", "NAME=all", "-n"]
    planned = partial(subprocess.run, cwd=place, capture_output=True, text=True, check=True)
    assert "rt-run" not in planned(command).stdout
    os.utime(place / "field" / "r0000101001001001001_0002_wfi01_f158_uncal.asdf")
    first, second = [line for line in planned(command).stdout.splitlines() if "rt-run" in line]
    assert "_0002_" in first and "--mosaic" not in first
    assert "--mosaic" in second and second.count("_cal.asdf") == 3


def test_make_mosaic_of_a_directory_without_exposures(tmp_path):
    command = ["make", "-f", EXAMPLES / "mosaic.mk", f"DIR={tmp_path}", "-n"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "no *_uncal.asdf in" in done.stderr


def test_make_goes_on_after_an_interrupt(raw, tmp_path, path_of_tools):
    for number in range(5):
        os.link(raw, tmp_path / raw.name.replace("_0001_", f"_{number:04d}_"))
    command = ["make", "-j", "2", "-f", EXAMPLES / "Makefile", f"DIR={tmp_path}"]
    environment = os.environ | {"PATH": f"{path_of_tools}:{os.environ['PATH']}", "RT_SKIP": "catalog"}  # quick

    def calibrated():
        return {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*_cal.asdf")}

    def ctrl_c_works():
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    making = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, start_new_session=True, preexec_fn=ctrl_c_works
    )
    for _third in range(3):  # make deletes what a command that it sees interrupted has just finished
        while not making.stdout.readline().endswith(b"_cal.asdf\n"):
            assert making.poll() is None
    os.killpg(making.pid, signal.SIGINT)  # as the terminal does: make and all that it has started
    making.communicate(timeout=60)
    assert making.returncode
    before = calibrated()
    assert 0 < len(before) < 5
    assert not list(tmp_path.glob(".*"))
    assert subprocess.run([*command, "-q"], env=environment, check=False).returncode == 1
    subprocess.run(command, env=environment, check=True)
    assert len(calibrated()) == 5
    assert before.items() <= calibrated().items()
    sizes = [path.stat().st_size for path in tmp_path.glob("*_cal.asdf")]
    assert min(sizes) > 0.95 * max(sizes)
    assert subprocess.run([*command, "-q"], env=environment, check=False).returncode == 0
