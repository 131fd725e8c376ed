"""rt-gw face: the series, statistics of phases and exposures, filters, motion at a place, the sign of FACE."""

import json

import numpy as np
import pytest
from astropy.table import Table

from rtools.products.tables import read_catalog
from rtools.wfi.fgs import displacement, place_in_field
from rtools.wfi.frame import BORDER, CENTRE
from rtools.wfi.guide import GUIDE_TABLES
from rtools.wfi.units import DAY_S, MAS
from tests.support.guide_files import ACQUIRED, MAPPING, VISIT, ends_of, face_file, guide_file, guide_parts, text
from tests.support.small_files import tool, write

pytestmark = pytest.mark.slow

TRACK = GUIDE_TABLES[1]
ROWS = ACQUIRED + len(MAPPING)
RNG = np.random.default_rng(29)
TURNS = RNG.normal(0, 8 * MAS, (3, ROWS)) * np.array([[1], [1], [20]])


def turning(tree):
    """Rotations of `TURNS` in a FACE file."""
    tree["face_data"] |= {
        name: turn.astype("f4") for name, turn in zip(("delta", "epsilon", "zeta"), TURNS, strict=True)
    }


def following(sign):
    """Downlinked centroids of WFI06 that move as `TURNS` says, or against it."""

    def change(tree):
        centroids = tree["centroid"]["track_centroids"]
        place = place_in_field("WFI06", 1032 - BORDER, 2032 - BORDER)
        moved = np.stack(displacement(place, *TURNS[:, ACQUIRED:], sign=sign), axis=1)
        centroids[:] = np.array([1032, 2032]) + moved

    return change


@pytest.fixture
def face(tmp_path):
    """A FACE file whose guide-window file is not beside it."""
    return face_file(tmp_path, change=turning)


def table_of(capsys, *args):
    """The record that rt-gw face prints, its rows as a table."""
    assert tool("gw", "face", *args, "--json") == 0
    record = json.loads(capsys.readouterr().out)
    return record, Table(record["rows"])


def warnings_of(capsys):
    return [line for line in capsys.readouterr().err.splitlines() if "warning" in line]


def test_the_series_has_all_columns_of_the_file_and_angles_of_use(face, capsys):
    _, table = table_of(capsys, face)
    assert len(table) == ROWS and table["phase"][0] == "WIM_ACQ_VW" and table["phase"][-1] == "WIM_TRK"
    assert table["delta"] == pytest.approx(TURNS[0].astype("f4"))
    assert table["delta_mas"] == pytest.approx(TURNS[0] / MAS, rel=1e-6)
    assert table["zeta_arcsec"] == pytest.approx(TURNS[2] / MAS / 1000, rel=1e-6)
    assert "dx" not in table.colnames


def test_a_table_in_a_file_has_units(face, tmp_path):
    assert tool("gw", "face", face, "--outdir", tmp_path) == 0
    found = read_catalog(tmp_path / f"{face.stem}_series.parquet")
    assert len(found) == ROWS and str(found["delta_mas"].unit) == "mas" and found["good"].all()


def test_phases_have_their_statistics(face, capsys):
    _, table = table_of(capsys, face, "--show", "phases")
    assert table["phase"].tolist() == ["WIM_ACQ_VW", "WIM_ACQ_NA", "WIM_TRK"]
    assert table["rows"].tolist() == table["good"].tolist() == [ACQUIRED // 2, ACQUIRED // 2, len(MAPPING)]
    assert table["delta_rms"][2] == pytest.approx(np.std(TURNS[0, ACQUIRED:] / MAS, ddof=1), rel=1e-5)
    assert table["epsilon_mean"][2] == pytest.approx(np.mean(TURNS[1, ACQUIRED:] / MAS), rel=1e-4)
    assert table["zeta_edge_rms"][2] == pytest.approx(np.std(TURNS[2, ACQUIRED:], ddof=1) * 1337e3, rel=1e-4)
    assert table["qualities"][2] == f"AQ_DOF_3 {len(MAPPING)}" and table["gaps"].tolist() == [0, 0, 0]


def test_exposures_are_those_of_the_guide_window_that_the_file_names(face, tmp_path, capsys):
    guide_file(tmp_path)
    _, table = table_of(capsys, face, "--show", "exposures", "--at", "WFI06")
    assert table["exposure"].tolist() == [1, 2] and table["rows"].tolist() == [32, 32]
    mine = np.flatnonzero(MAPPING == 2) + ACQUIRED
    assert table["delta_rms"][1] == pytest.approx(np.std(TURNS[0, mine] / MAS, ddof=1), rel=1e-5)
    dx, _ = displacement(place_in_field("WFI06", CENTRE, CENTRE), *TURNS[:, mine])
    assert table["dx_rms"][1] == pytest.approx(np.std(dx, ddof=1), rel=1e-4)
    # from half a cycle before the first pair to half a cycle after the last
    assert table["t_end"][1] - table["t_begin"][1] == pytest.approx(32 * TRACK.cycle_s, abs=0.003)


def science(path, number, first, last, window=VISIT + "1"):
    """A science file of an exposure between two seconds."""
    return write(path, "l2_image", {}, observation={"exposure": number}, guide_star={"guide_window_id": window},
                 exposure={"start_time": text(first), "end_time": text(last)})  # fmt: skip


def test_exposures_are_those_of_science_files_of_the_same_acquisition(face, tmp_path, capsys):
    own = science(tmp_path / "a_cal.asdf", 4, 12.0, 15.0)
    other = science(tmp_path / "b_cal.asdf", 5, 15.0, 20.0, window="9" * 20)
    _, table = table_of(capsys, face, "--show", "exposures", "--science", own, "--science", other)
    assert table["exposure"].tolist() == [4]
    assert (table["t_begin"][0], table["t_end"][0]) == pytest.approx((12.0, 15.0), abs=1e-3)
    assert table["rows"][0] == pytest.approx(3.0 / TRACK.cycle_s, abs=1)


def test_a_time_is_an_exposure_where_nothing_else_is_one(face, capsys):
    _, table = table_of(capsys, face, "--show", "exposures", "--time", "12,15")
    assert table["exposure"].tolist() == [0] and table["rows"][0] == pytest.approx(3.0 / TRACK.cycle_s, abs=1)
    assert tool("gw", "face", face, "--show", "exposures") == 3
    assert "--gw, --science or --time" in capsys.readouterr().err


def test_filters_leave_rows_out(tmp_path, capsys):
    def change(tree):
        tree["face_data"]["attitude_estimate_quality"][10:14] = "AQ_TOO_FEW_STARS"

    path = face_file(tmp_path, change=change)
    seconds = np.concatenate([np.mean(ends_of(part), axis=0) for part in guide_parts().values()])
    expected = {
        ("--quality", "AQ_DOF_*"): ROWS - 4,
        ("--quality", "aq_too_few_stars"): 4,
        ("--phase", "WIM_TRK"): len(MAPPING),
        ("--phase", "WIM_ACQ_*", "--quality", "AQ_DOF_3"): ACQUIRED - 4,
        ("--time", "5,12"): int(((seconds > 5) & (seconds < 12)).sum()),
        ("--time", f"{text(5)},"): int((seconds > 5).sum()),
        ("--time", f",{text(12)}"): int((seconds < 12).sum()),
    }
    found = {words: table_of(capsys, path, *words)[1] for words in expected}
    assert {words: len(table) for words, table in found.items()} == pytest.approx(expected, abs=1)
    _, phases = table_of(capsys, path, "--show", "phases")
    assert (phases["rows"][0], phases["good"][0]) == (16, 12)
    assert phases["qualities"][0] == "AQ_DOF_3 12, AQ_TOO_FEW_STARS 4"


@pytest.mark.parametrize(
    "words",
    [("--time", "5"), ("--time", "9,3"), ("--time", "noon,"), ("--at", "WFI19"), ("--at", "WFI01,3"),
     ("--at", "WFI01,5000,3"), ("--quality", "AQ_FINE"), ("--phase", "TRACKING"), ("--science", "x_cal.asdf"),
     ("--show", "phases", "--plot", "-")],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(face, words):
    assert tool("gw", "face", face, *words) == 2


@pytest.mark.parametrize(("sign", "other"), [(1, "-"), (-1, "+")])
def test_centroids_tell_the_sign_of_the_motion_at_a_place(face, sign, other, tmp_path, capsys):
    guide_file(tmp_path, change=following(sign))
    record, table = table_of(capsys, face, "--at", "WFI11,100,4000.5")
    (found,) = record["centroids"]
    assert record["face_sign"] == sign == found["sign"] and found["detector"] == "WFI06"
    assert found["slope"] == pytest.approx(sign, abs=0.01) and found["lag_s"] == pytest.approx(0, abs=0.02)
    dx, dy = displacement(place_in_field("WFI11", 100 - BORDER, 4000.5 - BORDER), *TURNS, sign=sign)
    assert table["dx"] == pytest.approx(dx, rel=1e-4, abs=1e-6) and table["dy"] == pytest.approx(dy, rel=1e-4, abs=1e-6)
    _, against = table_of(capsys, face, "--at", "WFI11,100,4000.5", "--face-sign", other)
    assert against["dx"] == pytest.approx(-table["dx"])


def test_without_a_sign_plus_is_taken_and_said(face, tmp_path, capsys):
    assert tool("gw", "face", face, "--at", "7") == 0
    (line,) = warnings_of(capsys)
    assert "sign of FACE is unknown (no guide-window file beside it); + is taken" in line
    guide_file(tmp_path)  # its centroids are noise
    assert tool("gw", "face", face, "--at", "7") == 0
    assert "centroids do not follow FACE" in warnings_of(capsys)[0]
    assert tool("gw", "face", face, "--at", "7", "--face-sign", "+") == 0
    assert warnings_of(capsys) == []


def test_centroids_of_another_acquisition_say_nothing(face, tmp_path, capsys):
    def change(tree):
        following(-1)(tree)
        tree["meta"]["guide_window_id"] = "9" * 20

    other = guide_file(tmp_path / "other_gw.asdf", change=change)
    record, _ = table_of(capsys, face, "--gw", other, "--at", "WFI06")
    assert record["centroids"] == [] and record["face_sign"] == 1


@pytest.mark.parametrize("form", ["old", "seed"])
@pytest.mark.parametrize("show", ["series", "phases", "exposures"])
def test_files_of_every_age_are_read(form, show, tmp_path, capsys):
    path, guide = face_file(tmp_path, form), guide_file(tmp_path / "x_gw.asdf", form)
    _, table = table_of(capsys, path, "--gw", guide, "--show", show)
    assert len(table) == {"series": ROWS, "phases": 3, "exposures": 2}[show]


@pytest.mark.parametrize("show", ["series", "phases", "exposures"])
def test_a_file_without_rows_gives_a_table_without_rows_and_one_warning(show, tmp_path, capsys):
    path = face_file(tmp_path, change=lambda tree: tree.update(face_data={}))
    out = tmp_path / "out.ecsv"
    assert tool("gw", "face", path, "--show", show, "--at", "WFI06", "-o", out) == 0
    (line,) = warnings_of(capsys)
    assert "no row" in line
    table = Table.read(out)
    assert (
        len(table) == 0 and {"series": "delta_mas", "phases": "zeta_edge_rms"}.get(show, "exposure") in table.colnames
    )


@pytest.mark.parametrize("form", ["dark", "empty"])
def test_guide_windows_without_centroids_tell_exposures_but_no_sign(form, tmp_path, capsys):
    path = face_file(tmp_path)
    guide_file(tmp_path, form)
    record, table = table_of(capsys, path, "--show", "exposures", "--at", "WFI06")
    assert len(table) == (2 if form == "dark" else 0)
    assert record["centroids"][0]["pairs"] == 0 and record["face_sign"] == 1


def test_several_files_are_one_table_with_their_names(face, tmp_path, capsys):
    (tmp_path / "b").mkdir()
    other = face_file(tmp_path / "b" / "other_face.asdf")
    assert tool("gw", "face", face, other, "--show", "phases") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("filename\tphase") and len(lines) == 7


@pytest.mark.slow
def test_rotations_are_drawn(face, tmp_path):
    assert tool("gw", "face", face, "--at", "WFI06", "--plot", tmp_path / "face.png", "-q") == 0
    assert (tmp_path / "face.png").read_bytes().startswith(b"\x89PNG")


def test_dates_of_a_table_are_those_of_the_file(face, capsys):
    _, table = table_of(capsys, face)
    assert (table["mjd"][-1] - table["mjd"][0]) * DAY_S == pytest.approx(table["t"][-1] - table["t"][0], abs=1e-4)
