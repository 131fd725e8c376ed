"""rt-run from raw exposures to a mosaic in one command."""

import json

import pytest

from rtools.pipeline.job import local
from tests.support.runs import arrays, complaints, done, listing, meta, records, same, simulate, tool

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two raw exposures of the same sky, a few pixels apart."""
    folder = tmp_path_factory.mktemp("pair")
    return simulate(folder, number=1), simulate(folder, "wfi01", "--ra", 270.0002, number=2)


@pytest.fixture(scope="module")
def single(pair, tmp_path_factory):
    """Directory with their products and a mosaic, made with one command for each of the two."""
    folder = tmp_path_factory.mktemp("single")
    done("run", *pair, "--outdir", folder)
    done("run", *sorted(folder.glob("*_cal.asdf")), "--mosaic", "-o", folder / "field_coadd.asdf")
    return folder


def images(folder):
    return sorted(folder.glob("*_cal.asdf"))


def test_one_command_makes_what_two_make(pair, single, tmp_path, capsys):
    assert (
        tool("run", *pair, "--mosaic", "--outdir", tmp_path, "-o", tmp_path / "field_coadd.asdf", "--json", "-q") == 0
    )
    *exposures, mosaic = records(capsys.readouterr().out)
    assert [one["input"] for one in exposures] == list(map(str, pair)) and len(mosaic["members"]) == 2
    assert {one["status"] for one in (*exposures, mosaic)} == {"done"} and "numpy" in mosaic["versions"]
    assert sorted(listing(tmp_path)) == sorted(listing(single))
    for path in (*images(single), single / "field_coadd.asdf"):
        assert all(same(path, tmp_path / path.name).values()), path.name


@pytest.mark.long
def test_several_processes_make_the_same_bits(pair, single, tmp_path, monkeypatch):
    monkeypatch.setattr(local, "WORTHWHILE", 0)
    where = ("--outdir", tmp_path, "-o", tmp_path / "field_coadd.asdf")
    done("run", *pair, "--mosaic", *where, "-j", 2, "--max-memory", 8)
    assert sorted(listing(tmp_path)) == sorted(listing(single))
    for path in (*images(single), single / "field_coadd.asdf"):
        assert all(same(path, tmp_path / path.name).values()), path.name


@pytest.mark.long
def test_calibrated_images_and_raw_exposures_may_be_mixed(pair, single, tmp_path):
    done("run", pair[0], images(single)[1], "--mosaic", "--outdir", tmp_path, "-o", tmp_path / "field_coadd.asdf")
    assert len(images(tmp_path)) == 1
    assert all(same(single / "field_coadd.asdf", tmp_path / "field_coadd.asdf").values())


def test_an_exposure_that_fails_is_left_out(pair, tmp_path, capsys):
    broken = tmp_path / pair[1].name
    content = bytearray(pair[1].read_bytes())
    content[len(content) // 2] ^= 0xFF  # its checksum tells
    broken.write_bytes(content)
    out = tmp_path / "out"
    assert (
        tool("run", pair[0], broken, "--mosaic", "--outdir", out, "-o", out / "field_coadd.asdf", "--json", "-q") == 3
    )
    said = {one["input"]: one for one in records(capsys.readouterr().out)}
    assert said[str(broken)]["exit_code"] == 3 and len(said["2 images"]["members"]) == 1
    assert meta(out / "field_coadd.asdf")["resample"]["members"] == ["r0000101001001001001_0001_wfi01_f158_cal.asdf"]


def test_with_fail_fast_there_is_no_mosaic(pair, tmp_path, capsys):
    missing, out = tmp_path / "missing_uncal.asdf", tmp_path / "out"
    assert (
        tool("run", pair[0], missing, "--mosaic", "--outdir", out, "-o", out / "f_coadd.asdf", "--fail-fast", "-q") == 3
    )
    assert not out.exists() and len(complaints(capsys.readouterr().err)) == 1


def test_a_dry_run_tells_the_graph(pair, tmp_path, capsys):
    words = ("--mosaic", "--outdir", tmp_path / "out", "-o", tmp_path / "field_coadd.asdf", "-n", "-q")
    assert tool("run", *pair, *words) == 0
    said = capsys.readouterr().out
    assert f"after calibrate {pair[1]}" in said and "on a grid that covers all images" in said
    assert f"-> {tmp_path / 'field_coadd.asdf'}" in said and not (tmp_path / "out").exists()
    assert tool("run", *pair, *words, "--json") == 0
    assert records(capsys.readouterr().out)[-1]["waits_for"] == [f"calibrate {path}" for path in pair]


def test_steps_of_the_exposures_and_options_of_the_mosaic_go_where_they_belong(pair, tmp_path):
    out = tmp_path / "f_coadd.asdf"
    words = ("--until", "flat", "--set", "resample.pixfrac=0.8", "--skip", "catalog", "--skip", "outlier")
    done("run", *pair, "--mosaic", *words, "--outdir", tmp_path, "-o", out)
    assert sorted(path.name.partition("f158_")[2] for path in tmp_path.glob("r*")) == ["flat.asdf"] * 2
    assert meta(out)["resample"]["pixfrac"] == 0.8 and not (tmp_path / "f_cat.parquet").exists()
    assert meta(out)["cal_step"]["outlier_detection"] == "SKIPPED"


def test_exposures_without_a_place_on_the_sky_are_refused_before_any_work(pair, tmp_path, capsys):
    out = tmp_path / "out"
    assert tool("run", *pair, "--mosaic", "--until", "rampfit", "--outdir", out, "-o", out / "f_coadd.asdf") == 2
    assert "no place on the sky" in capsys.readouterr().err and not out.exists()


def test_an_association_of_raw_exposures_names_its_mosaic(pair, single, tmp_path):
    members = [{"expname": str(path), "exptype": "science"} for path in pair]
    asn = tmp_path / "x_asn.json"
    asn.write_text(json.dumps({"products": [{"name": "deep", "members": members}], "target": "None"}))
    done("run", asn, "--mosaic", "--outdir", tmp_path)
    assert (tmp_path / "deep_coadd.asdf").exists() and len(images(tmp_path)) == 2
    one, two = arrays(single / "field_coadd.asdf", "data")["data"], arrays(tmp_path / "deep_coadd.asdf", "data")["data"]
    assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize(
    "words, code, reason",
    [
        (("--skycell", "nowhere"), 3, "nowhere"),
        (("--add", "none_coadd.asdf", "-o", "m_coadd.asdf"), 3, "none_coadd.asdf: no such file"),
        (("--mosaic", "--like", "none_cal.asdf", "-o", "m_coadd.asdf"), 3, "none_cal.asdf: no such file"),
        (("--mosaic", "--set", "resample.planes=data", "-o", "m_coadd.asdf"), 2, "the catalog needs err"),
    ],
)
def test_what_cannot_become_a_mosaic_is_refused_before_any_exposure(pair, tmp_path, capsys, words, code, reason):
    out = tmp_path / "out"
    assert tool("run", *pair, *words, "--outdir", out, "-q") == code
    assert reason in capsys.readouterr().err and not out.exists()


def test_exposures_of_two_filters_are_refused_before_any_work(pair, tmp_path, capsys):
    other = simulate(tmp_path, number=3)
    red = tmp_path / other.name.replace("f158", "f184")
    done("set", other, "instrument.optical_element=F184", "-o", red)
    out = tmp_path / "out"
    assert tool("run", pair[0], red, "--mosaic", "--outdir", out, "-o", out / "m_coadd.asdf", "-q") == 3
    assert "several optical elements" in capsys.readouterr().err and not out.exists()


def test_calibrated_images_make_a_mosaic_without_a_raw_exposure_that_is_refused(pair, single, tmp_path, capsys):
    words = ("--mosaic", "--outdir", tmp_path, "-o", tmp_path / "field_coadd.asdf", "-q")
    (tmp_path / images(single)[0].name).write_text("in the way")
    assert tool("run", pair[0], images(single)[1], *words) == 1
    assert "exists already" in capsys.readouterr().err
    assert meta(tmp_path / "field_coadd.asdf")["resample"]["members"] == [images(single)[1].name]
