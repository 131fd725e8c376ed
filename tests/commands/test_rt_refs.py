"""rt-refs at the command line: make, list, show, check."""

import json
from pathlib import Path

import numpy as np
import pytest

from rtools.commands.kit import entry
from rtools.commands.refs import command
from rtools.reference import make
from rtools.reference.types import APPLIED, TYPES
from rtools.wfi import instrument
from tests.support.runs import piped

pytestmark = pytest.mark.slow

META = {
    "exposure": {"type": "WFI_IMAGE", "start_time": "2027-01-01T00:00:00.000"},
    "instrument": {"name": "WFI", "detector": "WFI01", "optical_element": "F158"},
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("CRDS_PATH", "RT_REFDIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def refdir(tmp_path_factory):
    """A small nominal set for WFI01, F158."""
    directory = tmp_path_factory.mktemp("made") / "refs"
    arguments = ["make", directory, "--detector", "wfi01", "--element", "f158", "--size", 256, "-q"]
    assert entry.run(command, [str(word) for word in arguments]) == 0
    return directory


@pytest.fixture
def uncal(tmp_path):
    """The metadata of an exposure, all that `check` looks at."""
    return exposure_file(tmp_path / "x_uncal.asdf")


def exposure_file(path, **changes):
    import asdf
    from asdf.tagged import TaggedDict

    meta = {key: dict(block) for key, block in META.items()}
    for key, value in changes.items():
        block = "exposure" if key in meta["exposure"] else "instrument"
        meta[block][key] = value
    tag = "asdf://stsci.edu/datamodels/roman/tags/wfi_science_raw-2.1.0"
    asdf.AsdfFile({"roman": TaggedDict({"meta": meta}, tag)}).write_to(path)
    return path


def run(capsys, *arguments):
    capsys.readouterr()
    status = entry.run(command, [str(word) for word in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def table(text):
    return [line.split("\t") for line in text.splitlines()]


def test_make_writes_every_type(refdir, capsys):
    status, out, _err = run(capsys, "list", refdir)
    assert status == 0
    rows = table(out)
    assert sorted(row[1] for row in rows) == sorted(APPLIED)
    assert all(row[0].startswith(f"roman_wfi_{row[1]}_") for row in rows)


def bam_file(path):
    """A boresight alignment reference, four numbers, as the mission's schema has it."""
    import asdf
    from asdf.tagged import TaggedDict, TaggedString

    useafter = TaggedString("2026-10-01T00:00:00.000")
    useafter._tag = "tag:stsci.edu:asdf/time/time-1.4.0"
    meta = {"reftype": "BAM", "useafter": useafter, "instrument": {"name": "WFI"}, "telescope": "ROMAN"}
    tag = "asdf://stsci.edu/datamodels/roman/tags/reference_files/bam-2.0.0"
    tree = {"meta": meta, "bam_quaternion": [0.0, 0.0, 0.0, 1.0]}
    asdf.AsdfFile({"roman": TaggedDict(tree, tag)}).write_to(path)
    return path


def test_boresight_alignment_is_listed_shown_and_checked_but_not_applied(uncal, tmp_path, capsys):
    directory = tmp_path / "bam"
    directory.mkdir()
    path = bam_file(directory / "roman_wfi_bam_0001.asdf")
    status, out, _err = run(capsys, "list", directory)
    assert (status, table(out)[0][:2]) == (0, [path.name, "bam"])
    status, out, _err = run(capsys, "show", path)
    assert status == 0
    assert ["type", "bam"] in table(out)

    def checked(*words):
        _status, out, err = run(capsys, "check", uncal, "--json", *words)
        return [row for row in json.loads(out)["references"] if row["type"] == "bam"], err

    [row], _err = checked("--refdir", directory)
    assert (row["status"], row["reference"]) == ("found", str(path.resolve()))
    assert "no tool applies it" in row["note"]
    rows, err = checked("--builtin")
    assert rows == []
    assert "missing" not in err


def test_there_is_no_nominal_boresight_alignment(tmp_path, capsys):
    status, out, err = run(capsys, "make", tmp_path / "x", "--detector", "WFI01", "--types", "bam")
    assert (status, out) == (2, "")
    assert "no bam" in err
    assert not (tmp_path / "x").exists()


def test_make_tells_in_json_what_it_made(tmp_path, capsys):
    arguments = ("make", tmp_path / "made", "--detector", "WFI01", "--types", "gain,mask", "--size", 256, "--json")
    status, out, _err = run(capsys, *arguments, "-n")
    planned = [json.loads(line) for line in out.splitlines()]
    assert (status, len(planned)) == (0, 2)
    assert not (tmp_path / "made").exists()
    status, out, _err = run(capsys, *arguments)
    assert status == 0
    assert [json.loads(line) for line in out.splitlines()] == [
        row | {"status": "done", "bytes": Path(*row["outputs"]).stat().st_size} for row in planned
    ]


def test_make_refuses_what_exists(refdir, capsys):
    arguments = ("make", refdir, "--detector", "WFI01", "--types", "gain", "--size", 256)
    status, _out, err = run(capsys, *arguments)
    assert status == 1
    assert "roman_wfi_gain_0001.asdf: exists already" in err
    assert run(capsys, *arguments, "--overwrite")[0] == 0


def test_make_dry_run_names_files_and_sizes(tmp_path, capsys):
    directory = tmp_path / "none"
    status, out, err = run(capsys, "make", directory, "--all", "-n")
    assert status == 0
    assert "GB" in err
    assert not directory.exists()
    names = [row[0] for row in table(out)]
    assert len(names) == len(set(names)) == 18 * 11 + 1 + 18 * (11 + 10 + 8)
    sizes = {row[0].rpartition("/")[2]: int(row[1]) for row in table(out)}
    assert sizes["roman_wfi_gain_0018.asdf"] == 4096 * 4096 * 4


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "--detector"),
        (("--detector", "WFI19"), "WFI19"),
        (("--detector", "WFI01", "--element", "F999"), "F999"),
        (("--detector", "WFI01", "--types", "gian"), "gian"),
        (("--detector", "WFI01", "--types", "flat"), "--element"),
        (("--detector", "WFI01", "--size", "300"), "128"),
    ],
)
def test_make_usage_errors(tmp_path, capsys, arguments, word):
    status, _out, err = run(capsys, "make", tmp_path / "refs", *arguments)
    assert status == 2
    assert word in err


def test_check_finds_everything_in_a_made_set(refdir, uncal, capsys):
    status, out, err = run(capsys, "check", uncal, "--refdir", refdir)
    assert status == 0, err
    rows = {row[0]: row for row in table(out)}
    assert {"mask", "gain", "linearity", "flat", "photom"} <= set(rows)
    assert {row[1] for row in rows.values()} == {"found"}
    assert rows["gain"][2] == str(refdir / "roman_wfi_gain_0001.asdf")
    assert "not for science" not in err


def test_check_says_what_is_missing(refdir, tmp_path, capsys):
    other = exposure_file(tmp_path / "y_uncal.asdf", optical_element="F062")
    status, out, err = run(capsys, "check", other, "--refdir", refdir)
    assert status == 4
    assert "distortion, flat" in err
    status_of = {row[0]: row[1] for row in table(out)}
    assert status_of["flat"] == "missing"
    assert status_of["gain"] == "found"
    status, out, err = run(capsys, "check", other, "--refdir", refdir, "--builtin")
    assert status == 0
    assert "not for science" in err


def test_check_takes_many_files_and_names_each(refdir, uncal, tmp_path, capsys):
    other = exposure_file(tmp_path / "y_uncal.asdf", optical_element="F062")
    status, out, err = run(capsys, "check", uncal, other, tmp_path / "nowhere.asdf", "--refdir", refdir)
    assert status == 1  # one lacks references, one is not there
    assert {row[0] for row in table(out)} == {str(uncal), str(other)}
    assert [row[2] for row in table(out) if row[:2] == [str(other), "flat"]] == ["missing"]
    assert "nowhere.asdf: no such file" in err
    status, out, _err = run(capsys, "check", uncal, other, "--refdir", refdir, "--json")
    assert status == 4
    assert [json.loads(line)["file"] for line in out.splitlines()] == [str(uncal), str(other)]


def test_check_knows_the_chain_of_the_type(refdir, tmp_path, capsys):
    flat_exposure = exposure_file(tmp_path / "z_uncal.asdf", type="WFI_FLAT")
    status, out, _err = run(capsys, "check", flat_exposure, "--refdir", refdir)
    assert status == 0
    assert "flat" not in {row[0] for row in table(out)}


def test_check_json_and_overrides(refdir, uncal, capsys):
    status, out, _err = run(capsys, "check", uncal, "--refdir", refdir, "--json", "--ref", "dark=none")
    assert status == 0
    rows = {row["type"]: row for row in json.loads(out)["references"]}
    assert rows["dark"]["status"] == "none"
    assert rows["gain"]["origin"] == "file"
    assert len(rows["gain"]["checksum"]) == 32
    assert run(capsys, "check", uncal, "--refdir", refdir, "--ref", "gain=none")[0] == 4
    assert run(capsys, "check", uncal, "--ref", "gian=none")[0] == 2


def test_refdir_from_the_environment(refdir, uncal, capsys, monkeypatch):
    monkeypatch.setenv("RT_REFDIR", str(refdir))
    status, out, _err = run(capsys, "check", uncal, "--json")
    assert status == 0
    assert {row["origin"] for row in json.loads(out)["references"]} == {"file"}
    monkeypatch.setenv("RT_REFDIR", str(refdir / "nowhere"))
    status, _out, err = run(capsys, "check", uncal)
    assert status == 4
    assert "no such directory" in err


def test_each_bad_input_has_its_exit_code(tmp_path, refdir, capsys):
    assert run(capsys, "check", tmp_path / "absent.asdf")[0] == 3
    bare = exposure_file(tmp_path / "bare.asdf", detector=None)
    assert run(capsys, "check", bare)[0] == 3
    assert run(capsys, "show", bare)[0] == 3
    assert run(capsys, "show", tmp_path / "absent.asdf")[0] == 3
    assert run(capsys, "list", tmp_path / "absent")[0] == 4


def test_json_is_empty_no_more_for_what_cannot_be_read(tmp_path, capsys):
    absent = tmp_path / "absent.asdf"
    for word in ("check", "show"):
        status, out, err = run(capsys, word, "--json", absent)
        assert json.loads(out) == {
            "file": str(absent),
            "status": "failed",
            "error": "no such file",
            "exit_code": status,
        }
        assert f"{absent}: no such file" in err
    status, out, _err = run(capsys, "list", "--json", tmp_path / "nowhere")
    assert (json.loads(out)["directory"], json.loads(out)["exit_code"]) == (str(tmp_path / "nowhere"), status)


def test_check_reads_standard_input(refdir, uncal, capsys, monkeypatch):
    expected = run(capsys, "check", uncal, "--refdir", refdir)[1]
    with piped(monkeypatch, uncal.read_bytes()) as printed:
        assert entry.run(command, ["check", "-", "--refdir", str(refdir)]) == 0
    assert printed.getvalue().decode() == expected != ""


def test_show_tells_type_arrays_and_warning(refdir, capsys):
    status, out, _err = run(capsys, "show", refdir / "roman_wfi_linearity_0001.asdf")
    assert status == 0
    rows = dict(table(out))
    assert rows["type"] == "linearity"
    assert rows["array coeffs"] == "float32 (3, 256, 256)"
    assert "not for science" in rows["description"]
    status, out, _err = run(capsys, "show", "--json", refdir / "roman_wfi_gain_0001.asdf")
    assert json.loads(out)["detector"] == "WFI01"


def test_file_names_are_unique_and_numbered():
    planned = make.jobs(instrument.DETECTORS, instrument.ELEMENTS)
    assert len({job.name for job in planned}) == len(planned)
    names = {job.name: job.source for job in planned}
    assert names["roman_wfi_flat_0618.asdf"].element == "F158"
    assert names["roman_wfi_flat_0618.asdf"].detector == "WFI18"
    assert "roman_wfi_darkdecaysignal_0001.asdf" in names


def test_help_of_every_subcommand(capsys):
    for name in ("check", "list", "show", "make"):
        status, out, _err = run(capsys, name, "--help")
        assert status == 0
        assert out.startswith(f"Usage: rt-refs {name}")
        assert out.split("Options:")[0].split("Examples:")[1].count("rt-refs") >= 2


def test_made_files_hold_the_builtin_set_and_fit_the_schemas(refdir):
    from rtools.products.io import open_product, serial
    from rtools.products.schema import tags
    from rtools.reference.builtin import Builtin
    from rtools.reference.files import FileSource

    for path in sorted(refdir.glob("*.asdf")):
        product = open_product(path)
        assert serial.problem(product.tree, tags.manifest_of(product.tag)) is None, path.name
        made = FileSource(product.reftype, path)
        builtin = Builtin(product.reftype, "WFI01", "F158", (256, 256))
        for name in TYPES[made.type].arrays:
            assert made.dtype(name) == builtin.dtype(name)
            np.testing.assert_array_equal(made.array(name), builtin.array(name))
        for name in TYPES[made.type].nodes:
            assert_same(made.node(name), builtin.node(name))


def assert_same(one, other):
    if isinstance(other, dict):
        assert set(one) == set(other)
        for key in other:
            assert_same(one[key], other[key])
    elif callable(other):
        np.testing.assert_array_equal(one(3.0, 1000.0), other(3.0, 1000.0))
        np.testing.assert_array_equal(one.inverse(900.0, -800.0), other.inverse(900.0, -800.0))
    else:
        np.testing.assert_array_equal(one, other)
        assert getattr(one, "dtype", None) == getattr(other, "dtype", None)


def test_seeded_variation_differs_and_says_so(tmp_path, refdir, capsys):
    directory = tmp_path / "varied"
    arguments = ("make", directory, "--detector", "WFI01", "--types", "gain,photom", "--size", 256, "--seed", 9)
    status, out, _err = run(capsys, *arguments)
    assert status == 0
    assert len(out.splitlines()) == 2
    status, out, _err = run(capsys, "show", "--json", directory / "roman_wfi_gain_0001.asdf")
    said = json.loads(out)
    assert "variation 9" in said["description"]
    assert (
        said["checksum"]
        != json.loads(run(capsys, "show", "--json", refdir / "roman_wfi_gain_0001.asdf")[1])["checksum"]
    )
