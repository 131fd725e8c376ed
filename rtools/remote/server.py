"""Who has a file: what it says of it, its bytes whole or in part, and files that are sent there.

fsspec and its drivers do it. What goes wrong on the way, `faults.py` tells in one line.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from rtools.errors import InputError, RtoolsError
from rtools.remote import settings
from rtools.remote.faults import TRIES, timeout, tried
from rtools.remote.names import shown

__all__ = ["Stated", "check_bucket", "fetch", "give_up", "is_there", "names_in", "reader", "send", "state_of"]

TAGS = ("ETag", "etag", "Last-Modified", "LastModified", "updated", "mtime", "created")
"""Where drivers say what changes with a file, the best first."""

_given_up = threading.Event()

PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "https": "fsspec and aiohttp", "http": "fsspec and aiohttp"}


class Stated(NamedTuple):
    """What is said of a file elsewhere.

    Attributes
    ----------
    size : int or None
        Bytes; None where that is not said.
    mark : str
        Tag, or time of change: another one when the file is another; empty where neither is said.
    sum : str
        MD5 in base64, where that is said.
    parts : bool
        Whether parts may be asked for: False where it is said that they may not.
    """

    size: int | None
    mark: str = ""
    sum: str = ""
    parts: bool = True


def _system(url):
    """fsspec's file system for a name; the credentials are those of the environment."""
    scheme = url.partition("://")[0].lower()
    try:
        import fsspec

        if scheme in ("https", "http"):
            return fsspec.filesystem(scheme, **_of_web(url))
        if scheme == "s3":
            return fsspec.filesystem("s3", **_of_s3())
        if scheme == "gs":
            return _of_gs()
        return fsspec.filesystem(scheme)
    except ImportError:
        raise RtoolsError(
            f"{scheme}:// needs {PACKAGES.get(scheme, 'fsspec')}", mend="pip install 'roman-rtools[cloud]'"
        ) from None


def _of_web(url):
    import aiohttp

    seconds = timeout()
    wait = aiohttp.ClientTimeout(total=None, sock_connect=seconds, sock_read=seconds)
    return {"client_kwargs": {"timeout": wait, "trust_env": True}, "encoded": "%" in url}


def _of_s3():
    seconds = timeout()
    config = {"connect_timeout": seconds, "read_timeout": seconds, "retries": {"max_attempts": TRIES}}
    anonymous = _is_set(settings.S3_ANON) if settings.S3_ANON in os.environ else not _has_s3_credentials()
    return {"anon": anonymous, "config_kwargs": config, "use_listings_cache": False}


def _of_gs():
    # As it comes, gcsfs asks by gRPC of what kind a bucket is: for buckets of one zone alone, and for a minute at each
    # request where that is not answered (behind a proxy, for example). Who has such a bucket sets the variable.
    logging.getLogger("gcsfs").setLevel(logging.CRITICAL)  # it prints tracebacks of what is told in one line here
    by_rpc = os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false").lower() in ("true", "1")
    import gcsfs

    kind = gcsfs.GCSFileSystem if by_rpc else gcsfs.core.GCSFileSystem
    return kind(**({"token": "anon"} if _is_set(settings.GS_ANON) else {}))


@cache
def _has_s3_credentials():
    """Whether the environment, a file of the user, or the machine gives credentials, as botocore looks for them."""
    from botocore.session import Session

    os.environ.setdefault("AWS_METADATA_SERVICE_TIMEOUT", "1")
    try:
        return Session().get_credentials() is not None
    except Exception:  # a broken profile: what it breaks is told when a file is asked for
        return True


def _is_set(name):
    return os.environ.get(name, "").strip().lower() not in ("", "0", "false", "no")


def state_of(url: str) -> Stated:
    """What is said of a file.

    Parameters
    ----------
    url : str
        Its whole name.

    Returns
    -------
    Stated

    Raises
    ------
    InputError
        It is not there, is denied, is a directory, or nobody answers.
    """
    info = tried(url, lambda: _system(url).info(_place(url)))
    if info.get("type") == "directory":
        raise InputError("a directory", path=shown(url))
    tag = next((str(info[key]) for key in TAGS if info.get(key)), "")
    return Stated(info.get("size"), tag, str(info.get("md5Hash") or info.get("Content-MD5") or ""),
                  info.get("partial") is not False)  # fmt: skip


def fetch(url: str, path: str | Path, stated: Stated) -> None:
    """Fetch a whole file.

    Parameters
    ----------
    url : str
        Its whole name.
    path : str or Path
        Where its bytes go; what is there is replaced.
    stated : Stated
        From `state_of`; the bytes are compared with it.

    Raises
    ------
    InputError
        As `state_of`; or what came has another length or sum, or was changed meanwhile.
    """

    def get():
        _system(url).get_file(_place(url), os.fspath(path), callback=_heeding(), **_unchanged(url, stated))
        _compare(url, path, stated)
        if not _is_web(url) and state_of(url) != stated:
            raise InputError("was changed while it was fetched", mend="try again", path=shown(url))

    tried(url, get)


def give_up(what: bool = True) -> None:
    """Have all that is being fetched end at its next piece; or, with False, let it be fetched again.

    Parameters
    ----------
    what : bool
        Whether it ends.
    """
    if what:
        _given_up.set()
    else:
        _given_up.clear()


def _heeding():
    """What a driver tells of each piece that has come."""
    from fsspec.callbacks import Callback

    def heed(_count=1):
        if _given_up.is_set():
            raise InterruptedError("given up")

    told = Callback()
    told.relative_update = heed
    return told


def _compare(url, path, stated):
    size = os.path.getsize(path)
    if stated.size is not None and size != stated.size:
        raise ConnectionResetError(f"cut off: {size} of {stated.size} bytes came")
    if stated.sum:
        from base64 import b64encode
        from hashlib import file_digest, md5

        with open(path, "rb") as file:
            found = b64encode(file_digest(file, lambda: md5(usedforsecurity=False)).digest()).decode()
        if found != stated.sum:
            raise ConnectionResetError("what came has another MD5 than the server says")


def reader(url: str, stated: Stated) -> Callable[[int, int], bytes]:
    """What reads parts of a file.

    Parameters
    ----------
    url : str
        Its whole name.
    stated : Stated
        From `state_of`, with a size.

    Returns
    -------
    callable
        ``read(start, stop)`` gives these bytes, all of them. It raises InputError as `fetch` does, and ValueError where
        the server gives no parts.
    """
    files: list[Any] = []

    def part(start, stop):
        if not files:
            more = _unchanged(url, stated) | ({"size": stated.size} if _is_web(url) else {})
            files.append(_system(url).open(_place(url), "rb", block_size=1, cache_type="none", **more))
        file = files[0]
        file.seek(start)
        data = file.read(stop - start)
        if len(data) != stop - start:
            files.clear()
            raise ConnectionResetError(f"cut off: {len(data)} of {stop - start} bytes came")
        return data

    return lambda start, stop: tried(url, lambda: part(start, stop), passes=ValueError)


def is_there(url: str) -> bool:
    """Whether there is a file of this name.

    Parameters
    ----------
    url : str
        A whole name in a bucket.

    Returns
    -------
    bool

    Raises
    ------
    RtoolsError
        It cannot be asked for.
    """
    try:
        state_of(url)
    except InputError as error:
        if error.message == "no such file":
            return False
        raise RtoolsError(error.message, mend=error.mend, path=error.path) from None
    return True


def check_bucket(url: str) -> None:
    """Refuse a name in a bucket that is not there, before the work.

    Parameters
    ----------
    url : str
        A whole name in a bucket.

    Raises
    ------
    RtoolsError
        There is no such bucket, or nobody answers.
    """
    scheme, _, place = url.partition("://")
    if scheme.lower() not in PACKAGES:
        return
    bucket = place.partition("/")[0]
    try:
        tried(url, lambda: _system(url).info(bucket))
    except InputError as error:
        if not error.message.startswith("denied"):  # one may write where one may not look
            message = "no such bucket" if error.message == "no such file" else error.message
            raise RtoolsError(message, path=f"{scheme}://{bucket}") from None


def names_in(folder: str) -> list[str]:
    """Names of the files in a directory of a bucket, without it.

    Parameters
    ----------
    folder : str
        Its whole name.

    Returns
    -------
    list of str
        None where there is no such directory, or its files may not be listed.
    """
    try:
        found = tried(folder, lambda: _system(folder).ls(_place(folder), detail=False))
    except InputError:
        return []
    return [str(one).rstrip("/").rpartition("/")[2] for one in found]


def send(path: str | Path, url: str) -> None:
    """Send a file.

    Parameters
    ----------
    path : str or Path
        The file, whole.
    url : str
        Its whole name there; what has that name is replaced.

    Raises
    ------
    RtoolsError
        It did not get there. Nothing has that name then, unless something had it before.
    """
    was_there = is_there(url)

    def put():
        _system(url).put_file(os.fspath(path), _place(url))
        if state_of(url).size != os.path.getsize(path):
            raise ConnectionResetError("cut off")

    try:
        tried(url, put)
    except InputError as error:
        if not was_there:
            _remove(url)
        raise RtoolsError(f"cannot be written ({error.message})", path=shown(url)) from None


def _remove(url):
    try:
        _system(url).rm_file(_place(url))
    except Exception:  # it never got there
        return


def _is_web(url):
    return url[:4].lower() == "http"


def _place(url):
    """What the file system calls a file: of the web by its whole name."""
    return url if _is_web(url) else url.partition("://")[2]


def _unchanged(url, stated):
    """Words that have a server of the web refuse to give bytes of another file than it spoke of."""
    if not _is_web(url):
        return {}
    strong = {"If-Match": stated.mark} if stated.mark.startswith('"') else {}
    return {"headers": {"Accept-Encoding": "identity"} | strong}
