"""examples/scale.py: the day that it plays obeys what a cluster cannot escape."""

import json
import subprocess
import sys

import pytest

from tests.support.places import ROOT


def played(*words):
    """The numbers of a day, by cores."""
    command = [sys.executable, ROOT / "examples" / "scale.py", "--json", *map(str, words)]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return {one["cores"]: one for one in told}


def test_a_night_that_is_all_there_is_bound_by_cores_and_then_by_the_file_system():
    words = ("--images", 720, "--arrivals", 0, "--mtbf", 0, "--per-mosaic", 0)
    found = played(*words, "--cores", 4, 16, 256, "--bandwidth", 1000)
    for cores, one in found.items():
        computing, moving = one["core_hours"] / cores, one["TB_moved"] * 1e6 / 1000 / 3600
        assert max(computing, moving) <= one["hours"] <= 1.05 * (computing + moving)
        assert one["workers_lost"] == one["jobs_repeated"] == 0
        assert (computing > 4 * moving) == (cores == 4)
        assert (moving > 4 * computing) == (cores == 256)
    assert found[4]["TB_moved"] == pytest.approx(found[256]["TB_moved"], rel=1e-6)


def test_images_that_come_through_a_day_are_done_as_they_come():
    (one,) = played("--cores", 64, "--mtbf", 0).values()
    assert one["hours"] == pytest.approx(24, abs=0.1)
    assert one["delay_99_s"] < 60


def test_lost_workers_cost_their_jobs_and_no_other():
    words = ("--cores", 32, "--images", 1800, "--arrivals", 0)
    (whole,), (broken,) = (played(*words, "--mtbf", hours).values() for hours in (0, 0.5))
    assert broken["workers_lost"] > 10
    assert 0 < broken["jobs_repeated"] <= broken["workers_lost"]
    assert 0.95 * whole["hours"] < broken["hours"] < 1.5 * whole["hours"]
    assert broken["hours_repeated"] < broken["jobs_repeated"] * 60 / 3600
    assert played(*words, "--mtbf", 0.5)[32] == broken
