"""rt-stat: known answers, masks, sections, cubes; clipping against astropy."""

import json

import numpy as np
import pytest
from astropy.stats import median_absolute_deviation, sigma_clipped_stats

from rtools.show.statistics import columns, describe
from rtools.work.statistics import image_statistics
from tests.support.guide_files import guide_file
from tests.support.runs import piped
from tests.support.small_files import tool, write

RNG = np.random.default_rng(11)


@pytest.fixture
def planes():
    """Data, flags and errors of an image with everything that is not counted."""
    data = RNG.normal(5, 1, (60, 50)).astype("f4")
    data[3, :7] = np.nan, np.inf, -np.inf, 1e30, 1e30, 1e30, 1e30
    flags = RNG.choice(np.array([0, 0, 0, 1, 4, 5], "u4"), data.shape)
    flags[3, :7] = 0, 0, 0, 1, 0, 0, 4
    err = np.full(data.shape, 0.1, "f2")
    err[3, 4:7] = 0, np.nan, -1
    return {"data": data, "dq": flags, "err": err}


@pytest.fixture
def image(planes, tmp_path):
    return write(tmp_path / "x_cal.asdf", "l2_image", planes, compression="lz4")


def statistics(capsys, *args):
    """Records that rt-stat prints as JSON, by array and plane."""
    assert tool("stat", *args, "--json") == 0
    found = json.loads(capsys.readouterr().out)["statistics"]
    return {(record["array"], record["plane"]): record for record in found}


@pytest.mark.parametrize("values", [RNG.normal(3, 2, 1001), RNG.standard_t(1.5, 4000), RNG.exponential(2, 1000), [7.0]])
@pytest.mark.parametrize("dtype", ["f4", "f8", "u2"])
def test_numbers_are_those_of_numpy_and_astropy(values, dtype):
    values = np.abs(np.asarray(values)).astype(dtype)
    found = describe(values.copy(), columns([0, 16, 84, 100])[1:], sigma=2.5)
    mean, median, sd = sigma_clipped_stats(values.astype("f8"), sigma=2.5)
    assert found["clip_mean"] == pytest.approx(mean, rel=1e-12)
    assert found["clip_median"] == pytest.approx(median, rel=1e-7)
    assert found["clip_sd"] == pytest.approx(sd, rel=1e-9)
    assert found["count"] == values.size
    assert found["mean"] == pytest.approx(values.mean(dtype="f8"))
    assert found["median"] == np.median(values)
    assert found["sd"] == pytest.approx(values.std(dtype="f8"))
    assert found["mad"] == pytest.approx(median_absolute_deviation(values), rel=1e-6)
    assert (found["p0"], found["p100"]) == (found["min"], found["max"]) == (values.min(), values.max())
    assert found["p16"] == pytest.approx(np.percentile(values, 16), rel=1e-6)


def test_clipping_leaves_the_gaussian():
    values = np.concatenate([RNG.normal(10, 2, 20000), np.full(400, 1e4)])
    found = describe(values, ["mean", "clip_mean", "clip_sd"])
    assert found["mean"] > 100
    assert found["clip_mean"] == pytest.approx(10, abs=0.06)
    assert found["clip_sd"] == pytest.approx(2, abs=0.06)


def test_data_are_described_as_in_the_metadata(image, planes, capsys):
    expected = image_statistics(planes["data"], planes["dq"], planes["err"])
    found = statistics(capsys, image)["data", None]
    assert found["median"] == expected["image_median"]
    assert found["mad"] * 1.482602218505602 == pytest.approx(expected["image_rms"], rel=1e-6)
    assert found["count"] / found["pixels"] == expected["good_pixel_fraction"]
    assert found["max"] < 100


@pytest.mark.parametrize(
    ("flags", "bits"), [("none", 0), ("JUMP_DET", 4), ("DO_NOT_USE|4", 5), ("GOOD", 0), ("HOT", 2048)]
)
def test_pixels_with_other_flags_are_left_out(image, planes, flags, bits, capsys):
    good = np.isfinite(planes["data"]) & (planes["dq"] & bits == 0)
    found = statistics(capsys, image, "--dq", flags)["data", None]
    assert found["count"] == good.sum()
    assert found["max"] == planes["data"][good].max()


def test_section_and_frame(image, planes, capsys):
    good = (planes["dq"] & 1 == 0)[10:20, 30:35]
    found = statistics(capsys, image, "--section", "30:35,10:20")
    assert found["data", None]["pixels"] == 50
    assert found["data", None]["mean"] == pytest.approx(planes["data"][10:20, 30:35][good].mean(dtype="f8"))
    assert found == statistics(capsys, image, "--section", "34:39,14:24", "--frame", "l1")
    assert tool("stat", image, "--section", "50:60,0:1") == 3
    assert tool("stat", image, "--section", "9:3,0:1") == 2
    assert tool("stat", image, "--frame", "l1") == 2


def test_only_planes_of_the_frame_that_are_no_flags(tmp_path, planes, capsys):
    more = {"amp33": np.ones((3, 60, 8), "u2"), "name": np.array(["a"] * 600), "zeta": np.ones((60, 50), "c8")}
    path = write(tmp_path / "y_cal.asdf", "l2_image", planes | more)
    assert list(statistics(capsys, path)) == [("data", None), ("err", None)]
    assert list(statistics(capsys, path, "--array", "amp*,dq")) == [
        ("amp33", 0),
        ("amp33", 1),
        ("amp33", 2),
        ("dq", None),
    ]
    assert tool("stat", path, "--array", "zeta") == 3
    assert tool("stat", path, "--array", "nothing") == 3


@pytest.fixture
def ramp(tmp_path):
    data = np.arange(3 * 20 * 30, dtype="f4").reshape(3, 20, 30)
    pixeldq, groupdq = np.zeros((20, 30), "u4"), np.zeros((3, 20, 30), "u1")
    pixeldq[0, 0] = 1
    pixeldq[0, 1] = 128
    groupdq[1, 0, :5] = 1
    groupdq[2, 5] = 128
    return write(tmp_path / "x_refpix.asdf", "ramp", {"data": data, "pixeldq": pixeldq, "groupdq": groupdq})


def test_cubes_are_described_by_resultant(ramp, capsys):
    found = statistics(capsys, ramp)
    assert [record["count"] for record in found.values()] == [599, 595, 599]
    assert list(found) == [("data", 0), ("data", 1), ("data", 2)]
    assert found["data", 2]["max"] == 1799


def test_flags_of_a_name_are_looked_for_where_the_name_is(ramp, capsys):
    assert [one["count"] for one in statistics(capsys, ramp, "--dq", "WFI18_TRANSIENT").values()] == [600, 600, 570]
    assert [one["count"] for one in statistics(capsys, ramp, "--dq", "OUTLIER").values()] == [599, 599, 599]
    assert tool("stat", ramp, "--dq", "OUTLYER") == 2


@pytest.mark.parametrize(("number", "plane"), [(0, 0), (-1, 2), (2, 2)])
def test_one_resultant_is_looked_at_alone(ramp, number, plane, capsys):
    assert list(statistics(capsys, ramp, "--resultant", number)) == [("data", plane)]


def test_resultant_that_is_not_there(ramp, capsys):
    assert tool("stat", ramp, "--resultant", 3) == 3
    assert "3 planes" in capsys.readouterr().err


def test_raw_data_are_integers(tmp_path, capsys):
    path = write(tmp_path / "x_uncal.asdf", "l1_uncal", {"data": np.full((2, 40, 50), 65535, "u2")})
    found = statistics(capsys, path, "--stat", "count,mean,median,sd,mad,max")
    assert found["data", 1] == {
        "array": "data", "plane": 1, "count": 2000, "mean": 65535, "median": 65535, "sd": 0, "mad": 0, "max": 65535,
    }  # fmt: skip


def test_nothing_to_describe_is_null_not_nan(tmp_path, capsys):
    path = write(tmp_path / "x_cal.asdf", "l2_image", {"data": np.full((30, 30), np.nan, "f4")})
    found = statistics(capsys, path)["data", None]
    assert found["count"] == found["clip_count"] == 0
    assert found["median"] is None
    assert tool("stat", path) == 0
    assert "nan" in capsys.readouterr().out


def test_lines_in_a_pipe(image, capsys):
    assert tool("stat", image, "--stat", "pixels,p2.5", "--percentile", "2.5", "--array", "data") == 0
    path, array, plane, pixels, percentile = capsys.readouterr().out.rstrip("\n").split("\t")
    assert (path, array, plane, pixels) == (str(image), "data", "-", "3000")
    assert float(percentile) < 5


@pytest.mark.parametrize("args", [["--percentile", "101"], ["--percentile", "a"], ["--stat", "p50"], ["--sigma", "0"]])
def test_wrong_values_are_usage_errors(image, args, capsys):
    assert tool("stat", image, *args) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_standard_input_and_a_bad_file(image, monkeypatch, capsys):
    with piped(monkeypatch, image.read_bytes()) as out:
        assert tool("stat", "-", image.parent / "none.asdf", image, "--stat", "count") == 3
    lines = out.getvalue().decode().splitlines()
    assert [line.split("\t")[0] for line in lines] == ["-", "-", str(image), str(image)]
    assert lines[0].split("\t")[1:] == lines[2].split("\t")[1:]


def test_of_a_file_of_flags_alone_it_is_said_what_to_ask_for(tmp_path, capsys):
    path = write(tmp_path / "mask.asdf", "reference/mask", {"dq": np.zeros((40, 40), "u4")})
    assert tool("stat", path) == 0
    said = capsys.readouterr()
    assert said.out == "" and "--array takes dq" in said.err
    assert tool("stat", path, "--array", "dq") == 0


@pytest.mark.parametrize("compression", [None, "lz4", "zlib"])
def test_threads_change_nothing(tmp_path, compression, capsys):
    cube = RNG.integers(0, 60000, (7, 64, 60)).astype("u2")
    path = write(tmp_path / "x_uncal.asdf", "l1_uncal", {"data": cube, "amp33": cube}, compression=compression)
    printed = []
    for jobs in (1, 4, 0):
        assert tool("stat", path, "-j", jobs) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] == printed[2]
    assert len(printed[0].splitlines()) == 14
    assert tool("stat", path, "-j", -1) == 2


def test_x_and_y_of_guide_windows_are_not_mixed(tmp_path, capsys):
    path = guide_file(tmp_path)
    assert tool("stat", path, "--json", "--array", "track_data.lower_*,centroid.*errs", "--stat", "count,median") == 0
    told = json.loads(capsys.readouterr().out)["statistics"]
    assert [(one["column"], one["median"]) for one in told[:2]] == [("x", 1024), ("y", 2024)]
    assert [(one["column"], one["count"]) for one in told[2:]] == [
        ("xx", 32), ("yy", 32), ("xy", 32), ("xx", 112), ("yy", 112), ("xy", 112)
    ]  # fmt: skip


def test_columns_are_named_in_a_pipe(tmp_path, capsys):
    assert tool("stat", guide_file(tmp_path, "seed"), "--array", "centroids.track_centroids", "--stat", "count") == 0
    assert [line.split("\t")[1:] for line in capsys.readouterr().out.splitlines()] == [
        ["centroids.track_centroids[x]", "-", "112"],
        ["centroids.track_centroids[y]", "-", "112"],
    ]


def test_a_terminal_gets_one_table_of_all_files_with_what_fits(image, planes, tmp_path, capsys, monkeypatch):
    other = write(tmp_path / "y_cal.asdf", "l2_image", planes)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    assert tool("stat", image, other, "--array", "data,err") == 0
    pattern, head, *rows = capsys.readouterr().out.splitlines()
    assert pattern == str(tmp_path / "*_cal.asdf")
    assert head.split() == ["file", "array", "plane", "count", "median", "clip_sd", "min", "max"]
    assert [row.split()[:3] for row in rows] == [[name, array, "-"] for name in "xy" for array in ("data", "err")]
    assert max(map(len, [head, *rows])) <= 80
    assert tool("stat", image, "--array", "data", "--stat", "all") == 0
    assert "clip_mean" in capsys.readouterr().out


def test_a_pipe_gets_names_of_columns_when_asked(image, capsys):
    assert tool("stat", image, "--array", "data", "--stat", "median,mad", "--header") == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split("\t") == ["file", "array", "plane", "median", "mad"]
    assert len(row.split("\t")) == 5
