"""rt-refs on JWST files at the command line: make, list, show, check."""

import json

import pytest
from astropy.io import fits

from rtools.commands.kit import entry
from rtools.commands.refs import command
from tests.support.jwst_files import made

pytestmark = pytest.mark.slow

PART = "1,1,48,32"


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("CRDS_PATH", "RT_REFDIR"):
        monkeypatch.delenv(name, raising=False)


def run(capsys, *arguments):
    capsys.readouterr()
    status = entry.run(command, [str(word) for word in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def table(text):
    return [line.split("\t") for line in text.splitlines()]


@pytest.fixture(scope="module")
def refdir(tmp_path_factory):
    """A small part of the nominal set for NRCA1, F200W."""
    directory = tmp_path_factory.mktemp("made") / "refs"
    words = ["make", directory, "--detector", "nrca1", "--filter", "f200w", "--subarray", PART, "-q"]
    assert entry.run(command, [str(word) for word in words]) == 0
    return directory


@pytest.fixture
def uncal(tmp_path):
    """An exposure of that part."""
    path = made(tmp_path, "uncal")
    with fits.open(path, mode="update") as hdus:
        header = hdus[0].header
        said = {"INSTRUME": "NIRCAM", "DETECTOR": "NRCA1", "FILTER": "F200W", "PUPIL": "CLEAR", "EXP_TYPE": "NRC_IMAGE"}
        said |= {"SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": 48, "SUBSIZE2": 32, "DATE-OBS": "2023-01-01"}
        header.update(said)
    return path


def test_make_writes_every_type(refdir, capsys):
    status, out, _err = run(capsys, "list", refdir)
    rows = table(out)
    assert status == 0
    assert len(rows) == 15
    assert {row[2] for row in rows} == {"NRCA1"}
    [flat] = [row for row in rows if row[1] == "flat"]
    assert flat == ["jwst_nircam_flat_builtin_nrca1_f200w_1-1-48-32.fits", "flat", "NRCA1", "F200W", "-",
                    "2020-01-01T00:00:00", "DUMMY"]  # fmt: skip
    assert fits.getdata(refdir / flat[0]).shape == (32, 48)


def test_check_finds_what_an_exposure_needs(uncal, refdir, capsys):
    status, out, _err = run(capsys, "check", uncal, "--refdir", refdir)
    rows = {row[0]: row[1:] for row in table(out)}
    assert status == 0
    assert list(rows)[:3] == ["mask", "saturation", "superbias"]
    assert {row[0] for row in rows.values()} == {"found"}
    assert rows["dark"][1] == str(refdir / "jwst_nircam_dark_builtin_nrca1_1-1-48-32.fits")


def test_check_says_what_is_missing(uncal, tmp_path, capsys):
    status, out, err = run(capsys, "check", uncal, "--json")
    told = json.loads(out)
    assert status == 4
    by_type = {row["type"]: row["status"] for row in told["references"]}
    assert by_type["gain"] == "missing"
    assert by_type["area"] == by_type["ipc"] == "absent"
    assert told["exposure"]["detector"] == "NRCA1"
    assert told["exposure"]["selectors"]["FILTER"] == "F200W"
    assert "missing: mask, saturation" in err


def test_check_takes_the_nominal_set_where_it_is_asked_for(uncal, capsys):
    status, out, err = run(capsys, "check", uncal, "--builtin", "--ref", "flat=none")
    rows = {row[0]: row[1:] for row in table(out)}
    assert status == 0
    assert rows["gain"][1] == "builtin:jwst1/gain_nrca1_1-1-48-32"
    assert rows["flat"][0] == "none"
    assert "not for science" in err


def test_show_tells_what_a_file_holds(refdir, capsys):
    status, out, _err = run(capsys, "show", refdir / "jwst_nircam_mask_builtin_nrca1_1-1-48-32.fits")
    rows = {row[0]: row[1] for row in table(out)}
    assert status == 0
    assert (rows["type"], rows["detectors"], rows["model"]) == ("mask", "NRCA1", "MaskModel")
    assert rows["array DQ"] == "uint32 (32, 48)"
    assert rows["flag DQ"] == "DO_NOT_USE|DEAD|HOT|REFERENCE_PIXEL"
    status, out, _err = run(capsys, "show", "--json", refdir / "jwst_nircam_photom_builtin_nrca1.fits")
    assert json.loads(out)["tables"]["PHOTOM"].endswith("rows: filter pupil photmjsr uncertainty")
    status, out, _err = run(capsys, "show", refdir / "jwst_nircam_distortion_builtin_nrca1.asdf")
    assert ["node model", "CompoundModel"] in table(out)


def test_a_product_is_no_reference(uncal, capsys):
    status, _out, err = run(capsys, "show", uncal)
    assert status == 3
    assert "not a reference file" in err


def test_the_mission_is_that_of_the_detectors(tmp_path, capsys):
    target = tmp_path / "x"
    for words, said in (
        (["--detector", "nrca1", "--element", "F158"], "--element is about Roman"),
        (["--detector", "WFI01", "--filter", "F200W"], "--filter is about JWST"),
        (["--detector", "WFI01", "--detector", "nrca1"], "one mission at a time"),
        (["--detector", "WFI01", "--mission", "jwst"], "one mission at a time"),
        (["--detector", "nrs1"], "no aperture for images"),
        (["--detector", "nrca1", "--types", "flat"], "need a --filter"),
        (["--detector", "nrca1", "--subarray", "1,2,3"], "NAME or X,Y,NX,NY|a name or X,Y,NX,NY"),
        ([], "no detector"),
    ):
        status, out, err = run(capsys, "make", target, *words)
        assert (status, out) == (2, "")
        assert any(part in err for part in said.split("|"))
    assert not target.exists()


def test_a_dry_run_says_what_would_be_made(tmp_path, capsys):
    target = tmp_path / "x"
    status, out, err = run(capsys, "make", target, "--all", "--mission", "jwst", "--types", "gain,flat", "-n")
    rows = table(out)
    assert status == 0
    assert len([row for row in rows if "_gain_" in row[0]]) == 14
    assert [str(target / "jwst_nircam_gain_builtin_nrca1.fits"), str(4 * 2048**2)] in rows
    assert "GB before compression" in err
    assert not target.exists()


def test_files_that_exist_are_kept(refdir, capsys):
    path = refdir / "jwst_nircam_photom_builtin_nrca1.fits"
    words = ["make", refdir, "--detector", "nrca1", "--types", "photom"]
    status, _out, err = run(capsys, *words)
    assert (status, "exists already" in err) == (1, True)
    status, out, _err = run(capsys, *words, "--overwrite")
    assert (status, out.strip()) == (0, str(path))


def test_both_missions_are_listed(refdir, tmp_path, capsys):
    from rtools.reference import make as roman
    from rtools.reference.builtin import Builtin

    directory = tmp_path / "both"
    directory.mkdir()
    photom = "jwst_nircam_photom_builtin_nrca1.fits"
    (directory / photom).write_bytes((refdir / photom).read_bytes())
    roman.write(directory / "roman_wfi_gain_0001.asdf", Builtin("gain", "WFI01", frame=(128, 128)))
    (directory / "notes.json").write_text("{}")
    status, out, _err = run(capsys, "list", directory)
    assert status == 0
    assert [row[:3] for row in table(out)] == [
        [photom, "photom", "NRCA1"],
        ["roman_wfi_gain_0001.asdf", "gain", "WFI01"],
    ]
    status, out, _err = run(capsys, "list", "--json", directory)
    assert [json.loads(line)["type"] for line in out.splitlines()] == ["photom", "gain"]
