"""rt-dq --at, --sky: what a file, its references, its ramp and its segments say of a pixel."""

import json

import numpy as np
import pytest
from astropy.io import fits

from rtools.exposure.rampfit.timing import resultant_timing
from rtools.jwst import GROUP_FLAGS
from rtools.products.edit.wcs import load_wcs
from rtools.products.io import open_product
from rtools.reference.builtin import Builtin
from rtools.wfi import dq
from tests.support import jwst_files
from tests.support.placed_images import image
from tests.support.runs import records, tool


@pytest.fixture
def told(capsys):
    """``told(*words)``: the objects that rt-dq --json prints."""

    def run(*words, status=0):
        assert tool("dq", *words, "--json", "-q") == status
        return records(capsys.readouterr().out)

    return run


def jump_of(path):
    """Resultant, y and x of the first jump of an image, and its time."""
    with open_product(path) as opened:
        resultant, y, x = (int(value) for value in np.array(opened.array("jump_indices"))[0])
        exposure = opened.meta["exposure"]
    return resultant, y, x, resultant_timing(exposure["read_pattern"], exposure["frame_time"]).mean[resultant]


def test_a_pixel_is_told_with_its_flags_values_jumps_and_numbers(product, told):
    cal = product("cal")
    resultant, y, x, time = jump_of(cal)
    (one,) = told(cal, "--at", f"{x},{y}")
    with open_product(cal) as opened:
        assert one["flags"]["dq"]["value"] == int(opened.array("dq")[y, x])
        assert one["values"]["data"] == pytest.approx(float(opened.array("data")[y, x]), nan_ok=True)
        assert one["values"]["err"] == pytest.approx(float(opened.array("err")[y, x]), nan_ok=True)
        ra, dec = load_wcs(opened)(x, y)
    assert "chisq" in one["values"]
    assert {"resultant": resultant, "time": pytest.approx(time)} in one["jumps"]
    assert (one["l1"], one["l2"]) == ([x + 4, y + 4], [x, y])
    assert (one["ra"], one["dec"]) == pytest.approx((ra, dec), abs=1e-9)


def test_positions_on_the_sky_find_the_pixel(product, told):
    cal = product("cal")
    with open_product(cal) as opened:
        ra, dec = load_wcs(opened)(100.3, 50.8)
    (one,) = told(cal, "--sky", f"{ra},{dec}", "--no-refs")
    assert (one["x"], one["y"], one["references"]) == (100, 51, [])


def test_references_say_what_they_hold_at_the_pixel(product, told):
    (one,) = told(product("cal"), "--at", "30,40")
    said = {entry["type"]: entry for entry in one["references"]}
    frame = (256, 256)
    gain = Builtin("gain", "WFI01", "F158", frame).columns("data", 34, 35)[44, 0]
    flat = Builtin("flat", "WFI01", "F158", frame).columns("data", 30, 31)[40, 0]
    mask = Builtin("mask", "WFI01", "F158", frame).columns("dq", 34, 35)[44, 0]
    assert said["gain"]["values"]["data"] == [pytest.approx(float(gain))]
    assert said["flat"]["values"]["data"] == [pytest.approx(float(flat))]
    assert said["mask"]["flags"]["dq"] == dq.names(int(mask))


def test_both_frames_of_raw_data(product, told):
    (one,) = told(product("linearity"), "--at", "34,44", "--no-refs")
    (other,) = told(product("linearity"), "--at", "30,40", "--frame", "l2", "--no-refs")
    assert one["l1"] == other["l1"] == [34, 44]
    assert one["l2"] == other["l2"] == [30, 40]
    assert len(one["values"]["data"]) == 6


def test_an_image_finds_its_ramp_beside_it(product, told):
    cal = product("cal")
    resultant, y, x, _time = jump_of(cal)
    (one,) = told(cal, "--at", f"{x},{y}", "--ramp", "--no-refs")
    (ramp,) = one["ramps"]
    with open_product(product("linearity")) as beside:
        values = beside.array("data")[:, y + 4, x + 4]
    np.testing.assert_allclose([sample["value"] for sample in ramp["samples"]], values.astype(float))
    assert resultant in ramp["jumps"]


def test_an_image_finds_its_ramp_where_its_record_says(product, raw, tmp_path_factory, told):
    alone = tmp_path_factory.mktemp("alone") / "x_cal.asdf"  # as far from the raw exposure as the image itself
    alone.write_bytes(product("cal").read_bytes())
    (one,) = told(alone, "--at", "30,40", "--ramp", "--no-refs")
    with open_product(raw) as opened:
        values = opened.array("data")[:, 44, 34]
    assert [sample["value"] for sample in one["ramps"][0]["samples"]] == values.tolist()


def test_a_pixel_of_a_source_has_its_label(product, told):
    with open_product(product("segm")) as segments:
        labels = segments.array("data")
    y, x = (int(value) for value in np.argwhere(labels)[0])
    (one,) = told(product("cal"), "--at", f"{x},{y}", "--no-refs")
    assert one["source"]["label"] == int(labels[y, x])
    assert {"ra", "dec"} <= one["source"].keys()


def test_lines_in_a_pipe_have_file_pixel_what_and_value(product, capsys):
    cal = product("cal")
    assert tool("dq", cal, "--at", "30,40", "-q", "--no-refs") == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert {tuple(line[:3]) for line in lines} == {(str(cal), "30", "40")}
    assert {"sky", "l1", "l2", "dq", "data"} <= {line[3] for line in lines}


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (("--at", "999,3"), 3, "outside of the 248 x 248 pixels"),
        (("--sky", "90,-66"), 3, "outside"),
        (("--at", "x"), 2, "X,Y is one"),
        (("--at", "1,2", "--mask", "HOT", "-o", "m.asdf"), 2, "go with none of"),
        (("--ramp",), 2, "go with --at or --sky"),
        (("1024", "567"), 2, "--at X,Y in pixels, or --sky RA,DEC"),
    ],
)
def test_what_cannot_be_asked_of_a_pixel(words, status, text, product, capsys):
    assert tool("dq", product("cal"), *words) == status
    told = capsys.readouterr()
    assert text in told.err
    assert len(told.err.splitlines()) == 1


def test_an_image_without_its_ramp_says_where_it_should_be(tmp_path, capsys):
    alone = image(tmp_path / "x_cal.asdf")
    assert tool("dq", alone, "--at", "3,4", "--ramp", "--no-refs", "-q") == 3
    assert "x_uncal.asdf" in capsys.readouterr().err


def test_jumps_of_jwst_are_those_of_the_ramp_beside_the_image(tmp_path, told):
    path, ramp = (jwst_files.made(tmp_path, suffix) for suffix in ("rate", "ramp"))
    for name in (path, ramp):
        with fits.open(name, mode="update") as hdus:
            hdus[0].header.update({"TFRAME": 2.0, "TGROUP": 10.0, "NFRAMES": 4, "SUBSTRT1": 101, "SUBSTRT2": 201})
            if name == ramp:
                hdus["GROUPDQ"].data[:] = 0
                hdus["GROUPDQ"].data[1, 2, 3, 5] = GROUP_FLAGS["JUMP_DET"]
    (one,) = told(path, "--at", "5,3", "--no-refs", "--ramp")
    assert one["jumps"] == [{"integration": 1, "group": 2, "time": 25.0}]
    assert one["detector"] == [106, 204]
    assert [entry["word"] for entry in one["ramps"]] == ["group", "group"]
    assert json.dumps(one)
