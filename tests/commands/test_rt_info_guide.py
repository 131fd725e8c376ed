"""rt-info on guide-window and FACE files: six lines of every form, and the arrays."""

import json

import numpy as np
import pytest

from tests.support.guide_files import GUIDE_NAME, TAGS, face_file, guide_file
from tests.support.small_files import tool

LABELS = ("window", "guided", "stages", "exposures", "star", "pairs")
FACE_LABELS = ("window", "guided", "attitudes", "phases", "quality", "detectors")


@pytest.fixture
def lines(capsys):
    """Lines of a screen: label and text, continued ones joined."""

    def told(path):
        assert tool("info", path) == 0
        found: dict[str, str] = {}
        label = ""
        for line in capsys.readouterr().out.splitlines()[1:]:
            label = line[2:15].strip() or label
            found[label] = f"{found.get(label, '')} {line[15:].strip()}".strip()
        return found

    return told


@pytest.mark.parametrize("form", ["rad", "old", "seed"])
def test_six_lines_about_guide_windows(tmp_path, lines, form):
    told = lines(guide_file(tmp_path, form))
    assert [label for label in told if label in LABELS] == list(LABELS)
    assert told["window"].startswith("acquisition 1 of visit 0012301008002013005")
    assert "track 112 pairs of 16 x 16 at x 1024:1040, y 2024:2040, WIM_TRACK, 0.1977 s apart" in told["stages"]
    assert told["exposures"] == "1 (32 pairs, 13.6-19.7 s), 2 (32 pairs, 23.1-29.2 s); 48 pairs in 3 gaps"
    assert told["pairs"] == "flags: 32 reset read, 2 reset impacted; downlinked centroids: 144 GOOD"
    assert "arrays" in told


def test_six_lines_about_face(tmp_path, lines):
    told = lines(face_file(tmp_path))
    assert [label for label in told if label in FACE_LABELS] == list(FACE_LABELS)
    assert told["attitudes"].startswith("144, of which 144 are good")
    assert told["phases"].endswith("WIM_TRK (112, 10.5-32.4 s)")
    assert told["detectors"] == "1 guide-window file (WFI06), to guide: WFI06"


@pytest.mark.parametrize("form", ["dark", "empty"])
def test_half_empty_files_are_told_as_far_as_they_go(tmp_path, lines, form):
    told = lines(guide_file(tmp_path, form))
    assert told["stages"].startswith("acq 32 pairs" if form == "dark" else "acq 0 pairs")
    assert ("pairs" in told) == (form == "dark")


def test_moves_and_gaps_are_counted(tmp_path, capsys):
    def change(tree):
        for name in ("lower_left_corners", "upper_right_corners"):
            tree["track_data"][name][64:] += 3
        for name in ("pedestal_times", "signal_times"):
            later = [time.copy() for time in tree["track_data"][name]]
            tree["track_data"][name] = later[:40] + [time + 5e-5 for time in later[40:]]

    with pytest.warns(Warning, match="assuming days"):
        path = guide_file(tmp_path, change=change)
    assert tool("info", path, "--json") == 0
    track = json.loads(capsys.readouterr().out)["guiding"]["stages"][1]
    assert (track["moves"], track["gaps"], track["x_min"], track["x_max"]) == (1, 1, 1024, 1043)


def test_an_old_file_is_still_listed(tmp_path, lines, capsys):
    frames = {"meta": {}, "pedestal_frames": np.zeros((2, 3, 4, 5, 6), "u2")}
    path = guide_file(tmp_path, change=lambda tree: (tree.clear(), tree.update(frames)), tag=f"{TAGS}guidewindow-1.1.0")
    assert "stages" not in lines(path)
    assert tool("info", path, "--json") == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)["arrays"]] == ["pedestal_frames"]


def test_arrays_that_do_not_agree_do_not_keep_it_from_telling(tmp_path, lines):
    def change(tree):
        tree["track_data"]["signal_times"] = tree["track_data"]["signal_times"][:3]

    told = lines(guide_file(tmp_path, change=change))
    assert "track 112 pairs" in told["stages"]


def test_a_file_without_tag_is_told_by_its_name(tmp_path, lines):
    assert "track 112 pairs" in lines(guide_file(tmp_path / GUIDE_NAME, tag=None))["stages"]
