"""rt-diff: what differs, what is left out, tolerances, worst pixels, exit codes."""

import copy
import json

import asdf
import numpy as np
import pytest
from astropy.time import Time, TimeDelta

from tests.support.guide_files import face_file, guide_file
from tests.support.runs import piped
from tests.support.small_files import tool, write

RNG = np.random.default_rng(21)
META = {
    "filename": "a_cal.asdf",
    "file_date": "2027-01-01T00:00:00.000",
    "calibration_software_version": "1",
    "cal_logs": ["a"],
    "exposure": {"type": "WFI_IMAGE", "read_pattern": [[1], [2, 3]], "ma_table_number": 3},
    "statistics": {"image_median": 0.5, "image_rms": float("nan")},
}
PARTS = {
    "data": RNG.normal(5, 1, (70, 60)).astype("f4"),
    "dq": RNG.choice(np.array([0, 0, 4], "u4"), (70, 60)),
    "err": np.full((70, 60), 0.1, "f2"),
    "amp33": RNG.integers(0, 60000, (3, 70, 8)).astype("u2"),
}
PARTS["data"][2, 3] = np.nan


@pytest.fixture
def pair(tmp_path):
    """``pair(change)``: paths of a product and of one changed by ``change(meta, parts)``, which works in place."""

    def make(change=lambda meta, parts: None, **settings):
        meta, parts = copy.deepcopy(META), copy.deepcopy(PARTS)
        change(meta, parts)
        first = write(tmp_path / "a_cal.asdf", "l2_image", PARTS, **META)
        return first, write(tmp_path / "b_cal.asdf", "l2_image", parts, **settings, **meta)

    return make


def differences(capsys, *args):
    """What rt-diff prints as JSON; the status agrees."""
    status = tool("diff", *args, "--json")
    found = json.loads(capsys.readouterr().out)
    assert status == int(not found["same"])
    return found


def keys(found):
    return [entry["key"] for entry in found["metadata"]], [entry["array"] for entry in found["arrays"]]


@pytest.mark.parametrize("compression", [None, "lz4", "zlib"])
def test_the_same_content_is_the_same(pair, compression, capsys):
    def change(meta, parts):
        meta |= {"filename": "b", "file_date": "2028-01-01T00:00:00.000", "calibration_software_version": "2"}
        meta |= {"cal_logs": ["b", "c"], "calibration_software_name": "new"}
        parts["data"] = parts["data"].astype(">f4")

    first, second = pair(change, compression=compression)
    assert tool("diff", first, second) == 0
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_all_compares_what_is_left_out(pair, capsys):
    first, second = pair(lambda meta, parts: meta.update(filename="b", cal_logs=["b"]))
    found = differences(capsys, first, second, "--all")
    assert {*keys(found)[0]} == {"meta.filename", "meta.cal_logs.0"}


@pytest.mark.filterwarnings("ignore:.*is not recognized")
def test_history_counts_only_with_all(pair, capsys):
    first, second = pair()
    with asdf.config_context() as config:
        config.validate_on_read = False
        with asdf.open(second) as file:
            file.add_history_entry("something was done")
            file.write_to(second.with_name("c_cal.asdf"))
    assert tool("diff", first, second.with_name("c_cal.asdf")) == 0
    found = differences(capsys, first, second.with_name("c_cal.asdf"), "--all")
    assert keys(found)[0] == ["history.entries"]


def test_metadata_by_key(pair, capsys):
    def change(meta, parts):
        meta["exposure"] |= {"type": "WFI_GRISM", "read_pattern": [[1], [2, 4]], "ma_table_number": True, "more": 1}
        meta["statistics"]["image_median"] = 0.5 + 1e-9
        del meta["statistics"]["image_rms"]

    found = differences(capsys, *pair(change))
    entries = {entry.pop("key"): entry for entry in found["metadata"]}
    assert entries == {
        "meta.exposure.type": {"a": "WFI_IMAGE", "b": "WFI_GRISM"},
        "meta.exposure.read_pattern.1.1": {"a": 3, "b": 4},
        "meta.exposure.ma_table_number": {"a": 3, "b": True},
        "meta.exposure.more": {"only_in": "b", "b": 1},
        "meta.statistics.image_median": {"a": 0.5, "b": 0.5 + 1e-9},
        "meta.statistics.image_rms": {"only_in": "a", "a": "nan"},
    }


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        (["meta.exposure"], ["meta.statistics.image_median"]),
        (["exposure.*", "statistics"], []),
        (["meta.*.type,*.image_*"], []),
        (["type"], ["meta.exposure.type", "meta.statistics.image_median"]),
        (["meta.*,data"], []),
    ],
)
def test_ignore_takes_globs_and_all_below(pair, patterns, left, capsys):
    def change(meta, parts):
        meta["exposure"]["type"] = "WFI_PRISM"
        meta["statistics"]["image_median"] = 7

    args = [word for pattern in patterns for word in ("--ignore", pattern)]
    assert keys(differences(capsys, *pair(change), *args)) == (left, [])


def test_worst_pixels_x_first(pair, capsys):
    def change(meta, parts):
        parts["data"][10, 20] += 1
        parts["data"][30, 40] -= 3
        parts["data"][50, 59] += 2
        parts["data"][2, 4] = np.nan

    first, second = pair(change)
    (found,) = differences(capsys, first, second, "--worst", 3)["arrays"]
    assert (found["array"], found["differing"], found["one_nan"], found["size"]) == ("data", 4, 1, 4200)
    assert found["largest"] == pytest.approx(3, abs=1e-6)
    assert [entry["index"] for entry in found["worst"]] == [[2, 4], [30, 40], [50, 59]]
    assert found["worst"][1]["a"] == PARTS["data"][30, 40]
    assert tool("diff", first, second, "--worst", 2) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("data: 4 of 4200 values differ (0.0952 %), by 3 at most")
    assert lines[1].split() == ["x", "y", "x_l1", "y_l1", "A", "B", "B", "-", "A"]
    assert lines[3].split()[:2] == ["40", "30"]
    assert float(lines[3].split()[-1]) == pytest.approx(-3)
    assert lines[-1] == "differ: 0 keys, 1 array"


@pytest.mark.parametrize(("args", "status"), [
    (["--atol", "0.011"], 0), (["--atol", "0.009"], 1), (["--rtol", "0.1"], 0), (["--rtol", "1e-4"], 1),
])  # fmt: skip
def test_differences_within_the_tolerance_are_none(pair, args, status):
    def change(meta, parts):
        parts["data"] = parts["data"] + np.float32(0.01)
        meta["statistics"]["image_median"] += 1e-5

    first, second = pair(change)
    assert tool("diff", first, second, *args, "--ignore", "statistics") == status
    assert tool("diff", first, second, "--atol", "0.011") == 0


def test_infinity_is_within_no_tolerance(pair, capsys):
    first, second = pair(lambda meta, parts: parts["data"].__setitem__((5, 5), np.inf))
    (found,) = differences(capsys, first, second, "--rtol", "0.5")["arrays"]
    assert found["worst"][0]["index"] == [5, 5]
    assert found["worst"][0]["b"] == "inf"
    assert found["largest"] is None


def test_flags_are_compared_exactly_and_told_by_name(pair, capsys):
    def change(meta, parts):
        parts["dq"][7, 8] |= 2048
        parts["dq"][9] &= ~np.uint32(4)

    first, second = pair(change)
    (found,) = differences(capsys, first, second, "--atol", "1e9")["arrays"]
    assert found["flags"] == {"HOT": [0, 1], "JUMP_DET": [int((PARTS["dq"][9] == 4).sum()), 0]}
    tool("diff", first, second)
    assert "HOT: 0 in A only, 1 in B only" in capsys.readouterr().out


def test_dtypes_count_without_a_tolerance(pair, capsys):
    first, second = pair(lambda meta, parts: parts.update(err=parts["err"].astype("f4")))
    (found,) = differences(capsys, first, second)["arrays"]
    assert found["dtype"] == ["float16", "float32"]
    assert found["differing"] == 0
    assert tool("diff", first, second, "--rtol", "1e-6") == 0


@pytest.mark.parametrize("other", [np.array(["a"] * 600), np.zeros(600, [("x", "f4")]), np.zeros(600, "S3")])
@pytest.mark.parametrize("args", [[], ["--atol", "1e9"]])
def test_arrays_that_cannot_be_compared_differ(tmp_path, other, args, capsys):
    first = write(tmp_path / "a.asdf", "l2_image", {"x": np.zeros(600), "y": other})
    second = write(tmp_path / "b.asdf", "l2_image", {"x": other, "y": np.zeros(600)})
    found = differences(capsys, first, second, *args)["arrays"]
    assert [list(entry) for entry in found] == [["array", "dtype"]] * 2
    assert tool("diff", first, second, *args) == 1


def test_shapes_and_missing_arrays(pair, capsys):
    def change(meta, parts):
        parts["amp33"] = parts["amp33"][:2]
        parts["chisq"] = parts.pop("err")

    found = {entry.pop("array"): entry for entry in differences(capsys, *pair(change))["arrays"]}
    assert found["amp33"] == {"shape": [[3, 70, 8], [2, 70, 8]]}
    assert found["err"] == {"only_in": "a", "a": "array float16 (70, 60)"}
    assert found["chisq"]["only_in"] == "b"


def test_pixels_of_a_cube_have_a_plane(pair, capsys):
    first, second = pair(lambda meta, parts: parts["amp33"].__setitem__((2, 5, 7), 65535))
    (found,) = differences(capsys, first, second)["arrays"]
    assert found["worst"][0]["index"] == [2, 5, 7]
    tool("diff", first, second)
    assert capsys.readouterr().out.splitlines()[2].split()[:3] == ["7", "5", "2"]


def test_arrays_beyond_a_block_are_compared_to_the_end(pair, monkeypatch, capsys):
    from rtools.products.edit import comparison

    monkeypatch.setattr(comparison, "BLOCK", 500)

    def change(meta, parts):
        parts["data"] += np.arange(70, dtype="f4")[:, None]

    (found,) = differences(capsys, *pair(change, compression="lz4"), "--worst", 61)["arrays"]
    equal = PARTS["data"] == PARTS["data"] + np.arange(70, dtype="f4")[:, None]
    assert found["differing"] == 4200 - equal.sum() - 1
    rows = [entry["index"][0] for entry in found["worst"]]
    assert rows.count(69) + rows.count(68) == 61


def test_records_strings_complex_numbers_and_inline_arrays(pair, capsys):
    def parts_of(number, word):
        table = np.zeros(600, [("x", "f4", (2,)), ("n", "i4")])
        table["x"][3, 1] = number
        texts = np.array(["abc"] * 600)
        texts[5] = word
        values = np.full(600, 1 + 2j)
        values[9] += number
        return {"table": table, "texts": texts, "zeta": values, "few": np.array([1.0, number, np.nan])}

    first, second = pair()
    write(first, "l2_image", parts_of(0, "abc"))
    write(second, "l2_image", parts_of(0, "abc"))
    assert tool("diff", first, second) == 0
    write(second, "l2_image", parts_of(1, "abd"))
    found = {entry["array"]: entry for entry in differences(capsys, first, second)["arrays"]}
    assert {name: entry["differing"] for name, entry in found.items()} == dict.fromkeys(
        ["table", "texts", "zeta", "few"], 1
    )
    assert found["texts"]["worst"] == [{"index": [5], "a": "abc", "b": "abd"}]
    assert found["zeta"]["largest"] == 1
    assert tool("diff", first, second) == 1


def test_another_kind_of_product_differs_in_its_tag(pair, tmp_path, capsys):
    first, _second = pair()
    other = write(tmp_path / "c_wcs.asdf", "wcs", PARTS, **META)
    (found,) = differences(capsys, first, other)["metadata"]
    assert found["key"] == "tag"


def test_wcs_is_compared(tmp_path, capsys):
    from tests.support import samples

    first = write(tmp_path / "a.asdf", "wcs", {"wcs_l2": samples.wcs()})
    assert tool("diff", first, write(tmp_path / "b.asdf", "wcs", {"wcs_l2": samples.wcs()})) == 0
    other = write(tmp_path / "c.asdf", "wcs", {"wcs_l2": samples.wcs(scale=0.1 / 3600)})
    found = differences(capsys, first, other)
    assert found["arrays"] or found["metadata"]
    assert all(key.startswith("wcs_l2.") for part in keys(found) for key in part)


def test_quiet_says_nothing(pair, capsys):
    first, second = pair(lambda meta, parts: meta["exposure"].update(type="WFI_PRISM"))
    assert tool("diff", "-q", first, second) == 1
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


@pytest.mark.parametrize("broken", ["missing", "text", "cut"])
def test_what_cannot_be_read_is_exit_3(pair, broken, capsys):
    first, second = pair(compression="lz4")
    if broken == "missing":
        second.unlink()
    elif broken == "text":
        second.write_text("no product")
    else:
        second.write_bytes(second.read_bytes()[:-3000])
    assert tool("diff", first, second) == 3
    assert tool("diff", second, first) == 3
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_json_is_empty_no_more_for_what_cannot_be_read(pair, capsys):
    first, second = pair()
    second.unlink()
    assert tool("diff", "--json", first, second) == 3
    told = json.loads(capsys.readouterr().out)
    failed = {"status": "failed", "error": f"{second}: no such file", "exit_code": 3}
    assert told == {"a": str(first), "b": str(second)} | failed


def test_one_of_two_may_come_from_standard_input(pair, monkeypatch):
    first, second = pair()
    with piped(monkeypatch, first.read_bytes()):
        assert tool("diff", "-", second) == 0
    assert tool("diff", "-", "-") == 2


@pytest.mark.parametrize("args", [["--rtol", "-1"], ["--atol", "nan"], ["--worst", "-1"]])
def test_wrong_values_are_usage_errors(pair, args, capsys):
    assert tool("diff", *pair(), *args) == 2


# -- times -----------------------------------------------------------------------------------------------------------


def later(seconds):
    """A change of a guide-window file: the times of every third pedestal are later."""

    def change(tree):
        section = tree["track_data"]
        section["pedestal_times"] = [
            time + TimeDelta(seconds, format="sec") if place % 3 == 0 else time
            for place, time in enumerate(section["pedestal_times"])
        ]

    return change


def test_lists_of_times_are_told_as_one_array_in_seconds(tmp_path, capsys):
    first = guide_file(tmp_path / "a_gw.asdf")
    second = guide_file(tmp_path / "b_gw.asdf", change=later(0.002))
    found = differences(capsys, first, second, "--worst", 1)
    assert keys(found) == ([], ["track_data.pedestal_times"])
    told = found["arrays"][0]
    assert (told["size"], told["differing"], told["largest"], told["unit"]) == (112, 38, 0.002, "s")
    assert told["worst"] == [
        {"index": [0], "a": "2027-06-01T12:00:10.356", "b": "2027-06-01T12:00:10.358", "seconds": 0.002}
    ]
    assert tool("diff", first, second) == 1
    assert "by 0.002 s at most" in capsys.readouterr().out


def test_times_within_a_tolerance_are_the_same(tmp_path, capsys):
    first = guide_file(tmp_path / "a_gw.asdf")
    second = guide_file(tmp_path / "b_gw.asdf", change=later(0.002))
    assert differences(capsys, first, second, "--within", 0.002)["same"]
    assert not differences(capsys, first, second, "--within", 0.0019)["same"]
    assert not differences(capsys, first, second, "--atol", 1)["same"]  # no seconds


def test_times_written_in_another_way_are_the_same(tmp_path, capsys):
    """A list of texts, and one node of many; UTC and TAI."""

    def change(tree):
        tree["track_data"]["pedestal_times"] = Time(tree["track_data"]["pedestal_times"])
        tree["track_data"]["signal_times"] = Time(tree["track_data"]["signal_times"]).tai
        tree["meta"]["t_start"] = tree["meta"]["t_start"].tai

    first = guide_file(tmp_path / "a_gw.asdf")
    assert differences(capsys, first, guide_file(tmp_path / "b_gw.asdf", change=change))["same"]


def test_single_times_have_the_tolerance_too(tmp_path, capsys):
    def change(tree):
        tree["meta"]["t_start"] += TimeDelta(0.5, format="sec")

    first, second = guide_file(tmp_path / "a_gw.asdf"), guide_file(tmp_path / "b_gw.asdf", change=change)
    assert keys(differences(capsys, first, second)) == (["meta.t_start"], [])
    assert differences(capsys, first, second, "--within", 1)["same"]


def test_lost_times_and_other_lengths_are_told(tmp_path, capsys):
    def change(tree):
        tree["centroid"]["track_centroid_times"][4] = None
        tree["acq_data"]["signal_times"] = tree["acq_data"]["signal_times"][:-1]

    first, second = guide_file(tmp_path / "a_gw.asdf"), guide_file(tmp_path / "b_gw.asdf", change=change)
    found = {told["array"]: told for told in differences(capsys, first, second)["arrays"]}
    assert found["acq_data.signal_times"]["shape"] == [[32], [31]]
    assert found["centroid.track_centroid_times"]["one_nan"] == 1
    assert found["centroid.track_centroid_times"]["largest"] is None


def test_phases_are_told_as_one_array(tmp_path, capsys):
    def change(tree):
        tree["face_data"]["fgs_op_phase"][40:60] = ["WIM_DFC"] * 20

    first, second = face_file(tmp_path / "a_face.asdf"), face_file(tmp_path / "b_face.asdf", change=change)
    found = differences(capsys, first, second)
    assert keys(found) == ([], ["face_data.fgs_op_phase"])
    assert found["arrays"][0]["differing"] == 20


def test_within_is_a_number_of_seconds():
    assert tool("diff", "a", "b", "--within", "-1") == 2
