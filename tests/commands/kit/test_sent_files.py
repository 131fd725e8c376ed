"""Products that are sent to a bucket: a server of the loopback address that speaks as Google's storage does."""

import json
import shutil
import tempfile

import pytest

from rtools.remote import cache
from tests.support.bucket import bucket_served
from tests.support.kit import run
from tests.support.runs import arrays, meta, same

pytest.importorskip("google.auth")
pytestmark = pytest.mark.slow

SHOWN = ("--until", "dqinit", "--outdir", "gs://b/out")


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """The bucket ``b``; copies, temporary files and the working directory are of the test."""
    import gcsfs.core

    for name in ("here", "scratch"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    monkeypatch.setenv("RT_CACHE_DIR", str(tmp_path / "copies"))
    monkeypatch.setenv("RT_GS_ANON", "1")
    monkeypatch.chdir(tmp_path / "here")
    with bucket_served() as bucket:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", bucket.address)
        gcsfs.core.GCSFileSystem.clear_instance_cache()
        yield bucket
        gcsfs.core.GCSFileSystem.clear_instance_cache()


@pytest.fixture
def three(raw, tmp_path):
    """The same exposure under three names."""
    paths = [tmp_path / raw.name.replace("_0001_", f"_{number:04d}_") for number in (1, 2, 3)]
    for path in paths:
        shutil.copy(raw, path)
    return paths


def kept(tmp_path):
    """Files that were kept because they could not be sent."""
    return sorted(path for path in (tmp_path / "scratch").rglob("*") if path.is_file())


def test_a_bucket_of_google_gives_and_takes_files(bucket, raw, capsys, tmp_path):
    bucket.objects[f"d/{raw.name}"] = raw.read_bytes()
    url = f"gs://b/d/{raw.name}"
    assert run("get", "exposure.type", url) == 0
    assert run("run", url, *SHOWN) == 0
    assert run("run", raw, "--until", "dqinit", "--outdir", ".") == 0
    name = raw.name.replace("_uncal", "_dqinit")
    assert capsys.readouterr().out.split() == ["WFI_IMAGE", f"gs://b/out/{name}", name]
    (tmp_path / name).write_bytes(bucket.objects[f"out/{name}"])
    assert all(same(tmp_path / name, tmp_path / "here" / name).values())
    assert meta(tmp_path / name)["rtools"]["job"]["inputs"][0]["file"] == url
    assert run("run", url, *SHOWN) == 1
    assert f"gs://b/out/{name}: exists already" in capsys.readouterr().err
    assert not kept(tmp_path)


def test_of_a_bucket_of_google_a_section_is_fetched(bucket, raw, monkeypatch):
    monkeypatch.setattr(cache, "LEAST_IN_PARTS", 1 << 16)
    bucket.objects[raw.name] = raw.read_bytes()
    assert run("stat", f"gs://b/{raw.name}", "--section", "50:60,50:60", "--resultant", 1) == 0
    assert 0 < bucket.sent < raw.stat().st_size / 3


def test_a_file_or_a_bucket_that_is_not_there_is_said_so(bucket, raw, capsys):
    assert run("info", "gs://b/d/x_cal.asdf") == 3
    assert run("run", raw, "--until", "dqinit", "--outdir", "gs://other/out") == 1
    told = capsys.readouterr().err.splitlines()
    assert told == ["rt-info: gs://b/d/x_cal.asdf: no such file", "rt-run: gs://other: no such bucket"]


def test_a_product_whose_upload_is_refused_late_is_kept_and_the_other_inputs_go_on(bucket, three, capsys, tmp_path):
    bucket.refused = "_0002_"
    assert run("run", *three, *SHOWN, "--json") == 1
    printed = capsys.readouterr()
    ended = {record["input"]: record for record in map(json.loads, printed.out.splitlines())}
    assert [ended[str(path)]["status"] for path in three] == ["done", "failed", "done"]
    assert sorted(bucket.objects) == [f"out/{path.name.replace('_uncal', '_dqinit')}" for path in (three[0], three[2])]
    (path,) = kept(tmp_path)
    url = f"gs://b/out/{path.name}"
    lines = [line for line in printed.err.splitlines() if "cannot be written" in line]
    assert lines == [f"rt-run: {url}: cannot be written (denied (403)); it is kept as {path}"]
    (tmp_path / "sent.asdf").write_bytes(bucket.objects[f"out/{three[0].name.replace('_uncal', '_dqinit')}"])
    assert all(same(path, tmp_path / "sent.asdf").values())


def test_what_was_to_follow_a_product_that_was_refused_is_kept_with_it(bucket, raw, capsys, tmp_path):
    bucket.refused = "_cat.parquet"
    assert run("run", raw, "--outdir", "gs://b/out", "-q") == 1
    held = kept(tmp_path)
    names = [path.name.rpartition("_")[2] for path in held]
    assert "cal.asdf" in names and "cat.parquet" in names
    assert sorted(names + [key.rpartition("_")[2] for key in bucket.objects]) == sorted(
        ["segm.asdf", "cat.parquet", "wcs.asdf", "cal.asdf"]
    )
    assert f"to follow are kept in {held[0].parent}" in capsys.readouterr().err
    assert "data" in arrays(next(path for path in held if path.name.endswith("_cal.asdf")))


def test_tools_with_many_inputs_go_on_after_an_upload_that_was_refused(bucket, product, capsys, tmp_path):
    paths = [shutil.copy(product("cal"), tmp_path / f"x{number}_cal.asdf") for number in (1, 2)]
    bucket.refused = "x1_"
    for name, words, ending in (("cut", ("--section", "10:40,20:60"), "_cal.asdf"), ("view", (), "_cal.png")):
        bucket.objects.clear()
        assert run(name, *paths, *words, "--outdir", "gs://b/out") == 1
        assert sorted(bucket.objects) == [f"out/x2{ending}"]
        printed = capsys.readouterr()
        assert printed.out.split() == [f"gs://b/out/x2{ending}"]
        assert f"it is kept as {tmp_path}/scratch/rtools-unsent-" in printed.err
    assert sorted(path.name for path in kept(tmp_path)) == ["x1_cal.asdf", "x1_cal.png"]


def test_a_product_is_kept_when_its_upload_is_interrupted(bucket, raw, monkeypatch, capsys, tmp_path):
    from rtools.remote import server

    def interrupted(*_words):
        raise KeyboardInterrupt

    monkeypatch.setattr(server, "send", interrupted)
    assert run("run", raw, *SHOWN) == 130
    (path,) = kept(tmp_path)
    assert f"{path.name}: not sent; it is kept as {path}\n" in capsys.readouterr().err
