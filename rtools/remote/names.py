"""Names of files that lie elsewhere: what is one, what may be said of it, and what its copy is called.

Every tool asks whether a name is one; urllib takes milliseconds and is imported when one is.
"""

from __future__ import annotations

import re

__all__ = ["BUCKETS", "beside", "file_name", "is_remote", "meant", "shown", "shown_in"]

BUCKETS = ("s3", "gs", "memory")
"""Schemes under which files are written, too; fsspec keeps the files of the last one in memory, for tests."""

WEB = ("https", "http")

REMOTE = re.compile(rf"(?:{'|'.join((*BUCKETS, *WEB))})://.", re.IGNORECASE)

NAME_IN_TEXT = re.compile(rf"{REMOTE.pattern}[^\s'\"]*", re.IGNORECASE)

TOLD = ("uri", "file", "filename", "path", "name", "versionid", "version")
"""Parts of a query that say which file is meant. All others are secrets, or may be: they are never shown."""

SIGNATURES = re.compile(r"sig|signature|token|access_token|awsaccesskeyid|googleaccessid|x-(?:amz|goog)-.*")
"""Parts of a query that say who asks; they change with every signature, and the file stays the same."""

SIGNED = re.compile(r"expires|policy|key-pair-id|s[eprtv]|spr|sk(?:oid|tid|t|e|s|v)")
"""Parts of a query that belong to a signature where there is one, and may mean anything else where there is none."""

NAMING = ("uri", "file", "filename", "path", "name")
"""Of these, those whose value ends in the name of the file."""


def is_remote(name: object) -> bool:
    """Whether a name is that of a file elsewhere.

    Parameters
    ----------
    name : object
        Anything; only texts are such names.

    Returns
    -------
    bool
    """
    return isinstance(name, str) and REMOTE.match(name) is not None


def shown(url: str) -> str:
    """A name without its secrets, as messages, products and logs say it.

    Parameters
    ----------
    url : str
        The whole name.

    Returns
    -------
    str
        Without user and password, without what follows ``#``, and of the query only `TOLD`.
    """
    from urllib.parse import parse_qsl, urlencode, urlunsplit

    parts = _split(url)
    if parts is None:
        return url
    told = [(key, value) for key, value in parse_qsl(parts.query) if key.lower() in TOLD]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, urlencode(told, safe="/:"), ""))


def meant(url: str) -> str:
    """A name by which a file is known again, whoever asks for it; it is never shown.

    Parameters
    ----------
    url : str
        The whole name.

    Returns
    -------
    str
        Without user and password, what follows ``#``, and signatures. All else of the query says which file is meant.
    """
    from urllib.parse import parse_qsl, urlencode, urlunsplit

    parts = _split(url)
    if parts is None:
        return url
    query = parse_qsl(parts.query, keep_blank_values=True)
    left_out = [SIGNATURES]
    if any(SIGNATURES.fullmatch(key.lower()) for key, _value in query):
        left_out.append(SIGNED)
    kept = [one for one in query if not any(kind.fullmatch(one[0].lower()) for kind in left_out)]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, urlencode(kept), ""))


def shown_in(text: str) -> str:
    """A text in which every name of a file elsewhere is without its secrets.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
    """
    return NAME_IN_TEXT.sub(lambda found: shown(found[0]), text)


def file_name(url: str) -> str:
    """What the copy of a file is called: by its extension, tools and people know what it is.

    Parameters
    ----------
    url : str
        The whole name.

    Returns
    -------
    str
        Never empty, without a directory, not hidden.
    """
    parts = _split(url)
    name = url.rstrip("/").rpartition("/")[2] if parts is None else parts.path.rstrip("/").rpartition("/")[2]
    asked = _asked(parts)
    name = name if asked is None else re.split(r"[/:]", asked[1])[-1]
    return re.sub(r"[/\0]", "_", _unquoted(name) if parts is not None else name).lstrip(".") or "file"


def beside(url: str, name: str) -> str:
    """The name of a file that lies beside another one, or below or above it.

    Parameters
    ----------
    url : str
        The whole name of the other one; its query goes with it, as that of a directory that was signed.
    name : str
        As it is written from there; a whole name stays what it is.

    Returns
    -------
    str
    """
    from urllib.parse import parse_qsl, urlencode, urlunsplit

    if is_remote(name):
        return name
    parts = _split(url)
    asked = _asked(parts)
    if asked is not None:
        place, value = asked
        query = parse_qsl(parts.query)
        query[place] = (query[place][0], value[: len(value) - len(re.split(r"[/:]", value)[-1])] + name)
        return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query, safe="/:"), ""))
    scheme, _, path = url.partition("://")
    host, query = "", ""
    if parts is not None:
        host, path, query = parts.netloc, parts.path, parts.query
        name = _quoted(name)
    steps = path.split("/")[:-1]
    for step in name.split("/"):
        if step == ".." and len(steps) > 1:
            steps.pop()
        elif step not in ("", ".", ".."):
            steps.append(step)
    joined = "/".join(steps)
    return f"{scheme}://{joined}" if parts is None else urlunsplit((parts.scheme, host, joined, query, ""))


def _split(url):
    """The parts of an address of the web; None of another name, whose every letter counts."""
    from urllib.parse import SplitResult, urlsplit

    scheme, _, rest = url.partition("://")
    if scheme.lower() not in WEB:
        return None
    try:
        return urlsplit(url)
    except ValueError:  # no address that anybody can ask: only what is said of it counts
        rest, _, query = rest.partition("#")[0].partition("?")
        host, slash, path = rest.partition("/")
        return SplitResult(scheme, host, slash + path, query, "")


def _asked(parts):
    """Place and value in a query that names the file, where the path does not."""
    from urllib.parse import parse_qsl

    if parts is None or "." in parts.path.rpartition("/")[2]:
        return None
    for place, (key, value) in enumerate(parse_qsl(parts.query)):
        if key.lower() in NAMING and "." in re.split(r"[/:]", value)[-1]:
            return place, value
    return None


def _quoted(text):
    from urllib.parse import quote

    return quote(text)


def _unquoted(text):
    from urllib.parse import unquote

    return unquote(text)
