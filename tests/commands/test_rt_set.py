"""rt-set: values and their types, the schema, history, arrays as they were, where the result goes."""

import json
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from rtools.products.edit.edit import Edit
from rtools.products.io import header, open_product, writer
from tests.support import samples
from tests.support.guide_files import face_file, guide_file
from tests.support.keyed_files import ASSOCIATION, OLD
from tests.support.runs import arrays, history, listing, meta, piped, same, tool
from tests.support.validity import validate_tree

TAG = "asdf://stsci.edu/datamodels/roman/tags/wfi_image-2.1.0"


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """An L2 image with a WCS, a big-endian plane, and blocks of two compressions."""
    made = samples.meta("l2_image") | {"wcs": samples.wcs()}
    made["program"]["title"] = "before"
    made["exposure"]["exposure_time"] = 12.5
    planes = samples.arrays("l2_image") | {"border_ref_pix_left": np.zeros((3, 4096, 4), "f4")}
    path = tmp_path_factory.mktemp("image") / "x_cal.asdf"
    history = [{"description": "made", "tool": "maker", "time": "2026-01-01T00:00:00", "arguments": ["-a"]}]
    writer.write_product(path, "l2_image", made, planes, history=history)
    return path


def stored(path):
    """Of every block the bytes in the file, compression, size and checksum."""
    data = path.read_bytes()
    found = header.read_header(path)[2]
    return [(data[one.offset :][: one.used], one.compression, one.size, one.checksum) for one in found]


def refused(capsys, *args, status=2):
    """The message of a call that must fail."""
    assert tool("set", *args) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    return captured.err


def test_values_are_set_and_everything_else_is_as_it_was(image, tmp_path, capsys):
    target = tmp_path / "y_cal.asdf"
    words = ("program.title=after", "meta.exposure.exposure_time=7", "exposure.read_pattern=[[1],[2,3]]")
    assert tool("set", image, *words, "-o", target) == 0
    assert capsys.readouterr().out == f"{target}\n"
    before, after = meta(image), meta(target)
    assert after["program"]["title"] == "after"
    assert after["exposure"]["exposure_time"] == 7.0
    assert type(after["exposure"]["exposure_time"]) is float
    assert after["exposure"]["read_pattern"] == [[1], [2, 3]]
    assert after["filename"] == "y_cal.asdf"
    assert after["file_date"] > before["file_date"]
    for changed in (before, after):
        for block, key in (("program", "title"), ("exposure", "exposure_time"), ("exposure", "read_pattern")):
            del changed[block][key]
        del changed["filename"], changed["file_date"]
    assert before == after
    assert all(same(image, target).values())
    assert stored(image) == stored(target)
    with open_product(target) as product:
        assert validate_tree(product) == []
        assert product.node("meta.wcs")(3.0, 4.0) == samples.wcs()(3.0, 4.0)


def test_the_change_is_recorded_after_what_was_done_before(image, tmp_path):
    target = tmp_path / "y_cal.asdf"
    assert tool("set", image, "program.title=after", "-o", target) == 0
    entries = history(target)
    assert [entry["tool"] for entry in entries] == ["maker", "rt-set"]
    assert entries[0]["arguments"] == ["-a"]
    assert entries[1]["parameters"] == {"meta.program.title": "after"}
    assert entries[1]["inputs"] == [str(image)]
    said = [header.read_header(path)[1]["history"]["extensions"] for path in (image, target)]
    assert [one["extension_uri"] for one in said[0]] == [one["extension_uri"] for one in said[1]]


def test_asdf_opens_the_result_and_its_checksums_hold(image, tmp_path):
    import asdf

    target = tmp_path / "y_cal.asdf"
    assert tool("set", image, "program.title=after", "-o", target) == 0
    with asdf.open(target, validate_checksums=True, lazy_load=False, ignore_unrecognized_tag=True) as file:
        assert file["roman"]["meta"]["program"]["title"] == "after"
        np.testing.assert_array_equal(file["roman"]["data"], arrays(image, "data")["data"])


@pytest.mark.parametrize("version", ["1.1.0", "1.2.0"])
def test_roman_datamodels_validates_the_result(image, tmp_path, judge, version):
    target = tmp_path / "y_cal.asdf"
    assert tool("set", image, "program.title=after", "exposure.type=WFI_LOLO", "-o", target) == 0
    said = judge(version, [target, image])
    assert said[str(target)] == said[str(image)]
    assert said[str(target)]["ok"]


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("exposure.type=NONSENSE", "'NONSENSE' is not one of"),
        ("exposure.nresultants=abc", "'abc' is not of type 'integer'"),
        ("exposure.nresultants=2.5", "2.5 is not of type 'integer'"),
        ("exposure.truncated=1", "1 is not of type 'boolean'"),
        ("program.title=5", "5 is not of type 'string'; quote"),
        ("program.title=", "None is not of type 'string'"),
        ("exposure={}", "is a required property"),
        ("exposure.start_time=yesterday", "'yesterday' is not a valid time"),
        ("exposure.start_time=null", "meta.exposure.start_time: "),
        ("exposure.tpye=WFI_IMAGE", "did you mean exposure.type?"),
        ("exposure.read_pattern.7=[1]", "--new adds it"),
        ("data=3", "data is an array"),
        ("data.shape=[1]", "nothing below it can be set"),
        ("wcs=3", "meta.wcs is a wcs-"),
        ("wcs.name=here", "nothing below it can be set"),
        ("exposure.type.more=1", "nothing below it can be set"),
        ("program.title=[1", "the value is not YAML"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(image, tmp_path, capsys, word, says):
    options = ["--new"] if "more" in word else []
    assert says in refused(capsys, image, word, *options, "-o", tmp_path / "y_cal.asdf")
    assert listing(tmp_path) == {}


def test_new_keys_when_asked_for(image, tmp_path):
    target = tmp_path / "y_cal.asdf"
    assert tool("set", image, "mine.quality.seeing=1e-1", "--new", "-o", target) == 0
    assert meta(target)["mine"] == {"quality": {"seeing": 0.1}}
    assert tool("set", image, "exposure.sdf_log_file=x.log", "-o", target, "--overwrite") == 0  # the schema's own
    assert meta(target)["exposure"]["sdf_log_file"] == "x.log"


def test_times_stay_times(image, tmp_path):
    target = tmp_path / "y_cal.asdf"
    words = ("exposure.start_time=2027-03-01T12:00:00+01:00", "file_date=2027-01-01", "filename=other.asdf")
    assert tool("set", image, *words, "-o", target) == 0
    found = header.read_header(target)[0]["roman"]["meta"]
    assert found["exposure"]["start_time"] == "2027-03-01T11:00:00.000"
    assert "time/time-" in found["exposure"]["start_time"].tag
    assert found["file_date"] == "2027-01-01T00:00:00.000"
    assert found["filename"] == "other.asdf"


def test_old_files_keep_their_tags(tmp_path, capsys):
    path, target = tmp_path / "old_uncal.asdf", tmp_path / "new_uncal.asdf"
    path.write_text(OLD)
    words = ("telescope=ROMAN", "exposure.start_time=2027-01-01", "exposure.end_time=2027-01-02T00:00:00")
    assert tool("set", path, *words, "-o", target) == 0
    assert "does not fit its schema, before and after" in capsys.readouterr().err  # much of it is missing
    found = header.read_header(target)[0]["roman"]
    before = header.read_header(path)[0]["roman"]
    assert found.tag == before.tag
    assert found["meta"]["telescope"].tag == before["meta"]["telescope"].tag
    assert found["meta"]["file_date"].tag == before["meta"]["file_date"].tag
    assert found["meta"]["exposure"].tag == before["meta"]["exposure"].tag
    assert found["meta"]["exposure"]["start_time"]["value"] == "2027-01-01T00:00:00.000"
    assert found["meta"]["exposure"]["end_time"].tag == before["meta"]["exposure"]["end_time"].tag
    assert found["data"] == before["data"]
    assert "'x' is not of type 'boolean'" in refused(capsys, path, "exposure.truncated=x", "--in-place")


def test_what_stands_beside_roman_is_kept(image, tmp_path):
    import asdf

    path = tmp_path / "x.asdf"
    with asdf.open(image, ignore_unrecognized_tag=True, lazy_load=False) as file:
        beside = {"note": {"kept": [1, 2.5, "x"]}, "plane": np.arange(5000.0)}
        asdf.AsdfFile({**file.tree, "roman": asdf.tagged.TaggedDict(dict(file["roman"]), TAG), **beside}).write_to(path)
    assert tool("set", path, "program.title=after", "--in-place") == 0
    with asdf.open(path, ignore_unrecognized_tag=True, lazy_load=False, validate_checksums=True) as file:
        assert file["roman"]["meta"]["program"]["title"] == "after"
        assert file["note"] == beside["note"]
        np.testing.assert_array_equal(file["plane"], beside["plane"])


@pytest.mark.parametrize("profile", ["1.5.0", "2.0.0", "2.2.0"])
def test_every_profile_is_kept(tmp_path, profile):
    path = tmp_path / "x_uncal.asdf"
    writer.write_product(path, "l1_uncal", samples.meta("l1_uncal", profile), samples.arrays("l1_uncal", profile),
                         profile=profile, compression="none")  # fmt: skip
    assert tool("set", path, "program.title=after", "--in-place") == 0
    with open_product(path) as product:
        assert product.profile == profile
        assert product.meta["program"]["title"] == "after"
        assert validate_tree(product) == []


def test_reference_files_get_no_name_or_date(tmp_path):
    path = tmp_path / "gain.asdf"
    writer.write_product(path, "reference/gain", samples.meta("reference/gain"), samples.arrays("reference/gain"))
    assert tool("set", path, "description=from the ground", "--in-place") == 0
    assert meta(path)["description"] == "from the ground"
    assert not {"filename", "file_date"} & set(meta(path))


def test_in_place_keeps_mode_and_link(image, tmp_path, capsys):
    path, link = tmp_path / "x_cal.asdf", tmp_path / "link.asdf"
    path.write_bytes(image.read_bytes())
    path.chmod(0o640)
    link.symlink_to(path)
    assert tool("set", link, "program.title=after", "--in-place") == 0
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert meta(path)["program"]["title"] == "after"
    assert sorted(listing(tmp_path)) == ["link.asdf", "x_cal.asdf"]


def test_the_place_of_the_result(image, tmp_path, capsys):
    original = image.read_bytes()
    assert "-o FILE, --outdir DIR and --in-place" in refused(capsys, image, "program.title=x")
    assert "--in-place" in refused(capsys, image, "program.title=x", "-o", tmp_path / "y.asdf", "--in-place")
    assert "--in-place" in refused(capsys, image, "program.title=x", "--outdir", image.parent, "--overwrite")
    assert tool("set", image, "program.title=x", "--outdir", tmp_path / "new") == 0
    assert meta(tmp_path / "new" / "x_cal.asdf")["filename"] == "x_cal.asdf"
    capsys.readouterr()
    assert "exists already" in refused(capsys, image, "program.title=z", "--outdir", tmp_path / "new", status=1)
    assert meta(tmp_path / "new" / "x_cal.asdf")["program"]["title"] == "x"
    assert tool("set", image, "program.title=z", "--outdir", tmp_path / "new", "--overwrite") == 0
    assert meta(tmp_path / "new" / "x_cal.asdf")["program"]["title"] == "z"
    assert image.read_bytes() == original


def test_many_files_go_on_after_a_bad_one(image, tmp_path, capsys):
    bad, good = tmp_path / "bad.asdf", tmp_path / "good.asdf"
    bad.write_bytes(image.read_bytes()[:-5000])
    good.write_bytes(image.read_bytes())
    assert tool("set", bad, good, "program.title=after", "--in-place") == 3
    assert capsys.readouterr().out == f"{good}\n"
    assert meta(good)["program"]["title"] == "after"
    assert "-o names one output" in refused(capsys, bad, good, "program.title=x", "-o", tmp_path / "y.asdf")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "good.asdf").write_bytes(good.read_bytes())
    words = (good, tmp_path / "other" / "good.asdf", "program.title=x", "--outdir", tmp_path / "z", "--overwrite")
    assert tool("set", *words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"{good} and {words[1]} would both be {tmp_path}/z/good.asdf" in captured.err


def test_dry_run_says_what_would_change(image, tmp_path, capsys):
    assert tool("set", image, "program.title=after", "-o", tmp_path / "y.asdf", "-n") == 0
    assert capsys.readouterr().out == f"{image}\tmeta.program.title\tbefore\tafter\n"
    assert listing(tmp_path) == {}


def test_through_a_pipe(image, capsys, monkeypatch):
    with piped(monkeypatch, image.read_bytes()) as out:
        assert tool("set", "-", "program.title=after", "-o", "-") == 0
    data = out.getvalue()
    assert data.startswith(b"#ASDF")
    assert b"title: after" in data
    assert b"filename: x_cal.asdf" in data


def test_associations_are_refused(tmp_path, capsys):
    path = tmp_path / "x_asn.json"
    path.write_text(json.dumps(ASSOCIATION))
    assert "metadata of json files cannot be set" in refused(capsys, path, "target=x", "--in-place", status=3)


def test_what_is_no_assignment_is_a_usage_error(image, capsys):
    assert "nothing to set" in refused(capsys, image, "-o", "x.asdf")
    assert "'nonsense' is not KEY=VALUE" in refused(capsys, image, "program.title=x", "nonsense", "-o", "x.asdf")
    assert "is not KEY=VALUE" in refused(capsys, image, "program..title=x", "-o", "x.asdf")


@pytest.mark.slow
def test_a_disk_that_is_full_leaves_nothing(image, tmp_path):
    code = (
        "import resource, signal\nfrom rtools.commands import rt; from rtools.commands.kit import entry\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (40000, 40000))\n"
        f"raise SystemExit(entry.run(rt.command_of('set'), [{str(image)!r}, 'program.title=x', '-o', 'y.asdf']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False,
                          env=os.environ | {"PYTHONPATH": os.getcwd()})  # fmt: skip
    assert done.returncode == 1
    assert "y.asdf: cannot be written" in done.stderr
    assert listing(tmp_path) == {}


def test_memory_does_not_grow_with_the_file(tmp_path):
    """80 MB of blocks, of which no more than two windows are held."""
    path = tmp_path / "x_uncal.asdf"
    made = samples.arrays("l1_uncal") | {"data": np.zeros((10, 2000, 2000), "u2")}
    writer.write_product(path, "l1_uncal", samples.meta("l1_uncal"), made, compression="none")
    assert path.stat().st_size > 80e6
    edit = Edit(path)
    edit.set("program.title", "after")
    assert edit.check() is None
    tracemalloc.start()
    edit.stage(tmp_path / "y_uncal.asdf", tool="rt-set", inputs=[]).commit()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6
    assert meta(tmp_path / "y_uncal.asdf")["program"]["title"] == "after"


@pytest.mark.parametrize("form", ["rad", "old", "seed"])
def test_guide_windows_keep_pixels_and_times(form, tmp_path, capsys):
    path = guide_file(tmp_path, form)
    target = tmp_path / "y_gw.asdf"
    assert tool("set", path, "guide_star.gsc_id=S1HP060211", "t_stop=2027-06-01T13:00:00", "-o", target) == 0
    assert ("does not fit its schema" in capsys.readouterr().err) == (form == "seed")
    before, after = meta(path), meta(target)
    assert (after["guide_star"]["gsc_id"], str(after["t_stop"])) == ("S1HP060211", "2027-06-01T13:00:00.000")
    changed = {"guide_star", "t_stop", "filename", "file_date"}
    assert {key for key in before if before[key] != after[key]} == changed
    assert stored(target) == stored(path)
    with open_product(path) as one, open_product(target) as two:
        assert one.tree["track_data"]["signal_times"] == two.tree["track_data"]["signal_times"]
        assert one.tag == two.tag
        if form != "seed":
            assert validate_tree(two) == []


def test_lists_of_face_are_set_and_arrays_are_not(tmp_path, capsys):
    path = face_file(tmp_path)
    assert tool("set", path, "detector_gw_files.WFI06=null", "expected_gw_tracking.WFI07=GUIDE", "--in-place") == 0
    assert meta(path)["detector_gw_files"]["WFI06"] is None
    assert meta(path)["expected_gw_tracking"]["WFI07"] == "GUIDE"
    capsys.readouterr()
    assert "face_data.delta is an array" in refused(capsys, path, "face_data.delta=0", "-o", tmp_path / "z_face.asdf")
    said = refused(capsys, path, "optical_element=F999", "-o", tmp_path / "z_face.asdf")
    assert "meta.optical_element" in said
