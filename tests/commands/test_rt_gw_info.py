"""rt-gw info: stages, windows, exposures, star, FACE, science files; on a terminal, in a pipe, as JSON."""

import json
import shutil

import numpy as np
import pytest

from rtools.products.tables import read_catalog
from tests.support.guide_files import ACQUIRED, CORNERS, FORMS, MAPPING, face_file, guide_file
from tests.support.kit import Terminal, stdout_to
from tests.support.small_files import tool, write

VISIT = "0000101001001001001"
NAME = f"r{VISIT}_0001_1_wfi02_f158_gw.asdf"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Windows of a star of 14 mag that moves by whole pixels between two exposures, with faults in the first."""
    folder = tmp_path_factory.mktemp("info")
    asked = ("--mag", 14, "--exposures", 2, "--crowded", 0, "--read-pattern", "1;2;3", "--gap", 1, "-q")
    assert tool("sim", folder / NAME, *asked, "--dither", "5,3", "--fault", "bind") == 0
    return folder / NAME


def record_of(capsys, *args):
    capsys.readouterr()
    assert tool("gw", "info", *args, "--json") == 0
    return json.loads(capsys.readouterr().out)


def shown(monkeypatch, *args):
    """What stands on a terminal."""
    with stdout_to(monkeypatch, Terminal()) as screen:
        assert tool("gw", "info", *args) == 0
        return screen.getvalue()


def science(folder, number, *, window=f"{VISIT}1", detector="WFI02", **times):
    """A science file of an exposure of a visit."""
    path = folder / f"r{VISIT}_{number:04d}_{detector.lower()}_f158_cal.asdf"
    return write(path, "l2_image", {}, guide_star={"guide_window_id": window}, instrument={"detector": detector},
                 observation={"exposure": number}, exposure=times)  # fmt: skip


def test_stages_exposures_and_flags_are_those_of_the_file(made, capsys):
    found = record_of(capsys, made)
    assert [(one["name"], one["pairs"], one["rows"]) for one in found["stages"]] == [
        ("acq", 32, 64),
        ("track", 176, 16),
    ]
    assert found["stages"][1]["cycle_s"] == pytest.approx(0.197654, abs=1e-5)
    assert [(one["number"], one["pairs"]) for one in found["exposures"]] == [
        (-1, 16),
        (1, 64),
        (-2, 16),
        (2, 64),
        (-3, 16),
    ]
    assert [(row["exposure"], row["pairs"]) for row in found["rows"]] == [(1, 64), (2, 64)]
    first, second = found["rows"]
    assert (second["used"], second["dropped_reset_read"], second["dropped_reset_impacted"]) == (48, 16, 1)
    assert (first["dropped_min_bind"], first["dropped_max_bind"], first["used"]) == (1, 1, 47)
    assert found["flags"]["reset_read"] == 32
    assert first["start"] < first["stop"] < second["start"]


def test_places_of_the_window_and_its_moves(made, capsys):
    places = [one for one in record_of(capsys, made)["places"] if one["stage"] == "track"]
    assert len(places) == 2 and sum(one["pairs"] for one in places) == 176
    assert (places[1]["x"] - places[0]["x"], places[1]["y"] - places[0]["y"]) == (5, 3)
    assert places[1]["first"] == places[0]["pairs"]


def test_the_star_is_where_and_as_bright_as_predicted(made, capsys):
    found = record_of(capsys, made)
    seen, star = found["seen"], found["star"]
    assert seen["how"] == "measured" and seen["exposure"] == 1 and seen["pairs"] == 47
    assert abs(seen["x"] - star["x"]) < 0.3 and abs(seen["y"] - star["y"]) < 0.3
    assert 0.9 < seen["rate"] / star["count_rate"] < 1.02


@pytest.mark.parametrize("form", FORMS)
def test_without_references_the_words_of_the_file_are_given_with_one_note(form, tmp_path, capsys):
    files = [guide_file(tmp_path / f"{number}_gw.asdf", form) for number in (1, 2)]
    assert tool("gw", "info", *files, "--json") == 0
    printed, said = capsys.readouterr()
    first = json.loads(printed.splitlines()[0])
    notes = [line for line in said.splitlines() if "not measured" in line]
    assert len(notes) == (form != "empty")
    if form in ("rad", "old", "seed"):
        assert first["seen"]["how"] == "downlinked"
        assert first["seen"]["x"] == pytest.approx(CORNERS["track"][0] + 8, abs=0.1)
    else:
        assert first["seen"] is None
    assert len(first["rows"]) == (0 if form == "empty" else 2)
    assert all(row["pairs"] == np.count_nonzero(row["exposure"] == MAPPING) for row in first["rows"])


def test_built_in_references_measure_the_star(tmp_path, capsys):
    found = record_of(capsys, guide_file(tmp_path), "--builtin")
    x, y = CORNERS["track"]
    assert found["seen"]["how"] == "measured"
    assert (found["seen"]["x"], found["seen"]["y"]) == pytest.approx((x + 8, y + 8), abs=0.05)


@pytest.mark.parametrize("form", ["rad", "old", "seed"])
def test_phases_qualities_and_stars_of_face(form, tmp_path, capsys):
    found = record_of(capsys, face_file(tmp_path, form))
    assert [(one["phase"], one["pairs"], one["used"]) for one in found["rows"]] == [
        ("WIM_ACQ_VW", ACQUIRED // 2, ACQUIRED // 2),
        ("WIM_ACQ_NA", ACQUIRED // 2, ACQUIRED // 2),
        ("WIM_TRK", len(MAPPING), len(MAPPING)),
    ]
    assert found["quality"] == {"AQ_DOF_3": ACQUIRED + len(MAPPING)}
    assert found["stars"] == [18, 18]


def test_a_face_without_rows_is_a_table_without_rows_and_one_warning(tmp_path, capsys):
    assert tool("gw", "info", face_file(tmp_path, change=lambda tree: tree.update(face_data={}))) == 0
    printed, said = capsys.readouterr()
    assert printed.startswith("guide_window_id\t") and len(printed.splitlines()) == 1
    assert said.count("no row") == 1


def test_science_files_beside_are_matched_by_window_detector_and_exposure(made, tmp_path, capsys):
    windows = shutil.copy(made, tmp_path)
    own = science(tmp_path, 2)
    science(tmp_path, 1, window=f"{VISIT}2")
    science(tmp_path, 1, detector="WFI03")
    (tmp_path / f"r{VISIT}_0002_wfi02_f158_uncal.txt").touch()
    rows = record_of(capsys, windows)["rows"]
    assert [row["science"] for row in rows] == ["", own.name]


def test_science_files_are_given_and_those_that_belong_nowhere_are_named(made, tmp_path, capsys):
    (tmp_path / "far").mkdir()
    own, other = science(tmp_path / "far", 1), science(tmp_path / "far", 9)
    (tmp_path / "list").write_text(f"{own}\n{other}\n")
    capsys.readouterr()
    assert tool("gw", "info", made, "--science", f"@{tmp_path}/list", "--json") == 0
    printed, said = capsys.readouterr()
    assert json.loads(printed)["science"] == [own.name]
    assert [line for line in said.splitlines() if "belongs to none" in line] == [
        f"rt-gw info: warning: {other}: belongs to none of these guide windows"
    ]
    assert tool("gw", "info", made, "--science", tmp_path / "nowhere.asdf") == 3


def test_exposures_that_a_file_does_not_number_are_matched_by_time(tmp_path, capsys):
    windows = guide_file(tmp_path, change=lambda tree: tree["track_data"].pop("exposure_mapping"))
    window = record_of(capsys, windows)["window_id"]
    at = {"start_time": "2027-06-01T12:00:12.000", "end_time": "2027-06-01T12:00:20.000"}
    inside = science(tmp_path, 1, window=window, detector="WFI06", **at)
    found = record_of(capsys, windows, "--science", inside)
    assert [(row["exposure"], row["science"]) for row in found["rows"]] == [(0, inside.name)]


def test_on_a_terminal_everything_is_told(made, tmp_path, monkeypatch):
    face = made.with_name(made.name.replace("_gw", "_face"))
    monkeypatch.setenv("COLUMNS", "140")
    text = shown(monkeypatch, made, face)
    for word in ("expected at", "measured at", "electron/s in the window", "WIM_TRACK", "window of", "min_bind",
                 "reset_read", "WIM_TRK", "AQ_DOF_3", "18 stars", made.name, face.name):  # fmt: skip
        assert word in text, word
    lines = [line.split() for line in text.splitlines()]
    assert ["1", "64", "47"] in [[line[0], *line[3:5]] for line in lines if len(line) > 6]
    assert "-1 " not in text and "\n  -1" in shown(monkeypatch, made, "--gaps")


def test_in_a_pipe_there_is_a_row_for_each_exposure_and_phase(made, capsys):
    face = made.with_name(made.name.replace("_gw", "_face"))
    capsys.readouterr()
    assert tool("gw", "info", made, face) == 0
    head, *rows = (line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert head[:6] == ["filename", "guide_window_id", "detector", "element", "phase", "exposure"]
    assert [(row[0], row[4]) for row in rows] == [(made.name, "track")] * 2 + [
        (face.name, phase) for phase in ("WIM_ACQ_VW", "WIM_ACQ_NA", "WIM_TRK")
    ]


def test_a_table_is_written(made, tmp_path):
    target = tmp_path / "x.ecsv"
    assert tool("gw", "info", made, "-o", target, "--gaps", "-q") == 0
    table = read_catalog(target)
    assert list(table["exposure"]) == [-1, 1, -2, 2, -3]
    assert str(table["start"].unit) == "d"


def test_other_products_are_refused_by_their_kind(made, tmp_path, capsys):
    image = science(tmp_path, 1)
    assert tool("gw", "info", image) == 3
    assert "is of kind l2_image, wanted l1_gw (_gw) or l1_face (_face)" in capsys.readouterr().err
    assert tool("gw", "info", made, "--plot", tmp_path / "x.png") == 2
