"""rt-sim of guide windows: files, light, motion, faults, and the exposure that belongs to them."""

import json

import asdf
import numpy as np
import pytest
from pyarrow import parquet
from pyarrow import table as arrow_table

from rtools.commands.kit import entry
from rtools.commands.kit.tools import command_of
from rtools.products.io import open_product
from rtools.products.schema import layout
from rtools.reference.builtin import Builtin
from rtools.wfi.guide import guide_table
from tests.support.judges import OPENS, newest_only

pytestmark = pytest.mark.slow

VISIT = "r0000101001001001001"
SIZE = (256, 256)


def sim(*args):
    return entry.run(command_of("sim"), [str(arg) for arg in args])


def windows(folder, *args, place="wfi01_f158", size=256, exposure=1):
    """Guide windows of a small frame: path of the file."""
    path = folder / f"{VISIT}_{exposure:04d}_1_{place}_gw.asdf"
    assert sim(path, "--size", size, "--crowded", 0, "-q", *args) == 0
    return path


def truth_of(path):
    """The pairs as a dict of arrays, and what is said of the whole."""
    table = parquet.read_table(path.with_name(path.name.replace("_gw.asdf", "_truth.parquet")))
    return {name: table[name].to_numpy() for name in table.column_names}, json.loads(table.schema.metadata[b"rtools"])


def tracked(path):
    """Truth of the tracking alone."""
    pairs, about = truth_of(path)
    own = pairs["stage"] == "track"
    return {name: values[own] for name, values in pairs.items()}, about


def seconds(product, name):
    """A list of times, s since t_start."""
    times = np.array([str(one) for one in product.tree["track_data"][name]], "datetime64[us]")
    return (times - np.datetime64(str(product.meta["t_start"]))) / np.timedelta64(1, "s")


def electrons_of(product, section="track_data"):
    """Signal minus pedestal in electrons, both made linear."""
    corner = product.array(f"{section}.lower_left_corners")[0].astype(int)
    raw = [product.array(f"{section}.{name}_resultants").astype(float) - 1000 for name in ("pedestal", "signal")]
    rows, columns = raw[0].shape[1:]
    cut = np.s_[..., corner[1] : corner[1] + rows, corner[0] : corner[0] + columns]
    gain = Builtin("gain", "WFI01", "F158", SIZE).array("data")[cut]
    coeffs = Builtin("linearity", "WFI01", "F158", SIZE).array("coeffs")[cut]
    pedestal, signal = (sum(c * dn**power for power, c in enumerate(coeffs)) for dn in raw)
    return (signal - pedestal) * gain


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Windows of a star of 14 mag without a sky: two exposures of twenty reads."""
    folder = tmp_path_factory.mktemp("windows")
    return windows(folder, "--mag", 14, "--sky", 0, "--exposures", 2, "--read-pattern", "1-20", "--no-cosmic-rays")


def test_windows_face_and_truth_are_written(made, capsys):
    names = sorted(path.name.rpartition("_")[2] for path in made.parent.iterdir())
    assert names == ["face.asdf", "gw.asdf", "truth.parquet"]
    product = open_product(made, kinds=("l1_gw",))
    assert product.array("track_data.signal_resultants").shape == (16 * (3 + 21 + 3 + 21 + 3), 16, 16)
    assert product.array("acq_data.signal_resultants").shape == (32, 64, 64)
    assert product.array("amp33.amp33_track_signals").shape == product.array("track_data.signal_resultants").shape
    assert product.meta["guide_window_id"] == f"{VISIT[1:]}1"
    assert product.meta["avg_face_filename"] == made.name.replace("_gw", "_face")
    face = open_product(made.with_name(made.name.replace("_gw", "_face")), kinds=("l1_face",))
    assert face.meta["detector_gw_files"]["WFI01"] == made.name
    assert face.array("face_data.delta").shape == (32 + 16 * 51,)
    pairs, _about = truth_of(made)
    assert len(pairs["x"]) == 32 + 16 * 51
    assert sim(made, "--size", 256) == 1
    assert "exists" in capsys.readouterr().err


def test_light_in_the_window_is_that_of_the_star(made):
    """Counts by gain and linearity are the star's electrons, as far as its wings are in the window."""
    from rtools.reference import epsf
    from rtools.simulate.render import add_stars

    pairs, about = tracked(made)
    product = open_product(made)
    good = pairs["added"] == ""
    found = electrons_of(product)[good]
    corner = product.array("track_data.lower_left_corners")[0]
    star = about["star"]
    share = np.zeros((16, 16), np.float32)
    psf = epsf.from_reference(Builtin("epsf", "WFI01", "F158", SIZE))
    add_stars(share, psf, [star["x"] - corner[0]], [star["y"] - corner[1]], [1.0])
    exposed = guide_table("WIM_TRACK").exposure_s
    assert found.sum(axis=(1, 2)).mean() / exposed == pytest.approx(star["flux"] * share.sum(), rel=0.003)
    mean = found.mean(axis=0)
    # The motion of these exposures is not quite that of the ePSF.
    np.testing.assert_allclose(mean, star["flux"] * exposed * share, atol=0.02 * mean.max())
    assert star["magnitude"] == 14


def test_noise_of_the_difference_is_that_of_the_reads(made):
    """Two reads each of pedestal and signal; a reset scatters by 8 electrons, which both have."""
    product = open_product(made)
    pairs, _about = tracked(made)
    sides = np.s_[:, :, [0, 1, 14, 15]]
    x, y = product.array("track_data.lower_left_corners")[0].astype(int)
    window = np.s_[y : y + 16, x : x + 16]
    noise = (Builtin("readnoise", "WFI01", "F158", SIZE).array("data") * 1.8)[window]
    found = electrons_of(product)[pairs["added"] == ""][sides]
    # 2 electrons of the row in each read; there are some electrons of the star, and the converter's steps.
    expected = np.mean(noise[sides[1:]] ** 2) + 2.0**2 + found.mean() + 0.7
    assert found.var(axis=0).mean() == pytest.approx(expected, rel=0.03)
    pedestal = product.array("track_data.pedestal_resultants")[sides] * 1.8
    assert pedestal.var(axis=0).mean() == pytest.approx(8.0**2 + (expected - found.mean()) / 2, rel=0.05)


def test_reference_output_has_the_noise_of_rows(made):
    product = open_product(made)
    read = [product.array(f"amp33.amp33_track_{name}").astype(float) for name in ("pedestals", "signals")]
    rows = np.median(read[1] - read[0], axis=2)
    good = tracked(made)[0]["added"] == ""
    pixels = electrons_of(product)[:, :, [0, 1, 14, 15]].mean(axis=2) / 1.8
    slope = np.polyfit(rows[good].ravel(), pixels[good].ravel(), 1)[0]
    # The median of sixteen pixels has noise of its own, which lowers the slope.
    assert 0.2 < slope < 1.0


def test_centroids_sent_down_follow_the_star(made):
    product = open_product(made)
    pairs, _about = tracked(made)
    place, variance = product.array("centroid.track_centroids"), product.array("centroid.track_centroid_errs")
    quality = product.array("centroid.track_centroid_quality")
    good = pairs["added"] == ""
    assert set(quality[good]) == {"GOOD"}
    for axis, name in enumerate("xy"):
        error = (place[good, axis] - pairs[name][good]) * 110
        assert abs(error.mean()) < 2
        assert error.std() == pytest.approx(110 * np.sqrt(variance[good, axis].mean()), rel=0.25)
    acquired = product.array("centroid.acq_centroids")
    assert acquired.shape == (32, 5, 2)
    np.testing.assert_allclose(np.nanmean(acquired[:, 0], axis=0), [pairs["x"].mean(), pairs["y"].mean()], atol=0.3)


def test_a_reset_read_is_flagged_and_spoils_one_pair(made):
    product = open_product(made)
    mapping, resetting = product.array("track_data.exposure_mapping"), product.array("track_data.reset_read_flag")
    impacted = product.array("track_data.reset_impacted_pairs")
    assert resetting.sum() == 32
    for number in (1, 2):
        own = np.flatnonzero(mapping == number)
        assert np.flatnonzero(resetting & (mapping == number)).tolist() == own[:16].tolist()
        assert (impacted & (mapping == number)).sum() == 1
    assert np.all(resetting[impacted])
    difference = electrons_of(product).sum(axis=(1, 2))
    assert difference[impacted].max() < 0 < difference[~impacted].min()


def test_times_and_metadata_say_how_the_window_was_read(made):
    product, table = open_product(made), guide_table("WIM_TRACK")
    pedestal, signal = seconds(product, "pedestal_times"), seconds(product, "signal_times")
    np.testing.assert_allclose(np.diff(signal), table.cycle_s, atol=2e-6)
    np.testing.assert_allclose(signal - pedestal, table.cycle_s - 3 * table.window_s, atol=2e-6)
    meta = product.meta
    pedestal_s, signal_s = (meta[f"track_{name}_resultant_exp_time"] for name in ("pedestal", "signal"))
    assert signal_s - pedestal_s == pytest.approx(0.190994375)
    assert (meta["acq_ma_table_id"], meta["track_ma_table_id"]) == ("GW0001", "GW0002")
    window = meta["guide_window"]
    low, high = (product.array(f"track_data.{side}_corners") for side in ("lower_left", "upper_right"))
    assert [window["min_track_xstart"], window["min_track_ystart"]] == low.min(axis=0).tolist()
    assert [window["max_track_xstop"], window["max_track_ystop"]] == high.max(axis=0).tolist()
    assert meta["guide_star"]["predicted_fgs_mag"] == 14
    # The first exposure begins when it was asked to.
    _pairs, about = truth_of(made)
    start = np.datetime64(str(meta["t_start"])) + np.timedelta64(round(about["exposures"][0]["start"] * 1e6), "us")
    assert abs(start - np.datetime64("2027-01-01T00:00:00")) <= np.timedelta64(2, "us")


def test_truth_of_exposures_is_that_of_their_pairs(made):
    pairs, about = tracked(made)
    product = open_product(made)
    resetting = product.array("track_data.reset_read_flag")
    for exposed in about["exposures"]:
        own = (pairs["exposure"] == exposed["exposure"]) & ~resetting
        assert exposed["pairs"] == own.sum() == 320
        slow = np.cov(pairs["x"][own], pairs["y"][own]) * 110**2
        inside = [np.mean(pairs[name][own]) * 110**2 for name in ("xx", "yy", "xy")]
        np.testing.assert_allclose(exposed["slow"], [slow[0, 0], slow[1, 1], slow[0, 1]], rtol=1e-9)
        np.testing.assert_allclose(exposed["inside"], inside, rtol=1e-9)
        np.testing.assert_allclose(exposed["total"], np.add(exposed["slow"], inside), rtol=1e-9)
        # 8 mas, drift, and 108 mas of the sky to a pixel that counts as 110.
        np.testing.assert_allclose(np.sqrt(exposed["total"][:2]), 8.3, atol=1.2)


def test_detectors_of_an_acquisition_see_the_same_motion(tmp_path):
    names = [tmp_path / f"{VISIT}_0001_1_{place}_f158_gw.asdf" for place in ("wfi01", "wfi09")]
    assert sim(*names, "--read-pattern", "1-4", "--size", 256, "--mag", 14, "-q") == 0
    first, second = (tracked(name)[0] for name in names)
    for turn in ("delta", "epsilon", "zeta"):
        assert np.array_equal(first[turn], second[turn])
    assert not np.allclose(first["x"] - first["x"].mean(), second["x"] - second["x"].mean(), atol=1e-6)
    # One FACE for both, with the root of the first.
    assert [path.name for path in tmp_path.glob("*_face.asdf")] == [names[0].name.replace("_gw", "_face")]
    files = open_product(next(tmp_path.glob("*_face.asdf"))).meta["detector_gw_files"]
    assert {name for name, file in files.items() if file} == {"WFI01", "WFI09"}
    assert open_product(names[1]).meta["avg_face_filename"] == names[0].name.replace("_gw", "_face")
    alone = windows(tmp_path, "--read-pattern", "1-4", "--mag", 14, place="wfi09_f158", exposure=2)
    assert not np.array_equal(tracked(alone)[0]["delta"], first["delta"])


def test_motion_at_a_detector_is_what_face_says(made):
    from rtools.wfi.fgs import displacement, place_in_field

    pairs, about = tracked(made)
    face = open_product(made.with_name(made.name.replace("_gw", "_face")))
    turns = [face.array(f"face_data.{name}")[32:].astype(float) for name in ("delta", "epsilon", "zeta")]
    star = about["star"]
    dx, dy = displacement(place_in_field("WFI01", star["x"] - 4, star["y"] - 4), *turns)
    good = face.array("face_data.attitude_estimate_quality")[32:] == "AQ_DOF_3"
    for seen, true in ((dx, pairs["x"] - star["x"]), (dy, pairs["y"] - star["y"])):
        # FACE has the noise of eighteen stars, 0.3 mas.
        assert (seen - true)[good].std() * 110 < 0.5
        assert np.polyfit(true[good], seen[good], 1)[0] == pytest.approx(1, abs=0.01)


def test_same_bits_for_any_number_of_threads(tmp_path, made):
    again = windows(
        tmp_path, "--mag", 14, "--sky", 0, "--exposures", 2, "--read-pattern", "1-20", "--no-cosmic-rays", "-j", 3
    )
    for name in ("track_data.signal_resultants", "acq_data.pedestal_resultants", "centroid.track_centroids"):
        assert np.array_equal(
            open_product(again).array(name), open_product(made).array(name), equal_nan="centroid" in name
        )


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    faults = [word for kind in ("lost", "reset", "sce", "bind", "late") for word in ("--fault", kind)]
    folder = tmp_path_factory.mktemp("faults")
    return windows(folder, "--mag", 14, "--exposures", 3, "--read-pattern", "1-8", *faults)


def test_faults_are_where_the_truth_says(faulty):
    product = open_product(faulty)
    pairs, _about = tracked(faulty)
    mapping = product.array("track_data.exposure_mapping")
    added = pairs["added"]
    middle = (mapping == 2) & ~product.array("track_data.reset_read_flag")
    assert set(added[middle]) == {"", "lost", "reset", "sce", "min_bind", "max_bind"}
    assert set(added[mapping == 1]) == set(added[mapping == 3]) == {"", "reset"}
    assert np.array_equal(product.array("track_data.sce_status_flag").any(axis=1), added == "sce")
    assert np.array_equal(product.array("track_data.min_bind_flag").any(axis=1), added == "min_bind")
    assert np.array_equal(product.array("track_data.max_bind_flag")[:, 1] > 0, added == "max_bind")
    assert np.array_equal(product.array("track_data.reset_impacted_pairs"), added == "reset")
    low = product.array("track_data.signal_resultants")[added == "min_bind"]
    assert 0 < np.mean(low == 0) < 1
    assert product.array("track_data.signal_resultants")[added == "max_bind"].max() == 65535
    # Eight pairs are missing: a gap of nine cycles.
    steps = np.diff(seconds(product, "signal_times")) / guide_table("WIM_TRACK").cycle_s
    assert np.flatnonzero(steps > 1.5).size == 1
    assert steps.max() == pytest.approx(9, abs=1e-3)


def test_a_lost_star_is_lost_for_centroids_and_face(faulty):
    product = open_product(faulty)
    pairs, _about = tracked(faulty)
    lost = pairs["added"] == "lost"
    assert lost.sum() == 24
    assert set(product.array("centroid.track_centroid_quality")[lost]) == {""}
    assert np.isnan(product.array("centroid.track_centroids")[lost]).all()
    face = open_product(faulty.with_name(faulty.name.replace("_gw", "_face")))
    assert (face.array("face_data.attitude_estimate_quality") == "AQ_TOO_FEW_STARS").sum() == 24
    # Exposures around it do not know.
    other = pairs["exposure"] != 2
    assert np.ptp(pairs["x"][other]) < 2


def test_dithers_move_window_and_star(tmp_path):
    options = ("--mag", 14, "--exposures", 3, "--read-pattern", "1-4", "--dither", "10,0;-3.5,20.25", "--gap", 1)
    path = windows(tmp_path, *options)
    product = open_product(path)
    pairs, about = tracked(path)
    corner, mapping = product.array("track_data.lower_left_corners").astype(int), np.abs(pairs["exposure"])
    first = corner[0]
    assert np.unique(corner[mapping == 2] - first, axis=0).tolist() == [[10, 0]]
    (moved,) = np.unique(corner[mapping == 3] - first, axis=0)
    assert abs(moved[0] + 3.5) <= 0.5
    assert moved[1] == 20
    places = np.array([[exposed["x"], exposed["y"]] for exposed in about["exposures"]])
    np.testing.assert_allclose(places - places[0], [[0, 0], [10, 0], [-3.5, 20.25]], atol=0.1)
    assert np.all((pairs["x"] - corner[:, 0] > 5) & (pairs["x"] - corner[:, 0] < 10))
    assert product.meta["guide_window"]["max_track_xstop"] == first[0] + 10 + 16


def test_a_motion_of_a_table(tmp_path):
    t = np.arange(0, 20, 0.01)
    given = tmp_path / "motion.parquet"
    parquet.write_table(arrow_table({"t": t, "dx": 15 * np.sin(2 * np.pi * 0.9 * t), "dy": np.zeros(t.size)}), given)
    path = windows(tmp_path, "--mag", 14, "--read-pattern", "1-5", "--motion", given, "--gap", 0)
    pairs, about = tracked(path)
    since = pairs["t"] - about["exposures"][0]["start"]
    expected = 15 * np.sinc(0.9 * 0.190994375) * np.sin(2 * np.pi * 0.9 * since) * (since > 0)
    own = since > 0.2
    # 108 mas to a pixel near this corner of the detector.
    slope = np.polyfit(expected[own], (pairs["x"] - about["star"]["x"])[own], 1)[0]
    assert 1 / slope == pytest.approx(108, abs=3)
    assert np.ptp(pairs["y"]) * 108 < 1.5


@pytest.mark.parametrize("element", ["grism", "prism"])
def test_spectroscopy_tracks_the_edge_of_a_spectrum(tmp_path, element):
    # A dead pixel in the trace would move the edge that is sent down.
    options = ("--mag", 10, "--read-pattern", "1-4", "--ref", "mask=none")
    path = windows(tmp_path, *options, place=f"wfi04_{element}", size=1024)
    product = open_product(path)
    assert product.array("track_data.signal_resultants").shape[1:] == (32, 16)
    assert product.array("acq_data.signal_resultants").shape[1:] == (24, 170)
    assert product.array("edge_acq_data.signal_resultants").shape[1:] == (170, 24)
    assert product.meta["wsm_edge_used"] == "blue"
    assert product.meta["track_ma_table_id"] == "GW0005"
    pairs, about = tracked(path)
    good = pairs["added"] == ""
    difference = product.array("track_data.signal_resultants").astype(int) - product.array(
        "track_data.pedestal_resultants"
    )
    rows = difference[good].mean(axis=(0, 2)) * 1.8
    edge = about["star"]["y"] - product.array("track_data.lower_left_corners")[0, 1]
    assert rows[: int(edge) - 5].mean() < 0.05 * rows[int(edge) + 5 :].mean()
    place = product.array("centroid.track_centroids")[good]
    np.testing.assert_allclose(place.mean(axis=0), [pairs["x"][good].mean(), pairs["y"][good].mean()], atol=0.3)
    step = place[:, 0] - pairs["x"][good]
    assert step.std() * 110 < 6


def test_a_dark_has_windows_without_a_star(tmp_path):
    path = windows(tmp_path, "--read-pattern", "1-2", place="wfi01_dark")
    product = open_product(path)
    centroid = product.tree["centroid"]
    assert [name for name, value in centroid.items() if value is not None] == [
        "acq_centroid_times",
        "track_centroid_times",
    ]
    assert set(centroid["track_centroid_times"]) == {None}
    assert product.array("track_data.signal_resultants").shape == (16 * 9, 16, 16)
    assert product.meta["guide_star"]["pseudo_star_flag"] == "Y"
    assert entry.run(command_of("validate"), ["-q", str(path)]) == 0
    assert truth_of(path)[1]["star"]["flux"] == 0
    face = open_product(path.with_name(path.name.replace("_gw", "_face")))
    assert set(face.array("face_data.attitude_estimate_quality")) == {"AQ_TOO_FEW_STARS"}


def exposure_of(folder, *args):
    path = folder / f"{VISIT}_0003_wfi01_f158_uncal.asdf"
    options = ("--size", 256, "--read-pattern", "1;2-3;4-9", "--crowded", 0, "--sky", 0, "-q", *args)
    assert sim(path, *options) == 0
    return path


def image_of(path):
    """True rate, DN/s."""
    with asdf.open(path.with_name(path.name.replace("_uncal", "_truth"))) as file:
        return np.array(file["rate"], float)


def test_an_exposure_and_its_windows_say_the_same(tmp_path):
    path = exposure_of(tmp_path, "--guide", "--mag", 15, "--jitter", "30,12,20")
    gw = tmp_path / f"{VISIT}_0003_1_wfi01_f158_gw.asdf"
    science, product = open_product(path), open_product(gw)
    said, (pairs, about) = science.meta["guide_star"], tracked(gw)
    assert said["guide_window_id"] == product.meta["guide_window_id"]
    assert said["guide_star_id"] == product.meta["guide_star"]["gsc_id"]
    window = product.meta["guide_window"]
    assert (said["window_xstart"], said["window_ystop"]) == (window["min_track_xstart"], window["max_track_ystop"])
    (exposed,) = about["exposures"]
    assert exposed["exposure"] == 3
    assert set(pairs["exposure"]) == {-3, 3, -4}
    jitter = [said[f"jitter_{key}"] for key in ("major", "minor", "position_angle")]
    np.testing.assert_allclose(jitter, exposed["jitter"], rtol=1e-9)
    assert 15 < jitter[0] < 40
    begin = np.datetime64(str(product.meta["t_start"])) + np.timedelta64(round(exposed["start"] * 1e6), "us")
    assert abs(begin - np.datetime64(str(science.meta["exposure"]["start_time"]))) <= np.timedelta64(2, "us")
    sources = parquet.read_table(tmp_path / f"{VISIT}_0003_wfi01_f158_truth.parquet").to_pydict()
    assert sources["magnitude"] == [15.0]
    assert sources["x"][0] + 4 == pytest.approx(product.meta["guide_star"]["predicted_x"], abs=1e-6)


def test_jitter_is_the_kernel_of_the_picture(tmp_path):
    """The light's second moments grow by the covariance that is asked for less that of the ePSF."""
    first = image_of(exposure_of(tmp_path, "--guide", "--mag", 15, "--jitter", "8,8", "--drift", "0,0"))
    star = np.unravel_index(first.argmax(), first.shape)
    given = tmp_path / "star.csv"
    sources = parquet.read_table(tmp_path / f"{VISIT}_0003_wfi01_f158_truth.parquet").to_pydict()
    given.write_text(f"ra,dec,mag\n{sources['ra'][0]!r},{sources['dec'][0]!r},15\n")
    plain = image_of(exposure_of(tmp_path, "--sources", given, "--overwrite"))
    wide = exposure_of(tmp_path, "--sources", given, "--jitter", "30,60,0", "--overwrite")
    said = open_product(wide).meta["guide_star"]
    assert (said["jitter_major"], said["jitter_minor"], said["jitter_position_angle"]) == (60, 30, 90)
    more = image_of(wide) - plain
    y, x = np.indices(more.shape)
    grown = [np.sum(more * (axis - at) ** 2) / plain.sum() * 110**2 for axis, at in ((x, star[1]), (y, star[0]))]
    np.testing.assert_allclose(grown, [60**2 - 8**2, 30**2 - 8**2], rtol=0.03)


REFUSED = [
    (("--exposures", 2), "uncal", "--exposures is about guide windows"),
    (("--fault", "lost"), "uncal", "or --guide"),
    (("--guide", "--dither", "1,0"), "uncal", "--dither is about guide windows"),
    (("--jitter", "8"), "uncal", "2 or 3 numbers"),
    (("--jitter", "8,-1"), "uncal", "between 0 and 1000"),
    (("--drift", "1"), "gw", "2 numbers"),
    (("--dither", "1;2"), "gw", "2 numbers"),
    (("--dither", "900,0", "--exposures", 2), "gw", "do not fit"),
    (("--guide-window", "none"), "gw", "there are to be guide windows"),
]


@pytest.mark.parametrize(("options", "suffix", "word"), REFUSED)
def test_what_cannot_be_is_refused(tmp_path, capsys, options, suffix, word):
    root = f"{VISIT}_0001_1" if suffix == "gw" else f"{VISIT}_0001"
    name = tmp_path / f"{root}_wfi01_f158_{suffix}.asdf"
    assert sim(name, "--size", 256, "--read-pattern", "1;2", "-q", *options) == 2
    assert word in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("text", "word"), [("t,dx\n0,1\n", "no column dy"), ("t,dx,dy\n1,0,0\n0,0,0\n", "increase")])
def test_a_bad_motion_is_refused(tmp_path, capsys, text, word):
    given = tmp_path / "motion.csv"
    given.write_text(text)
    assert sim(tmp_path / f"{VISIT}_0001_1_wfi01_f158_gw.asdf", "--motion", given, "-q") == 3
    assert word in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["motion.csv"]


@pytest.fixture(scope="module")
def profiles(tmp_path_factory):
    """Imaging and spectroscopy in every profile: paths by profile."""
    found = {}
    for profile in layout.PROFILES:
        folder = tmp_path_factory.mktemp(f"profile{profile}")
        for place in ("wfi01_f158", "wfi18_grism"):
            windows(folder, "--read-pattern", "1-2", "--mag", 12, "--profile", profile, place=place, size=512)
        found[profile] = sorted(folder.glob("*.asdf"))
    return found


@pytest.mark.long
def test_files_are_valid_in_every_profile(profiles):
    paths = [path for group in profiles.values() for path in group]
    assert len(paths) == 16
    assert entry.run(command_of("validate"), ["-q", *map(str, paths)]) == 0


@pytest.mark.long
@pytest.mark.judges
@pytest.mark.parametrize("version", newest_only(OPENS))
def test_judges_open_what_they_know(judge, profiles, version):
    paths = [path for profile in OPENS[version] for path in profiles[profile]]
    verdicts = judge(version, paths)
    assert [(path, verdict) for path, verdict in verdicts.items() if not verdict["ok"]] == []
    assert len(verdicts) == len(paths)
