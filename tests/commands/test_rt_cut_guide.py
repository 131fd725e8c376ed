"""rt-cut: guide windows with fewer pairs, FACE with fewer rows."""

import numpy as np
import pytest

from rtools.products.check import check_file
from rtools.products.guide import open_face, open_guide
from rtools.products.io import open_product
from tests.support.guide_files import BEGIN, CORNERS, MAPPING, face_file, guide_file, guide_parts, text
from tests.support.runs import records, tool

pytestmark = pytest.mark.slow

SECOND = np.flatnonzero(MAPPING == 2)
FLAGS = ("pedestal_t", "signal_t", "reset_read", "reset_impacted", "packet_counts", "min_bind", "sce_status", "offsets")


def cut(path, *words):
    """A cutout beside a file; its path."""
    target = path.with_name("cut_" + path.name)
    assert tool("cut", path, "-o", target, "-q", *words) == 0
    return target


def complaints_of(path):
    """What rt-validate finds worse than a remark, but for the name, which tests change."""
    return [one for one in check_file(path).findings if one.severity != "info" and one.check != "name"]


@pytest.mark.parametrize("form", ["rad", "old", "seed", "dark"])
def test_an_exposure_keeps_its_pairs_of_tracking_with_all_that_belongs_to_them(form, tmp_path):
    path = guide_file(tmp_path, form)
    made = cut(path, "--exposure", 2, "--stage", "track")
    assert complaints_of(made) == []
    with open_guide(path) as before, open_guide(made) as after:
        whole, part = before.stage("track"), after.stage("track")
        assert after.stage("acq").pairs == 0
        assert part.exposure.tolist() == [2] * len(SECOND)
        np.testing.assert_array_equal(part.signals(0, part.pairs), whole.signals(0, whole.pairs)[SECOND])
        np.testing.assert_array_equal(part.lower, whole.lower[SECOND])
        np.testing.assert_array_equal(part.downlinked().x, whole.downlinked().x[SECOND])
        np.testing.assert_array_equal(part.downlinked().quality, whole.downlinked().quality[SECOND])
        for name in FLAGS[2:]:
            np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[SECOND])
        np.testing.assert_allclose(part.mjd, whole.mjd[SECOND], rtol=0, atol=1e-11)
        if form != "dark":
            np.testing.assert_array_equal(part.amp33_signals(0, 3), whole.amp33_signals(0, 112)[SECOND[:3]])
        assert after.product.tag == before.product.tag


def test_a_range_of_exposures_keeps_all_of_them(tmp_path):
    path = guide_file(tmp_path)
    for words, kept in (("1-2", (1, 2)), ("-3--2,2", (-3, -2, 2)), ("-1-1", (-1, 1))):
        with open_guide(cut(path, "--exposure", words, "--stage", "track", "--overwrite")) as after:
            assert after.stage("track").exposure.tolist() == [one for one in MAPPING if one in kept]


def test_metadata_are_those_of_the_pairs_that_are_left(tmp_path):
    def dithered(tree):
        corners = tree["track_data"]
        for name in ("lower_left_corners", "upper_right_corners"):
            corners[name] = corners[name] + np.where(MAPPING == 2, 30, 0)[:, None].astype("u2")

    path = guide_file(tmp_path, change=dithered)
    with open_guide(cut(path, "--exposure", 2)) as after:
        window = after.meta["guide_window"]
        x, y = CORNERS["track"]
        assert [window[f"{end}_track_{axis}"] for end, axis in (("min", "xstart"), ("max", "ystop"))] == [
            x + 30,
            y + 46,
        ]
        assert window["min_acq_xstart"] == CORNERS["acq"][0]
        assert str(after.meta["t_start"]) == text(0)
        track = guide_parts()["track"]
        ends = track.start + (int(SECOND[-1]) + 1) * track.table.cycle_s
        assert str(after.meta["t_stop"]) == text(ends)
        assert after.meta["fgs_modes_used"] == ["WIM_ACQ_VW", "WIM_ACQ_NA", "WIM_TRK"]


def test_a_stage_that_is_left_out_has_placeholders_and_the_times_begin_with_the_other(tmp_path):
    made = cut(guide_file(tmp_path, spectroscopic=True), "--stage", "track")
    assert complaints_of(made) == []
    with open_guide(made) as after:
        assert [stage.pairs for stage in after.stages] == [0, 112]
        window = after.meta["guide_window"]
        assert (window["min_acq_xstart"], window["acq_xsize"]) == (-999999, -999999)
        assert "edge_acq_xsize" not in window
        assert after.meta["fgs_modes_used"] == ["WSM_TRK"]
        assert abs(
            np.datetime64(str(after.meta["t_start"])) - BEGIN - round(guide_parts(True)["track"].start * 1e3)
        ) <= (np.timedelta64(1, "ms"))


def test_times_are_utc_or_seconds_and_the_end_is_exclusive(tmp_path):
    path = guide_file(tmp_path)
    with open_guide(path) as guide:
        seconds = guide.stage("track").t
    runs = []
    for words in (f"{seconds[5]},{seconds[9]}", f"{text(seconds[5] - 0.05)},{text(seconds[9] - 0.05)}"):
        with open_guide(cut(path, "--time", words)) as after:
            runs.append(after.meta["rtools"]["cutout"]["pairs"])
        path.with_name("cut_" + path.name).unlink()
    assert runs == [{"track": [[5, 9]]}] * 2


def test_a_cutout_of_a_cutout_says_which_pairs_of_the_whole_file_it_has(tmp_path, capsys):
    path = guide_file(tmp_path)
    first = cut(path, "--exposure", 1, "--exposure", 2, "--stage", "track")
    second = tmp_path / "second_gw.asdf"
    capsys.readouterr()
    assert tool("cut", first, "--pairs", "30:34", "-o", second, "--json") == 0
    assert records(capsys.readouterr().out)[0]["pairs"] == {"track": [[30, 34]]}
    with open_product(second) as after:
        told = after.meta["rtools"]["cutout"]
        assert told == {"filename": path.name, "pairs": {"track": [[46, 48], [64, 66]]}}
        assert [entry["parameters"] for entry in after.history[-2:]] == [
            {"exposures": ["1", "2"], "stages": "track"}, {"pairs": "30:34"}
        ]  # fmt: skip


@pytest.mark.parametrize("form", ["rad", "old", "seed"])
def test_face_keeps_the_rows_of_a_span(form, tmp_path):
    path = face_file(tmp_path, form)
    made = cut(path, "--time", "15,20")
    assert complaints_of(made) == []
    with open_face(path) as before, open_face(made) as after:
        rows = np.flatnonzero((before.t >= 15) & (before.t < 20))
        for name in ("delta", "zeta_var", "num_stars_used", "quality", "phase"):
            np.testing.assert_array_equal(getattr(after, name), getattr(before, name)[rows])
        np.testing.assert_allclose(after.mjd, before.mjd[rows], rtol=0, atol=1e-11)
        assert after.meta["fgs_modes_used"] == ["WIM_TRK"]
        assert after.meta["ma_table_ids_used"] == ["GW0002"]
        assert str(after.meta["t_start"]) == text(before.t[rows[0]])
        assert str(after.meta["t_stop"]) == text(before.t[rows[-1]])


def test_another_profile_can_be_asked_for(tmp_path):
    made = cut(guide_file(tmp_path, "old"), "--pairs", "10:20", "--profile", "2.1.0")
    with open_guide(made) as after:
        assert after.product.tag.endswith("guidewindow-2.1.0")
        assert after.stage("track").pairs == 10


def test_dry_run_says_what_would_be_left(tmp_path, capsys):
    path = guide_file(tmp_path)
    assert tool("cut", path, "--pairs", "100:", "-o", tmp_path / "b_gw.asdf", "-n") == 0
    assert "acq 0:32 track 100:112 -> " in capsys.readouterr().out
    assert not (tmp_path / "b_gw.asdf").exists()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--section", "0:4,0:4"), 2, "--section does not go with a _gw file"),
        (("--sky", "270,66,3"), 2, "--sky does not go with a _gw file"),
        (("--pairs", "1:4", "--section", "0:4,0:4"), 2, "what to cut?"),
        (("--pairs", "4:1"), 2, "--pairs 4:1: not valid"),
        (("--time", "soon,"), 2, "'soon' is not a valid time"),
        (("--time", "20,10"), 2, "not later"),
        (("--time", "20"), 2, "not valid"),
        (("--stage", "track,foo"), 2, "no stage is called 'foo'"),
        (("--stage", "acq", "--exposure", "1"), 2, "which --stage leaves out"),
        (("--stage", "edge"), 3, "no pairs of stage edge"),
        (("--exposure", "9"), 3, "there are -3, -2, -1, 1, 2"),
        (("--exposure", "2-1"), 2, "--exposure 2-1: not a valid number or range"),
        (("--pairs", "112:"), 3, "tracking has 112"),
        (("--time", "900,"), 3, "nothing of the file is left"),
    ],
)
def test_what_cannot_be_is_refused(words, status, said, tmp_path, capsys):
    path = guide_file(tmp_path)
    assert tool("cut", path, *words, "-o", tmp_path / "no.asdf") == status
    assert said in capsys.readouterr().err
    assert not (tmp_path / "no.asdf").exists()


def test_options_of_one_kind_are_refused_for_another(tmp_path, product, capsys):
    assert tool("cut", face_file(tmp_path), "--pairs", "1:2", "-o", tmp_path / "a_face.asdf") == 2
    assert "--pairs does not go with a _face file" in capsys.readouterr().err
    assert tool("cut", product("cal"), "--time", "1,2", "-o", tmp_path / "a_cal.asdf") == 2
    assert "--time does not go with an l2_image" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_whole_is_refused(tmp_path, capsys):
    def shortened(tree):
        tree["track_data"]["reset_read_flag"] = tree["track_data"]["reset_read_flag"][:-1]

    path = guide_file(tmp_path, change=shortened)
    assert tool("cut", path, "--pairs", "1:2", "-o", tmp_path / "a_gw.asdf") == 3
    assert "track_data.reset_read_flag: 111 entries" in capsys.readouterr().err


@pytest.mark.parametrize("version", ["1.1.0", "1.2.0"])
def test_roman_datamodels_opens_what_was_cut(version, tmp_path, judge):
    made = [cut(face_file(tmp_path), "--time", "15,20")]
    for form, words in (("rad", ("--exposure", 2)), ("seed", ("--stage", "track"))):
        directory = tmp_path / form
        directory.mkdir()
        made.append(cut(guide_file(directory, form), *words))
    assert all(verdict["ok"] for verdict in judge(version, made).values())


def test_guide_windows_of_before_2025_are_refused_by_name(tmp_path, capsys):
    path = guide_file(tmp_path, tag="asdf://stsci.edu/datamodels/roman/tags/guidewindow-1.2.0")
    assert tool("cut", path, "--pairs", "0:1", "-o", tmp_path / "a_gw.asdf") == 3
    assert "a guide-window file of an old form" in capsys.readouterr().err
