"""rt-refs fetch, lock and check: references from a server of CRDS or from a cache, pinned by a lock that is obeyed."""

import json
import os

import pytest

from rtools.errors import MissingReferenceError
from rtools.products.io import digest
from rtools.reference.lock import LOCK, read_lock
from rtools.reference.types import APPLIED
from tests.reference.test_find import found, write
from tests.support import jwst_files
from tests.support.crds_server import PlayedServer, played, write_cache
from tests.support.runs import listing, tool


def name_of(kind, number=1):
    return f"roman_wfi_{kind}_{number:04d}.asdf"


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """A reference of every type, as the mission holds them: name to path."""
    place = tmp_path_factory.mktemp("held")
    return {kind: write(place / name_of(kind), kind) for kind in APPLIED}


@pytest.fixture
def server(held, monkeypatch):
    monkeypatch.setenv("CRDS_CLIENT_RETRY_COUNT", "1")
    files = {path.name: path.read_bytes() for path in held.values()}
    with played(PlayedServer(files, {kind: path.name for kind, path in held.items()})) as one:
        yield one


def fetched(server, directory, *words):
    return tool("refs", "fetch", *words, "--server", server.url, "--to", directory)


def test_a_server_of_crds_is_asked_and_its_best_references_are_brought_and_locked(raw, server, tmp_path, capsys):
    assert fetched(server, tmp_path / "refs", raw, raw) == 0
    printed = capsys.readouterr().out.split()
    brought = sorted(path.name for path in (tmp_path / "refs").iterdir())
    assert brought == sorted([LOCK, *(path.rpartition("/")[2] for path in printed)])
    assert {name_of("gain"), name_of("dark"), name_of("epsf")} <= set(brought)
    lock = read_lock(tmp_path / "refs" / LOCK)
    assert lock.origins["roman"] == (server.url, "roman_0042.pmap")
    assert lock.files[name_of("gain")].type == "gain"
    assert lock.files[name_of("gain")].size == len(server.files[name_of("gain")])
    ((_context, header, types),) = [asked for method, asked in server.asked if method == "get_best_references"][:1]
    assert header["roman.meta.instrument.detector"] == "WFI01"
    assert set(types) >= {"gain", "dark"}


def test_what_is_there_as_it_was_locked_is_not_brought_again(raw, server, tmp_path, capsys):
    assert fetched(server, tmp_path, raw) == 0
    sent, before = list(server.sent), listing(tmp_path)
    server.best["gain"] = name_of("gain", 2)
    server.files[name_of("gain", 2)] = server.files[name_of("gain")]
    server.sums[name_of("gain", 2)] = server.sums[name_of("gain")]
    assert fetched(server, tmp_path, raw, "-n") == 0
    assert listing(tmp_path) == before
    capsys.readouterr()
    assert fetched(server, tmp_path, raw, "--json") == 0
    told = {line["type"]: line["status"] for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert (told["gain"], told["dark"]) == ("done", "kept")
    assert server.sent[len(sent) :] == [name_of("gain", 2)]
    assert {name_of("gain"), name_of("gain", 2)} <= set(read_lock(tmp_path / LOCK).files)


def test_a_type_without_which_nothing_can_be_done_and_that_the_rules_lack_is_exit_4(raw, server, tmp_path, capsys):
    del server.best["gain"]
    assert fetched(server, tmp_path, raw) == 4
    assert "no reference: gain" in capsys.readouterr().err
    assert (tmp_path / name_of("dark")).exists()


@pytest.mark.parametrize(
    "fault", ["sum", "unknown", *(pytest.param(name, marks=pytest.mark.long) for name in ("size", "gone"))]
)
def test_what_does_not_come_whole_leaves_nothing(raw, server, tmp_path, capsys, fault):
    name = name_of("gain")
    if fault == "sum":
        server.sums[name] = server.sums[name_of("dark")]
    elif fault == "size":
        server.lengths[name] = 5
    elif fault == "gone":
        server.lengths[name] = len(server.files.pop(name))
    else:
        server.best["gain"] = "../" + name
    assert fetched(server, tmp_path, raw) == 4
    assert len(capsys.readouterr().err.splitlines()) <= 2
    assert listing(tmp_path) == {}


def test_a_server_that_is_not_there_is_exit_4(raw, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("CRDS_CLIENT_RETRY_COUNT", "1")
    assert tool("refs", "fetch", raw, "--server", "http://127.0.0.1:9", "--to", tmp_path) == 4
    assert "127.0.0.1:9" in capsys.readouterr().err
    assert listing(tmp_path) == {}


def test_files_that_no_lock_names_are_not_replaced_unless_asked(raw, server, tmp_path, capsys):
    (tmp_path / name_of("gain")).write_bytes(b"mine")
    assert fetched(server, tmp_path, raw) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert (tmp_path / name_of("gain")).read_bytes() == b"mine"
    assert fetched(server, tmp_path, raw, "--overwrite") == 0
    assert (tmp_path / name_of("gain")).read_bytes() == server.files[name_of("gain")]


@pytest.mark.parametrize("by_instrument", [False, True], ids=["flat", "by instrument"])
def test_a_cache_is_asked_by_its_own_rules_without_a_network(raw, held, tmp_path, monkeypatch, by_instrument):
    monkeypatch.setenv("RT_SERVER", "http://127.0.0.1:9")  # what is typed counts
    cache = write_cache(tmp_path / "cache", held, by_instrument=by_instrument)
    before = listing(cache)
    assert tool("refs", "fetch", raw, "--cache", cache, "--to", tmp_path / "refs") == 0
    assert listing(cache) == before
    assert read_lock(tmp_path / "refs" / LOCK).origins["roman"].context == "roman_0042.pmap"
    assert (tmp_path / "refs" / name_of("gain")).read_bytes() == held["gain"].read_bytes()


@pytest.mark.parametrize(
    ("place", "words"), [("nowhere", "no such directory"), ("empty", "no config/roman"), ("half", "no mappings/roman")]
)
def test_what_is_no_cache_is_said_to_be_none(raw, tmp_path, capsys, place, words):
    """The client ended, and it said nothing; the directory stayed."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "half" / "config" / "roman").mkdir(parents=True)
    assert tool("refs", "fetch", raw, "--cache", tmp_path / place, "--to", tmp_path / "refs") == 4
    told = capsys.readouterr().err
    assert f"{tmp_path / place}: " in told and words in told and told.count("\n") == 1
    assert not (tmp_path / "refs").exists()


def test_a_cache_whose_rules_cannot_be_read_is_told_with_what_the_client_says(raw, held, tmp_path, capsys):
    cache = write_cache(tmp_path / "cache", held, by_instrument=False)
    (cache / "config" / "roman" / "server_config").unlink()
    assert tool("refs", "fetch", raw, "--cache", cache, "--to", tmp_path / "refs") == 4
    told = capsys.readouterr().err
    assert "server_config" in told and "said nothing" not in told and told.count("\n") == 1


@pytest.mark.slow
def test_of_jwst_the_rules_are_asked_by_the_names_of_its_data_model(tmp_path, capsys):
    exposure, names = jwst_files.made(tmp_path, "uncal"), {}
    best = {kind: f"jwst_nircam_{kind}_0001.fits" for kind in ("mask", "gain")}
    with played(PlayedServer(dict.fromkeys(best.values(), b"SIMPLE"), best, "jwst")) as server:
        assert fetched(server, tmp_path / "refs", exposure) == 4
        names |= {asked[0]: asked[1] for method, asked in server.asked if method == "get_best_references"}
    assert "no reference: " in capsys.readouterr().err
    assert {path.name for path in (tmp_path / "refs").iterdir()} == {LOCK, *best.values()}
    assert names["jwst_0042.pmap"]["meta.instrument.name"] == "NIRCAM"


# --- the lock ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def locked(tmp_path):
    """A directory with two darks, of which the later one is locked, and not the earlier one."""
    write(tmp_path / "late.asdf", "dark", useafter="2024-01-01T00:00:00.000", value=2.0)
    assert tool("refs", "lock", tmp_path) == 0
    write(tmp_path / "early.asdf", "dark", useafter="2020-01-01T00:00:00.000", value=1.0)
    return tmp_path


def dark_of(directory, **more):
    from tests.reference.test_find import DARK

    return found([DARK], refdir=directory, **more)["dark"]


def test_files_that_a_lock_does_not_name_do_not_serve(locked):
    write(locked / "later.asdf", "dark", useafter="2025-01-01T00:00:00.000", value=3.0)
    said = []
    assert dark_of(locked, log=lambda level, text: said.append((level, text))).path.name == "late.asdf"
    assert [level for level, text in said if "later.asdf" in text and LOCK in text] == ["info"]


def test_a_file_that_was_changed_is_refused(locked, capsys):
    write(locked / "late.asdf", "dark", useafter="2024-01-01T00:00:00.000", value=2.5)
    with pytest.raises(MissingReferenceError, match=r"late.asdf is not the file that was locked"):
        dark_of(locked)
    assert tool("refs", "check", locked / LOCK) == 4
    printed = capsys.readouterr()
    assert "changed" in printed.out
    assert "1 of 1 files" in printed.err
    assert tool("refs", "lock", locked) == 1
    assert tool("refs", "lock", locked, "--overwrite") == 0
    assert tool("refs", "check", locked / LOCK, "--json") == 0


@pytest.mark.parametrize("change", ["damaged", "type", "size"])
def test_a_locked_file_whose_header_was_changed_is_refused_and_no_other_serves(tmp_path, change):
    """It was passed over with a warning, and an older one was taken."""
    write(tmp_path / "early.asdf", "dark", useafter="2020-01-01T00:00:00.000", value=1.0)
    path = write(tmp_path / "late.asdf", "dark", useafter="2024-01-01T00:00:00.000", value=2.0)
    assert tool("refs", "lock", tmp_path) == 0
    content = path.read_bytes()
    if change == "damaged":
        path.write_bytes(content.replace(b"#ASDF", b"#XSDF", 1))
    elif change == "type":
        path.write_bytes(content.replace(b"reftype: DARK", b"reftype: FLAT", 1))
    else:
        write(path, "dark", detector="WFI02", useafter="2024-01-01T00:00:00.000", exposure={"type": "WFI_IMAGE"})
    assert path.read_bytes() != content
    with pytest.raises(MissingReferenceError, match=r"late.asdf is not the file that was locked"):
        dark_of(tmp_path)


def test_damaged_files_that_a_lock_does_not_name_are_passed_over(locked):
    (locked / "broken.asdf").write_bytes(b"#ASDF 1.0.0\n%YAML 1.1\n--- {")
    assert dark_of(locked).path.name == "late.asdf"


def test_a_file_that_is_not_there_is_refused_and_no_other_serves(locked):
    (locked / "late.asdf").unlink()
    with pytest.raises(MissingReferenceError, match=r"the lock names late.asdf, which is not there"):
        dark_of(locked)
    assert tool("refs", "check", locked / LOCK) == 4


def test_check_reads_all_bytes_even_where_size_and_time_are_as_before(locked):
    path = locked / "late.asdf"
    state, content = path.stat(), bytearray(path.read_bytes())
    digest.sha256_of(path)
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert tool("refs", "check", locked / LOCK) == 4


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{", "null", '{"format": 2, "files": {}, "origins": {}}', '{"format": 1}', "[" * 5000,
        '{"format": 1, "origins": {}, "files": {"../x.asdf": {"type": "dark", "size": 1, "sha256": "0"}}}',
        '{"format": 1, "origins": {}, "files": {"x.asdf": {"type": "dark", "size": 1, "sha256": "0"}}}',
        '{"format": 1, "origins": {}, "files": {"x.asdf": {"typ": "dark"}}}',
    ],
)  # fmt: skip
def test_a_lock_that_cannot_be_read_is_exit_3(locked, text, raw, capsys):
    (locked / LOCK).write_text(text)
    assert tool("refs", "check", locked / LOCK) == 3
    assert tool("dqinit", raw, "--refdir", locked, "-n") == 3
    assert LOCK in capsys.readouterr().err
