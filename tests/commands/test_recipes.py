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


@pytest.mark.long
def test_recipes_work_one_after_another(quick, tmp_path):
    """One test: later recipes work on what earlier ones made, and leave images but no temporary files."""
    (tmp_path / "examples").mkdir()
    for name in ("Makefile", "mosaic.mk"):
        shutil.copy(EXAMPLES / name, tmp_path / "examples")
    settings = {
        "PATH": f"{quick}:{os.environ['PATH']}",
        "RT_SIZE": "256",
        "RT_READ_PATTERN": "1;2-3;4-5;6",
        "RT_CROWDED": "60000",
    }
    for block in BLOCKS:
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", block],
            cwd=tmp_path,
            env=os.environ | settings,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stderr}"
    assert len(list((tmp_path / "night1").glob("*_cal.asdf"))) == 2
    assert not list(tmp_path.rglob(".*.tmp"))
    check_that_a_mosaic_stands_behind_its_images(tmp_path)


def test_the_example_of_jwst_works(quick, tmp_path):
    """With a small sub-array; what it makes is there, and nothing else."""
    settings = {"PATH": f"{quick}:{os.environ['PATH']}", "SUBARRAY": "SUB64P"}
    command = ["sh", EXAMPLES / "jwst_steps.sh", tmp_path]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    suffixes = sorted(path.stem.rpartition("_")[2] for path in tmp_path.glob("jw*_00001_*.fits"))
    assert suffixes == ["cal", "ramp", "rate", "truth", "uncal"]
    assert {path.name for path in tmp_path.glob("*.png")} == {"cal.png", "mosaic.png", "ramp.png", "segments.png"}
    assert not list(tmp_path.glob(".*"))


def check_that_a_mosaic_stands_behind_its_images(place):
    """What `make` would do again after one of the exposures has changed."""
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


@pytest.mark.long
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
