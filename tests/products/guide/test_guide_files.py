"""Guide-window files of every form: stages, pixels, times, centroids, and what is refused."""

import asdf
import numpy as np
import pytest
from astropy.time import Time

from rtools.errors import InputError
from rtools.products.guide import is_guide_name, open_guide, read_guide
from rtools.products.io import open_product
from rtools.wfi.guide import BLOCKS, guide_table
from tests.support import guide_files
from tests.support.guide_files import GUIDE_NAME, MAPPING, TAGS, VISIT, guide_file

FULL = ("rad", "old", "seed")


def changed(path, key, value, **options):
    """A file in which a dotted place below ``roman`` is something else; None takes it out."""

    def change(tree):
        *groups, last = key.split(".")
        for group in groups:
            tree = tree[group]
        if value is None:
            del tree[last]
        else:
            tree[last] = value

    return guide_file(path, change=change, **options)


@pytest.mark.parametrize("form", FULL)
def test_every_form_says_the_same(tmp_path, form):
    with open_guide(guide_file(tmp_path, form)) as guide:
        assert (guide.detector, guide.element, guide.window_id) == ("WFI06", "F158", VISIT + "1")
        assert guide.t_start_mjd == 61557.5
        assert not guide.spectroscopic
        assert [stage.name for stage in guide.stages] == ["acq", "track"]
        acq, track = guide.stages
        assert (acq.pairs, acq.shape, track.pairs, track.shape) == (32, (64, 64), len(MAPPING), (16, 16))
        assert track.table is guide_table("GW0002")
        assert track.cycles_per_read == BLOCKS
        assert track.exptime == pytest.approx(0.190994375)
        assert track.cycle_s == pytest.approx(0.197654375, rel=1e-4)
        np.testing.assert_array_equal(track.exposure, MAPPING)
        np.testing.assert_array_equal(track.upper - track.lower, np.tile([16, 16], (len(MAPPING), 1)))
        assert track.offsets.tolist() == [1000] * len(MAPPING)
        assert track.min_bind.shape == (len(MAPPING), 2)
        assert not track.min_bind.any()
        assert track.reset_read.sum() == 2 * BLOCKS
        assert track.reset_impacted.sum() == 2
        x = track.downlinked().x
        assert abs(np.mean(x) - 1032) < 0.02


@pytest.mark.parametrize("form", FULL)
def test_pixels_are_read_by_pairs(tmp_path, form):
    with (
        asdf.open(guide_file(tmp_path, form), lazy_load=False, memmap=False) as file,
        open_guide(file.uri[7:]) as guide,
    ):
        tree = file.tree["roman"]
        track = guide.stage("track")
        for read, array in (
            (track.pedestals, tree["track_data"]["pedestal_resultants"]),
            (track.signals, tree["track_data"]["signal_resultants"]),
            (track.amp33_pedestals, tree["amp33"]["amp33_track_pedestals"]),
            (track.amp33_signals, tree["amp33"]["amp33_track_signals"]),
        ):
            np.testing.assert_array_equal(read(5, 9), array[5:9])
            assert read(0, 0).shape == (0, *array.shape[1:])
            assert read(5, 9).dtype == np.uint16


def test_the_centre_of_a_pair_is_that_of_its_readings(tmp_path):
    """One end is (p + r) window times after the reset; the centre is half way between the mean readings."""
    track = open_guide(guide_file(tmp_path)).stage("track")
    table = track.table
    start = 32 * guide_table("GW0001").cycle_s + np.arange(track.pairs) * table.cycle_s
    middle = start + table.window_s + (table.pedestal_s + table.signal_s) / 2
    np.testing.assert_allclose(track.t, middle, atol=6e-4)
    np.testing.assert_allclose((track.mjd - 61557.5) * 86400, middle, atol=6e-4)


def test_a_leap_second_does_not_shift_the_times(tmp_path):
    leap = Time("2016-12-31T23:59:50", scale="utc")

    def change(tree):
        shift = leap - tree["meta"]["t_start"]
        tree["meta"]["t_start"] = leap
        for name in ("acq_data", "track_data"):
            for which in ("pedestal_times", "signal_times"):
                tree[name][which] = [one + shift for one in tree[name][which]]

    plain = open_guide(guide_file(tmp_path / "plain_gw.asdf")).stage("track")
    path = guide_file(tmp_path / "leap_gw.asdf", change=change)
    assert b"23:59:60" in path.read_bytes()
    np.testing.assert_allclose(open_guide(path).stage("track").t, plain.t, atol=2e-3)


def test_empty_sections_are_stages_without_pairs(tmp_path):
    guide = open_guide(guide_file(tmp_path, "empty"))
    for stage in guide.stages:
        assert (stage.pairs, stage.shape, stage.has) == (0, None, frozenset())
        assert stage.cycle_s == stage.table.cycle_s
        assert stage.t.shape == stage.downlinked().x.shape == (0,)
        with pytest.raises(InputError, match=f"{stage.name}_data.pedestal_resultants is missing"):
            stage.pedestals(0, 1)


def test_arrays_of_length_zero_are_stages_without_pairs(tmp_path):
    def change(tree):
        for name, array in tree["track_data"].items():
            tree["track_data"][name] = array[:0]
        for group in ("centroid", "amp33"):
            tree[group] = {name: array[:0] if "track" in name else array for name, array in tree[group].items()}

    track = open_guide(guide_file(tmp_path, change=change)).stage("track")
    assert (track.pairs, track.shape) == (0, (16, 16))
    assert track.downlinked().quality.shape == (0,)


def test_darks_have_no_centroids(tmp_path):
    track = open_guide(guide_file(tmp_path, "dark")).stage("track")
    assert track.centroids is track.centroid_errs is track.centroid_quality is None
    assert np.isnan(track.centroid_t).all()
    assert np.isnan(track.downlinked().x).all()
    assert set(track.downlinked().quality) == {""}
    assert track.amp33_pedestals(0, 2) is None


def test_a_spectroscopic_file_has_an_edge_and_the_late_table(tmp_path):
    guide = open_guide(guide_file(tmp_path, spectroscopic=True))
    assert guide.spectroscopic
    assert guide.edge == "blue"
    assert [(stage.name, stage.shape) for stage in guide.stages] == [
        ("acq", (24, 170)), ("edge", (170, 24)), ("track", (32, 16))
    ]  # fmt: skip
    assert guide.stage("track").table.skipped == 15


def test_several_centroids_the_nearest_to_the_last_is_taken(tmp_path):
    def change(tree):
        centroids = tree["centroids"]["track_centroids"]
        centroids[:, 3] = centroids[:, 0]
        centroids[:, 0] = [1025, 2025]  # a neighbour
        centroids[4] = np.nan
        tree["centroids"]["track_centroid_errs"][:, 3] = [1, 2, 3]
        tree["centroids"]["track_centroid_quality"][:, 3] = "BAD"

    found = open_guide(guide_file(tmp_path, "seed", change=change)).stage("track").downlinked()
    assert np.isnan(found.x[4])
    kept = np.delete(np.arange(len(found.x)), 4)
    assert np.abs(found.x[kept] - 1032).max() < 0.3
    assert (found.xx[kept] == 1).all()
    assert (found.xy[kept] == 3).all()
    assert set(found.quality[kept]) == {"BAD"}


def test_inclusive_corners_are_understood_and_told(tmp_path):
    def change(tree):
        tree["track_data"]["upper_right_corners"] -= 1

    guide = open_guide(guide_file(tmp_path, change=change))
    assert guide.stage("track").upper[0].tolist() == [1040, 2040]
    assert any("upper_right_corners: the last pixels" in remark for remark in guide.remarks)


def test_one_number_for_a_flag_stands_for_all_pairs(tmp_path):
    track = open_guide(changed(tmp_path, "track_data.max_bind_flag", 1)).stage("track")
    assert track.max_bind.all()
    flags = np.zeros((len(MAPPING), 2), "u1")
    flags[3] = 0, 1
    track = open_guide(changed(tmp_path, "track_data.max_bind_flag", flags)).stage("track")
    assert track.max_bind[3].tolist() == [False, True]
    assert track.max_bind.sum() == 1


@pytest.mark.parametrize(
    "name", ["exposure_mapping", "pixel_offsets", "pedestal_times", "lower_left_corners", "sce_status_flag"]
)
def test_any_array_may_be_missing(tmp_path, name):
    guide = open_guide(changed(tmp_path, f"track_data.{name}", None))
    track = guide.stage("track")
    assert name not in track.has
    assert track.pairs == len(MAPPING)
    assert np.isfinite(track.t).all()  # from the signal where the pedestal has no times
    assert (name == "exposure_mapping") == any("exposure 0" in remark for remark in guide.remarks)


def test_without_t_start_times_count_from_the_first(tmp_path):
    guide = open_guide(changed(tmp_path, "meta.t_start", None))
    assert guide.stage("acq").pedestal_t[0] == 0
    assert any("t_start" in remark for remark in guide.remarks)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("track_data.signal_resultants", np.zeros((5, 16, 16), "u2"), "5 entries, not 112 as track_data.pedestal_"),
        ("centroid.track_centroids", np.zeros((7, 2), "f4"), "centroid.track_centroids: 7 entries, not 112"),
        ("track_data.signal_times", ["2027-06-01T00:00:00"], "1 entries, not 112"),
        ("track_data.signal_times", ["soon"] * 112, "'soon' is not a valid time"),
        ("track_data.upper_right_corners", np.full((112, 2), 3000, "u2"), "pair 0: the corners span"),
        ("track_data.signal_resultants", np.zeros((112, 16, 8), "u2"), "windows of 16 x 8 pixels"),
        ("track_data", 5, "track_data: not a group"),
        ("centroid.track_centroids", np.zeros((112, 3), "f4"), r"centroid.track_centroids: shape \(112, 3\)"),
    ],
)  # fmt: skip
def test_arrays_that_do_not_agree_are_refused_by_name(tmp_path, key, value, message):
    path = changed(tmp_path, key, value)
    with pytest.raises(InputError, match=message):
        open_guide(path)
    _guide, problems = read_guide(open_product(path))
    assert any(key.startswith(problem.where) for problem in problems)


def test_windows_of_five_dimensions_are_refused_by_their_tag(tmp_path):
    frames = {"pedestal_frames": np.zeros((2, 3, 4, 5, 6), "u2")}
    path = guide_file(
        tmp_path, change=lambda tree: (tree.clear(), tree.update(meta={}, **frames)), tag=f"{TAGS}guidewindow-1.1.0"
    )
    with pytest.raises(InputError, match=r"old form \(guidewindow-1.1.0: frames of five dimensions"):
        open_guide(path)


def test_a_file_without_tag_is_known_by_word_model_or_name(tmp_path):
    def bare(tree):
        del tree["meta"]["model_type"]

    nameless = tmp_path / "x.asdf"
    with pytest.raises(InputError, match="no tag"):
        open_guide(guide_file(nameless, change=bare, tag=None))
    assert open_guide(nameless, kind="gw").remarks == ("no tag: read as _gw",)
    assert open_guide(guide_file(tmp_path / "y.asdf", tag=None)).stage("track").pairs == 112
    assert open_guide(guide_file(tmp_path / "x_gw.asdf", change=bare, tag=None)).stage("track").pairs == 112


def test_other_products_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"is of kind l1_face, wanted l1_gw"):
        open_guide(guide_files.face_file(tmp_path))


def test_names_tell_the_kind():
    assert is_guide_name(GUIDE_NAME)
    assert not is_guide_name(guide_files.FACE_NAME)
