"""Guide-window and FACE files: right ones of every age have no finding; every planted fault is found where it is."""

from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
from astropy.time import TimeDelta

from rtools.products.check import check_file
from rtools.products.check.face import check_face
from rtools.products.check.guide import check_guide
from rtools.products.io import open_product
from tests.support.guide_files import FACE_NAME, GUIDE_NAME, face_file, guide_file
from tests.support.share import some_slow


def told(findings, *severities):
    """(severity, where) of findings, in the order of the file's checks."""
    return [(one.severity, one.where) for one in findings if one.severity in (severities or ("error", "warning"))]


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (guide_file, {}),
        (guide_file, {"form": "old"}),
        (guide_file, {"form": "seed"}),
        (guide_file, {"form": "dark"}),
        (guide_file, {"spectroscopic": True}),
        (face_file, {}),
        (face_file, {"form": "old"}),
        (face_file, {"form": "seed"}),
    ],
)
def test_right_files_of_every_age_have_no_finding(tmp_path, make, options):
    """Windows of acquisition and tracking have other sizes, and so has their reference output."""
    report = check_file(make(tmp_path, **options))
    assert told(report.findings) == []
    assert "guide" in report.checked
    remarks = {one.where for one in report.findings}
    assert bool(remarks) == (options.get("form") in ("old", "seed") and (make, options["form"]) != (face_file, "old"))


def test_old_spellings_are_remarks(tmp_path):
    found = told(check_file(guide_file(tmp_path, "seed")).findings, "info")
    assert {("info", "centroids"), ("info", "centroids.track_centroids"), ("info", "acq_data.pedestal_times")} <= set(
        found
    )
    assert len(found) == len(set(found))
    found = told(check_file(face_file(tmp_path, "seed")).findings, "info")
    assert set(found) == {
        ("info", f"face_data.{name}")
        for name in ("num_stars_used", "num_centroid_cycles", "fgs_op_phase", "centroid_times")
    }  # fmt: skip


def test_quick_reads_no_array(tmp_path):
    report = check_file(
        guide_file(tmp_path, change=lambda tree: tree["track_data"]["exposure_mapping"].fill(0)), quick=True
    )
    assert told(report.findings) == []
    assert "guide" not in report.checked


def put(path, value):
    """A change that puts a value at a dotted path; a function is asked for it with what is there."""

    def change(tree):
        *groups, last = path.split(".")
        for group in groups:
            tree = tree[group]
        tree[last] = value(tree.get(last)) if callable(value) else value

    return change


def at(index, value):
    """What an array becomes with one element changed."""

    def changed(array):
        array = list(array) if isinstance(array, list) else array.copy()
        array[index] = value
        return array

    return changed


def swapped(times):
    """A list of times, two of them in the wrong order."""
    return [*times[:20], times[21], times[20], *times[22:]]


class Fault(NamedTuple):
    """What is found, where, and what was done for it: values at places, by default at that one."""

    severity: str
    where: str
    values: object

    def plant(self, tree):
        values = self.values if isinstance(self.values, Several) else {self.where: self.values}
        for path, value in values.items():
            put(path, value)(tree)


class Several(dict):
    """Values at other places."""


error, warning = partial(Fault, "error"), partial(Fault, "warning")
QUALITY, CORNERS = "centroid.track_centroid_quality", "track_data.upper_right_corners"
IMPACTED, SIGNALS = "track_data.reset_impacted_pairs", "track_data.signal_resultants"
PEDESTAL_TIMES, SIGNAL_TIMES = "track_data.pedestal_times", "track_data.signal_times"
WINDOWS = "meta.guide_window"
LATE = TimeDelta(60, format="sec")

FAULTS = {
    "lengths": error("track_data.reset_read_flag", lambda flags: flags[:-1]),
    "amp33 lengths": error("amp33.amp33_track_signals", lambda pixels: pixels[1:]),
    "amp33 rows": error("amp33.amp33_track_signals", lambda pixels: pixels[:, 1:]),
    "centroids' length": error("centroid.track_centroids", lambda places: places[:5]),
    "size of a window": error(CORNERS, at(3, [1041, 2040])),
    "windows differ": error(SIGNALS, lambda pixels: pixels[:, 1:]),
    "signal before pedestal": error(SIGNAL_TIMES, lambda times: at(3, times[2] + LATE / 60000)(times)),
    "times go back": error(PEDESTAL_TIMES, Several({PEDESTAL_TIMES: swapped, SIGNAL_TIMES: None})),
    "no time": error(PEDESTAL_TIMES, at(4, "soon")),
    "stages overlap": error(PEDESTAL_TIMES, Several({
        f"acq_data.{name}_times": lambda times: [one + LATE for one in times] for name in ("pedestal", "signal")})),
    "exposure 0": error("track_data.exposure_mapping", at(4, 0)),
    "exposures out of order": warning("track_data.exposure_mapping", lambda runs: -runs),
    "cadence": warning(PEDESTAL_TIMES, Several({"meta.track_gw_cycles_per_sci_read": 15})),
    "least x": warning(f"{WINDOWS}.min_track_xstart", 1),
    "largest y": warning(f"{WINDOWS}.max_acq_ystop", 1),
    "size": warning(f"{WINDOWS}.acq_xsize", 16),
    "spoiled without reset": warning(IMPACTED, at(0, True)),
    "many spoiled": warning(IMPACTED, at(slice(20, 23), True)),
    "edge with a filter": warning("edge_acq_data", {"pedestal_resultants": np.zeros((3, 20, 20), "u2")}),
    "edge used with a filter": warning("meta.wsm_edge_used", "blue"),
    "no arrays": warning("acq_data", {}),
    "word of quality": warning(QUALITY, at(3, "SPLENDID")),
    "no word": warning(QUALITY, at(3, "")),
    "word without centroid": warning(QUALITY, Several({"centroid.track_centroids": at(3, np.nan)})),
    "centroid outside": warning("centroid.track_centroids", at(3, [1045, 2030])),
    "negative variance": warning("centroid.track_centroid_errs", at((3, 1), -1)),
    "name of FACE": warning("meta.avg_face_filename", GUIDE_NAME),
    "acquisition of FACE": warning("meta.avg_face_filename", FACE_NAME.replace("_1_", "_2_")),
    "identifier": warning("meta.guide_window_id", "x"),
    "acquisition": warning("meta.guide_window_id", Several({"meta.guide_star_acq_num": 2})),
    "modes": warning("meta.fgs_modes_used", ["WSM_TRK"]),
}  # fmt: skip


@pytest.mark.parametrize("fault", some_slow(FAULTS, 10))
def test_every_fault_of_a_guide_window_file_is_found_and_no_other(tmp_path, fault):
    planted = FAULTS[fault]
    found = told(check_guide(open_product(guide_file(tmp_path, change=planted.plant))))
    assert found == [(planted.severity, planted.where)]


def test_windows_outside_of_the_frame_are_found(tmp_path):
    def change(tree):
        for name in ("lower_left_corners", "upper_right_corners"):
            tree["track_data"][name][5, 0] += 3060
        tree["meta"]["guide_window"]["max_track_xstop"] = 1040 + 3060
        tree["centroid"]["track_centroids"][5, 0] += 3060

    found = told(check_guide(open_product(guide_file(tmp_path, change=change))))
    assert found == [("error", "track_data.upper_right_corners")]


def test_corners_that_are_turned_round_are_found_without_pixels(tmp_path):
    def change(tree):
        section = tree["track_data"]
        del section["pedestal_resultants"], section["signal_resultants"]
        section["lower_left_corners"], section["upper_right_corners"] = (
            section["upper_right_corners"], section["lower_left_corners"]
        )  # fmt: skip

    found = told(check_guide(open_product(guide_file(tmp_path, change=change))))
    assert ("error", "track_data.upper_right_corners") in found


def test_gaps_are_remarks(tmp_path):
    def change(tree):
        for name in ("pedestal_times", "signal_times"):
            times = tree["track_data"][name]
            tree["track_data"][name] = [*times[:20], *(time + LATE for time in times[20:])]

    found = list(check_guide(open_product(guide_file(tmp_path, change=change))))
    assert [(one.severity, one.where, one.message) for one in found] == [
        ("info", "track_data.pedestal_times", "1 of 112 pairs: after a gap, first at 20")
    ]


def test_a_spectroscopic_file_without_edge_parts_is_remarked(tmp_path):
    def change(tree):
        del tree["edge_acq_data"]

    found = list(check_guide(open_product(guide_file(tmp_path, spectroscopic=True, change=change))))
    assert told(found, "error", "warning", "info") == [("info", "edge_acq_data")]


FILES = "meta.detector_gw_files"
FACE_FAULTS = {
    "lengths": error("face_data.zeta", lambda values: values[1:]),
    "variance": error("face_data.zeta_var", at(3, -1)),
    "variance of residuals": error("face_data.vertical_variance", at(3, -1)),
    "phase": error("face_data.fgs_op_phase", Several({
        "face_data.fgs_op_phase": at(3, "WIM"), "meta.fgs_modes_used": lambda modes: [*modes[:3], "WIM"],
        "meta.ma_table_ids_used": ["GW0001"] * 4, "meta.gw_cycles_per_sci_read_used": [16] * 4})),
    "times": error("face_data.centroid_times", swapped),
    "not finite": warning("face_data.delta2", at(3, np.nan)),
    "quality": warning("face_data.attitude_estimate_quality", at(3, "FINE")),
    "file of another detector": warning(f"{FILES}.WFI07", GUIDE_NAME),
    "no such detector": warning(f"{FILES}.WFI19", Several({FILES: {"WFI19": None}})),
    "name of a window": warning(f"{FILES}.WFI06", FACE_NAME),
    "phases": warning("meta.fgs_modes_used", Several({
        "meta.fgs_modes_used": lambda modes: [*modes[:2], "WIM_DFC"]})),
    "tables": warning("meta.ma_table_ids_used", ["GW0001"]),
    "identifier": warning("meta.guide_window_id", "x"),
    "activity": warning("meta.expected_gw_tracking.WFI06", "REST"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FACE_FAULTS)
def test_every_fault_of_a_face_file_is_found_and_no_other(tmp_path, fault):
    planted = FACE_FAULTS[fault]
    found = told(check_face(open_product(face_file(tmp_path, change=planted.plant))))
    assert found == [(planted.severity, planted.where)]


def test_a_fault_that_the_layout_tells_is_told_once(tmp_path):
    report = check_file(guide_file(tmp_path, change=FAULTS["lengths"].plant))
    assert told(report.findings) == [("error", "track_data.reset_read_flag")]
