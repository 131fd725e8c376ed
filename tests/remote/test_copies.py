"""Copies of what lies elsewhere: fetched whole or in parts, kept, bounded; what went wrong is told."""

import os
import subprocess
import sys
import threading
import time

import pytest

from rtools.errors import InputError, RtoolsError
from rtools.remote import cache, faults, marks, parts, server
from tests.support.places import ROOT
from tests.support.web import serving

pytest.importorskip("aiohttp")

LARGE = b"#ASDF" + bytes(range(256)) * 8192
"""A file that is fetched in parts."""


@pytest.fixture
def web(tmp_path, monkeypatch):
    """A server with a large file; copies go to a directory of the test."""
    monkeypatch.setenv("RT_CACHE_DIR", str(tmp_path / "copies"))
    monkeypatch.setenv("RT_REMOTE_TIMEOUT", "0.2")
    monkeypatch.setattr(faults, "PAUSE", 0.01)
    cache.enter()
    with serving() as web:
        web.files["/d/x.asdf"] = LARGE
        web.url = f"{web.address}/d/x.asdf?sig=SECRET"
        yield web
    cache.leave()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def test_a_file_is_fetched_once(web):
    first = cache.copy_of(web.url)
    assert read(first) == LARGE and os.path.basename(first) == "x.asdf"
    assert cache.copy_of(f"{web.address}/d/x.asdf?sig=ANOTHER") == first
    assert web.sent == len(LARGE)
    assert marks.source_of(first) == f"{web.address}/d/x.asdf"
    assert "SECRET" not in "".join(path.read_text() for path in cache.root().rglob(marks.MARK))


def test_a_file_that_has_changed_is_fetched_anew(web):
    first = cache.copy_of(web.url)
    web.files["/d/x.asdf"] = LARGE[::-1]
    assert read(cache.copy_of(web.url)) == LARGE[::-1]
    assert read(first) == LARGE


def test_two_files_that_differ_in_the_query_alone_are_two_copies(web):
    """They may be alike in name, size and time."""
    first = cache.copy_of(f"{web.address}/d/x.asdf?version=1")
    assert cache.copy_of(f"{web.address}/d/x.asdf?version=2") != first
    assert cache.copy_of(f"{web.address}/d/x.asdf?version=1&X-Amz-Signature=A") == first


def test_a_cache_that_is_named_from_the_working_directory_stays_where_it_is(web, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RT_CACHE_DIR", "copies")
    path = cache.copy_of(web.url)
    assert os.path.isabs(path)
    monkeypatch.chdir("/")
    assert read(path) == LARGE


@pytest.mark.parametrize("url", ["http://[bad", "http://me:SECRET@[bad/x.asdf", "http://h:abc/x.asdf", "https:///x"])
def test_a_name_that_can_be_of_no_file_is_told_in_one_line(web, url):
    with pytest.raises(InputError, match="no valid address") as caught:
        cache.copy_of(url)
    assert "SECRET" not in str(caught.value)


def test_an_endpoint_that_is_none_is_told_in_one_line(web, monkeypatch):
    pytest.importorskip("s3fs")
    monkeypatch.setenv("RT_S3_ANON", "1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    with pytest.raises(InputError, match="Invalid endpoint: nonsense"):
        cache.copy_of("s3://b/x.asdf")


def test_readers_that_know_of_parts_fetch_what_they_read(web):
    path = cache.copy_of(web.url, in_parts=True)
    with parts.open_parts(path) as file:
        assert file.read(10) == LARGE[:10]
        file.seek(1_000_000)
        assert file.read(300) == LARGE[1_000_000:1_000_300]
        assert os.fstat(file.fileno()).st_size == len(LARGE)
        parts.want(file.fileno(), 1_500_000, 1_500_100)
        assert os.pread(file.fileno(), 100, 1_500_000) == LARGE[1_500_000:1_500_100]
    assert web.sent < 6 * parts.GRAIN


def test_readers_that_know_nothing_get_the_whole_file(web):
    path = cache.copy_of(web.url, in_parts=True)
    assert web.sent < 2 * parts.GRAIN
    assert read(path) == LARGE
    assert web.sent < len(LARGE) + 2 * parts.GRAIN
    assert not (cache.root() / os.path.basename(os.path.dirname(path)) / parts.CAME).exists()


def test_another_process_goes_on_with_the_parts_that_are_there(web):
    path = cache.copy_of(web.url, in_parts=True)
    code = f"""if True:
        from rtools.remote import cache
        cache.enter()
        path = cache.copy_of({web.url!r})
        assert open(path, "rb").read() == b"#ASDF" + bytes(range(256)) * 8192
        print(path)"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == path
    sent = web.sent
    assert read(path) == LARGE
    assert web.sent == sent


def test_a_server_without_parts_gives_the_whole_file(web):
    web.parts = False
    assert read(cache.copy_of(web.url, in_parts=True)) == LARGE


def test_a_file_that_changes_between_two_reads_is_refused(web):
    path = cache.copy_of(web.url, in_parts=True)
    web.files["/d/x.asdf"] = LARGE[:-1] + b"!"
    with pytest.raises(InputError, match="was changed while it was fetched"):
        read(path)


@pytest.mark.parametrize("status, words", [(404, "no such file"), (403, "denied"), (401, "denied"),
                                           (500, r"the server failed \(500\)")])  # fmt: skip
def test_what_a_server_refuses_is_told(web, status, words):
    web.status = status
    with pytest.raises(InputError, match=words) as caught:
        cache.copy_of(web.url)
    assert "SECRET" not in str(caught.value) and str(caught.value).startswith(f"{web.address}/d/x.asdf: ")
    assert len(web.requests) <= 2 * faults.TRIES


def test_a_server_that_is_busy_is_asked_again(web):
    web.failures = [503, 503]
    assert read(cache.copy_of(web.url)) == LARGE


def test_what_is_cut_off_is_refused_and_leaves_nothing(web):
    web.cut = 1000
    with pytest.raises(InputError, match="cut off"):
        cache.copy_of(web.url)
    assert not list(cache.root().rglob("x.asdf")) and not list(cache.root().rglob(cache.COMING))


def test_a_fetch_that_is_given_up_ends_at_once_and_leaves_nothing(web):
    server.give_up()
    with pytest.raises(InterruptedError):
        cache.copy_of(web.url)
    assert not list(cache.root().rglob("x.asdf")) and not list(cache.root().rglob(cache.COMING))
    server.give_up(False)
    assert read(cache.copy_of(web.url)) == LARGE


def test_no_answer_is_told_in_time(web):
    web.silent, begun = True, time.monotonic()
    with pytest.raises(InputError, match=r"no answer within 0\.2 s"):
        cache.copy_of(web.url)
    assert time.monotonic() - begun < 2


def test_nobody_there_is_told(web):
    with pytest.raises(InputError, match="cannot be reached"):
        cache.copy_of("http://127.0.0.1:1/x.asdf")


def test_the_copy_that_was_used_least_recently_goes_and_none_in_use(web, monkeypatch):
    for name in "abc":
        web.files[f"/{name}"] = b"x" * 400_000
    kept = cache.copy_of(f"{web.address}/a")
    old = {name: _used_by_another(f"{web.address}/{name}") for name in "bc"}
    os.utime(os.path.join(os.path.dirname(old["c"]), cache.IN_USE), (1, 1))
    os.utime(os.path.join(os.path.dirname(kept), cache.IN_USE), (0, 0))
    web.files["/d"] = b"x" * 200_000
    monkeypatch.setenv("RT_CACHE_SIZE", "1M")
    cache.copy_of(f"{web.address}/d")
    assert os.path.exists(kept) and os.path.exists(old["b"]) and not os.path.exists(old["c"])


def _used_by_another(url):
    """The copy that a process made which has ended."""
    code = f"from rtools.remote import cache; cache.enter(); print(cache.copy_of({url!r}), flush=True)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return found.stdout.strip()


def test_threads_fetch_a_file_once(web):
    found = []
    threads = [threading.Thread(target=lambda: found.append(cache.copy_of(web.url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1 and len(found) == 4 and web.sent == len(LARGE)


def test_without_a_place_for_copies_they_go_with_the_process(web, monkeypatch):
    monkeypatch.setenv("RT_CACHE_DIR", "/dev/null/none")
    path = cache.copy_of(web.url)
    assert read(path) == LARGE and "rtools-remote-" in path


def test_sizes_of_the_cache(monkeypatch):
    for said, size in (("", 10 << 30), ("2G", 2 << 30), ("1.5M", 3 << 19), ("500", 500), ("1GiB", 1 << 30)):
        monkeypatch.setenv("RT_CACHE_SIZE", said)
        assert cache.limit() == size
    monkeypatch.setenv("RT_CACHE_SIZE", "much")
    with pytest.raises(RtoolsError, match="RT_CACHE_SIZE=much"):
        cache.limit()


def test_files_of_memory_are_sent_and_fetched(web, tmp_path):
    path = tmp_path / "y.asdf"
    path.write_bytes(LARGE)
    assert not server.is_there("memory://out/y.asdf")
    server.send(path, "memory://out/y.asdf")
    assert server.names_in("memory://out") == ["y.asdf"]
    assert read(cache.copy_of("memory://out/y.asdf", in_parts=True)) == LARGE


def test_a_file_that_does_not_get_there_leaves_nothing(tmp_path, monkeypatch):
    from fsspec.implementations.memory import MemoryFileSystem

    path = tmp_path / "z.asdf"
    path.write_bytes(LARGE)

    def half(system, local, there, **_more):
        system.pipe_file(there, LARGE[:100])
        raise ConnectionResetError("gone")

    monkeypatch.setattr(MemoryFileSystem, "put_file", half)
    monkeypatch.setattr(faults, "PAUSE", 0.01)
    with pytest.raises(RtoolsError, match="cannot be written") as caught:
        server.send(path, "memory://out/z.asdf")
    assert caught.value.exit_code == 1
    assert not server.is_there("memory://out/z.asdf")
