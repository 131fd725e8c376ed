"""rt-gw attitude: rotations against the truth of simulated stars, stars that do not fit, detectors, FACE, refusals."""

import json
import shutil
import warnings

import asdf
import numpy as np
import pytest
from astropy.table import Table
from pyarrow import parquet

from rtools.products.tables import read_catalog
from tests.support.guide_files import face_file, guide_file
from tests.support.small_files import tool

ROOT = "r0000101001001001001_0001_1"
DETECTORS = ("WFI02", "WFI06", "WFI09", "WFI18")
READS = ";".join(map(str, range(1, 9)))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Guide windows of four stars, two exposures of eight reads, and their FACE."""
    folder = tmp_path_factory.mktemp("stars")
    paths = [folder / f"{ROOT}_{detector.lower()}_f158_gw.asdf" for detector in DETECTORS]
    asked = ("--mag", 14, "--exposures", 2, "--crowded", 0, "--read-pattern", READS, "-q")
    assert tool("sim", *paths, "--outdir", folder, *asked) == 0
    return paths


@pytest.fixture(scope="module")
def truth(made):
    """True rotations of each tracked pair of an exposure, by its time."""
    table = parquet.read_table(made[0].with_name(made[0].name.replace("_gw.asdf", "_truth.parquet")))
    columns = {name: table[name].to_numpy() for name in ("t", "exposure", "stage", "delta", "epsilon", "zeta")}
    return Table({name: values[columns["stage"] == "track"] for name, values in columns.items()})


def found_in(capsys, *args):
    """The record that rt-gw attitude prints, its rows as a table."""
    capsys.readouterr()
    assert tool("gw", "attitude", *args, "--json") == 0
    record = json.loads(capsys.readouterr().out)
    return record, Table(record.pop("rows"))


def changed(path, folder, change):
    """A copy of a file whose tree below ``roman`` was changed."""
    target = folder / path.name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # asdf does not know the tags
        with asdf.open(path, memmap=False, lazy_load=False) as file:
            change(file["roman"])
            file.write_to(target)
    return target


def shifted(tree):
    """Forty pairs of the second exposure see the star a pixel away."""
    data = tree["track_data"]
    mine = np.flatnonzero(np.asarray(data["exposure_mapping"]) == 2)[60:100]
    for which in ("pedestal_resultants", "signal_resultants"):
        array = np.array(data[which])
        array[mine] = np.roll(array[mine], 1, axis=2)
        data[which] = array


@pytest.mark.slow
def test_rotations_are_the_true_ones_within_their_errors(made, truth, capsys):
    record, table = found_in(capsys, *made)
    assert record["stars"] == list(DETECTORS) and record["cycles"] == len(table) == 256
    assert set(table["stars"]) <= {3, 4} and np.median(table["chi2"]) == pytest.approx(1, abs=0.3)
    at = np.searchsorted(truth["t"], np.asarray(table["t"]) - 0.01)
    assert np.abs(truth["t"][at] - table["t"]).max() < 0.01
    for name in ("delta", "epsilon", "zeta"):
        left = np.asarray(table[name]) - np.asarray(truth[name][at])
        for number in (1, 2):
            mine = np.asarray(table["exposure"]) == number
            left[mine] -= left[mine].mean()
        assert np.sqrt(np.mean(left**2 / np.asarray(table[f"{name}_var"]))) == pytest.approx(1, abs=0.15), name
    assert record["delta_err"] < 0.5 and record["epsilon_err"] < 0.5 and record["zeta_err"] < 0.15


@pytest.mark.slow
def test_stars_and_face_follow_each_other_with_a_slope_of_one(made, capsys):
    record, table = found_in(capsys, *made, "--show", "comparison")
    assert table["what"].tolist() == ["delta", "epsilon", "zeta", *DETECTORS]
    turns, stars = table[:2], table[3:]
    assert np.asarray(turns["rms"], float) == pytest.approx(np.asarray(turns["expected"], float), rel=0.2)
    for some in (turns, stars):
        assert set(some["sign"]) == {1} and np.abs(np.asarray(some["slope"]) - 1).max() < 0.02
        assert np.asarray(some["correlation"]).min() > 0.98 and np.abs(np.asarray(some["lag"])).max() < 0.1
    assert record["face"]["delta"]["slope"] == table["slope"][0]


@pytest.mark.slow
def test_a_face_of_the_other_sign_is_told(made, tmp_path, capsys):
    def turn(tree):
        for name in ("delta", "epsilon", "zeta", "delta2", "epsilon2"):
            tree["face_data"][name] = -np.asarray(tree["face_data"][name])

    (path,) = made[0].parent.glob("*_face.asdf")
    against = changed(path, tmp_path, turn)
    _, table = found_in(capsys, *made[:2], "--show", "comparison", "--face", against)
    assert set(table["sign"][:2]) | set(table["sign"][3:]) == {-1}
    assert np.asarray(table["slope"][3:]) == pytest.approx(-1, abs=0.02)
    shutil.copy(made[0], tmp_path)
    for file, sign in ((path, 1), (against, -1)):
        assert tool("gw", "face", file, "--at", DETECTORS[0], "--json") == 0
        record = json.loads(capsys.readouterr().out)
        assert record["face_sign"] == sign and record["centroids"][0]["slope"] == pytest.approx(sign, abs=0.03)


@pytest.mark.slow
def test_motion_is_given_for_all_detectors_and_is_that_of_their_stars(made, capsys):
    _, table = found_in(capsys, *made, "--show", "detectors")
    assert len(table) == 36 and set(table["cycles"]) == {128}
    own = np.asarray(table["star"], bool)
    assert set(np.asarray(table["detector"])[own]) == set(DETECTORS)
    for axis in "xy":
        rms = np.asarray(table[f"rms_{axis}"], float)
        assert rms[own] == pytest.approx(np.asarray(table[f"own_rms_{axis}"][own], float), rel=0.03)
        assert all(value is None for value in table[f"own_rms_{axis}"][~own])
        assert np.ptp(rms[np.asarray(table["exposure"]) == 1]) < 0.3
    # The kernel is that of pixels of 110 mas, which are smaller.
    area = np.asarray(table["jitter_major"]) * np.asarray(table["jitter_minor"])
    sky = np.asarray(table["rms_x"]) * np.asarray(table["rms_y"]) * np.sqrt(1 - np.asarray(table["corr"]) ** 2)
    assert ((area / sky > 1) & (area / sky < 1.1)).all()


@pytest.mark.slow
def test_a_star_that_is_moved_is_thrown_out_and_moves_nothing_else(made, tmp_path, capsys):
    moved = changed(made[2], tmp_path, shifted)
    before, clean = found_in(capsys, *made)
    after, table = found_in(capsys, *made[:2], moved, made[3])
    assert before["left_out"] == [] and after["left_out"] == [{"detector": "WFI09", "exposure": 2}]
    assert any("WFI09 does not move with the others" in text for text in after["warnings"])
    first = np.asarray(table["exposure"]) == 1
    for name in ("delta_mas", "epsilon_mas"):
        difference = np.abs(np.asarray(table[name]) - np.asarray(clean[name]))
        # The share of the reference output is told from all pixels of a file. The star was moved by 109 mas.
        assert difference[first].max() < 0.002 and difference.max() < 2
    _, stars = found_in(capsys, *made[:2], moved, made[3], "--show", "stars")
    out = stars[np.asarray(stars["left_out"], bool)]
    assert out["detector"].tolist() == ["WFI09"] and out["rms_x"][0] > 30 and out["rms_y"][0] < 3
    kept = stars[~np.asarray(stars["left_out"], bool)]
    assert len(kept) == 7 and max(kept["rms_x"]) < 2


@pytest.mark.slow
def test_all_files_make_one_table_that_is_called_after_the_acquisition(made, tmp_path, capsys):
    assert tool("gw", "attitude", *made[:2], "--outdir", tmp_path, "-q") == 0
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / f"{ROOT}_f158_attitude.parquet")]
    table = read_catalog(tmp_path / f"{ROOT}_f158_attitude.parquet")
    assert len(table) == 256 and str(table["zeta_arcsec"].unit) == "arcsec"
    assert tool("gw", "attitude", *made[:2], "--outdir", tmp_path, "-q") == 1  # it is there already
    assert tool("gw", "attitude", *made[:2], "--plot", tmp_path / "a.png", "-q") == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def windows(folder, *detectors, form="rad", **meta):
    """Small guide-window files of detectors, with some of their metadata changed."""

    def change(tree):
        tree["meta"]["instrument"]["detector"] = detector
        tree["meta"] |= meta

    found = []
    for detector in detectors:
        found.append(guide_file(folder / f"{detector.lower()}_gw.asdf", form, change=change))
    return found


def refused(capsys, *args):
    """Exit status of rt-gw attitude, and what it says."""
    capsys.readouterr()
    status = tool("gw", "attitude", *args, "--builtin", "-q")
    return status, capsys.readouterr().err


def test_files_of_different_acquisitions_are_refused(tmp_path, capsys):
    (tmp_path / "b").mkdir()
    own, other = windows(tmp_path, "WFI06"), windows(tmp_path / "b", "WFI07", guide_window_id="9" * 20)
    out = tmp_path / "out.ecsv"
    status, said = refused(capsys, *own, *other, "-o", out)
    assert status == 3 and "give files of one acquisition" in said and "wfi07_gw.asdf" in said and not out.exists()


def test_two_files_of_one_detector_are_refused(tmp_path, capsys):
    (tmp_path / "b").mkdir()
    status, said = refused(capsys, *windows(tmp_path, "WFI06"), *windows(tmp_path / "b", "WFI06"))
    assert status == 3 and "a second file of WFI06" in said


@pytest.mark.parametrize("form", ["dark", "empty"])
def test_fewer_than_two_stars_are_no_attitude(form, tmp_path, capsys):
    def without_light(tree):
        tree["track_data"]["signal_resultants"] = tree["track_data"]["pedestal_resultants"]

    dark = guide_file(tmp_path / "none_gw.asdf", change=without_light)
    files = windows(tmp_path, "WFI07", "WFI11", form=form)
    status, said = refused(capsys, *(files if form == "empty" else [dark, files[0]]), "--show", "stars")
    assert status == 3 and "an attitude needs two stars" in said


def test_what_cannot_be_asked_is_refused(tmp_path, capsys):
    files = windows(tmp_path, "WFI06", "WFI07")
    assert refused(capsys, *files, "--wcs", "x_cal.asdf")[0] == 2
    assert refused(capsys, *files, "--show", "stars", "--plot", "-")[0] == 2
    other = face_file(tmp_path / "other_face.asdf", change=lambda tree: tree["meta"].update(guide_window_id="9" * 20))
    status, said = refused(capsys, *files, "--face", other)
    assert status == 3 and "another acquisition" in said


def test_errors_are_in_json(tmp_path, capsys):
    files = windows(tmp_path, "WFI06", form="empty")
    assert tool("gw", "attitude", *files, "--builtin", "--json") == 3
    record = json.loads(capsys.readouterr().out)
    assert record["status"] == "failed" and record["inputs"] == [str(files[0])]


def test_a_dry_run_says_the_one_name(tmp_path, capsys):
    files = [guide_file(tmp_path / f"a_wfi0{number}_f158_gw.asdf") for number in (1, 2)]
    assert tool("gw", "attitude", *files, "--outdir", "x", "-n") == 0
    assert capsys.readouterr().out.strip().endswith("-> x/a_f158_attitude.parquet")
