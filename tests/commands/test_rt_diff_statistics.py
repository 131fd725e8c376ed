"""rt-diff: statistics of images and catalogs, catalogs matched on the sky, pictures and files of the difference."""

import io
import json

import asdf
import numpy as np
import pytest
from astropy import units
from astropy.table import Table

from rtools.products.opening import open_any
from rtools.products.tables.files import stage_catalog
from tests.support.small_files import tool, write

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(5)
SHAPE = (64, 80)


@pytest.fixture
def pair(tmp_path):
    """Two images of one sky: noise of 0.1, an offset of 0.02, a patch of HOT pixels that differ by 3."""
    dq = np.zeros(SHAPE, "u4")
    dq[:4, :8] = 2048
    parts = {"data": RNG.normal(5, 0.01, SHAPE).astype("f4"), "err": np.full(SHAPE, 0.1, "f2"), "dq": dq}
    other = parts | {"data": parts["data"] + RNG.normal(0.02, 0.1, SHAPE).astype("f4") + 3 * (dq > 0)}
    other["data"] = other["data"].astype("f4")
    return [write(tmp_path / f"{name}_cal.asdf", "l2_image", made) for name, made in (("a", parts), ("b", other))]


def told(capsys, *args):
    status = tool("diff", *args, "--json")
    found = json.loads(capsys.readouterr().out)
    assert status == int(not found["same"])
    return found


def test_an_image_tells_median_scatter_and_sigmas(pair, capsys):
    (found,) = told(capsys, *pair)["arrays"]
    statistics = found["statistics"]
    assert statistics["median"] == pytest.approx(0.02, abs=0.01)
    assert statistics["scatter"] == pytest.approx(0.1, rel=0.1)
    assert statistics["beyond_1_sigma"] == pytest.approx(0.33, abs=0.03)
    assert statistics["beyond_5_sigma"] == pytest.approx(32 / 5120, abs=1e-3)
    assert statistics["error_of"] == "A"
    assert tool("diff", *pair, "--brief") == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert "sigma of A" in lines[1]


def test_by_tells_where_and_of_which_flags(pair, capsys):
    (found,) = told(capsys, *pair, "--by", "dq", "--by", "region")["arrays"]
    by_flag = {entry["flag"]: entry for entry in found["statistics"]["by_dq"]}
    assert by_flag["HOT"]["pixels"] == 32
    assert by_flag["HOT"]["median"] == pytest.approx(3, abs=0.1)
    assert by_flag["GOOD"]["beyond_5_sigma"] == 0
    regions = found["statistics"]["by_region"]
    assert len(regions) == 16
    assert regions[0]["beyond_5_sigma"] == max(region["beyond_5_sigma"] for region in regions) > 0.05
    assert tool("diff", *pair, "--by", "dq") == 1
    assert "HOT" in capsys.readouterr().out


def test_one_step_of_float16_is_said(tmp_path, capsys):
    err = RNG.uniform(0.1, 0.2, SHAPE).astype("f2")
    other = np.where(RNG.random(SHAPE) < 0.3, np.nextafter(err, np.float16(1)), err)
    both = (("a", err), ("b", other))
    paths = [write(tmp_path / f"{name}_cal.asdf", "l2_image", {"err": made}) for name, made in both]
    assert tool("diff", *paths) == 1
    assert "one step of float16 at most" in capsys.readouterr().out


def test_a_picture_and_arrays_of_the_difference(pair, tmp_path, capsys):
    assert tool("diff", *pair, "-o", tmp_path / "d.png", "-q") == 1
    assert (tmp_path / "d.png").read_bytes().startswith(b"\x89PNG")
    assert tool("diff", *pair, "-o", tmp_path / "d.asdf", "-q") == 1
    with asdf.open(tmp_path / "d.asdf") as file:
        found = file["roman"]
        assert np.median(found["sigma"][10:]) == pytest.approx(0.2, abs=0.1)
        assert found["data"].shape == found["dq"].shape == SHAPE
        assert found["meta"]["array"] == "data"
    capsys.readouterr()
    assert tool("diff", *pair, "-o", tmp_path / "d.asdf") == 1
    assert "exists already" in capsys.readouterr().err
    assert tool("view", tmp_path / "d.asdf", "--array", "sigma") == 0


def test_the_difference_of_files_that_differ_is_made_again_and_verified(pair, tmp_path, capsys):
    made = tmp_path / "d.asdf"
    assert tool("diff", *pair, "-o", made, "-q") == 1
    capsys.readouterr()
    assert tool("history", made, "--verify") == 0
    assert capsys.readouterr().out == f"{made}: the same\n"


def test_the_same_is_drawn_too_and_stays_the_same(pair, tmp_path):
    assert tool("diff", pair[0], pair[0], "-o", tmp_path / "d.png") == 0
    assert (tmp_path / "d.png").exists()


@pytest.mark.parametrize(("words", "status", "what"), [
    (["--match", "sky"], 2, "about catalogs"), (["--array", "dq", "-o", "d.png"], 3, "no image of one size"),
    (["--array", "dq"], 2, "goes with -o"), (["--radius", "1"], 2, "--match sky"), (["-o", "d.fits"], 2, "writes"),
])  # fmt: skip
def test_what_does_not_go_together_is_refused(pair, words, status, what, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert tool("diff", *pair, *words) == status
    assert what in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


@pytest.fixture
def catalogs(tmp_path):
    """Two catalogs of 60 of 62 common sources with other labels, offset by 0.02″ and 5 ± 3 nJy."""
    ra, dec = 270 + RNG.uniform(-0.05, 0.05, 62), 66 + RNG.uniform(-0.02, 0.02, 62)
    flux = RNG.uniform(100, 900, 62)
    made = []
    for name, rows, offset in (("a", np.arange(61), 0.0), ("b", np.r_[61, 59:-1:-1], 1.0)):
        columns = {
            "label": np.arange(1, 62),
            "ra": (ra[rows] + offset * 0.02 / 3600 / np.cos(np.radians(dec[rows]))) * units.deg,
            "dec": dec[rows] * units.deg,
            "kron_flux": (flux[rows] + offset * RNG.normal(5, 3, 61)).astype("f4") * units.nJy,
            "kron_flux_err": np.full(61, 3, "f4") * units.nJy,
        }
        path = tmp_path / f"{name}_cat.parquet"
        stage_catalog(path, Table(columns), "parquet").commit()
        made.append(path)
    return made


def test_catalogs_are_matched_on_the_sky(catalogs, capsys):
    found = told(capsys, *catalogs, "--match", "sky")
    assert [(entry["only_in"], entry["count"]) for entry in found["metadata"]] == [("a", 1), ("b", 1)]
    columns = {entry["array"]: entry["statistics"] for entry in found["columns"]}
    assert list(columns) == ["ra", "kron_flux"]
    assert columns["ra"]["unit"] == "arcsec"
    assert columns["ra"]["median"] == pytest.approx(0.02, abs=1e-3)
    assert columns["kron_flux"]["median"] == pytest.approx(5, abs=1.5)
    assert columns["kron_flux"]["pull_scatter"] == pytest.approx(1 / 2**0.5, rel=0.35)


def test_brief_is_a_table_of_columns(catalogs, capsys):
    assert tool("diff", *catalogs, "--match", "sky", "--brief") == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["rows", "rows", "column", "ra", "kron_flux", "differ:"]
    assert max(map(len, lines)) <= 80


def test_rows_in_another_order_are_the_same_on_the_sky_and_differ_by_place(catalogs, tmp_path, capsys):
    from rtools.products.tables.files import read_catalog

    table = read_catalog(catalogs[0])[::-1]
    stage_catalog(tmp_path / "c.parquet", table, "parquet").commit()
    assert tool("diff", catalogs[0], tmp_path / "c.parquet", "--match", "sky") == 0
    assert tool("diff", catalogs[0], tmp_path / "c.parquet", "--match", "row", "-q") == 1


def test_a_catalog_without_positions_is_not_matched_on_the_sky(tmp_path, catalogs, capsys):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    assert tool("diff", catalogs[0], tmp_path / "x.csv", "--match", "sky") == 3
    assert "x.csv: no positions: no column is known" in capsys.readouterr().err


def test_a_difference_of_more_pixels_than_are_measured_is_whole(pair, tmp_path, monkeypatch):
    from rtools.show import difference_output, image_pairs

    monkeypatch.setattr(image_pairs, "LARGEST", 500)
    for module in (image_pairs, difference_output):
        monkeypatch.setattr(module, "BLOCK", 7 * SHAPE[1] + 1)
    assert tool("diff", *pair, "-o", tmp_path / "d.asdf", "-q") == 1
    with open_any(tmp_path / "d.asdf", others=True) as file, open_any(pair[0]) as a, open_any(pair[1]) as b:
        gap = b.array("data") - a.array("data")
        np.testing.assert_array_equal(file.array("roman.data"), gap)
        np.testing.assert_array_equal(file.array("roman.sigma"), gap / a.array("err").astype("f4"))
        np.testing.assert_array_equal(file.array("roman.dq"), a.array("dq"))
    assert tool("diff", *pair, "-o", tmp_path / "d.png", "-q") == 1


def test_parts_of_thinned_images_end_where_the_image_ends(pair, monkeypatch, capsys):
    monkeypatch.setattr("rtools.show.image_pairs.LARGEST", 500)
    (found,) = told(capsys, *pair, "--by", "region")["arrays"]
    assert found["statistics"]["every"] == 4
    assert found["statistics"]["by_region"][-1]["y"][1] == SHAPE[0]
    assert found["statistics"]["by_region"][-1]["x"][1] == SHAPE[1]


@pytest.mark.parametrize("err", [None, np.zeros(SHAPE, "f2"), np.full(SHAPE, np.nan, "f2")])
def test_without_errors_no_share_beyond_sigma_is_told(tmp_path, err, capsys):
    parts = {"data": RNG.normal(5, 0.01, SHAPE).astype("f4")} | ({} if err is None else {"err": err})
    other = parts | {"data": parts["data"] + np.float32(1)}
    paths = [write(tmp_path / f"{name}_cal.asdf", "l2_image", made) for name, made in (("a", parts), ("b", other))]
    assert tool("diff", *paths, "--brief") == 1
    lines = capsys.readouterr().out.splitlines()
    assert "no errors" in lines[1]
    assert "sigma" not in lines[1]
    (found,) = told(capsys, *paths)["arrays"]
    assert found["statistics"]["error_of"] is None


@pytest.mark.parametrize(("words", "what"), [
    (["--by", "dq", "--array", "err"], None), (["--by", "region", "--array", "dq"], "holds no values"),
    (["--by", "region", "--array", "nothing"], "is missing"),
])  # fmt: skip
def test_by_of_what_cannot_be_measured_is_told_not_passed_over(pair, words, what, capsys):
    status = tool("diff", *pair, *words)
    assert (status == 1) if what is None else (status in (2, 3) and what in capsys.readouterr().err)


@pytest.mark.parametrize("words", [["--by", "dq"], ["--by", "dq", "--array", "ra"], ["-o", "d.png"]])
def test_options_of_images_do_not_go_with_catalogs(catalogs, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert tool("diff", *catalogs, *words) == 2
    assert "images, not catalogs" in capsys.readouterr().err
    assert not (tmp_path / "d.png").exists()


def test_a_fault_of_the_comparison_itself_is_not_told_as_damage_of_the_files(pair, monkeypatch, capsys):
    def fail(*_args):
        raise ValueError("operands could not be broadcast together")

    monkeypatch.setattr("rtools.show.differences.measure_image", fail)
    assert tool("diff", *pair) == 1
    assert "internal error: ValueError: operands" in capsys.readouterr().err


def test_worst_pixels_have_their_numbers_in_both_frames(tmp_path, capsys):
    data = np.zeros(SHAPE, "f4")
    other = data.copy()
    other[7, 9] = 3
    cutout = {"filename": "whole_cal.asdf", "columns": [100, 180], "rows": [200, 264]}
    paths = [write(tmp_path / f"{name}_cal.asdf", "l2_image", {"data": made}, rtools={"cutout": cutout})
             for name, made in (("a", data), ("b", other))]  # fmt: skip
    (found,) = told(capsys, *paths)["arrays"]
    assert (found["worst"][0]["l1"], found["worst"][0]["l2"]) == ([113, 211], [109, 207])
    assert tool("diff", *paths) == 1
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[1][:6] == ["x", "y", "x_l1", "y_l1", "x_l2", "y_l2"]
    assert lines[2][:6] == ["9", "7", "113", "211", "109", "207"]


def test_a_difference_from_standard_input_says_so(pair, tmp_path, monkeypatch):
    with open(pair[0], "rb") as stream:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(stream))
        assert tool("diff", "-", pair[1], "-q", "-o", tmp_path / "d.asdf") == 1
    with open_any(tmp_path / "d.asdf", others=True) as file:
        assert file.content["roman"]["meta"]["a"] == "standard input"
