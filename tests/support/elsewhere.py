"""Places elsewhere as tests have them: a server of the loopback address, and files in memory."""

import pytest

from rtools.remote import faults
from tests.support.web import serving


@pytest.fixture
def web(tmp_path, monkeypatch):
    """A server; copies go to a directory of the test, which is the working directory, too."""
    monkeypatch.setenv("RT_CACHE_DIR", str(tmp_path / "copies"))
    monkeypatch.setenv("RT_REMOTE_TIMEOUT", "2")
    monkeypatch.setattr(faults, "PAUSE", 0.01)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with serving() as web:
        web.files = {}
        web.add = lambda path: web.files.update({f"/d/{path.name}": path}) or f"{web.address}/d/{path.name}"
        yield web


@pytest.fixture
def memory():
    """Files in memory, which stand for those of a bucket."""
    from fsspec.implementations.memory import MemoryFileSystem

    MemoryFileSystem.store.clear()
    yield MemoryFileSystem.store
    MemoryFileSystem.store.clear()
