"""rt-history: the command line that makes a file again makes it again, for every kind of job."""

import os
import shlex
import shutil

import pytest

from tests.support import dithers
from tests.support.guide_files import guide_file
from tests.support.runs import copied, done, meta, records, rewrite, simulate, tool

pytestmark = pytest.mark.slow

JWST = "jw01234001001_02101_0000{}_nrca1"


def told(capsys, path):
    """The line that is printed for a file."""
    capsys.readouterr()
    assert tool("history", path, "-q") == 0
    return capsys.readouterr().out.splitlines()


def verified(capsys, *paths):
    """Whether files are made again as they are, and what is printed of each."""
    capsys.readouterr()
    status = tool("history", "--verify", *paths, "-q")
    return status == 0, capsys.readouterr().out.splitlines()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A directory with a raw exposure and what single steps and the chain make of it."""
    folder = tmp_path_factory.mktemp("made")
    uncal = simulate(folder / "raw")
    done("dqinit", uncal, "--outdir", folder / "steps", "--expand-gw", 1)
    done("saturation", folder / "steps" / uncal.name.replace("uncal", "dqinit"))
    done(
        "run", uncal, "--outdir", folder / "cal", "--set", "rampfit.threshold=5", "--skip", "dark", "--profile", "2.2.0"
    )
    cal = folder / "cal" / uncal.name.replace("uncal", "cal")
    done("catalog", cal, "-o", folder / "deep_cat.ecsv", "--deep")
    done("flux", cal, "--outdir", folder / "steps")
    return folder


def names(folder, pattern):
    return sorted(folder.glob(pattern))


def test_the_line_names_files_from_the_directory_of_the_product(made, capsys):
    (cal,) = names(made, "cal/*_cal.asdf")
    line, *more = told(capsys, cal)
    assert line.startswith(f"cd {shlex.quote(str(cal.parent))} && rt-run ../raw/") and not more
    words = shlex.split(line)
    assert words[words.index("--set") :][:2] == ["--set", "rampfit.threshold=5.0"]
    assert {"--skip=dark", "--profile=2.2.0"} < set(words) and words[-2:] == ["-o", cal.name]
    assert told(capsys, cal.with_name(cal.name.replace("_cal.asdf", "_cat.parquet"))) == [line]


@pytest.mark.parametrize("pattern", ["raw/*_uncal.asdf", "steps/*", "cal/*", "deep_cat.ecsv"])
def test_what_is_made_again_is_the_same(made, capsys, pattern):
    paths = names(made, pattern)
    same, lines = verified(capsys, *paths)
    assert same and lines == [f"{path}: the same" for path in paths]


def test_the_line_is_one_for_a_shell(made, tmp_path, monkeypatch, capsys, quick):
    import subprocess

    folder = shutil.copytree(made, tmp_path / "it's here")
    (cal,) = names(folder, "cal/*_cal.asdf")
    (line,) = told(capsys, cal)
    before = meta(cal)
    for path in (folder / "cal").iterdir():
        path.unlink()
    monkeypatch.setenv("PATH", f"{quick}{os.pathsep}{os.environ['PATH']}")
    subprocess.run(line, shell=True, check=True, capture_output=True)
    assert meta(cal)["rtools"] == before["rtools"]


def test_what_has_changed_is_told_and_verified_to_differ(made, tmp_path, capsys):
    folder = shutil.copytree(made, tmp_path / "made")
    (uncal,), (cal,) = names(folder, "raw/*_uncal.asdf"), names(folder, "cal/*_cal.asdf")
    rewrite(uncal, uncal, lambda _meta, arrays: arrays["data"].__iadd__(9))
    done("set", cal, "exposure.nresultants=5", "--in-place")
    lines = told(capsys, cal)
    assert lines[1] == f"# {uncal} has changed since" and lines[2].startswith("# later: rt-set")
    same, (line,) = verified(capsys, cal)
    assert not same and "meta.exposure.nresultants" in line and line.endswith(f"; {uncal} has changed since")
    uncal.unlink()
    assert told(capsys, cal)[1] == f"# {uncal} is missing"
    assert tool("history", "--verify", cal, "-q") == 3


def test_json_tells_all_of_it(made, capsys):
    (cal,) = names(made, "cal/*_cal.asdf")
    capsys.readouterr()
    assert tool("history", cal, "--json", "--verify") == 0
    (said,) = records(capsys.readouterr().out)
    assert said["tool"] == "rt-run" and said["same"] is True and said["differences"] == []
    assert said["reads"][0]["state"] == "there" and len(said["fingerprint"]) == 32
    assert said["options"]["rampfit"]["threshold"] == 5.0 and said["results"]["rampfit"] >= 1


def test_mosaics_and_images_on_their_way(tmp_path, capsys):
    images = dithers.exposures(tmp_path, 3)
    done("resample", *images, "-o", tmp_path / "one_coadd.asdf", "--pixfrac", 0.8)
    done("skymatch", *images, "--outdir", tmp_path / "matched")
    paths = [tmp_path / "one_coadd.asdf", *names(tmp_path, "matched/*")]
    same, lines = verified(capsys, *paths)
    assert same, lines
    assert "--pixfrac=0.8" in told(capsys, paths[0])[0]


def test_products_of_jwst(tmp_path, capsys):
    raws = [tmp_path / f"{JWST.format(number)}_uncal.fits" for number in (1, 2)]
    done("sim", *raws, "--subarray", "SUB64P", "--ngroups", 4, "--no-truth")
    done("run", *raws, "--outdir", tmp_path / "cal", "--builtin", "--set", "jump.threshold=5")
    cals = names(tmp_path, "cal/*_cal.fits")
    done("run", *cals, "--mosaic", "-o", tmp_path / "field_i2d.fits")
    paths = [raws[0], *names(tmp_path, "cal/*00001*"), tmp_path / "field_i2d.fits"]
    same, lines = verified(capsys, *paths)
    assert same, lines


def test_a_stream_is_told(made, tmp_path, monkeypatch, capsys):
    from tests.support.runs import piped

    (uncal,) = names(made, "raw/*_uncal.asdf")
    monkeypatch.chdir(tmp_path)
    with piped(monkeypatch, uncal.read_bytes()):
        done("dqinit", "-")
    (path,) = names(tmp_path, "*_dqinit.asdf")
    assert told(capsys, path)[1] == "# - was a stream"
    assert tool("history", "--verify", path, "-q") == 3


def test_a_file_of_unknown_origin_is_an_error(made, tmp_path, capsys):
    (cal,) = names(made, "cal/*_cal.asdf")
    path = tmp_path / "y_cal.asdf"
    rewrite(copied(cal, tmp_path, "y_cal.asdf") and path, path, lambda meta, _arrays: meta.pop("rtools"))
    assert told(capsys, path)[0].startswith("rt-run ")  # what its history says
    assert tool("history", "--verify", path, "-q") == 3


def test_the_truth_of_a_simulation_is_made_again_with_it(tmp_path, capsys):
    words = ("--size", 256, "--read-pattern", "1;2;3", "--guide", "--crowded", 30_000)
    done("sim", tmp_path / "r0000101001001001001_0001_wfi01_f158_uncal.asdf", *words)
    capsys.readouterr()
    truths = sorted(tmp_path.glob("*_truth.*"))
    assert len(truths) == 3
    assert tool("history", *truths) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all("rt-sim r0000101001001001001_0001_wfi01_f158_uncal.asdf" in line for line in lines)
    assert tool("history", "--verify", *truths) == 0
    assert capsys.readouterr().out.count("the same") == 3


def test_the_truth_of_a_simulation_of_jwst_is_made_again_with_it(tmp_path, capsys):
    done("sim", tmp_path / f"{JWST.format(1)}_uncal.fits", "--subarray", "SUB64P", "--ngroups", 3)
    truths = sorted(tmp_path.glob("*_truth.*"))
    assert [path.suffix for path in truths] == [".ecsv", ".fits"]
    for path in truths:
        (line,) = told(capsys, path)
        assert f"rt-sim {JWST.format(1)}_uncal.fits" in line
    same, lines = verified(capsys, *truths)
    assert same and lines == [f"{path}: the same" for path in truths]


@pytest.mark.parametrize(
    "words", [("info", "-o", "x.ecsv"), ("lightcurve", "-o", "x.parquet"), ("stack", "-o", "x.asdf"),
              ("stack", "-o", "x.fits")]
)  # fmt: skip
def test_tables_and_stacks_of_guide_windows_say_what_made_them(words, tmp_path, monkeypatch, capsys):
    path, (name, *more) = guide_file(tmp_path), words
    monkeypatch.chdir(tmp_path)
    done("gw", name, path.name, *more, *(() if name == "info" else ("--builtin",)))
    made = tmp_path / more[-1]
    (line,) = told(capsys, made)
    assert f"rt-gw {name} {path.name} " in line and line.endswith(f"-o {made.name}")
    if made.suffix != ".fits":
        assert verified(capsys, made) == (True, [f"{made}: the same"])
