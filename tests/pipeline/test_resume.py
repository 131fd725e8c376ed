"""rt-run --resume: what is there and as it would be made stays; what is not is made, and the reason is told."""

import os
import shutil

import pytest

from rtools.pipeline.job.steps import step_of
from rtools.products.io import temporary
from rtools.products.making import fingerprint_of
from tests.support.dithers import exposures
from tests.support.runs import PRODUCTS, arrays, complaints, done, listing, records, rewrite, same, simulate, tool
from tests.support.star_fields import sibling

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two raw exposures of the same sky, a few pixels apart."""
    folder = tmp_path_factory.mktemp("pair")
    return simulate(folder, number=1), simulate(folder, "wfi01", "--ra", 270.0002, number=2)


@pytest.fixture(scope="module")
def first_run(pair, tmp_path_factory):
    """Directory with their products and a mosaic, which stays as it is."""
    folder = tmp_path_factory.mktemp("first")
    done("run", *pair, "--mosaic", "--outdir", folder, "-o", folder / "field_coadd.asdf")
    return folder


@pytest.fixture
def finished(first_run, pair, tmp_path):
    """A copy of these, beside a copy of the exposures, and the words that made them."""
    folder = tmp_path / "cal"
    shutil.copytree(first_run, folder)
    raws = [shutil.copy(path, tmp_path) for path in pair]
    return folder, (*raws, "--mosaic", "--outdir", folder, "-o", folder / "field_coadd.asdf")


def reasons(capsys, words, *options):
    """Reason of each job by its name, as the dry run tells them."""
    capsys.readouterr()
    assert tool("run", *words, "--resume", "--dry-run", "--json", "-q", *options) == 0
    return [one["reason"] for one in records(capsys.readouterr().out)]


def test_a_finished_run_stays_as_it_is(finished, capsys):
    folder, words = finished
    before, times = listing(folder), {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert tool("run", *words, "--resume") == 0
    out, said = capsys.readouterr()
    assert out == "" and "rt-run: 3 of 3 up to date" in complaints(said)
    assert listing(folder) == before and {path: path.stat().st_mtime_ns for path in folder.iterdir()} == times
    assert reasons(capsys, words) == ["", "", ""]


def test_what_is_missing_is_made_and_nothing_else(finished, capsys):
    folder, words = finished
    before = listing(folder)
    gone = folder / "r0000101001001001001_0002_wfi01_f158_cal.asdf"
    gone.unlink()
    assert tool("run", *words, "--resume") == 0
    out, said = capsys.readouterr()
    assert f"{words[1]}: {gone} is missing" in said and "2 of 3 up to date" in said
    assert len(out.splitlines()) == len(PRODUCTS)
    after = listing(folder)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {f"r0000101001001001001_0002_wfi01_f158_{name}" for name in PRODUCTS}
    # The image has the same bits as before, so that the mosaic is not out of date.


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_companion_that_is_missing_or_damaged_is_told(finished, capsys, name):
    folder, words = finished
    path = folder / f"r0000101001001001001_0001_wfi01_f158_{name}"
    path.write_bytes(path.read_bytes()[:-200])
    first, second, mosaic = reasons(capsys, words)
    assert first.startswith(f"{path} is damaged: ") and second == "" and mosaic == "waits for what is made before"
    path.unlink()
    assert reasons(capsys, words)[0] == f"{path} is missing"


def test_changed_bytes_are_found_where_all_data_are_read(finished, capsys):
    folder, words = finished
    path = folder / "r0000101001001001001_0001_wfi01_f158_cal.asdf"
    data = bytearray(path.read_bytes())
    data[-4000] ^= 0x55
    path.write_bytes(data)
    assert reasons(capsys, words)[0] == ""
    assert "is damaged: block" in reasons(capsys, words, "--check-data")[0]


def test_options_and_results_are_told(finished, capsys, monkeypatch):
    _folder, words = finished
    assert "rampfit.threshold was 4.5, is 5.0" in reasons(capsys, words, "--set", "rampfit.threshold=5")[0]
    alone, of_mosaic = reasons(capsys, words, "--set", "resample.pixfrac=0.8")[1:]
    assert alone == "" and "resample.pixfrac was 1.0, is 0.8" in of_mosaic
    assert "--profile=2.2.0 is new" in reasons(capsys, words, "--profile", "2.2.0")[0]
    assert all(told == "" for told in reasons(capsys, words, "-j", "2", "--timings", "--max-memory", "1"))
    object.__setattr__(step_of("flat"), "results", 2)
    try:
        assert all("flat makes other numbers now" in told for told in reasons(capsys, words)[:2])
    finally:
        object.__setattr__(step_of("flat"), "results", 1)


def test_references_count_by_their_content(finished, capsys, references, tmp_path):
    folder, words = finished
    assert "mask reference has changed" in reasons(capsys, words, "--refdir", references)[0]
    alone = words[0], "--outdir", folder, "--overwrite"
    here = shutil.copytree(references, tmp_path / "refs")
    done("run", *alone, "--refdir", here)
    there = here.rename(tmp_path / "moved")
    assert reasons(capsys, alone[:-1], "--refdir", there) == [""]
    how = ("--detector", "WFI01", "--types", "dark", "--size", 256, "--seed", 4, "--overwrite")
    done("refs", "make", there, *how)
    assert "dark reference has changed" in reasons(capsys, alone[:-1], "--refdir", there)[0]


def test_a_mosaic_is_made_again_when_its_exposures_have_other_bits(finished, capsys):
    folder, words = finished
    before = arrays(folder / "field_coadd.asdf", "data")["data"]
    rewrite(words[0], words[0], lambda _meta, found: found["data"].__iadd__(7))
    assert tool("run", *words, "--resume", "--json") == 0
    told = [one["status"] for one in records(capsys.readouterr().out)]
    assert sorted(told) == ["done", "done", "kept"]
    assert (arrays(folder / "field_coadd.asdf", "data")["data"] != before).any()
    assert reasons(capsys, words) == ["", "", ""]


def test_a_run_goes_on_to_the_same_bits(finished, first_run):
    folder, words = finished
    for name in ("field_coadd.asdf", "field_cat.parquet", "r0000101001001001001_0001_wfi01_f158_cal.asdf"):
        (folder / name).unlink()
    done("run", *words, "--resume")
    for name in ("field_coadd.asdf", "r0000101001001001001_0001_wfi01_f158_cal.asdf"):
        assert all(same(folder / name, first_run / name).values())
        assert fingerprint_of(folder / name) == fingerprint_of(first_run / name)


def test_a_file_that_does_not_say_what_made_it_is_not_replaced(finished, capsys):
    folder, words = finished
    path = folder / "r0000101001001001001_0001_wfi01_f158_cal.asdf"
    rewrite(path, path, lambda meta, _arrays: meta.pop("rtools"))
    before = path.read_bytes()
    assert tool("run", *words[:2], "--outdir", folder, "--resume") == 1
    said = complaints(capsys.readouterr().err)
    assert any("does not say what made it; --overwrite replaces it" in line for line in said)
    assert path.read_bytes() == before


def test_products_of_steps_that_are_asked_for_later_are_made(finished, capsys):
    folder, words = finished
    told = reasons(capsys, (words[0], "--outdir", folder), "--save-steps")
    assert "was not asked for" in told[0]


def test_check_data_goes_with_resume(finished, capsys):
    _folder, words = finished
    assert tool("run", *words, "--check-data") == 2
    assert "--check-data goes with --resume" in capsys.readouterr().err


@pytest.fixture
def flats(imaged, imaged_again):
    """Two images of one field, not aligned yet."""
    return [sibling(path, "flat.asdf") for path in (imaged, imaged_again)]


@pytest.mark.long
def test_an_alignment_goes_on_with_what_a_killed_run_calibrated(
    imaged, imaged_again, gaia, tmp_path, capsys, monkeypatch
):
    images = [sibling(path, "flat.asdf") for path in (imaged, imaged_again)]
    words = (*images, "--refcat", gaia, "--together", "--outdir", tmp_path)
    done("run", *words)
    whole = {path.name: path.read_bytes() for path in tmp_path.glob("*_cal.asdf")}
    assert len(whole) == 2 and reasons(capsys, words) == [""] * 3
    for path in tmp_path.iterdir():
        path.unlink()
    with monkeypatch.context() as patched:  # killed before the alignment: the directories of the exposures stay
        patched.setattr("rtools.pipeline.astrometry.align.align_group", lambda *_: os.kill)
        patched.setattr("rtools.pipeline.exposure.job.AlignJob.carry_out", lambda *_: [])
        patched.setattr("rtools.pipeline.exposure.job.ExposureJob.discard", lambda _job: None)
        assert tool("run", *words, "-q") == 0
    left = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert len(left) == 2
    monkeypatch.setattr(temporary, "_is_gone", lambda _pid, _start: True)
    capsys.readouterr()
    assert tool("run", *words, "--resume", "--json") == 0
    out, said = capsys.readouterr()
    assert f"{images[0]}: " not in said  # neither is calibrated again
    assert [one["status"] for one in records(out)] == ["done", "done"]
    assert {path.name for path in tmp_path.glob("*_cal.asdf")} == set(whole)


def test_images_that_the_steps_of_a_mosaic_have_left_are_missed_too(tmp_path, capsys):
    """Of one image nothing is matched and no outlier is looked for: what was never made is not missed."""
    two = exposures(tmp_path, 2)
    for images, count in ((two, 6), (two[:1], 1)):
        place = tmp_path / str(count)
        words = (
            *images,
            "--mosaic",
            "--skip",
            "catalog",
            "--save-steps",
            "--outdir",
            place,
            "-o",
            place / "m_coadd.asdf",
        )
        done("run", *words)
        assert len(list(place.iterdir())) == count + 1
        assert reasons(capsys, words) == [""]
        gone = next(place.glob("*_flux.asdf"))
        gone.unlink()
        assert reasons(capsys, words) == [f"{gone} is missing"]
        assert reasons(capsys, [word for word in words if word != "--save-steps"]) == [""]


def test_what_a_killed_run_left_is_removed_though_all_is_up_to_date(finished):
    folder, words = finished
    before, mark = listing(folder), temporary.name_beside(folder / "x_cal.asdf").name
    left = folder / mark.replace(f"-{os.getpid()}-", "-999999999-")
    left.mkdir()
    temporary._swept.clear()
    assert tool("run", *words, "--resume", "-q") == 0
    assert listing(folder) == before
